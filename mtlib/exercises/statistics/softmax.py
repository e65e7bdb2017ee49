"""statistics.softmax: scores of any size into shares, along any axis."""

import math

import torch
from torch import Tensor

from mtlib.grading.draw import DTYPES, Draw
from mtlib.grading.exercise import Exercise, Mistake, Property
from mtlib.grading.judge import agree, equals, leaves_inputs, value_of
from mtlib.grading.subject import Subject


def reference(x: Tensor, dim: int) -> Tensor:
    return variant()(x, dim)


def highest(x: Tensor, dim: int) -> Tensor:
    return x.amax(dim, keepdim=True)


def total(x: Tensor, dim: int) -> Tensor:
    return x.sum(dim, keepdim=True)


def variant(lower=highest, grow=torch.exp, total=total, at=lambda x, dim: dim):
    """Softmax with a step changed: what is subtracted, what makes positive, what is divided by, along which axis."""

    def softmax(x: Tensor, dim: int) -> Tensor:
        dim = at(x, dim)
        e = grow(x - lower(x, dim))
        return e / total(e, dim)

    return softmax


def _case(d: Draw, ndim: int, **given) -> dict:
    shape = [d.size(rough=8) for _ in range(ndim)]
    return {"x": d.floats(*shape, dtype=d.pick(*DTYPES), **given), "dim": d.whole(-ndim, ndim - 1)}


def last_axis(d: Draw) -> dict:
    """One row, or several rows; the axis is the last."""
    return _case(d, d.whole(1, 2)) | {"dim": -1}


def any_axis(d: Draw) -> dict:
    return _case(d, d.whole(1, 4))


def far_apart(d: Draw) -> dict:
    """Slices that lie 10,000 apart, whichever axis they are slices of."""
    case = _case(d, d.whole(2, 3))
    x, dim = case["x"].double(), case["dim"]
    across = x.narrow(dim, 0, 1)  # one number for each slice
    steps = torch.arange(across.numel(), dtype=x.dtype).reshape(across.shape) - d.whole(0, across.numel() - 1)
    return {"x": x + 1e4 * steps, "dim": dim}


def far_within(d: Draw) -> dict:
    """Scores within one slice that lie thousands apart."""
    case = _case(d, d.whole(1, 3))
    return case | {"x": case["x"].double() * d.pick(1000, 5000)}


def moved(d: Draw) -> dict:
    case = _case(d, d.whole(1, 3))
    return {"x": case["x"].double(), "dim": case["dim"], "by": d.pick(1, -1, 100, -100, 5000, -5000)}


def with_minus_infinity(d: Draw) -> dict:
    """Some entries are -inf; every slice has a finite one."""
    case = _case(d, d.whole(1, 3))
    x, dim = case["x"].transpose(case["dim"], -1), case["dim"]
    return case | {"x": x.masked_fill(~d.keep(*x.shape), -math.inf).transpose(dim, -1)}


def ignores_a_shift(case: dict, subject: Subject) -> None:
    x, dim, by = case.values()
    expected = reference(x, dim)
    agree(value_of(subject.call(x, dim)), expected)
    agree(value_of(subject.call(x + by, dim)), expected, why="the same number added to every score")


def _in_place(x: Tensor, dim: int) -> Tensor:
    x -= highest(x, dim)
    return reference(x, dim)


def _infinity_is_zero(x: Tensor, dim: int) -> Tensor:
    return reference(x.masked_fill(x == -math.inf, 0.0), dim)


def _hard(x: Tensor, dim: int) -> Tensor:
    return torch.zeros_like(x).scatter(dim, x.argmax(dim, keepdim=True), 1.0)


def _nothing(x: Tensor, dim: int) -> Tensor:
    return torch.zeros_like(x)


