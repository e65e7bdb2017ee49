"""A decoder, written plainly: torch alone, a mechanism a line, so that one line can be got wrong at a time.

It keeps the interface of the course's third rebuild, and the parameter names of mtlib.DecoderLM:

    logits = model(ids)                           (B, T, V)
    logits, cache = model(ids, model.new_cache())

slips.py edits this very text, so each line it names must stand here once. That is why the lines
are plainer, and a few of them longer, than a library's would be.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Attention(nn.Module):
    """Causal self-attention of several heads."""

    def __init__(self, d_model: int, n_heads: int):
        super().__init__()
        self.n_heads = n_heads
        self.q_proj, self.k_proj, self.v_proj, self.o_proj = (nn.Linear(d_model, d_model) for _ in range(4))

    def heads(self, x: Tensor) -> Tensor:
        x = x.unflatten(-1, (self.n_heads, -1))
        return x.transpose(1, 2)  # (B, H, T, E)

    def forward(self, x: Tensor, past: tuple[Tensor, Tensor] | None) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        q, k, v = (self.heads(proj(x)) for proj in (self.q_proj, self.k_proj, self.v_proj))
        if past is not None:
            k, v = torch.cat([past[0], k], dim=2), torch.cat([past[1], v], dim=2)
        seen = torch.ones(q.size(2), k.size(2), dtype=torch.bool)
        seen = seen.tril(k.size(2) - q.size(2))
        scores = q @ k.mT
        scores = scores / math.sqrt(q.size(-1))
        scores = scores.masked_fill(~seen, -math.inf)
        weights = scores.softmax(dim=-1)
        z = weights @ v
        z = z.transpose(1, 2).flatten(2)  # (B, T, D)
        return self.o_proj(z), (k, v)


class FeedForward(nn.Module):
    """Out to four times the width and back."""

    def __init__(self, d_model: int):
        super().__init__()
        self.w_in, self.w_out = nn.Linear(d_model, 4 * d_model), nn.Linear(4 * d_model, d_model)

    def forward(self, x: Tensor) -> Tensor:
        x = F.gelu(self.w_in(x))
        return self.w_out(x)


class Block(nn.Module):
    """Pre-norm: the norm stands before each sublayer, and not on the road."""

    def __init__(self, d_model: int, n_heads: int):
        super().__init__()
        self.norm1, self.attn = nn.LayerNorm(d_model), Attention(d_model, n_heads)
        self.norm2, self.ffn = nn.LayerNorm(d_model), FeedForward(d_model)

    def forward(self, x: Tensor, past: tuple[Tensor, Tensor] | None) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        h = self.norm1(x)
        z, kv = self.attn(h, past)
        x = x + z
        h = self.norm2(x)
        x = x + self.ffn(h)
        return x, kv


class LM(nn.Module):
    """A language model with learned positions and a tied head; a cache is a list of (keys, values), one a block."""

    def __init__(self, vocab: int, d_model: int, n_heads: int, n_layers: int, max_len: int):
        super().__init__()
        self.tok, self.pos = nn.Embedding(vocab, d_model), nn.Embedding(max_len, d_model)
        self.blocks = nn.ModuleList(Block(d_model, n_heads) for _ in range(n_layers))
        self.norm = nn.LayerNorm(d_model)
        self.head = lambda h: h @ self.tok.weight.T
        for w in self.parameters():
            if w.dim() == 2:
                w.data.normal_(0, 0.1)

    def new_cache(self) -> list[tuple[Tensor, Tensor]]:
        return []

    def forward(self, ids: Tensor, cache: list | None = None):
        start = cache[0][0].size(2) if cache else 0
        at = torch.arange(ids.size(1))
        at = at + start
        x = self.tok(ids)
        x = x + self.pos(at)
        new = []
        for i, block in enumerate(self.blocks):
            x, kv = block(x, cache[i] if cache else None)
            new.append(kv)
        x = self.norm(x)
        logits = self.head(x)
        return logits if cache is None else (logits, new)


def update(model: nn.Module, rows: Tensor, optimiser: torch.optim.Optimizer) -> float:
    """One step of training on rows (B, T + 1); its loss, before the step."""
    inputs, targets = rows[:, :-1], rows[:, 1:]
    loss = F.cross_entropy(model(inputs).flatten(0, 1), targets.flatten())
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()
    return loss.item()
