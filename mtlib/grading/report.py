"""A report in words: what to read in ten lines or so, and the table of points."""

import textwrap
from typing import Any

from torch import Tensor

from .judge import Wrong
from .run import Outcome, Report

WIDTH = 100


def text_of(report: Report) -> str:
    """The whole message: the smallest case that fails, then the points by property."""
    if report.passed:
        return "\n".join(
            [headline(report), "", table(report), "", report.exercise.explanation, "", report.exercise.better]
        )
    _, wrong = report.failure
    if wrong.unwritten:
        stub = wrong.trouble.text or " and ".join(report.exercise.answers)
        return (
            f"{report.exercise.id}: not written yet ({stub}). Replace the `raise NotImplementedError` and check again."
        )
    return "\n".join([f'{headline(report)} Stuck? hint("{report.exercise.id}")', *failure_lines(report), *_lost(report)])


def headline(report: Report) -> str:
    """The one line that says how it went."""
    points = f"{report.earned} of {report.exercise.points} points"
    tried = sum(outcome.tried for outcome in report.outcomes)
    ending = f", every promise held on {tried} random cases" if report.passed else ""
    return f"{report.exercise.id}: {points}{ending}."


def failure_lines(report: Report) -> list[str]:
    """The first broken promise, its smallest case, and the mistake's name."""
    outcome, wrong = report.failure
    if not outcome.case:  # refused, or too slow to be tried
        return [f"✗ {wrong.sentence}."]
    lines = [f"✗ {outcome.property.name}: {outcome.property.promise}."]
    if report.mistake:
        lines.append(f"  This is {report.mistake}.")
    where = f" ({wrong.trouble.where})" if wrong.trouble is not None and wrong.trouble.where else ""
    lines.append(f"  On the smallest case found, of {outcome.tried} tried, {wrong.sentence}{where}.")
    return lines + _inputs(outcome.case) + _rows(_beside(wrong))


def _lost(report: Report) -> list[str]:
    """The promises broken, with the points that each would have earned."""
    broken = [f"{o.property.name} {o.property.points}" for o in report.outcomes if o.wrong]
    kept = len(report.outcomes) - len(broken)
    told = f"Lost: {', '.join(broken)}." + (f" {kept} more held." if kept else "")
    return textwrap.wrap(told, WIDTH, initial_indent="  ", subsequent_indent="    ")


def table(report: Report) -> str:
    """Points by property, one a line."""
    rows = []
    for outcome in report.outcomes:
        mark = "✗" if outcome.wrong else "✓"
        held = f"held on {outcome.tried} cases" if not outcome.wrong else f"broken: {outcome.wrong.sentence}"
        points = f"{outcome.earned}/{outcome.property.points}"
        rows.append(f"  {mark} {outcome.property.name:<20} {points:>5}  {_clip(held, WIDTH - 32)}")
    return "\n".join(rows)


def _beside(wrong: Wrong) -> list[tuple[str, Any]]:
    if wrong.yours is None and wrong.expected is None:
        return []
    of = f" {wrong.part}" if wrong.part and wrong.part[0] != "[" else ""
    pairs = [("yours" + of, _laid_out(wrong.yours)), ("expected" + of, _laid_out(wrong.expected))]
    if type(wrong.yours) is Tensor and type(wrong.expected) is Tensor and wrong.yours.shape == wrong.expected.shape:
        if wrong.yours.dtype == wrong.expected.dtype and wrong.yours.is_floating_point():
            pairs.append(("difference", wrong.yours - wrong.expected))
    return pairs


def _laid_out(value: Any) -> Any:
    """How the memory of an input lies may matter; that of an answer never does."""
    return value.contiguous() if type(value) is Tensor else value


def _inputs(case: dict) -> list[str]:
    """The arguments: several in a line where they are short."""
    told = []
    for name, value in case.items():
        first, *rest = pretty(value)
        told.append([f"{name} {first}", *(" " * (len(name) + 1) + line for line in rest)])
    return [f"    {line}" for line in _packed(told)]


def _packed(told: list[list[str]]) -> list[str]:
    """What takes one line shares it with its neighbours, as far as the width goes."""
    lines: list[str] = []
    open_ = False  # whether the last line may take more
    for first, *rest in told:
        if open_ and not rest and len(lines[-1]) + len(first) <= WIDTH - 12:
            lines[-1] += f"   {first}"
        else:
            lines += [first, *rest]
        open_ = not rest
    return lines


def _rows(pairs: list[tuple[str, Any]]) -> list[str]:
    width = max((len(name) for name, _ in pairs), default=0)
    lines = []
    for name, value in pairs:
        first, *rest = pretty(value)
        lines.append(f"    {name:<{width}}  {first}")
        lines += [" " * (width + 6) + line for line in rest]
    return lines


def pretty(value: Any) -> list[str]:
    """A value in a line, a matrix in a few, anything larger by its form.

    >>> import torch
    >>> pretty(torch.eye(2))
    ['(2, 2) float32  [[1, 0], [0, 1]]']
    >>> pretty({})
    ['{}']
    """
    if type(value) is dict:
        return _entries(value) or ["{}"]
    if type(value) is tuple:
        return [line for part in value for line in pretty(part)] or ["()"]
    if type(value) is not Tensor:
        return [_clip(str(value) if isinstance(value, str) else repr(value), WIDTH - 16)]
    form = f"{tuple(value.shape)} {str(value.dtype).removeprefix('torch.')}"
    form += "" if value.is_contiguous() else ", not contiguous"
    whole = _numbers(value)
    if len(whole) <= WIDTH - 40:
        return [f"{form}  {whole}"]
    if value.ndim == 2 and value.shape[0] <= 6 and len(_numbers(value[0])) <= WIDTH - 20:
        return [form, *(_numbers(row) for row in value)]
    return [f"{form}  {_clip(whole, WIDTH - 40)}"]


def _entries(state: dict) -> list[str]:
    """A state dict: small ones are written out, but for what is all zero, which in the smallest case is most."""
    told = {name: value for name, value in state.items() if type(value) is not Tensor or value.any()}
    each = [[f"{name}  {line}" for line in pretty(value)] for name, value in told.items()]
    if sum(map(len, each)) > 5:
        return [f"{len(state)} tensors, with more numbers than one wants to read"]
    if len(told) < len(state):
        each.append(["all others 0" if told else "all 0"])
    return _packed(each)


def _numbers(value: Tensor) -> str:
    if value.numel() > 200:
        return _numbers(value.flatten()[:8])[:-1] + ", …]"
    if value.ndim == 0:
        number = value.item()
        return f"{number + 0.0:.4g}" if isinstance(number, float) else str(number)  # -0 is 0 to a reader
    return "[" + ", ".join(_numbers(row) for row in value) + "]"


def _clip(text: str, width: int) -> str:
    text = text.replace("\n", " ")
    return text if len(text) <= width else text[: width - 1] + "…"
