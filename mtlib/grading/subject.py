"""A subject: the only way in which a check touches the learner's code.

A check never holds the learner's function. It holds a `Subject`, sends plain values and recipes of the kit, and gets
a `Reply` of plain values; a module that the learner's class built stays on the other side, behind a subject of its
own. There are two kinds, for code in this process and, in `remote`, for code in a worker. Each writes one method,
`ask`, with the same six words (call, grad, build, load, state, exchange), and the checks do not notice which it is.

An endless loop in the learner's code cannot be ended from inside its own process: the learner's own interrupt does
it. A worker has a time limit.
"""

import contextlib
import io
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch

from .forbid import blocked
from .kit import Kit, is_kit, make, remains
from .plain import NotPlain, describe_type, is_one_of, plain
from .settings import unpatch
from .trouble import Trouble, trouble_of

CALL_SECONDS = 5.0  # for one call in a worker
_grad = torch.autograd.grad


@dataclass(frozen=True)
class Reply:
    """What came back: the value, the arguments as they are after the call, or the trouble instead of both."""

    value: Any = None
    after: tuple = ()
    trouble: Trouble | None = None


class Subject:
    """Something of the learner's that can be called. Every answer is also kept in `log`.

    Mistakes are named by comparing logs: the same judge runs on the learner's code and on a wrong variant,
    and where all replies are equal, the variant's name is the learner's mistake.
    """

    patience = CALL_SECONDS

    def __init__(self, log: list | None = None):
        self.log: list[Reply] = [] if log is None else log

    def ask(self, word: str, args: tuple) -> Reply:
        """Carry out one of the six words. The only method that a further kind of subject writes."""
        raise NotImplementedError

    def _logged(self, word: str, *args: Any) -> Reply:
        reply = self.ask(word, args)
        self.log.append(reply)
        return reply

    def call(self, *args: Any) -> Reply:
        """`f(*args)`. Trailing Nones are left out, so that the learner's defaults are tried as well."""
        while args and args[-1] is None:
            args = args[:-1]
        return self._logged("call", *args)

    def grad(self, args: tuple, cotangent: Any) -> Reply:
        """The gradients of sum(cotangent * f(*args)), a dict from argument number to gradient."""
        return self._logged("grad", args, cotangent)

    def build(self, *args: Any) -> Reply:
        """`Class(*args)`; the reply's value is a `Subject` for the module it built."""
        return self._logged("build", *args)

    def load(self, state: dict) -> Reply:
        """Take these tensors into the module, in their dtype; names it does not have are an error."""
        return self._logged("load", state)

    def state(self) -> Reply:
        """The module's state dict, as a plain dict."""
        return self.ask("state", ())  # not logged: fresh weights are random, and say nothing about a mistake


    def exchange(self, method: str, *args: Any) -> Reply:
        """A method of a module, `""` for the module itself. What it returns may hold objects that are not plain,
        such as a cache: they come back as subjects, and go in again as arguments."""
        return self._logged("exchange", method, *args)


class Hush(io.TextIOBase):
    """Takes what is printed and keeps none of it: a hundred cases would print a hundred times, or a gigabyte."""

    def write(self, text: str) -> int:
        return len(text)


class LocalSubject(Subject):
    """The learner's code in this very process, as `check` in a notebook meets it."""

    def __init__(self, target: Callable, forbid: tuple[str, ...] = (), log: list | None = None):
        super().__init__(log)
        self._target, self._forbid = target, forbid

    def ask(self, word: str, args: tuple) -> Reply:
        args = _inward(args)  # the learner gets copies: whatever happens to them, the case stays as drawn
        try:
            with self._aside(), blocked(self._forbid):
                value = getattr(self, f"_do_{word}")(*args)
                value = value if word in ("build", "exchange") else plain(value)
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

    def _do_build(self, *args: Any) -> Subject:
        module = self._target(*args)
        if not isinstance(module, torch.nn.Module):
            raise TypeError(f"building it gave {describe_type(module)}, not a torch.nn.Module")
        return type(self)(module, self._forbid, self.log)

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

    def _aside(self) -> contextlib.AbstractContextManager:
        return contextlib.nullcontext()


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
