"""inference.temperature: logits into probabilities, sharper or flatter."""

import math

import torch.nn.functional as F
from torch import Tensor

from mtlib.grading.draw import DTYPES, Draw
from mtlib.grading.exercise import Exercise, Mistake, Property
from mtlib.grading.judge import equals, leaves_inputs, refuses


def reference(logits: Tensor, t: float) -> Tensor:
    return variant()(logits, t)


def first_of_equals(logits: Tensor) -> Tensor:
    return F.one_hot(logits.argmax(-1), logits.size(-1)).to(logits.dtype)


def divided(logits: Tensor, t: float) -> Tensor:
    return (logits / t).softmax(-1)


def variant(shares=divided, at_zero=first_of_equals, lowest=0.0):
    """Temperature with a step changed: the shares, what happens at 0, which t are refused."""

    def temperature(logits: Tensor, t: float) -> Tensor:
        if t < lowest:
            raise ValueError(f"t={t} must be at least 0")
        return at_zero(logits) if t == 0 and at_zero else shares(logits, t)

    return temperature


def _shape(d: Draw) -> tuple[int, ...]:
    return (*d.lead(), d.size(rough=9))


def _steps(d: Draw) -> Tensor:
    """Logits that are equal or at least a half apart."""
    return d.integers(*_shape(d), low=-3, high=3).to(d.pick(*DTYPES)) / 2


def values(d: Draw) -> dict:
    logits = d.floats(*_shape(d), dtype=d.pick(*DTYPES), spread=3.0)
    return {"logits": logits, "t": d.pick(1.0, 0.5, 2.0, 0.7, 10.0, 0.1)}


def zero(d: Draw) -> dict:
    """Many of them equal, so that the maximum stands there more than once."""
    return {"logits": _steps(d) * d.pick(1, 1000), "t": 0.0}


def tiny(d: Draw) -> dict:
    return {"logits": _steps(d) * d.pick(1, 1000), "t": d.pick(1e-8, 1e-6)}


def with_minus_infinity(d: Draw) -> dict:
    """Some entries are −inf, as another rule leaves them; every slice has a finite one."""
    logits = _steps(d)
    return {"logits": logits.masked_fill(~d.keep(*logits.shape), -math.inf), "t": d.pick(1.0, 0.5, 0.0, 1e-8)}


def negative(d: Draw) -> dict:
    return values(d) | {"t": d.pick(-1.0, -0.5, -2.0, -0.01)}


def largest(logits: Tensor, t: float) -> float:
    """The largest quotient, by which rounding is measured."""
    return max(1.0, float(logits.abs().max()) / t)


def _raw(logits: Tensor, t: float) -> Tensor:
    e = (logits / t).exp()
    return e / e.sum(-1, keepdim=True)


def _about_the_mean(logits: Tensor, t: float) -> Tensor:
    return ((logits - logits.mean(-1, keepdim=True)) / t).softmax(-1)


def _in_place(logits: Tensor, t: float) -> Tensor:
    if t < 0:
        raise ValueError
    if t == 0:
        return first_of_equals(logits)
    logits /= t
    return logits.softmax(-1)


def _last_of_equals(logits: Tensor) -> Tensor:
    return first_of_equals(logits.flip(-1)).flip(-1)


def _shared(logits: Tensor) -> Tensor:
    best = (logits == logits.amax(-1, keepdim=True)).to(logits.dtype)
    return best / best.sum(-1, keepdim=True)


EXERCISE = Exercise(
    id="inference.temperature",
    title="Sharper, flatter",
    answers=("temperature",),
    minutes=10,
    read=("decoding-rules",),
    properties=(
        Property("values", 3, "softmax over the last axis of the logits divided by t", values, equals(reference, largest)),
        Property("zero", 2, "t = 0 puts all on the maximum, of equal ones on the first", zero, equals(reference), 40),
        Property("tiny", 2, "t = 1e-8 gives no NaN, and equal maxima share", tiny, equals(reference), 40),
        Property("minus infinity", 1, "a logit of −inf gets exactly 0, at every t", with_minus_infinity, equals(reference), 40),
        Property("refusal", 1, "a ValueError for t < 0", negative, refuses, 20),
        Property("inputs unchanged", 1, "logits are afterwards what they were", values, leaves_inputs(reference), 20),
    ),
    mistakes=(
        Mistake("logits times t: then a high temperature sharpens", variant(shares=lambda x, t: (x * t).softmax(-1))),
        Mistake("a softmax without t", variant(shares=lambda x, t: x.softmax(-1))),
        Mistake("a softmax, and its result divided by t: the shares no longer make 1", variant(shares=lambda x, t: x.softmax(-1) / t)),
        Mistake("the logarithm of the probabilities", variant(shares=lambda x, t: (x / t).log_softmax(-1))),
        Mistake("a softmax along the first axis; the vocabulary is the last", variant(shares=lambda x, t: (x / t).softmax(0))),
        Mistake("no case of its own for t = 0: a division by 0 gives inf and NaN", variant(at_zero=None)),
        Mistake("at t = 0 shares for all equal maxima: it is the first of them that gets everything", variant(at_zero=_shared)),
        Mistake("at t = 0 the last of equal maxima: the first is asked for", variant(at_zero=_last_of_equals)),
        Mistake("a small number added to t so that it is never 0: then equal maxima share, and every t is a little off",
                variant(shares=lambda x, t: divided(x, t + 1e-3), at_zero=None)),
        Mistake("exp over its sum and no more: divided by a small t, logits overflow to inf, and inf over inf is NaN",
                variant(shares=_raw)),
        Mistake("the mean taken off first: with a −inf among the logits the mean is −inf too, and everything is NaN",
                variant(shares=_about_the_mean)),
        Mistake("a negative t let through: it turns the order round, and the unlikeliest comes first", variant(lowest=-math.inf)),
        Mistake("a division in place: the caller's logits are afterwards others", _in_place),
    ),
    hints=(
        "Two cases and a refusal. For t above 0 there is one division and one softmax. Why can t = 0 not be one of them?",
        "At t = 0 the division has no answer: make the row of zeros with a single 1 by hand. `argmax(-1)` gives the place of the "
        "maximum, and of equal ones the first.",
        "`F.one_hot(logits.argmax(-1), logits.shape[-1]).to(logits.dtype)` for t = 0, else `(logits / t).softmax(-1)`.",
    ),
    explanation=(
        "Dividing by t stretches the differences between logits, and only differences count. As t goes to 0 the largest takes all; "
        "as t grows all shares become equal, those of -inf left out. At exactly 0 it is argmax, with a rule for ties of its own: that is greedy decoding, so a "
        "program needs no second function for it."
    ),
    better=(
        "Subtract the maximum before you divide: `(logits - logits.amax(-1, keepdim=True)) / t` can only run to −inf, also in half "
        "precision, where 10,000 / 0.1 is already too large. `mtlib.generation.temperature` does so."
    ),
)
