"""interpretability.entropy: how widely each head looks."""

import math

import torch
from torch import Tensor

from mtlib.grading.draw import DTYPES, Draw
from mtlib.grading.exercise import Exercise, Mistake, Property
from mtlib.grading.judge import equals, leaves_inputs


def reference(weights: Tensor) -> Tensor:
    return variant()(weights)


def surprise(w: Tensor) -> Tensor:
    """w log w, with its limit 0 at 0."""
    return torch.where(w > 0, w * torch.where(w > 0, w, 1.0).log(), 0.0)


def variant(each=surprise, keys=lambda x: -x.sum(-1), rest=lambda x: x.mean((0, 2))):
    """Entropy with a step changed: each key's part, the sum over keys, the mean over batch and queries."""
    return lambda weights: rest(keys(each(weights)))


def _sizes(d: Draw) -> tuple[int, int, int, int]:
    return d.size(high=2, rough=3), d.size(high=3, rough=4), d.size(high=3, rough=6), d.size(high=4, rough=9)


def _shares(d: Draw, counts: Tensor) -> Tensor:
    counts = counts.to(d.pick(*DTYPES))
    return counts / counts.sum(-1, keepdim=True)


def positive(d: Draw) -> dict:
    """Simple fractions when plain, every key above 0."""
    sizes = _sizes(d)
    if d.rough:
        return {"weights": d.floats(*sizes, dtype=d.pick(*DTYPES), spread=2.0).softmax(-1)}
    return {"weights": _shares(d, d.integers(*sizes, low=1, high=4))}


def with_zeros(d: Draw) -> dict:
    """Some keys get nothing at all, as under a mask."""
    counts = d.integers(*_sizes(d), high=3)
    counts[..., 0] += counts.sum(-1) == 0
    return {"weights": _shares(d, counts)}


def even(d: Draw) -> dict:
    sizes = _sizes(d)
    return {"weights": torch.full(sizes, 1 / sizes[-1], dtype=d.pick(*DTYPES))}


def on_one_key(d: Draw) -> dict:
    *lead, T_k = _sizes(d)
    at = d.integers(*lead, high=T_k - 1)
    return {"weights": torch.nn.functional.one_hot(at, T_k).to(d.pick(*DTYPES))}


def generous(weights: Tensor) -> float:
    """Adding 1e-9 before the logarithm is no mistake worth a point."""
    return 200.0 if weights.dtype == torch.float64 else 1.0


def _raw(w: Tensor) -> Tensor:
    return w * w.log()


EXERCISE = Exercise(
    id="interpretability.entropy",
    title="How widely a head looks",
    answers=("attention_entropy",),
    minutes=10,
    read=("s-interp-heads", "entropy-kl"),
    properties=(
        Property("values", 3, "−Σ w log w over the keys, the mean of it over batch and queries", positive, equals(reference, generous)),
        Property("zeros", 3, "a key that gets nothing adds nothing, and no NaN", with_zeros, equals(reference, generous), 45),
        Property("even", 1, "equal weights give log T_k", even, equals(reference, generous), 30),
        Property("one key", 1, "all on one key gives 0", on_one_key, equals(reference, generous), 30),
        Property("inputs unchanged", 1, "the weights are afterwards what they were", with_zeros, leaves_inputs(reference), 20),
    ),
    mistakes=(
        Mistake("0 · log 0, which is NaN: its limit is 0, and under a mask half of all weights are 0", variant(each=_raw)),
        Mistake("bits: a logarithm of base 2 where nats are asked for", variant(each=lambda w: surprise(w) / math.log(2))),
        Mistake("the sign is missing: an entropy is never below 0", variant(keys=lambda x: x.sum(-1))),
        Mistake("a mean over the keys, where it is a sum", variant(keys=lambda x: -x.mean(-1))),
        Mistake("a sum over the queries, where it is a mean", variant(rest=lambda x: x.sum(2).mean(0))),
        Mistake("a sum over the batch, where it is a mean", variant(rest=lambda x: x.mean(2).sum(0))),
        Mistake("one number for each text and head: the batch is averaged too", variant(rest=lambda x: x.mean(2))),
        Mistake("one number for all heads together: they are what is to be told apart", variant(rest=lambda x: x.mean())),
        Mistake("the entropy of the mean row: rows that look sharply at different places would seem to look everywhere",
                lambda weights: -surprise(weights.mean((0, 2))).sum(-1)),
        Mistake("e to the entropy, the number of keys it is worth: the entropy itself is asked for",
                lambda weights: reference(weights).exp()),
        Mistake("the share of log T_k: nats are asked for", lambda weights: reference(weights) / max(math.log(weights.size(-1)), 1e-9)),
        Mistake("a softmax of weights that have been through one", lambda weights: reference(weights.softmax(-1))),
        Mistake("a sum over the queries' axis in place of the keys'",
                lambda weights: -surprise(weights).sum(2).mean((0, 2))),
        Mistake("−Σ log w, without its weight w", variant(each=lambda w: torch.where(w > 0, w, 1.0).log())),
    ),
    hints=(
        "One row of weights first: −Σ w log w. What is 0 · log 0 in floats, and what should it be?",
        "`torch.xlogy(w, w)` is w log w with 0 at 0. Then a sum over one axis and a mean over two: which ones are left when only H "
        "may remain?",
        "`-torch.xlogy(weights, weights).sum(-1).mean((0, 2))`.",
    ),
    explanation=(
        "e to this number is how many keys, equally weighted, would look as wide: 1 for a head that always picks one, T_k for one "
        "that averages. It says how widely a head looks and nothing of where, or of what comes of it; the first and last row of a "
        "causal pattern have different room, too, so compare heads on the same text."
    ),
    better=(
        "`torch.special.entr(weights)` is −w log w in one call. Under a causal mask, divide each row by the log of the number of keys "
        "that it may see, from the second on, if rows are to count alike."
    ),
)
