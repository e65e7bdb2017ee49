"""attention.scaled_dot_product: weights from scores, and what they gather."""

import math

import torch
from torch import Tensor

from mtlib.grading.draw import DTYPES, Draw
from mtlib.grading.exercise import Exercise, Mistake, Property
from mtlib.grading.judge import agree, agree_in_form, differentiates, equals, leaves_inputs, value_of
from mtlib.grading.subject import Subject

from . import reference as steps
from .reference import attend, filled_with, largest

NAMES = ("out", "weights")


def _qkv(d: Draw, lead: tuple[int, ...], dtype: torch.dtype, times: float = 1.0) -> dict:
    T_q, T_k, d_k, d_v = d.size(), d.size(), d.size(), d.size()
    return {
        "q": d.floats(*lead, T_q, d_k, dtype=dtype, high=2) * times,
        "k": d.floats(*lead, T_k, d_k, dtype=dtype, high=2) * times,
        "v": d.floats(*lead, T_k, d_v, dtype=dtype, high=4),
    }


def _with_keep(d: Draw, case: dict, blank: bool = False) -> dict:
    q, k = case["q"], case["k"]
    return case | {"keep": d.keep(*d.broadcast(*q.shape[:-1], k.shape[-2]), blank=blank)}


def bare(d: Draw) -> dict:
    return _qkv(d, (), torch.float32)


def stack(d: Draw) -> dict:
    return _qkv(d, d.lead(3), d.pick(*DTYPES))


def masked(d: Draw) -> dict:
    return _with_keep(d, _qkv(d, d.lead(), d.pick(*DTYPES)))


def blank(d: Draw) -> dict:
    """At least one query may look nowhere."""
    case = _qkv(d, d.lead(1), d.pick(*DTYPES))
    keep = d.keep(*case["q"].shape[:-1], case["k"].shape[-2], blank=True)
    keep[..., d.whole(0, keep.shape[-2] - 1), :] = False
    return case | {"keep": keep}


def loud(d: Draw) -> dict:
    """Scores far beyond what `exp` can hold, both ways."""
    case = _qkv(d, d.lead(1), d.pick(torch.float64, torch.float32), times=d.pick(100.0, 30.0))
    if d.flag():
        return _with_keep(d, case) if d.flag() else case
    below = {"q": case["q"].abs() + 100, "k": -case["k"].abs() - 100}  # where a finite mask stands out
    return _with_keep(d, case | below)


def gradient(d: Draw) -> dict:
    case = _qkv(d, d.lead(1), torch.float64)
    case = _with_keep(d, case, blank=True) if d.flag() else case
    return case | {"cotangent": d.floats(*case["q"].shape[:-1], case["v"].shape[-1], dtype=torch.float64)}


def future(d: Draw) -> dict:
    """Keys and values, and others that differ only after position `now`."""
    T, width = d.size(2), d.size()
    now = d.whole(0, T - 2)
    q, k, v, k2, v2 = (d.floats(T, width, high=2) for _ in range(5))
    k2[: now + 1], v2[: now + 1] = k[: now + 1], v[: now + 1]
    keep = torch.ones(T, T, dtype=torch.bool).tril()
    return {"q": q, "k": k, "v": v, "keep": keep, "now": now, "k later": k2, "v later": v2}


def ignores_the_future(case: dict, subject: Subject) -> None:
    q, keep, seen = case["q"], case["keep"], slice(0, case["now"] + 1)
    form = attend(q, case["k"], case["v"], keep)
    outs = []
    for k, v in ((case["k"], case["v"]), (case["k later"], case["v later"])):
        reply = value_of(subject.call(q, k, v, keep))
        agree_in_form(reply, form, NAMES)
        outs.append(reply[0])
    agree(outs[1][seen], outs[0][seen], largest(q, case["k"]), why="another future changes what is seen now")


def _exp_over_sum(scores: Tensor) -> Tensor:
    return scores.exp() / scores.exp().sum(-1, keepdim=True)


def _in_place(q: Tensor, k: Tensor, v: Tensor, keep: Tensor | None = None) -> tuple[Tensor, Tensor]:
    return attend(q.div_(math.sqrt(q.shape[-1])), k, v, keep, score=steps.product)


def variant(**changed):
    """Attention with one step changed."""
    return lambda q, k, v, keep=None: attend(q, k, v, keep, **changed)


right = equals(attend, largest, NAMES)

