"""Running an exercise's properties by hypothesis, within a bounded time, into a `Report`.

The first property that fails is shrunk to its smallest case; later ones stop at their first failure, which
is enough to count points. Nothing is stored between runs: a check draws fresh cases each time, and a seed
makes it repeatable.
"""

import contextlib
import gc
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import hypothesis
import torch
from hypothesis import HealthCheck, Phase, Verbosity

from .draw import strategy
from .exercise import Exercise, Property
from .forbid import found
from .judge import Wrong
from .naming import name_mistake
from .subject import LocalSubject

SEARCH_SECONDS, SHRINK_SECONDS = 1.5, 1.5  # for one property; a right answer needs a tenth of the first


@dataclass(frozen=True)
class Outcome:
    """What became of one property: how many cases were tried, and the smallest that failed."""

    property: Property
    tried: int
    case: dict | None = None
    wrong: Wrong | None = None

    @property
    def earned(self) -> int:
        """Its points, or none."""
        return 0 if self.wrong else self.property.points


@dataclass(frozen=True)
class Report:
    """What became of an answer: outcomes in the declared order, and the mistake's name where it has one."""

    exercise: Exercise
    outcomes: tuple[Outcome, ...]
    mistake: str | None = None

    @property
    def earned(self) -> int:
        """Points earned, of `exercise.points`."""
        return sum(outcome.earned for outcome in self.outcomes)

    @property
    def passed(self) -> bool:
        """True when every property holds."""
        return self.first_failure is None

    @property
    def first_failure(self) -> Outcome | None:
        """The outcome that the report talks about."""
        return next((outcome for outcome in self.outcomes if outcome.wrong), None)


def grade(
    exercise: Exercise, answers: tuple[Callable, ...], seed: int | None = None, all_points: bool = True
) -> Report:
    """Judge answers that live in this process; the same seed draws the same cases. Without `all_points` it ends at
    the first broken promise: right or wrong, and why, but not how many points."""
    seed = random.SystemRandom().getrandbits(32) if seed is None else seed
    subjects = [LocalSubject(answer, exercise.forbid) for answer in answers]
    banned = next(filter(None, (found(answer, exercise.forbid) for answer in answers)), None)
    if banned:
        wrong = Wrong(f"{banned} is the whole exercise; write what it does")
        return Report(exercise, tuple(Outcome(p, 0, {}, wrong) for p in exercise.properties))
    with _no_collector():
        return judge_subjects(exercise, subjects, seed, all_points)


def passes(exercise: Exercise, answers: tuple[Callable, ...], seed: int) -> bool:
    """The verdict alone, on the cases that `grade` draws with this seed: no counterexample, no name, no points."""
    subjects = [LocalSubject(answer, exercise.forbid) for answer in answers]
    with _no_collector():
        outcomes = (examine(p, subjects, seed + i, shrink=False) for i, p in enumerate(exercise.properties))
        return not any(outcome.wrong for outcome in outcomes)


@contextlib.contextmanager
def _no_collector() -> Iterator[None]:
    """The garbage collector waits: a check makes thousands of small objects, and a fifth of its time goes there."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def judge_subjects(exercise: Exercise, subjects: list, seed: int, all_points: bool = True) -> Report:
    """Judge subjects of any kind, local or remote; `all_points` as for `grade`."""
    outcomes: list[Outcome] = []
    mistake = None
    for index, each in enumerate(exercise.properties):
        first = all(outcome.wrong is None for outcome in outcomes)
        outcome = examine(each, subjects, seed + index, shrink=first)
        outcomes.append(outcome)
        if outcome.wrong and outcome.wrong.unwritten:  # the stub fails everything: no need to ask again
            outcomes += [Outcome(p, 0, outcome.case, outcome.wrong) for p in exercise.properties[index + 1 :]]
            break
        if outcome.wrong and first:
            mistake = name_mistake(exercise, outcome, subjects, seed + index)
        if outcome.wrong and not all_points:
            break
    return Report(exercise, tuple(outcomes), mistake)


def examine(each: Property, subjects: list, seed: int, shrink: bool) -> Outcome:
    """Try one property: two thirds of its cases plain, then the rest rough."""
    tried = 0
    for rough, share in ((False, each.tries * 2 // 3), (True, each.tries - each.tries * 2 // 3)):
        search = _Search(each, subjects, shrink)
        search.run(strategy(each.cases, rough), share, seed)
        tried += search.tried
        if search.wrong:
            return Outcome(each, tried, search.case, search.wrong)
    return Outcome(each, tried)


class _OutOfTime(KeyboardInterrupt):
    """Hypothesis lets an interrupt through at once; any other exception it would take for a failing case."""


class _Search:
    """One hypothesis run, which remembers the smallest failing case by our own measure of small."""

    def __init__(self, each: Property, subjects: list, shrink: bool):
        self.property, self.subjects, self.shrink = each, subjects, shrink
        self.tried, self.case, self.wrong = 0, None, None
        self.until = time.monotonic() + SEARCH_SECONDS

    def run(self, cases: Any, tries: int, seed: int) -> None:
        phases = [Phase.generate, Phase.shrink] if self.shrink else [Phase.generate]
        settings = hypothesis.settings(
            max_examples=tries,
            phases=phases,
            database=None,
            deadline=None,
            report_multiple_bugs=False,
            print_blob=False,
            verbosity=Verbosity.quiet,
            suppress_health_check=list(HealthCheck),
        )
        attempt = hypothesis.seed(seed)(settings(hypothesis.given(cases)(self._attempt)))
        try:
            attempt()
        except (Wrong, _OutOfTime, hypothesis.errors.Flaky):
            pass  # what was found is in self.case

    def _attempt(self, case: dict) -> None:
        if time.monotonic() > self.until:
            raise _OutOfTime
        try:
            self.property.judge(case, *self.subjects)
        except Wrong as wrong:
            self._remember(case, wrong)
            raise
        finally:
            self.tried += self.wrong is None

    def _remember(self, case: dict, wrong: Wrong) -> None:
        if self.wrong is None:
            self.tried += 1
            self.until = time.monotonic() + SHRINK_SECONDS
        if self.wrong is None or burden(case) <= burden(self.case):
            self.case, self.wrong = case, wrong
        if wrong.unwritten or not self.shrink:
            raise _OutOfTime


def burden(value: Any) -> float:
    """How much there is to read in a case: entries, then their size.

    >>> burden({"x": torch.ones(2)}) < burden({"x": torch.ones(3)})
    True
    """
    if isinstance(value, dict):
        return sum(burden(item) for item in value.values())
    if isinstance(value, torch.Tensor):
        numbers = value.double()
        return (
            4.0 * value.numel() + 2 * value.ndim + float((numbers != numbers.round()).sum() + numbers.abs().sum()) / 4
        )
    return float(abs(value)) if isinstance(value, (int, float)) else 1.0
