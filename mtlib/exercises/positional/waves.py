"""What the references of this topic share: frequencies, and the table of waves."""

import torch
from torch import Tensor


def even(d_model: int) -> None:
    if d_model % 2:
        raise ValueError(f"d_model={d_model} must be even: columns come in pairs, a sin and a cos")


def frequencies(d_model: int, base: float) -> Tensor:
    """One for each pair of columns, from 1 down; float64."""
    return base ** (-torch.arange(0, d_model, 2, dtype=torch.float64) / d_model)


def interleaved(sines: Tensor, cosines: Tensor) -> Tensor:
    """(…, half) twice -> (…, D): sin, cos, sin, cos, …"""
    return torch.stack([sines, cosines], dim=-1).flatten(-2)


def table(T: int, d_model: int, base: float = 10_000.0) -> Tensor:
    """(T, D) float64, the positional table of 2017."""
    even(d_model)
    angles = torch.arange(T, dtype=torch.float64)[:, None] * frequencies(d_model, base)
    return interleaved(angles.sin(), angles.cos())
