"""residual.gradient_share: how much of a gradient goes straight through, and how much by way of the sublayer."""

import torch
from torch import Tensor

from mtlib.grading.draw import Draw
from mtlib.grading.exercise import Exercise, Mistake, Property
from mtlib.grading.judge import Wrong, agree, value_of
from mtlib.grading.subject import Subject

from ..statistics.dot_variance import essence, number


def reference(jacobian: Tensor, grad_out: Tensor) -> float:
    return variant()(jacobian, grad_out)


def branch(jacobian: Tensor, grad_out: Tensor) -> Tensor:
    """What arrives at x by way of f."""
    return jacobian.T @ grad_out


def length(v: Tensor) -> Tensor:
    return v.norm()


def variant(through=branch, size=length, share=lambda road, branch: road / (road + branch)):
    """The share with a step changed: what comes through f, how it is measured, what is divided by what."""

    def identity_share(jacobian: Tensor, grad_out: Tensor) -> float:
        return float(share(size(grad_out), size(through(jacobian, grad_out))))

    return identity_share


def _some(d: Draw, D: int) -> Tensor:
    """(D,) not all of them zero."""
    g = d.floats(D, dtype=torch.float64)
    if not g.any():
        g[d.whole(0, D - 1)] = 1.0
    return g


def values(d: Draw) -> dict:
    D = d.size(low=2)
    return {"jacobian": d.floats(D, D, dtype=torch.float64), "grad_out": _some(d, D)}


def nothing(d: Draw) -> dict:
    """f puts out the same whatever comes in."""
    D = d.size()
    return {"jacobian": torch.zeros(D, D, dtype=torch.float64), "grad_out": _some(d, D)}


def turned(d: Draw) -> dict:
    """f turns or mirrors and changes no length."""
    D = d.size(rough=8)
    if not d.rough:  # axes exchanged, some of them turned round
        order = sorted(range(D), key=lambda _: d.whole(0, 9))
        signs = 1 - 2.0 * d.integers(D, high=1)
        return {"jacobian": torch.eye(D, dtype=torch.float64)[order] * signs, "grad_out": _some(d, D)}
    q, _ = torch.linalg.qr(torch.randn(D, D, generator=d.generator(), dtype=torch.float64))
    return {"jacobian": q, "grad_out": _some(d, D)}


def longer(d: Draw) -> dict:
    return values(d) | {"by": d.pick(2.0, 10.0, 0.5)}


def is_the_share(case: dict, subject: Subject) -> None:
    _agree(subject, case, reference(**case))


def minds_no_length(case: dict, subject: Subject) -> None:
    """A gradient twice as long has the same share."""
    jacobian, grad_out, by = case.values()
    expected = reference(jacobian, grad_out)
    for factor in (1.0, by):
        _agree(subject, {"jacobian": jacobian, "grad_out": factor * grad_out}, expected)


def changes_nothing(case: dict, subject: Subject) -> None:
    reply = subject.call(*case.values())
    number(value_of(reply))
    for (name, was), now in zip(case.items(), reply.after, strict=True):
        if not torch.equal(was, now):
            raise Wrong(f"{name} is changed in place", now, was, f"{name} after the call")


def _agree(subject: Subject, case: dict, expected: float) -> None:
    reply = value_of(subject.call(*case.values()))
    yours = number(reply)
    close = 1e-5 if type(reply) is Tensor and reply.dtype != torch.float64 else 1e-9  # a tensor may be float32
    if not abs(yours - expected) <= close:
        agree(yours, expected)


def _in_place(jacobian: Tensor, grad_out: Tensor) -> float:
    grad_out /= grad_out.norm()
    return reference(jacobian, grad_out)


EXERCISE = Exercise(
    id="residual.gradient_share",
    title="How much goes straight through",
    answers=("identity_share",),
    minutes=15,
    read=("gradient-by-hand",),
    properties=(
        Property("values", 3, "the length of what comes straight, over both lengths together", values, is_the_share, 60, essence),
        Property("a dead sublayer", 1, "J = 0: all of it comes straight", nothing, is_the_share, 30, essence),
        Property("a turn", 2, "an orthogonal J changes no length: half comes straight", turned, is_the_share, 40, essence),
        Property("any length", 1, "a longer gradient has the same share", longer, minds_no_length, 30, essence),
        Property("inputs unchanged", 1, "both arguments are afterwards what they were", values, changes_nothing, 20, essence),
    ),
    mistakes=(
        Mistake("J g, where the way back is Jᵀ g: J says how outputs follow inputs, and a gradient goes from outputs to inputs",
                variant(through=lambda J, g: J @ g)),
        Mistake("the sublayer's share; the straight road's is asked for", variant(share=lambda road, branch: branch / (road + branch))),
        Mistake("squared lengths, which are shares of energy and not of length",
                variant(share=lambda road, branch: road**2 / (road**2 + branch**2))),
        Mistake("the straight part over the length of the sum: g and Jᵀ g may partly cancel, and the share exceed 1",
                variant(through=lambda J, g: g + J.T @ g, share=lambda road, whole: road / whole)),
        Mistake("the straight part over the other, without adding the two", variant(share=lambda road, branch: road / branch)),
        Mistake("1-norms, where 2-norms are asked for", variant(size=lambda v: v.abs().sum())),
        Mistake("J's size alone, 1 / (1 + its largest stretch): what counts is what it does to this g",
                lambda J, g: float(1 / (1 + torch.linalg.matrix_norm(J, 2)))),
        Mistake("J's size alone, by its Frobenius norm: what counts is what it does to this g",
                lambda J, g: float(1 / (1 + J.norm()))),
        Mistake("(I + J)ᵀ g in place of Jᵀ g: the straight part is counted twice", variant(through=lambda J, g: g + J.T @ g)),
        Mistake("the share of the entries' sums, in which signs cancel", variant(size=lambda v: v.sum())),
        Mistake("a division in place, so that the caller's gradient is changed", _in_place),
    ),
    hints=(
        "y = x + f(x): x reaches y in two ways, so two gradients arrive at x and are added. One has come through nothing at all. "
        "What has the other come through?",
        "Straight: g. By way of f: row i of J says how output i follows the inputs, so input j collects J[i, j] · g[i] over all i. "
        "As a product, that is Jᵀ g.",
        "`road = grad_out.norm()`, `branch = (jacobian.T @ grad_out).norm()`, then `road / (road + branch)`.",
    ),
    explanation=(
        "The road's share cannot vanish unless the sublayer is allowed to grow without bound: J = 0 leaves 1, and a J that keeps "
        "lengths leaves a half. Without the residual the road is missing, and all of the gradient must pass through every J in turn."
    ),
    better=(
        "In a real block nobody builds J, which has D² entries: `torch.autograd.grad(f(x), x, grad_out)` gives Jᵀ g at the price of one "
        "backward pass. Lengths do not add where the two point against each other, so this is a share of what arrives, not of what stays."
    ),
)
