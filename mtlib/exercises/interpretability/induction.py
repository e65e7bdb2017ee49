"""interpretability.induction: does a head look at what came after this token the last time?"""

import torch
from torch import Tensor

from mtlib.grading.draw import DTYPES, Draw
from mtlib.grading.exercise import Exercise, Mistake, Property
from mtlib.grading.judge import equals, leaves_inputs


def reference(weights: Tensor, period: int) -> Tensor:
    return variant()(weights, period)


def after_the_last(period: int, T: int) -> tuple[Tensor, Tensor]:
    t = torch.arange(period, T)
    return t, t - period + 1


def variant(places=after_the_last, mean=lambda x: x.mean((0, 2))):
    """The score with a step changed: the places that count, and how they are brought to one number for each head."""

    def induction_score(weights: Tensor, period: int) -> Tensor:
        queries, keys = places(period, weights.size(-1))
        return mean(weights[..., queries, keys])

    return induction_score


def _sizes(d: Draw) -> tuple[int, int, int, int]:
    """B, H, T and a period."""
    period = d.size(low=2, high=3, rough=5)
    return d.size(high=2, rough=3), d.size(high=3, rough=4), period + d.size(high=3, rough=8), period


def _causal(scores: Tensor) -> Tensor:
    T = scores.size(-1)
    return scores.masked_fill(torch.ones(T, T, dtype=torch.bool).triu(1), -torch.inf).softmax(-1)


def attended(d: Draw) -> dict:
    """Any causal weights."""
    B, H, T, period = _sizes(d)
    return {"weights": _causal(d.floats(B, H, T, T, dtype=d.pick(*DTYPES))), "period": period}


def two_way(d: Draw) -> dict:
    """An encoder's weights: nothing is masked."""
    B, H, T, period = _sizes(d)
    return {"weights": d.floats(B, H, T, T, dtype=d.pick(*DTYPES)).softmax(-1), "period": period}


def just_over(d: Draw) -> dict:
    """T = period + 1: one query alone counts."""
    B, H, _, period = _sizes(d)
    return {"weights": _causal(d.floats(B, H, period + 1, period + 1)), "period": period}


def planted(d: Draw) -> dict:
    """Each head looks from t at one place: where it should, one beside it, at the same token, at itself."""
    B, H, T, period = _sizes(d)
    back = [d.pick(period - 1, 0, period, period - 2, 1) for _ in range(H)]
    t = torch.arange(T)
    heads = [torch.nn.functional.one_hot((t - b).clamp(min=0), T) for b in back]
    return {"weights": torch.stack(heads).expand(B, H, T, T).clone().to(d.pick(*DTYPES)), "period": period}


def _at(back: int, first: int = 0):
    """Places: from t = period + first on, the key `period + back` before it."""

    def places(period: int, T: int) -> tuple[Tensor, Tensor]:
        t = torch.arange(period + first, T)
        return t, t - period - back

    return places


def _all_queries(weights: Tensor, period: int) -> Tensor:
    """The same sum over the mean of all T queries."""
    return reference(weights, period) * (weights.size(-1) - period) / weights.size(-1)


def _turned(period: int, T: int) -> tuple[Tensor, Tensor]:
    return after_the_last(period, T)[::-1]


def _second_half(period: int, T: int) -> tuple[Tensor, Tensor]:
    t = torch.arange(period, min(2 * period, T))
    return t, t - period + 1


EXERCISE = Exercise(
    id="interpretability.induction",
    title="What came after this, the last time?",
    answers=("induction_score",),
    minutes=15,
    read=("s-interp-heads",),
    properties=(
        Property("values", 3, "the mean weight from t on t − period + 1, over the batch and all t ≥ period", attended, equals(reference)),
        Property("planted", 2, "a head that looks there and nowhere else scores 1, one that looks beside it 0", planted,
                 equals(reference), 45),
        Property("both ways", 1, "weights without a mask are scored alike", two_way, equals(reference), 30),
        Property("just over", 1, "T = period + 1 leaves one query", just_over, equals(reference), 30),
        Property("inputs unchanged", 1, "the weights are afterwards what they were", attended, leaves_inputs(reference), 20),
    ),
    mistakes=(
        Mistake("key t − period: there stands the same token, and what followed it is one further", variant(places=_at(0))),
        Mistake("key t − period − 1: what came before the token, not after it", variant(places=_at(1))),
        Mistake("key t − 1, whatever the period: that is a previous-token head",
                variant(places=lambda period, T: (torch.arange(period, T), torch.arange(period, T) - 1))),
        Mistake("t = period − 1 counted as well: its token has not come back yet", variant(places=_at(-1, -1))),
        Mistake("the first t left out: at t = period the token stands there a second time already", variant(places=_at(-1, 1))),
        Mistake("a mean over all T queries: the first `period` of them have nothing to find, and do not count", _all_queries),
        Mistake("one period only: every later t counts as well", variant(places=_second_half)),
        Mistake("query and key exchanged: the row is the query", variant(places=_turned)),
        Mistake("a sum over the queries, where it is a mean", variant(mean=lambda x: x.sum(2).mean(0))),
        Mistake("one number for each text and head: the batch is averaged too", variant(mean=lambda x: x.mean(2))),
        Mistake("one number for all heads: they are what is to be told apart", variant(mean=lambda x: x.mean())),
        Mistake("the largest of the weights, where their mean is asked for", variant(mean=lambda x: x.amax(2).mean(0))),
        Mistake("how often the largest weight stands there: the weight itself is asked for",
                lambda weights, period: variant(mean=lambda x: x.mean((0, 2)))(
                    (weights == weights.amax(-1, keepdim=True)).to(weights.dtype), period)),
    ),
    hints=(
        "Write a text of period 3 down: A B C A B C. At the second A, t = 3, an induction head looks at what followed the first A. Which "
        "key is that?",
        "The places (t, t − period + 1) for t = period … T−1 lie on one diagonal. Index with two lists of places at once, or take "
        "`diagonal` with the right offset and cut off what comes before t = period.",
        "`t = torch.arange(period, T)`; `weights[..., t, t - period + 1]` is (B, H, T − period); the mean over axes 0 and 2.",
    ),
    explanation=(
        "On random tokens that repeat, a head that scores high looks where the answer stands; one that looks evenly over all it "
        "may see scores the mean of 1/(t + 1). But one that always looks period - 1 places back scores 1 and has read no token: "
        "try a second period. And whether the model needs the head is for ablation to say."
    ),
    better=(
        "`weights.diagonal(1 - period, -2, -1)[..., 1:].mean((0, 2))` makes no index. For text that does not repeat with one period "
        "build the wanted keys from the ids: key j counts for t if ids[j−1] == ids[t]."
    ),
)
