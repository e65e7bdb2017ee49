"""Attention: every position asks, every position answers in proportion to the match.

    Attention(Q, K, V) = softmax(Q Kᵀ / √E) V            (Vaswani et al. 2017, section 3.2)

Letters: B batch, T_q and T_k positions that ask and that are asked, D d_model, H heads,
E = D / H the width of a head, G heads of keys and values (G = H unless they are shared).

Two cores compute the formula. ExplicitCore writes it out, so that scores and weights can be
seen and replaced by mt.trace. FusedCore hands it to torch, which forms no T_q × T_k matrix
where it has a fused kernel for the case. They hold no parameters: models swap them by use_fused and use_explicit, and their
state dicts stay equal.

Left out: rotary and relative positions, which come with position.py.
"""

import math

import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor, nn

from . import _check
from .cache import KVCache
from .trace import Tap


class ExplicitCore(nn.Module):
    """softmax(q kᵀ / √E) v, a line a step; taps: ``scores`` (masked) and ``weights``.

    Shapes: q (…, T_q, E), k (…, T_k, E), v (…, T_k, E_v) -> (…, T_q, E_v). A query that may
    look at nothing gets zeros.
    """

    def __init__(self, dropout: float = 0.0):
        super().__init__()
        self.scores, self.weights = Tap(), Tap()
        self.dropout = nn.Dropout(dropout)

    def forward(
        self,
        q: Float[Tensor, "*heads T_q E"],
        k: Float[Tensor, "*heads T_k E"],
        v: Float[Tensor, "*heads T_k E_v"],
        keep: Bool[Tensor, "..."] | None = None,
    ) -> Float[Tensor, "*heads T_q E_v"]:
        # Divided before the product, so that half precision does not overflow in between.
        scores = q / math.sqrt(q.size(-1)) @ k.mT  # (B, H, T_q, T_k)
        if keep is not None:
            scores = scores.masked_fill(~keep, float("-inf"))
        weights = self.scores(scores).softmax(dim=-1)
        if keep is not None:
            # A row with nothing to look at is 0/0 = NaN after the softmax. Filling once more
            # makes it zero, and its gradient too; elsewhere it changes nothing.
            weights = weights.masked_fill(~keep, 0.0)
        return self.dropout(self.weights(weights)) @ v


class FusedCore(nn.Module):
    """The same function by torch's fused attention: faster, and blind, for weights are not put out."""

    trace_hint = "fused attention does not put out its scores and weights; call mt.use_explicit(model) first"

    def __init__(self, dropout: float = 0.0):
        super().__init__()
        self.dropout = nn.Dropout(dropout)

    def forward(
        self,
        q: Float[Tensor, "*heads T_q E"],
        k: Float[Tensor, "*heads T_k E"],
        v: Float[Tensor, "*heads T_k E_v"],
        keep: Bool[Tensor, "..."] | None = None,
    ) -> Float[Tensor, "*heads T_q E_v"]:
        dropout = self.dropout.p if self.training else 0.0
        if keep is not None and keep.dim() < 2:  # the kernel wants both axes spelled out
            keep = keep[(None,) * (2 - keep.dim())]
        return F.scaled_dot_product_attention(q, k, v, attn_mask=keep, dropout_p=dropout)


def split_heads(x: Float[Tensor, "B T D"], n_heads: int) -> Float[Tensor, "B H T E"]:
    """Head h takes columns hE … (h+1)E-1 of every position.

    >>> import torch; split_heads(torch.zeros(2, 5, 12), n_heads=3).shape
    torch.Size([2, 3, 5, 4])
    """
    _check.positive(n_heads=n_heads)
    if x.size(-1) % n_heads:
        raise ValueError(f"x has {x.size(-1)} columns, which do not split into n_heads={n_heads} equal heads")
    return x.unflatten(-1, (n_heads, -1)).transpose(1, 2)


def merge_heads(x: Float[Tensor, "B H T E"]) -> Float[Tensor, "B T D"]:
    """The inverse of split_heads: heads side by side again, D = H·E."""
    return x.transpose(1, 2).flatten(-2)


