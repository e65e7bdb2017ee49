"""training.attention_backward: what q, k and v each hear of a gradient at the output."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from mtlib.grading.draw import DTYPES, Draw
from mtlib.grading.exercise import Exercise, Mistake, Property
from mtlib.grading.judge import equals, leaves_inputs

from .softmax_backward import AUTOGRAD
from .softmax_backward import variant as softmax_variant

NAMES = ("dq", "dk", "dv")
Three = tuple[Tensor, Tensor, Tensor]


def reference(q: Tensor, k: Tensor, v: Tensor, grad_out: Tensor, keep: Tensor | None = None) -> Three:
    """By autograd through attention."""
    q, k, v = (x.detach().requires_grad_() for x in (q, k, v))
    scores = q @ k.mT / math.sqrt(q.shape[-1])
    if keep is not None:
        scores = scores.masked_fill(~keep, -math.inf)
    weights = scores.softmax(-1)
    if keep is not None:
        weights = weights.masked_fill(~keep, 0.0)
    return torch.autograd.grad(weights @ v, (q, k, v), grad_out)


def rooted(scores: Tensor, q: Tensor) -> Tensor:
    return scores / math.sqrt(q.shape[-1])


def bare(scores: Tensor, q: Tensor) -> Tensor:
    return scores


def hidden(scores: Tensor, keep: Tensor) -> Tensor:
    return scores.masked_fill(~keep, -math.inf)


def dropped(weights: Tensor, keep: Tensor) -> Tensor:
    return weights.masked_fill(~keep, 0.0)


def untouched(values: Tensor, keep: Tensor) -> Tensor:
    return values


def shares(scores: Tensor) -> Tensor:
    return scores.softmax(-1)


def three(q: Tensor, k: Tensor, d_scores: Tensor, weights: Tensor, grad_out: Tensor) -> Three:
    return d_scores @ k, d_scores.mT @ q, weights.mT @ grad_out


def variant(
    forth: Callable = rooted,
    back: Callable = rooted,
    hide: Callable = hidden,
    drop: Callable = dropped,
    through: Callable = softmax_variant(),
    end: Callable = three,
    soften: Callable = shares,
) -> Callable:
    """By hand, with a step changed: the scores, the mask, the way back through the softmax, or the three products."""

    def attention_backward(q: Tensor, k: Tensor, v: Tensor, grad_out: Tensor, keep: Tensor | None = None) -> Three:
        scores = forth(q @ k.mT, q)
        weights = soften(scores if keep is None else hide(scores, keep))
        weights = weights if keep is None else drop(weights, keep)
        d_scores = back(through(weights, grad_out @ v.mT), q)
        return end(q, k, d_scores, weights, grad_out)

    return attention_backward


def _case(d: Draw, lead: tuple[int, ...], dtype: torch.dtype = torch.float32) -> dict:
    T_q, T_k, d_k, d_v = (d.size(rough=7) for _ in range(4))
    shapes = {"q": (T_q, d_k), "k": (T_k, d_k), "v": (T_k, d_v), "grad_out": (T_q, d_v)}
    return {name: d.floats(*lead, *shape, dtype=dtype, high=2) for name, shape in shapes.items()}


def _pairs(case: dict) -> tuple[int, ...]:
    return (*case["q"].shape[:-1], case["k"].shape[-2])


def matrices(d: Draw) -> dict:
    return _case(d, ())


def stack(d: Draw) -> dict:
    return _case(d, d.lead(2), d.pick(*DTYPES))


def masked(d: Draw) -> dict:
    case = _case(d, d.lead(2), d.pick(*DTYPES))
    return case | {"keep": d.keep(*d.broadcast(*_pairs(case)))}


def blank(d: Draw) -> dict:
    """A query, or more than one, may look nowhere."""
    case = _case(d, d.lead(1), torch.float64)
    keep = d.keep(*_pairs(case), blank=True)
    keep[..., d.whole(0, keep.shape[-2] - 1), :] = False
    return case | {"keep": keep}


def loud(d: Draw) -> dict:
    """Scores far beyond what `exp` can hold."""
    case = _case(d, d.lead(1), torch.float64)
    case |= {"q": case["q"] * 30, "k": case["k"] * 30}
    return case | {"keep": d.keep(*_pairs(case))} if d.flag() else case


def largest(q: Tensor, k: Tensor, v: Tensor, grad_out: Tensor, keep: Tensor | None = None) -> float:
    """About the largest number on the way, by which rounding is measured."""
    score, wanted = (q @ k.mT).abs().max(), (grad_out @ v.mT).abs().max()
    return float(torch.stack([score, wanted * max(1.0, q.abs().max(), k.abs().max())]).max())


def _exp_over_sum(scores: Tensor) -> Tensor:
    return scores.exp() / scores.exp().sum(-1, keepdim=True)


def _in_place(q: Tensor, k: Tensor, v: Tensor, grad_out: Tensor, keep: Tensor | None = None) -> Three:
    root = math.sqrt(q.shape[-1])
    q /= root
    dq, dk, dv = variant(forth=bare, back=bare)(q, k, v, grad_out, keep)
    return dq / root, dk, dv


right = equals(reference, largest, NAMES)

EXERCISE = Exercise(
    id="training.attention_backward",
    title="Attention, backwards",
    answers=("attention_backward",),
    minutes=30,
    read=("q-backprop",),
    forbid=AUTOGRAD,
    properties=(
        Property("values", 5, "dq, dk and dv as autograd has them, T_q and T_k, d_k and d_v apart", matrices, right, 45),
        Property("leading axes", 2, "any number of them, in either dtype", stack, right, 30),
        Property("masking", 3, "keep, of any shape that broadcasts: what was not looked at hears nothing", masked, right, 45),
        Property("nothing kept", 2, "a query that may look nowhere gets zeros, and gives none", blank, right, 30),
        Property("large scores", 1, "scores of many thousands neither overflow nor leak", loud, right, 24),
        Property("inputs unchanged", 1, "everything handed in is afterwards what it was", masked, leaves_inputs(reference), 15),
    ),
    mistakes=(
        Mistake("the division by √d_k done on the way there and forgotten on the way back", variant(back=bare)),
        Mistake("attention without the division by √d_k, and the way back of that", variant(forth=bare, back=bare)),
        Mistake("the division by √d_k on the way back alone", variant(forth=bare)),
        Mistake("division by d_k on the way back: the same √d_k as on the way there",
                variant(back=lambda s, q: s / q.shape[-1])),
        Mistake("the softmax passed by as if each weight hung on its own score alone: a weighted sum is missing",
                variant(through=lambda w, g: w * g)),
        Mistake("the softmax left out on the way back: the gradient of the weights taken for that of the scores",
                variant(through=lambda w, g: g)),
        Mistake("the softmax's weighted sum taken over the queries; it ran over the keys",
                variant(through=lambda w, g: w * (g - (w * g).sum(-2, keepdim=True)))),
        Mistake("dq from q and dk from k: in a product each side hears the other",
                variant(end=lambda q, k, ds, w, g: (ds @ q, ds.mT @ k, w.mT @ g)), raises="RuntimeError"),
        Mistake("dk without the transpose: key j collects column j of the scores",
                variant(end=lambda q, k, ds, w, g: (ds @ k, ds @ q, w.mT @ g)), raises="RuntimeError"),
        Mistake("dv without the transpose: value j collects column j of the weights",
                variant(end=lambda q, k, ds, w, g: (ds @ k, ds.mT @ q, w @ g)), raises="RuntimeError"),
        Mistake("dq and dk the wrong way round", variant(end=lambda q, k, ds, w, g: (ds.mT @ q, ds @ k, w.mT @ g))),
        Mistake("keep never looked at", variant(hide=untouched, drop=untouched)),
        Mistake("keep the wrong way round: it looks exactly where it may not",
                variant(hide=lambda s, keep: hidden(s, ~keep), drop=lambda w, keep: dropped(w, ~keep))),
        Mistake("a mask laid on after the softmax: what is left no longer sums to one", variant(hide=untouched)),
        Mistake("-inf and no more: softmax over nothing is 0/0, and NaN goes all the way back", variant(drop=untouched)),
        Mistake("a huge finite mask: a query that may look nowhere then looks everywhere, and v hears of it",
                variant(hide=lambda s, keep: s.masked_fill(~keep, -1e9), drop=untouched)),
        Mistake("exp over its sum without subtracting the largest score: exp overflows", variant(soften=_exp_over_sum)),
        Mistake("a scale that is written into the caller's q", _in_place),
    ),
    hints=(
        "Forward again, since the weights are needed. Then one step back at a time, each with the shape of what it is the gradient of: "
        "out, weights and v, scores, q and k.",
        "For C = A @ B a gradient G at C gives A the gradient G @ B.mT, and B the gradient A.mT @ G. Attention is two such products "
        "with a softmax between them, which you have done.",
        "`d_scores = softmax_backward(weights, grad_out @ v.mT) / math.sqrt(d_k)`; then `d_scores @ k`, `d_scores.mT @ q` and "
        "`weights.mT @ grad_out`. A row without keys: set its weights to 0 after the softmax, as on the way there.",
    ),
    explanation=(
        "v hears grad_out through the weights: who was looked at learns. q and k hear of it only by the scores, and there each pair "
        "(i, j) is asked one thing: would more weight on j have helped query i, more than its other keys? That number times k goes to "
        "q, and times q goes to k. This is how a head learns where to look: nobody tells it a pattern."
    ),
    better=(
        "Σⱼ wᵢⱼ·d_weightsᵢⱼ, the weighted sum of the softmax, is also grad_outᵢ · outᵢ: d_v numbers in place of T_k. FlashAttention's "
        "backward keeps that and one logsumexp a row, and computes the weights again, block by block."
    ),
)
