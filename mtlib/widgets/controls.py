"""What a keyword of `explore` means: the values a control can take and how each is written."""

from dataclasses import dataclass

_DEFAULT_STOPS = 21
_MOST_WHOLE = 40


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
        return [_text(value) for value in self.values]


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
        raise ValueError(f"{name} cannot start at {start[name]!r}: its stops are {', '.join(map(_text, values))}")
    return Field(name, label, kind, values, values.index(start[name]))


def _stops(name, spec):
    if spec is bool or spec == [False, True]:
        return "check", (False, True)
    if isinstance(spec, tuple) and len(spec) in (2, 3) and all(map(_is_number, spec)):
        return "range", _even(name, *spec)
    if isinstance(spec, list) and len(spec) > 1 and len(set(spec)) == len(spec):
        if all(map(_is_number, spec)):
            return "range", tuple(spec)
        if all(isinstance(word, str) for word in spec):
            return "select", tuple(spec)
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
    steps = [round(low + (high - low) * i / (n - 1), 6) for i in range(n)]
    return tuple(map(int, steps)) if whole and all(step == int(step) for step in steps) else tuple(steps)


def _is_number(x):
    return isinstance(x, (int, float)) and not isinstance(x, bool)


def _text(value):
    if isinstance(value, bool):
        return "on" if value else "off"
    return (f"{value:.3g}" if isinstance(value, float) else str(value)).replace("-", "−" if _is_number(value) else "-")
