"""Blocks side by side, drawn as they ran: what one has more than another stands out, what they share stands level."""

from collections.abc import Mapping

import torch
from torch import Tensor

from ..decoder import DecoderBlock
from ..encoder import EncoderBlock
from ..trace import Trace, trace
from .style import BLUE, FAINT, GREEN, GREY, INK, ORANGE, canvas

# What is drawn from bottom to top: the module's name, its label, how high its box is.
_PARTS = (
    ("norm1", "norm", 0.5), ("attn", "self-attention", 1.25), ("resid_mid", "add", 0.5),
    ("norm_cross", "norm", 0.5), ("cross_attn", "look across", 1.45), ("resid_cross", "add", 0.5),
    ("norm2", "norm", 0.5), ("ffn", "FFN", 0.5), ("resid_post", "add", 0.5),
)  # fmt: skip
_WIDE, _GAP = 0.8, 0.3


def blocks_diagram(blocks: Mapping[str, EncoderBlock | DecoderBlock], x: Tensor, memory: Tensor):
    """Run every pre-norm block on x (B, T, D), and on memory (B, S, D) where it looks across -> a figure.

    Boxes are the modules that ran; the small grids are the attention's weights of this run, filled
    where one is above 0. Grey is what the first block has too, with the same grid; the rest is coloured.

    >>> from mtlib import ModelConfig
    >>> config = ModelConfig(vocab=9, max_len=4, d_model=8, n_heads=2, n_layers=1)
    >>> both = {"reads": EncoderBlock(config), "writes": DecoderBlock(config)}
    >>> fig = blocks_diagram(both, torch.randn(1, 3, 8), torch.randn(1, 4, 8))
    >>> [text.get_text() for text in fig.axes[0].texts].count("self-attention")
    2
    """
    runs = {name: _ran(block, x, memory) for name, block in blocks.items()}
    fig, ax = canvas(400, 590, margins=(2, 2, 2, 2))
    high = 0.95 + sum(tall + _GAP for *_, tall in _PARTS) + 0.55
    ax.set(xlim=(0, len(runs)), ylim=(0, high))
    ax.set_axis_off()
    first = next(iter(runs.values()))
    for column, (name, run) in enumerate(runs.items()):
        _column(ax, column + 0.54, name, run, first, x, memory)
    return fig


def _ran(block: EncoderBlock | DecoderBlock, x: Tensor, memory: Tensor) -> Trace:
    with torch.no_grad(), trace(block) as t:
        block(x, memory=memory) if getattr(block, "cross", False) else block(x)
    return t


def _column(ax, at: float, name: str, run: Trace, first: Trace, x: Tensor, memory: Tensor) -> None:
    ax.text(at, 0.2, f"x {tuple(x.shape)}", ha="center", va="center", fontsize=10)
    below, fork, y = 0.4, 0.5, 0.7
    for path, label, tall in _PARTS:
        y += tall / 2
        if path in run:
            _line(ax, (at, below), (at, y - tall / 2))
            grid, firsts = _grid(run, path), _grid(first, path)
            same = path in first and (grid is None or firsts is not None and torch.equal(grid, firsts))
            colour = GREY if same else GREEN if "cross" in path else ORANGE
            _box(ax, at, y, label, tall, colour, grid)
            if path == "cross_attn":
                ax.text(at, y + 0.07, f"memory\n{tuple(memory.shape)}", ha="center", va="center", fontsize=10, color=INK, linespacing=1.15)
            if label == "add":  # the way around the sublayer ends here
                road = at - _WIDE / 2 - 0.06
                ax.plot([at, road, road], [fork, fork, y], color=FAINT, linewidth=1.6)
                _line(ax, (road, y), (at - _WIDE / 2, y))
                fork = y + tall / 2 + 0.1
            below = y + tall / 2
        y += tall / 2 + _GAP
    _line(ax, (at, below), (at, y))
    ax.text(at, y + 0.2, name, ha="center", va="center", fontsize=11.5, color=BLUE)


def _grid(run: Trace, path: str) -> Tensor | None:
    """Who looked at whom, (T_q, T_k), in any head of the first text."""
    name = f"{path}.core.weights"
    return (run[name][0] > 0).any(dim=0) if name in run else None


def _box(ax, x: float, y: float, label: str, tall: float, colour: str, grid: Tensor | None) -> None:
    from matplotlib.patches import FancyBboxPatch

    ax.add_patch(FancyBboxPatch((x - _WIDE / 2, y - tall / 2), _WIDE, tall, boxstyle="round,pad=0,rounding_size=0.06",
                                fill=False, edgecolor=colour, linewidth=1.8))  # fmt: skip
    if grid is None:
        ax.text(x, y, label, ha="center", va="center", fontsize=10.5, color=INK)
        return
    ax.text(x, y + tall / 2 - 0.2, label, ha="center", va="center", fontsize=10.5, color=INK)
    rows, cols = grid.shape
    cell = 0.8 * tall / 1.25 / rows * (0.5 if "across" in label else 1.0)
    side = cell * 0.19  # the axes are as many px for a unit up as five across
    low, left = y - tall / 2 + 0.1, x - side * cols / 2
    for i in range(rows):
        for j in range(cols):
            ax.fill_between([left + j * side + 0.004, left + (j + 1) * side - 0.004], low + (rows - 1 - i) * cell + 0.02,
                            low + (rows - i) * cell - 0.02, color=colour if grid[i, j] else FAINT, alpha=1.0 if grid[i, j] else 0.25,
                            linewidth=0)  # fmt: skip


def _line(ax, start: tuple[float, float], end: tuple[float, float]) -> None:
    ax.annotate("", xy=end, xytext=start, arrowprops={"arrowstyle": "-|>", "color": GREY, "linewidth": 1.2, "shrinkA": 0, "shrinkB": 0})
