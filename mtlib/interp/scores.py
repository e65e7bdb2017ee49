"""What is a head doing? Say where it should look if it had that job, and measure how much it looks there.

    score = mean over queries of the weight on the wanted keys        1: it looks nowhere else

The wanted keys of a query, each job a pattern (B, T, T), [query, key], True = wanted:

    previous_token    the position just before it
    first_token       position 0, where attention rests that is not needed (Xiao et al. 2024, section 3.1)
    duplicate_token   earlier positions that hold the same token
    induction         the positions just after those: what followed this token before

The first and the last are the two halves of an induction circuit: Elhage et al. 2021, "Induction
Heads"; Olsson et al. 2022, "Head activation evaluators". A score says where a head looks, not
what follows from it: ablate it to learn that. Nor does even attention score 0: compare with
the model before it was trained.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor, nn
from torch.nn import functional as F

from .. import _check
from .capture import attention_weights


def previous_token(ids: Int64[Tensor, "B T"]) -> Bool[Tensor, "B T T"]:
    """Key t-1 for query t.

    >>> previous_token(torch.tensor([[7, 7, 5]])).int().tolist()
    [[[0, 0, 0], [1, 0, 0], [0, 1, 0]]]
    """
    at = _positions(ids)
    return (at == at[:, None] - 1).expand(ids.size(0), -1, -1)


def first_token(ids: Int64[Tensor, "B T"]) -> Bool[Tensor, "B T T"]:
    """Key 0 for every query but the first, which under a causal mask has no choice.

    >>> first_token(torch.tensor([[7, 7, 5]])).int().tolist()
    [[[0, 0, 0], [1, 0, 0], [1, 0, 0]]]
    """
    at = _positions(ids)
    return ((at == 0) & (at[:, None] > 0)).expand(ids.size(0), -1, -1)


def duplicate_token(ids: Int64[Tensor, "B T"]) -> Bool[Tensor, "B T T"]:
    """Every earlier key with the query's token.

    >>> duplicate_token(torch.tensor([[7, 5, 7]])).int().tolist()
    [[[0, 0, 0], [0, 0, 0], [1, 0, 0]]]
    """
    _positions(ids)
    return (ids[:, :, None] == ids[:, None, :]).tril(-1)


def induction(ids: Int64[Tensor, "B T"]) -> Bool[Tensor, "B T T"]:
    """Every key whose predecessor holds the query's token and stands before the query.

    >>> induction(torch.tensor([[7, 5, 7]])).int().tolist()        # 5 followed the first 7
    [[[0, 0, 0], [0, 0, 0], [0, 1, 0]]]
    """
    return F.pad(duplicate_token(ids)[..., :-1], (1, 0))


PATTERNS: Mapping[str, Callable[[Tensor], Tensor]] = MappingProxyType(
    {pattern.__name__: pattern for pattern in (previous_token, first_token, duplicate_token, induction)}
)


def pattern_score(weights: Float[Tensor, "B H T T"], wanted: Bool[Tensor, "B T T"]) -> Float[Tensor, "H"]:
    """The weight that each head puts on the wanted keys, mean over all queries that want any.

    NaN where none does, as for `induction` on a text in which nothing comes twice.

    >>> ids, even = torch.tensor([[7, 5, 7]]), torch.ones(3, 3).tril() / torch.tensor([[1], [2], [3]])
    >>> pattern_score(even[None, None], previous_token(ids))        # (1/2 + 1/3) / 2
    tensor([0.4167])
    """
    _square(weights)
    B, T = weights.size(0), weights.size(-1)
    if wanted.shape != (B, T, T):
        raise ValueError(f"wanted has shape {tuple(wanted.shape)}; it must be (B, T, T) = {(B, T, T)}")
    on_wanted = (weights * wanted[:, None]).sum(dim=-1)  # (B, H, T)
    return on_wanted.transpose(1, 2)[wanted.any(dim=-1)].mean(dim=0)


def head_scores(model: nn.Module, ids: Int64[Tensor, "B T"]) -> dict[str, Float[Tensor, "L H"]]:
    """For each job in PATTERNS the score of every head, (L, H), on these ids.

    On natural text a head can hit by knowing the language; `repeated_tokens` leave it nothing
    but the pattern.

    >>> import mtlib as mt; config = mt.ModelConfig(vocab=9, max_len=8, d_model=8, n_heads=2, n_layers=3)
    >>> {job: tuple(s.shape) for job, s in head_scores(mt.DecoderLM(config), repeated_tokens(2, 4, 9)).items()}
    {'previous_token': (3, 2), 'first_token': (3, 2), 'duplicate_token': (3, 2), 'induction': (3, 2)}
    """
    weights = attention_weights(model, ids)
    return {job: torch.stack([pattern_score(w, pattern(ids)) for w in weights]) for job, pattern in PATTERNS.items()}


def induction_score(weights: Float[Tensor, "B H T T"], period: int) -> Float[Tensor, "H"]:
    """`induction` where the text repeats every `period` tokens: the mean weight on key t - period + 1.

    Over the batch and all t >= period. Raises ValueError unless 2 <= period < T. Source: Olsson
    et al. 2022, "Head activation evaluators", prefix matching.

    >>> looks_back = torch.eye(6).roll(-2, dims=1)        # position t at t-2
    >>> induction_score(looks_back[None, None], period=3)
    tensor([1.])
    """
    _square(weights)
    T = weights.size(-1)
    if not isinstance(period, int) or not 2 <= period < T:
        raise ValueError(f"period={period!r} must lie in 2…{T - 1}, so that the {T} positions hold more than one period")
    on_wanted = weights.diagonal(offset=1 - period, dim1=-2, dim2=-1)  # (B, H, T - period + 1), from t = period - 1
    return on_wanted[..., 1:].mean(dim=(0, 2))


def attention_entropy(weights: Float[Tensor, "B H T_q T_k"]) -> Float[Tensor, "H"]:
    """How widely each head looks, in nats, mean over batch and queries: 0 at one key, log T_k at all alike.

    >>> attention_entropy(torch.full((1, 1, 2, 4), 0.25)).exp()
    tensor([4.])
    """
    _check.tensor(weights, "weights", "(B, H, T_q, T_k)")
    if weights.dim() != 4:
        raise ValueError(f"weights has shape {tuple(weights.shape)}; it must be (B, H, T_q, T_k)")
    return torch.special.entr(weights).sum(dim=-1).mean(dim=(0, 2))


def repeated_tokens(
    batch: int, period: int, vocab: int, *, repeats: int = 2, generator: torch.Generator | None = None
) -> Int64[Tensor, "B T"]:
    """Random tokens, none twice, then the same again: (batch, period · repeats).

    Nothing but what came before tells what comes next. Raises ValueError where `vocab` has
    fewer than `period` tokens. Source: Olsson et al. 2022, who draw with replacement.

    >>> ids = repeated_tokens(2, period=3, vocab=9)
    >>> ids.shape, torch.equal(ids[:, :3], ids[:, 3:])
    (torch.Size([2, 6]), True)
    """
    _check.positive(batch=batch, period=period, vocab=vocab, repeats=repeats)
    if period > vocab:
        raise ValueError(f"period={period} different tokens cannot be drawn from vocab={vocab}")
    return torch.rand(batch, vocab, generator=generator).argsort(dim=-1)[:, :period].repeat(1, repeats)


def copying_loss(logits: Float[Tensor, "B T V"], ids: Int64[Tensor, "B T"], period: int) -> Float[Tensor, ""]:
    """The mean loss, in nats, of the next token wherever the same token stood `period` earlier.

    Queries t >= period, as in induction_score: of the token before, that it begins to repeat
    nobody can know. Raises ValueError unless period < T - 1.

    >>> ids = torch.tensor([[3, 1, 3, 1]]); copying_loss(torch.zeros(1, 4, 9), ids, period=2).exp().round()
    tensor(9.)
    """
    T = ids.size(1)
    if not isinstance(period, int) or not 1 <= period < T - 1:
        raise ValueError(f"period={period!r} must lie in 1…{T - 2} for {T} positions to predict a repeated token")
    return F.cross_entropy(logits[:, period:-1].flatten(0, 1), ids[:, period + 1 :].flatten())


def _square(weights: Tensor) -> None:
    _check.tensor(weights, "weights", "(B, H, T, T)")
    if weights.dim() != 4 or weights.size(-1) != weights.size(-2):
        raise ValueError(f"weights has shape {tuple(weights.shape)}; it must be (B, H, T, T), a self-attention's")


def _positions(ids: Tensor) -> Int64[Tensor, "T"]:
    _check.tensor(ids, "ids", "(B, T)")
    if ids.dim() != 2:
        raise ValueError(f"ids has shape {tuple(ids.shape)}; it must be (B, T): batch, positions")
    return torch.arange(ids.size(1), device=ids.device)
