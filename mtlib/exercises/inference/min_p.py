"""inference.min_p: what is at least a share p as likely as the likeliest stays."""

import math
from functools import partial

from torch import Tensor

from mtlib.grading.draw import Draw
from mtlib.grading.exercise import Exercise, Mistake, Property
from mtlib.grading.judge import equals, leaves_inputs

from .logits import any_logits, apart, chosen_clear, in_one_row, tied, wrong_endings


def reference(logits: Tensor, p: float) -> Tensor:
    return variant()(logits, p)


def beside_the_largest(logits: Tensor) -> Tensor:
    """Each token's probability over the largest."""
    return (logits - logits.amax(-1, keepdim=True)).exp()


def variant(measure=beside_the_largest, out=lambda ratio, p: ratio < p):
    """Min-p with a step changed: what is measured, and when it is too little."""
    return lambda logits, p: logits.masked_fill(out(measure(logits), p), -math.inf)


def _clear(d: Draw, logits: Tensor) -> dict:
    """With a p that no ratio comes near."""
    return {"logits": logits, "p": chosen_clear(d, partial(apart, beside_the_largest(logits.double())))}


def values(d: Draw) -> dict:
    return _clear(d, any_logits(d))


def none_out(d: Draw) -> dict:
    """p = 0, some tokens so unlikely that their share rounds to 0."""
    return {"logits": any_logits(d) * d.pick(1, 30, 300), "p": 0.0}


def equals_of_the_best(d: Draw) -> dict:
    return {"logits": tied(d), "p": 1.0}


def _below_the_logit(logits: Tensor, p: float) -> Tensor:
    return logits.masked_fill(logits < p * logits.amax(-1, keepdim=True), -math.inf)


def _by_the_logarithm(logits: Tensor, p: float) -> Tensor:
    """log p, and p = 0 is an error."""
    return logits.masked_fill(logits < logits.amax(-1, keepdim=True) + math.log(p), -math.inf)


def _first_alone(logits: Tensor, p: float) -> Tensor:
    at_best = logits == logits.amax(-1, keepdim=True)
    second = at_best & (at_best.cumsum(-1) > 1)
    return reference(logits, p).masked_fill(second & (p == 1), -math.inf)


EXERCISE = Exercise(
    id="inference.min_p",
    title="Likely enough beside the likeliest",
    answers=("min_p",),
    minutes=10,
    read=("decoding-rules",),
    properties=(
        Property("values", 3, "out is what is less than p times as likely as the likeliest", values, equals(reference)),
        Property("p = 1", 2, "all equal maxima stay, and nothing else", equals_of_the_best, equals(reference), 40),
        Property("p = 0", 1, "nothing changes, however unlikely a token is", none_out, equals(reference), 30),
        Property("inputs unchanged", 1, "logits are afterwards what they were", values, leaves_inputs(reference), 20),
    ),
    mistakes=(
        Mistake("p as a threshold for the probability itself: it is a share of the largest, so a flat row keeps more",
                variant(measure=lambda x: x.softmax(-1))),
        Mistake("logits compared with p times the largest logit: it is about probabilities, and logits may be negative",
                _below_the_logit),
        Mistake("logits below the largest minus p: the ratio of two probabilities is e to the difference",
                variant(measure=lambda x: x - x.amax(-1, keepdim=True), out=lambda gap, p: gap < -p)),
        Mistake("`<=` where `<` is meant: at p = 1 not even the likeliest stays", variant(out=lambda ratio, p: ratio <= p)),
        Mistake("at p = 1 the first of equal maxima alone: they are all as likely as the likeliest", _first_alone),
        Mistake("the logarithm of p, which p = 0 does not have", _by_the_logarithm, raises="ValueError"),
        Mistake("a share of the likeliest token of the whole batch; every row has its own", lambda x, p: in_one_row(reference)(x, p)),
        *wrong_endings(reference),
    ),
    hints=(
        "The threshold moves with the row: p times the largest probability in it. What is strictly below goes.",
        "One softmax, one `amax` along the last axis with its axis kept, one comparison. The logits themselves are given back.",
        "`shares = logits.softmax(-1)`, then `logits.masked_fill(shares < p * shares.amax(-1, keepdim=True), -math.inf)`.",
    ),
    explanation=(
        "Where the model is sure, p = 0.1 leaves little beside the favourite; where it is not, everything within a tenth of the best "
        "stays. No sorting, no sum, and a threshold that a person can say: a tenth as likely as the best."
    ),
    better=(
        "The ratio of two probabilities is e to the difference of their logits, so no softmax is needed: `logits < logits.amax(-1, "
        "keepdim=True) + math.log(p)`, with a case of its own for p = 0. It is exact where probabilities round to 0."
    ),
)
