"""interpretability.probe: can a straight line read it off?"""

import torch
from torch import Tensor

from mtlib.grading.draw import DTYPES, Draw
from mtlib.grading.exercise import Exercise, Mistake, Property
from mtlib.grading.judge import Wrong, agree_in_form, equals, leaves_inputs, value_of
from mtlib.grading.subject import Subject


def reference(x: Tensor, y: Tensor, strength: float) -> Tensor:
    return variant()(x, y, strength)


def on_the_diagonal(gram: Tensor, strength: float, n: int) -> Tensor:
    return gram + strength * torch.eye(len(gram), dtype=gram.dtype)


def variant(data=lambda x, y: (x, y), punish=on_the_diagonal, solve=torch.linalg.solve):
    """The probe with a step changed: what the data are, how the penalty enters, how the system is solved."""

    def ridge_probe(x: Tensor, y: Tensor, strength: float) -> Tensor:
        x, y = data(x, y)
        return solve(punish(x.T @ x, strength, len(x)), x.T @ y)

    return ridge_probe


def _sizes(d: Draw) -> tuple[int, int, int]:
    return d.size(high=4, rough=12), d.size(high=3, rough=6), d.size(high=2, rough=4)


def any_data(d: Draw) -> dict:
    """More rows than columns, or fewer."""
    N, D, C = _sizes(d)
    strength = d.pick(1.0, 2.0, 0.5, 10.0, 0.1)
    return {"x": d.floats(N, D, dtype=torch.float64), "y": d.floats(N, C, dtype=torch.float64), "strength": strength}


def in_float32(d: Draw) -> dict:
    """Small numbers and a strength that keeps the system tame."""
    N, D, C = d.size(high=3, rough=5), d.size(high=3, rough=4), d.size(high=2, rough=3)
    dtype = d.pick(*DTYPES)
    x = d.floats(N, D, dtype=dtype, high=1, spread=0.5)
    return {"x": x, "y": d.floats(N, C, dtype=dtype), "strength": d.pick(1.0, 4.0)}


def without_penalty(d: Draw) -> dict:
    """Strength 0, and x of full rank, well away from any other."""
    N, D, C = _sizes(d)
    x = torch.cat([4 * torch.eye(D, dtype=torch.float64), d.floats(N, D, dtype=torch.float64)])
    order = torch.randperm(len(x), generator=d.generator())
    return {"x": x[order], "y": d.floats(len(x), C, dtype=torch.float64), "strength": 0.0}


def fewer_rows(d: Draw) -> dict:
    """More columns than rows: without a penalty there would be many answers."""
    N = d.size(high=2, rough=4)
    D, C = N + d.size(high=2, rough=4), d.size(high=2, rough=3)
    x, y = d.floats(N, D, dtype=torch.float64), d.floats(N, C, dtype=torch.float64)
    return {"x": x, "y": y, "strength": d.pick(1.0, 0.5, 2.0, 0.25)}


def far_from_zero(d: Draw) -> dict:
    """Columns and targets with means that a bias would take up."""
    case = any_data(d)
    return {"x": case["x"] + d.pick(1.0, 3.0, -2.0), "y": case["y"] + d.pick(2.0, 5.0, -4.0), "strength": case["strength"]}


def is_the_lowest_point(case: dict, subject: Subject) -> None:
    """Autograd finds no way down from there."""
    x, y, strength = case.values()
    w = value_of(subject.call(x, y, strength))
    agree_in_form(w, reference(x, y, strength))
    w = w.requires_grad_()
    loss = (x @ w - y).square().sum() + strength * w.square().sum()
    (slope,) = torch.autograd.grad(loss, w)
    size = float((x.T @ y).abs().max().clamp(min=1)) * len(x)
    if not slope.abs().max() < 1e-8 * size:
        raise Wrong("the loss still has a slope there", slope, torch.zeros_like(slope), "the slope of the loss at your w")


