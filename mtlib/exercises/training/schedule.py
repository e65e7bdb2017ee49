"""training.schedule: up in a line, down along a cosine."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from mtlib.grading.draw import Draw
from mtlib.grading.exercise import Exercise, Mistake, Property
from mtlib.grading.judge import Wrong, value_of
from mtlib.grading.subject import Subject

from ..statistics.dot_variance import essence, number


def reference(step: int, warmup: int, total: int, peak: float, floor: float) -> float:
    return variant()(step, warmup, total, peak, floor)


def line(step: int, warmup: int, peak: float, floor: float) -> float:
    return peak * (step + 1) / warmup


def share(step: int, warmup: int, total: int) -> float:
    return (step - warmup) / (total - warmup)


def half_cosine(done: float) -> float:
    return (1 + math.cos(math.pi * done)) / 2


def between(shape: float, peak: float, floor: float) -> float:
    return floor + (peak - floor) * shape


def ended(floor: float) -> float:
    return floor


def variant(
    rising: Callable = lambda step, warmup: step < warmup,
    up: Callable = line,
    done: Callable = share,
    shape: Callable = half_cosine,
    down: Callable = between,
    end: Callable | None = ended,
) -> Callable:
    """The schedule with a piece of it changed; without `end` the cosine goes on."""

    def learning_rate(step: int, warmup: int, total: int, peak: float, floor: float) -> float:
        if rising(step, warmup):
            return up(step, warmup, peak, floor)
        if end is not None and step >= total:
            return end(floor)
        return down(shape(done(step, warmup, total)), peak, floor)

    return learning_rate


def _plan(d: Draw, low: int = 1) -> dict:
    warmup = d.size(low=low, rough=100)
    peak = d.pick(1.0, 3.0, 0.5)
    return {"warmup": warmup, "total": warmup + d.size(high=8, rough=400), "peak": peak, "floor": peak * d.pick(0.1, 0.0, 0.25)}


def warm(d: Draw) -> dict:
    plan = _plan(d)
    return {"step": d.whole(0, plan["warmup"] - 1)} | plan


def falling(d: Draw) -> dict:
    plan = _plan(d)
    return {"step": d.whole(plan["warmup"], plan["total"] - 1)} | plan


def edges(d: Draw) -> dict:
    """Where one piece meets the next."""
    plan = _plan(d)
    return {"step": d.pick(plan["warmup"], plan["warmup"] - 1, plan["total"] - 1, plan["total"], 0)} | plan


def beyond(d: Draw) -> dict:
    plan = _plan(d, low=0)
    return {"step": plan["total"] + d.size(low=0, high=9, rough=500)} | plan


def cold(d: Draw) -> dict:
    """No warm-up."""
    plan = _plan(d) | {"warmup": 0}
    return {"step": d.whole(0, plan["total"])} | plan


def is_the_rate(case: dict, subject: Subject) -> None:
    reply = value_of(subject.call(*case.values()))
    yours, expected = number(reply), reference(**case)
    close = 1e-5 if type(reply) is Tensor and reply.dtype != torch.float64 else 1e-10  # a tensor may be float32
    if not abs(yours - expected) <= close * case["peak"]:
        raise Wrong(f"the rate of step {case['step']} is {yours:.6g}; expected {expected:.6g}", yours, expected)


EXERCISE = Exercise(
    id="training.schedule",
    title="Up in a line, down along a cosine",
    answers=("learning_rate",),
    minutes=15,
    read=("q-stable",),
    properties=(
        Property("warm-up", 2, "peak·(step + 1) / warmup, for the first warmup steps", warm, is_the_rate, 45, essence),
        Property("cosine", 3, "from peak down to floor, slowly, fast, slowly", falling, is_the_rate, 60, essence),
        Property("edges", 2, "the last step of the warm-up and the one after it are both at peak; total is at floor",
                 edges, is_the_rate, 60, essence),
        Property("the end", 1, "floor from total on, for ever", beyond, is_the_rate, 30, essence),
        Property("no warm-up", 1, "with warmup 0 the first step is at peak", cold, is_the_rate, 30, essence),
    ),
    mistakes=(
        Mistake("step / warmup: the first step would be taken with a rate of 0, and nothing learnt",
                variant(up=lambda step, warmup, peak, floor: peak * step / warmup)),
        Mistake("no warm-up: peak from the first step on", variant(up=lambda step, warmup, peak, floor: peak)),
        Mistake("a warm-up that begins at floor; it begins near 0",
                variant(up=lambda step, warmup, peak, floor: floor + (peak - floor) * (step + 1) / warmup)),
        Mistake("one step too many in the warm-up, which goes above peak",
                variant(rising=lambda step, warmup: 0 < warmup and step <= warmup)),
        Mistake("a division by a warmup of 0: it must not even be computed then",
                lambda step, warmup, *rest: (step / warmup, reference(step, warmup, *rest))[1], raises="ZeroDivisionError"),
        Mistake("a cosine that begins with the run, not after the warm-up",
                variant(done=lambda step, warmup, total: step / total)),
        Mistake("a cosine over total steps that begins after the warm-up: at total it is not yet down",
                variant(done=lambda step, warmup, total: (step - warmup) / total)),
        Mistake("a cosine that is down one step before total",
                variant(done=lambda step, warmup, total: (step - warmup) / max(total - warmup - 1, 1))),
        Mistake("a cosine one step ahead: step + 1 belongs to the warm-up alone",
                variant(done=lambda step, warmup, total: (step + 1 - warmup) / (total - warmup))),
        Mistake("a line in place of the cosine", variant(shape=lambda done: 1 - done)),
        Mistake("a quarter of a wave, cos(π/2·x): it starts slowly and ends at full slope",
                variant(shape=lambda done: math.cos(math.pi / 2 * done))),
        Mistake("the cosine without its half: it starts at twice the height",
                variant(shape=lambda done: 1 + math.cos(math.pi * done))),
        Mistake("the cosine upside down: it climbs from floor to peak",
                variant(shape=lambda done: (1 - math.cos(math.pi * done)) / 2)),
        Mistake("floor put on top: the height to fall is peak − floor",
                variant(down=lambda shape, peak, floor: floor + peak * shape)),
        Mistake("a cosine down to 0, cut off at floor: it should arrive there gently",
                variant(down=lambda shape, peak, floor: max(floor, peak * shape))),
        Mistake("0 from total on; floor is asked for", variant(end=lambda floor: 0.0)),
        Mistake("a cosine that goes on after total, and up again", variant(end=None)),
    ),
    hints=(
        "Three pieces, three returns. Draw them for warmup 2 and total 6, with a dot for each step: which steps are at peak?",
        "After the warm-up, let x be the share of the rest that is done: 0 at step = warmup, 1 at step = total. (1 + cos πx) / 2 goes "
        "from 1 to 0; stretch it so that it goes from peak to floor.",
        "`x = min(1, (step - warmup) / (total - warmup))` makes the third piece the end of the second.",
    ),
    explanation=(
        "The first step has rate peak / warmup and not 0, which would waste a batch. Then a high rate gets far and jitters, a low one "
        "settles, and the cosine spends a third of the way in the upper quarter of its height, and a third in the lower. The floor "
        "keeps the last steps from doing nothing."
    ),
    better=(
        "A function of the step and of nothing else needs no state: a run that was killed goes on at the right rate. Nothing proves a "
        "cosine; a constant rate with a short line down to 0 at its end does about as well (Hägele et al. 2024), and total need not be "
        "known from the start."
    ),
)
