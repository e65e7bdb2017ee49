"""Right answers written otherwise than ours. Each must pass: a check that refuses one would teach falsely."""

import torch
import torch.nn.functional as F
from torch import nn


def shift_by_roll(targets, bos):
    out = targets.roll(1, dims=1)
    out[:, 0] = bos
    return out


def shift_by_pad(targets, bos):
    return F.pad(targets, (1, 0), value=bos)[:, :-1]


def shift_by_empty(targets, bos):
    out = torch.empty_like(targets)
    out[:, 1:] = targets[:, :-1]
    out[:, 0] = bos
    return out


def loss_row_by_row(model, source, targets, pad, bos):
    total, count = 0.0, 0
    logits = model(source, shift_by_pad(targets, bos))
    for scores, row in zip(logits, targets):
        for score, target in zip(scores, row.tolist()):
            if target != pad:
                total += (score.logsumexp(0) - score[target]).item()
                count += 1
    return total / count if count else 0.0


def loss_by_ignore_index(model, source, targets, pad, bos):
    inputs = torch.cat([torch.full_like(targets[:, :1], bos), targets], dim=1)[:, :-1]
    total = F.cross_entropy(model(source, inputs).transpose(1, 2), targets, ignore_index=pad, reduction="sum")
    return total / max(1, (targets != pad).sum())


def loss_by_selection(model, source, targets, pad, bos):
    asked = targets.ne(pad)
    if not asked.any():
        return torch.tensor(0.0)
    shares = model(source, shift_by_empty(targets, bos)).softmax(-1)[asked]
    return -shares[torch.arange(len(shares)), targets[asked]].log().mean()


class BlockByTorch(nn.Module):
    """On torch's attention, whose masks say who may not look."""

    def __init__(self, d_model, n_heads, d_ff, cross=False):
        super().__init__()
        if d_model % n_heads != 0:
            raise ValueError("heads")
        self.attn = nn.MultiheadAttention(d_model, n_heads, batch_first=True)
        self.across = nn.MultiheadAttention(d_model, n_heads, batch_first=True) if cross else None
        self.ln = nn.ModuleList(nn.LayerNorm(d_model) for _ in range(3))
        self.inner, self.outer = nn.Linear(d_model, d_ff, bias=False), nn.Linear(d_ff, d_model, bias=False)

    def forward(self, x, memory=None, keep=None, memory_keep=None):
        if (self.across is None) == (memory is not None):
            raise ValueError("memory")
        later = torch.ones(x.size(1), x.size(1), dtype=torch.bool).triu(1)
        if keep is not None:
            itself = torch.eye(x.size(1), dtype=torch.bool)  # padding sees itself, or its row would be NaN
            later = (later | ~keep[:, None, :] & ~itself).repeat_interleave(self.attn.num_heads, 0)
        h = self.ln[0](x)
        x = x + self.attn(h, h, h, attn_mask=later, need_weights=False)[0]
        if memory is not None:
            h, hidden, some = self.ln[1](x), None, 1.0
            if memory_keep is not None:
                some = memory_keep.any(1)[:, None, None]
                hidden = ~memory_keep & some[:, 0]
            x = x + some * self.across(h, memory, memory, key_padding_mask=hidden, need_weights=False)[0]
        return x + self.outer(torch.relu(self.inner(self.ln[2](x))))


class BlockByHand(nn.Module):
    """One loop over heads, RMS norm, SwiGLU, no bias anywhere."""

    def __init__(self, d_model, n_heads, d_ff, cross=False):
        super().__init__()
        if d_model % n_heads:
            raise ValueError(f"{d_model} / {n_heads}")
        self.H, self.cross = n_heads, cross
        self.maps = nn.ModuleList(nn.Linear(d_model, d_model, bias=False) for _ in range(8 if cross else 4))
        self.norms = nn.ModuleList(nn.RMSNorm(d_model) for _ in range(3 if cross else 2))
        self.w, self.gate, self.out = nn.Linear(d_model, d_ff), nn.Linear(d_model, d_ff), nn.Linear(d_ff, d_model)

    def look(self, maps, x, y, may):
        heads = []
        for q, k, v in zip(*(m(s).chunk(self.H, dim=-1) for m, s in zip(maps, (x, y, y)))):
            scores = torch.einsum("bte,bse->bts", q, k) / q.size(-1) ** 0.5
            weights = scores.masked_fill(~may, float("-inf")).softmax(-1).masked_fill(~may, 0.0)
            heads.append(weights @ v)
        return maps[3](torch.cat(heads, dim=-1))

    def forward(self, x, memory=None, keep=None, memory_keep=None):
        if self.cross and memory is None or not self.cross and memory is not None:
            raise ValueError("cross and memory")
        place = torch.arange(x.shape[1])
        may = (place[:, None] >= place).expand(len(x), -1, -1)
        may = may if keep is None else may & keep.unsqueeze(1)
        h = self.norms[0](x)
        x = x + self.look(self.maps[:4], h, h, may)
        if self.cross:
            B, S, _ = memory.shape
            seen = torch.ones(B, S, dtype=torch.bool) if memory_keep is None else memory_keep
            x = x + self.look(self.maps[4:], self.norms[1](x), memory, seen[:, None, :].expand(-1, x.size(1), -1))
        h = self.norms[-1](x)
        return x + self.out(F.silu(self.gate(h)) * self.w(h))


ANSWERS = {
    "decoder.shift_right": [(shift_by_roll,), (shift_by_pad,), (shift_by_empty,)],
    "decoder.teacher_forcing": [(loss_row_by_row,), (loss_by_ignore_index,), (loss_by_selection,)],
    "decoder.block": [(BlockByTorch,), (BlockByHand,)],
}
