"""Where two plain values differ, said in one sentence.

Both sides have been through `plain`, so their types can be trusted; the arithmetic is numpy's.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import Tensor

from .plain import array, describe_type

_CLOSE = {"torch.float32": 1e-5, "torch.float64": 1e-10}  # of the largest number in play
_isnan, _abs, _isfinite, _where = np.isnan, np.abs, np.isfinite, np.where


@dataclass(frozen=True)
class Gap:
    """The first difference found: a sentence, the two parts that differ, and what they are a part of."""

    sentence: str
    yours: Any
    expected: Any
    part: str = ""


def gap(yours: Any, expected: Any, largest: float = 1.0, part: str = "") -> Gap | None:
    """None where `yours` is `expected`: same types, shapes, dtypes and, within rounding, the same numbers.

    `largest` is the largest score or logit on the way; rounding grows with it.

    >>> gap(1, 1) is None, gap(1, 2).sentence
    (True, 'the answer is 1; expected 2')
    """
    what = part or "the answer"
    if type(yours) is not type(expected):
        return Gap(f"{what} is {describe_type(yours)}; expected {_wanted(expected)}", yours, expected, part)
    if type(expected) in (tuple, list):
        return _gap_in_sequence(yours, expected, largest, part)
    if type(expected) is dict:
        if yours.keys() != expected.keys():
            sentence = f"{what} has the keys {sorted(map(str, yours))}; expected {sorted(map(str, expected))}"
            return Gap(sentence, yours, expected, part)
        gaps = (gap(yours[key], expected[key], largest, f"{part}[{key!r}]") for key in expected)
        return next(filter(None, gaps), None)
    if type(expected) is Tensor:
        return _gap_in_tensor(yours, expected, largest, part)
    if type(expected) is float:
        same = abs(yours - expected) <= 1e-10 * max(1.0, largest, abs(expected)) or yours == expected
        same = same or (yours != yours and expected != expected)
    else:
        same = yours == expected
    return None if same else Gap(f"{what} is {yours!r}; expected {expected!r}", yours, expected, part)


def _wanted(expected: Any) -> str:
    if type(expected) is Tensor:
        return f"a torch.Tensor of shape {tuple(expected.shape)}"
    if type(expected) is tuple:
        return f"a tuple of {len(expected)}"
    return describe_type(expected)


def _gap_in_sequence(yours: Any, expected: Any, largest: float, part: str) -> Gap | None:
    if len(yours) != len(expected):
        sentence = f"{part or 'the answer'} holds {len(yours)} things; expected {len(expected)}"
        return Gap(sentence, yours, expected, part)
    gaps = (gap(y, e, largest, f"{part}[{i}]") for i, (y, e) in enumerate(zip(yours, expected, strict=True)))
    return next(filter(None, gaps), None)


def _gap_in_tensor(yours: Tensor, expected: Tensor, largest: float, part: str) -> Gap | None:
    if yours.shape != expected.shape:
        sentence: str | None = f"the shape{_of(part)} is {tuple(yours.shape)}; expected {tuple(expected.shape)}"
    elif yours.dtype != expected.dtype:
        sentence = f"the dtype{_of(part)} is {_short(yours)}; expected {_short(expected)}"
    else:
        sentence = _gap_in_numbers(array(yours), array(expected), _CLOSE.get(str(expected.dtype), 0.0), largest, part)
    return Gap(sentence, yours, expected, part) if sentence else None


def _gap_in_numbers(yours: Any, expected: Any, close: float, largest: float, part: str) -> str | None:
    if not close:  # bool, integers: exactly
        wrong = yours != expected
        count = int(wrong.sum())
        if not count:
            return None
        where = f"differ, the first at {_first(wrong)}" if count > 1 else f"differs, at {_first(wrong)}"
        return f"{count} of {wrong.size} entries{_of(part)} {where}"
    nan = _isnan(yours) & ~_isnan(expected)
    if nan.any():
        return f"{part or 'the answer'} is NaN at {_first(nan)}, where {_at(expected, nan):.4g} is expected"
    finite = _isfinite(expected)
    size = max(1.0, largest, float(_abs(expected[finite]).max(initial=0.0)))
    exact = (yours == expected) | (_isnan(yours) & _isnan(expected))
    with np.errstate(invalid="ignore", over="ignore"):
        off = _where(exact, 0.0, _abs(yours.astype(np.float64) - expected))
    off = _where(_isnan(off), np.inf, off)
    if not (off > close * size).any():
        return None
    worst = off == off.max()
    return f"the largest difference{_of(part)} is {off.max():.4g}, at {_first(worst)}"


def _of(part: str) -> str:
    return f" of {part}" if part else ""


def _short(tensor: Tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")


def _first(mask: Any) -> str:
    return str([int(i) for i in np.argwhere(mask)[0]]) if mask.ndim else "its only entry"


def _at(values: Any, mask: Any) -> float:
    return float(values[mask][0]) + 0.0  # -0 is 0 to a reader
