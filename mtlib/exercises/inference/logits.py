"""Rows of logits for the rules that take tokens out, and what goes wrong in all of them when they do."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from mtlib.grading.draw import DTYPES, Draw
from mtlib.grading.exercise import Mistake


def _shape(d: Draw) -> tuple[int, ...]:
    return (*d.lead(), d.size(high=5, rough=12))


def any_logits(d: Draw) -> Tensor:
    """One row or a batch of them, ties and all."""
    return d.floats(*_shape(d), dtype=d.pick(*DTYPES), spread=2.0)


def all_different(d: Draw) -> Tensor:
    """No two logits of a row are equal."""
    x = d.floats(*_shape(d), dtype=d.pick(*DTYPES), spread=2.0)
    return x if d.rough else x.argsort(dim=-1, stable=True).argsort(-1).to(x.dtype)


def tied(d: Draw) -> Tensor:
    """Two or three different logits, most of them several times."""
    return d.integers(*_shape(d), high=d.whole(1, 2)).to(d.pick(*DTYPES))


def wrong_endings(right: Callable[[Tensor, float], Tensor]) -> tuple[Mistake, ...]:
    """The right tokens are found; what is then done with them is wrong."""

    def gone(logits: Tensor, x: float) -> Tensor:
        return right(logits, x) == -math.inf

    return (
        Mistake("a large negative number where −inf is asked for: only −inf says for certain that a token is out",
                lambda logits, x: logits.masked_fill(gone(logits, x), -1e9)),
        Mistake("the wrong half: what should stay is out, and what should be out stays",
                lambda logits, x: logits.masked_fill(~gone(logits, x), -math.inf)),
        Mistake("a change in place: the caller's logits are afterwards others",
                lambda logits, x: logits.masked_fill_(gone(logits, x), -math.inf)),
    )


def in_one_row(rule: Callable[[Tensor, float], Tensor]) -> Callable[[Tensor, float], Tensor]:
    """The rule over the whole batch, as if it were one row."""
    return lambda logits, x: rule(logits.flatten(), x).reshape(logits.shape)


def before_each(logits: Tensor) -> Tensor:
    """From the likeliest down, how much the tokens before each one weigh, in float64."""
    shares = logits.double().sort(dim=-1, descending=True).values.softmax(-1)
    return shares.cumsum(-1) - shares


def chosen_clear(d: Draw, far: Callable[[float], bool]) -> float:
    """A number between 0 and 1 that is far enough from every edge; 0 where none of many is."""
    numbers = (0.5, 0.9, 0.3, 0.1, 0.75, 0.99, 0.05, 0.437, 0.613, 0.871, 0.219)
    first = d.whole(0, len(numbers) - 1)
    return next((p for p in (*numbers[first:], *numbers[:first]) if far(p)), 0.0)


def apart(edges: Tensor, p: float) -> bool:
    """Whether p is clear of every edge."""
    return bool(((edges - p).abs() > 1e-4).all()) if edges.numel() else True


def largest(logits: Tensor, **_: float) -> float:
    """The largest finite logit, by which rounding is measured."""
    return max(1.0, float(logits[torch.isfinite(logits)].abs().max()))
