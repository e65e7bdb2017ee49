"""algebra.turn: the matrix that turns every row of a list of arrows."""

import math

import torch
from torch import Tensor

from mtlib.grading.draw import Draw
from mtlib.grading.exercise import Exercise, Mistake, Property
from mtlib.grading.judge import agree, equals, value_of
from mtlib.grading.subject import Subject


def reference(degrees: float) -> Tensor:
    return by(math.radians(degrees))


def by(a: float) -> Tensor:
    lands = torch.tensor([[math.cos(a), math.sin(a)], [-math.sin(a), math.cos(a)]], dtype=torch.float64)
    return lands.round(decimals=15)  # so that a quarter turn shows 0 and not 6e-17


def quarters(d: Draw) -> dict:
    """Quarter turns, whose entries are 0, 1 and -1."""
    return {"degrees": float(90 * d.whole(0, 4))}


def any_angle(d: Draw) -> dict:
    """Either way round, whole degrees or not, more than once around."""
    return {"degrees": float(d.whole(-720, 720)) + (d.pick(0.0, 0.5, 0.125) if d.rough else 0.0)}


def two_turns(d: Draw) -> dict:
    return {"first": float(d.whole(-180, 180)), "second": float(d.whole(-180, 180))}


def one_after_the_other(case: dict, subject: Subject) -> None:
    """Turning twice is turning by the sum, in either order."""
    first, second = case["first"], case["second"]
    a, b = (value_of(subject.call(angle)) for angle in (first, second))
    agree(a, reference(first), why="the first turn")
    agree(b, reference(second), why="the second turn")
    both = value_of(subject.call(first + second))
    agree(both, a @ b, why="turn(first + second) is not turn(first) @ turn(second)")


EXERCISE = Exercise(
    id="algebra.turn",
    title="A matrix that turns",
    answers=("turn",),
    minutes=10,
    read=("matrix-moves",),
    properties=(
        Property("quarter turns", 2, "row i of the matrix is where unit arrow i lands", quarters, equals(reference), 20),
        Property("any angle", 2, "left for positive degrees, right for negative ones", any_angle, equals(reference), 40),
        Property("one after the other", 1, "two turns in a row are one turn by the sum", two_turns, one_after_the_other, 30),
    ),
    mistakes=(
        Mistake(
            "the matrix for column arrows, `W @ x`: rows, `x @ W`, are turned to the right by it",
            lambda degrees: by(-math.radians(degrees)),
        ),
        Mistake("a turn by so many radians; the angle comes in degrees", by),
        Mistake(
            "a mirror, not a turn: both unit arrows land right, but the second on its wrong side",
            lambda degrees: reference(degrees) * torch.tensor([[1.0], [-1.0]], dtype=torch.float64),
        ),
        Mistake(
            "cosine and sine in each other's places",
            lambda degrees: by(math.pi / 2 - math.radians(degrees)),
        ),
        Mistake("a float32 matrix; it should be float64", lambda degrees: reference(degrees).float()),
        Mistake(
            "the sine twice with the same sign: that stretches along one diagonal and squeezes along the other",
            lambda degrees: torch.stack([reference(degrees)[0], reference(degrees)[0].flip(0)]),
        ),
    ),
    hints=(
        "Do not think of formulas yet. An arrow is a row, and `[1, 0] @ W` is the first row of W. Where does the "
        "arrow [1, 0] stand after the turn? And [0, 1]?",
        "On a circle of radius 1, the point at angle a has the coordinates (cos a, sin a): that is the first row. "
        "The second unit arrow stands a quarter turn further on; the row below is the first one, turned by 90°.",
        "With `a = math.radians(degrees)` the rows are `[cos a, sin a]` and `[-sin a, cos a]`; "
        "`torch.tensor(…, dtype=torch.float64)`.",
    ),
    explanation=(
        "A matrix is known once you know where the unit arrows land: those places are its rows, and every other row is "
        "a mix of them. A turn keeps lengths and angles, so the dot product of two arrows turned alike does not change. "
        "Only a difference of turns, one for queries and another for keys, can change who finds whom."
    ),
    better=(
        "In the plane a complex number does the same: `x * cmath.exp(1j * a)`. Rotary position encoding turns each pair "
        "of a query's and a key's numbers so, by an angle that grows with the position; two multiplications and an "
        "addition a number, and no matrix is ever built."
    ),
)