EXERCISE = Exercise(
    id="attention.scaled_dot_product",
    title="Attention, whole",
    answers=("scaled_dot_product_attention",),
    minutes=25,
    read=("s-softmax", "s-weights-v"),
    forbid=("torch.nn.functional.scaled_dot_product_attention",),
    properties=(
        Property("values", 4, "out and weights are right for matrices, d_v and d_k apart", bare, right),
        Property("leading axes", 2, "any number of them, in either dtype", stack, right),
        Property("masking", 3, "no weight where keep is False, and each row still sums to one", masked, right),
        Property("nothing kept", 1, "a query that may look nowhere gets zeros", blank, right),
        Property("large scores", 2, "scores of many thousands neither overflow nor leak", loud, right),
        Property(
            "no look ahead", 1, "under a causal keep the future changes nothing now", future, ignores_the_future, 30
        ),
        Property(
            "gradients",
            2,
            "autograd through it is right, masked rows included",
            gradient,
            differentiates(attend, largest),
            40,
        ),
        Property(
            "inputs unchanged", 1, "q, k, v and keep are afterwards what they were", masked, leaves_inputs(attend), 20
        ),
    ),
    mistakes=(
        Mistake("attention without the division by √d_k", variant(score=steps.product)),
        Mistake(
            "attention with scores divided by d_k, not by its square root",
            variant(score=lambda q, k: steps.product(q, k) / q.shape[-1]),
        ),
        Mistake(
            "attention with a scale fixed at 8, which is √d_k only for d_k = 64",
            variant(score=lambda q, k: steps.product(q, k) / 8),
        ),
        Mistake(
            "a softmax over the queries (columns sum to one), not over the keys",
            variant(soften=steps.softmax_over_queries),
        ),
        Mistake("a softmax without an axis of its own: over axis 0", variant(soften=lambda s: s.softmax(0))),
        Mistake(
            "keep the wrong way round: it looks exactly where it may not",
            variant(hide=steps.inverted, drop=lambda w, keep: w.masked_fill(keep, 0.0)),
        ),
        Mistake(
            "keep the wrong way round: it looks exactly where it may not",
            variant(hide=steps.inverted, drop=steps.untouched),
        ),
        Mistake("attention that never looks at keep", variant(hide=steps.untouched, drop=steps.untouched)),
        Mistake("a mask of -20: large scores shine through it", variant(hide=filled_with(-20.0), drop=steps.untouched)),
        Mistake("a mask of -20: large scores shine through it", variant(hide=filled_with(-20.0))),
        Mistake(
            "a mask of -1e4: still finite, so large scores shine through it",
            variant(hide=filled_with(-1e4), drop=steps.untouched),
        ),
        Mistake("a mask of -1e4: still finite, so large scores shine through it", variant(hide=filled_with(-1e4))),
        Mistake(
            "a huge finite mask: a query that may look nowhere then looks everywhere alike",
            variant(hide=filled_with(-1e9), drop=steps.untouched),
        ),
        Mistake(
            "a huge finite mask: a query that may look nowhere then looks everywhere alike",
            variant(hide=filled_with(None), drop=steps.untouched),
        ),
        Mistake(
            "scores set to 0 where masked: e⁰ is 1, so they still count",
            variant(hide=lambda s, keep: s * keep, drop=steps.untouched),
        ),
        Mistake("a mask laid on after the softmax: what is left no longer sums to one", variant(hide=steps.untouched)),
        Mistake("-inf and no more: softmax over nothing is 0/0, which is NaN", variant(drop=steps.untouched)),
        Mistake("exp over its sum without subtracting the largest score: exp overflows", variant(soften=_exp_over_sum)),
        Mistake("a scale that is written into the caller's q", _in_place, raises="RuntimeError"),
    ),
    hints=(
        "Three steps: scores as in the last exercise, a softmax, a product with v. Over which axis must the "
        "weights of one query sum to one?",
        "Hide before the softmax, with a number that no score can outweigh. Then ask what a softmax makes of a row "
        "in which everything is hidden.",
        "`scores.masked_fill(~keep, -math.inf).softmax(-1)`, and once more `.masked_fill(~keep, 0.0)` on the "
        "weights: that turns the NaN of an empty row into zeros, its gradient too.",
    ),
    explanation=(
        "The output of a query is a weighted average of the values, so it can never leave the span of what it may see. "
        "Hidden entries must be -inf before the softmax: any finite number is only a strong opinion. And a row with "
        "nothing to see has no average at all; zero is the convention that adds nothing further down."
    ),
    better=(
        "`F.scaled_dot_product_attention(q, k, v, attn_mask=keep)` never forms the T_q × T_k weights in memory, "
        "which is most of the time and nearly all of the memory on long inputs. It cannot show you the weights for "
        "the same reason."
    ),
)
