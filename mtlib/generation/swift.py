"""One more token, with nothing in the way: what DecoderLM does at a step, called part by part.

A step of a small model is a few dozen products of one row. Hooks, checks and the calls of a
hundred modules take longer than they do, and a cache that is joined anew at each step is copied
at each step. Here the three projections are one product, keys and values are written into room
made beforehand, and the functions are called directly, on rows (N, D). Where there is one row,
torch 2.13 needs three things said another way, each of which costs it half of the time or more:

    x Wᵀ       a vector (D,), for it takes longer over (1, D), and longer still over (1, 1, D)
    a large W  in as many slices as there are cores, for it gives the product with a vector to one
    attention  two products and a softmax, for its fused kernel is made for many queries

Only a model that was made fast by mt.use_fused is taken so: nobody can look inside it anyway.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..attention import MultiHeadAttention
from ..cores import FusedCore
from ..decoder import DecoderBlock
from ..ffn import FeedForward, GatedFeedForward
from ..masks import causal_keep
from ..norm import LayerNorm, RMSNorm
from ..position import Position
from ..transformer import DecoderLM

Step = Callable[[Tensor], Tensor]
NORMS = {LayerNorm, RMSNorm}
ROOM = 64  # positions that a cache has room for at first; it doubles
LARGE = 1 << 18  # weights of a matrix: from here on, two cores are faster than one


class Room:
    """Keys and values of all layers, (2·L, B, G, capacity, E), of which the first ``len`` positions are filled."""

    def __init__(self, n_layers: int) -> None:
        self.n_layers, self.length = n_layers, 0
        self.kv: Tensor | None = None

    def __len__(self) -> int:
        return self.length

    def open(self, shape: tuple[int, int, int, int], like: Tensor) -> list[tuple[Tensor, ...]]:
        """T more positions: each layer's places of their keys and values, (B, G, T, E), and of all, (B·G, T_all, E), as views."""
        B, G, T, E = shape
        end, kv = self.length + T, self.kv
        if kv is None or end > kv.size(3):
            kv = self._grow(like.new_empty(2 * self.n_layers, B, G, max(ROOM, 1 << (end - 1).bit_length()), E))
        new, every = kv.narrow(3, self.length, T).unbind(), kv.flatten(1, 2).narrow(2, 0, end).unbind()
        self.length = end
        return list(zip(new[::2], new[1::2], every[::2], every[1::2]))

    def _grow(self, new: Tensor) -> Tensor:
        if self.kv is not None:
            new[..., : self.length, :] = self.kv[..., : self.length, :]
        self.kv = new
        return new

    def select(self, rows: Tensor) -> None:
        """Go on with these rows of the batch."""
        self.kv = None if self.kv is None else self.kv[:, rows]

    def truncate(self, length: int) -> None:
        """Forget all but the first `length` positions."""
        self.length = min(self.length, length)


def swift(model: nn.Module) -> "nn.Module | Swift":
    """A fused DecoderLM of our own parts, without hooks, as a Swift; any other model as it is."""
    plain = type(model) is DecoderLM and not model.cross and all(map(_plain, model.blocks)) and type(model.norm) in NORMS
    watched = any(part._forward_hooks or part._forward_pre_hooks for part in model.modules())
    return Swift(model) if plain and not watched else model


def _plain(block: nn.Module) -> bool:
    ours = type(block) is DecoderBlock and type(block.attn) is MultiHeadAttention and type(block.attn.core) is FusedCore
    return ours and type(block.ffn) in (FeedForward, GatedFeedForward) and {type(block.norm1), type(block.norm2)} <= NORMS


class Swift:
    """A fused DecoderLM as a writer; built anew for each text, so that it never holds yesterday's weights.

    Gives the logits of the newest position alone, (B, 1, V). To be called under torch.inference_mode or torch.no_grad.
    """

    @torch.no_grad()
    def __init__(self, model: DecoderLM):
        self.embedding, self.position = model.tok.weight, model.pos
        self.layers = [_Layer(block, model.pos) for block in model.blocks]
        self.pre, self.norm = model.config.parts.placement == "pre", _norm(model.norm)
        self.unembed = _product(self.embedding if model.head is None else model.head.weight)

    def new_cache(self) -> Room:
        return Room(len(self.layers))

    def __call__(self, ids: Tensor, cache: Room) -> Tensor:
        (B, T), start, first = ids.shape, len(cache), self.layers[0]
        x = self.position.forward(torch.embedding(self.embedding, ids), start)
        places = cache.open((B, first.groups, T, first.width), like=x)
        x = x.view(-1) if B == T == 1 else x.flatten(0, 1)
        x = x if self.pre else self.norm(x)
        for layer, place in zip(self.layers, places):
            x = layer(x, B, T, start, place)
        x = x if T == 1 else x[T - 1 :: T]  # nobody asks what came after the earlier ones
        return self.unembed(self.norm(x) if self.pre else x).view(B, 1, -1)


