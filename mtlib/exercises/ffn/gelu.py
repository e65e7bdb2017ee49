"""ffn.gelu: x times the chance that a standard normal number is below x."""

import math

import torch
from torch import Tensor

from mtlib.grading.draw import DTYPES, Draw
from mtlib.grading.exercise import Exercise, Mistake, Property
from mtlib.grading.judge import Wrong, agree_in_form, differentiates, leaves_inputs, value_of
from mtlib.grading.subject import Subject

WITHIN = {torch.float32: 1e-6, torch.float64: 1e-12}  # absolute, from -30 to 30


def reference(x: Tensor) -> Tensor:
    return x * torch.special.ndtr(x)


def wholes(d: Draw) -> dict:
    return {"x": d.floats(d.size(), dtype=d.pick(*DTYPES))}


def any_shape(d: Draw) -> dict:
    return {"x": d.floats(*d.lead(4), dtype=d.pick(*DTYPES))}


def far(d: Draw) -> dict:
    """From -30 to 30, in either dtype."""
    x = d.floats(d.size(), dtype=torch.float64, high=30, spread=10.0).clamp(-30, 30)
    return {"x": x.to(d.pick(*DTYPES))}


def with_cotangent(d: Draw) -> dict:
    """Never at 0 exactly, where a right answer made of two halves may have a corner that shows in autograd only."""
    n = d.size()
    return {"x": d.floats(n, dtype=torch.float64) + 0.5, "cotangent": d.floats(n, dtype=torch.float64)}


def exact(case: dict, subject: Subject) -> None:
    x, yours = case["x"], value_of(subject.call(*case.values()))
    agree_in_form(yours, x)
    expected = reference(x.double())
    off = (yours.double() - expected).abs()
    if not bool((off <= WITHIN[x.dtype]).all()):
        worst = float(off.nan_to_num(nan=math.inf).max())
        dtype = str(x.dtype).removeprefix("torch.")
        raise Wrong(f"the largest difference is {worst:.3g}; in {dtype} it may be {WITHIN[x.dtype]:g}", yours, expected.to(x.dtype))


def _tanh_formula(x: Tensor) -> Tensor:
    return 0.5 * x * (1 + torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))


def _in_place(x: Tensor) -> Tensor:
    return x.copy_(reference(x))


def _density(x: Tensor) -> Tensor:
    return torch.exp(-x * x / 2) / math.sqrt(2 * math.pi)


EXERCISE = Exercise(
    id="ffn.gelu",
    title="GELU, exactly",
    answers=("gelu",),
    minutes=10,
    read=("s-activations",),
    forbid=("torch.nn.functional.gelu", "torch._C._nn.gelu"),
    properties=(
        Property("values", 3, "x times Φ(x), the chance that a standard normal number is below x", wholes, exact),
        Property("any shape", 1, "elementwise, any shape, the dtype kept", any_shape, exact),
        Property("far out", 3, "from −30 to 30 within 1e-6 in float32 and 1e-12 in float64", far, exact),
        Property("gradients", 1, "Φ(x) plus x times the bell curve at x", with_cotangent, differentiates(reference), 30),
        Property("inputs unchanged", 1, "x is afterwards what it was", any_shape, leaves_inputs(reference), 20),
    ),
    mistakes=(
        Mistake("the tanh formula, which GPT-2 uses: near, up to 5e-4 off, and not asked for here", _tanh_formula),
        Mistake("x σ(1.702 x), the quick form: up to 0.02 off", lambda x: x * torch.sigmoid(1.702 * x)),
        Mistake("SiLU, x σ(x): the same idea with another S-curve", lambda x: x * torch.sigmoid(x)),
        Mistake("ReLU: its corner is what GELU rounds off", lambda x: torch.relu(x)),
        Mistake("Φ(x) alone, the gate without what it lets through", torch.special.ndtr),
        Mistake("x times the bell curve; its area up to x is asked for, not its height there", lambda x: x * _density(x)),
        Mistake("erf without the √2: erf(x) belongs to a bell with variance ½", lambda x: 0.5 * x * (1 + torch.erf(x))),
        Mistake("x erf(x/√2): erf runs from −1 to 1, a chance from 0 to 1", lambda x: x * torch.erf(x / math.sqrt(2))),
        Mistake("twice GELU: (1 + erf) runs from 0 to 2 and must be halved", lambda x: 2 * reference(x)),
        Mistake("the other tail: x times the chance of being above x", lambda x: x * torch.special.ndtr(-x)),
        Mistake("arithmetic in float32: seven digits, where fifteen came in", lambda x: reference(x.float()).to(x.dtype)),
        Mistake("all in place, so that the caller's x is gone", _in_place, raises="RuntimeError"),
    ),
    hints=(
        "A gate and what it lets through: Φ(x) is 0 far to the left, ½ at 0, 1 far to the right. What is Φ made of?",
        "Φ(x) = ½ (1 + erf(x/√2)), and torch has `erf`. Check: gelu(0) = 0, gelu(1) = 0.8413…, and gelu(x) − gelu(−x) = x.",
        "`0.5 * x * (1 + torch.erf(x / math.sqrt(2)))`; nothing else is needed, and x keeps its dtype by itself.",
    ),
    explanation=(
        "gelu(x) − gelu(−x) = x: what the gate withholds on one side it lets through on the other. To the left it dips to −0.17 and "
        "comes back, so it is not monotone, and there is no stretch on which its slope is 0: a unit that has gone quiet is "
        "still told, faintly, how to come back."
    ),
    better=(
        "`F.gelu(x)` is this in one kernel; `approximate='tanh'` is the formula of 2016 that GPT-2 was trained with, so use it for "
        "GPT-2's weights. Far to the left 1 + erf cancels to 0 while the truth is −1e-20 or so; `x * torch.special.ndtr(x)` keeps "
        "those digits, should you ever want the logarithm of one."
    ),
)
