"""The kit: callables, models and batches that exercises take as arguments.

A check never sends a function across. It draws a `Kit`, a recipe of a name, a seed, options and perhaps a state
dict, and whoever calls builds the thing from it: the worker for the learner's code, the grader for its reference.

    Kit("square")                                                  # a function
    Kit("linear", seed=3, options={"d_in": 4, "d_out": 2})         # a seeded map of rows
    Kit("torch.nn.LayerNorm", options={"normalized_shape": 8})     # any class of torch.nn
    Kit("mtlib.DecoderLM", seed=1, options={"vocab": 9, …})        # a model; options are ModelConfig's
    Kit("batches", seed=2, options={"vocab": 8, "length": 6, …})   # an iterator of (inputs, targets)
    Kit("generator", seed=7)                                       # a torch.Generator

After a call the learner's reply shows, in the thing's place, what became of it (`remains`): how often a function
was called, what weights a model has now and whether hooks were left on it, how many batches were taken, whether
torch's global generator was used besides. A further function is one entry below with `@named`; it must be written
from x alone and give x's dtype back.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F


@dataclass(frozen=True)
class Kit:
    """The recipe of an argument: the same recipe builds the same thing on both sides."""

    name: str
    seed: int = 0
    options: dict = field(default_factory=dict)
    state: dict | None = None

    def __repr__(self) -> str:
        told = ", ".join(f"{name}={value!r}" for name, value in self.options.items())
        return f"{self.name}({told})" if told else self.name


_MAKERS: dict[str, Callable] = {}


def named(name: str) -> Callable:
    """Enter a maker: called with a seeded generator and the recipe's options, it returns the thing."""

    def enter(maker: Callable) -> Callable:
        _MAKERS[name] = maker
        return maker

    return enter


def make(recipe: Kit) -> Any:
    """Build what a recipe says. Raises LookupError for a name that is not in the kit.

    >>> make(Kit("square"))(torch.tensor([3.0]))
    tensor([9.])
    """
    if recipe.name in _MAKERS:
        thing = _MAKERS[recipe.name](torch.Generator().manual_seed(recipe.seed), **recipe.options)
    else:
        thing = _make_module(recipe)
    if recipe.state is not None:
        thing.to(next(iter(recipe.state.values())).dtype).load_state_dict(recipe.state)
    return thing


def made(values: Any) -> tuple:
    """The values with each recipe among them built: what a reference is called with."""
    return tuple(make(value) if type(value) is Kit else value for value in values)


def remains(thing: Any) -> dict:
    """What became of a thing of the kit in a call, as plain values."""
    if isinstance(thing, nn.Module):
        hooks = sum(len(m._forward_hooks) + len(m._forward_pre_hooks) for m in thing.modules())
        state = {name: value.detach().clone() for name, value in thing.state_dict().items()}
        return {"state": state, "hooks": hooks, "training": thing.training}
    if isinstance(thing, Stream):
        return {"global moved": not thing.before.equal(torch.get_rng_state())}
    return {"calls": thing.calls} if isinstance(thing, Witness) else {"taken": thing.taken}


def is_kit(thing: Any) -> bool:
    """Whether a thing was built by `make`."""
    return isinstance(thing, Witness | Batches | Stream) or getattr(thing, "of_the_kit", False) is True


class Witness:
    """A function that counts its calls."""

    def __init__(self, function: Callable):
        self.function, self.calls = function, 0

    def __call__(self, *args: Any) -> Any:
        self.calls += 1
        return self.function(*args)


class Batches:
    """An iterator that counts what was taken from it."""

    def __init__(self, source: Iterator):
        self.source, self.taken = source, 0

    def __iter__(self) -> "Batches":
        return self

    def __next__(self) -> Any:
        batch = next(self.source)
        self.taken += 1
        return batch


class Stream(torch.Generator):
    """A generator that knows how the global one stood when it was made."""

    def __init__(self):
        self.before = torch.get_rng_state()


def _make_module(recipe: Kit) -> nn.Module:
    home, _, name = recipe.name.rpartition(".")
    if home not in ("torch.nn", "mtlib"):
        raise LookupError(f"there is no {recipe.name!r} in the kit; it has {', '.join(_MAKERS)}, torch.nn.*, mtlib.*")
    import mtlib

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.seed)
        if home == "torch.nn":
            thing = getattr(nn, name)(**recipe.options)
        else:
            thing = getattr(mtlib, name)(mtlib.ModelConfig(**recipe.options)).eval()
    thing.of_the_kit = True
    return thing


_ELEMENTWISE = {
    "identity": lambda x: x,  # the very tensor it was given
    "relu": F.relu,
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "gelu": F.gelu,
    "square": lambda x: x * x,
    "exp": torch.exp,
    "abs": torch.abs,
    "sine": torch.sin,
    "softmax": lambda x: x.softmax(-1),
    "zero": torch.zeros_like,
}
for _name, _function in _ELEMENTWISE.items():
    named(_name)(lambda generator, function=_function: Witness(function))


@named("linear")
def _linear(generator: torch.Generator, d_in: int, d_out: int, bias: bool = False) -> Witness:
    """x @ w, perhaps + b, on the last axis, in x's dtype."""
    w = torch.randn(d_in, d_out, generator=generator, dtype=torch.float64)
    b = torch.randn(d_out, generator=generator, dtype=torch.float64)
    return Witness(lambda x: x @ w.to(x.dtype) + (b.to(x.dtype) if bias else 0))


@named("scale")
def _scale(generator: torch.Generator, by: float, plus: float = 0.0) -> Witness:
    """by * x + plus, which one can follow by hand."""
    return Witness(lambda x: by * x + plus)


@named("table")
def _table(generator: torch.Generator, vocab: int, source_vocab: int = 0) -> Witness:
    """model(ids), or model(source, inputs): logits (B, T, V) that depend on each id and on the whole source."""
    rows = torch.randn(vocab, vocab, generator=generator, dtype=torch.float64)
    if not source_vocab:
        return Witness(lambda ids: rows[ids])
    other = torch.randn(source_vocab, vocab, generator=generator, dtype=torch.float64)
    return Witness(lambda source, inputs: rows[inputs] + other[source].mean(1, keepdim=True))


@named("batches")
def _batches(generator: torch.Generator, vocab: int, length: int, size: int, step: int = 1, noise: float = 0.0) -> Batches:
    """(inputs, targets), each (size, length) int64, without end: the target is the id `step` further round, by chance any."""

    def each() -> Iterator[tuple[Tensor, Tensor]]:
        while True:
            ids, others = torch.randint(vocab, (2, size, length), generator=generator)
            by_chance = torch.rand(size, length, generator=generator) < noise
            yield ids, others.where(by_chance, (ids + step) % vocab)

    return Batches(each())


@named("generator")
def _generator(generator: torch.Generator, used: int = 0) -> Stream:
    """A generator of that seed, from which so many numbers have been drawn already."""
    stream = Stream()
    stream.set_state(generator.get_state())
    torch.rand(used, generator=stream)
    return stream
