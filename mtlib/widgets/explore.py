"""One control, two hosts.

`explore(draw, temperature=(0.1, 3.0))` shows the figure that `draw(temperature=...)` returns, with one
control per keyword. In a live notebook the controls are ipywidgets and Python redraws on every move.
In the book's build (`MTLIB_STATIC=1` in the kernel's environment) every frame is drawn once and a
small script in the page shows the one that was asked for: no kernel, no network.
"""

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from .controls import read_controls

if TYPE_CHECKING:
    from ipywidgets import VBox

    from .static import StaticControl

_MOST_FRAMES = 400


def explore(
    draw: Callable,
    *,
    alt: str | Callable,
    ask: str,
    start: dict | None = None,
    labels: dict | None = None,
    **controls: object,
) -> "StaticControl | VBox":
    """Show `draw(**values)` with one control per keyword.

    Args:
        draw: takes one value per control and returns a matplotlib figure; `mt.plot.canvas` makes fast
            ones. It must depend on its arguments alone: seed what is random inside it.
        alt: one sentence that says what this setting shows, with its numbers, or a function of the
            values that returns it. It is printed under the picture, read out when it changes, and is
            the picture's text alternative.
        ask: the question to answer before touching anything; it stands above the control.
        start: the first value of a control, where it is not the middle of a slider or the first of a list.
        labels: what stands beside a control, where it is not its keyword.
        controls: `(low, high)` or `(low, high, n)` is a slider with even stops, whole ones when both
            ends are whole; a list of numbers is a slider over these; a list of words a drop-down;
            `bool` a checkbox.

    Raises:
        ValueError: a control that cannot be read, a start that is no stop, an empty `ask` or `alt`,
            more than 400 frames.
        TypeError: when `draw` returns something else than a figure.

    >>> import mtlib as mt
    >>> def draw(slope):
    ...     fig, ax = mt.plot.canvas()
    ...     ax.plot([0, 1], [0, slope])
    ...     return fig
    >>> control = mt.widgets.explore(
    ...     draw, slope=(0.0, 2.0, 5), ask="How steep is 2?", alt=lambda slope: f"A line of slope {slope:g}.")
    """
    if not ask.strip():
        raise ValueError("ask is empty: give the question that the reader answers before touching the control")
    fields = read_controls(controls, start or {}, labels or {})
    frames = 1
    for field in fields:
        frames *= len(field.values)
    if frames > _MOST_FRAMES:
        sizes = " x ".join(f"{field.name} {len(field.values)}" for field in fields)
        raise ValueError(f"{sizes} = {frames} frames, above {_MOST_FRAMES}: give a control fewer stops")

    def frame(values, labelled_by=None):
        """One setting as (svg, what it says). The picture is named by what it says, or by an element."""
        says = alt(**values) if callable(alt) else alt
        if not says.strip():
            raise ValueError(f"alt is empty at {values}: say in one sentence what this setting shows")
        return _svg(draw(**values), says, labelled_by), " ".join(says.split())

    if os.environ.get("MTLIB_STATIC") == "1":
        from .static import StaticControl

        return StaticControl(frame, fields, ask)
    from .live import live_control

    return live_control(frame, fields, ask)


def _svg(fig, says, labelled_by) -> str:
    from ..plot import to_svg

    if not hasattr(fig, "draw") or not hasattr(fig, "get_size_inches"):
        raise TypeError(f"draw returned {type(fig).__name__}, not a matplotlib figure: end it with `return fig`")
    return to_svg(fig, alt=says, labelled_by=labelled_by)
