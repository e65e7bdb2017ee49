"""A decoder-only model as the checks know it, with DecoderLM's names, in single steps; and those that learners write by mistake."""

import math
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..attention.heads import merge, split
from ..attention.layers import PROJECTIONS
from .readers import insist_on_heads


def by_head_width(q: Tensor) -> float:
    return math.sqrt(q.size(-1))


def up_to_itself(T_new: int, T: int) -> Tensor:
    """Query i is position T − T_new + i."""
    return torch.ones(T_new, T, dtype=torch.bool).tril(T - T_new)


class Heads(nn.Module):
    """Causal attention that puts what is new behind what was kept."""

    scale, may, cut = staticmethod(by_head_width), staticmethod(up_to_itself), staticmethod(split)
    keeps_all = True  # changed by a mistake, as the steps above

    def __init__(self, d_model: int, n_heads: int):
        super().__init__()
        self.n_heads = n_heads
        for name in PROJECTIONS:
            self.add_module(name, nn.Linear(d_model, d_model))

    def forward(self, x: Tensor, past: tuple | None) -> tuple[Tensor, tuple]:
        maps = [getattr(self, name) for name in PROJECTIONS]
        q, k, v = (self.cut(project(x), self.n_heads) for project in maps[:3])
        new = k, v
        if past is not None:
            k, v = torch.cat([past[0], k], 2), torch.cat([past[1], v], 2)
        scores = (q @ k.mT / self.scale(q)).masked_fill(~self.may(q.size(2), k.size(2)), -math.inf)
        kept = (k, v) if self.keeps_all else new
        return maps[3](merge(scores.softmax(-1) @ v)), kept


class Thinking(nn.Module):
    bend = staticmethod(F.gelu)

    def __init__(self, d_model: int):
        super().__init__()
        self.w_in, self.w_out = nn.Linear(d_model, 4 * d_model), nn.Linear(4 * d_model, d_model)

    def forward(self, x: Tensor) -> Tensor:
        return self.w_out(self.bend(self.w_in(x)))


class Block(nn.Module):
    heads, thinking, norm = Heads, Thinking, nn.LayerNorm

    def __init__(self, d_model: int, n_heads: int):
        super().__init__()
        self.norm1, self.attn = self.norm(d_model), self.heads(d_model, n_heads)
        self.norm2, self.ffn = self.norm(d_model), self.thinking(d_model)

    def forward(self, x: Tensor, past: tuple | None) -> tuple[Tensor, tuple]:
        seen, kept = self.attn(self.norm1(x), past)
        x = x + seen
        return x + self.ffn(self.norm2(x)), kept


class PostNorm(Block):
    def forward(self, x, past):
        seen, kept = self.attn(x, past)
        x = self.norm1(x + seen)
        return self.norm2(x + self.ffn(x)), kept


class Reference(nn.Module):
    """Token plus position, blocks, norm, the token table once more. The cache: for each layer its keys and values."""

    block = Block

    def __init__(self, vocab: int, d_model: int, n_heads: int, n_layers: int, max_len: int):
        super().__init__()
        self.refuse(d_model, n_heads)
        self.tok, self.pos = nn.Embedding(vocab, d_model), nn.Embedding(max_len, d_model)
        self.blocks = nn.ModuleList(self.block(d_model, n_heads) for _ in range(n_layers))
        self.norm = nn.LayerNorm(d_model)

    def refuse(self, d_model: int, n_heads: int) -> None:
        insist_on_heads(d_model, n_heads)

    def new_cache(self) -> list:
        return [None] * len(self.blocks)

    def start(self, cache: list | None) -> int:
        """The position of the first of the new tokens."""
        return 0 if cache is None or cache[0] is None else cache[0][0].size(2)

    def embed(self, ids: Tensor, start: int) -> Tensor:
        return self.tok(ids) + self.pos(torch.arange(ids.size(1)) + start)

    def unembed(self, x: Tensor) -> Tensor:
        return F.linear(self.norm(x), self.tok.weight)

    def forward(self, ids: Tensor, cache: list | None = None):
        x, kept = self.embed(ids, self.start(cache)), []
        for block, past in zip(self.blocks, cache or [None] * len(self.blocks), strict=True):
            x, seen = block(x, past)
            kept.append(seen)
        logits = self.unembed(x)
        return logits if cache is None else (logits, kept)


def variant(**changed) -> type:
    return type("Variant", (Reference,), changed)


def blocks(kind: type = Block, **changed) -> type:
    return variant(block=type("Block", (kind,), changed))


def heads(**changed) -> type:
    steps = {name: staticmethod(step) if callable(step) else step for name, step in changed.items()}
    return blocks(heads=type("Heads", (Heads,), steps))


def bent(by) -> type:
    return blocks(thinking=type("Thinking", (Thinking,), {"bend": staticmethod(by)}))


class Untied(Reference):
    def __init__(self, vocab, d_model, n_heads, n_layers, max_len):
        super().__init__(vocab, d_model, n_heads, n_layers, max_len)
        self.head = nn.Linear(d_model, vocab, bias=False)

    def unembed(self, x):
        return self.head(self.norm(x))


class OneCache(Reference):
    """What was kept lies on the model, whatever cache is handed in."""

    def new_cache(self):
        self.kept = super().new_cache()
        return []

    def forward(self, ids, cache=None):
        if cache is None:
            return super().forward(ids)
        logits, self.kept = super().forward(ids, self.kept)
        return logits, []


class AnyHeads(Reference):
    def __init__(self, vocab, d_model, n_heads, n_layers, max_len):
        super().__init__(vocab, d_model, 1, n_layers, max_len)


NoFinalNorm = variant(unembed=lambda self, x: F.linear(x, self.tok.weight))
Louder = variant(embed=lambda self, ids, start: self.tok(ids) * self.tok.embedding_dim**0.5 + self.pos(torch.arange(ids.size(1)) + start))
FromZero = variant(start=lambda self, cache: 0)
NormAfter, OtherEps = blocks(PostNorm), blocks(norm=partial(nn.LayerNorm, eps=1e-6))
TanhGelu, Relu = bent(partial(F.gelu, approximate="tanh")), bent(F.relu)
SeesAhead = heads(may=lambda T_new, T: torch.ones(T_new, T, dtype=torch.bool))
TopLeft = heads(may=lambda T_new, T: torch.ones(T_new, T, dtype=torch.bool).tril())
NoScale = heads(scale=lambda q: 1.0)
ModelScale = heads(scale=lambda q: math.sqrt(q.size(1) * q.size(-1)))
CutAcross = heads(cut=lambda x, H: x.reshape(x.size(0), H, x.size(1), -1))
LastOnly = heads(keeps_all=False)