EXERCISE = Exercise(
    id="statistics.softmax",
    title="Softmax, along any axis",
    answers=("softmax",),
    minutes=15,
    read=("softmax-distribution",),
    forbid=tuple(
        f"{home}.{name}"
        for home in ("torch", "torch.nn.functional", "torch.Tensor", "torch.special")
        for name in ("softmax", "log_softmax")
    ),
    properties=(
        Property("values", 3, "along the last axis: positive, in the ratio of their exponentials, sum 1", last_axis, equals(reference)),
        Property("any axis", 2, "along the axis `dim`, counted from either end", any_axis, equals(reference)),
        Property("far within", 2, "scores thousands apart in one slice do not overflow", far_within, equals(reference), 40),
        Property("slices apart", 2, "slices 10,000 apart do not disturb each other", far_apart, equals(reference), 40),
        Property("shift", 1, "the same number added to every score changes nothing", moved, ignores_a_shift, 30),
        Property("minus infinity", 1, "a score of -inf gets exactly 0, the others share 1", with_minus_infinity, equals(reference), 40),
        Property("inputs unchanged", 1, "x is afterwards what it was", any_axis, leaves_inputs(reference), 20),
    ),
    mistakes=(
        Mistake("exp over its sum and no more: exp overflows to inf, and inf over inf is NaN", variant(lower=_nothing)),
        Mistake(
            "the largest of all scores subtracted, not the largest of each slice: a slice far below has nothing but zeros left",
            variant(lower=lambda x, dim: x.amax()),
        ),
        Mistake("the mean subtracted, not the largest: what lies far above the mean still overflows",
                variant(lower=lambda x, dim: x.mean(dim, keepdim=True))),
        Mistake("the smallest score subtracted, where it must be the largest: every exponent is now positive",
                variant(lower=lambda x, dim: x.amin(dim, keepdim=True))),
        Mistake("scores clipped before exp: beyond the clip, all are alike",
                lambda x, dim: variant(lower=_nothing)(x.clamp(-50, 50), dim)),
        Mistake("a softmax along the last axis, whatever `dim` says", variant(at=lambda x, dim: -1)),
        Mistake("a softmax along the first axis, whatever `dim` says", variant(at=lambda x, dim: 0)),
        Mistake("one sum over everything: the whole tensor makes 1, and a slice only a part of it",
                variant(lower=lambda x, dim: x.amax(), total=lambda e, dim: e.sum())),
        Mistake("each score over the sum of the scores, without exp: negative scores give negative shares",
                variant(lower=_nothing, grow=lambda x: x)),
        Mistake("powers of 2, not of e", variant(grow=torch.exp2)),
        Mistake("the logarithm of the shares", lambda x, dim: x - x.logsumexp(dim, keepdim=True)),
        Mistake("everything to the largest: that is argmax, which softmax is the soft form of", _hard),
        Mistake("a small number added to the sum: the shares no longer make 1", variant(total=lambda e, dim: total(e, dim) + 1e-6)),
        Mistake("-inf taken for 0: e⁰ is 1, so what should get nothing gets a share", _infinity_is_zero),
        Mistake("the subtraction done in place, so that the caller's x is changed", _in_place),
    ),
    hints=(
        "Two steps: make every score positive so that differences become ratios, then divide by what makes the sum 1. Sum over "
        "what, exactly?",
        "exp of 1000 is infinite. The same number may be taken from every score of a slice, and nothing changes: which number "
        "keeps every exponent at or below 0? It must be one number for each slice.",
        "`x.amax(dim, keepdim=True)` is the largest of each slice, with the axis kept so that it broadcasts. Subtract it, take "
        "`exp`, divide by `sum(dim, keepdim=True)`.",
    ),
    explanation=(
        "Only differences of scores count, so you may choose where zero is, and the largest score is the place from which nothing "
        "overflows. -inf takes care of itself: its exponential is exactly 0, and so is its gradient. That is how a mask works in "
        "attention. A slice of nothing but -inf has no shares at all; there you must decide, as chapter 6 does."
    ),
    better=(
        "`(x - x.logsumexp(dim, keepdim=True)).exp()` says the same in one line, and without the `exp` it is log_softmax, which a "
        "loss should use. Fused attention keeps a running maximum and a running sum, so that it needs each score only once."
    ),
)