class MultiHeadAttention(nn.Module):
    """H attentions side by side, each in its own E columns, mixed by o_proj.

    Args:
        d_model: D, the width of a position.
        n_heads: H, which must divide D.
        n_kv_heads: G, heads of keys and values; G = H by default, G = 1 is multi-query
            (Shazeer 2019), in between is grouped-query (Ainslie et al. 2023).
        bias: whether the four projections add one.
        dropout: probability of dropping an attention weight, in training.

    Self-attention is ``attn(x)``, cross-attention ``attn(x, context)``: the queries always
    come from x. ``keep`` is bool, True = may look, broadcastable to (B, H, T_q, T_k); a query
    that may look at nothing gets o_proj's bias. Raises ValueError or TypeError, in one line,
    for sizes, dtypes or devices that do not fit.

    >>> import torch; attn = MultiHeadAttention(d_model=8, n_heads=2)
    >>> attn(torch.zeros(1, 3, 8)).shape
    torch.Size([1, 3, 8])
    """

    def __init__(
        self,
        d_model: int,
        n_heads: int,
        *,
        n_kv_heads: int | None = None,
        bias: bool = True,
        dropout: float = 0.0,
    ):
        super().__init__()
        n_kv_heads = n_heads if n_kv_heads is None else n_kv_heads
        _check.positive(d_model=d_model, n_heads=n_heads, n_kv_heads=n_kv_heads)
        _check.fraction(dropout=dropout)
        if d_model % n_heads:
            raise ValueError(f"d_model={d_model} does not split into n_heads={n_heads} equal heads")
        if n_heads % n_kv_heads:
            raise ValueError(f"n_heads={n_heads} query heads cannot share n_kv_heads={n_kv_heads} evenly")
        self.n_heads, self.n_kv_heads = n_heads, n_kv_heads
        d_kv = d_model // n_heads * n_kv_heads
        self.q_proj = nn.Linear(d_model, d_model, bias=bias)
        self.k_proj = nn.Linear(d_model, d_kv, bias=bias)
        self.v_proj = nn.Linear(d_model, d_kv, bias=bias)
        self.o_proj = nn.Linear(d_model, d_model, bias=bias)
        self.core = ExplicitCore(dropout)

    def forward(
        self,
        x: Float[Tensor, "B T_q D"],
        context: Float[Tensor, "B T_k D"] | None = None,
        keep: Bool[Tensor, "..."] | None = None,
        cache: KVCache | None = None,
    ) -> Float[Tensor, "B T_q D"]:
        _check.tokens(x, "x", self.q_proj.weight)
        q = split_heads(self.q_proj(x), self.n_heads)  # (B, H, T_q, E)
        k, v = self._keys_and_values(x, context, cache)  # (B, G, T_k, E) each
        _check.keep(keep, (x.size(0), self.n_heads, x.size(1), k.size(2)))
        if self.n_kv_heads != self.n_heads:  # query head h reads group h // (H/G)
            k, v = (t.repeat_interleave(self.n_heads // self.n_kv_heads, dim=1) for t in (k, v))
        return self.o_proj(merge_heads(self.core(q, k, v, keep)))

    def _keys_and_values(self, x: Tensor, context: Tensor | None, cache: KVCache | None) -> tuple[Tensor, Tensor]:
        if context is None:
            k, v = self._project(x)
            return cache.append(k, v) if cache is not None else (k, v)
        _check.tokens(context, "context", self.k_proj.weight)
        if context.size(0) != x.size(0):
            raise ValueError(f"x is a batch of {x.size(0)} and context of {context.size(0)}; they must be equal")
        if cache is None:
            return self._project(context)
        # What is attended to does not grow while we generate: project it once.
        k, v = cache.once(lambda: self._project(context))
        if (k.size(0), k.size(2)) != context.shape[:2]:
            raise ValueError(
                f"the cache holds keys for a batch of {k.size(0)} and {k.size(2)} positions, context has "
                f"{context.size(0)} and {context.size(1)}: start a new cache for a new context"
            )
        return k, v

    def _project(self, source: Tensor) -> tuple[Tensor, Tensor]:
        return split_heads(self.k_proj(source), self.n_kv_heads), split_heads(self.v_proj(source), self.n_kv_heads)


def use_fused(model: nn.Module) -> nn.Module:
    """Swap every attention core of `model`, in place, for the fast one; returns the model."""
    return _swap(model, FusedCore)


def use_explicit(model: nn.Module) -> nn.Module:
    """Swap every attention core of `model`, in place, for the one that can be traced."""
    return _swap(model, ExplicitCore)


def _swap(model: nn.Module, new: type[nn.Module]) -> nn.Module:
    for name, module in list(model.named_modules()):
        core = getattr(module, "core", None)
        if type(core) in (ExplicitCore, FusedCore) and type(core) is not new:
            module.core = new(core.dropout.p).train(core.training)
        elif isinstance(core, (ExplicitCore, FusedCore)) and not isinstance(core, new):
            raise TypeError(f"{name or 'the model'} has a core of its own, {type(core).__name__}, with no {new.__name__} twin")
    return model
