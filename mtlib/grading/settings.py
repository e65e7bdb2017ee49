"""What a check sees of torch and math: as they came, whatever the notebook has set or patched.

A right answer stays right inside `torch.no_grad()`, or where the default dtype is float64; so the check has settings
of its own. And the functions that references call are put back after each call of the learner's code, so that a
`math.sqrt` that says 1 does not make the missing division right. Names patched deeper down (in `torch._C`,
`builtins`) stay patched: this helps learners, and holds no one back.
"""

import contextlib
import math
from collections.abc import Iterator
from operator import is_
from typing import Any

import torch
from torch.nn import functional


def _functions(home: Any) -> dict[str, Any]:
    return {name: value for name, value in vars(home).items() if callable(value)}


_HOMES = tuple((home, _functions(home)) for home in (math, torch, functional))
_METHODS = tuple((kind, _functions(kind)) for kind in (torch.Tensor,))
_INHERITED = frozenset(dir(torch._C.TensorBase))  # what most methods of Tensor are: a patch lays itself over them


def _patches() -> Iterator[tuple[Any, str, Any]]:
    """Each name that is not what it was: where, which, and what it is now."""
    for home, came in (*_HOMES, *_METHODS):
        now = vars(home)
        if not all(map(is_, map(now.get, came), came.values())):  # one sweep, without a line of Python for each name
            yield from [(home, name, now.get(name)) for name, value in came.items() if now.get(name) is not value]
    for kind, came in _METHODS:
        laid_over = (vars(kind).keys() & _INHERITED) - came.keys()
        yield from [(kind, name, vars(kind)[name]) for name in laid_over if callable(vars(kind)[name])]


def unpatch() -> list[tuple[Any, str, Any]]:
    """Put everything back as it came; returns what stood there, for `setattr`."""
    found = list(_patches())
    came = {(id(home), name): value for home, values in (*_HOMES, *_METHODS) for name, value in values.items()}
    for home, name, _ in found:
        if (id(home), name) in came:
            setattr(home, name, came[id(home), name])
        else:
            delattr(home, name)
    return found


@contextlib.contextmanager
def settled() -> Iterator[None]:
    """The check's own settings and unpatched functions; afterwards the notebook has its own again."""
    dtype = torch.get_default_dtype()
    patches = unpatch()
    try:
        with contextlib.ExitStack() as stack:
            stack.enter_context(torch.inference_mode(False))
            stack.enter_context(torch.enable_grad())
            stack.enter_context(torch.autocast("cpu", enabled=False))
            if torch.get_default_device().type != "cpu":
                stack.enter_context(torch.device("cpu"))
            torch.set_default_dtype(torch.float32)
            yield
    finally:
        torch.set_default_dtype(dtype)
        for home, name, patch in patches:
            setattr(home, name, patch)