def _with_bias(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    return x - x.mean(0), y - y.mean(0)


def _standard(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    return x / (x.square().mean(0).sqrt() + 1e-12), y


def _shortest(a: Tensor, b: Tensor) -> Tensor:
    """An answer for a system that may be singular, on whatever machine."""
    return torch.linalg.pinv(a, hermitian=True) @ b


def _least_squares(x: Tensor, y: Tensor, strength: float) -> Tensor:
    return torch.linalg.pinv(x) @ y


def _shrunk_after(x: Tensor, y: Tensor, strength: float) -> Tensor:
    return _least_squares(x, y, 0.0) / (1 + strength)


def _no_inverse(x: Tensor, y: Tensor, strength: float) -> Tensor:
    return x.T @ y / (x.square().sum(0)[:, None] + strength).clamp(min=1e-12)


EXERCISE = Exercise(
    id="interpretability.probe",
    title="Can a straight line read it off?",
    answers=("ridge_probe",),
    minutes=15,
    read=("q-preserved",),
    properties=(
        Property("values", 3, "w that minimises Σ (x w − y)² + strength · Σ w²", any_data, equals(reference, lambda **_: 100.0)),
        Property("lowest point", 2, "autograd finds no slope at it", any_data, is_the_lowest_point, 40),
        Property("no penalty", 2, "with strength 0 and full rank it is least squares", without_penalty,
                 equals(reference, lambda **_: 100.0), 40),
        Property("fewer rows", 1, "more columns than rows, and one answer still", fewer_rows, equals(reference, lambda **_: 100.0), 30),
        Property("no bias", 1, "nothing is centred and nothing added", far_from_zero, equals(reference, lambda **_: 1000.0), 30),
        Property("dtype", 1, "float32 gives float32", in_float32, equals(reference, lambda **_: 3.0), 30),
        Property("inputs unchanged", 1, "x and y are afterwards what they were", any_data, leaves_inputs(reference), 20),
    ),
    mistakes=(
        Mistake("least squares: the strength is not used", _least_squares),
        Mistake("a strength times N: that belongs to a mean of squares, and here it is their sum",
                variant(punish=lambda gram, strength, n: on_the_diagonal(gram, strength * n, n))),
        Mistake("a strength squared", variant(punish=lambda gram, strength, n: on_the_diagonal(gram, strength**2, n))),
        Mistake("half of the strength: both squares have the same 2 in their slope",
                variant(punish=lambda gram, strength, n: on_the_diagonal(gram, strength / 2, n))),
        Mistake("the strength added to every entry: only the diagonal holds each weight's own square",
                variant(punish=lambda gram, strength, n: gram + strength, solve=_shortest)),
        Mistake("the strength taken off",
                variant(punish=lambda gram, strength, n: on_the_diagonal(gram, -strength, n), solve=_shortest)),
        Mistake("data centred first: that gives the probe a bias, and it shall have none", variant(data=_with_bias)),
        Mistake("columns brought to one size first: then the penalty weighs others", variant(data=_standard)),
        Mistake("least squares divided by 1 + strength: that is right where the columns are orthogonal and of length 1", _shrunk_after),
        Mistake("xᵀ y over the columns' squares, as if they were orthogonal: they share what they explain", _no_inverse),
        Mistake("(C, D): w stands on the right of x, so it is (D, C)", lambda *args: reference(*args).mT.contiguous()),
        Mistake("the prediction x w; it is w that is asked for", lambda x, y, strength: x @ reference(x, y, strength)),
    ),
    hints=(
        "Take the slope of the loss at w and set it to 0. With one column it is a line of school algebra: what is w then?",
        "xᵀ(x w − y) + strength · w = 0. Collect what stands before w, a D × D matrix, and you have a linear system with xᵀ y on the right.",
        "`torch.linalg.solve(x.T @ x + strength * torch.eye(D, dtype=x.dtype), x.T @ y)`.",
    ),
    explanation=(
        "A probe that succeeds says that a linear map can read the thing there, not that the model does. And with as many columns as rows "
        "it fits anything: hold data back, and try it on shuffled labels first. The strength decides how much of its length a "
        "direction with little data may keep."
    ),
    better=(
        "`x.T @ x` squares the condition number. `torch.linalg.lstsq` on x with √strength · I set below it, and y with zeros, solves the same "
        "problem with twice as many right digits; `mtlib.interp.ridge_probe` does it so."
    ),
)
