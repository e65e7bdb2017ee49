"""Arguments checked at the door, those that only recurrent models have; see mtlib/_check.py."""

import torch
from jaxtyping import Bool
from torch import Tensor

from .. import _check


def same_batch(**tensors: Tensor) -> None:
    """Two tensors of as many rows: ``same_batch(query=query, keys=keys)``."""
    (one, a), (other, b) = tensors.items()
    if a.size(0) != b.size(0):
        raise ValueError(f"{one} is a batch of {a.size(0)} and {other} of {b.size(0)}; they must be equal")


def vectors(x: Tensor, name: str, weight: Tensor) -> None:
    """x is (B, D) with the D, dtype and device of `weight` (…, D)."""
    width = weight.size(-1)
    _check.tensor(x, name, f"(B, {width})")
    if x.dim() != 2 or x.size(-1) != width:
        raise ValueError(f"{name} has shape {tuple(x.shape)}; it must be (B, {width}): batch, width")
    _check.tokens(x[:, None], name, weight)


def sequence(x: Tensor, name: str, weight: Tensor) -> None:
    """x is (B, T, D) with T >= 1 and the D, dtype and device of `weight` (…, D)."""
    _check.tokens(x, name, weight)
    if x.size(1) == 0:
        raise ValueError(f"{name} has shape {tuple(x.shape)}; there must be at least one position")


def positions_kept(
    keep: Tensor | None, x: Tensor, *, before: int = 0, name: str = "keep"
) -> Bool[Tensor, "B T"] | None:
    """keep as (B, T) for the T positions of x (B, T, …), of which `before` came earlier.

    Taken are (B, T) and padding_keep's (B, 1, 1, T); wider by `before` where the ones that
    are in the cache are still listed, as attention's keys are.
    """
    if keep is None:
        return None
    (B, T), shape = x.shape[:2], f"{tuple(x.shape[:2])} or {(x.size(0), 1, 1, x.size(1))}"
    _check.tensor(keep, name, shape)
    if keep.dtype != torch.bool:
        raise TypeError(f"{name} is {keep.dtype}; it must be torch.bool, where True means is read")
    flat = keep[:, 0, 0] if keep.dim() == 4 and keep.shape[1:3] == (1, 1) else keep
    if flat.dim() != 2 or flat.size(0) != B or flat.size(1) not in (T, before + T):
        raise ValueError(f"{name} has shape {tuple(keep.shape)}; it must be {shape}: a batch, and its positions")
    if flat.device != x.device:
        raise ValueError(f"{name} is on {flat.device} and the input on {x.device}; move one of them")
    return flat[:, -T:]
