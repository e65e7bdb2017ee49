"""inference.top_p: the fewest likeliest that together weigh p."""

import math
from functools import partial

import torch
from torch import Tensor

from mtlib.grading.draw import Draw
from mtlib.grading.exercise import Exercise, Mistake, Property
from mtlib.grading.judge import equals, leaves_inputs

from .logits import any_logits, apart, before_each, chosen_clear, in_one_row, tied, wrong_endings


def reference(logits: Tensor, p: float) -> Tensor:
    return variant()(logits, p)


def likeliest_first(logits: Tensor) -> Tensor:
    return logits.sort(dim=-1, descending=True, stable=True).indices


def shares_of(logits: Tensor) -> Tensor:
    return logits.softmax(-1)


def heavy_before(shares: Tensor, p: float) -> Tensor:
    """Out is what has p or more before it, but never the first."""
    out = shares.cumsum(-1) - shares >= p
    out[..., 0] = False
    return out


def back_in_place(out: Tensor, order: Tensor) -> Tensor:
    return torch.empty_like(out).scatter(-1, order, out)


def variant(order=likeliest_first, shares=shares_of, out=heavy_before, back=back_in_place, whole=1.0):
    """Top-p with a step changed: the order, the shares, what is out, the way back, from which p on all stay."""

    def top_p(logits: Tensor, p: float) -> Tensor:
        if p >= whole:
            return logits.clone()
        by = order(logits)
        return logits.masked_fill(back(out(shares(logits).gather(-1, by), p), by), -math.inf)

    return top_p


def _clear(d: Draw, logits: Tensor) -> dict:
    """With a p that no sum of shares comes near."""
    return {"logits": logits, "p": chosen_clear(d, partial(apart, before_each(logits)[..., 1:]))}


def values(d: Draw) -> dict:
    return _clear(d, any_logits(d))


def equal_ones(d: Draw) -> dict:
    return _clear(d, tied(d))


def nothing(d: Draw) -> dict:
    return {"logits": any_logits(d), "p": 0.0}


def everything(d: Draw) -> dict:
    """Some tokens so unlikely that the shares before them already round to 1."""
    return {"logits": any_logits(d) * d.pick(1, 30, 100), "p": d.pick(1.0, 1.5, 2.0)}


def _with_itself(shares: Tensor, p: float) -> Tensor:
    out = shares.cumsum(-1) > p
    out[..., 0] = False
    return out


def _not_even_the_first(shares: Tensor, p: float) -> Tensor:
    return shares.cumsum(-1) - shares >= p


def _likely_enough(shares: Tensor, p: float) -> Tensor:
    out = shares < p
    out[..., 0] = False
    return out


def _higher_index_first(logits: Tensor) -> Tensor:
    return logits.size(-1) - 1 - likeliest_first(logits.flip(-1))


def _equals_too(logits: Tensor, p: float) -> Tensor:
    least = reference(logits, p).masked_fill(reference(logits, p) == -math.inf, math.inf).amin(-1, keepdim=True)
    return logits.masked_fill(logits < least, -math.inf)


def _as_they_stand(logits: Tensor) -> Tensor:
    return torch.arange(logits.size(-1)).expand(logits.shape)


EXERCISE = Exercise(
    id="inference.top_p",
    title="As many as it takes",
    answers=("top_p",),
    minutes=20,
    read=("decoding-rules",),
    properties=(
        Property("values", 4, "from the likeliest down, a token stays while those before it weigh less than p", values,
                 equals(reference)),
        Property("ties", 2, "of equal logits the lower index comes first, and they may be parted", equal_ones, equals(reference), 45),
        Property("zero", 1, "at p = 0 the likeliest stays, alone", nothing, equals(reference), 30),
        Property("whole", 2, "a p of 1 or more changes nothing, however unlikely a token is", everything, equals(reference), 45),
        Property("inputs unchanged", 1, "logits are afterwards what they were", values, leaves_inputs(reference), 20),
    ),
    mistakes=(
        Mistake("the token that crosses p left out: what stays weighs less than p, where it should weigh p at least",
                variant(out=_with_itself)),
        Mistake("not even the first stays at p = 0: then there is nothing to draw from", variant(out=_not_even_the_first)),
        Mistake("sums in the order of the vocabulary: the likeliest comes first", variant(order=_as_they_stand)),
        Mistake("from the least likely up; it is the likeliest that comes first",
                variant(order=lambda x: x.sort(dim=-1, stable=True).indices)),
        Mistake("sorted and never put back: what is out stands at its rank, not at its token", variant(back=lambda out, order: out)),
        Mistake("a comparison of each token's own share with p: it is their sum that counts", variant(out=_likely_enough)),
        Mistake("of equal logits the higher index first", variant(order=_higher_index_first)),
        Mistake("all that equal the last one kept: here equals may be parted, the lower index stays", _equals_too),
        Mistake("no case of its own for p = 1: sums of rounded shares reach 1 before the last token, and it is out",
                variant(whole=math.inf)),
        Mistake("the likeliest of the whole batch; every row has its own sum", lambda x, p: in_one_row(reference)(x, p)),
        *wrong_endings(reference),
    ),
    hints=(
        "Sort each row, make shares of it, and ask for every token how much lies before it. \"Before\" does not count the token itself.",
        "`cumsum` of the sorted shares counts the token itself: take its own share off again. Remember where each came from: `sort` "
        "gives indices too, and `scatter` with them undoes the sorting.",
        "`ordered, order = logits.sort(dim=-1, descending=True, stable=True)`; `out = cumsum - shares >= p` with `out[..., 0] = False`; "
        "`logits.masked_fill(out.scatter(-1, order, out), -math.inf)`. For p >= 1 give the logits back first of all.",
    ),
    explanation=(
        "The number of tokens that stay follows the model's own doubt: one where it is sure, hundreds where it is not. The one that "
        "crosses the line stays, so what is left weighs p at least. Of equals at the border one may stay and one go, which only a rule "
        "can settle; it is here the lower index."
    ),
    better=(
        "Sorting 50,000 logits to keep ten is the dear part. Take the largest thousand with `topk`, and sort the rest only where those "
        "weigh less than p."
    ),
)
