"""positional.rotary: turn each pair of numbers by an angle that grows with the position."""

import torch
from torch import Tensor

from mtlib.grading.draw import Draw
from mtlib.grading.exercise import Exercise, Mistake, Property
from mtlib.grading.judge import agree, agree_in_form, equals, leaves_inputs, refuses, value_of
from mtlib.grading.subject import Subject

from .waves import even, frequencies


def reference(x: Tensor, positions: Tensor, base: float = 10_000.0) -> Tensor:
    return variant()(x, positions, base)


def turn(x0: Tensor, x1: Tensor, a: Tensor) -> tuple[Tensor, Tensor]:
    return x0 * a.cos() - x1 * a.sin(), x0 * a.sin() + x1 * a.cos()


def neighbours(x: Tensor, moved) -> Tensor:
    """Pairs are columns (2i, 2i+1)."""
    return torch.stack(moved(x[..., 0::2], x[..., 1::2]), dim=-1).flatten(-2)


def halves(x: Tensor, moved) -> Tensor:
    return torch.cat(moved(*x.chunk(2, dim=-1)), dim=-1)


def variant(turn=turn, rates=frequencies, pairs=neighbours, at=lambda positions: positions, inner=torch.float64):
    """Rotary with a step changed: the turn, the frequencies, which columns are a pair, where the rows stand."""

    def rotary(x: Tensor, positions: Tensor, base: float = 10_000.0) -> Tensor:
        even(x.shape[-1])
        angles = at(positions).to(inner)[:, None] * rates(x.shape[-1], base).to(inner)
        return pairs(x.to(inner), lambda x0, x1: turn(x0, x1, angles)).to(x.dtype)

    return rotary


def size(x: Tensor, positions: Tensor, *_, **__) -> float:
    """An angle is known to so many digits only: rounding grows with the position."""
    return float(x.abs().max()) * max(1.0, positions.abs().max().item() / 20)


def _case(d: Draw, lead: tuple[int, ...] = (), T: int | None = None, dtype=torch.float64, furthest: int = 20) -> dict:
    T = d.size() if T is None else T
    E = 2 * d.size(high=3, rough=16)
    return {"x": d.floats(*lead, T, E, dtype=dtype), "positions": d.integers(T, high=furthest)}


def one_head(d: Draw) -> dict:
    """A few rows, at any places, in any order; the default base is not passed."""
    return _case(d)


def any_shape(d: Draw) -> dict:
    """Leading axes, and float32 as well, whose angles are small enough for it."""
    return _case(d, d.lead(3), dtype=d.pick(torch.float32, torch.float64))


def any_base(d: Draw) -> dict:
    return _case(d, d.lead(1)) | {"base": d.pick(100.0, 10.0, 500_000.0)}


def far(d: Draw) -> dict:
    """Places in the tens of thousands."""
    case = _case(d, d.lead(1), furthest=9)
    return case | {"positions": case["positions"] * 7_919 + d.whole(0, 1000)}


def two_places(d: Draw) -> dict:
    """Two rows, and the same two so many places further on."""
    return _case(d, T=2) | {"by": d.whole(1, 40)}


def odd(d: Draw) -> dict:
    T = d.size()
    return {"x": d.floats(T, 2 * d.size() - 1), "positions": d.integers(T, high=9)}


def offset_alone_counts(case: dict, subject: Subject) -> None:
    x, positions, by = case.values()
    before, after = (value_of(subject.call(x, at)) for at in (positions, positions + by))
    for turned in (before, after):
        agree_in_form(turned, x)
    agree(before.norm(dim=-1), x.norm(dim=-1), size(x, positions), why="the length of a row")
    scores = [turned[0] @ turned[1] for turned in (before, after)]
    agree(scores[1], scores[0], size(x, positions) ** 2 * x.shape[-1], why=f"the score of the two rows, {by} places further on")
    agree(before, reference(x, positions), size(x, positions))


def _mirror(x0: Tensor, x1: Tensor, a: Tensor) -> tuple[Tensor, Tensor]:
    return x0 * a.cos() - x1 * a.sin(), x0 * a.sin() - x1 * a.cos()


def _in_place(x: Tensor, positions: Tensor, base: float = 10_000.0) -> Tensor:
    x.copy_(reference(x, positions, base))
    return x


