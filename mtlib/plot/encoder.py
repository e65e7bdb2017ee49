"""The whole encoder, from ids to a verdict, drawn from a model that runs: boxes are its modules, shapes are on the wires."""

import torch
from torch import Tensor

from ..encoder import Encoder
from ..trace import trace
from ..transformer import Transformer
from .style import BLUE, FAINT, GREEN, GREY, INK, ORANGE, PURPLE, canvas

_X, _WIDE, _HIGH, _STEP = 2.55, 2.9, 0.5, 0.94
_EDGE = 0.42  # more room where a wire crosses the frame


def encoder_diagram(model: Transformer | Encoder, ids: Tensor, keep: Tensor | None = None):
    """Run `model` once on ids (B, T) and draw it from bottom to top -> a figure.

    One block is drawn, with how often it is repeated. Where the norms stand follows the model's
    placement; every shape is read from the trace of this run.

    >>> from mtlib import ModelConfig
    >>> config = ModelConfig(vocab=9, max_len=4, d_model=8, n_heads=2, n_layers=3)
    >>> fig = encoder_diagram(Encoder(config), torch.tensor([[3, 1, 4]]))
    >>> "× 3" in [text.get_text() for text in fig.axes[0].texts]
    True
    """
    with torch.no_grad(), trace(model) as t:
        out = model(ids, keep)
    whole = isinstance(model, Transformer)
    encoder, at = (model.encoder, "encoder.") if whole else (model, "")
    before, block, after = _stations(encoder)
    stations = [("token ids", ids, INK), *((label, t[at + name], colour) for label, name, colour in (*before, *block, *after))]
    if whole:
        stations += [(type(model.pool).__name__, t["pool"], PURPLE), (f"linear, {model.n_classes} classes", t["head"], BLUE),
                     ("softmax", out.softmax(dim=-1), GREEN)]  # fmt: skip
    first, last = 1 + len(before), len(before) + len(block)
    places = [0.35 + _STEP * n + _EDGE * ((n >= first) + (n > last)) for n in range(len(stations))]
    high = places[-1] + _STEP + _EDGE * (last + 1 == len(stations))
    fig, ax = canvas(400, 60 * high, margins=(4, 4, 4, 4))
    ax.set(xlim=(0, 5.6), ylim=(0, high))
    ax.set_axis_off()
    for (label, value, colour), y, above in zip(stations, places, [*places[1:], high]):
        _box(ax, y, label, colour)
        _arrow(ax, (_X, y + _HIGH / 2), (_X, above - _HIGH / 2))
        # Where a wire crosses the frame, its shape stands outside.
        middle = above - _STEP / 2 if y == places[last] else y + _STEP / 2
        ax.text(_X + 0.12, middle, str(tuple(value.shape)), va="center", fontsize=10.5)
    _frame(ax, places[first : last + 1], len(encoder.blocks))
    return fig


def _stations(encoder: Encoder) -> tuple[list, list, list]:
    """(what it is called, its path, colour) before the blocks, in one block, after the blocks."""
    parts, one = encoder.config.parts, encoder.blocks[0]
    attn = ("self-attention, {} head{}".format(one.attn.n_heads, "s" * (one.attn.n_heads > 1)), "blocks.0.attn", ORANGE)
    ffn = (f"FFN, to {encoder.config.ff_width} and back", "blocks.0.ffn", BLUE)
    before = [(f"table of {encoder.tok.num_embeddings:,} rows", "tok", BLUE), (f"+ position, {parts.position}", "pos", PURPLE)]
    if parts.placement == "post":
        block = [attn, ("add & norm", "blocks.0.resid_mid", GREEN), ffn, ("add & norm", "blocks.0.resid_post", GREEN)]
        return [*before, ("norm", "norm", GREEN)], block, []
    block = [("norm", "blocks.0.norm1", GREEN), attn, ("add", "blocks.0.resid_mid", GREY),
             ("norm", "blocks.0.norm2", GREEN), ffn, ("add", "blocks.0.resid_post", GREY)]  # fmt: skip
    return before, block, [("norm", "norm", GREEN)]


def _frame(ax, places: list[float], times: int) -> None:
    """A dashed line around the block whose boxes stand at `places`, and the two ways round its sublayers."""
    from matplotlib.patches import FancyBboxPatch

    low, high = places[0] - 0.66, places[-1] + 0.42
    ax.add_patch(FancyBboxPatch((0.42, low), 4.5, high - low, boxstyle="round,pad=0,rounding_size=0.1",
                                fill=False, edgecolor=FAINT, linewidth=1.2, linestyle="--"))  # fmt: skip
    ax.text(5.02, (low + high) / 2, f"× {times}", va="center", fontsize=13)
    half, road = len(places) // 2, _X - _WIDE / 2 - 0.32
    for start, plus in ((places[0], places[half - 1]), (places[half], places[-1])):
        ax.plot([_X, road, road], [start - 0.42, start - 0.42, plus], color=GREY, linewidth=1.6)
        _arrow(ax, (road, plus), (_X - _WIDE / 2, plus))


def _box(ax, y: float, label: str, colour: str) -> None:
    from matplotlib.patches import FancyBboxPatch

    ax.add_patch(FancyBboxPatch((_X - _WIDE / 2, y - _HIGH / 2), _WIDE, _HIGH, boxstyle="round,pad=0,rounding_size=0.1",
                                fill=False, edgecolor=colour, linewidth=1.6))  # fmt: skip
    ax.text(_X, y, label, ha="center", va="center", fontsize=10.5, color=INK)


def _arrow(ax, start: tuple[float, float], end: tuple[float, float]) -> None:
    ax.annotate("", xy=end, xytext=start, arrowprops={"arrowstyle": "-|>", "color": GREY, "linewidth": 1.4, "shrinkA": 0, "shrinkB": 0})
