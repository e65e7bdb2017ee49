"""encoder.classify: the mean of what is no padding, a linear map, log-probabilities."""

from collections.abc import Callable

import torch
from torch import Tensor

from mtlib.grading.draw import DTYPES, Draw
from mtlib.grading.exercise import Exercise, Mistake, Property
from mtlib.grading.judge import agree, differentiates, equals, leaves_inputs, value_of


def reference(hidden: Tensor, keep: Tensor, w: Tensor, b: Tensor) -> Tensor:
    return variant()(hidden, keep, w, b)


def mean_of_kept(hidden: Tensor, keep: Tensor) -> Tensor:
    return hidden.masked_fill(~keep[..., None], 0.0).sum(1) / keep.sum(1, keepdim=True).clamp(min=1)


def linear(x: Tensor, w: Tensor, b: Tensor) -> Tensor:
    return x @ w + b


def log_shares(logits: Tensor) -> Tensor:
    return logits.log_softmax(-1)


def variant(pool: Callable = mean_of_kept, score: Callable = linear, end: Callable = log_shares) -> Callable:
    """The classifier's head with a step changed."""
    return lambda hidden, keep, w, b: end(score(pool(hidden, keep), w, b))


def _case(d: Draw, padded: bool, dtype: torch.dtype = torch.float32) -> dict:
    B, T, D, C = d.size(), d.size(low=1 + padded, rough=6), d.size(rough=5), d.size(low=2)
    keep = torch.ones(B, T, dtype=torch.bool)
    if padded:
        keep = d.keep(B, T)
        keep[d.whole(0, B - 1), d.whole(1, T - 1)] = False
        keep[:, 0] |= ~keep.any(1)
    return {
        "hidden": d.floats(B, T, D, dtype=dtype, high=6),
        "keep": keep,
        "w": d.floats(D, C, dtype=dtype),
        "b": d.floats(C, dtype=dtype),
    }


def whole(d: Draw) -> dict:
    """No padding."""
    return _case(d, False, d.pick(*DTYPES))


def padded(d: Draw) -> dict:
    return _case(d, True, d.pick(*DTYPES))


def blank(d: Draw) -> dict:
    """One text of the batch has nothing kept; what arrives from above is there to ask for the gradient as well."""
    case = _case(d, True, torch.float64)
    case["keep"][d.whole(0, len(case["keep"]) - 1)] = False
    return case | {"cotangent": d.floats(len(case["keep"]), len(case["b"]), dtype=torch.float64)}


def huge(d: Draw) -> dict:
    """Logits of ten thousand and more."""
    case = _case(d, True, torch.float64)
    return case | {"w": case["w"] * 10_000}


def gradient(d: Draw) -> dict:
    case = _case(d, True, torch.float64)
    return case | {"cotangent": d.floats(len(case["keep"]), len(case["b"]), dtype=torch.float64)}


def largest(hidden: Tensor, keep: Tensor, w: Tensor, b: Tensor, **_: Tensor) -> float:
    """About the largest logit, by which rounding is measured."""
    return float(hidden.abs().max() * w.abs().max() * w.shape[0] + b.abs().max())


def same_whatever_the_padding(case: dict, subject) -> None:
    """What stands where nothing is kept changes nothing."""
    expected = reference(*case.values())
    changed = case | {"hidden": case["hidden"].masked_fill(~case["keep"][..., None], 777.0)}
    agree(value_of(subject.call(*changed.values())), expected, largest(**case), why="777 stands in the padding: it changes nothing")


def zero_with_its_gradient(case: dict, subject) -> None:
    arguments = {name: value for name, value in case.items() if name != "cotangent"}
    equals(reference, largest)(arguments, subject)
    differentiates(reference, largest)(case, subject)


def _unmasked(hidden: Tensor, keep: Tensor) -> Tensor:
    return hidden.mean(1)


def _over_all(hidden: Tensor, keep: Tensor) -> Tensor:
    return (hidden * keep[..., None]).mean(1)


def _nan_of_nothing(hidden: Tensor, keep: Tensor) -> Tensor:
    return (hidden * keep[..., None]).sum(1) / keep.sum(1, keepdim=True)


def _over_the_batch(hidden: Tensor, keep: Tensor) -> Tensor:
    return (hidden * keep[..., None]).sum(1) / keep.sum().clamp(min=1)


