"""Right answers written otherwise than ours. Each must pass: a check that refuses one would teach falsely."""

import math

import torch
import torch.nn.functional as F
from torch import nn

from mtlib.attention import MultiHeadAttention as LibraryAttention


def scores_by_einsum(q, k):
    return torch.einsum("...id,...jd->...ij", q, k) * k.shape[-1] ** -0.5


def scores_by_sum(q, k):
    return (q[..., :, None, :] * k[..., None, :, :]).sum(-1) / math.sqrt(q.size(-1))


def scores_scaled_first(q, k):
    return torch.matmul(q / q.shape[-1] ** 0.5, k.transpose(-1, -2))


def sdpa_by_logsumexp(q, k, v, keep=None):
    s = scores_by_einsum(q, k)
    if keep is None:
        return (w := (s - s.logsumexp(-1, keepdim=True)).exp()) @ v, w
    s = torch.where(keep, s, torch.finfo(s.dtype).min / 4)
    w = (s - s.logsumexp(-1, keepdim=True)).exp() * keep
    return w @ v, w


def sdpa_by_hand(q, k, v, keep=None):
    s = q @ k.mT / math.sqrt(q.shape[-1])
    keep = torch.ones_like(s, dtype=torch.bool) if keep is None else keep.expand_as(s)
    top = torch.where(keep, s, -torch.inf).amax(-1, keepdim=True)
    top = torch.where(top.isinf(), torch.zeros_like(top), top).detach()
    e = torch.where(keep, torch.where(keep, s - top, 0.0).exp(), 0.0)
    total = e.sum(-1, keepdim=True)
    w = e / torch.where(total == 0, 1.0, total)
    return torch.einsum("...ij,...jd->...id", w, v), w


def sdpa_by_nan_to_num(q, k, v, keep=None):
    s = q @ k.mT / q.shape[-1] ** 0.5
    w = (s if keep is None else s.masked_fill(keep.logical_not(), float("-inf"))).softmax(-1).nan_to_num(0.0)
    return w @ v, w


def causal_by_arange(T_q, T_k):
    if T_q < 1 or T_q > T_k:
        raise ValueError("1 <= T_q <= T_k")
    return torch.arange(T_k) <= torch.arange(T_k - T_q, T_k)[:, None]


def causal_by_list(T_q, T_k):
    if not 0 < T_q <= T_k:
        raise ValueError("no")
    return torch.tensor([[j <= T_k - T_q + i for j in range(T_k)] for i in range(T_q)])


def padding_by_invert(ids, pad):
    return ~ids.eq(pad).unsqueeze(1).unsqueeze(1)


def padding_by_view(ids, pad):
    return torch.ne(ids, pad).view(ids.shape[0], 1, 1, ids.shape[1])


def split_by_chunk(x, n_heads):
    if x.size(-1) % n_heads != 0:
        raise ValueError("uneven")
    return torch.stack(x.chunk(n_heads, dim=-1), dim=1)


def merge_by_cat(x):
    return torch.cat(x.unbind(1), dim=-1)


def split_by_slices(x, n_heads):
    E, rest = divmod(x.shape[2], n_heads)
    if rest:
        raise ValueError("uneven")
    return torch.stack([x[:, :, h * E : (h + 1) * E] for h in range(n_heads)], 1)


def merge_by_permute(x):
    B, H, T, E = x.shape
    return x.permute(0, 2, 1, 3).contiguous().view(B, T, H * E)


class ByFusedKernel(nn.Module):
    def __init__(self, d_model, n_heads):
        super().__init__()
        if d_model % n_heads != 0:
            raise ValueError("uneven")
        self.h = n_heads
        self.q_proj, self.k_proj, self.v_proj, self.o_proj = (nn.Linear(d_model, d_model) for _ in range(4))

    def forward(self, x, context=None, keep=None):
        y = context if context is not None else x
        q, k, v = (split_by_chunk(t, self.h) for t in (self.q_proj(x), self.k_proj(y), self.v_proj(y)))
        return self.o_proj(merge_by_cat(F.scaled_dot_product_attention(q, k, v, attn_mask=keep)))


