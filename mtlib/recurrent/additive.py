"""Additive attention, the first: how well each key answers a query, by a small network.

    score_j = v · tanh(W_q query + W_k key_j)
    context = Σ_j softmax(score)_j key_j                 (Bahdanau et al. 2015, section 3.1 and A.1.2)

Letters: B batch, T positions asked, D_q and D_k widths of query and keys, A width of the
network in between. The keys are the values too. One query at a time: a decoder asks at every
step with a state it has only then. No biases, as in the paper.
"""

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from .. import _check
from ..trace import Tap
from ._arguments import positions_kept, same_batch, sequence, vectors


class AdditiveAttention(nn.Module):
    """One query over T keys -> their weighted sum; taps: ``scores`` (masked) and ``weights``, (B, T).

    Args:
        d_query: D_q.
        d_keys: D_k, the width of the context too.
        d_attn: A.

    keep: (B, T), or (B, 1, 1, T) as padding_keep gives it, True = may look; a row with nothing
    to look at gets zeros. Raises ValueError or TypeError, in one line, for what does not fit.

    >>> attention = AdditiveAttention(d_query=4, d_keys=6, d_attn=5)
    >>> attention(torch.zeros(2, 4), torch.zeros(2, 3, 6)).shape
    torch.Size([2, 6])
    """

    def __init__(self, d_query: int, d_keys: int, d_attn: int):
        super().__init__()
        _check.positive(d_query=d_query, d_keys=d_keys, d_attn=d_attn)
        self.q_proj = nn.Linear(d_query, d_attn, bias=False)
        self.k_proj = nn.Linear(d_keys, d_attn, bias=False)
        self.v = nn.Parameter(torch.empty(d_attn).uniform_(-1, 1) / d_attn**0.5)
        self.scores, self.weights = Tap(), Tap()

    def forward(
        self, query: Float[Tensor, "B D_q"], keys: Float[Tensor, "B T D_k"], keep: Bool[Tensor, "..."] | None = None
    ) -> Float[Tensor, "B D_k"]:
        vectors(query, "query", self.q_proj.weight)
        sequence(keys, "keys", self.k_proj.weight)
        same_batch(query=query, keys=keys)
        return self.attend(query, keys, self.k_proj(keys), positions_kept(keep, keys))

    def attend(
        self,
        query: Float[Tensor, "B D_q"],
        keys: Float[Tensor, "B T D_k"],
        projected: Float[Tensor, "B T A"],
        keep: Bool[Tensor, "B T"] | None = None,
    ) -> Float[Tensor, "B D_k"]:
        """The same, unchecked, with k_proj(keys) given: it does not change from query to query."""
        scores = torch.tanh(self.q_proj(query)[:, None] + projected) @ self.v  # (B, T)
        if keep is not None:
            scores = scores.masked_fill(~keep, float("-inf"))
        weights = self.scores(scores).softmax(dim=-1)
        if keep is not None:  # a row with nothing kept is NaN until here, see ExplicitCore
            weights = weights.masked_fill(~keep, 0.0)
        return (self.weights(weights)[:, None] @ keys)[:, 0]  # (B, 1, T) @ (B, T, D_k)
