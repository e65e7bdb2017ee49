"""ffn.feed_forward: widen, bend, come back, at every position alike."""

from collections.abc import Callable

import torch
from torch import Tensor

from mtlib.grading.draw import DTYPES, Draw
from mtlib.grading.exercise import Exercise, Mistake, Property
from mtlib.grading.judge import agree, equals, leaves_inputs, value_of
from mtlib.grading.kit import Kit, made
from mtlib.grading.subject import Subject

MILD = tuple(Kit(name) for name in ("square", "relu", "identity", "abs", "tanh", "sine"))
ANY = (*MILD, Kit("sigmoid"), Kit("gelu"), Kit("zero"), Kit("scale", options={"by": -2.0, "plus": 3.0}))


def reference(x: Tensor, w_in: Tensor, b_in: Tensor, w_out: Tensor, b_out: Tensor, activation: Callable) -> Tensor:
    return activation(x @ w_in + b_in) @ w_out + b_out


def _case(d: Draw, lead: tuple[int, ...], activations: tuple[Kit, ...], dtype: torch.dtype = torch.float64) -> dict:
    D, F = d.size(rough=8), d.size(rough=16)
    shapes = {"x": (*lead, D), "w_in": (D, F), "b_in": (F,), "w_out": (F, D), "b_out": (D,)}
    drawn = {name: d.floats(*shape, dtype=dtype) for name, shape in shapes.items()}
    return drawn | {"activation": d.pick(*activations)}


def rows(d: Draw) -> dict:
    """A sequence of positions."""
    return _case(d, (d.size(),), MILD)


def any_activation(d: Draw) -> dict:
    """Also such as are not 0 at 0, and such as are 0 everywhere."""
    return _case(d, (d.size(),), ANY)


def stack(d: Draw) -> dict:
    """Any number of leading axes, none included, in both dtypes."""
    return _case(d, d.lead(4), MILD, d.pick(*DTYPES))


def largest(x, w_in, b_in, w_out, b_out, activation) -> float:
    """How large the terms of the last sum can be, by which rounding is measured."""
    (activation,) = made((activation,))
    hidden = activation(x @ w_in + b_in).abs()
    return float((hidden @ w_out.abs()).amax() + b_out.abs().amax())


def each_alone(case: dict, subject: Subject) -> None:
    """Every position gets, alone, what it gets among the others."""
    x, *rest = case.values()
    agree(value_of(subject.call(x, *rest)), reference(*made(case.values())), largest(**case))
    for t in range(len(x)):
        alone = {**case, "x": x[t : t + 1]}
        expected = reference(*made(alone.values()))
        agree(value_of(subject.call(*alone.values())), expected, largest(**case), why=f"position {t} alone")


def _mixed(x, w_in, b_in, w_out, b_out, activation):
    hidden = activation(x @ w_in + b_in)
    return hidden.mean(-2, keepdim=True).expand_as(hidden) @ w_out + b_out


EXERCISE = Exercise(
    id="ffn.feed_forward",
    title="Widen, bend, come back",
    answers=("feed_forward",),
    minutes=15,
    read=("s-ffn",),
    properties=(
        Property("values", 3, "activation(x W_in + b_in) W_out + b_out", rows, equals(reference, largest)),
        Property("any activation", 2, "whatever function it is handed, once, in the middle", any_activation, equals(reference, largest)),
        Property("leading axes", 2, "any axes before the last, or none; the dtype kept", stack, equals(reference, largest)),
        Property("position-wise", 2, "a position alone gets what it gets among others", rows, each_alone, 30),
        Property("inputs unchanged", 1, "nothing that went in is changed", stack, leaves_inputs(reference), 20),
    ),
    mistakes=(
        Mistake("the two maps without the activation between them, which are one map",
                lambda x, w, b, v, c, act: (x @ w + b) @ v + c),
        Mistake("b_in added after the activation; it says where the bend is, so it must come before",
                lambda x, w, b, v, c, act: (act(x @ w) + b) @ v + c),
        Mistake("b_in left out", lambda x, w, b, v, c, act: act(x @ w) @ v + c),
        Mistake("b_out left out", lambda x, w, b, v, c, act: act(x @ w + b) @ v),
        Mistake("the activation a second time, on the way out", lambda x, *rest: rest[-1](reference(x, *rest))),
        Mistake("the activation on x, before the first map", lambda x, w, b, v, c, act: (act(x) @ w + b) @ v + c),
        Mistake("the activation at the end and not in the middle", lambda x, w, b, v, c, act: act((x @ w + b) @ v + c)),
        Mistake("ReLU, whatever activation is handed over", lambda x, w, b, v, c, act: reference(x, w, b, v, c, torch.relu)),
        Mistake("x added to the result: that is the residual's work, around the FFN", lambda x, *rest: x + reference(x, *rest)),
        Mistake("the mean over the positions on the way: no position may see another here", _mixed),
        Mistake("the matrices transposed, as torch.nn.Linear stores them; here w_in is (D, F)",
                lambda x, w, b, v, c, act: act(x @ w.mT + b) @ v.mT + c, raises="RuntimeError"),
    ),
    hints=(
        "Follow one position: D numbers, then F, then D again. At which of the three does the function bend?",
        "Rows times matrix, plus a bias that broadcasts; the bias of the first map belongs inside the activation.",
        "`hidden = activation(x @ w_in + b_in)` is (…, F); then `hidden @ w_out + b_out`. `@` lets leading axes pass.",
    ),
    explanation=(
        "`@` acts on the last axis alone, so every position is treated by the same two matrices and none sees another. The bias of "
        "the first map sets where each of the F units bends; the second only says where zero is."
    ),
    better=(
        "`F.linear(x, w_in.T, b_in)` hands product and bias to one kernel. On a GPU the hidden layer, four times as wide as x, is "
        "often what fills the memory in training; kept in chunks, or computed again for the backward pass, it need not."
    ),
)
