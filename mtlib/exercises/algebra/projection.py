"""algebra.projection: the part of a vector that a few directions can see."""

import torch
from torch import Tensor

from mtlib.grading.draw import Draw
from mtlib.grading.exercise import Exercise, Mistake, Property
from mtlib.grading.judge import agree, equals, leaves_inputs, value_of
from mtlib.grading.subject import Subject


def reference(x: Tensor, basis: Tensor) -> Tensor:
    q, _ = torch.linalg.qr(basis)
    return (x @ q @ q.mT).round(decimals=13)  # so that a counterexample shows 0 and not -2e-16


def largest(x: Tensor, basis: Tensor) -> float:
    """A hundred times the usual: with a condition number of up to 1e3, 1e-8 is what honest ways differ by."""
    return 100 * max(1.0, float(x.abs().max()))


def slanted(d: Draw, D: int, R: int) -> Tensor:
    """R columns of length D that span R dimensions, at no right angles to speak of."""
    if not d.rough:
        lower = torch.eye(D, R, dtype=torch.float64) + d.floats(D, R, dtype=torch.float64, high=2).tril(-1)
        return lower * (1 + d.integers(R, high=2))
    generator = d.generator()
    turn, _ = torch.linalg.qr(torch.randn(D, R, generator=generator, dtype=torch.float64))
    mix, _ = torch.linalg.qr(torch.randn(R, R, generator=generator, dtype=torch.float64))
    return turn * torch.logspace(-1, d.whole(-1, 1), R, dtype=torch.float64) @ mix  # condition number at most 100


def _case(d: Draw, D: int, R: int, lead: tuple[int, ...] = ()) -> dict:
    return {"x": d.floats(*lead, D, dtype=torch.float64), "basis": slanted(d, D, R)}


def one_direction(d: Draw) -> dict:
    return _case(d, d.size(low=2), 1)


def several(d: Draw) -> dict:
    """Fewer directions than dimensions, and more than one."""
    D = d.size(low=3)
    return _case(d, D, d.whole(2, D - 1))


def stack(d: Draw) -> dict:
    D = d.size(low=2)
    return _case(d, D, d.whole(1, D), lead=d.lead(3))


def everything(d: Draw) -> dict:
    D = d.size()
    return _case(d, D, D, lead=d.lead(1))


def again(case: dict, subject: Subject) -> None:
    """What is projected already stays; what is left over has nothing along the basis."""
    x, basis = case["x"], case["basis"]
    size = largest(x, basis)
    once = value_of(subject.call(x, basis))
    agree(once, reference(x, basis), size)
    agree(value_of(subject.call(once, basis)), once, size, why="projected a second time")
    agree(value_of(subject.call(x - once, basis)), torch.zeros_like(x), size, why="the leftover x - projection, projected")


def _through(x: Tensor, basis: Tensor, gram: Tensor) -> Tensor:
    return x @ basis @ torch.linalg.inv(gram) @ basis.mT


def _unit(basis: Tensor) -> Tensor:
    return basis / basis.norm(dim=0)


def _in_place(x: Tensor, basis: Tensor) -> Tensor:
    return x.copy_(reference(x, basis))


EXERCISE = Exercise(
    id="algebra.projection",
    title="What a few directions see",
    answers=("project_onto",),
    minutes=20,
    read=("projection",),
    properties=(
        Property("one direction", 2, "the foot of x on a line", one_direction, equals(reference, largest), 40),
        Property("several", 3, "directions of any length, at any angle to each other", several, equals(reference, largest)),
        Property("leading axes", 2, "any axes before the last pass through", stack, equals(reference, largest)),
        Property("the whole space", 1, "as many directions as dimensions: x itself", everything, equals(reference, largest), 30),
        Property("twice is once", 1, "a second time changes nothing, and the leftover has no part", stack, again, 30),
        Property("inputs unchanged", 1, "x and basis are afterwards what they were", stack, leaves_inputs(reference), 20),
    ),
    mistakes=(
        Mistake(
            "x B Bᵀ: that is the projection only when the columns have length 1 and stand at right angles",
            lambda x, basis: x @ basis @ basis.mT,
        ),
        Mistake(
            "each column for itself, and the feet added up: what two slanted columns share is counted twice",
            lambda x, basis: x @ _unit(basis) @ _unit(basis).mT,
        ),
        Mistake("x B, which has R numbers and not D: how much of each column is in x, not where the foot is", torch.matmul),
        Mistake(
            "the coordinates of the foot along the columns, R numbers; the foot itself has D",
            lambda x, basis: x @ torch.linalg.pinv(basis).mT,
        ),
        Mistake("the leftover, x less its projection", lambda x, basis: x - reference(x, basis)),
        Mistake(
            "a division by the length of the direction, where its square is needed",
            lambda x, basis: x @ basis @ basis.mT / basis.norm(),
        ),
        Mistake(
            "P x, with the matrix on the left: right for a single vector, but a stack has its vectors in rows",
            lambda x, basis: basis @ torch.linalg.inv(basis.T @ basis) @ basis.T @ x,
            raises="RuntimeError",
        ),
        Mistake("a projection onto the first column only", lambda x, basis: reference(x, basis[:, :1])),
        Mistake(
            "a small number added to BᵀB before it is inverted: nothing here needs it, and the foot is off by it",
            lambda x, basis: _through(x, basis, basis.mT @ basis + 1e-6 * torch.eye(basis.shape[1], dtype=basis.dtype)),
        ),
        Mistake("arithmetic in float32: seven digits, where fifteen came in", lambda x, b: reference(x.float(), b.float()).double()),
        Mistake("a projection in place, so that the caller's x is gone", _in_place),
    ),
    hints=(
        "Take one direction b first. How far along b does x reach? That number times b is the foot; check that x less "
        "the foot stands at a right angle to b when b is not of length 1.",
        "With several slanted columns, x Bᵀ-style bookkeeping counts shared parts twice; BᵀB says how much is shared. "
        "Undo it between reading and writing, or make the columns orthonormal before you begin.",
        "`torch.linalg.qr(basis)` gives orthonormal columns Q with the same span; then `x @ Q @ Q.T`. Or in one "
        "formula: `x @ basis @ torch.linalg.inv(basis.T @ basis) @ basis.T`.",
    ),
    explanation=(
        "Read, then write: x Q says how much of each direction is in x, and Qᵀ puts that much of each back. In between "
        "nothing has to be repaired, because orthonormal columns share nothing. Doing it twice changes nothing; that "
        "is what makes it a projection, and what `x @ W_Q` is not: it reads, and never writes back."
    ),
    better=(
        "`torch.linalg.lstsq(basis, x.T).solution` finds the coordinates without forming BᵀB, whose condition number is "
        "that of the basis squared: with nearly parallel columns that is the difference between seven right digits and none."
    ),
)
