"""Attention as the checks know it: plain, one line a step, nothing fused.

The named mistakes are made of the same steps with one of them changed, so `attend` takes them as arguments.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor


def product(q: Tensor, k: Tensor) -> Tensor:
    """Dot products of every query with every key."""
    return q @ k.transpose(-2, -1)


def scaled(q: Tensor, k: Tensor) -> Tensor:
    """The same over √d_k."""
    return product(q, k) / math.sqrt(q.shape[-1])


def softmax_over_keys(scores: Tensor) -> Tensor:
    """Each query's weights."""
    return scores.softmax(-1)


def hide(scores: Tensor, keep: Tensor) -> Tensor:
    """-inf where a query may not look."""
    return scores.masked_fill(~keep, -math.inf)


def drop(weights: Tensor, keep: Tensor) -> Tensor:
    """0 where a query may not look: softmax leaves NaN in a row with nothing kept, and this takes it away."""
    return weights.masked_fill(~keep, 0.0)


def attend(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    keep: Tensor | None = None,
    *,
    score: Callable = scaled,
    hide: Callable = hide,
    soften: Callable = softmax_over_keys,
    drop: Callable = drop,
) -> tuple[Tensor, Tensor]:
    """(out, weights) of scaled dot-product attention; a query with nothing kept gets zeros."""
    scores = score(q, k)
    if keep is not None:
        scores = hide(scores, keep)
    weights = soften(scores)
    if keep is not None:
        weights = drop(weights, keep)
    return weights @ v, weights


def largest(q: Tensor, k: Tensor, *_: Tensor, **__: Tensor) -> float:
    """The largest dot product, by which rounding is measured."""
    return float(product(q, k).abs().max())


# The steps as they go wrong.


def inverted(scores: Tensor, keep: Tensor) -> Tensor:
    """True taken for "may not look"."""
    return scores.masked_fill(keep, -math.inf)


def filled_with(number: float | None) -> Callable:
    """A finite number in place of -inf; None for the least that the dtype holds."""
    return lambda scores, keep: scores.masked_fill(~keep, torch.finfo(scores.dtype).min if number is None else number)


def untouched(values: Tensor, keep: Tensor) -> Tensor:
    """A step left out."""
    return values


def softmax_over_queries(scores: Tensor) -> Tensor:
    """The wrong axis."""
    return scores.softmax(-2)
