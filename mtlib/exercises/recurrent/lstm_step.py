"""recurrent.lstm_step: a second line, c, that is added to."""

from collections.abc import Callable

import torch
from torch import Tensor

from mtlib.grading.draw import DTYPES, Draw
from mtlib.grading.exercise import Exercise, Mistake, Property
from mtlib.grading.judge import equals, leaves_inputs

NAMES = ("h", "c")


def mixed(x: Tensor, h: Tensor, w_x: Tensor, w_h: Tensor, b: Tensor) -> Tensor:
    return x @ w_x + h @ w_h + b


def by_gates(i: Tensor, f: Tensor, g: Tensor, o: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
    c = f.sigmoid() * c + i.sigmoid() * g.tanh()
    return o.sigmoid() * c.tanh(), c


def variant(mix: Callable = mixed, gates: Callable = by_gates, order: str = "ifgo") -> Callable:
    """A step with a part changed: what the gates are made of, what they do, in which order they are taken."""

    def lstm_step(x: Tensor, h: Tensor, c: Tensor, w_x: Tensor, w_h: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
        found = dict(zip(order, mix(x, h, w_x, w_h, b).chunk(4, dim=-1)))
        return gates(found["i"], found["f"], found["g"], found["o"], c)

    return lstm_step


def reference(x: Tensor, h: Tensor, c: Tensor, w_x: Tensor, w_h: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    return variant()(x, h, c, w_x, w_h, b)


def _case(d: Draw, dtype: torch.dtype, times: float = 0.25) -> dict:
    B, d_in, D = d.size(), d.size(rough=6), d.size(rough=6)

    def some(*shape: int) -> Tensor:
        return d.floats(*shape, dtype=dtype) * times

    w_x, w_h = some(d_in, 4 * D), some(D, 4 * D)
    return {"x": some(B, d_in), "h": some(B, D), "c": some(B, D), "w_x": w_x, "w_h": w_h, "b": some(4 * D)}


def steps(d: Draw) -> dict:
    """A batch of steps."""
    return _case(d, d.pick(*DTYPES))


def large(d: Draw) -> dict:
    """Gates wide open or shut: what goes into them is a thousand and more."""
    case = _case(d, torch.float32, 1.0)
    return case | {"b": case["b"] * 1000 + 2000 * d.pick(1, -1)}


def gates_alone(d: Draw) -> dict:
    """Weights of 0: only the bias speaks, so that a gate out of order shows."""
    case = _case(d, torch.float32, 1.0)
    return case | {name: torch.zeros_like(case[name]) for name in ("w_x", "w_h")}


def _by_exponentials(i: Tensor, f: Tensor, g: Tensor, o: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
    def tanh(z: Tensor) -> Tensor:
        return (z.exp() - (-z).exp()) / (z.exp() + (-z).exp())

    c = f.sigmoid() * c + i.sigmoid() * tanh(g)
    return o.sigmoid() * tanh(c), c


def _bent_twice(i: Tensor, f: Tensor, g: Tensor, o: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
    h, c = by_gates(i, f, g, o, c)
    return h, c.tanh()


def _never_negative(i: Tensor, f: Tensor, g: Tensor, o: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
    c = f.sigmoid() * c + i.sigmoid() * g.sigmoid()
    return o.sigmoid() * c.tanh(), c


def _halves(x: Tensor, h: Tensor, c: Tensor, w_x: Tensor, w_h: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """The numbers of a gate taken four apart, as if they were interleaved."""
    z = mixed(x, h, w_x, w_h, b)
    return by_gates(z[:, 0::4], z[:, 1::4], z[:, 2::4], z[:, 3::4], c)


EXERCISE = Exercise(
    id="recurrent.lstm_step",
    title="One step of an LSTM",
    answers=("lstm_step",),
    minutes=20,
    read=("c-vanishing-lstm",),
    forbid=("torch.nn.LSTMCell", "torch.lstm_cell"),
    properties=(
        Property("gates", 3, "four gates in the order i, f, g, o", gates_alone, equals(reference, names=NAMES), 45),
        Property("values", 4, "c is kept by f and written by i · g; h is tanh(c), shown by o", steps, equals(reference, names=NAMES), 60),
        Property("large inputs", 2, "gates fed with thousands give numbers, never NaN", large, equals(reference, names=NAMES), 30),
        Property("inputs unchanged", 1, "everything handed in is afterwards what it was", steps, leaves_inputs(reference), 20),
    ),
    mistakes=(
        Mistake("gates taken in the order i, f, o, g: the third quarter is g, the candidate", variant(order="ifog")),
        Mistake("gates taken in the order f, i, g, o: the first quarter is i, the second f", variant(order="figo")),
        Mistake("gates taken in the order i, g, f, o", variant(order="igfo")),
        Mistake("every fourth number taken for a gate: the gates are blocks of D_h side by side", _halves),
        Mistake("h without the tanh: the new cell is bent before it is shown",
                variant(gates=lambda i, f, g, o, c: (o.sigmoid() * (f.sigmoid() * c + i.sigmoid() * g.tanh()),
                                                     f.sigmoid() * c + i.sigmoid() * g.tanh()))),
        Mistake("h from the old cell: it shows the new one",
                variant(gates=lambda i, f, g, o, c: (o.sigmoid() * c.tanh(), f.sigmoid() * c + i.sigmoid() * g.tanh()))),
        Mistake("c itself bent by tanh: it must pass on as it is, for that is what keeps it",
                variant(gates=_bent_twice)),
        Mistake("a sigmoid on g: what is written may be negative, so it is bent by tanh",
                variant(gates=_never_negative)),
        Mistake("no input gate: g is written in full",
                variant(gates=lambda i, f, g, o, c: by_gates(torch.full_like(i, torch.inf), f, g, o, c))),
        Mistake("no forget gate: nothing is ever forgotten (the LSTM of 1997 was like that)",
                variant(gates=lambda i, f, g, o, c: by_gates(i, torch.full_like(f, torch.inf), g, o, c))),
        Mistake("1 − f in place of i: that ties two gates, and here each is its own",
                variant(gates=lambda i, f, g, o, c: by_gates(-f, f, g, o, c))),
        Mistake("gates without their sigmoid",
                variant(gates=lambda i, f, g, o, c: (o * (f * c + i * g.tanh()).tanh(), f * c + i * g.tanh()))),
        Mistake("(c, h): h comes first", lambda *args: reference(*args)[::-1]),
        Mistake("the bias is missing", variant(mix=lambda x, h, w_x, w_h, b: x @ w_x + h @ w_h)),
        Mistake("h is missing from the gates: they must know what was remembered", variant(mix=lambda x, h, w_x, w_h, b: x @ w_x + b)),
        Mistake("tanh written with exponentials: of 1000 they are infinite, and ∞ over ∞ is NaN", variant(gates=_by_exponentials)),
    ),
    hints=(
        "One mixture of x, h and b, 4·D_h wide, cut in four. Three of the quarters become shares by a sigmoid, g by tanh. Then two "
        "lines: the new c, the new h.",
        "`i, f, g, o = z.chunk(4, dim=-1)`. c is multiplied by its share f, and i · g is added. h shows tanh of the new c, as "
        "much as o lets through.",
        "`c = f.sigmoid() * c + i.sigmoid() * g.tanh()`; `h = o.sigmoid() * c.tanh()`; `return h, c`.",
    ),
    explanation=(
        "From c to the next c there is no matrix and no bend: only a product with f. Where f is 1, c passes unchanged, and so does "
        "its gradient; where f is a half, a thousandth is left after ten steps. That is why the forget gate's bias matters."
    ),
    better=(
        "One product for all four gates is faster than four. torch.nn.LSTM goes further: x @ w_x for the whole text in one "
        "product, and the loop over time written in C++."
    ),
)
