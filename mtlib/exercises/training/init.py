"""training.init: where weights start."""

import math
from dataclasses import replace
from itertools import combinations

import torch
from torch import Tensor

from mtlib.grading.compare import gap
from mtlib.grading.exercise import Exercise, Mistake, Property
from mtlib.grading.judge import Wrong, agree, value_of
from mtlib.grading.subject import Reply, Subject

from .state_dicts import State, adding, adds, biases, everything, matrices, normal, norms, per_addition, twins, variant


def _answered(case: dict, subject: Subject) -> tuple[State, Reply]:
    reply = subject.call(*case.values())
    fresh = value_of(reply)
    agree(_form(fresh), _form(case["state"]))
    return fresh, reply


def _form(state: object) -> object:
    """A state dict without its numbers."""
    if type(state) is not dict:
        return state
    return {name: torch.zeros_like(value) if type(value) is Tensor else value for name, value in state.items()}


def keeps_its_form(case: dict, subject: Subject) -> None:
    _answered(case, subject)


def copies_norms(case: dict, subject: Subject) -> None:
    fresh, _ = _answered(case, subject)
    for name, old in case["state"].items():
        if "norm" in name:
            agree(fresh[name], old, why=f"{name} is copied")


def starts_biases_at_zero(case: dict, subject: Subject) -> None:
    fresh, _ = _answered(case, subject)
    for name, old in case["state"].items():
        if name.endswith("bias"):
            agree(fresh[name], torch.zeros_like(old), why=name)


def spreads(case: dict, subject: Subject) -> None:
    """Normal, around 0, as wide as it should be: each limit is more than six times what chance allows 4,096 numbers."""
    fresh, _ = _answered(case, subject)
    for name in case["state"]:
        wanted = per_addition(case["std"], case["n_layers"]) if adds(name) else case["std"]
        drawn = fresh[name].double()
        measured, middle = drawn.std().item(), drawn.mean().item()
        if not abs(measured / wanted - 1) <= 0.07:
            raise Wrong(f"{name} has the standard deviation {measured:.4g}; expected {wanted:.4g}", measured, wanted)
        if not abs(middle / wanted) <= 0.1:
            raise Wrong(f"{name} has the mean {middle:.4g}; expected 0, or near", middle, 0.0)
        far = (drawn.abs() > 2 * wanted).double().mean().item()
        if not 0.023 <= far <= 0.068:
            raise Wrong(f"{far:.1%} of {name} lie beyond two standard deviations; of normal numbers 4.6% do", far, 0.0455)


def draws_from_it(case: dict, subject: Subject) -> None:
    (first, reply), (again, _) = (_answered(case, subject) for _ in range(2))
    later, _ = _answered(case | {"generator": replace(case["generator"], options={"used": 7})}, subject)
    for one, other in combinations(case["state"], 2):
        if abs(torch.corrcoef(torch.stack([first[one].flatten(), first[other].flatten()]))[0, 1]) > 0.1:
            raise Wrong(f"{one} and {other} are the same draw")
    for name in case["state"]:
        if gap(first[name], again[name]) is not None:
            raise Wrong(f"{name} differs between two calls with generators in the same state", first[name], again[name])
        if gap(first[name], later[name]) is None:
            raise Wrong(f"{name} is the same whatever state the generator is in")
    if reply.after[3]["global moved"]:
        raise Wrong("torch's global generator was used or seeded; draw from the one handed in")


def leaves_the_state(case: dict, subject: Subject) -> None:
    _, reply = _answered(case, subject)
    if gap(reply.after[0], case["state"]) is not None:
        raise Wrong("state is changed in place", reply.after[0], case["state"], "state after the call")


def _one_and_zero(name: str, old: Tensor) -> Tensor:
    return torch.zeros_like(old) if name.endswith("bias") else torch.ones_like(old)


def _uniform(old: Tensor, sigma: float, generator: torch.Generator) -> Tensor:
    return sigma * (2 * torch.rand(old.shape, generator=generator, dtype=old.dtype) - 1)


def _by_its_width(old: Tensor, sigma: float, generator: torch.Generator) -> Tensor:
    return normal(old, (2 / sum(old.shape)) ** 0.5, generator)


def _always_the_same(old: Tensor, sigma: float, generator: torch.Generator) -> Tensor:
    return normal(old, sigma, torch.Generator().manual_seed(0))


def _started_again(old: Tensor, sigma: float, generator: torch.Generator) -> Tensor:
    again = torch.Generator()
    again.set_state(generator.get_state())
    return normal(old, sigma, again)


def _in_float32(old: Tensor, sigma: float, generator: torch.Generator) -> Tensor:
    return sigma * torch.randn(old.shape, generator=generator)


