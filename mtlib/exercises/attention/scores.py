"""attention.scores: one scaled dot product for every query and every key."""

import math

from torch import Tensor

from mtlib.grading.draw import DTYPES, Draw
from mtlib.grading.exercise import Exercise, Mistake, Property
from mtlib.grading.judge import equals, leaves_inputs


def reference(q: Tensor, k: Tensor) -> Tensor:
    return q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])


def pair(d: Draw) -> dict:
    """A matrix of queries and one of keys."""
    d_k = d.size(rough=80)
    return {"q": d.floats(d.size(), d_k), "k": d.floats(d.size(), d_k)}


def stack(d: Draw) -> dict:
    """The same under any number of leading axes, in both dtypes."""
    lead, d_k, dtype = d.lead(3), d.size(), d.pick(*DTYPES)
    return {"q": d.floats(*lead, d.size(), d_k, dtype=dtype), "k": d.floats(*lead, d.size(), d_k, dtype=dtype)}


def largest(q: Tensor, k: Tensor) -> float:
    """The largest score before the division, by which rounding is measured."""
    return float((q @ k.transpose(-2, -1)).abs().max())


def _by_the_wrong_axis(q: Tensor, k: Tensor) -> Tensor:
    return q @ k.transpose(-2, -1) / math.sqrt(k.shape[-2])


EXERCISE = Exercise(
    id="attention.scores",
    title="A score for every pair",
    answers=("scores",),
    minutes=10,
    read=("s-scores", "s-scaling"),
    properties=(
        Property(
            "values",
            4,
            "entry (i, j) is the dot product of query i and key j, over √d_k",
            pair,
            equals(reference, largest),
        ),
        Property(
            "leading axes", 3, "batch and head axes pass through, and the dtype too", stack, equals(reference, largest)
        ),
        Property(
            "inputs unchanged", 1, "q and k are afterwards what they were", stack, leaves_inputs(reference), tries=20
        ),
    ),
    mistakes=(
        Mistake("the plain dot product, without the division by √d_k", lambda q, k: q @ k.transpose(-2, -1)),
        Mistake("division by d_k, not by its square root", lambda q, k: q @ k.transpose(-2, -1) / q.shape[-1]),
        Mistake("a scale fixed at 8: that is √d_k only for d_k = 64", lambda q, k: q @ k.transpose(-2, -1) / 8),
        Mistake("multiplication by √d_k, not division", lambda q, k: q @ k.transpose(-2, -1) * math.sqrt(q.shape[-1])),
        Mistake("division by the root of the number of keys, not of their width", _by_the_wrong_axis),
        Mistake("k qᵀ, whose entry (i, j) is key i with query j: queries make the rows", lambda q, k: reference(k, q)),
        Mistake(
            "a `.T` that turns all axes around, where only the last two should swap",
            lambda q, k: q @ k.T / math.sqrt(q.shape[-1]),
            raises="RuntimeError",
        ),
        Mistake(
            "a division that changes q in place, so that the caller's q is scaled too",
            lambda q, k: q.div_(math.sqrt(q.shape[-1])) @ k.mT,
        ),
    ),
    hints=(
        "Row i belongs to query i, column j to key j. Which axis do the two matrices share, and where must it stand?",
        "Swap the last two axes of k, whatever stands before them, and multiply. Then think of the width of a key.",
        "`k.transpose(-2, -1)` leaves the leading axes alone; the number to divide by is `math.sqrt(q.shape[-1])`.",
    ),
    explanation=(
        "Each entry is one dot product. If the components of q and k are independent with mean 0 and variance 1, "
        "a dot product of d_k of them has variance d_k; over √d_k it has variance 1 at any width, so that the "
        "softmax after it is neither flat nor saturated at the start of training."
    ),
    better=(
        "Scale q before the product, `(q * d_k ** -0.5) @ k.mT`: T_q·d_k multiplications in place of T_q·T_k, "
        "which is less work once the sequence is longer than a head is wide, and keeps float16 from overflowing."
    ),
)
