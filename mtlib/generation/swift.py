"""One more token, with nothing in the way: what DecoderLM does at a step, called part by part.

A step of a small model is a few dozen products of one row. Hooks, checks and the calls of a
hundred modules take longer than they do, and a cache that is joined anew at each step is copied
at each step. Here the three projections are one product, keys and values are written into room
made beforehand, and the functions are called directly, on rows (B·T, D): torch 2.13 takes up to twice
as long for a product of (1, 1, D) as for the same one of (1, D). Only a model that was made fast by
mt.use_fused is taken so, for there nobody can look inside anyway; `swift` hands back the model
itself where it is explicit, has hooks, or has a part that is not of this library.
"""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..attention import MultiHeadAttention
from ..cores import FusedCore, not_later
from ..decoder import DecoderBlock
from ..ffn import FeedForward, GatedFeedForward
from ..norm import LayerNorm, RMSNorm
from ..position import Position
from ..transformer import DecoderLM

Step = Callable[[Tensor], Tensor]
NORMS = {LayerNorm, RMSNorm}
ROOM = 64  # positions that a cache has room for at first; it doubles


class Room:
    """Keys and values of all layers, (L, 2, B, G, capacity, E), of which the first ``len`` positions are filled."""

    def __init__(self, n_layers: int) -> None:
        self.n_layers, self.length = n_layers, 0
        self.kv: Tensor | None = None

    def __len__(self) -> int:
        return self.length

    def append(self, i: int, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        """Write layer i's new positions after those there are, and give all of them: (B, G, T_all, E) each."""
        end = self.length + k.size(2)
        if self.kv is None or end > self.kv.size(4):
            self._grow(k, end)
        mine = self.kv[i, :, :, :, :end]
        mine[0, :, :, self.length :] = k
        mine[1, :, :, self.length :] = v
        return mine[0], mine[1]

    def _grow(self, like: Tensor, to: int) -> None:
        B, G, _, E = like.shape
        new = like.new_empty(self.n_layers, 2, B, G, max(ROOM, 1 << (to - 1).bit_length()), E)
        if self.kv is not None:
            new[..., : self.length, :] = self.kv[..., : self.length, :]
        self.kv = new

    def select(self, rows: Tensor) -> None:
        """Go on with these rows of the batch."""
        self.kv = None if self.kv is None else self.kv[:, :, rows]

    def truncate(self, length: int) -> None:
        """Forget all but the first `length` positions."""
        self.length = min(self.length, length)


def swift(model: nn.Module) -> "nn.Module | Swift":
    """The model as a Swift where that is the same function: a fused DecoderLM of our own parts that nobody watches."""
    plain = type(model) is DecoderLM and not model.cross and all(map(_plain, model.blocks)) and type(model.norm) in NORMS
    watched = any(part._forward_hooks or part._forward_pre_hooks for part in model.modules())
    return Swift(model) if plain and not watched else model


def _plain(block: nn.Module) -> bool:
    ours = type(block) is DecoderBlock and type(block.attn) is MultiHeadAttention and type(block.attn.core) is FusedCore
    return ours and type(block.ffn) in (FeedForward, GatedFeedForward) and {type(block.norm1), type(block.norm2)} <= NORMS


class Swift:
    """A fused DecoderLM as a writer; built anew for each text, so that it never holds yesterday's weights.

    Gives the logits of the newest position alone, (B, 1, V).
    """

    @torch.no_grad()
    def __init__(self, model: DecoderLM):
        self.model, self.layers = model, [_Layer(block, i) for i, block in enumerate(model.blocks)]
        self.pre, self.norm = model.config.parts.placement == "pre", _norm(model.norm)
        self.unembed = (model.tok if model.head is None else model.head).weight

    def new_cache(self) -> Room:
        return Room(len(self.layers))

    def __call__(self, ids: Tensor, cache: Room) -> Tensor:
        position, start, (B, T) = self.model.pos, len(cache), ids.shape
        x = position.forward(F.embedding(ids, self.model.tok.weight), start).flatten(0, 1)
        x = x if self.pre else self.norm(x)
        for layer in self.layers:
            x = layer(x, B, cache, position)
        cache.length = start + T
        x = x[T - 1 :: T]  # nobody asks what came after the earlier ones
        return F.linear(self.norm(x) if self.pre else x, self.unembed)[:, None]


class _Layer:
    """Block i of the decoder, its projections side by side in one matrix."""

    def __init__(self, block: DecoderBlock, i: int):
        attn, self.i = block.attn, i
        three = attn.q_proj, attn.k_proj, attn.v_proj
        weight = torch.cat([proj.weight for proj in three])
        self.project = partial(F.linear, weight=weight, bias=_joined([proj.bias for proj in three]))
        self.out, self.heads, self.groups = _linear(attn.o_proj), attn.n_heads, attn.n_kv_heads
        self.norm1, self.norm2, self.ffn = _norm(block.norm1), _norm(block.norm2), _ffn(block.ffn)
        self.pre = block.resid_mid.placement == "pre"

    def __call__(self, x: Tensor, B: int, cache: Room, position: Position) -> Tensor:
        if self.pre:
            x = x + self.attend(self.norm1(x), B, cache, position)
            return x + self.ffn(self.norm2(x))
        x = self.norm1(x + self.attend(x, B, cache, position))
        return self.norm2(x + self.ffn(x))

    def attend(self, x: Tensor, B: int, cache: Room, position: Position) -> Tensor:
        H, G, start = self.heads, self.groups, len(cache)
        both, v = self.project(x).view(B, len(x) // B, H + 2 * G, -1).transpose(1, 2).split([H + G, G], dim=1)
        q, k = position.turn(both, start).split([H, G], dim=1)
        k, v = cache.append(self.i, k, v)
        bias, keep = position.bias(q, k), not_later(q, k, None)
        mask = keep if bias is None else bias if keep is None else bias.masked_fill(~keep, float("-inf"))
        heads = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, enable_gqa=H != G)
        return self.out(heads.transpose(1, 2).reshape(len(x), -1))


def _joined(biases: list[Tensor | None]) -> Tensor | None:
    return None if biases[0] is None else torch.cat(biases)


def _linear(layer: nn.Linear) -> Step:
    return partial(F.linear, weight=layer.weight, bias=layer.bias)


def _norm(norm: LayerNorm | RMSNorm) -> Step:
    shape, weight, eps = list(norm.weight.shape), norm.weight, norm.eps
    if isinstance(norm, RMSNorm):
        return lambda x: x * torch.rsqrt(x.square().mean(-1, keepdim=True) + eps) * weight  # torch.rms_norm takes three times as long here
    return lambda x: torch.layer_norm(x, shape, weight, norm.bias, eps)


def _ffn(ffn: FeedForward | GatedFeedForward) -> Step:
    into, out, bend = _linear(ffn.w_in), _linear(ffn.w_out), ffn.activation
    if isinstance(ffn, GatedFeedForward):
        gate = _linear(ffn.w_gate)
        return lambda x: out(bend(gate(x)) * into(x))
    return lambda x: out(bend(into(x)))