def _largest_kept(hidden: Tensor, keep: Tensor) -> Tensor:
    found = hidden.masked_fill(~keep[..., None], -torch.inf).amax(1)
    return found.masked_fill(~keep.any(1, keepdim=True), 0.0)


def _scores_first(hidden: Tensor, keep: Tensor, w: Tensor, b: Tensor) -> Tensor:
    """A mean of scores. It is the score of the mean, but where there is nothing to take the mean of."""
    return log_shares(mean_of_kept(linear(hidden, w, b), keep))


def _verdict_first(hidden: Tensor, keep: Tensor, w: Tensor, b: Tensor) -> Tensor:
    return mean_of_kept(log_shares(linear(hidden, w, b)), keep)


EXERCISE = Exercise(
    id="encoder.classify",
    title="From vectors to a verdict",
    answers=("classify",),
    minutes=20,
    read=("s-encoder-parts",),
    properties=(
        Property("values", 3, "log-probabilities of the mean vector @ w + b", whole, equals(reference, largest), 45),
        Property("padded", 3, "the mean runs over kept positions alone", padded, equals(reference, largest), 45),
        Property("padding", 2, "what stands in the padding changes nothing", padded, same_whatever_the_padding, 30),
        Property("nothing kept", 1, "a text with nothing kept has the mean 0, and no NaN in its gradient", blank, zero_with_its_gradient, 30),
        Property("huge logits", 2, "logits of 10,000 give finite, exact log-probabilities", huge, equals(reference, largest), 30),
        Property("gradients", 2, "as autograd through the formula gives them", gradient, differentiates(reference, largest), 30),
        Property("inputs unchanged", 1, "everything handed in is afterwards what it was", padded, leaves_inputs(reference), 20),
    ),
    mistakes=(
        Mistake("the mean over all positions, padding included: a short text would look like what stands in its padding",
                variant(_unmasked)),
        Mistake("the sum of the kept divided by the whole length T: a short text comes out smaller than a long one",
                variant(_over_all)),
        Mistake("the sum of the kept, where the mean is asked for", variant(lambda h, keep: (h * keep[..., None]).sum(1))),
        Mistake("the sum divided by all kept positions of the batch: each text has a number of its own", variant(_over_the_batch)),
        Mistake("0 over 0 for a text with nothing kept, which is NaN", variant(_nan_of_nothing)),
        Mistake("the first position's vector: that is another pooling, BERT's", variant(lambda h, keep: h[:, 0])),
        Mistake("the largest of each column: that is another pooling", variant(_largest_kept)),
        Mistake("`keep` the wrong way round: the mean runs over the padding", variant(lambda h, keep: mean_of_kept(h, ~keep))),
        Mistake("the bare logits, where log-probabilities are asked for", variant(end=lambda z: z)),
        Mistake("probabilities, without the logarithm", variant(end=lambda z: z.softmax(-1))),
        Mistake("a softmax and then its log, in two steps: a share too small for a float is 0, and its log −inf",
                variant(end=lambda z: z.softmax(-1).log())),
        Mistake("a softmax over the batch; the classes are the last axis", variant(end=lambda z: z.log_softmax(0))),
        Mistake("the linear map before the mean: a text with nothing kept then loses its b", _scores_first),
        Mistake("log-probabilities for each position, and then their mean: the mean is taken of the vectors", _verdict_first),
        Mistake("no bias: b is missing", variant(score=lambda x, w, b: x @ w)),
    ),
    hints=(
        "Four steps, each one line: put zeros where nothing is kept, add up, divide by how many are kept, and then the linear map.",
        "`keep` is (B, T) and hidden (B, T, D): an axis of size 1 at the end of `keep` lets them meet. How many are kept is at "
        "least 1 for the division's sake; the sum is 0 then anyway.",
        "`mean = hidden.masked_fill(~keep[..., None], 0).sum(1) / keep.sum(1, keepdim=True).clamp(min=1)`; then "
        "`(mean @ w + b).log_softmax(-1)`.",
    ),
    explanation=(
        "An encoder gives a vector for every position, and a verdict needs one. The mean lets every token have its say; what "
        "stands in the padding is an accident of the batch and must not. The logarithm of the softmax is taken in one step, "
        "since a softmax in between rounds the small shares to 0."
    ),
    better=(
        "`hidden * keep[..., None]` is shorter and right as long as no NaN or infinity stands in the padding; `masked_fill` "
        "stays right then too. In training one leaves the logits as they are: cross-entropy takes the logarithm itself."
    ),
)
