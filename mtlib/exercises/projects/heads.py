"""projects.heads: four ways from a vector for every position to one for the text."""

import torch
from torch import Tensor

from mtlib.grading.draw import DTYPES, Draw
from mtlib.grading.exercise import Exercise, Mistake, Property
from mtlib.grading.judge import agree, leaves_inputs, value_of
from mtlib.grading.subject import Subject

NAMES = ("pool_first", "pool_mean", "pool_max", "pool_attention")


def first(hidden: Tensor, keep: Tensor) -> Tensor:
    return hidden[:, 0]


def mean(hidden: Tensor, keep: Tensor) -> Tensor:
    return hidden.masked_fill(~keep[..., None], 0.0).sum(1) / keep.sum(1, keepdim=True)


def largest(hidden: Tensor, keep: Tensor) -> Tensor:
    return hidden.masked_fill(~keep[..., None], -torch.inf).amax(1)


def shares(hidden: Tensor, keep: Tensor, w: Tensor) -> Tensor:
    return (hidden @ w).masked_fill(~keep, -torch.inf).softmax(1)


def asked(hidden: Tensor, keep: Tensor, w: Tensor) -> Tensor:
    return (shares(hidden, keep, w)[..., None] * hidden.masked_fill(~keep[..., None], 0.0)).sum(1)


REFERENCES = (first, mean, largest, asked)


def _case(d: Draw, padded: bool = True) -> dict:
    """Position 0 of each row is kept; any other may be padding, at the end or between."""
    B, T, D, dtype = d.size(high=3), d.size(rough=6), d.size(high=3, rough=5), d.pick(*DTYPES)
    keep = d.keep(B, T) if padded else torch.ones(B, T, dtype=torch.bool)
    keep[:, 0] = True
    return {"hidden": d.floats(B, T, D, dtype=dtype), "keep": keep}


def texts(d: Draw) -> dict:
    return _case(d, padded=d.flag())


def weighed(d: Draw) -> dict:
    """A query beside."""
    case = texts(d)
    return case | {"w": d.floats(case["hidden"].size(-1), dtype=case["hidden"].dtype, high=1, spread=0.7)}


def extremes(d: Draw) -> dict:
    """At least one position is padding, and what stands there is enormous."""
    B, T = d.size(high=3), d.size(low=2, rough=6)
    D, dtype = d.size(high=3, rough=5), d.pick(*DTYPES)
    keep = d.keep(B, T)
    keep[:, d.whole(1, T - 1)] = False
    keep[:, 0] = True
    hidden = d.floats(B, T, D, dtype=dtype).masked_fill(~keep[..., None], d.pick(1e4, -1e4))
    return {"hidden": hidden, "keep": keep, "w": d.floats(D, dtype=dtype, high=1, spread=0.7)}


def _score(hidden: Tensor, keep: Tensor, w: Tensor | None = None) -> float:
    """The largest number on the way; padding has no part in it."""
    hidden = hidden.masked_fill(~keep[..., None], 0.0)
    return float(hidden.abs().max()) if w is None else float((hidden.abs() @ w.abs()).max())


def pools(number: int):
    """A judge of one of the four."""

    def judge(case: dict, *subjects: Subject) -> None:
        agree(value_of(subjects[number].call(*case.values())), REFERENCES[number](*case.values()), _score(**case))

    return judge


def blind(case: dict, *subjects: Subject) -> None:
    """All four, on padding of ±10,000."""
    hidden, keep, w = case.values()
    for name, reference, subject in zip(NAMES, REFERENCES, subjects, strict=True):
        args = (hidden, keep, w) if name == "pool_attention" else (hidden, keep)
        agree(value_of(subject.call(*args)), reference(*args), _score(*args), why=f"{name}, with {hidden[~keep][0, 0]:g} in the padding")


def unchanged(case: dict, *subjects: Subject) -> None:
    for name, reference, subject in zip(NAMES, REFERENCES, subjects, strict=True):
        leaves_inputs(reference)(case if name == "pool_attention" else {k: case[k] for k in ("hidden", "keep")}, subject)


def instead(**changed) -> tuple:
    """The four with some of them changed."""
    return tuple(changed.get(name.removeprefix("pool_"), reference) for name, reference in zip(NAMES, REFERENCES, strict=True))


def _product(hidden: Tensor, keep: Tensor) -> Tensor:
    return (hidden * keep[..., None]).amax(1)


def _in_place(hidden: Tensor, keep: Tensor) -> Tensor:
    hidden[~keep] = 0.0
    return hidden.sum(1) / keep.sum(1, keepdim=True)


def _weighing(soften=lambda scores, keep: scores.masked_fill(~keep, -torch.inf).softmax(1), score=lambda h, w: h @ w):
    """Attention pooling with a step changed."""
    return lambda h, keep, w: (soften(score(h, w), keep)[..., None] * h).sum(1)


