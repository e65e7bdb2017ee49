"""An encoder-decoder as the checks know it, in single steps, and those that learners write by mistake."""

import torch
from torch import Tensor, nn

from .readers import Block, Table, Unplaced, insist_on_heads


class Reference(nn.Module):
    """Read the source; write, looking at what was written and at all of the source."""

    source_table, target_table, listed, steps = Table, Table, nn.ModuleList, {}  # changed by a mistake

    def __init__(self, vocab_source: int, vocab_target: int, d_model: int, n_heads: int, n_layers: int, max_len: int):
        super().__init__()
        self.refuse(d_model, n_heads)
        self.read, self.write = self.source_table(vocab_source, d_model, max_len), self.target_table(vocab_target, d_model, max_len)
        self.encoder = self.listed([Block(d_model, n_heads, **self.steps) for _ in range(n_layers)])
        self.decoder = self.listed([Block(d_model, n_heads, cross=True, **self.steps) for _ in range(n_layers)])
        self.norm_source, self.norm = nn.LayerNorm(d_model), nn.LayerNorm(d_model)
        self.head = nn.Linear(d_model, vocab_target)

    def refuse(self, d_model: int, n_heads: int) -> None:
        insist_on_heads(d_model, n_heads)

    def may_read(self, keep: Tensor) -> Tensor | None:
        return keep[:, None, None, :]

    def may_write(self, T: int) -> Tensor:
        return torch.ones(T, T, dtype=torch.bool).tril()

    def may_look_across(self, T: int, keep: Tensor) -> Tensor | None:
        return keep[:, None, None, :]

    def shown(self, inputs: Tensor) -> Tensor:
        return inputs

    def memory(self, source: Tensor, keep: Tensor) -> Tensor:
        x = self.read(source)
        for block in self.encoder:
            x = block(x, self.may_read(keep))
        return self.norm_source(x)

    def end(self, logits: Tensor) -> Tensor:
        return logits

    def forward(self, source: Tensor, inputs: Tensor, source_keep: Tensor) -> Tensor:
        memory, T = self.memory(source, source_keep), inputs.size(1)
        x = self.write(self.shown(inputs))
        for block in self.decoder:
            x = block(x, self.may_write(T), memory, self.may_look_across(T, source_keep))
        return self.end(self.head(self.norm(x)))


def variant(**changed) -> type:
    return type("Variant", (Reference,), changed)


def _once_more(self: Reference, inputs: Tensor) -> Tensor:
    return torch.cat([torch.zeros_like(inputs[:, :1]), inputs[:, :-1]], dim=1)


class AnyHeads(Reference):
    def __init__(self, vocab_source, vocab_target, d_model, n_heads, n_layers, max_len):
        super().__init__(vocab_source, vocab_target, d_model, 1, n_layers, max_len)


class OneVocabulary(Reference):
    """A head as wide as the source's vocabulary."""

    def __init__(self, vocab_source, vocab_target, d_model, n_heads, n_layers, max_len):
        super().__init__(vocab_source, vocab_target, d_model, n_heads, n_layers, max_len)
        self.head = nn.Linear(d_model, vocab_source)


SeesAhead = variant(may_write=lambda self, T: torch.ones(T, T, dtype=torch.bool))
SourceUnread = variant(memory=lambda self, source, keep: self.norm_source(torch.zeros_like(self.read(source))))
FirstOfSource = variant(memory=lambda self, source, keep: self.read(source)[:, :1], may_look_across=lambda self, T, keep: None)
PaddingBoth = variant(may_read=lambda self, keep: None, may_look_across=lambda self, T, keep: None)
ShiftedOnceMore = variant(shown=_once_more)
NoSourcePositions, NoTargetPositions = variant(source_table=Unplaced), variant(target_table=Unplaced)
PlainList = variant(listed=list)
Shares = variant(end=lambda self, logits: logits.softmax(-1))
