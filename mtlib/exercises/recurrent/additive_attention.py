"""recurrent.additive_attention: the first attention, by a small network."""

from collections.abc import Callable

import torch
from torch import Tensor

from mtlib.grading.draw import DTYPES, Draw
from mtlib.grading.exercise import Exercise, Mistake, Property
from mtlib.grading.judge import Wrong, agree, agree_in_form, equals, leaves_inputs, value_of

NAMES = ("context", "weights")


def by_network(query: Tensor, keys: Tensor, w_q: Tensor, w_k: Tensor, v: Tensor) -> Tensor:
    return ((query @ w_q)[:, None] + keys @ w_k).tanh() @ v


def over_kept(scores: Tensor, keep: Tensor) -> Tensor:
    weights = scores.masked_fill(~keep, -torch.inf).softmax(-1)
    return weights.masked_fill(~keep, 0.0)


def keys_themselves(weights: Tensor, keys: Tensor, w_k: Tensor) -> Tensor:
    return torch.einsum("bt,btd->bd", weights, keys)


def variant(score: Callable = by_network, share: Callable = over_kept, collect: Callable = keys_themselves) -> Callable:
    """Additive attention with a step changed: the score, the shares, what is collected."""

    def additive_attention(query, keys, w_q, w_k, v, keep=None):
        scores = score(query, keys, w_q, w_k, v)
        weights = share(scores, torch.ones_like(scores, dtype=torch.bool) if keep is None else keep)
        return collect(weights, keys, w_k), weights

    return additive_attention


def reference(query, keys, w_q, w_k, v, keep=None) -> tuple[Tensor, Tensor]:
    return variant()(query, keys, w_q, w_k, v, keep)


def _case(d: Draw, keep: str = "some", dtype: torch.dtype = torch.float32, loud: float = 1.0) -> dict:
    B, T, d_q, d_k, d_a = d.size(), d.size(low=1 + (keep == "some"), rough=7), d.size(rough=5), d.size(rough=5), d.size(rough=5)

    def small(*shape: int) -> Tensor:  # tanh of what is not small is 1, whatever came in
        return d.floats(*shape, dtype=dtype, high=2) / 2

    case = {
        "query": small(B, d_q), "keys": d.floats(B, T, d_k, dtype=dtype), "w_q": small(d_q, d_a), "w_k": small(d_k, d_a) / 2,
        "v": d.floats(d_a, dtype=dtype) * loud,
    }  # fmt: skip
    if keep == "all":
        return case
    kept = d.keep(B, T)
    kept[d.whole(0, B - 1), d.whole(1, T - 1)] = False
    kept[:, 0] |= ~kept.any(1)
    return case | {"keep": kept}


def without_keep(d: Draw) -> dict:
    """Every key may be looked at."""
    return _case(d, "all", d.pick(*DTYPES))


def masked(d: Draw) -> dict:
    return _case(d)


def blank(d: Draw) -> dict:
    """One row of the batch has nothing kept."""
    case = _case(d)
    case["keep"][d.whole(0, len(case["keep"]) - 1)] = False
    return case


def loud(d: Draw) -> dict:
    """Scores of a thousand and more, some rows with keep."""
    return _case(d, d.pick("all", "some"), torch.float64, 1500.0)


def largest(v: Tensor, **_: Tensor) -> float:
    """The largest score there can be, by which rounding is measured."""
    return max(1.0, float(v.abs().sum()))


def weights_sum_to_one(case: dict, subject) -> None:
    """Whatever stands where nothing is kept, the shares of the rest add up to 1 and do not move."""
    expected = reference(*case.values())
    changed = case | {"keys": case["keys"].masked_fill(~case["keep"][..., None], 77.0)}
    found = value_of(subject.call(*changed.values()))
    agree_in_form(found, expected, NAMES)
    if (found[1].sum(-1) - 1).abs().max() > 1e-4:
        raise Wrong("the weights of a row do not add up to 1", found[1].sum(-1), torch.ones(len(found[1])), "weights.sum(-1)")
    agree(found, expected, largest(**case), NAMES, why="77 stands where nothing is kept: it changes nothing")


def _all_scores(scores: Tensor, keep: Tensor) -> Tensor:
    return scores.softmax(-1)


def _nan_of_nothing(scores: Tensor, keep: Tensor) -> Tensor:
    return scores.masked_fill(~keep, -torch.inf).softmax(-1)


def _even_over_nothing(scores: Tensor, keep: Tensor) -> Tensor:
    return scores.masked_fill(~keep, -1e9).softmax(-1)


def _raw_exponentials(scores: Tensor, keep: Tensor) -> Tensor:
    e = scores.exp() * keep
    return e / e.sum(-1, keepdim=True).clamp(min=1e-30)


def _sum_by_hand(scores: Tensor, keep: Tensor) -> Tensor:
    return scores.softmax(-1) * keep


