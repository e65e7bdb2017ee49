"""objectives.info_nce: tell your partner from the crowd."""

from collections.abc import Callable

import torch
from torch import Tensor

from mtlib.grading.draw import DTYPES, Draw
from mtlib.grading.exercise import Exercise, Mistake, Property
from mtlib.grading.judge import agree, differentiates, equals, leaves_inputs, value_of


def reference(a: Tensor, b: Tensor, t: float) -> Tensor:
    return variant()(a, b, t)


def unit(x: Tensor) -> Tensor:
    return x / x.norm(dim=-1, keepdim=True)


def own(scores: Tensor) -> Tensor:
    """The surprise of each row at its own column."""
    return -scores.log_softmax(-1).diagonal()


def divided(cosines: Tensor, t: float) -> Tensor:
    return cosines / t


def both_ways(scores: Tensor, surprise: Callable) -> Tensor:
    return (surprise(scores).mean() + surprise(scores.mT).mean()) / 2


def variant(length=unit, scale=divided, surprise=own, mean=both_ways):
    """The contrastive loss with a step changed: lengths, temperature, the surprise of a row, the mean."""

    def info_nce(a: Tensor, b: Tensor, t: float) -> Tensor:
        return mean(scale(length(a) @ length(b).mT, t), surprise)

    return info_nce


def _case(d: Draw, N: int, dtype: torch.dtype = torch.float64) -> dict:
    D = d.size(low=2, rough=6)
    return {"a": _rows(d, N, D, dtype), "b": _rows(d, N, D, dtype), "t": d.pick(1.0, 0.5, 2.0, 0.1, 0.05)}


def _rows(d: Draw, N: int, D: int, dtype: torch.dtype) -> Tensor:
    """Rows of any length but 0."""
    x = d.floats(N, D, dtype=dtype)
    x[:, 0] += 4 * (x.norm(dim=-1) < 0.5)
    return x


def crowd(d: Draw) -> dict:
    """Several pairs."""
    return _case(d, d.size(low=2, rough=7), d.pick(*DTYPES))


def alone(d: Draw) -> dict:
    """One pair, and nobody to be taken for."""
    return _case(d, 1)


def sharp(d: Draw) -> dict:
    """A temperature so small that exponentials of the scores overflow in float32."""
    return _case(d, d.size(low=2, rough=6)) | {"t": d.pick(0.001, 0.0005)}


def with_cotangent(d: Draw) -> dict:
    return _case(d, d.size(low=2, rough=5)) | {"cotangent": d.floats(dtype=torch.float64) + 1.0}


def inverse(a: Tensor, b: Tensor, t: float, **_: Tensor) -> float:
    """1 / t, by which rounding is measured."""
    return 1 / t


def swapped(case: dict, subject) -> None:
    """a and b in each other's place."""
    a, b, t = case.values()
    agree(value_of(subject.call(b, a, t)), reference(a, b, t), 1 / t, why="with a and b in each other's place the loss is the same")


def _among_others(scores: Tensor) -> Tensor:
    others = scores.masked_fill(torch.eye(len(scores), dtype=torch.bool), float("-inf"))
    return others.logsumexp(-1) - scores.diagonal() if len(scores) > 1 else 0 * scores.diagonal()


def _in_one_heap(scores: Tensor, surprise: Callable) -> Tensor:
    return (scores.flatten().logsumexp(0) - scores.diagonal()).mean()


