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
        cos, sin = rows(_turns, start, x.size(-2), self.d_head, self.base, x).unbind(-1)  # (T, E/2) each
        a, b = self.pairs(x)
        return self.join(a * cos - b * sin, a * sin + b * cos)

    def pairs(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The first and the second members of all pairs, (…, E/2) each."""
        return x[..., 0::2], x[..., 1::2]

    def join(self, a: Tensor, b: Tensor) -> Tensor:
        """The inverse of pairs."""
        return torch.stack([a, b], dim=-1).flatten(-2)


class RotaryHalves(Rotary):
    """Pair i is columns (i, i + E/2): the pairing of GPT-NeoX and of Llama as transformers has it.

    The same mathematics with the columns in another order; weights made for one pairing are
    wrong for the other until q_proj and k_proj are reordered.
    """

    def pairs(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return x.chunk(2, dim=-1)

    def join(self, a: Tensor, b: Tensor) -> Tensor:
        return torch.cat([a, b], dim=-1)


@lru_cache(maxsize=16)
def _turns(T: int, columns: int, base: float) -> Float[Tensor, "T half 2"]:
    angles = wave_angles(T, columns, base)
    return torch.stack([angles.cos(), angles.sin()], dim=-1)
