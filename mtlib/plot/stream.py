"""Add and norm, drawn from a block that runs: the road, what leaves it, what is added to it."""

import torch
from torch import Tensor

from ..encoder import EncoderBlock
from ..trace import trace
from .style import BLUE, GREEN, GREY, INK, ORANGE, canvas

_ROAD, _BRANCH, _WIDE, _HIGH = 1.25, 3.75, 1.9, 0.66


def residual_diagram(block: EncoderBlock, x: Tensor):
    """Run `block` once on x (B, T, D) and draw it from bottom to top -> a figure.

    The road on the left is the stream, with its size (root mean square) at each station of this
    run; the branches on the right are the sublayers, with the size of what they wrote. Where
    the norms stand follows the block's placement; nothing in the picture is typed in.

    >>> from mtlib import ModelConfig
    >>> config = ModelConfig(vocab=9, max_len=4, d_model=8, n_heads=2, n_layers=1)
    >>> fig = residual_diagram(EncoderBlock(config), torch.ones(1, 3, 8))
    >>> "x (1, 3, 8)\\nsize 1.00" in [text.get_text() for text in fig.axes[0].texts]
    True
    """
    placement = block.resid_mid.placement
    with torch.no_grad(), trace(block) as t:
        block(x)
    post = placement == "post"
    fig, ax = canvas(420, 424 if post else 524, margins=(4, 4, 4, 4))
    ax.set(xlim=(0, 5), ylim=(0, 6.8 if post else 8.4))
    ax.set_axis_off()
    y = 0.45
    _box(ax, _ROAD, y, f"x {tuple(x.shape)}", x, INK)
    for n, (name, after, colour) in enumerate((("attn", "resid_mid", BLUE), ("ffn", "resid_post", ORANGE)), start=1):
        fork, y = y + 0.75, y + _HIGH / 2
        norm = f"norm{n}"
        _line(ax, (_ROAD, fork), (_BRANCH, fork))
        up = fork + 0.75
        if not post:
            up = fork + 0.6
            _line(ax, (_BRANCH, fork), (_BRANCH, up - _HIGH / 2), arrow=True)
            _box(ax, _BRANCH, up, norm, t[norm], GREEN)
            fork, up = up + _HIGH / 2, up + 0.98
        _line(ax, (_BRANCH, fork), (_BRANCH, up - _HIGH / 2), arrow=True)
        _box(ax, _BRANCH, up, name, t[name], colour)
        plus = up + 0.7
        _line(ax, (_BRANCH, up + _HIGH / 2), (_BRANCH, plus))
        _line(ax, (_BRANCH, plus), (_ROAD + 0.2, plus), arrow=True)
        _line(ax, (_ROAD, y), (_ROAD, plus - 0.2), road=True)
        ax.plot([_ROAD], [plus], "o", color=GREY, markersize=17, fillstyle="none")
        ax.text(_ROAD, plus, "+", ha="center", va="center", fontsize=13)
        y = plus + 0.2
        if post:
            _line(ax, (_ROAD, y), (_ROAD, y + 0.25), road=True)
            y += 0.25 + _HIGH / 2
            _box(ax, _ROAD, y, norm, t[after], GREEN)
        else:
            _line(ax, (_ROAD, y), (_ROAD, y + 0.2), road=True)
            y += 0.2 + _HIGH / 2
            _box(ax, _ROAD, y, after, t[after], INK)
    return fig


def _box(ax, x: float, y: float, label: str, value: Tensor, colour: str) -> None:
    from matplotlib.patches import FancyBboxPatch

    corner = (x - _WIDE / 2, y - _HIGH / 2)
    ax.add_patch(FancyBboxPatch(corner, _WIDE, _HIGH, boxstyle="round,pad=0,rounding_size=0.1",
                                fill=False, edgecolor=colour, linewidth=1.6))  # fmt: skip
    size = value.square().mean().sqrt().item()
    ax.text(x, y, f"{label}\nsize {size:.2f}", ha="center", va="center", fontsize=11, color=INK)


def _line(ax, start: tuple[float, float], end: tuple[float, float], *, road: bool = False, arrow: bool = False) -> None:
    wide = 3.5 if road else 1.4
    if arrow:
        ax.annotate("", xy=end, xytext=start,
                    arrowprops={"arrowstyle": "-|>", "color": GREY, "linewidth": wide, "shrinkA": 0, "shrinkB": 0})  # fmt: skip
    else:
        ax.plot([start[0], end[0]], [start[1], end[1]], color=GREY, linewidth=wide, solid_capstyle="butt")
