"""Axes that draw five times as fast as matplotlib's, for figures drawn by the hundred.

Most of a small figure's time goes into its ticks: matplotlib makes five objects a tick and measures
every label twice to find room for titles. Here one tick is a rubber stamp that is moved along the axis,
and titles and labels stand at fixed places, which a canvas with fixed margins can afford. Whatever asks
for more (minor ticks, a tick changed by hand, an offset such as 1e6) falls back to matplotlib's way.

None of this is matplotlib's public interface. What is leant on, here and in renderer.py, and why
pyproject.toml names one minor version of matplotlib:
    Axes._init_axis, Axis(axes, clear=False), Spine.register_axis    to give axes an axis class of ours
    Axis._get_shared_axis, Axis._autolabelpos                        as Axis.set_ticks and Axis.draw use them
    Axis.majorTicks (filled when read), Tick.update_position         the one tick that is our stamp
    RendererBase._draw_text_as_path                                  $math$, as an outline
"""

from collections.abc import Sequence

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import XAxis, YAxis
from matplotlib.ticker import FixedFormatter, FixedLocator, NullLocator

_LABEL_AT = 36  # px from the axis to its label, at least


class _Stamped:
    """An axis with one tick, drawn once per location."""

    def set_ticks(self, ticks, labels=None, *, minor=False, **kw):
        if minor:
            return super().set_ticks(ticks, labels, minor=True, **kw)
        ticks = list(ticks)
        if ticks:
            for axis in self._get_shared_axis():
                axis.set_view_interval(min(ticks), max(ticks))
        self.set_major_locator(FixedLocator(ticks))
        if labels is not None:
            self.set_major_formatter(FixedFormatter([str(label) for label in labels]))
        self.majorTicks[0].label1.set(**kw)
        return self.majorTicks[:1]

    def draw(self, renderer):
        stamp, *made_by_hand = self.majorTicks
        plain = isinstance(self.get_minor_locator(), NullLocator) and not self._autolabelpos
        if made_by_hand or not plain or not self.get_visible():
            return super().draw(renderer)
        locs = self.get_majorticklocs()
        texts = self.major.formatter.format_ticks(locs)
        if self.major.formatter.get_offset():
            return super().draw(renderer)
        low, high = sorted(self.get_view_interval())
        slack = (high - low) * 1e-9
        for loc, text in zip(locs, texts):  # a formatter may know fewer texts than there are places
            if low - slack <= loc <= high + slack:
                stamp.update_position(loc)
                stamp.label1.set_text(text)
                stamp.label2.set_text(text)
                stamp.draw(renderer)
        self.label.draw(renderer)
        self.stale = False


class _StampedX(_Stamped, XAxis):
    pass


class _StampedY(_Stamped, YAxis):
    pass


class HouseAxes(Axes):
    """Axes with titles at the left, few ticks, images as crisp cells."""

    _cmap = None  # of images that name none; the canvas sets it

    def _init_axis(self):  # as matplotlib's own projections do
        self.xaxis, self.yaxis = _StampedX(self, clear=False), _StampedY(self, clear=False)
        for side, axis in zip(("bottom", "top", "left", "right"), (self.xaxis,) * 2 + (self.yaxis,) * 2):
            self.spines[side].register_axis(axis)

    def set_title(self, label, fontdict=None, loc="left", pad=None, *, y=1.0, **kw):
        return super().set_title(label, fontdict, loc, pad, y=y, **kw)

    def get_title(self, loc="left"):
        return super().get_title(loc)

    def imshow(self, X, cmap=None, *, interpolation="none", **kw):
        return super().imshow(X, cmap or self._cmap, interpolation=interpolation, **kw)

    def settle(self, left, bottom, cmap):
        """Fix the labels' places for margins of so many pixels, and images' colours; at most six ticks an axis."""
        self._cmap = cmap
        box = self.get_window_extent()
        self.xaxis.set_label_coords(0.5, -max(bottom - 20, 26) / box.height)
        self.yaxis.set_label_coords(-max(left - 20, _LABEL_AT) / box.width, 0.5)
        for axis in (self.xaxis, self.yaxis):
            axis.get_major_locator().set_params(nbins=5, steps=[1, 2, 2.5, 5, 10])  # still the default: words replace it


class _Words(Artist):
    """Words centred in cells; one artist, because a Text each would cost a second per figure."""

    def __init__(self, places, words, colors, size):
        super().__init__()
        self.places, self.words, self.colors, self.size = places, words, colors, size

    def draw(self, renderer):
        from matplotlib.colors import to_rgba
        from matplotlib.font_manager import FontProperties

        prop = FontProperties(size=self.size)
        fall = 0.36 * renderer.points_to_pixels(self.size)  # half the height of a digit
        _, height = renderer.get_canvas_width_height()
        gc = renderer.new_gc()
        for (x, y), word, color in zip(self.axes.transData.transform(self.places), self.words, self.colors, strict=True):
            width, _, _ = renderer.get_text_width_height_descent(word, prop, False)
            gc.set_foreground(to_rgba(color), isRGBA=True)
            renderer.draw_text(gc, x - width / 2, (height - y if renderer.flipy() else y) + fall, word, prop, 0)
        gc.restore()


def write(ax, places: Sequence, words: Sequence[str], colors: Sequence, size: float = 9) -> None:
    """Write `words[i]`, centred, at `places[i]` = (x, y) in data units; `size` in points (1.2 px)."""
    ax.add_artist(_Words(places, words, colors, size)).set_zorder(3)
