"""Attention as a picture: who looks (rows) at whom (columns), and how much (colour)."""

import math
from collections.abc import Sequence

from torch import Tensor

from .axes import write
from .style import FAINT, INK, SEQUENTIAL, canvas, text_on


def heatmap(
    ax,
    matrix: Tensor,
    rows: Sequence[str] = (),
    cols: Sequence[str] = (),
    *,
    numbers: str | None = None,
    low: float = 0.0,
    high: float = 1.0,
    cmap: str = SEQUENTIAL,
) -> None:
    """One (T_q, T_k) matrix on `ax`, a cell an entry, rows labelled by queries, columns by keys.

    `numbers` is a format such as "{:.2f}" to write each entry into its cell; `low` and `high`
    are the ends of the colour scale, fixed so that two pictures can be compared.

    Raises ValueError unless `matrix` has two axes.
    """
    if matrix.dim() != 2:
        raise ValueError(f"matrix has shape {tuple(matrix.shape)}; a heat map draws (T_q, T_k): pick one head")
    values = matrix.detach().float().numpy()
    image = ax.imshow(values, vmin=low, vmax=high, cmap=cmap, aspect="auto")
    _ticks(ax, rows, cols)
    if numbers:
        cells = list(_cells(values))
        write(ax, [(j, i) for (i, j), _ in cells], [numbers.format(value) for _, value in cells],
              [text_on(image.to_rgba(value)[:3]) for _, value in cells])  # fmt: skip


def heads(
    weights: Tensor, rows: Sequence[str], cols: Sequence[str] | None = None, *, names: Sequence[str] = (), width=560
):
    """Every head of one layer side by side: weights (H, T_q, T_k) -> a figure.

    >>> import torch; fig = heads(torch.eye(3).expand(2, 3, 3), ["a", "b", "c"])
    >>> [ax.get_title() for ax in fig.axes]
    ['head 0', 'head 1']
    """
    if weights.dim() != 3:
        raise ValueError(f"weights has shape {tuple(weights.shape)}; it must be (H, T_q, T_k): pick one of the batch")
    H = weights.size(0)
    n_cols = min(H, 4)
    n_rows = math.ceil(H / n_cols)
    cols = rows if cols is None else cols
    side = (width - 60 - 24 * (n_cols - 1)) / n_cols
    fig, axes = canvas(width, n_rows * (side + 52) + 12, n_rows, n_cols, margins=(52, 8, 30, 34), gaps=(24, 52), squeeze=False)
    for h, ax in enumerate(axes.flat):
        if h >= H:
            ax.set_axis_off()
            continue
        first = h % n_cols == 0
        heatmap(ax, weights[h], rows if first else (), cols)
        ax.set_title(names[h] if names else f"head {h}")
    return fig


def which_sees_what(ax, keep: Tensor, rows: Sequence[str] = (), cols: Sequence[str] = ()) -> None:
    """A keep mask (T_q, T_k) on `ax`: filled where the query may look, a faint dot where it may not."""
    allowed = keep.bool().numpy()
    ax.imshow(allowed, vmin=0, vmax=1.6, cmap=SEQUENTIAL, aspect="auto")
    _ticks(ax, rows, cols)
    for (i, j), sees in _cells(allowed):
        if not sees:
            ax.plot(j, i, ".", color=FAINT, markersize=2.5)


def _ticks(ax, rows: Sequence[str], cols: Sequence[str]) -> None:
    ax.set_yticks(range(len(rows)), rows)
    steep = sum(map(len, cols)) > 26  # many or long words would run into each other
    ax.set_xticks(range(len(cols)), cols, rotation=90 if steep else 0)
    for spine in ax.spines.values():
        spine.set_visible(False)
    ax.tick_params(labelsize=10, labelcolor=INK)


def _cells(values):
    return (((i, j), values[i, j]) for i in range(values.shape[0]) for j in range(values.shape[1]))
