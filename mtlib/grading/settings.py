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


_CAME = tuple((home, _functions(home)) for home in (math, torch, functional, torch.Tensor))
_OF_TENSOR = frozenset(vars(torch.Tensor))
_INHERITED = frozenset(dir(torch._C.TensorBase))  # what most methods of Tensor are: a patch lays itself over them


def unpatch() -> list[tuple[Any, str, Any]]:
    """Put everything back as it came; returns what stood there: where, which name, and the patch."""
    found = []
    for home, came in _CAME:
        now = vars(home)
        if all(map(is_, map(now.get, came), came.values())):
            continue  # the usual case, in one sweep: this runs after each call of the learner's code
        for name, value in came.items():
            if now.get(name) is not value:
                found.append((home, name, now.get(name)))
                setattr(home, name, value)
    for name in vars(torch.Tensor).keys() - _OF_TENSOR:
        if name in _INHERITED:
            found.append((torch.Tensor, name, vars(torch.Tensor)[name]))
            delattr(torch.Tensor, name)
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
