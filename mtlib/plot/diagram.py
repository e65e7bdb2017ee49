"""The wiring of attention and of the FFN, drawn from a module that runs: the shapes on the wires are those it had."""

import torch
from torch import Tensor

from ..attention import MultiHeadAttention, split_heads
from ..ffn import FeedForward, GatedFeedForward
from ..trace import trace
from .style import BLUE, FAINT, GREEN, INK, ORANGE, PURPLE, canvas

_BOX_W, _BOX_H = 1.5, 0.62


def attention_diagram(attn: MultiHeadAttention, x: Tensor, context: Tensor | None = None, keep: Tensor | None = None):
    """Run `attn` once and draw what it did, boxes from input to output -> a figure.

    x (B, T_q, D), context (B, T_k, D) or None, keep as for the module. The shapes are read
    from the trace of this run; nothing in the picture is typed in. A fused core has no weights
    to show: the error names mt.use_explicit.

    >>> fig = attention_diagram(MultiHeadAttention(8, 2), torch.zeros(1, 3, 8))
    >>> "weights\\n(1, 2, 3, 3)" in [text.get_text() for text in fig.axes[0].texts]
    True
    """
    with torch.no_grad(), trace(attn) as t:
        out = attn(x, context, keep=keep)
    source = x if context is None else context
    q, k, v = (
        split_heads(t[f"{name}_proj"], heads)
        for name, heads in (("q", attn.n_heads), ("k", attn.n_kv_heads), ("v", attn.n_kv_heads))
    )
    fig, ax = canvas(430, 560, margins=(4, 4, 4, 4))
    ax.set(xlim=(0, 6), ylim=(0, 7.6))
    ax.set_axis_off()
    name = "x" if context is None else "context"
    _box(ax, 1.0, 7.1, "x", x, INK)
    _box(ax, 4.0, 7.1, f"{name} again" if context is None else name, source, INK)
    for at, label, value, colour in ((1.0, "q_proj, split", q, BLUE), (3.1, "k_proj, split", k, ORANGE), (4.9, "v_proj, split", v, GREEN)):
        _arrow(ax, (at if at == 1.0 else 4.0, 6.79), (at, 6.21))
        _box(ax, at, 5.9, label, value, colour)
    _arrow(ax, (1.0, 5.59), (1.9, 4.91))
    _arrow(ax, (3.1, 5.59), (2.2, 4.91))
    _box(ax, 2.05, 4.6, "scores = q kᵀ/√E", t["core.scores"], PURPLE, wide=2.3)
    _arrow(ax, (2.05, 4.29), (2.05, 3.71))
    ax.text(2.2, 4.0, "softmax over keys" + ("" if keep is None else ",\nwhere keep"), fontsize=10, va="center", color=INK)
    _box(ax, 2.05, 3.4, "weights", t["core.weights"], PURPLE)
    _arrow(ax, (2.05, 3.09), (3.2, 2.51))
    _arrow(ax, (4.9, 5.59), (3.6, 2.51))
    _box(ax, 3.4, 2.2, "heads = weights v", t["core"], GREEN, wide=2.2)
    _arrow(ax, (3.4, 1.89), (3.4, 1.31))
    ax.text(3.55, 1.6, "merge the heads", fontsize=10, va="center", color=INK)
    _box(ax, 3.4, 1.0, "o_proj", out, BLUE)
    return fig


def ffn_diagram(ffn: FeedForward | GatedFeedForward, x: Tensor):
    """Run `ffn` on x (B, T, D) and draw it, each value as wide as it has numbers -> a figure.

    As for attention, the shapes are read from the trace of this run.

    >>> fig = ffn_diagram(FeedForward(8, 32), torch.zeros(1, 3, 8))
    >>> "hidden  (1, 3, 32)" in [text.get_text() for text in fig.axes[0].texts]
    True
    """
    with torch.no_grad(), trace(ffn) as t:
        out = ffn(x)
    gated, name = isinstance(ffn, GatedFeedForward), getattr(ffn.activation, "__name__", "activation")
    hidden = t["hidden"]
    steps = [("x", x, INK), ("w_in: widen", t["w_in"], BLUE), ("hidden", hidden, ORANGE), ("w_out: come back", out, GREEN)]
    between = ["every position by itself", f"times {name}(w_gate x)" if gated else f"{name}: the bend", ""]
    fig, ax = canvas(370, 330, margins=(4, 4, 4, 4))
    ax.set(xlim=(-1, 1), ylim=(-0.55, 3.45))
    ax.set_axis_off()
    for i, (label, value, colour) in enumerate(steps):
        y, half = 3 - i, 0.92 * value.size(-1) / hidden.size(-1)
        ax.fill_between([-half, half], y - 0.13, y + 0.13, color=colour)
        ax.text(0, y + 0.2, f"{label}  {tuple(value.shape)}", ha="center", va="bottom", fontsize=10.5, color=INK)
        if i < 3:
            _arrow(ax, (0.0, y - 0.16), (0.0, y - 0.56))
            ax.text(0.05, y - 0.36, between[i], ha="left", va="center", fontsize=10, color=INK)
    return fig


def _box(ax, x: float, y: float, label: str, value: Tensor, colour: str, wide: float = _BOX_W) -> None:
    from matplotlib.patches import FancyBboxPatch

    corner = (x - wide / 2, y - _BOX_H / 2)
    ax.add_patch(FancyBboxPatch(corner, wide, _BOX_H, boxstyle="round,pad=0,rounding_size=0.1",
                                fill=False, edgecolor=colour, linewidth=1.6))  # fmt: skip
    ax.text(x, y, f"{label}\n{tuple(value.shape)}", ha="center", va="center", fontsize=10.5, color=INK)


def _arrow(ax, start: tuple[float, float], end: tuple[float, float]) -> None:
    ax.annotate("", xy=end, xytext=start, arrowprops={"arrowstyle": "-|>", "color": FAINT, "linewidth": 1.2, "shrinkA": 0, "shrinkB": 0})