def _the_winner(hidden: Tensor, keep: Tensor, w: Tensor) -> Tensor:
    best = (hidden @ w).masked_fill(~keep, -torch.inf).argmax(1)
    return hidden[range(len(hidden)), best]


M = Mistake
EXERCISE = Exercise(
    id="projects.heads",
    title="Four ways to one vector",
    answers=NAMES,
    minutes=25,
    read=("t-heads",),
    properties=(
        Property("first", 1, "the vector of position 0", texts, pools(0), 25),
        Property("mean", 2, "the mean of what is kept", texts, pools(1), 40),
        Property("max", 2, "in each column the largest of what is kept", texts, pools(2), 40),
        Property("attention", 3, "weighed by the softmax of hidden @ w over what is kept", weighed, pools(3), 40),
        Property("padding", 3, "10,000 or −10,000 in the padding changes none of the four", extremes, blind, 40),
        Property("inputs unchanged", 1, "hidden, keep and w are afterwards what they were", extremes, unchanged, 20),
    ),
    mistakes=(
        M("the last position, where the first is asked for", *instead(first=lambda h, keep: h[:, -1])),
        M("the first position with its axis left on: (B, 1, D), where (B, D) is asked for", *instead(first=lambda h, keep: h[:, :1])),
        M("the mean over all positions, padding included", *instead(mean=lambda h, keep: h.mean(1))),
        M("the sum of the kept divided by the whole length T: a short text comes out smaller than a long one",
          *instead(mean=lambda h, keep: (h * keep[..., None]).mean(1))),
        M("the sum of the kept, where the mean is asked for", *instead(mean=lambda h, keep: (h * keep[..., None]).sum(1))),
        M("one divisor for the whole batch: each text has a length of its own",
          *instead(mean=lambda h, keep: (h * keep[..., None]).sum(1) * len(keep) / keep.sum())),
        M("the largest over all positions, padding included", *instead(max=lambda h, keep: h.amax(1))),
        M("zeros in the padding and then the largest: a column whose kept numbers are all negative gets 0", *instead(max=_product)),
        M("−1000 in the padding and then the largest; nothing says that the text's own numbers lie above that",
          *instead(max=lambda h, keep: (h - 1000 * ~keep[..., None]).amax(1))),
        M("the largest along the width: one number for each position, where one for each column is asked for",
          *instead(max=lambda h, keep: h.masked_fill(~keep[..., None], -torch.inf).amax(2))),
        M("weights over all positions, padding included", *instead(attention=_weighing(lambda s, keep: s.softmax(1)))),
        M("zeros for the scores of padding; a score of 0 still has a share after the softmax",
          *instead(attention=_weighing(lambda s, keep: (s * keep).softmax(1)))),
        M("the padding's shares struck out after the softmax: what is left no longer adds up to 1",
          *instead(attention=_weighing(lambda s, keep: s.softmax(1) * keep))),
        M("a softmax over the batch; a text weighs its own positions", *instead(attention=_weighing(
            lambda s, keep: s.masked_fill(~keep, -torch.inf).softmax(0).nan_to_num(0.0)))),
        M("scores in place of weights: the softmax is missing", *instead(attention=_weighing(lambda s, keep: s * keep))),
        M("scores divided by √D; here the query is learned, and its length with it",
          *instead(attention=_weighing(score=lambda h, w: h @ w / w.numel() ** 0.5))),
        M("the one position with the largest score; a softmax gives all of them a share", *instead(attention=_the_winner)),
        M("zeros written into the caller's hidden", *instead(mean=_in_place)),
    ),
    hints=(
        "Padding should become a number that changes nothing. For a sum that is 0. Which is it for a maximum, and which for a score that "
        "goes through a softmax?",
        "`keep` is (B, T) and hidden (B, T, D): `keep[..., None]` lets them meet. For the mean, divide by how many each row keeps. For the "
        "maximum and for the scores, what is not kept becomes −inf.",
        "`hidden.masked_fill(~keep[..., None], 0.0).sum(1) / keep.sum(1, keepdim=True)`; the same with `-torch.inf` and `.amax(1)`; "
        "`weights = (hidden @ w).masked_fill(~keep, -torch.inf).softmax(1)`, then the sum over positions of weights times hidden.",
    ),
    explanation=(
        "All four are weighings of positions: all weight on one, equal weights, for each column all on the winner, weights that a query "
        "asks for. Only the last has something to learn, D numbers, and with w = 0 it is the mean: that is where a training should begin."
    ),
    better=(
        "`(weights[:, None] @ hidden).squeeze(1)` weighs without a (B, T, D) in between. In `mtlib` they are `mt.FirstPool`, `MeanPool`, "
        "`MaxPool` and `AttentionPool`, which also say what a row with nothing kept gets: zeros."
    ),
)
