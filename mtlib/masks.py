"""Which position may look at which.

A mask here is always called ``keep``: bool, True = may look, broadcastable to the scores
(B, H, T_q, T_k). Two of them combine with ``&``: ``causal_keep(T) & padding_keep(ids, pad)``.
(torch.nn.MultiheadAttention takes the opposite, True = may *not* look: give it ``~keep``.)
"""

import torch
from jaxtyping import Bool, Int64
from torch import Tensor

from . import _check


def causal_keep(
    T_q: int, T_k: int | None = None, *, device: torch.device | str | None = None
) -> Bool[Tensor, "T_q T_k"]:
    """Itself and everything earlier; the queries are the *last* T_q of T_k positions.

    With T_q = T_k it is the lower triangle, diagonal included: without the diagonal the first
    position would have nothing to look at. With T_q < T_k the earlier keys come from a cache,
    and the triangle stands at the right. (The ``is_causal`` flag of torch's fused attention
    puts it at the left there, which is wrong for a cache; so we always pass ``keep``.)

    Raises ValueError unless 1 <= T_q <= T_k. Source: Vaswani et al. 2017, section 3.2.3.

    >>> causal_keep(2, 3).int().tolist()
    [[1, 1, 0], [1, 1, 1]]
    """
    T_k = T_q if T_k is None else T_k
    _check.positive(T_q=T_q, T_k=T_k)
    if T_q > T_k:
        raise ValueError(f"T_q={T_q} queries cannot be the last of T_k={T_k} positions; T_q must be at most T_k")
    return torch.ones(T_q, T_k, dtype=torch.bool, device=device).tril(T_k - T_q)


def padding_keep(ids: Int64[Tensor, "B T_k"], pad: int) -> Bool[Tensor, "B 1 1 T_k"]:
    """Every key that is not padding, for all heads and all queries.

    >>> padding_keep(torch.tensor([[5, 7, 0]]), pad=0).int().tolist()
    [[[[1, 1, 0]]]]
    """
    _check.tensor(ids, "ids", "(B, T_k)")
    if ids.dim() != 2:
        raise ValueError(f"ids has shape {tuple(ids.shape)}; it must be (B, T_k): batch, positions")
    if ids.dtype != torch.int64:
        raise TypeError(f"ids is {ids.dtype}; token ids must be torch.int64")
    _check.natural(pad=pad)
    return (ids != pad)[:, None, None, :]
