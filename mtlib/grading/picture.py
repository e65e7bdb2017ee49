"""A failing case as a picture: yours, expected and their difference, as heat maps side by side."""

from typing import Any

import torch
from torch import Tensor

from .run import Report

MOST = 24  # cells along an axis; a larger picture shows a corner of it
_WRITTEN = 6  # up to this many cells along an axis carry their numbers


def picture_of(report: Report) -> Any:
    """A figure of the smallest failing case, or None where there is nothing to lay side by side."""
    wrong = report.first_failure.wrong
    if type(wrong.yours) is not Tensor or type(wrong.expected) is not Tensor:
        return None
    if 0 in (*wrong.yours.shape, *wrong.expected.shape):
        return None
    from mtlib import plot

    yours, expected, where = _matrices(wrong.yours, wrong.expected)
    panels = [("yours", yours), ("expected", expected)]
    if yours.shape == expected.shape and wrong.yours.shape == wrong.expected.shape:
        panels.append(("difference", yours - expected))
    finite = torch.cat([m.flatten() for _, m in panels])
    finite = finite[finite.isfinite()]
    reach = max(float(finite.abs().max()), 1e-9) if len(finite) else 1.0  # one scale, so that colours compare
    fig, axes = plot.canvas(560, 210, 1, len(panels), margins=(28, 12, 32, 28), gaps=(28, 0))
    for ax, (title, matrix) in zip(axes, panels, strict=True):
        numbers = "{:.3g}" if max(matrix.shape) <= _WRITTEN else None
        plot.heatmap(ax, matrix, numbers=numbers, low=-reach, high=reach, cmap=plot.DIVERGING)
        ax.set_title(title)
    named = f" of {wrong.part}" if wrong.part and wrong.part[0] != "[" else ""
    alt = f"{report.exercise.id}, smallest failing case{named}{where}: {wrong.sentence}"
    return plot.show(fig, alt=alt, caption=f"Yours beside expected{named}{where}; blue is above zero, orange below.")


def _matrices(yours: Tensor, expected: Tensor) -> tuple[Tensor, Tensor, str]:
    """Two axes of each: where leading axes are shared, the slice that differs most."""
    lead = yours.shape[:-2]
    where = ""
    if yours.shape == expected.shape and lead:
        off = (yours.double() - expected.double()).abs().nan_to_num(torch.inf, torch.inf).flatten(-2).amax(-1)
        index = torch.unravel_index(off.argmax(), off.shape)
        where = f" at [{', '.join(str(int(i)) for i in index)}]"
        yours, expected = yours[index], expected[index]
    return _flat(yours), _flat(expected), where


def _flat(tensor: Tensor) -> Tensor:
    while tensor.ndim > 2:
        tensor = tensor[0]
    return torch.atleast_2d(tensor.double())[:MOST, :MOST]
