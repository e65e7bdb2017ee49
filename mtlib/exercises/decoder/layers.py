"""The decoder block as the checks know it, in single steps, and the blocks that learners write by mistake."""

import torch
from torch import Tensor, nn

from ..attention.heads import merge, split
from ..attention.reference import attend, filled_with, inverted, untouched


class Heads(nn.Module):
    """Multi-head attention from x to source."""

    def __init__(self, d_model: int, n_heads: int, **steps):
        super().__init__()
        self.n_heads, self.steps = n_heads, steps
        self.q, self.k, self.v, self.o = (nn.Linear(d_model, d_model) for _ in range(4))

    def forward(self, x: Tensor, source: Tensor, keep: Tensor | None) -> Tensor:
        q, k, v = (split(part, self.n_heads) for part in (self.q(x), self.k(source), self.v(source)))
        return self.o(merge(attend(q, k, v, keep, **self.steps)[0]))


class Reference(nn.Module):
    """Norm, look, add; norm, think, add; and in between, with cross, norm, look across, add."""

    steps: dict = {}  # of attention, changed by a mistake

    def __init__(self, d_model: int, n_heads: int, d_ff: int, cross: bool = False):
        super().__init__()
        self.refuse_sizes(d_model, n_heads)
        self.cross = cross
        self.attn, self.cross_attn = (Heads(d_model, n_heads, **self.steps) for _ in range(2))
        self.norms = nn.ModuleList(nn.LayerNorm(d_model) for _ in range(3))
        self.ffn = self.thinking(d_model, d_ff)

    def refuse_sizes(self, d_model: int, n_heads: int) -> None:
        if d_model % n_heads:
            raise ValueError(f"d_model={d_model} does not split into n_heads={n_heads} equal heads")

    def refuse(self, memory: Tensor | None) -> None:
        if self.cross != (memory is not None):
            raise ValueError(f"cross={self.cross} and memory is {'missing' if memory is None else 'given'}")

    def thinking(self, d_model: int, d_ff: int) -> nn.Module:
        return nn.Sequential(nn.Linear(d_model, d_ff), nn.GELU(), nn.Linear(d_ff, d_model))

    def triangle(self, T: int) -> Tensor:
        return torch.ones(T, T, dtype=torch.bool).tril()

    def may_look(self, T: int, keep: Tensor | None) -> Tensor:
        """(T, T) or (B, 1, T, T): itself and what came before, if it is no padding."""
        return self.triangle(T) if keep is None else self.triangle(T) & keep[:, None, None, :]

    def may_look_across(self, T: int, memory: Tensor, memory_keep: Tensor | None) -> Tensor | None:
        return None if memory_keep is None else memory_keep[:, None, None, :]

    def across(self, h: Tensor, memory: Tensor, memory_keep: Tensor | None) -> Tensor:
        return self.cross_attn(h, memory, self.may_look_across(h.size(1), memory, memory_keep))

    def wire(self, x: Tensor, norm: nn.Module, sublayer) -> Tensor:
        return x + sublayer(norm(x))

    def forward(self, x: Tensor, memory=None, keep=None, memory_keep=None) -> Tensor:
        self.refuse(memory)
        x = self.wire(x, self.norms[0], lambda h: self.attn(h, h, self.may_look(h.size(1), keep)))
        if self.cross:
            x = self.wire(x, self.norms[1], lambda h: self.across(h, memory, memory_keep))
        return self.wire(x, self.norms[2], self.ffn)


def steps(**changed) -> type:
    """The reference with a step of its attentions changed."""
    return type("Variant", (Reference,), {"steps": changed})


class NoTriangle(Reference):
    def triangle(self, T):
        return torch.ones(T, T, dtype=torch.bool)


class TurnedTriangle(Reference):
    def triangle(self, T):
        return super().triangle(T).T


class StrictTriangle(Reference):
    steps = {"drop": untouched}

    def triangle(self, T):
        return torch.ones(T, T, dtype=torch.bool).tril(-1)


class KeepOnly(Reference):
    def may_look(self, T, keep):
        return self.triangle(T) if keep is None else keep[:, None, None, :]


class KeepForgotten(Reference):
    def may_look(self, T, keep):
        return self.triangle(T)


class KeepTurned(Reference):
    def may_look(self, T, keep):
        return super().may_look(T, None if keep is None else ~keep)


class TriangleAcross(Reference):
    def may_look_across(self, T, memory, memory_keep):
        earlier = torch.ones(T, memory.size(1), dtype=torch.bool).tril()
        return earlier if memory_keep is None else earlier & memory_keep[:, None, None, :]


class MemoryKeepForgotten(Reference):
    def may_look_across(self, T, memory, memory_keep):
        return None


class MemoryKeepTurned(Reference):
    def may_look_across(self, T, memory, memory_keep):
        return None if memory_keep is None else ~memory_keep[:, None, None, :]


class MemoryForgotten(Reference):
    def across(self, h, memory, memory_keep):
        return torch.zeros_like(h)


class FirstOfMemory(Reference):
    def across(self, h, memory, memory_keep):
        return super().across(h, memory[:, :1], None if memory_keep is None else memory_keep[:, :1])


class RolesSwapped(Reference):
    def across(self, h, memory, memory_keep):
        return self.cross_attn(memory, h, None)


class NormAfter(Reference):
    def wire(self, x, norm, sublayer):
        return norm(x + sublayer(x))


class NoResidual(Reference):
    def wire(self, x, norm, sublayer):
        return sublayer(norm(x))


class NoBend(Reference):
    def thinking(self, d_model, d_ff):
        return nn.Sequential(nn.Linear(d_model, d_ff), nn.Linear(d_ff, d_model))


class NoThinking(Reference):
    def thinking(self, d_model, d_ff):
        return nn.Linear(d_model, d_model)

    def wire(self, x, norm, sublayer):
        return x if sublayer is self.ffn else super().wire(x, norm, sublayer)


class TakesAnyMemory(Reference):
    """Neither a memory that is missing nor one too many is noticed."""

    def refuse(self, memory):
        pass

    def across(self, h, memory, memory_keep):
        return torch.zeros_like(h) if memory is None else super().across(h, memory, memory_keep)


class TakesAnySizes(Reference):
    def __init__(self, d_model, n_heads, d_ff, cross=False):
        super().__init__(d_model, 1, d_ff, cross)


NothingKeptIsNaN = steps(drop=untouched)
NothingKeptIsAll = steps(hide=filled_with(-1e9), drop=untouched)
MaskTurned = steps(hide=inverted, drop=lambda weights, keep: weights.masked_fill(keep, 0.0))
