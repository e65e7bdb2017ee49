"""training.clip: one length for all gradients together, and a limit to it."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from mtlib.grading.compare import gap
from mtlib.grading.draw import DTYPES, Draw
from mtlib.grading.exercise import Exercise, Mistake, Property
from mtlib.grading.judge import Wrong, agree, value_of
from mtlib.grading.subject import Subject

from ..statistics.dot_variance import number

Grads = list[Tensor | None]


def reference(grads: Grads, max_norm: float) -> tuple[Grads, float]:
    return variant()(grads, max_norm)


def length(grads: list[Tensor]) -> float:
    return math.sqrt(sum(float(g.double().square().sum()) for g in grads))


def at_most(norm: float, max_norm: float) -> float:
    return 1.0 if norm <= max_norm else max_norm / norm


def nothing(grad: None) -> None:
    return None


def before(norm: float, factor: float) -> float:
    return norm


def variant(
    size: Callable = length, factor: Callable = at_most, missing: Callable = nothing, told: Callable = before, scaled: Callable = torch.mul
) -> Callable:
    """Clipping with a step changed."""

    def clip_gradients(grads: Grads, max_norm: float) -> tuple[Grads, float]:
        norm = size([g for g in grads if g is not None])
        by = factor(norm, max_norm)
        return [missing(g) if g is None else scaled(g, by) for g in grads], told(norm, by)

    return clip_gradients


def _grads(d: Draw, low: int = 2) -> Grads:
    """Of several parameters, each with a shape of its own; not all of them zero."""
    dtype = d.pick(*DTYPES)
    grads = [d.floats(*d.lead(1), d.size(rough=6), dtype=dtype) for _ in range(d.whole(low, 4))]
    grads[-1][(0,) * grads[-1].ndim] = 2.0
    return grads


def too_long(d: Draw) -> dict:
    """Longer than max_norm."""
    grads = _grads(d)
    return {"grads": grads, "max_norm": length(grads) * d.pick(0.5, 0.1, 0.9)}


def short_enough(d: Draw) -> dict:
    """3, 4 and their length 5; or anything, and a limit that is not reached."""
    if d.flag():
        grads = _grads(d)
        return {"grads": grads, "max_norm": length(grads) * d.pick(2.0, 1.1, 100.0)}
    dtype = d.pick(*DTYPES)
    return {"grads": [torch.tensor([3.0], dtype=dtype), torch.tensor([4.0], dtype=dtype)], "max_norm": d.pick(5.0, 6.0)}


def some_missing(d: Draw) -> dict:
    """Parameters that took no part have None."""
    case = too_long(d)
    grads: Grads = case["grads"]
    grads.insert(d.whole(0, len(grads)), None)
    if d.flag():
        grads.insert(d.whole(0, len(grads)), None)
    return case


def all_zero(d: Draw) -> dict:
    dtype = d.pick(*DTYPES)
    zeros = [torch.zeros(d.size(), dtype=dtype) for _ in range(d.whole(1, 3))]
    return {"grads": zeros, "max_norm": d.pick(1.0, 0.5)}


def none_at_all(d: Draw) -> dict:
    return {"grads": [None] * d.whole(0, 3), "max_norm": d.pick(1.0, 0.5)}


def clips(case: dict, subject: Subject) -> None:
    grads, norm = reference(**case)
    reply = value_of(subject.call(*case.values()))
    if type(reply) is not tuple or len(reply) != 2:
        agree(reply, (grads, norm), names=("gradients", "norm"))
    agree(reply[0], grads, max([1.0, *(float(g.abs().max()) for g in case["grads"] if g is not None)]), why="the gradients")
    yours = number(reply[1])
    close = 1e-5 if any(g is not None and g.dtype == torch.float32 for g in case["grads"]) else 1e-9
    if not abs(yours - norm) <= close * max(1.0, norm):
        raise Wrong(f"the norm is {yours:.6g}; expected {norm:.6g}, that of all gradients before they are scaled", yours, norm)


def leaves_them(case: dict, subject: Subject) -> None:
    expected, _ = reference(**case)
    reply = subject.call(*case.values())
    given = value_of(reply)
    if type(given) is not tuple or type(given[0]) is not list or len(given[0]) != len(expected):
        agree(given, (expected, 1.0), names=("gradients", "norm"))
    if gap(reply.after[0], case["grads"]) is not None:
        raise Wrong("grads are changed in place", reply.after[0], case["grads"], "grads after the call")


def _each_alone(grads: Grads, max_norm: float) -> tuple[Grads, float]:
    return [None if g is None else g * at_most(length([g]), max_norm) for g in grads], reference(grads, max_norm)[1]


def _dropped(grads: Grads, max_norm: float) -> tuple[Grads, float]:
    clipped, norm = reference(grads, max_norm)
    return [g for g in clipped if g is not None], norm


def _in_place(grads: Grads, max_norm: float) -> tuple[Grads, float]:
    clipped, norm = reference(grads, max_norm)
    for old, new in zip(grads, clipped, strict=True):
        if old is not None:
            old.copy_(new)
    return grads, norm


EXERCISE = Exercise(
    id="training.clip",
    title="One limit for all gradients",
    answers=("clip_gradients",),
    minutes=15,
    read=("q-stable",),
    forbid=("torch.nn.utils.clip_grad_norm_", "torch.nn.utils.get_total_norm"),
    properties=(
        Property("too long", 3, "all scaled by one number, so that their length together is max_norm; and the length before",
                 too_long, clips, 50),
        Property("short enough", 2, "up to max_norm, nothing changes at all", short_enough, clips, 40),
        Property("None", 2, "None stays None, in its place", some_missing, clips, 40),
        Property("all zero", 1, "zeros stay zeros, and their norm is 0", all_zero, clips, 20),
        Property("nothing", 1, "an empty list, or one of Nones: the norm is 0", none_at_all, clips, 12),
        Property("inputs unchanged", 1, "grads are afterwards what they were", some_missing, leaves_them, 20),
    ),
    mistakes=(
        Mistake("each tensor cut by its own norm: their common direction is lost", _each_alone),
        Mistake("the sum of the norms, where the root of the sum of all squares is the length",
                variant(size=lambda grads: sum(length([g]) for g in grads))),
        Mistake("the squared length: the root is missing", variant(size=lambda grads: length(grads) ** 2)),
        Mistake("the root of the mean square; long lists would never be clipped",
                variant(size=lambda grads: length(grads) / math.sqrt(sum(g.numel() for g in grads)) if grads else 0.0)),
        Mistake("the largest entry taken for the length",
                variant(size=lambda grads: max((float(g.abs().max()) for g in grads), default=0.0))),
        Mistake("always scaled to max_norm: short gradients are blown up",
                variant(factor=lambda norm, limit: limit / norm if norm else 1.0)),
        Mistake("max_norm over a norm of 0", variant(factor=lambda norm, limit: min(1.0, limit / norm)), raises="ZeroDivisionError"),
        Mistake("1e-6 added to the norm, as torch does: the result is a little too short, and it is not asked for",
                variant(factor=lambda norm, limit: min(1.0, limit / (norm + 1e-6)))),
        Mistake("every entry cut at ±max_norm: the direction changes",
                lambda grads, limit: ([None if g is None else g.clamp(-limit, limit) for g in grads], reference(grads, limit)[1])),
        Mistake("the norm after clipping; the one before is worth watching", variant(told=lambda norm, by: norm * by)),
        Mistake("the factor returned in place of the norm", variant(told=lambda norm, by: by)),
        Mistake("None left out: the list no longer fits the parameters", _dropped),
        Mistake("zeros in place of None: an optimiser would take that for a gradient",
                variant(missing=lambda grad: torch.zeros(()))),
        Mistake("divided by the factor, where it is a product", variant(scaled=torch.div)),
        Mistake("the caller's gradients scaled in place", _in_place),
    ),
    hints=(
        "Put all gradients end to end into one long vector, in thought. What is its length? If it is too long, by which one number must "
        "all entries be multiplied?",
        "The squares of all tensors add up, and one root is taken at the end. The factor is max_norm / norm, but never above 1, and a "
        "norm of 0 must not be divided by.",
        "`norm = math.sqrt(sum(g.square().sum() for g in grads if g is not None))`, and the factor `max_norm / max(norm, max_norm)`.",
    ),
    explanation=(
        "One factor for everything keeps the direction. Under plain descent the step is shorter; under Adam it is the memory that is "
        "spared, since one long gradient stays in v for hundreds of steps. The norm before clipping costs nothing more, and is worth a curve beside "
        "the loss."
    ),
    better=(
        "`torch.nn.utils.clip_grad_norm_` does so in place, with 1e-6 in the denominator, and one kernel for all tensors. On many "
        "machines the squares are added across them first: it is one norm for the whole model."
    ),
)