def _takes_odd(x: Tensor, positions: Tensor, base: float = 10_000.0) -> Tensor:
    padded = torch.cat([x, x[..., :1]], dim=-1) if x.shape[-1] % 2 else x
    return reference(padded, positions, base)[..., : x.shape[-1]]


EXERCISE = Exercise(
    id="positional.rotary",
    title="Turn queries and keys",
    answers=("rotary",),
    minutes=25,
    read=("rotary",),
    properties=(
        Property("values", 3, "each pair of columns turned by its position times its frequency", one_head, equals(reference, size)),
        Property("any shape", 2, "any leading axes; the dtype of x comes back", any_shape, equals(reference, size)),
        Property("base", 1, "the frequencies follow `base`", any_base, equals(reference, size), 40),
        Property("far away", 2, "places of tens of thousands, as exact as float64 allows", far, equals(reference, size), 40),
        Property("offset alone", 2, "lengths are kept, and a score depends on how far apart two rows stand", two_places, offset_alone_counts),
        Property("refusal", 1, "a ValueError for an odd number of columns", odd, refuses, 20),
        Property("inputs unchanged", 1, "x is afterwards what it was", one_head, leaves_inputs(reference), 20),
    ),
    mistakes=(
        Mistake("a turn the other way round: scores stay as good, but weights trained with one cannot be used with the other",
                variant(turn=lambda x0, x1, a: turn(x0, x1, -a))),
        Mistake("pairs (i, i + E/2), as Llama's code has them; here they are neighbours, (2i, 2i + 1)", variant(pairs=halves)),
        Mistake("places 0, 1, 2, … taken for granted; they stand in `positions`",
                variant(at=lambda positions: torch.arange(len(positions)))),
        Mistake("frequencies of a base of 10,000, whatever `base` says", variant(rates=lambda E, base: frequencies(E, 10_000.0))),
        Mistake("the exponent −i/E, where it must be −2i/E", variant(rates=lambda E, base: frequencies(E, base).sqrt())),
        Mistake("one frequency for all pairs", variant(rates=lambda E, base: torch.ones(E // 2, dtype=torch.float64))),
        Mistake("a mirror, not a turn: a sign is wrong in the second column of each pair", variant(turn=_mirror)),
        Mistake("every number times the cosine alone: the sine's part is missing, and lengths shrink",
                variant(turn=lambda x0, x1, a: (x0 * a.cos(), x1 * a.cos()))),
        Mistake("waves added to x; rotary turns x and adds nothing",
                variant(turn=lambda x0, x1, a: (x0 + a.sin(), x1 + a.cos()))),
        Mistake("angles worked out in float32, though x is float64", variant(inner=torch.float32)),
        Mistake("a float64 answer, whatever x is", lambda x, *rest: reference(x.double(), *rest)),
        Mistake("the turn done in place, so that the caller's x is changed", _in_place),
        Mistake("the right turn where E is even, and no ValueError where it is odd", _takes_odd),
    ),
    hints=(
        "Forget the model for a moment: one row, two columns. It is a point in the plane, and its place says by what angle to "
        "turn it. Then every pair of columns, each with its own frequency.",
        "The angles are a (T, E/2) table, `positions[:, None] * frequencies`. `x[..., 0::2]` and `x[..., 1::2]` are the first "
        "and second of every pair, (…, T, E/2) each: the angles broadcast against them.",
        "With `x0, x1 = x[..., 0::2], x[..., 1::2]` the answer is `torch.stack([x0 * cos - x1 * sin, x0 * sin + x1 * cos], "
        "dim=-1).flatten(-2)`, where cos and sin were computed in float64 and brought to x's dtype.",
    ),
    explanation=(
        "A query turned by its place and a key turned by its own meet in a dot product, and there the two turns leave one by the "
        "difference. So a score knows the offset, with its sign, and nothing of where in the text the two stand; and nothing was "
        "added to the words, whose lengths are as before."
    ),
    better=(
        "As complex numbers it is one product: `torch.view_as_complex(x.unflatten(-1, (-1, 2))) * torch.polar(ones, angles)`. "
        "Models keep cos and sin of all places in a table and write x·cos + quarter(x)·sin, which fused kernels like."
    ),
)