def _in_place(state: State, std: float, n_layers: int, generator: torch.Generator) -> State:
    for name, fresh in variant()(state, std, n_layers, generator).items():
        state[name].copy_(fresh)
    return state


EXERCISE = Exercise(
    id="training.init",
    title="Where the weights start",
    answers=("init_weights",),
    minutes=20,
    read=("q-init",),
    properties=(
        Property("form", 1, "the same names, shapes and dtypes, in a new dict", everything, keeps_its_form, 20),
        Property("norms", 2, "whatever has norm in its name is copied, biases and matrices too", norms, copies_norms, 36),
        Property("biases", 1, "every other bias is 0", biases, starts_biases_at_zero, 30),
        Property("spread", 3, "matrices are normal with mean 0 and deviation std", matrices, spreads, 18),
        Property("added up", 3, "o_proj and w_out are smaller, by √(2·n_layers)", adding, spreads, 18),
        Property("generator", 2, "every number comes out of the generator, and no two matrices are one draw",
                 twins, draws_from_it, 12),
        Property("state unchanged", 1, "the old weights are afterwards what they were", everything, leaves_the_state, 20),
    ),
    mistakes=(
        Mistake("std everywhere: what 2·n_layers sublayers add up makes the stream √(2·n_layers) times as loud",
                variant(smaller=lambda name: False)),
        Mistake("one addition a layer counted: a block adds twice, after attention and after the FFN",
                variant(sigma=lambda std, n: std / math.sqrt(n))),
        Mistake("2·n_layers without the root: variances add up, and the deviation is the root of theirs",
                variant(sigma=lambda std, n: std / (2 * n))),
        Mistake("a multiplication by √(2·n_layers), where it is a division",
                variant(sigma=lambda std, n: std * math.sqrt(2 * n))),
        Mistake("o_proj alone made smaller; w_out writes into the same stream",
                variant(smaller=lambda name: name.endswith("o_proj.weight"))),
        Mistake("w_out alone made smaller; o_proj writes into the same stream",
                variant(smaller=lambda name: name.endswith("w_out.weight"))),
        Mistake("a norm's bias set to 0 with the other biases: the rule for norms comes first",
                variant(copied=lambda name, old: "norm" in name and not name.endswith("bias"))),
        Mistake("a norm's matrix drawn anew: whatever has norm in its name is copied",
                variant(copied=lambda name, old: "norm" in name and old.dim() < 2)),
        Mistake("only names that begin with norm copied; it may stand anywhere in the name",
                variant(copied=lambda name, old: name.startswith("norm"))),
        Mistake("norms set to 1 or 0 afresh; they should be copied as they are", variant(kept=_one_and_zero)),
        Mistake("biases copied, where 0 is asked for", variant(bias=torch.clone)),
        Mistake("std squared, which is the variance: `normal_` and `randn` times a number want the deviation",
                variant(draw=lambda old, sigma, generator: normal(old, sigma**2, generator))),
        Mistake("a uniform draw between −std and std: its deviation is std / √3, and it has no tails", variant(draw=_uniform)),
        Mistake("a spread by the matrix's own shape, as Xavier's; std is asked for", variant(draw=_by_its_width)),
        Mistake("a generator of its own with a seed of its own: every run would start alike", variant(draw=_always_the_same)),
        Mistake("the generator started again for every matrix: matrices of one shape come out alike",
                variant(draw=_started_again)),
        Mistake("float32 whatever came; a float64 model stays one", variant(draw=_in_float32)),
        Mistake("the old weights overwritten: the caller may still need them", _in_place),
    ),
    hints=(
        "Walk through the names; for each one of three things happens: copy, zeros, draw. The order of the questions decides what a "
        "norm's bias gets.",
        "`torch.randn(old.shape, generator=generator, dtype=old.dtype)` has deviation 1; times a number it has that one. "
        "`str.endswith` takes a tuple of endings.",
        "`if \"norm\" in name:` a clone; `elif name.endswith(\"bias\"):` zeros_like; else std, divided by `math.sqrt(2 * n_layers)` "
        "if the name ends in o_proj.weight or w_out.weight, times the draw.",
    ),
    explanation=(
        "GPT-2's start. Small weights make the first logits nearly equal, so that the loss begins at ln V: the model knows nothing "
        "and says so. Every block adds to the stream twice; 2·n_layers independent additions of variance s² add up to 2·n_layers·s², "
        "and the division leaves s² at any depth."
    ),
    better=(
        "`mt.init_weights` does this to a module in place, under `torch.no_grad()`. A fixed 0.02 is right for widths near 768 and "
        "no law: 1/√D would be 0.036 there, and scales with the width."
    ),
)
