"""The house look: one canvas, eight colours, two colour maps.

Sizes are CSS pixels. A figure's resolution is fixed at 1 pt = 1.2 px, so matplotlib's own default
sizes (10 pt text, 1.5 pt lines) come out right without touching its global settings.

Ink is a role and not a colour: `INK` follows the text around the figure, so the same picture reads
on a white page, on a dark page and in print. matplotlib's plain "black" counts as ink, its plain
"white" as paper. Text that sits on a coloured cell asks `text_on` instead.

Left out: legends beside the axes (write at the line), 3-D, hatches.
"""

from functools import cache

DPI = 86.4  # 72 * 1.2

INK = "#1d2330"  # text and axes; drawn as the surrounding text's own colour
FAINT = "#8b919c"  # grid, frames, what should stay in the back

# Told apart under deuteranopia and protanopia, and 3:1 or more against white and against the dark page.
BLUE = "#2f6fb2"
ORANGE = "#d1700f"
GREEN = "#0f8f72"
RED = "#c2413a"
PURPLE = "#8a5bb8"
GREY = "#757c88"
COLORS = (BLUE, ORANGE, GREEN, PURPLE, RED, GREY)

SEQUENTIAL = "mt_sequential"  # 0 is paper, 1 is deep blue: lightness falls evenly, so print reads too
DIVERGING = "mt_diverging"  # orange below, paper at 0, blue above
_STOPS = {
    SEQUENTIAL: ["#f6f3ec", "#cfe0e8", "#93bcd8", "#5490c2", "#2a63a0", "#173c70"],
    DIVERGING: ["#7d3c05", "#c5701c", "#eab27a", "#f6f3ec", "#93bcd8", "#3f7db5", "#173c70"],
}
_LEVELS = 64  # what an eye can tell apart; four times fewer than usual is what a page must carry


@cache
def _house():
    """Register the colour maps once; the settings a canvas is made with."""
    import matplotlib as mpl
    from matplotlib.colors import LinearSegmentedColormap

    for name, stops in _STOPS.items():
        mpl.colormaps.register(LinearSegmentedColormap.from_list(name, stops, N=_LEVELS), force=True)
    return {
        "axes.edgecolor": FAINT, "axes.labelcolor": INK, "axes.titlecolor": INK, "text.color": INK,
        "xtick.color": FAINT, "ytick.color": FAINT, "xtick.labelcolor": INK, "ytick.labelcolor": INK,
        "axes.spines.top": False, "axes.spines.right": False, "axes.linewidth": 0.8,
        "axes.titlesize": 11, "axes.titlepad": 8,
        "axes.facecolor": "none", "figure.facecolor": "none", "axes.axisbelow": True,
        "grid.color": FAINT, "grid.alpha": 0.3, "grid.linewidth": 0.7,
        "xtick.major.size": 0, "ytick.major.size": 0, "xtick.major.pad": 5, "ytick.major.pad": 5,
        "axes.prop_cycle": mpl.cycler(color=COLORS), "image.cmap": SEQUENTIAL,
        "axes.formatter.useoffset": False,
    }  # fmt: skip


def canvas(width=560, height=320, rows=1, cols=1, *, margins=(56, 16, 36, 48), gaps=(36, 56), **kw):
    """A new figure in the house look: `(fig, ax)`, or `(fig, axes)` as an array when there are several.

    Args:
        width, height: CSS pixels. A phone draws any width at 375, where the 12 px text of a 560 px
            picture is 8 px: keep words few, and 600 the widest.
        rows, cols: the grid of axes. Above each other they can be narrower, and so larger on a phone;
            side by side is for what must be compared at one height.
        margins: left, right, top, bottom around all axes, CSS pixels. Fixed, because a layout engine
            measures every text on every frame: that doubles the time of a frame.
        gaps: between columns, between rows, CSS pixels.
        kw: for `Figure.subplots` (`sharex`, `sharey`, `width_ratios`, …).

    Raises:
        ValueError: when the margins and gaps leave the axes no room.

    The figure is not known to pyplot, so nothing needs closing and nothing is shown twice.

    >>> import mtlib as mt
    >>> fig, ax = mt.plot.canvas(height=200)
    >>> _ = ax.plot([0, 1, 2], [0.2, 0.5, 0.3], color=mt.plot.BLUE)
    >>> mt.plot.show(fig, alt="A line that rises to 0.5 and falls.")  # doctest: +ELLIPSIS
    <Figure: A line that rises to 0.5 and falls.>
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure

    from .axes import HouseAxes

    left, right, top, bottom = margins
    inner_w = (width - left - right - gaps[0] * (cols - 1)) / cols
    inner_h = (height - top - bottom - gaps[1] * (rows - 1)) / rows
    if min(inner_w, inner_h) < 10:
        raise ValueError(
            f"margins={margins} and gaps={gaps} leave {rows}x{cols} axes no room in {width}x{height} px"
        )
    with mpl.rc_context(_house()):
        fig = Figure((width / DPI, height / DPI), dpi=DPI)
        axes = fig.subplots(rows, cols, subplot_kw={"axes_class": HouseAxes}, **kw)
        fig.subplots_adjust(left / width, bottom / height, 1 - right / width, 1 - top / height,
                            wspace=gaps[0] / inner_w, hspace=gaps[1] / inner_h)  # fmt: skip
        for i, ax in enumerate(fig.axes):
            ax.settle(left if i % cols == 0 else 0, bottom if i >= len(fig.axes) - cols else 0, SEQUENTIAL)
    return fig, axes


def text_on(color):
    """The colour of text that reads on `color` (anything matplotlib takes), in every theme.

    >>> import mtlib as mt
    >>> mt.plot.text_on("#173c70"), mt.plot.text_on("#f6f3ec")
    ('#fefefe', '#010101')
    """
    from matplotlib.colors import to_rgb

    # Relative luminance as WCAG defines it; 0.18 is where white and black contrast alike, at 4.5.
    # Not quite white and black: those two are paper and ink here, and would turn with the theme.
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(color)]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return "#fefefe" if luminance < 0.18 else "#010101"
