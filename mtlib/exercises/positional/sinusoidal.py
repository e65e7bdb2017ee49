"""positional.sinusoidal: the table of waves, for any length and any base."""

import torch
from torch import Tensor

from mtlib.grading.draw import Draw
from mtlib.grading.exercise import Exercise, Mistake, Property
from mtlib.grading.judge import equals, refuses

from .waves import even, frequencies, interleaved, table

LONG = 100_000


def reference(T: int, d_model: int, base: float = 10_000.0) -> Tensor:
    return table(T, d_model, base)


def size(T: int, *_, **__) -> float:
    """An angle of 100,000 is known to 1e-11 only, so rounding grows with T."""
    return T / 100


def variant(rates=frequencies, lay=interleaved, first: int = 0, step: float = 1.0):
    """The table with a step changed: the frequencies, where sines and cosines go, where positions begin."""

    def sinusoidal(T: int, d_model: int, base: float = 10_000.0) -> Tensor:
        even(d_model)
        positions = torch.arange(first, first + T, dtype=torch.float64)
        angles = step * positions[:, None] * rates(d_model, base)
        return lay(angles.sin(), angles.cos())

    return sinusoidal


def small(d: Draw) -> dict:
    """The default base is not even passed."""
    return {"T": d.size(high=5), "d_model": 2 * d.size(high=3, rough=32)}


def any_base(d: Draw) -> dict:
    return small(d) | {"base": d.pick(100.0, 10.0, 2.0, 500_000.0)}


def far(d: Draw) -> dict:
    return {"T": d.pick(LONG, LONG - 1), "d_model": 2 * d.whole(1, 2)}


def odd(d: Draw) -> dict:
    return {"T": d.size(high=4), "d_model": 2 * d.size(high=4) - 1}


def halves(sines: Tensor, cosines: Tensor) -> Tensor:
    return torch.cat([sines, cosines], dim=-1)


def _every_column_its_own(T: int, d_model: int, base: float = 10_000.0) -> Tensor:
    even(d_model)
    angles = torch.arange(T, dtype=torch.float64)[:, None] * base ** (-torch.arange(d_model, dtype=torch.float64) / d_model)
    return interleaved(angles[:, 0::2].sin(), angles[:, 1::2].cos())


def _in_float32(T: int, d_model: int, base: float = 10_000.0) -> Tensor:
    even(d_model)
    angles = torch.arange(T, dtype=torch.float32)[:, None] * frequencies(d_model, base).float()
    return interleaved(angles.sin(), angles.cos()).double()


def _takes_odd(T: int, d_model: int, base: float = 10_000.0) -> Tensor:
    angles = torch.arange(T, dtype=torch.float64)[:, None] * frequencies(d_model, base)
    return interleaved(angles.sin(), angles.cos())[:, :d_model]


EXERCISE = Exercise(
    id="positional.sinusoidal",
    title="A table of waves",
    answers=("sinusoidal",),
    minutes=15,
    read=("waves-by-hand", "q-sincos-depth"),
    properties=(
        Property("values", 3, "row p holds sin and cos of p times each frequency, side by side", small, equals(reference, size)),
        Property("base", 2, "the lowest frequency follows `base`", any_base, equals(reference, size)),
        Property("far away", 2, "a table of 100,000 rows is as exact as float64 allows", far, equals(reference, size), 4),
        Property("refusal", 1, "a ValueError for an odd d_model", odd, refuses, 20),
    ),
    mistakes=(
        Mistake("all sines first and then all cosines; a pair stands side by side here", variant(lay=halves)),
        Mistake("sine and cosine in each other's columns", variant(lay=lambda s, c: interleaved(c, s))),
        Mistake("positions counted from 1; row 0 is position 0", variant(first=1)),
        Mistake("a frequency of its own for every column: sin and cos of a pair must share one", _every_column_its_own),
        Mistake("frequencies that rise: base to the power +2i/d_model, where it must be −2i/d_model",
                variant(rates=lambda D, base: 1 / frequencies(D, base))),
        Mistake("the exponent i/d_model, where it must be 2i/d_model: the slowest wave is a hundred times too fast",
                variant(rates=lambda D, base: frequencies(D, base).sqrt())),
        Mistake("the 2 of 2i counted twice: the arange already goes in twos",
                variant(rates=lambda D, base: frequencies(D, base) ** 2)),
        Mistake("a base of 10,000, whatever `base` says", variant(rates=lambda D, base: frequencies(D, 10_000.0))),
        Mistake("frequencies in turns, with 2π in every angle; here they are in radians", variant(step=2 * torch.pi)),
        Mistake("angles worked out in float32 and widened afterwards: what was lost does not come back", _in_float32),
        Mistake("a float32 table; it should be float64", lambda *case: reference(*case).float()),
        Mistake("the shape (T, 1, d_model), which is for models that put the sequence before the batch",
                lambda *case: reference(*case)[:, None]),
        Mistake("the right table where d_model is even, and no ValueError where it is odd", _takes_odd),
    ),
    hints=(
        "Write the angles first, one for every position and every pair of columns: a (T, d_model/2) table. Sines and cosines "
        "of the same angles then have to be laid side by side.",
        "Pair i turns by base^(−2i/d_model) a step, and `torch.arange(0, d_model, 2)` is already 2i. Everything in float64. A "
        "column of positions times a row of frequencies broadcasts to the table of angles.",
        "Fill `out = torch.empty(T, d_model, dtype=torch.float64)` by `out[:, 0::2] = angles.sin()` and `out[:, 1::2] = "
        "angles.cos()`. Before anything else, refuse an odd d_model.",
    ),
    explanation=(
        "Every pair is a clock hand: (sin, cos) of one angle is a point on a circle, and the next row is the same point turned a "
        "little. The first hand turns by one radian a step, the last nearly ten thousand times slower, so no two rows within "
        "reach are alike, and none was learned."
    ),
    better=(
        "`torch.polar(torch.ones_like(angles), angles)` keeps a hand as one complex number, and `torch.view_as_real` lays the "
        "two parts side by side (cos first, though). Models compute the table once in float64 and round it to their own dtype: "
        "in bfloat16 the position itself would be rounded from 257 on."
    ),
)
