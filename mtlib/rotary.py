"""Rotary position: turn queries and keys by an angle that grows with their position.

    (R_i q) · (R_j k) = q · R_(j-i) k            (Su et al. 2021, section 3.2)

A rotation by position i, undone by a rotation by position j, leaves the offset: the score
depends on how far apart two tokens stand, and on nothing else of where they stand. Nothing is
learned, nothing is added, and lengths stay as they are.
"""

from functools import lru_cache

import torch
from jaxtyping import Float
from torch import Tensor

from . import _check
from .position import Position, _even, rows, wave_angles


class Rotary(Position):
    """Pair i is columns (2i, 2i+1), turned by position · base^(-2i/E): the paper's pairing.

    >>> rotary = Rotary(d_head=4); q = k = torch.ones(1, 1, 9, 4)
    >>> scores = rotary.turn(q) @ rotary.turn(k).mT
    >>> torch.allclose(scores[0, 0, 2, 5], scores[0, 0, 5, 8], atol=1e-6)        # three apart, both times
    True
    """

    def __init__(self, d_head: int, *, base: float = 10_000.0):
        super().__init__()
        _even(d_head=d_head)
        _check.above_zero(base=base)
        self.d_head, self.base = d_head, float(base)

    def turn(self, x: Float[Tensor, "B H T E"], start: int = 0) -> Float[Tensor, "B H T E"]:
        _check.width(x, "x", "B H T", self.d_head)
        cos, sin = rows(self.table, start, x.size(-2), self.d_head, self.base, x).chunk(2, dim=-1)  # (T, E) each
        return x * cos + self.quarter(x) * sin

    def quarter(self, x: Tensor) -> Tensor:
        """Every pair (a, b) turned by 90 degrees: (-b, a)."""
        return torch.stack([-x[..., 1::2], x[..., 0::2]], dim=-1).flatten(-2)

    @staticmethod
    @lru_cache(maxsize=16)
    def table(T: int, columns: int, base: float) -> Float[Tensor, "T twice"]:
        """Cosine and sine of each column's angle at each position."""
        return _cos_sin(wave_angles(T, columns, base).repeat_interleave(2, dim=-1))


class RotaryHalves(Rotary):
    """Pair i is columns (i, i + E/2): the pairing of GPT-NeoX and of Llama as transformers has it.

    The same mathematics with the columns in another order; weights made for one pairing are
    wrong for the other until q_proj and k_proj are reordered.
    """

    def quarter(self, x: Tensor) -> Tensor:
        a, b = x.chunk(2, dim=-1)
        return torch.cat([-b, a], dim=-1)

    @staticmethod
    @lru_cache(maxsize=16)
    def table(T: int, columns: int, base: float) -> Float[Tensor, "T twice"]:
        return _cos_sin(wave_angles(T, columns, base).repeat(1, 2))


def _cos_sin(angles: Tensor) -> Tensor:
    return torch.cat([angles.cos(), angles.sin()], dim=-1)
