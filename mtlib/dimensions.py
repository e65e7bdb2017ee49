"""Every value of a model with its shape, in the order of the run: model.get_dimensions().

The shapes come from a real run, of a copy on torch's meta device: there tensors have a shape
and no numbers, so that a model of any size takes no memory and a fraction of a second (the
first run a few, in which torch loads what it needs). The letters come from letters.py, which
knows only the config. The two must agree, or a ValueError says where they do not.
"""

import copy
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import torch
from torch import Tensor, nn

from .cores import use_explicit
from .layout import Place, Side, fold, legend, of_your_own, place, span, value_at
from .letters import shape
from .table import Table
from .trace import trace


class Dimension(NamedTuple):
    """One value of a run: its name, the path at which mt.trace holds it, its shape twice, what it is."""

    name: str
    path: str
    letters: str
    shape: tuple[int, ...]
    meaning: str


def dimensions(
    model: nn.Module, inputs: Mapping[str, str], sides: Mapping[str, Side], *, every_layer: bool = False
) -> Table[Dimension]:
    """Run a copy of `model` on the meta device and name what passes; the model itself is not touched.

    inputs: the letters of each argument of forward. sides: by the first step of a path, '' for
    all others. every_layer: without it, block 0 stands for all blocks that are like it. A
    module of your own has letters only where it keeps the shape of the one it replaces.
    """
    size = next(iter(sides.values())).size
    given = [Dimension(name, name, letters, shape(letters, size), "what goes in") for name, letters in inputs.items()]
    entries = [(at, row) for at, path, seen in _run(model, given) if (row := _row(model, at, path, seen, sides))]
    rows = [row for _, row in entries] if every_layer else fold(entries, _more)
    caption = f"Every value of {type(model).__name__}, in the order of the run"
    return Table((*given, *rows), caption=caption, notes=legend(sides, rows))


def _run(model: nn.Module, inputs: list[Dimension]) -> Iterator[tuple[Place, str, tuple[int, ...]]]:
    """Place, path and shape of every tensor that a module puts out."""
    dtype = next((p.dtype for p in model.parameters()), torch.float32)
    twin, path_of = _on_meta(model)
    vectors = [row.name for row in inputs if "D" in row.letters]
    given = {
        row.name: torch.zeros(row.shape, dtype=dtype if row.name in vectors else torch.int64, device="meta")
        for row in inputs
    }
    with torch.no_grad(), trace(twin.eval()) as seen:
        twin(**given)
    for name in seen:
        if isinstance(out := seen.all(name)[-1], Tensor):
            yield place(name), path_of[name], tuple(out.shape)


def _row(model: nn.Module, at: Place, path: str, seen: tuple[int, ...], sides: Mapping[str, Side]) -> Dimension | None:
    """None for what has no name of its own: a dropout, or a module that puts out what its last part does."""
    if (here := sides.get(at.side, sides.get(""))) is None:  # the half of an encoder-decoder as a whole
        return None
    config, size, own = here
    known, yours = value_at(at, config, own=own, classifier="C" in size), of_your_own(model, path)
    if known is None:
        return Dimension(at.part, path, "", seen, f"inside {yours}, a module of your own") if yours else None
    if shape(known.letters, size) == seen:
        return Dimension(known.name, path, known.letters, seen, known.meaning)
    if yours:
        return Dimension(known.name, path, "", seen, f"{yours} is a module of your own")
    wanted = f"{known.letters} = {shape(known.letters, size)}"
    raise ValueError(f"{path} puts out {seen}; by the model's config it must be {wanted}")


def _more(blocks: list[list[tuple[Place, Dimension]]]) -> Dimension:
    last, n = blocks[-1][-1][1], len(blocks)
    meaning = f"{n} more block{'s' * (n > 1)}, shape for shape like block 0"
    return Dimension("…", span(blocks), last.letters, last.shape, meaning)


def _on_meta(model: nn.Module) -> tuple[nn.Module, dict[str, str]]:
    """A copy with explicit cores, without numbers, without hooks; and the path on the model of each path on the copy.

    A module that stands in two places (a shared token table) becomes two, so that each place
    has its turn in the order of the run.
    """
    modules = list(model.modules())
    tensors = [t for m in modules for t in (*m.parameters(recurse=False), *m.buffers(recurse=False), *vars(m).values())]
    instead = {id(t): _hollow(t) for t in tensors if isinstance(t, Tensor)}
    hooks = {id(h): OrderedDict() for m in modules for h in (m._forward_hooks, m._forward_pre_hooks)}  # type: ignore[var-annotated]
    twin = use_explicit(copy.deepcopy(model, instead | hooks))  # deepcopy takes from this memo what it would copy
    first: dict[int, str] = {}
    paths = {path: first.setdefault(id(m), path) for path, m in twin.named_modules(remove_duplicate=False)}
    for path, own in paths.items():
        if path != own:
            twin.set_submodule(path, copy.deepcopy(twin.get_submodule(path)))
    return twin, paths


def _hollow(t: Tensor) -> Tensor:
    """The same shape and dtype, no numbers."""
    empty = torch.empty_like(t, device="meta", requires_grad=False)
    return nn.Parameter(empty, requires_grad=t.requires_grad) if isinstance(t, nn.Parameter) else empty
