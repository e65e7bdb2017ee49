"""From a vector for every position to an answer: four ways to pool, and two kinds of head.

Pooling takes hidden (B, T, D) and keep (B, T), True = a real token, and gives (B, D); what
stands at a position that is not kept changes nothing. A row with nothing kept pools to zero.
"""

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional as F

from . import _check
from .norm import LayerNorm
from .trace import Tap


class FirstPool(nn.Module):
    """The first position's vector, as BERT does with its [CLS]: attention did the pooling."""

    def forward(self, hidden: Float[Tensor, "B T D"], keep: Bool[Tensor, "B T"] | None = None) -> Float[Tensor, "B D"]:
        return _kept(hidden, keep)[:, 0]


class MeanPool(nn.Module):
    """The average over kept positions.

    >>> MeanPool()(torch.tensor([[[2.0], [4.0], [9.0]]]), torch.tensor([[True, True, False]])).item()
    3.0
    """

    def forward(self, hidden: Float[Tensor, "B T D"], keep: Bool[Tensor, "B T"] | None = None) -> Float[Tensor, "B D"]:
        kept = _kept(hidden, keep)
        if keep is None:
            return hidden.mean(dim=1)
        return kept.sum(dim=1) / keep.sum(dim=1, keepdim=True).clamp(min=1)


class MaxPool(nn.Module):
    """In each column the largest value over kept positions."""

    def forward(self, hidden: Float[Tensor, "B T D"], keep: Bool[Tensor, "B T"] | None = None) -> Float[Tensor, "B D"]:
        _fit(hidden, keep)
        if keep is None:
            return hidden.amax(dim=1)
        largest = hidden.masked_fill(~keep[..., None], float("-inf")).amax(dim=1)
        return largest.masked_fill(~keep.any(dim=1, keepdim=True), 0.0)


class AttentionPool(nn.Module):
    """One learned query asks every kept position: softmax(hidden · w) weighs them.

    The weights pass a tap, ``weights`` (B, T).
    """

    def __init__(self, d_model: int):
        super().__init__()
        _check.positive(d_model=d_model)
        self.query = nn.Parameter(torch.zeros(d_model))  # starts as the mean
        self.weights = Tap()

    def forward(self, hidden: Float[Tensor, "B T D"], keep: Bool[Tensor, "B T"] | None = None) -> Float[Tensor, "B D"]:
        _check.tokens(hidden, "hidden", self.query)
        hidden = _kept(hidden, keep)
        scores = hidden @ self.query  # (B, T)
        if keep is not None:
            scores = scores.masked_fill(~keep, float("-inf"))
        weights = scores.softmax(dim=-1)
        if keep is not None:  # a row with nothing kept is NaN after the softmax
            weights = weights.masked_fill(~keep, 0.0)
        return (self.weights(weights)[:, None] @ hidden).squeeze(1)


class MaskedTokenHead(nn.Module):
    """BERT's head for hidden tokens: one more bend, then every token's score by its own embedding.

        logits = LayerNorm(GELU(h W + b)) @ tok.T + bias        (Devlin et al. 2019, appendix A.2)

    The token table is handed in at every call and is not a parameter here: it stays tied.

    >>> MaskedTokenHead(vocab=9, d_model=8)(torch.zeros(1, 3, 8), torch.zeros(9, 8)).shape
    torch.Size([1, 3, 9])
    """

    def __init__(self, vocab: int, d_model: int, *, eps: float = 1e-5):
        super().__init__()
        _check.positive(vocab=vocab, d_model=d_model)
        self.dense, self.norm = nn.Linear(d_model, d_model), LayerNorm(d_model, eps)
        self.bias = nn.Parameter(torch.zeros(vocab))

    def forward(self, hidden: Float[Tensor, "B T D"], table: Float[Tensor, "V D"]) -> Float[Tensor, "B T V"]:
        _check.tokens(hidden, "hidden", self.dense.weight)
        _check.tensor(table, "table", "(V, D)")
        if table.shape != (self.bias.size(0), self.dense.in_features):
            wanted = (self.bias.size(0), self.dense.in_features)
            raise ValueError(f"table has shape {tuple(table.shape)}; it must be the token table, (V, D) = {wanted}")
        _check.same_kind(table, "table", self.dense.weight)
        return self.norm(F.gelu(self.dense(hidden))) @ table.T + self.bias


class ContrastiveHead(nn.Module):
    """A vector of length 1 for a whole text: pooled, mapped to d_out, normalised.

    Two texts are compared by the product of their vectors, which is the cosine. Source: the
    sentence vectors of Reimers and Gurevych 2019; the projection, Chen et al. 2020, section 2.

    >>> vectors = ContrastiveHead(d_model=8, d_out=4)(torch.randn(2, 3, 8))
    >>> torch.allclose(vectors.norm(dim=-1), torch.ones(2))
    True
    """

    def __init__(self, d_model: int, d_out: int, *, pool: nn.Module | None = None):
        super().__init__()
        _check.positive(d_model=d_model, d_out=d_out)
        self.pool = MeanPool() if pool is None else pool
        _check.instance(pool=(self.pool, nn.Module))
        self.proj = nn.Linear(d_model, d_out, bias=False)

    def forward(self, hidden: Float[Tensor, "B T D"], keep: Bool[Tensor, "B T"] | None = None) -> Float[Tensor, "B O"]:
        _check.tokens(hidden, "hidden", self.proj.weight)
        return F.normalize(self.proj(self.pool(hidden, keep)), dim=-1)


def _kept(hidden: Tensor, keep: Tensor | None) -> Tensor:
    """hidden with zeros where nothing is kept, whatever stood there; both are checked on the way."""
    _fit(hidden, keep)
    return hidden if keep is None else hidden.masked_fill(~keep[..., None], 0.0)


def _fit(hidden: Tensor, keep: Tensor | None) -> None:
    _check.tensor(hidden, "hidden", "(B, T, D)")
    if hidden.dim() != 3:
        raise ValueError(f"hidden has shape {tuple(hidden.shape)}; it must be (B, T, D)")
    if hidden.size(1) == 0:
        raise ValueError(f"hidden has shape {tuple(hidden.shape)}; there must be at least one position")
    if not hidden.is_floating_point():
        raise TypeError(f"hidden is {hidden.dtype}; it must be floating")
    if keep is None:
        return
    _check.tensor(keep, "keep", "(B, T)")
    if keep.dtype != torch.bool:
        raise TypeError(f"keep is {keep.dtype}; it must be torch.bool, where True means a real token")
    if keep.shape != hidden.shape[:2]:
        raise ValueError(f"keep has shape {tuple(keep.shape)}; it must be (B, T) = {tuple(hidden.shape[:2])}")
    if keep.device != hidden.device:
        raise ValueError(f"keep is on {keep.device} and hidden on {hidden.device}; move one of them")
