"""What a keyword of `explore` means: the values a control can take and how each is written."""

import math
from dataclasses import dataclass

_DEFAULT_STOPS = 21
_MOST_WHOLE = 40
_DIGITS = 12  # significant ones of a computed stop: fewer than a float's, so that 0.30000000000000004 is 0.3
_SHOWN = 3  # significant digits a reader sees, more where stops would read alike


@dataclass(frozen=True)
class Field:
    """One control. `kind` is "range", "select" or "check"; `at` is the index of the first value."""

    name: str
    label: str
    kind: str
    values: tuple
    at: int

    @property
    def texts(self) -> list[str]:
        """The values as a reader reads them."""
        return _texts(self.values)


def read_controls(controls: dict, start: dict, labels: dict) -> list[Field]:
    """Fields in the order of the keywords.

    Raises:
        ValueError: when a control cannot be read, or `start` or `labels` do not fit.
    """
    if not controls:
        raise ValueError("no control: give explore a keyword such as temperature=(0.1, 3.0)")
    for what, given in (("start", start), ("labels", labels)):
        if unknown := set(given) - set(controls):
            raise ValueError(f"{what} names {sorted(unknown)}, but the controls are {list(controls)}")
    return [_field(name, spec, start, labels.get(name, name.replace("_", " "))) for name, spec in controls.items()]


def _field(name, spec, start, label):
    kind, values = _stops(name, spec)
    if name not in start:
        return Field(name, label, kind, values, len(values) // 2 if kind == "range" else 0)
    if start[name] not in values:
        raise ValueError(f"{name} cannot start at {start[name]!r}: its stops are {', '.join(_texts(values))}")
    return Field(name, label, kind, values, values.index(start[name]))


def _stops(name, spec):
    # By what the items are: [0, 1] == [False, True], and means two numbers.
    if spec is bool or (isinstance(spec, list) and len(spec) == 2 and spec[0] is False and spec[1] is True):
        return "check", (False, True)
    if isinstance(spec, tuple) and len(spec) in (2, 3) and all(map(_is_number, spec)):
        return "range", _even(name, *spec)
    if isinstance(spec, list) and len(spec) > 1:
        for kind, fits in (("range", _is_number), ("select", lambda word: isinstance(word, str))):
            if all(map(fits, spec)) and len(set(spec)) == len(spec):
                return kind, tuple(spec)
    raise ValueError(
        f"cannot make a control of {name}={spec!r}: give (low, high), (low, high, stops), "
        "a list of at least two different numbers or words, or bool"
    )


def _even(name, low, high, n=None):
    whole = isinstance(low, int) and isinstance(high, int)
    if n is None:
        n = high - low + 1 if whole and high - low < _MOST_WHOLE else _DEFAULT_STOPS
    if not (low < high and isinstance(n, int) and n > 1):
        raise ValueError(f"{name}=({low}, {high}, {n}) is no slider: low < high and at least two stops")
    if whole and (high - low) % (n - 1) == 0:
        return tuple(range(low, high + 1, (high - low) // (n - 1)))
    places = _DIGITS - 1 - math.floor(math.log10(max(abs(low), abs(high))))
    inner = (round(low + (high - low) * i / (n - 1), places) for i in range(1, n - 1))
    stops = (float(low), *inner, float(high))
    if any(a >= b for a, b in zip(stops, stops[1:])):
        raise ValueError(f"{name}=({low}, {high}, {n}) is no slider: its ends are too close for {n} different stops")
    return stops


def _is_number(x):
    return isinstance(x, (int, float)) and not isinstance(x, bool) and math.isfinite(x)


def _texts(values):
    """Words as they are; numbers with the fewest digits that tell all of them apart, three at least."""
    if isinstance(values[0], bool):
        return ["on" if value else "off" for value in values]
    if isinstance(values[0], str):
        return list(values)
    for digits in range(_SHOWN, 18):  # 17 tell any two floats apart
        texts = [_number(value, digits) for value in values]
        if len(set(texts)) == len(texts):
            break
    return texts


def _number(x, digits):
    """`x` to so many significant digits, a plain decimal within 1e-4 … 1e5, with a true minus."""
    mantissa, exponent = f"{x:.{digits - 1}e}".split("e")
    if isinstance(x, int):
        text = str(x)
    elif x == 0 or 1e-4 <= abs(x) <= 1e5:
        text = _short(f"{x:.{max(digits - 1 - int(exponent), 0)}f}")
    else:
        text = f"{_short(mantissa)}e{int(exponent)}"
    return text.replace("-", "−")


def _short(decimal):
    return decimal.rstrip("0").rstrip(".") if "." in decimal else decimal
