"""Rows to normalise, for both norms: ordinary, alike, of zeros, and so small that eps decides."""

import torch
from torch import Tensor

from mtlib.grading.draw import DTYPES, Draw

EPS = (1e-5, 1e-3, 1e-8, 1.0)


def learned(d: Draw, D: int, dtype: torch.dtype, names: tuple[str, ...]) -> dict:
    """gain, and bias where there is one: (D,) each."""
    return {name: d.floats(D, dtype=dtype) for name in names}


def plain(d: Draw, names: tuple[str, ...], lead: tuple[int, ...] | None = None) -> dict:
    """x (…, D), the learned vectors after it, and eps left to its default."""
    dtype, D = d.pick(*DTYPES), d.size(low=2)
    lead = (d.size(rough=6),) if lead is None else lead
    return {"x": d.floats(*lead, D, dtype=dtype), **learned(d, D, dtype, names)}


def tiny(d: Draw, names: tuple[str, ...], eps: tuple[float, ...] = EPS) -> dict:
    """Rows of thousandths, in float64, and an eps that is passed."""
    D = d.size(low=2)
    x = d.floats(d.size(rough=6), D, dtype=torch.float64) / 1000
    return {"x": x, **learned(d, D, torch.float64, names), "eps": d.pick(*eps)}


def alike(d: Draw, names: tuple[str, ...], eps: tuple[float, ...] = EPS) -> dict:
    """Rows in which every number is the same small whole one."""
    D = d.size(rough=12)
    rows = d.integers(d.size(rough=6), 1, low=-4, high=4).float()
    return {"x": rows.expand(-1, D).clone(), **learned(d, D, torch.float32, names), "eps": d.pick(*eps)}


def of_zeros(d: Draw, names: tuple[str, ...], eps: tuple[float, ...] = EPS) -> dict:
    """At least one row of nothing but zeros."""
    case = plain(d, names) | {"eps": d.pick(*eps)}
    case["x"][0] = 0
    return case


def mean(x: Tensor) -> Tensor:
    """Of each row."""
    return x.mean(-1, keepdim=True)


def mean_square(x: Tensor) -> Tensor:
    """Of each row: its variance, if its mean is 0."""
    return mean(x * x)


def divided(off: Tensor, spread: Tensor, eps: float) -> Tensor:
    """The rows over the root of their spread and eps."""
    return off / (spread + eps).sqrt()
