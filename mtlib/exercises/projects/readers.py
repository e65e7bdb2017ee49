"""A text classifier as the checks know it, in single steps, and those that learners write by mistake."""

import torch
from torch import Tensor, nn

from ..decoder.layers import Heads


class Block(nn.Module):
    """Norm, look, add; with cross norm, look across, add; norm, think, add."""

    def __init__(self, d_model: int, n_heads: int, cross: bool = False, **steps):
        super().__init__()
        self.attn = Heads(d_model, n_heads, **steps)
        self.across = Heads(d_model, n_heads, **steps) if cross else None
        self.norms = nn.ModuleList(nn.LayerNorm(d_model) for _ in range(3))
        self.ffn = nn.Sequential(nn.Linear(d_model, 4 * d_model), nn.GELU(), nn.Linear(4 * d_model, d_model))

    def forward(self, x: Tensor, may: Tensor | None, memory: Tensor | None = None, may_across: Tensor | None = None) -> Tensor:
        h = self.norms[0](x)
        x = x + self.attn(h, h, may)
        if memory is not None:
            x = x + self.across(self.norms[1](x), memory, may_across)
        return x + self.ffn(self.norms[2](x))


class Thinking(Block):
    """A block that never looks at others."""

    def forward(self, x, may, memory=None, may_across=None):
        return x + self.ffn(self.norms[2](x))


class Table(nn.Module):
    """Token plus position."""

    first, placed = 0, True  # changed by a mistake

    def __init__(self, vocab: int, d_model: int, max_len: int):
        super().__init__()
        self.tok, self.pos = nn.Embedding(vocab, d_model), nn.Embedding(max_len, d_model)

    def forward(self, ids: Tensor) -> Tensor:
        if not self.placed:
            return self.tok(ids)
        return self.tok(ids) + self.pos(torch.arange(ids.size(1)) + self.first)


def table(**changed) -> type:
    return type("Table", (Table,), changed)


Unplaced, FromOne = table(placed=False), table(first=1)


def insist_on_heads(d_model: int, n_heads: int) -> None:
    if d_model % n_heads:
        raise ValueError(f"d_model={d_model} does not split into n_heads={n_heads} equal heads")


class Reference(nn.Module):
    """Table, blocks, norm, mean of the kept, head."""

    table, block, listed, steps = Table, Block, nn.ModuleList, {}

    def __init__(self, vocab: int, d_model: int, n_heads: int, n_layers: int, n_classes: int, max_len: int):
        super().__init__()
        self.refuse(d_model, n_heads)
        self.embed = self.table(vocab, d_model, max_len)
        self.blocks = self.listed([self.block(d_model, n_heads, **self.steps) for _ in range(n_layers)])
        self.norm, self.head = nn.LayerNorm(d_model), nn.Linear(d_model, n_classes)

    def refuse(self, d_model: int, n_heads: int) -> None:
        insist_on_heads(d_model, n_heads)

    def may(self, keep: Tensor) -> Tensor | None:
        return keep[:, None, None, :]

    def pool(self, hidden: Tensor, keep: Tensor) -> Tensor:
        return (hidden * keep[..., None]).sum(1) / keep.sum(1, keepdim=True)

    def end(self, logits: Tensor) -> Tensor:
        return logits

    def forward(self, ids: Tensor, keep: Tensor) -> Tensor:
        x = self.embed(ids)
        for block in self.blocks:
            x = block(x, self.may(keep))
        return self.end(self.head(self.pool(self.norm(x), keep)))


def variant(**changed) -> type:
    return type("Variant", (Reference,), changed)


class OneBlock(Reference):
    """The same block, n_layers times."""

    def __init__(self, vocab, d_model, n_heads, n_layers, n_classes, max_len):
        super().__init__(vocab, d_model, n_heads, 1, n_classes, max_len)
        self.n_layers = n_layers

    def forward(self, ids, keep):
        x = self.embed(ids)
        for _ in range(self.n_layers):
            x = self.blocks[0](x, self.may(keep))
        return self.head(self.pool(self.norm(x), keep))


class AnyHeads(Reference):
    """One head whatever is asked for, so that all sizes work."""

    def __init__(self, vocab, d_model, n_heads, n_layers, n_classes, max_len):
        super().__init__(vocab, d_model, 1, n_layers, n_classes, max_len)


PaddingBoth = variant(may=lambda self, keep: None, pool=lambda self, hidden, keep: hidden.mean(1))
PoolLast = variant(pool=lambda self, hidden, keep: hidden[:, -1])
FirstOfTriangle = variant(
    may=lambda self, keep: keep[:, None, None, :] & torch.ones(keep.size(1), keep.size(1), dtype=torch.bool).tril(),
    pool=lambda self, hidden, keep: hidden[:, 0],
)
NoPositions, CountedFromOne = variant(table=Unplaced), variant(table=FromOne)
NoLooking, PlainList = variant(block=Thinking), variant(listed=list)
Shares = variant(end=lambda self, logits: logits.softmax(-1))
