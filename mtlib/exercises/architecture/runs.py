"""Pairs of lists of losses: their differences, how far those stray, and the cases to compare."""

import math

from mtlib.grading.draw import Draw

Losses = list[float]


def differences(a: Losses, b: Losses) -> Losses:
    return [x - y for x, y in zip(a, b, strict=True)]


def spread(d: Losses, fewer: int = 1) -> float:
    """The standard deviation, of n - `fewer` freedoms."""
    mean = sum(d) / len(d)
    return math.sqrt(sum((x - mean) ** 2 for x in d) / (len(d) - fewer))


def standard_error(d: Losses) -> float:
    return spread(d) / math.sqrt(len(d))


def _losses(d: Draw, count: int, high: int = 16) -> Losses:
    """Quarters, which are exact in any float."""
    return [d.whole(1, high) / 4 for _ in range(count)]


def _clear(a: Losses, b: Losses) -> dict:
    """The same, moved until the mean is clear of two standard errors."""
    a = list(a)
    while abs(abs(sum(d := differences(a, b)) / len(d)) - 2 * standard_error(d)) < 1e-3 and len(set(d)) > 1:
        a[0] += 0.5
    return {"a": a, "b": b}


def any_runs(d: Draw) -> dict:
    """Two lists that have nothing to do with each other."""
    n = d.size(low=2, high=4)
    return _clear(_losses(d, n), _losses(d, n))


def close_calls(d: Draw) -> dict:
    """A mean of so many standard errors, on either side of two."""
    if not d.rough:
        n = d.whole(2, 4)
        b = [2 + y for y in _losses(d, n)]
        return _clear([y + d.whole(-6, 6) / 4 for y in b], b)
    n = d.whole(2, 12)
    z, b = (d.floats(n).double().tolist() for _ in range(2))
    middle, se = sum(z) / n, standard_error(z)
    wanted = d.pick(0.3, 1.3, 1.7, 2.3, 2.7, 5.0) * se * d.pick(1, -1)
    b = [3 + y / 4 for y in b]
    return _clear([y + (x - middle + wanted) / 10 for x, y in zip(z, b, strict=True)], b)


def same_side(d: Draw) -> dict:
    """Seeds that lie far apart, and a small difference that has one sign in all of them."""
    n, sign = d.size(low=2, high=4), d.pick(1, -1)
    b = [4 + y for y in _losses(d, n, 80)]
    return _clear([y + sign * d.whole(1, 2) / 4 for y in b], b)


def one_difference(d: Draw) -> dict:
    """The same difference in every seed: a standard error of 0."""
    n, by = d.size(low=2, high=4), d.pick(0.25, -0.25, 0.5, -1.0)
    b = [1 + y for y in _losses(d, n)]
    return {"a": [y + by for y in b], "b": b}


def nothing_changed(d: Draw) -> dict:
    a = _losses(d, d.size(low=2, high=4))
    return {"a": a, "b": list(a)}
