"""Attention: every position asks, every position answers in proportion to the match.

    Attention(Q, K, V) = softmax(Q Kᵀ / √E) V            (Vaswani et al. 2017, section 3.2)

Letters: B batch, T_q and T_k positions that ask and that are asked, D d_model, H heads,
E = D / H the width of a head, G heads of keys and values (G = H unless they are shared).

The formula itself is in cores.py; here are the heads and the four projections around it.
Position enters only through what position.py defines: queries and keys are turned, or a bias
is added to the scores.
"""

from jaxtyping import Bool, Float
from torch import Tensor, nn

from . import _check
from .cache import KVCache
from .cores import ExplicitCore
from .position import Position
from .trace import Tap


def split_heads(x: Float[Tensor, "B T D"], n_heads: int) -> Float[Tensor, "B H T E"]:
    """Head h takes columns hE … (h+1)E-1 of every position.

    >>> import torch; split_heads(torch.zeros(2, 5, 12), n_heads=3).shape
    torch.Size([2, 3, 5, 4])
    """
    _check.positive(n_heads=n_heads)
    _check.tensor(x, "x", "(B, T, D)")
    if x.dim() != 3:
        raise ValueError(f"x has shape {tuple(x.shape)}; it must be (B, T, D): batch, positions, d_model")
    if x.size(-1) % n_heads:
        raise ValueError(f"x has {x.size(-1)} columns, which do not split into n_heads={n_heads} equal heads")
    return x.unflatten(-1, (n_heads, -1)).transpose(1, 2)


def merge_heads(x: Float[Tensor, "B H T E"]) -> Float[Tensor, "B T D"]:
    """The inverse of split_heads: heads side by side again, D = H·E."""
    _check.tensor(x, "x", "(B, H, T, E)")
    if x.dim() != 4:
        raise ValueError(f"x has shape {tuple(x.shape)}; it must be (B, H, T, E): batch, heads, positions, head width")
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
        causal: whether a query may see no later key, as in a decoder.

    Self-attention is ``attn(x)``, cross-attention ``attn(x, context)``: the queries always
    come from x. ``position`` turns queries and keys, or biases the scores. ``keep`` is bool,
    True = may look, broadcastable to (B, H, T_q, T_k); a query that may look at nothing gets
    o_proj's bias. Raises ValueError or TypeError, in one line, for sizes, dtypes or devices
    that do not fit.

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
        causal: bool = False,
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
        self.q, self.k, self.v, self.merged = Tap(), Tap(), Tap(), Tap()
        self.core = ExplicitCore(dropout, causal)

    def forward(
        self,
        x: Float[Tensor, "B T_q D"],
        context: Float[Tensor, "B T_k D"] | None = None,
        keep: Bool[Tensor, "..."] | None = None,
        cache: KVCache | None = None,
        position: Position | None = None,
    ) -> Float[Tensor, "B T_q D"]:
        _check.tokens(x, "x", self.q_proj.weight)
        if cache is not None:
            _check.instance(cache=(cache, KVCache))
        if position is not None:
            _check.instance(position=(position, Position))
        start = 0 if cache is None else len(cache)
        q = split_heads(self.q_proj(x), self.n_heads)  # (B, H, T_q, E)
        if context is None:
            k, v = self._project(x)  # (B, G, T_k, E) each
            if position is not None:
                q, k = position.turn(q, start), position.turn(k, start)
            if cache is not None:
                k, v = cache.append(k, v)
        else:
            k, v = self._of_context(x, context, cache)
        q, k, v = self.q(q), self.k(k), self.v(v)
        bias = None if position is None or context is not None else position.bias(q, k)
        heads = self.core(q, k, v, keep, bias)  # (B, H, T_q, E)
        return self.o_proj(self.merged(merge_heads(heads)))

    def _of_context(self, x: Tensor, context: Tensor, cache: KVCache | None) -> tuple[Tensor, Tensor]:
        """Keys and values of what is attended to: it does not grow while we generate, so projected once."""
        _check.tokens(context, "context", self.k_proj.weight)
        if context.size(0) != x.size(0):
            raise ValueError(f"x is a batch of {x.size(0)} and context of {context.size(0)}; they must be equal")
        if cache is None:
            return self._project(context)
        k, v = cache.once(lambda: self._project(context))
        if (k.size(0), k.size(2)) != context.shape[:2]:
            raise ValueError(
                f"the cache holds keys for a batch of {k.size(0)} and {k.size(2)} positions, context has "
                f"{context.size(0)} and {context.size(1)}: start a new cache for a new context"
            )
        return k, v

    def _project(self, source: Tensor) -> tuple[Tensor, Tensor]:
        return split_heads(self.k_proj(source), self.n_kv_heads), split_heads(self.v_proj(source), self.n_kv_heads)
