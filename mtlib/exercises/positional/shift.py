"""positional.shift: the one matrix that moves every row of the table k places on."""

import torch
from torch import Tensor

from mtlib.grading.draw import Draw
from mtlib.grading.exercise import Exercise, Mistake, Property
from mtlib.grading.judge import Wrong, agree, agree_in_form, equals, refuses, value_of
from mtlib.grading.subject import Subject

from .waves import even, frequencies, table


def reference(k: int, d_model: int, base: float = 10_000.0) -> Tensor:
    return variant()(k, d_model, base)


def turned(k: int, d_model: int, base: float) -> Tensor:
    return k * frequencies(d_model, base)


def block(a: Tensor) -> Tensor:
    """What moves (sin x, cos x), a column, to (sin(x + a), cos(x + a))."""
    return torch.stack([torch.stack([a.cos(), a.sin()]), torch.stack([-a.sin(), a.cos()])])


def in_pairs(angles: Tensor, one=block) -> Tensor:
    return torch.block_diag(*[one(a) for a in angles])


def variant(angles=turned, fill=in_pairs):
    """The matrix with a step changed: the angles, or how they fill it."""

    def shift_matrix(k: int, d_model: int, base: float = 10_000.0) -> Tensor:
        even(d_model)
        return fill(angles(k, d_model, base))

    return shift_matrix


def _width(d: Draw) -> int:
    return 2 * d.size(high=3, rough=10)


def forward(d: Draw) -> dict:
    """Moves to the right; the default base is not even passed."""
    return {"k": d.whole(1, 9), "d_model": _width(d)}


def either_way(d: Draw) -> dict:
    """Back, nowhere, and far."""
    return {"k": d.pick(0, -1, -2, -7, 100, -1000), "d_model": _width(d), "base": d.pick(10_000.0, 100.0, 7.0)}


def rows(d: Draw) -> dict:
    return either_way(d) | {"p": d.whole(0, 50)}


def two_moves(d: Draw) -> dict:
    return {"a": d.whole(-9, 9), "b": d.whole(-9, 9), "d_model": _width(d), "base": d.pick(10_000.0, 100.0)}


def odd(d: Draw) -> dict:
    return {"k": d.whole(-3, 3), "d_model": 2 * d.size(high=4) - 1}


def moves_the_table(case: dict, subject: Subject) -> None:
    k, d_model, base, p = case.values()
    waves = table(p + abs(k) + 1, d_model, base)
    here, there = (p, p + k) if k >= 0 else (p + abs(k), p)
    R = value_of(subject.call(k, d_model, base))
    agree_in_form(R, reference(k, d_model, base))
    agree(R @ waves[here], waves[there], 10.0, why=f"R @ table[{here}] should be table[{there}]")


def adds_up(case: dict, subject: Subject) -> None:
    """R(a) R(b) = R(a + b), and each is orthogonal: its transpose undoes it."""
    a, b, d_model, base = case.values()
    one, two, both = (value_of(subject.call(k, d_model, base)) for k in (a, b, a + b))
    for R in (one, two, both):
        agree_in_form(R, reference(a, d_model, base))
    if (one @ one.T - torch.eye(d_model, dtype=one.dtype)).abs().max() > 1e-9:
        raise Wrong(f"R({a}) is not orthogonal: R @ R.T should be the identity", one @ one.T, torch.eye(d_model).double())
    agree(one @ two, both, 10.0, why=f"R({a}) @ R({b}) is not R({a + b})")


def _halves(angles: Tensor) -> Tensor:
    cos, sin = angles.cos().diag(), angles.sin().diag()
    return torch.cat([torch.cat([cos, sin], dim=1), torch.cat([-sin, cos], dim=1)])


def _takes_odd(k: int, d_model: int, base: float = 10_000.0) -> Tensor:
    return in_pairs(turned(k, d_model, base))[:d_model, :d_model]


def _mirror(a: Tensor) -> Tensor:
    return torch.stack([torch.stack([a.cos(), a.sin()]), torch.stack([a.sin(), -a.cos()])])


EXERCISE = Exercise(
    id="positional.shift",
    title="Three places on",
    answers=("shift_matrix",),
    minutes=20,
    read=("q-relative-offset",),
    properties=(
        Property("values", 2, "a turn by k times its frequency in each pair of columns", forward, equals(reference, lambda **_: 10.0)),
        Property("any offset", 2, "k may be 0 or negative, and `base` counts", either_way, equals(reference, lambda **_: 10.0)),
        Property("moves the table", 2, "R @ table[p] is table[p + k], the same R for every p", rows, moves_the_table),
        Property("adds up", 2, "R(a) @ R(b) is R(a + b), and R.T undoes R", two_moves, adds_up, 40),
        Property("refusal", 1, "a ValueError for an odd d_model", odd, refuses, 20),
    ),
    mistakes=(
        Mistake("the matrix that moves k places back: it is the transpose of the one that is asked for, R for columns, `R @ row`",
                lambda *case: reference(*case).T),
        Mistake("a turn by |k|: three before and three after become the same", lambda k, *rest: reference(abs(k), *rest)),
        Mistake("one angle for all pairs: each has a frequency of its own",
                variant(angles=lambda k, D, base: torch.full((D // 2,), float(k), dtype=torch.float64))),
        Mistake("frequencies of a base of 10,000, whatever `base` says",
                variant(angles=lambda k, D, base: turned(k, D, 10_000.0))),
        Mistake("sines in one half and cosines in the other; a pair stands side by side in the table", variant(fill=_halves)),
        Mistake("a mirror in each pair, not a turn: done twice, it is the identity",
                variant(fill=lambda angles: in_pairs(angles, _mirror))),
        Mistake("the exponent i/d_model, where it must be 2i/d_model",
                variant(angles=lambda k, D, base: k * frequencies(D, base).sqrt())),
        Mistake("a float32 matrix; it should be float64", lambda *case: reference(*case).float()),
        Mistake("the right matrix where d_model is even, and no ValueError where it is odd", _takes_odd),
    ),
    hints=(
        "Take d_model = 2 first, and one pair (sin x, cos x). Which 2 × 2 matrix makes (sin(x + a), cos(x + a)) of it? The "
        "formulas for the sine and cosine of a sum are all it takes.",
        "sin(x + a) = cos a · sin x + sin a · cos x: that is the first row, read off. Each pair has its own a, k times its "
        "frequency, and pairs do not mix: the matrix is blocks of 2 × 2 along the diagonal.",
        "`torch.block_diag(*blocks)` lays them out; a block is `[[cos a, sin a], [-sin a, cos a]]` with `a = k * base ** "
        "(-2 * i / d_model)`. Watch that everything is float64.",
    ),
    explanation=(
        "p does not occur in it, which is the point: one fixed linear map does \"three places on\" everywhere, so a head can "
        "learn it once. It turns every hand and stretches none, so R(k)ᵀR(k) is the identity, and a row times its own moved copy "
        "depends on k alone. On |k|, in fact: see what the chapter makes of that."
    ),
    better=(
        "Nobody builds this matrix. Rotary encoding applies the same turns to pairs of a query's numbers with two products and a "
        "sum, d_model multiplications in place of d_model². As complex numbers it is one line: `hand * torch.exp(1j * k * freq)`."
    ),
)
