"""Figures: a canvas in the house look, shown as SVG. matplotlib loads when the first one is drawn."""

from .style import BLUE, COLORS, DIVERGING, FAINT, GREEN, GREY, INK, ORANGE, PURPLE, RED, SEQUENTIAL, canvas, text_on
from .svg import Figure, show, to_svg

__all__ = [
    "BLUE", "COLORS", "DIVERGING", "FAINT", "GREEN", "GREY", "INK", "ORANGE", "PURPLE", "RED", "SEQUENTIAL",
    "Figure", "canvas", "show", "text_on", "to_svg",
]  # fmt: skip
