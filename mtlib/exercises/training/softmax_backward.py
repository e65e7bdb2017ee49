"""training.softmax_backward: from the gradient of the weights to that of the scores."""

from collections.abc import Callable

import torch
from torch import Tensor

from mtlib.grading.draw import DTYPES, Draw
from mtlib.grading.exercise import Exercise, Mistake, Property
from mtlib.grading.judge import equals, leaves_inputs

AUTOGRAD = ("torch.autograd.grad", "torch.autograd.backward", "torch.Tensor.backward", "torch.autograd.forward_ad.make_dual")


def reference(weights: Tensor, grad: Tensor) -> Tensor:
    """By autograd: the logarithms of the weights are scores that give them back."""
    scores = weights.log().requires_grad_()
    return torch.autograd.grad(scores.softmax(-1), scores, grad)[0]


def inner(weights: Tensor, grad: Tensor) -> Tensor:
    """What is lost on average: each gradient as much as its weight."""
    return (weights * grad).sum(-1, keepdim=True)


def variant(average: Callable = inner, end: Callable = torch.mul) -> Callable:
    """The formula with a step changed: what is taken away from grad, and what is done with the rest."""
    return lambda weights, grad: end(weights, grad - average(weights, grad))


def _weights(d: Draw, *shape: int, dtype: torch.dtype) -> Tensor:
    """Slices that sum to 1: shares of a few counts, or of a softmax."""
    if d.rough:
        return d.floats(*shape, dtype=dtype).softmax(-1)
    counts = d.integers(*shape, high=3)
    counts[..., 0] += counts.sum(-1) == 0
    shares = counts.to(dtype)
    return shares / shares.sum(-1, keepdim=True)


def _case(d: Draw, lead: tuple[int, ...], dtype: torch.dtype = torch.float32) -> dict:
    shape = (*lead, d.size())
    return {"weights": _weights(d, *shape, dtype=dtype), "grad": d.floats(*shape, dtype=dtype)}


def rows(d: Draw) -> dict:
    return _case(d, (d.size(),))


def any_shape(d: Draw) -> dict:
    return _case(d, d.lead(3), d.pick(*DTYPES))


def zeros(d: Draw) -> dict:
    """Some weights are exactly 0, as behind a mask; in some slices one is all there is."""
    case = _case(d, (d.size(),), torch.float64)
    left = case["weights"] * d.keep(*case["weights"].shape)
    left[..., 0] += left.sum(-1) == 0
    return case | {"weights": left / left.sum(-1, keepdim=True)}


def level(d: Draw) -> dict:
    """The same gradient for every weight of a slice."""
    case = _case(d, (d.size(),), torch.float64)
    return case | {"grad": case["grad"][..., :1].expand_as(case["grad"]).clone()}


def largest(weights: Tensor, grad: Tensor) -> float:
    return float(grad.abs().max())


def _in_place(weights: Tensor, grad: Tensor) -> Tensor:
    grad -= inner(weights, grad)
    return weights * grad


right = equals(reference, largest)

EXERCISE = Exercise(
    id="training.softmax_backward",
    title="A softmax, backwards",
    answers=("softmax_backward",),
    minutes=20,
    read=("q-backprop",),
    forbid=(*AUTOGRAD, "torch._softmax_backward_data"),
    properties=(
        Property("values", 4, "the gradient of the scores, row by row, as autograd has it", rows, right, 45),
        Property("any shape", 2, "any number of leading axes, or none; either dtype", any_shape, right, 30),
        Property("zero weights", 2, "a weight of 0 gives its score a gradient of 0, and so does one that stands alone",
                 zeros, right, 30),
        Property("level", 1, "what all weights of a slice want alike, no score can give: 0", level, right, 20),
        Property("inputs unchanged", 1, "weights and grad are afterwards what they were", any_shape, leaves_inputs(reference), 20),
    ),
    mistakes=(
        Mistake("the diagonal alone, w(1 − w)·grad: raising one score also lowers every other weight",
                lambda w, g: w * (1 - w) * g),
        Mistake("w·grad, as if each weight hung on its own score alone: they share a sum of 1", variant(lambda w, g: 0 * g)),
        Mistake("grad less its plain mean: the mean must be weighted", variant(lambda w, g: g.mean(-1, keepdim=True))),
        Mistake("grad less its plain sum; the sum must be weighted", variant(lambda w, g: g.sum(-1, keepdim=True))),
        Mistake("one weighted sum for everything: every slice has its own", variant(lambda w, g: (w * g).sum())),
        Mistake("weighted sums over the first axis; the softmax runs over the last",
                variant(lambda w, g: (w * g).sum(0, keepdim=True))),
        Mistake("grad less its weighted mean, and no weight in front: a weight of 0 would still move its score",
                variant(end=lambda w, rest: rest)),
        Mistake("the whole with the sign turned", variant(end=lambda w, rest: -w * rest)),
        Mistake("a softmax of the weights first: they are what the softmax has put out already",
                lambda w, g: variant()(w.softmax(-1), g)),
        Mistake("the gradient through a log-softmax, grad − w·Σ grad", lambda w, g: g - w * g.sum(-1, keepdim=True)),
        Mistake("w − grad: that is the end of cross-entropy, where grad is a one-hot target", lambda w, g: w - g),
        Mistake("a subtraction into the caller's grad", _in_place),
    ),
    hints=(
        "Two weights, 0.5 each, grad (1, 0): the first should grow. A little more on its score raises it, and lowers the other by as "
        "much. So a score must hear from all weights of its slice.",
        "∂wᵢ/∂sⱼ = wᵢ(1 − wⱼ) for i = j, and −wᵢwⱼ else. Multiply by gradᵢ, add over i, and take wⱼ out of the sum.",
        "`weights * (grad - (weights * grad).sum(-1, keepdim=True))`.",
    ),
    explanation=(
        "Read it as a contest: a score rises if its weight is wanted more than the slice's weights are on average. The average is "
        "weighted, so the gradients of a slice add up to 0: a softmax hands weight round, and makes none. And a weight of 0 hears "
        "nothing, which is why a head that is sure of itself learns slowly."
    ),
    better=(
        "The matrix of V × V derivatives is never built: two products and a sum do. Fused attention goes further. It does not even "
        "keep the weights, and computes them again on the way back (Dao et al. 2022)."
    ),
)
