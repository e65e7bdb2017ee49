"""architecture.retrieval: attention as a dictionary, from an average of all to the one that fits."""

import torch
from torch import Tensor

from mtlib.grading.exercise import Exercise, Mistake, Property
from mtlib.grading.judge import equals, leaves_inputs

from .keys import at_zero, close_calls, cold, far, ties, warm


def reference(keys: Tensor, values: Tensor, query: Tensor, t: float) -> Tensor:
    return variant()(keys, values, query, t)


def alike(keys: Tensor, query: Tensor) -> Tensor:
    return keys @ query


def over(scores: Tensor, t: float) -> Tensor:
    return scores / t


def mean_of_the_best(scores: Tensor) -> Tensor:
    best = (scores == scores.max()).to(scores.dtype)
    return best / best.sum()


def variant(score=alike, heat=over, share=lambda s: s.softmax(0), frozen=mean_of_the_best):
    """The lookup with a step changed: the scores, what t does to them, the shares they get, the shares at t = 0."""

    def lookup(keys: Tensor, values: Tensor, query: Tensor, t: float) -> Tensor:
        scores = score(keys, query)
        return (frozen(scores) if t == 0 else share(heat(scores, t))) @ values

    return lookup


def largest(keys: Tensor, values: Tensor, query: Tensor, t: float) -> float:
    """Rounding grows with the scores, where they are not yet all or nothing."""
    return float((keys @ query).abs().max() / t)


def _bare(scores: Tensor) -> Tensor:
    e = scores.exp()
    return e / e.sum()


def _first_of_the_best(scores: Tensor) -> Tensor:
    return torch.nn.functional.one_hot(scores.argmax(), len(scores)).to(scores.dtype)


def _not_below(floor: float):
    return lambda keys, values, query, t: reference(keys, values, query, max(t, floor))


def _distances(keys: Tensor, query: Tensor) -> Tensor:
    return -(keys - query).square().sum(-1)


def _shares(keys: Tensor, values: Tensor, query: Tensor, t: float) -> Tensor:
    return reference(keys, torch.eye(len(keys), dtype=keys.dtype), query, t)


def _nearly_best(scores: Tensor) -> Tensor:
    best = (scores > scores.max() - 0.01).to(scores.dtype)
    return best / best.sum()


def _in_place(keys: Tensor, values: Tensor, query: Tensor, t: float) -> Tensor:
    out = reference(keys, values, query, t)
    query /= t if t else 1.0
    return out


EVERYWHERE = equals(reference)

EXERCISE = Exercise(
    id="architecture.retrieval",
    title="A dictionary that forgives",
    answers=("lookup",),
    minutes=15,
    read=("q-database",),
    properties=(
        Property("values", 3, "softmax(keys @ query / t) @ values", warm, equals(reference, largest)),
        Property("cold", 2, "t = 1e-8 gives the best key's value, and no NaN", cold, EVERYWHERE, 40),
        Property("zero", 2, "t = 0 gives the best key's value", at_zero, EVERYWHERE, 40),
        Property("ties", 2, "at t = 0, keys that are equally good share", ties, EVERYWHERE, 45),
        Property("close calls", 1, "at and near 0, a lead of a 256th decides", close_calls, EVERYWHERE, 30),
        Property("far", 1, "a query thousands long overflows nothing", far, EVERYWHERE, 30),
        Property("inputs unchanged", 1, "keys, values and query are afterwards what they were", warm, leaves_inputs(reference), 20),
    ),
    mistakes=(
        Mistake("scores times t: a small t must make differences large", variant(heat=lambda s, t: s * t)),
        Mistake("a lookup without its temperature", variant(heat=lambda s, t: s)),
        Mistake("a division by √D besides: the keys have length 1, and t alone sets the scale",
                variant(lambda k, q: k @ q / len(q) ** 0.5)),
        Mistake("a query brought to length 1: a longer query is a surer one",
                variant(lambda k, q: k @ q / q.norm().clamp(min=1e-12))),
        Mistake("minus the squared distance for a score: with keys of length 1 that is the dot product doubled",
                variant(_distances)),
        Mistake("a hard lookup at every temperature", variant(share=mean_of_the_best)),
        Mistake("e to the scores, not made to add up to 1", variant(share=lambda s: (s - s.max()).exp())),
        Mistake("exp over its sum and no more: e to the 89th is infinite in float32, and inf over inf is NaN",
                variant(share=_bare)),
        Mistake("a division by t = 0: scores of inf, and of 0 / 0", variant(frozen=lambda s: (s / 0.0).softmax(0))),
        Mistake("the first of the best at t = 0: equally good keys share", variant(frozen=_first_of_the_best)),
        Mistake("the sum of the best keys' values at t = 0, where it is their mean",
                variant(frozen=lambda s: (s == s.max()).to(s.dtype))),
        Mistake("the mean of all values at t = 0: that is the other end, t = ∞",
                variant(frozen=lambda s: torch.full_like(s, 1 / len(s)))),
        Mistake("zeros at t = 0, as if nothing had been found", variant(frozen=torch.zeros_like)),
        Mistake("a t that never falls below 0.01: a lead of a 256th does not decide there", _not_below(0.01)),
        Mistake("everything within a hundredth of the best taken for the best at t = 0", variant(frozen=_nearly_best)),
        Mistake("the shares; the values they weigh are asked for", _shares),
        Mistake("the keys averaged, in place of the values",
                lambda keys, values, query, t: reference(keys, keys, query, t)),
        Mistake("a query divided in place, so that the caller's is changed", _in_place),
    ),
    hints=(
        "It is one head of attention for one query, with t in √d_k's place. That leaves t = 0, where there is nothing"
        " to divide by: what do the shares become as t falls?",
        "The best key gets all. If three are equally good, their scores are equal at every t, so each keeps a third, "
        "down to 0. For t = 1e-8 subtract the largest score before exp, as softmax does by itself.",
        "`best = (scores == scores.max()).to(values.dtype)`; at t = 0 return `best @ values / best.sum()`, else "
        "`torch.softmax(scores / t, 0) @ values`.",
    ),
    explanation=(
        "A dictionary is attention at t = 0 over distinct keys of one length. Lengths matter: give one key twice the "
        "length, and it wins queries that are meant for its neighbours. What the temperature buys is a slope: at t = "
        "0 the answer jumps, and a jump has no gradient to learn by."
    ),
    better=(
        "Many queries at once: `torch.softmax(queries @ keys.T / t, -1) @ values`, which is "
        "`scaled_dot_product_attention` with scale 1 / t. Over millions of keys nobody computes every score: an index"
        " finds the few nearest first, and the softmax is taken over those."
    ),
)
