"""Figures: a canvas in the house look, shown as SVG. matplotlib loads with mt.plot, not with mtlib."""

from .style import BLUE, COLORS, DIVERGING, FAINT, GREEN, GREY, INK, ORANGE, PURPLE, RED, SEQUENTIAL, canvas, text_on
from .svg import Figure, show, to_svg

__all__ = [
    "BLUE", "COLORS", "DIVERGING", "FAINT", "GREEN", "GREY", "INK", "ORANGE", "PURPLE", "RED", "SEQUENTIAL",
    "Figure", "canvas", "show", "text_on", "to_svg",
]  # fmt: skip

from .attention import heads as heads
from .attention import heatmap as heatmap
from .attention import which_sees_what as which_sees_what
from .diagram import attention_diagram as attention_diagram
from .diagram import ffn_diagram as ffn_diagram
from .encoder import encoder_diagram as encoder_diagram
