"""Subjects in this very process: the learner's code as `check` in a notebook meets it, and our own.

An endless loop in the learner's code cannot be ended from inside its own process: the learner's own interrupt does
it. A worker has a time limit.
"""

import contextlib
import io
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import torch

from .forbid import blocked
from .kit import Kit, is_kit, make, remains
from .plain import NotPlain, describe_type, is_one_of, plain
from .settings import unpatch
from .subject import Reply, Subject
from .trouble import trouble_of

_grad, _cross_entropy = torch.autograd.grad, torch.nn.functional.cross_entropy


class Hush(io.TextIOBase):
    """Takes what is printed and keeps none of it: a hundred cases would print a hundred times, or a gigabyte."""

    def write(self, text: str) -> int:
        return len(text)


class LocalSubject(Subject):
    """The learner's code in this very process, as `check` in a notebook meets it."""

    def __init__(self, target: Callable, forbid: tuple[str, ...] = (), log: list | None = None):
        super().__init__(log)
        self._target: Any = target  # a function or a class of theirs, or what the class built
        self._forbid = forbid

    def ask(self, word: str, args: tuple) -> Reply:
        args = _inward(args)  # the learner gets copies: whatever happens to them, the case stays as drawn
        try:
            with self._aside(), blocked(self._forbid):
                value = getattr(self, f"_do_{word}")(*args)
                value = value if word in ("build", "train", "exchange") else plain(value)
                after = _outward(args) if word in ("call", "grad", "exchange") else ()
        except (Exception, SystemExit) as error:
            return Reply(trouble=trouble_of(error))
        return Reply(value, after)

    @contextlib.contextmanager
    def _aside(self) -> Iterator[None]:
        """The call leaves nothing behind in the process that judges it, and is not disturbed by it."""
        try:
            with (
                contextlib.redirect_stdout(Hush()),
                warnings.catch_warnings(),
                torch.random.fork_rng(devices=[]),  # a check leaves the notebook's random numbers alone
            ):
                warnings.simplefilter("ignore")  # a right answer that warns is a right answer
                yield
        finally:
            unpatch()  # what was patched in this call judges neither it nor the next

    def _do_call(self, *args: Any) -> Any:
        return self._target(*args)

    def _do_grad(self, args: tuple, cotangent: Any) -> dict:
        floats = {i: a for i, a in enumerate(args) if type(a) is torch.Tensor and a.is_floating_point()}
        for argument in floats.values():
            argument.requires_grad_()
        value = self._target(*args)
        values = value if is_one_of(type(value), (tuple, list)) else (value,)
        weights = cotangent if type(cotangent) is tuple else (cotangent,)
        pairs = [(v, w) for v, w in zip(values, weights, strict=False) if type(v) is torch.Tensor and v.requires_grad]
        if len(pairs) < len(weights):
            raise Detached
        for output, weight in pairs:
            if output.shape != weight.shape:
                raise TypeError(f"an output of shape {tuple(output.shape)}; expected {tuple(weight.shape)}")
        total = sum((output * weight).sum() for output, weight in pairs)  # weights given to torch's grad load sympy
        grads = _grad(total, list(floats.values()), allow_unused=True, materialize_grads=True)
        return dict(zip(floats, grads, strict=True))

    def _do_build(self, *args: Any) -> "LocalSubject":
        module = self._target(*args)
        if not isinstance(module, torch.nn.Module):
            raise TypeError(f"building it gave {describe_type(module)}, not a torch.nn.Module")
        return type(self)(module, self._forbid, self.log)

    def _do_train(self, sizes: tuple, examples: tuple, targets: Any, seed: int, size: int, rate: float) -> Subject:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            subject = self._do_build(*sizes)
            module = subject._target.train()
            optimiser = torch.optim.AdamW(module.parameters(), lr=rate)
            for part in zip(*(each.split(size) for each in (*examples, targets)), strict=True):
                logits = module(*part[:-1])
                optimiser.zero_grad()
                _cross_entropy(logits.flatten(0, -2), part[-1].flatten()).backward()
                optimiser.step()
        module.eval()
        return subject

    def _do_load(self, state: dict) -> None:
        self._target.to(next(iter(state.values())).dtype)
        own = self._target.state_dict()
        own.update(state)  # a learner's own buffers stay as they are
        self._target.load_state_dict(own)

    def _do_state(self) -> dict:
        return dict(self._target.state_dict())

    def _do_exchange(self, method: str, *args: Any) -> Any:
        return self._with_subjects((getattr(self._target, method) if method else self._target)(*args))

    def _with_subjects(self, value: Any) -> Any:
        if type(value) is tuple:
            return tuple(self._with_subjects(part) for part in value)
        try:
            return plain(value)
        except NotPlain:
            return type(self)(value, self._forbid, self.log)


class UnguardedSubject(LocalSubject):
    """Code that needs no watching, since it is ours, or since nobody judges in this process."""

    @contextlib.contextmanager
    def _aside(self) -> Iterator[None]:
        yield


def _inward(value: Any) -> Any:
    """Copies for the learner: things of the kit are built, and objects of the learner's own are themselves again."""
    kind = type(value)
    if kind is tuple:
        return tuple([_inward(part) for part in value])
    if kind is Kit:
        return make(value)
    return value._target if issubclass(kind, LocalSubject) else plain(value)


def _outward(value: Any) -> Any:
    """The arguments after the call, as plain values; an object of the learner's own says nothing."""
    if type(value) is tuple:
        return tuple([_outward(part) for part in value])
    try:
        return plain(value)
    except NotPlain:
        return remains(value) if is_kit(value) else None


class Detached(Exception):
    """Raised where autograd cannot reach the output."""

    def __init__(self):
        super().__init__("the output is cut off from its inputs: detach, .item(), numpy or torch.no_grad in between")
