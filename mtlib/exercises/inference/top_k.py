"""inference.top_k: the k likeliest stay."""

import math

import torch
from torch import Tensor

from mtlib.grading.draw import Draw
from mtlib.grading.exercise import Exercise, Mistake, Property
from mtlib.grading.judge import equals, leaves_inputs, refuses

from .logits import all_different, any_logits, in_one_row, tied, wrong_endings


def reference(logits: Tensor, k: int) -> Tensor:
    _at_least_one(k)
    return kept(logits, k)


def kept(logits: Tensor, k: int) -> Tensor:
    """As the reference, and for k below 1 everything out."""
    ordered = logits.sort(dim=-1, descending=True).values
    kth = ordered[..., min(k, logits.size(-1)) - 1, None] if k > 0 else math.inf
    return logits.masked_fill(logits < kth, -math.inf)


def _at_least_one(k: int) -> None:
    if k < 1:
        raise ValueError(f"k={k} must be at least 1")


def _fewer(d: Draw, logits: Tensor) -> dict:
    return {"logits": logits, "k": d.whole(1, logits.size(-1))}


def different(d: Draw) -> dict:
    return _fewer(d, all_different(d))


def equal_ones(d: Draw) -> dict:
    return _fewer(d, tied(d))


def whole_vocabulary(d: Draw) -> dict:
    logits = any_logits(d)
    return {"logits": logits, "k": logits.size(-1) + d.whole(0, 3)}


def none(d: Draw) -> dict:
    return {"logits": any_logits(d), "k": d.whole(-2, 0)}


def _exactly(logits: Tensor, k: int) -> Tensor:
    _at_least_one(k)
    order = logits.sort(dim=-1, descending=True, stable=True).indices[..., : min(k, logits.size(-1))]
    out = torch.ones_like(logits, dtype=torch.bool).scatter(-1, order, False)
    return logits.masked_fill(out, -math.inf)


def _above_the_kth(logits: Tensor, k: int) -> Tensor:
    _at_least_one(k)
    kth = logits.sort(dim=-1, descending=True).values[..., min(k, logits.size(-1)) - 1, None]
    return logits.masked_fill(logits <= kth, -math.inf)


def _too_few(logits: Tensor, k: int) -> Tensor:
    _at_least_one(k)
    if k > logits.size(-1):
        raise RuntimeError("selected index k out of range")
    return reference(logits, k)


def _only_the_values(logits: Tensor, k: int) -> Tensor:
    _at_least_one(k)
    return logits.topk(min(k, logits.size(-1))).values


EXERCISE = Exercise(
    id="inference.top_k",
    title="Only the k likeliest",
    answers=("top_k",),
    minutes=10,
    read=("decoding-rules",),
    properties=(
        Property("values", 3, "the k largest stay as they are, the others become −inf", different, equals(reference), 45),
        Property("ties", 2, "all that equal the k-th largest stay", equal_ones, equals(reference), 45),
        Property("whole vocabulary", 1, "a k of V or more changes nothing", whole_vocabulary, equals(reference), 30),
        Property("refusal", 1, "a ValueError for k < 1", none, refuses, 20),
        Property("inputs unchanged", 1, "logits are afterwards what they were", different, leaves_inputs(reference), 20),
    ),
    mistakes=(
        Mistake("exactly k tokens, whatever equals the last of them: which of two equals stays would be chance", _exactly),
        Mistake("the k-th largest itself is out: `<=` where `<` is meant", _above_the_kth),
        Mistake("the k largest of the whole batch; every row has its own", lambda x, k: in_one_row(reference)(x, k)),
        Mistake("more asked of topk than there is: for k beyond V everything stays", _too_few, raises="RuntimeError"),
        Mistake("the k values alone: a token's place in the row is its name, so the row stays as long as it was", _only_the_values),
        Mistake("no ValueError where k is below 1: not one token would be left", kept),
        Mistake("0 where −inf is meant: a logit of 0 is nothing special, and e⁰ is 1: they come back into the draw",
                lambda logits, k: logits.masked_fill(reference(logits, k) == -math.inf, 0.0)),
        Mistake("probabilities: the logits are asked for, so that another rule can come after this one",
                lambda logits, k: reference(logits, k).softmax(-1)),
        *wrong_endings(reference),
    ),
    hints=(
        "You need one number per row: the k-th largest logit. What is below it goes.",
        "`topk` gives the largest, in order; the last of them is the threshold. Keep its axis, so that each row is compared with its "
        "own. And topk will not give more than there are.",
        "`kth = logits.topk(min(k, logits.shape[-1])).values[..., -1:]`, then `logits.masked_fill(logits < kth, -math.inf)`.",
    ),
    explanation=(
        "The same k wherever the text stands: where one word is all but certain, and where a hundred would do. The two rules that "
        "come next look at probabilities, so that the number of tokens follows the model's doubt."
    ),
    better=(
        "Draw among the k values and look the winner up: `values, ids = logits.topk(k)`, then `ids[multinomial(values.softmax(-1))]` "
        "needs no row of V with holes in it. It keeps exactly k, though, and equals at the border are then left to chance."
    ),
)