def grouped_by_broadcast(q, k, v, keep=None):
    B, H, T, E = q.shape
    G = k.shape[1]
    if H % G:
        raise ValueError("uneven")
    if keep is not None:
        keep = keep.expand(B, H, T, k.shape[2]).unflatten(1, (G, H // G))
    return sdpa_by_hand(q.unflatten(1, (G, H // G)), k.unsqueeze(2), v.unsqueeze(2), keep)[0].flatten(1, 2)


def grouped_by_fused_kernel(q, k, v, keep=None):
    if q.shape[1] % k.shape[1]:
        raise ValueError("uneven")
    n = q.shape[1] // k.shape[1]
    return F.scaled_dot_product_attention(q, k.repeat_interleave(n, 1), v.repeat_interleave(n, 1), attn_mask=keep)


def head_by_keys(d_pos):
    """The keys say who they are good for, the queries who they are: the other way round, and as right."""
    w_k = torch.zeros(d_pos, d_pos)
    for t in range(1, d_pos):
        w_k[t - 1, t] = 1000.0
    return torch.eye(d_pos), w_k


def head_by_rotation(d_pos):
    """Distances as scores: 2·a·b is largest where a is b, with two numbers a position and the rest unused."""
    c = 12.0 * math.sqrt(d_pos)
    where = torch.arange(d_pos, dtype=torch.float32)
    asked = where - 1
    if d_pos < 3:
        return 60 * torch.roll(torch.eye(d_pos), -1, 1).T.contiguous(), torch.eye(d_pos)
    w_q, w_k = torch.zeros(d_pos, d_pos), torch.zeros(d_pos, d_pos)
    w_q[:, 0], w_q[:, 1] = 2 * c * asked, -c
    w_k[:, 0], w_k[:, 1] = where, where**2
    return w_q, w_k


def picture_by_cat(weights, columns):
    if not columns > 0:
        raise ValueError("no columns")
    blank = torch.zeros_like(weights[:1]).expand(-len(weights) % columns, -1, -1)
    bands = torch.cat([weights, blank]).split(columns)
    return torch.cat([torch.cat(band.unbind(), dim=1) for band in bands])


def picture_by_entries(weights, columns):
    if columns < 1:
        raise ValueError("no columns")
    H, T_q, T_k = weights.shape
    page = weights.new_zeros((H + columns - 1) // columns * T_q, columns * T_k)
    h, i, j = torch.meshgrid(*map(torch.arange, weights.shape), indexing="ij")
    page[h // columns * T_q + i, h % columns * T_k + j] = weights
    return page


def picture_by_pad(weights, columns):
    if columns <= 0:
        raise ValueError("no columns")
    (H, T_q, T_k), rows = weights.shape, math.ceil(weights.shape[0] / columns)
    tiles = F.pad(weights, (0, 0, 0, 0, 0, rows * columns - H)).reshape(rows, columns, T_q, T_k)
    return tiles.permute(0, 2, 1, 3).reshape(rows * T_q, columns * T_k)


ANSWERS = {
    "attention.scores": [(scores_by_einsum,), (scores_by_sum,), (scores_scaled_first,)],
    "attention.scaled_dot_product": [(sdpa_by_logsumexp,), (sdpa_by_hand,), (sdpa_by_nan_to_num,)],
    "attention.causal_keep": [(causal_by_arange,), (causal_by_list,)],
    "attention.padding_keep": [(padding_by_invert,), (padding_by_view,)],
    "attention.heads": [(split_by_chunk, merge_by_cat), (split_by_slices, merge_by_permute)],
    "attention.multi_head": [(ByFusedKernel,), (LibraryAttention,)],
    "attention.grouped": [(grouped_by_broadcast,), (grouped_by_fused_kernel,)],
    "attention.hand_built_head": [(head_by_keys,), (head_by_rotation,)],
    "attention.picture": [(picture_by_cat,), (picture_by_entries,), (picture_by_pad,)],
}
