"""recurrent.rnn_step: what is read and what is remembered, mixed and bent."""

import torch
from torch import Tensor

from mtlib.grading.draw import DTYPES, Draw
from mtlib.grading.exercise import Exercise, Mistake, Property
from mtlib.grading.judge import differentiates, equals, leaves_inputs


def reference(x: Tensor, h: Tensor, w_x: Tensor, w_h: Tensor, b: Tensor) -> Tensor:
    return (x @ w_x + h @ w_h + b).tanh()


def _case(d: Draw, B: int, d_in: int, d_h: int, dtype: torch.dtype) -> dict:
    def small(*shape: int) -> Tensor:  # tanh of what is not small is 1, whatever came in
        return d.floats(*shape, dtype=dtype, high=2) / 4

    return {"x": small(B, d_in), "h": small(B, d_h), "w_x": small(d_in, d_h), "w_h": small(d_h, d_h), "b": small(d_h)}


def steps(d: Draw) -> dict:
    """A batch of steps."""
    return _case(d, d.size(), d.size(), d.size(), torch.float32)


def one_row(d: Draw) -> dict:
    """A batch of one, x and h of unlike widths, both dtypes."""
    d_in = d.size()
    return _case(d, 1, d_in, d_in + d.whole(1, 3), d.pick(*DTYPES))


def gradient(d: Draw) -> dict:
    B, d_in, d_h = d.size(), d.size(), d.size()
    return _case(d, B, d_in, d_h, torch.float64) | {"cotangent": d.floats(B, d_h, dtype=torch.float64)}


EXERCISE = Exercise(
    id="recurrent.rnn_step",
    title="One step of an RNN",
    answers=("rnn_step",),
    minutes=10,
    read=("s-rnn-bidirectional",),
    forbid=("torch.nn.RNNCell", "torch.rnn_tanh_cell"),
    properties=(
        Property("values", 4, "tanh of what x, h and b add up to", steps, equals(reference), 45),
        Property("one row", 2, "a batch of one stays a batch; x may be narrower than h; the dtype stays", one_row, equals(reference), 45),
        Property("gradients", 2, "as autograd through the formula gives them", gradient, differentiates(reference), 30),
        Property("inputs unchanged", 1, "everything handed in is afterwards what it was", steps, leaves_inputs(reference), 20),
    ),
    mistakes=(
        Mistake("no tanh: without a bend a hundred steps are one matrix", lambda x, h, w_x, w_h, b: x @ w_x + h @ w_h + b),
        Mistake("a sigmoid in place of tanh: the state could never be negative",
                lambda x, h, w_x, w_h, b: (x @ w_x + h @ w_h + b).sigmoid()),
        Mistake("the bias is missing", lambda x, h, w_x, w_h, b: (x @ w_x + h @ w_h).tanh()),
        Mistake("the bias twice: torch keeps two, here there is one", lambda x, h, w_x, w_h, b: (x @ w_x + h @ w_h + 2 * b).tanh()),
        Mistake("h is missing: nothing would be remembered", lambda x, h, w_x, w_h, b: (x @ w_x + b).tanh()),
        Mistake("x is missing: nothing would be read", lambda x, h, w_x, w_h, b: (h @ w_h + b).tanh()),
        Mistake("w_h turned over: here a vector is a row and stands on the left, `h @ w_h`",
                lambda x, h, w_x, w_h, b: (x @ w_x + h @ w_h.T + b).tanh()),
        Mistake("two bends, one of each part: the parts are added first, and then bent",
                lambda x, h, w_x, w_h, b: (x @ w_x + b).tanh() + (h @ w_h).tanh()),
        Mistake("h added to the outcome: that is a residual, and an RNN has none",
                lambda x, h, w_x, w_h, b: h + (x @ w_x + h @ w_h + b).tanh()),
    ),
    hints=(
        "Two matrix products, two sums, one bend. Which width must all the summands have?",
        "x @ w_x is (B, D_h), h @ w_h is (B, D_h), b is (D_h) and reaches every row. Add first, bend last.",
        "`torch.tanh(x @ w_x + h @ w_h + b)`.",
    ),
    explanation=(
        "Everything the network knows of the past must fit the D_h numbers of h, and is multiplied by w_h and bent once more at "
        "every step. That is the whole of the chapter's trouble in one line."
    ),
    better=(
        "x @ w_x does not wait for anybody: for a whole text it is one product, before the loop. `mtlib.recurrent` does so; only "
        "h @ w_h must be done step by step."
    ),
)
