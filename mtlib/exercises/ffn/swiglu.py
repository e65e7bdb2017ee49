"""ffn.swiglu: one branch decides how much of the other comes through."""

import torch
from torch import Tensor
from torch.nn.functional import gelu, silu

from mtlib.grading.draw import DTYPES, Draw
from mtlib.grading.exercise import Exercise, Mistake, Property
from mtlib.grading.judge import differentiates, equals, leaves_inputs


def reference(x: Tensor, w_gate: Tensor, w_up: Tensor, w_down: Tensor) -> Tensor:
    return (silu(x @ w_gate) * (x @ w_up)) @ w_down


def _case(d: Draw, lead: tuple[int, ...], dtype: torch.dtype = torch.float64) -> dict:
    D, F = d.size(rough=8), d.size(rough=16)
    shapes = {"x": (*lead, D), "w_gate": (D, F), "w_up": (D, F), "w_down": (F, D)}
    return {name: d.floats(*shape, dtype=dtype) for name, shape in shapes.items()}


def rows(d: Draw) -> dict:
    return _case(d, (d.size(),))


def stack(d: Draw) -> dict:
    """Any number of leading axes, none included, in both dtypes."""
    return _case(d, d.lead(4), d.pick(*DTYPES))


def loud(d: Draw) -> dict:
    """A gate driven to thousands, where a careless exponential overflows."""
    case = _case(d, (d.size(),))
    return case | {"w_gate": case["w_gate"] * d.pick(1000, 300)}


def with_cotangent(d: Draw) -> dict:
    case = _case(d, (d.size(),))
    return case | {"cotangent": d.floats(*case["x"].shape, dtype=torch.float64)}


def largest(x: Tensor, w_gate: Tensor, w_up: Tensor, w_down: Tensor) -> float:
    """How large the terms of the last sum can be, by which rounding is measured."""
    return float((((x @ w_gate).abs() + 1) * ((x @ w_up).abs() + 1) @ (w_down.abs() + 1)).amax())


def _careless(x: Tensor) -> Tensor:
    grown = torch.exp(x)
    return x * grown / (1 + grown)


def gated(act=silu, both=lambda gate, up: gate * up):
    """The gated network with another activation, or with its two branches brought together in another way."""
    return lambda x, w_gate, w_up, w_down: both(act(x @ w_gate), x @ w_up) @ w_down


def _concatenated(x: Tensor, w_gate: Tensor, w_up: Tensor, w_down: Tensor) -> Tensor:
    return torch.nn.functional.glu(torch.cat([x @ w_up, x @ w_gate], -1)) @ w_down


EXERCISE = Exercise(
    id="ffn.swiglu",
    title="A gate in the middle",
    answers=("swiglu",),
    minutes=10,
    read=("gated",),
    properties=(
        Property("values", 4, "(silu(x W_gate) ⊙ x W_up) W_down", rows, equals(reference, largest)),
        Property("leading axes", 2, "any axes before the last, or none; the dtype kept", stack, equals(reference, largest)),
        Property("loud gates", 2, "a gate at thousands gives numbers, not NaN", loud, equals(reference, largest), 40),
        Property("gradients", 1, "those of the formula", with_cotangent, differentiates(reference, largest), 30),
        Property("inputs unchanged", 1, "nothing that went in is changed", stack, leaves_inputs(reference), 20),
    ),
    mistakes=(
        Mistake("the gate on the wrong branch: silu belongs to x W_gate, and x W_up goes straight",
                lambda x, gate, up, down: reference(x, up, gate, down)),
        Mistake("the branches added; a gate multiplies", gated(both=lambda gate, up: gate + up)),
        Mistake("silu of the product; only one branch is bent", lambda x, gate, up, down: silu((x @ gate) * (x @ up)) @ down),
        Mistake("silu on both branches; one goes straight", gated(both=lambda gate, up: gate * silu(up))),
        Mistake("a sigmoid for a gate: that is GLU, of 2016", _concatenated),
        Mistake("GELU for a gate: that is GEGLU", gated(gelu)),
        Mistake("ReLU for a gate: that is ReGLU", gated(torch.relu)),
        Mistake("no bend at all, only the product of two linear maps: the bilinear form", gated(lambda z: z)),
        Mistake("the gate alone, an FFN with two matrices: w_up is not used", gated(both=lambda gate, up: gate)),
        Mistake("silu as z eᶻ / (1 + eᶻ): at large z that is inf over inf", gated(_careless)),
        Mistake("the matrices transposed, as torch.nn.Linear stores them; here w_gate is (D, F)",
                lambda x, gate, up, down: (silu(x @ gate.mT) * (x @ up.mT)) @ down.mT, raises="RuntimeError"),
        Mistake("the residual added, which stands around the FFN and not in it", lambda x, *w: x + reference(x, *w)),
    ),
    hints=(
        "Two roads from D to F. One of them bends and becomes the gate, the other carries what is let through.",
        "silu(z) = z σ(z); torch has it as `torch.nn.functional.silu`. The two roads meet entry by entry.",
        "`gate = F.silu(x @ w_gate)`, `up = x @ w_up`, then `(gate * up) @ w_down`.",
    ),
    explanation=(
        "Every hidden number is a product of two readings of x, so one unit can say *this much of that*, which a unit that only bends "
        "cannot. Three matrices in place of two: at equal size F is two thirds of what it was."
    ),
    better=(
        "Put w_gate and w_up side by side, multiply once, and `chunk(2, -1)`: one large product is quicker than two, and that is how "
        "fast implementations store them. It changes nothing but the layout of a checkpoint, which is why loaders must know it."
    ),
)
