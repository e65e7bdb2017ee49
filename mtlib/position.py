"""Where a position can enter a transformer, and the schemes that enter at the embedding.

    the embedding           x_t + p_t                      Learned, Sinusoidal, Grid: here
    queries and keys        (R_i q_i) · (R_j k_j)          Rotary: rotary.py
    the scores              q_i · k_j / √E + b(j - i)      RelativeBias, ALiBi: score_bias.py

Attention by itself does not know in which order its inputs stand. A scheme overrides one of
the three methods of Position and leaves the other two as they are.
"""

import math
from functools import lru_cache

import torch
from jaxtyping import Float
from torch import Tensor, nn

from . import _check


class Position(nn.Module):
    """No position at all ("NoPE"), and the three places where one could be put.

    Models call all three: forward on the embedding, turn on the queries and the keys of every
    self-attention, bias for its scores. `start` is the position of x's first row, which is not
    0 when a cache holds what went before.
    """

    def forward(self, x: Float[Tensor, "B T D"], start: int = 0) -> Float[Tensor, "B T D"]:
        return x

    def turn(self, x: Float[Tensor, "B H T E"], start: int = 0) -> Float[Tensor, "B H T E"]:
        return x

    def bias(self, q: Float[Tensor, "B H T_q E"], k: Float[Tensor, "B G T_k E"]) -> Float[Tensor, "H T_q T_k"] | None:
        return None


class Learned(Position):
    """A table with a row for every position, learned like the token table (GPT-2, BERT).

    Raises ValueError beyond max_len: there is no row to add.

    >>> Learned(max_len=16, d_model=8)(torch.zeros(1, 3, 8)).shape
    torch.Size([1, 3, 8])
    """

    def __init__(self, max_len: int, d_model: int):
        super().__init__()
        _check.positive(max_len=max_len, d_model=d_model)
        self.weight = nn.Parameter(torch.randn(max_len, d_model))

    def forward(self, x: Float[Tensor, "B T D"], start: int = 0) -> Float[Tensor, "B T D"]:
        _check.tokens(x, "x", self.weight)
        _check.natural(start=start)
        end = start + x.size(1)
        if end > self.weight.size(0):
            raise ValueError(f"ids holds {end} positions; this model's table ends at max_len={self.weight.size(0)}")
        return x + self.weight[start:end]


class Sinusoidal(Position):
    """√D · x + waves: the 2017 paper's table, which has a row for any position and learns nothing.

    The factor is the paper's (section 3.4): token vectors start small, and waves of height 1
    would drown them.

    >>> Sinusoidal(8)(torch.zeros(1, 2, 8))[0, 1, :2]      # sin 1, cos 1
    tensor([0.8415, 0.5403])
    """

    def __init__(self, d_model: int, *, base: float = 10_000.0):
        super().__init__()
        _even(d_model=d_model)
        _check.above_zero(base=base)
        self.d_model, self.base = d_model, float(base)

    def forward(self, x: Float[Tensor, "B T D"], start: int = 0) -> Float[Tensor, "B T D"]:
        _check.width(x, "x", "B T", self.d_model)
        return math.sqrt(self.d_model) * x + rows(sinusoidal, start, x.size(1), self.d_model, self.base, x)


class Grid(Position):
    """√D · x + waves: row and column of an image's patch, each a wave over half of the columns.

    The patches come row by row: position t is row t // width, column t % width. Source: the
    2-D variant of Vaswani's table that image transformers use (Dosovitskiy et al. 2021, D.4).

    >>> Grid(2, 3, d_model=8)(torch.zeros(1, 6, 8)).shape
    torch.Size([1, 6, 8])
    """

    def __init__(self, height: int, width: int, d_model: int):
        super().__init__()
        _check.positive(height=height, width=width, d_model=d_model)
        if d_model % 4:
            raise ValueError(f"d_model={d_model} does not split into sin and cos of a row and of a column: take a multiple of 4")
        self.height, self.width, self.d_model = height, width, d_model

    def forward(self, x: Float[Tensor, "B T D"], start: int = 0) -> Float[Tensor, "B T D"]:
        _check.width(x, "x", "B T", self.d_model)
        _check.natural(start=start)
        if start + x.size(1) > self.height * self.width:
            raise ValueError(f"x holds {start + x.size(1)} patches; the grid has {self.height} × {self.width}")
        table = grid(self.height, self.width, self.d_model)[start : start + x.size(1)]
        return math.sqrt(self.d_model) * x + table.to(x.device, x.dtype)


@lru_cache(maxsize=16)
def sinusoidal(T: int, d_model: int, base: float = 10_000.0) -> Float[Tensor, "T D"]:
    """Rows 0…T-1 in float64: column 2i is sin(p / base^(2i/D)), column 2i+1 the cos.

    Source: Vaswani et al. 2017, section 3.5.

    >>> sinusoidal(2, 4).shape
    torch.Size([2, 4])
    """
    _check.positive(T=T)
    _even(d_model=d_model)
    angles = wave_angles(T, d_model, base)
    return torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(-2)


@lru_cache(maxsize=4)
def grid(height: int, width: int, d_model: int) -> Float[Tensor, "T D"]:
    """The table of Grid in float64, (height·width, D): first the row's half, then the column's."""
    row = sinusoidal(height, d_model // 2).repeat_interleave(width, dim=0)
    column = sinusoidal(width, d_model // 2).repeat(height, 1)
    return torch.cat([row, column], dim=-1)


def wave_angles(T: int, columns: int, base: float) -> Float[Tensor, "T half"]:
    """Position p times the frequency of pair i, base^(-2i/columns), in radians and float64.

    Made under no_grad and outside inference mode, so that what is remembered of it serves
    training later; and on the CPU, whichever device models are being built on.
    """
    with torch.no_grad(), torch.inference_mode(False):
        pairs = torch.arange(0, columns, 2, dtype=torch.float64, device="cpu")
        positions = torch.arange(T, dtype=torch.float64, device="cpu")
        return torch.outer(positions, base ** (-pairs / columns))


def rows(table, start: int, T: int, columns: int, base: float, like: Tensor) -> Tensor:
    """Rows start…start+T-1 of a remembered table, on the device and in the dtype of `like`.

    The table grows by doubling, so that generating a long text does not make it anew each step.
    """
    _check.natural(start=start)
    length = 1 << max(start + T - 1, 127).bit_length()
    with torch.no_grad(), torch.inference_mode(False):  # a remembered table outlives the mode it was made in
        whole = table(length, columns, base)
    return whole[start : start + T].to(like.device, like.dtype)


def _even(**sizes: int) -> None:
    _check.positive(**sizes)
    for name, size in sizes.items():
        if size % 2:
            raise ValueError(f"{name}={size} must be even: columns come in pairs, a sin and a cos")
