"""See and replace what passes through a model, from outside.

No flag asks a forward to return more, and nothing is parked on modules: trace() hangs a hook
on every module, names what it saw by the module's path, and takes the hooks off again. A
value that no module puts out by itself (attention's scores and weights) passes through a
Tap, a module that does nothing and so can be watched.

    with mt.trace(model) as t:
        model(ids)
    t["blocks.0.attn.core.weights"]         # (B, H, T_q, T_k)
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

from torch import Tensor, nn


class Tap(nn.Identity):
    """A named point on the wire. It computes nothing; a hook can see or replace what passes."""


class NotRecorded(KeyError):
    """A name that the trace does not hold, or that fired more than once."""

    def __str__(self) -> str:  # KeyError would show the message in quotes
        return self.args[0]


class Trace:
    """What was seen, by path, in the order of the run: ``t[path]``, ``path in t``, ``for path in t``."""

    def __init__(self, model: nn.Module):
        self._model = model
        self._seen: dict[str, list[Any]] = {}

    def __getitem__(self, name: str) -> Any:
        values = self.all(name)
        if len(values) > 1:
            raise NotRecorded(f"{name!r} was passed {len(values)} times; take trace.all({name!r}), a list")
        return values[0]

    def all(self, name: str) -> list[Any]:
        """Every value that passed `name`, in order: a recurrent cell fires once a step."""
        if name not in self._seen:
            raise NotRecorded(self._why_missing(name))
        return self._seen[name]

    def __contains__(self, name: object) -> bool:
        return name in self._seen

    def __iter__(self) -> Iterator[str]:
        return iter(self._seen)

    def __len__(self) -> int:
        return len(self._seen)

    def __repr__(self) -> str:
        """The shape table: every tensor that passed, in order."""
        width = max(map(len, self._seen), default=0)
        rows = [
            f"{name:<{width}}  {tuple(values[-1].shape)}" + (f"  × {len(values)}" if len(values) > 1 else "")
            for name, values in self._seen.items()
            if isinstance(values[-1], Tensor)
        ]
        return "\n".join(rows) or "nothing recorded: run the model inside the with block"

    def _why_missing(self, name: str) -> str:
        if hint := self._hint(name):
            return f"nothing recorded at {name!r}: {hint}"
        parts = name.split(".")
        if name in dict(self._model.named_modules()):
            return f"nothing recorded at {name!r}: the model did not run it inside the with block"
        same_end = [n for n in self._seen if n.split(".")[-1] == parts[-1]][:3]
        near = ", ".join(same_end or list(self._seen)[:3]) or "nothing at all was recorded"
        return f"nothing recorded at {name!r}: no such module; try {near}"

    def _hint(self, name: str) -> str | None:
        """What the nearest module on the way to `name` says of why it cannot be seen."""
        modules, parts = dict(self._model.named_modules()), name.split(".")
        paths = (".".join(parts[:end]) for end in range(len(parts), 0, -1))
        return next((hint for path in paths if (hint := getattr(modules.get(path), "trace_hint", None))), None)


@contextmanager
def trace(model: nn.Module, *, replace: Mapping[str, Callable[[Any], Any]] | None = None) -> Iterator[Trace]:
    """Record what every module of `model` puts out while the block runs.

    `replace` maps a module's path to a function of its output, whose result goes on in its
    place: this is how heads are ablated and activations patched. The record shows what went
    on. The shape must stay; an unknown path raises before anything runs. Gradients flow
    through; wrap the call in torch.no_grad() to save their memory.

    >>> model = nn.Sequential(nn.Linear(4, 3), nn.Tanh()); import torch
    >>> with trace(model, replace={"0": torch.zeros_like}) as t: out = model(torch.ones(1, 4))
    >>> out.tolist(), t["0"].shape
    ([[0.0, 0.0, 0.0]], torch.Size([1, 3]))
    """
    replace = dict(replace or {})
    modules = {name: module for name, module in model.named_modules() if name}
    record = Trace(model)
    for name in replace.keys() - modules.keys():
        why = record._hint(name) or "no such module; its paths are those of named_modules()"
        raise NotRecorded(f"cannot replace {name!r}: {why}")
    hooks = [
        module.register_forward_hook(partial(_watch, record, name, replace.get(name)))
        for name, module in modules.items()
    ]
    try:
        yield record
    finally:
        for hook in hooks:
            hook.remove()


def _watch(
    record: Trace, name: str, change: Callable[[Any], Any] | None, module: nn.Module, args: tuple, out: Any
) -> Any:
    """The hook: note what module `name` put out, changed first where a change was asked for."""
    if change is not None:
        new = change(out)
        if isinstance(out, Tensor) and getattr(new, "shape", None) != out.shape:
            got = tuple(new.shape) if isinstance(new, Tensor) else type(new).__name__
            raise ValueError(f"the replacement at {name!r} gave {got}; it must keep the shape {tuple(out.shape)}")
        out = new
    record._seen.setdefault(name, []).append(out)
    return out
