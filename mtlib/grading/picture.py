"""A failing case as a picture: yours, expected and their difference, as heat maps side by side."""

from typing import Any

import torch
from torch import Tensor

from .run import Report

MOST = 24  # cells along an axis; a larger picture shows a corner of it
_WRITTEN = 6  # up to this many cells along an axis carry their numbers


def picture_of(report: Report) -> Any:
    """A figure of the smallest failing case, or None where there is nothing to lay side by side."""
    _, wrong = report.failure
    if type(wrong.yours) is not Tensor or type(wrong.expected) is not Tensor:
        return None
    if wrong.yours.is_complex() or 0 in (*wrong.yours.shape, *wrong.expected.shape):
        return None
    from mtlib import plot

    yours, expected, where = _matrices(wrong.yours, wrong.expected)
    if yours.shape == expected.shape and torch.equal(yours, expected):
        return None  # another dtype, or axes of size 1: two pictures that look alike explain nothing
    if wrong.yours.shape == wrong.expected.shape:
        panels = [("yours", yours), ("expected", expected), ("difference", yours - expected)]
    else:
        panels = [(f"{word} {tuple(whole.shape)}", part) for word, whole, part in
                  (("yours", wrong.yours, yours), ("expected", wrong.expected, expected))]  # fmt: skip
    finite = torch.cat([m.flatten() for _, m in panels])
    finite = finite[finite.isfinite()]
    reach = max(float(finite.abs().max()), 1e-9) if len(finite) else 1.0  # one scale, so that colours compare
    fig, axes = plot.canvas(560, 210, 1, len(panels), margins=(28, 12, 32, 28), gaps=(28, 0))
    for ax, (title, matrix) in zip(axes, panels, strict=True):
        numbers = "{:.3g}" if max(matrix.shape) <= _WRITTEN else None
        plot.heatmap(ax, matrix, numbers=numbers, low=-reach, high=reach, cmap=plot.DIVERGING)
        ax.set_title(title)
    named = f"{wrong.part}{where}, " if wrong.part and wrong.part[0] != "[" else f"the part{where}, " if where else ""
    alt = f"{report.exercise.id}, {named}smallest failing case: {wrong.sentence}."
    caption = f"{named}yours beside expected; blue is above zero, orange below."
    return plot.show(fig, alt=alt, caption=caption[0].upper() + caption[1:])


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