def _zero_scores(scores: Tensor, keep: Tensor) -> Tensor:
    return scores.masked_fill(~keep, 0.0).softmax(-1)


EXERCISE = Exercise(
    id="recurrent.additive_attention",
    title="The first attention",
    answers=("additive_attention",),
    minutes=25,
    read=("s-lstm-attention",),
    properties=(
        Property("values", 4, "scores tanh(query @ w_q + keys @ w_k) @ v, their softmax, the sum of the keys", without_keep,
                 equals(reference, largest, NAMES), 45),
        Property("keep", 3, "only kept keys are looked at", masked, equals(reference, largest, NAMES), 45),
        Property("shares", 1, "the weights of a row add up to 1, whatever stands where nothing is kept", masked, weights_sum_to_one, 30),
        Property("nothing kept", 2, "a row with nothing kept gives zeros, no NaN", blank, equals(reference, largest, NAMES), 30),
        Property("loud scores", 2, "scores of a thousand give finite, exact shares", loud, equals(reference, largest, NAMES), 30),
        Property("inputs unchanged", 1, "everything handed in is afterwards what it was", masked, leaves_inputs(reference), 20),
    ),
    mistakes=(
        Mistake("no tanh: then the query adds the same to every score, and the softmax takes it away again",
                variant(score=lambda q, k, w_q, w_k, v: ((q @ w_q)[:, None] + k @ w_k) @ v)),
        Mistake("the product of both in place of the sum: that is the other attention",
                variant(score=lambda q, k, w_q, w_k, v: ((q @ w_q)[:, None] * (k @ w_k)).tanh() @ v)),
        Mistake("the tanh after v: it bends the score, and nothing is bent before it",
                variant(score=lambda q, k, w_q, w_k, v: (((q @ w_q)[:, None] + k @ w_k) @ v).tanh())),
        Mistake("v is missing: the columns are weighed by v and added up",
                variant(score=lambda q, k, w_q, w_k, v: ((q @ w_q)[:, None] + k @ w_k).tanh().sum(-1))),
        Mistake("the query is missing from the score: every query would look at the same place",
                variant(score=lambda q, k, w_q, w_k, v: (k @ w_k).tanh() @ v)),
        Mistake("scores divided by √D_a: that belongs to the dot product, tanh has bounded these",
                variant(score=lambda *args: by_network(*args) / args[4].shape[0] ** 0.5)),
        Mistake("`keep` is not used", variant(share=_all_scores)),
        Mistake("`keep` the wrong way round: True = may look", variant(share=lambda scores, keep: over_kept(scores, ~keep))),
        Mistake("masked after the softmax: the shares that are left do not add up to 1", variant(share=_sum_by_hand)),
        Mistake("scores of 0 where nothing is kept: e⁰ is 1, and that is a share", variant(share=_zero_scores)),
        Mistake("NaN for a row with nothing kept: it gives zeros", variant(share=_nan_of_nothing)),
        Mistake("even shares for a row with nothing kept: it gives zeros", variant(share=_even_over_nothing)),
        Mistake("e to the score without taking off the largest first: e^1000 is infinite", variant(share=_raw_exponentials)),
        Mistake("a softmax over the batch; the shares are over the keys",
                variant(share=lambda scores, keep: scores.masked_fill(~keep, -torch.inf).softmax(0).nan_to_num())),
        Mistake("projected keys collected: the context is made of the keys as they are",
                variant(collect=lambda weights, keys, w_k: torch.einsum("bt,bta->ba", weights, keys @ w_k))),
        Mistake("(weights, context): the context comes first", lambda *args: reference(*args)[::-1]),
    ),
    hints=(
        "Four steps: project the query and the keys to D_a, add them for every key, bend and weigh by v, which gives one score a "
        "key; then a softmax, then the weighted sum of the keys.",
        "query @ w_q is (B, D_a) and keys @ w_k is (B, T, D_a): give the first an axis for T. Scores that may not count become −∞ "
        "before the softmax; a row of nothing but −∞ comes out as NaN and must become 0.",
        "`scores = torch.tanh((query @ w_q)[:, None] + keys @ w_k) @ v`; fill with `float('-inf')` where `~keep`, softmax, fill "
        "with 0 at the same places; `(weights[:, None] @ keys)[:, 0]`.",
    ),
    explanation=(
        "One query at a time, for in an LSTM the next query is not known until this context has been used. Everything else stayed: "
        "score, softmax, weighted sum. Transformers changed how the score is made, and who asks."
    ),
    better=(
        "keys @ w_k is the same for every query of a text: compute it once. `mtlib.recurrent.AttentiveSeq2Seq` keeps it in its "
        "cache. A dot product needs no (B, T_q, T_k, D_a) in between, which is why it won."
    ),
)