EXERCISE = Exercise(
    id="objectives.info_nce",
    title="Find your partner in the crowd",
    answers=("info_nce",),
    minutes=20,
    read=("c-contrastive-pairs",),
    properties=(
        Property("values", 4, "the mean surprise at one's own partner, of both directions", crowd, equals(reference, inverse), 45),
        Property("symmetric", 2, "a and b may change places", crowd, swapped, 30),
        Property("alone", 1, "one pair: nothing to tell it from, and the loss is 0", alone, equals(reference, inverse), 20),
        Property("sharp", 2, "with a tiny temperature the loss is still finite and exact", sharp, equals(reference, inverse), 30),
        Property("gradients", 2, "every row is pulled to its partner and pushed from the rest", with_cotangent,
                 differentiates(reference, inverse), 30),
        Property("inputs unchanged", 1, "a and b are afterwards what they were", crowd, leaves_inputs(reference), 20),
    ),
    mistakes=(
        Mistake("dot products of the rows as they come; cosines are asked for, so long rows must not shout",
                variant(length=lambda x: x)),
        Mistake("each row divided by its squared length: the length itself brings it to 1",
                variant(length=lambda x: x / x.square().sum(-1, keepdim=True))),
        Mistake("columns brought to length 1; it is the rows that are vectors",
                variant(length=lambda x: x / x.norm(dim=0, keepdim=True).clamp(min=1e-12))),
        Mistake("no temperature", variant(scale=lambda cosines, t: cosines)),
        Mistake("cosines times t; a small temperature must make differences larger", variant(scale=lambda cosines, t: cosines * t)),
        Mistake("one direction: a's rows look for theirs among b's, and b's never look",
                variant(mean=lambda scores, surprise: surprise(scores).mean())),
        Mistake("the other direction alone: b's rows look for theirs among a's, and a's never look",
                variant(mean=lambda scores, surprise: surprise(scores.mT).mean())),
        Mistake("the sum of both directions, where their mean is asked for",
                variant(mean=lambda scores, surprise: surprise(scores).mean() + surprise(scores.mT).mean())),
        Mistake("the sum over the pairs, where the mean is asked for",
                variant(mean=lambda scores, surprise: (surprise(scores).sum() + surprise(scores.mT).sum()) / 2)),
        Mistake("the pairs' own scores and nobody else's: what the wrong partners get must count",
                variant(surprise=lambda scores: -scores.diagonal())),
        Mistake("the partner left out below the line: the share must be among all, the right one included",
                variant(surprise=_among_others)),
        Mistake("a softmax and then its log, in two steps: a share too small for a float is 0, and its log −inf",
                variant(surprise=lambda scores: -(scores.exp() / scores.exp().sum(-1, keepdim=True)).log().diagonal())),
        Mistake("one softmax over all N² scores: each row must choose for itself", variant(mean=_in_one_heap)),
        Mistake("each pair's neighbour taken for its partner", variant(surprise=lambda scores: -scores.log_softmax(-1).roll(1, 0).diagonal())),
        Mistake("the mean log-probability without the minus: it should be what you pay",
                variant(surprise=lambda scores: scores.log_softmax(-1).diagonal())),
        Mistake("the loss counted in bits; natural logarithms are asked for",
                variant(mean=lambda scores, surprise: both_ways(scores, surprise) / torch.log(torch.tensor(2.0)).to(scores))),
    ),
    hints=(
        "Make the N × N table of cosines first, and look at one row of it: N candidates, one right. You have written that loss "
        "before.",
        "Row i's right answer is column i, so it is cross-entropy with targets 0, 1, …, N−1. The other direction is the same "
        "table turned: its columns choose among the rows.",
        "`s = normalize(a) @ normalize(b).T / t`; `rows = s.log_softmax(1).diagonal()`, `columns = s.log_softmax(0).diagonal()`; "
        "minus the mean of both means.",
    ),
    explanation=(
        "Nobody labelled anything: that a and b belong together is all there is to know, and the rest of the batch serves as "
        "wrong answers. So a larger batch is a harder question, and N = 1 is none. The temperature says how much the most "
        "similar wrong answers count beside the rest."
    ),
    better=(
        "`F.cross_entropy(s, partner)` and `F.cross_entropy(s.T, partner)` with `partner = torch.arange(N)`. A batch that is "
        "spread over machines must gather the rows of all of them first, or everyone is compared with few."
    ),
)
