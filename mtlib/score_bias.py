"""Position as a number added to the scores: how far the key stands from the query.

    scores = q kᵀ / √E + b(j - i)

RelativeBias learns b, a number for every head and every bucket of distances (T5, Raffel et
al. 2020, section 2.1); ALiBi gives it, a slope a head (Press et al. 2022, section 3).
"""

import math

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

from . import _check
from .position import Position


class RelativeBias(Position):
    """T5's: near distances have a bucket each, far ones share buckets that widen logarithmically.

    Args: n_heads H; bidirectional, whether the key may stand on both sides (an encoder) or
    only before the query (a decoder); n_buckets; max_distance, from where on all is one bucket.

    >>> bias = RelativeBias(n_heads=2); q = torch.zeros(1, 2, 3, 4)
    >>> bias.bias(q, q).shape
    torch.Size([2, 3, 3])
    """

    def __init__(self, n_heads: int, *, bidirectional: bool = True, n_buckets: int = 32, max_distance: int = 128):
        super().__init__()
        _check.positive(n_heads=n_heads, n_buckets=n_buckets, max_distance=max_distance)
        relative_bucket(torch.zeros(1, dtype=torch.int64), n_buckets, max_distance, bidirectional)  # says what does not fit
        self.weight = nn.Parameter(torch.zeros(n_buckets, n_heads))
        self.bidirectional, self.n_buckets, self.max_distance = bidirectional, n_buckets, max_distance

    def bias(self, q: Float[Tensor, "B H T_q E"], k: Float[Tensor, "B G T_k E"]) -> Float[Tensor, "H T_q T_k"]:
        bucket = relative_bucket(offsets(q, k, self.weight.size(1)), self.n_buckets, self.max_distance, self.bidirectional)
        return self.weight[bucket].permute(2, 0, 1)  # (T_q, T_k, H) -> (H, T_q, T_k)


class ALiBi(Position):
    """-slope_h · distance, the slopes 2^(-8/H), 2^(-16/H), … 2^-8: no parameter, and any length.

    H must be a power of two. Under a causal keep the distance is how far back a key lies;
    without one it counts in both directions.

    >>> q = torch.zeros(1, 2, 3, 4); ALiBi(n_heads=2).bias(q, q)[0, 2]
    tensor([-0.1250, -0.0625, -0.0000])
    """

    def __init__(self, n_heads: int):
        super().__init__()
        _check.positive(n_heads=n_heads)
        if n_heads & (n_heads - 1):
            raise ValueError(f"n_heads={n_heads} must be a power of two: ALiBi's slopes halve from head to head")
        self.n_heads = n_heads

    def bias(self, q: Float[Tensor, "B H T_q E"], k: Float[Tensor, "B G T_k E"]) -> Float[Tensor, "H T_q T_k"]:
        distance = offsets(q, k, self.n_heads).abs()
        slopes = [2.0 ** (-8 * h / self.n_heads) for h in range(1, self.n_heads + 1)]  # Python's floats: exact in any dtype
        slope = torch.tensor(slopes, dtype=q.dtype, device=q.device)
        return -slope[:, None, None] * distance


def offsets(q: Tensor, k: Tensor, n_heads: int) -> Int64[Tensor, "T_q T_k"]:
    """Key position minus query position; the queries are the last T_q of the T_k positions."""
    for x, name in (q, "q"), (k, "k"):
        _check.tensor(x, name, "(B, H, T, E)")
        if x.dim() != 4:
            raise ValueError(f"{name} has shape {tuple(x.shape)}; it must be (B, H, T, E): batch, heads, positions, head width")
        if not x.is_floating_point():
            raise TypeError(f"{name} is {x.dtype}; it must be floating")
    if q.size(1) != n_heads:
        raise ValueError(f"q has {q.size(1)} heads; this bias is made for n_heads={n_heads}")
    T_q, T_k = q.size(-2), k.size(-2)
    if T_q > T_k:
        raise ValueError(f"q holds {T_q} positions and k {T_k}; the queries must be the last of the keys' positions")
    at = torch.arange(T_k, device=q.device)
    return at - at[T_k - T_q :, None]


def relative_bucket(
    offset: Int64[Tensor, "*any"], n_buckets: int = 32, max_distance: int = 128, bidirectional: bool = True
) -> Int64[Tensor, "*any"]:
    """T5's bucket of an offset, key minus query.

    Half of a direction's buckets hold one distance each; the rest widen logarithmically up to
    max_distance. With bidirectional, keys after the query take the upper half of the buckets;
    without it they all fall into bucket 0.

    >>> relative_bucket(torch.tensor([-200, -3, 0, 3])).tolist()
    [15, 3, 0, 19]
    """
    _check.positive(n_buckets=n_buckets, max_distance=max_distance)
    per_side = n_buckets // 2 if bidirectional else n_buckets
    exact = per_side // 2  # distances below this have a bucket each
    if exact < 1 or max_distance <= exact:
        raise ValueError(f"n_buckets={n_buckets} and max_distance={max_distance} leave no room for far distances")
    distance = offset.abs() if bidirectional else (-offset).clamp(min=0)
    # The logarithm in float32, as T5 has it: on a bucket's edge the rounding decides.
    log = torch.log(distance.clamp(min=1).float() / exact) / math.log(max_distance / exact)
    far = (exact + (log * (per_side - exact)).long()).clamp(max=per_side - 1)
    bucket = torch.where(distance < exact, distance, far)
    return bucket + per_side * (offset > 0) if bidirectional else bucket
