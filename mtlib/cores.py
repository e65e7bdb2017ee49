"""The heart of attention, twice: once to be seen, once to be fast.

    softmax(q kᵀ / √E + bias) v                          (Vaswani et al. 2017, section 3.2.1)

ExplicitCore writes it out, so that scores and weights can be seen and replaced by mt.trace.
FusedCore hands it to torch, which forms no T_q × T_k matrix where it has a fused kernel for the
case. They hold no parameters: models swap them by use_fused and use_explicit, and their state
dicts stay equal. Letters as in attention.py.
"""

import math

import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor, nn

from . import _check
from .masks import causal_keep
from .trace import Tap


class ExplicitCore(nn.Module):
    """softmax(q kᵀ / √E + bias) v, a line a step; taps: ``scores`` (masked) and ``weights``.

    Shapes: q (…, T_q, E), k (…, T_k, E), v (…, T_k, E_v) -> (…, T_q, E_v); keep and bias
    broadcast to (…, T_q, T_k). In front of k's and v's positions stand as many heads as q has, or
    fewer, which then share: query head h reads head h // (H/G). With causal, query i is position T_k - T_q + i and sees nothing
    later. A query that may look at nothing gets zeros.
    """

    def __init__(self, dropout: float = 0.0, causal: bool = False):
        super().__init__()
        _check.fraction(dropout=dropout)
        self.causal = causal
        self.scores, self.weights = Tap(), Tap()
        self.dropout = nn.Dropout(dropout)

    def forward(
        self,
        q: Float[Tensor, "*heads T_q E"],
        k: Float[Tensor, "*groups T_k E"],
        v: Float[Tensor, "*groups T_k E_v"],
        keep: Bool[Tensor, "..."] | None = None,
        bias: Float[Tensor, "..."] | None = None,
    ) -> Float[Tensor, "*heads T_q E_v"]:
        _fit(q, k, v, keep, bias)
        k, v = _shared(k, q), _shared(v, q)
        # Divided before the product, so that half precision does not overflow in between.
        scores = q / math.sqrt(q.size(-1)) @ k.mT  # (B, H, T_q, T_k)
        if bias is not None:
            scores = scores + bias
        if self.causal:
            keep = not_later(q, k, keep)
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

    def __init__(self, dropout: float = 0.0, causal: bool = False):
        super().__init__()
        _check.fraction(dropout=dropout)
        self.causal = causal
        self.dropout = nn.Dropout(dropout)

    def forward(
        self,
        q: Float[Tensor, "*heads T_q E"],
        k: Float[Tensor, "*groups T_k E"],
        v: Float[Tensor, "*groups T_k E_v"],
        keep: Bool[Tensor, "..."] | None = None,
        bias: Float[Tensor, "..."] | None = None,
    ) -> Float[Tensor, "*heads T_q E_v"]:
        _fit(q, k, v, keep, bias)
        dropout = self.dropout.p if self.training else 0.0
        # Told by a flag that all is causal, torch skips the upper triangle; a mask it must read.
        # Its flag puts the triangle at the left, which is right only without a cache.
        flagged = self.causal and keep is None and bias is None and q.size(-2) == k.size(-2)
        if self.causal and not flagged:
            keep = not_later(q, k, keep)
        mask = keep if bias is None else bias if keep is None else bias.masked_fill(~keep, float("-inf"))
        if mask is not None and mask.dim() < 2:  # the kernel wants both axes spelled out
            mask = mask[(None,) * (2 - mask.dim())]
        shared = _groups(k) != _groups(q)
        if shared and mask is not None:  # told of a mask, not every device's fused kernel shares heads
            k, v, shared = _shared(k, q), _shared(v, q), False
        return F.scaled_dot_product_attention(q, k, v, attn_mask=mask, dropout_p=dropout, is_causal=flagged, enable_gqa=shared)


def _fit(q: Tensor, k: Tensor, v: Tensor, keep: Tensor | None, bias: Tensor | None) -> None:
    """The five fit together, or one line says which does not."""
    _check.tensor(q, "q", "(…, T_q, E)")
    if q.dim() < 2 or q.size(-1) == 0:
        raise ValueError(f"q has shape {tuple(q.shape)}; it must be (…, T_q, E)")
    if not q.is_floating_point():
        raise TypeError(f"q is {q.dtype}; it must be floating")
    _check.tensor(k, "k", "(…, T_k, E)")
    if k.dim() != q.dim() or k.shape[:-3] != q.shape[:-3] or k.size(-1) != q.size(-1) or _groups(q) % max(_groups(k), 1):
        raise ValueError(
            f"k has shape {tuple(k.shape)}; only its positions, axis -2, may differ from q's {tuple(q.shape)}, "
            "and its heads, axis -3, be a divisor of q's"
        )
    _check.tensor(v, "v", "(…, T_k, E_v)")
    if v.shape[:-1] != k.shape[:-1]:
        raise ValueError(f"v has shape {tuple(v.shape)}; only its width, axis -1, may differ from k's {tuple(k.shape)}")
    for x, name in (k, "k"), (v, "v"):
        _check.same_kind(x, name, q, "q is")
    scores = (*q.shape[:-1], k.size(-2))
    _check.keep(keep, scores, q.device)
    if bias is not None:
        _check.tensor(bias, "bias", str(scores))
        _check.same_kind(bias, "bias", q, "q is")
        _check.broadcasts(bias, "bias", scores)


def _groups(x: Tensor) -> int:
    return x.size(-3) if x.dim() > 2 else 1


def _shared(x: Tensor, q: Tensor) -> Tensor:
    """Heads of keys or values, each for as many query heads as share it: query head h reads group h // (H/G)."""
    times = _groups(q) // _groups(x)
    return x if times == 1 else x.unsqueeze(-3).expand(*x.shape[:-2], times, *x.shape[-2:]).flatten(-4, -3)


def not_later(q: Tensor, k: Tensor, keep: Tensor | None) -> Tensor | None:
    """keep, and nothing later than the query; the newest position alone may look everywhere anyway."""
    if q.size(-2) <= 1:
        return keep
    causal = causal_keep(q.size(-2), k.size(-2), device=q.device)
    return causal if keep is None else causal & keep


def use_fused(model: nn.Module) -> nn.Module:
    """Swap every attention core of `model`, in place, for the fast one, and norms likewise; returns the model."""
    return _swap(model, FusedCore)


def use_explicit(model: nn.Module) -> nn.Module:
    """Swap every attention core of `model`, in place, for the one that can be traced, and norms likewise."""
    return _swap(model, ExplicitCore)


def _swap(model: nn.Module, new: type[nn.Module]) -> nn.Module:
    _check.instance(model=(model, nn.Module))
    for name, module in list(model.named_modules()):
        core = getattr(module, "core", None)
        if type(core) in (ExplicitCore, FusedCore) and type(core) is not new:
            module.core = new(core.dropout.p, core.causal).train(core.training)  # type: ignore[union-attr]  # not None, by its type
        elif isinstance(core, (ExplicitCore, FusedCore)) and not isinstance(core, new):
            raise TypeError(f"{name or 'the model'} has a core of its own, {type(core).__name__}, with no {new.__name__} twin")
        if hasattr(module, "fused"):  # a norm
            module.fused = new is FusedCore
    return model
