"""Every parameter of a model, measured and by closed form: model.params()."""

from collections.abc import Mapping
from math import prod
from typing import NamedTuple

from torch import nn

from .layout import Place, Side, family, fold, legend, of_your_own, place, span, weight_at
from .letters import shape
from .table import Table


class Parameter(NamedTuple):
    """One parameter: its path, its shape twice, its numbers counted and by closed form (None where there is none)."""

    path: str
    letters: str
    shape: tuple[int, ...] | None
    measured: int
    closed_form: int | None


def params(
    model: nn.Module, sides: Mapping[str, Side], closed: Mapping[str, int], *, every_layer: bool = False
) -> Table[Parameter]:
    """Every parameter of `model`, a parameter used twice counted once; the foot sums them by part.

    closed: what count.py gives for each part and for the total. every_layer: without it, block
    0 stands for all blocks that are like it. A module of your own has no closed form, and the
    part that it is in has none either; everywhere else the two counts agree, or a ValueError
    says where they do not.
    """
    entries = [(place(path), _row(model, path, weight, sides)) for path, weight in model.named_parameters()]
    rows = [row for _, row in entries] if every_layer else fold(entries, _more)
    yours = {family(place(path)) for path, _ in model.named_modules() if path and of_your_own(model, path)}
    foot, notes = _sums(entries, closed, yours), (*legend(sides, rows), *_once(model))
    caption = f"Every parameter of {type(model).__name__}"
    return Table(tuple(rows), caption=caption, foot=tuple(foot), notes=notes)


def _row(model: nn.Module, path: str, weight: nn.Parameter, sides: Mapping[str, Side]) -> Parameter:
    at, seen = place(path), tuple(weight.shape)
    config, size, _ = sides[at.side if at.side in sides else ""]
    letters = weight_at(at, config, classifier="C" in size)
    if letters and (by_letters := shape(letters, size)) == seen:
        return Parameter(path, letters, seen, weight.numel(), prod(by_letters))
    if letters and not of_your_own(model, path):
        raise ValueError(f"{path} has shape {seen}; by the model's config it must be {letters} = {by_letters}")
    return Parameter(path, "", seen, weight.numel(), None)


def _sums(entries: list[tuple[Place, Parameter]], closed: Mapping[str, int], yours: set[str]) -> list[Parameter]:
    """A row for each part and one for the whole, in which the closed form is not a sum of rows but count.py's."""
    measured = dict.fromkeys(closed, 0)
    formula: dict[str, int | None] = {part: None if part in yours else count for part, count in closed.items()}
    for at, row in entries:
        part = family(at)
        if part not in closed:  # a pool that learns: the config does not know it
            formula[part] = None if part in yours or row.closed_form is None else formula.get(part, 0) + row.closed_form  # type: ignore[operator]  # a part's forms are all known or none
        measured[part] = measured.get(part, 0) + row.measured
    del measured["total"], formula["total"]
    whole = None if None in formula.values() else sum(formula.values())  # type: ignore[arg-type]  # without None
    for part, count in formula.items():
        if count not in (None, measured[part]):
            raise ValueError(f"{part}: the model has {measured[part]} parameters and its config gives {count}")
    sums = [Parameter(part, "", None, measured[part], formula[part]) for part in measured]
    return [*sums, Parameter("total", "", None, sum(measured.values()), whole)]


def _more(blocks: list[list[tuple[Place, Parameter]]]) -> Parameter:
    rows = [row for block in blocks for _, row in block]
    forms = [row.closed_form for row in rows]
    return Parameter(span(blocks), "", None, sum(row.measured for row in rows), None if None in forms else sum(forms))  # type: ignore[arg-type]  # without None


def _once(model: nn.Module) -> list[str]:
    """A sentence for each parameter that serves in two places."""
    first: dict[int, str] = {}
    notes = []
    for path, weight in model.named_parameters(remove_duplicate=False):
        if (own := first.setdefault(id(weight), path)) != path:
            notes.append(f"{path} is {own}: one parameter, counted once")
    for path, module in model.named_modules():
        if hasattr(module, "unembed") and module.head is None:
            tok = first[id(module.tok.weight)]
            notes.append(f"{path}{'.' if path else ''}head is {tok}, read the other way round: counted once")
    return notes