class _Layer:
    """A block of the decoder, its projections side by side in one matrix, the scores' 1/√E in the queries' part of it."""

    def __init__(self, block: DecoderBlock, position: Position):
        attn = block.attn
        self.heads, self.groups, self.width = attn.n_heads, attn.n_kv_heads, attn.q_proj.out_features // attn.n_heads
        three, scale = (attn.q_proj, attn.k_proj, attn.v_proj), self.width**-0.5
        weights, biases = [proj.weight.t() for proj in three], [proj.bias for proj in three]
        joined = None if biases[0] is None else torch.cat([biases[0] * scale, *biases[1:]])
        self.project, self.out = _product(torch.cat([weights[0] * scale, *weights[1:]], 1).t(), joined), _linear(attn.o_proj)
        self.turn = None if type(position).turn is Position.turn else position.turn
        self.bias = None if type(position).bias is Position.bias else position.bias
        self.norm1, self.norm2, self.ffn = _norm(block.norm1), _norm(block.norm2), _ffn(block.ffn)
        self.pre = block.resid_mid.placement == "pre"

    def __call__(self, x: Tensor, B: int, T: int, start: int, place: tuple[Tensor, ...]) -> Tensor:
        if self.pre:
            x = x.add_(self.attend(self.norm1(x), B, T, start, place))
            return x.add_(self.ffn(self.norm2(x)))
        x = self.norm1(x + self.attend(x, B, T, start, place))
        return self.norm2(x + self.ffn(x))

    def attend(self, x: Tensor, B: int, T: int, start: int, place: tuple[Tensor, ...]) -> Tensor:
        new_k, new_v, k, v = place
        H, G, E = self.heads, self.groups, self.width
        rows = self.project(x)
        rows = rows.view(B, H + 2 * G, 1, E) if T == 1 else rows.view(B, T, H + 2 * G, E).transpose(1, 2)
        if self.turn is None:
            q, own_k, own_v = rows.split_with_sizes((H, G, G), 1)
        else:
            both, own_v = rows.split_with_sizes((H + G, G), 1)
            q, own_k = self.turn(both, start).split_with_sizes((H, G), 1)
        new_k.copy_(own_k)
        new_v.copy_(own_v)
        bias = None if self.bias is None else self.bias(q, k.view(B, G, -1, E))
        if T > 1:
            return self.out(_many_queries(q, k.view(B, G, -1, E), v.view(B, G, -1, E), bias))
        # The heads of a group are the rows of one product.
        scores = torch.bmm(q.reshape(B * G, H // G, E), k.mT)
        if bias is not None:
            scores = (scores.view(B, H, 1, -1) + bias).view(scores.shape)
        heads = torch.bmm(scores.softmax(-1), v)
        return self.out(heads.view(-1) if B == 1 else heads.view(B, -1))


def _many_queries(q: Tensor, k: Tensor, v: Tensor, bias: Tensor | None) -> Tensor:
    """What the T newest positions read, (B·T, H·E), no one of them later than itself; q comes divided by √E."""
    keep = causal_keep(q.size(2), k.size(2), device=q.device)
    mask = keep if bias is None else bias.masked_fill(~keep, float("-inf"))
    heads = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, enable_gqa=q.size(1) != k.size(1), scale=1.0)
    return heads.transpose(1, 2).flatten(0, 1).flatten(1)


def _linear(layer: nn.Linear) -> Step:
    return _product(layer.weight, layer.bias)


def _product(weight: Tensor, bias: Tensor | None = None) -> Step:
    """x Wᵀ + b of a vector (D,), or of rows (N, D)."""
    (rows, columns), cores = weight.shape, torch.get_num_threads()
    large = weight.device.type == "cpu" and weight.numel() >= LARGE and cores > 1 and rows % cores == 0
    slices = weight.unflatten(0, (cores, rows // cores)).mT if large else None

    def product(x: Tensor) -> Tensor:
        if x.dim() > 1:
            return F.linear(x, weight, bias)
        if slices is None:
            return torch.mv(weight, x) if bias is None else torch.addmv(bias, weight, x)
        y = torch.bmm(x.expand(cores, 1, columns), slices).view(rows)
        return y if bias is None else y + bias

    return product


def _norm(norm: LayerNorm | RMSNorm) -> Step:
    weight, eps = norm.weight, norm.eps
    if isinstance(norm, RMSNorm):
        return lambda x: x * torch.rsqrt(x.square().mean(-1, keepdim=True) + eps) * weight  # torch.rms_norm takes three times as long here
    shape, bias = list(weight.shape), norm.bias
    return lambda x: torch.layer_norm(x, shape, weight, bias, eps)


def _ffn(ffn: FeedForward | GatedFeedForward) -> Step:
    into, out, bend = _linear(ffn.w_in), _linear(ffn.w_out), ffn.activation
    if isinstance(ffn, GatedFeedForward):
        gate = _linear(ffn.w_gate)
        return lambda x: out(bend(gate(x)) * into(x))
    return lambda x: out(bend(into(x)))
