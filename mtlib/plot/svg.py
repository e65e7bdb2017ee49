"""Figures as inline SVG: sharp, themable, small, the same bytes for the same figure."""

from contextlib import contextmanager
from html import escape

from .style import DPI

# Written on the element itself, so that a bare notebook needs no style sheet.
_FIT = "max-width:100%;height:auto;font-family:inherit"


def to_svg(fig, *, alt=None, labelled_by=None) -> str:
    """`fig` (any matplotlib figure) as one `<svg>` element, to be set into HTML.

    Args:
        alt: its text alternative; or
        labelled_by: the id of the element that holds it.

    The figure itself is left as it was. Text keeps the page's font, ink follows the page's colour,
    no id is used, so any number of pictures can share a page.

    >>> import mtlib as mt
    >>> fig, ax = mt.plot.canvas(120, 90, margins=(10, 10, 10, 10))
    >>> mt.plot.to_svg(fig, alt="Nothing yet.")[:45]
    '<svg class="mt-svg" viewBox="0 0 120 90" widt'
    """
    from .renderer import SmallSVG, number

    with _as_vectors(fig):
        width, height = (float(side) * DPI for side in fig.get_size_inches())
        renderer = SmallSVG(width, height, DPI)
        fig.draw(renderer)
    w, h = number(width), number(height)
    if labelled_by:
        name = f' role="img" aria-labelledby="{escape(labelled_by)}"'
    else:
        name = f' role="img" aria-label="{escape(alt)}"' if alt else ' aria-hidden="true"'
    return (
        f'<svg class="mt-svg" viewBox="0 0 {w} {h}" width="{w}" height="{h}"{name}'
        f' stroke-linejoin="round" style="{_FIT}">{renderer.svg()}</svg>'
    )


@contextmanager
def _as_vectors(fig):
    """For the while of one drawing: our resolution, and images as cells where they would be blurred."""
    dpi = fig.dpi
    images = [im for ax in fig.axes for im in ax.images if im.get_interpolation() in ("auto", "antialiased", "nearest")]
    before = [im.get_interpolation() for im in images]
    fig.dpi = DPI
    for im in images:
        im.set_interpolation("none")
    try:
        yield
    finally:
        fig.dpi = dpi
        for im, old in zip(images, before, strict=True):
            im.set_interpolation(old)


class Figure:
    """A drawn figure that a notebook and a page show as HTML."""

    def __init__(self, svg: str, alt: str, caption: str | None):
        self.svg, self.alt, self.caption = svg, alt, caption

    def __repr__(self):
        return f"<Figure: {self.alt}>"

    def _repr_html_(self):
        caption = f"<figcaption>{escape(self.caption, quote=False)}</figcaption>" if self.caption else ""
        return f'<figure class="mt-figure" style="margin:1em 0">{self.svg}{caption}</figure>'


def show(fig, *, alt: str, caption: str | None = None) -> Figure:
    """`fig` for a notebook cell and for the page.

    Args:
        alt: what the picture shows, for who cannot see it: one sentence, with its numbers.
        caption: what to look at, printed below.

    Raises:
        ValueError: when `alt` is empty.
    """
    if not alt.strip():
        raise ValueError("alt is empty: say in one sentence what the picture shows")
    return Figure(to_svg(fig, alt=alt), alt, caption)
