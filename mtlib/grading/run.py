"""Running an exercise's properties by hypothesis, within a bounded time, into a `Report`.

The first property that fails is shrunk to its smallest case; later ones stop at their first failure, which
is enough to count points.
"""

import contextlib
import gc
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from .exercise import Exercise, Property
from .forbid import found, library_of
from .judge import Wrong
from .local import LocalSubject
from .naming import name_mistake
from .search import Search
from .settings import settled
from .subject import CALL_SECONDS


@dataclass(frozen=True)
class Outcome:
    """What became of one property: how many cases were tried, and the smallest that failed."""

    property: Property
    tried: int
    case: dict | None = None
    wrong: Wrong | None = None

    @property  # type: ignore[operator]  # the builtin, not the field
    def too_slow(self) -> bool:
        """True when nothing failed but time ran out: there is no case to show."""
        return self.wrong is not None and self.case is None

    @property  # type: ignore[operator]
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

    @property
    def failure(self) -> tuple[Outcome, Wrong]:
        """The same, and what is wrong there: only for a report that has not passed."""
        return next((outcome, outcome.wrong) for outcome in self.outcomes if outcome.wrong)


def grade(
    exercise: Exercise,
    answers: tuple[Callable, ...],
    seed: int | None = None,
    all_points: bool = True,
    mtlibs_own: bool = False,
) -> Report:
    """Judge answers that live in this process; the same seed draws the same cases. Without `all_points` it ends at
    the first broken promise: right or wrong, and why, but not how many points. Only tests pass `mtlibs_own`, which
    lets answers in that the learner did not write."""
    seed = random.SystemRandom().getrandbits(32) if seed is None else seed
    subjects = [LocalSubject(answer, exercise.forbid) for answer in answers]
    refusal = next(filter(None, (_refusal(exercise, answer, mtlibs_own) for answer in answers)), None)
    if refusal:
        return Report(exercise, tuple(Outcome(p, 0, {}, Wrong(refusal)) for p in exercise.properties))
    return judged(exercise, subjects, seed, all_points)


def judged(exercise: Exercise, subjects: list, seed: int, all_points: bool = True) -> Report:
    """Judge subjects of any kind, under settings of our own; the rest as for `grade`."""
    with _no_collector(), settled():
        return judge_subjects(exercise, subjects, seed, all_points)


def _refusal(exercise: Exercise, answer: Callable, mtlibs_own: bool) -> str | None:
    """Why an answer is not even tried, or None."""
    banned = found(answer, exercise.forbid)
    if banned:
        return f"{banned} is the whole exercise; write what it does"
    own = None if mtlibs_own else library_of(answer, exercise.allow)
    return f"that is mtlib's own {own}; write yours" if own else None


def passes(exercise: Exercise, answers: tuple[Callable, ...], seed: int) -> bool:
    """The verdict alone, on the cases that `grade` draws with this seed: no counterexample, no name, no points."""
    subjects = [LocalSubject(answer, exercise.forbid) for answer in answers]
    with _no_collector(), settled():
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
    """Judge subjects of any kind; `all_points` as for `grade`."""
    outcomes: list[Outcome] = []
    mistake = None
    for index, each in enumerate(exercise.properties):
        first = all(outcome.wrong is None for outcome in outcomes)
        slow = any(outcome.too_slow for outcome in outcomes)
        outcome = examine(each, subjects, seed + index, shrink=first, patient=not slow)
        outcomes.append(outcome)
        if outcome.wrong and outcome.wrong.unwritten:  # the stub fails everything: no need to ask again
            outcomes += [Outcome(p, 0, outcome.case, outcome.wrong) for p in exercise.properties[index + 1 :]]
            break
        if outcome.wrong and first and not outcome.too_slow and not outcome.wrong.fatal:
            mistake = name_mistake(exercise, outcome, subjects, seed + index)
        if outcome.wrong and not all_points:
            break
    return Report(exercise, tuple(outcomes), mistake)


def examine(each: Property, subjects: list, seed: int, shrink: bool, patient: bool = True) -> Outcome:
    """Try one property: two thirds of its cases plain, then the rest rough."""
    tried = 0
    for subject in subjects:
        subject.patience = max(CALL_SECONDS, each.patience)
    for rough, share in ((False, each.tries * 2 // 3), (True, each.tries - each.tries * 2 // 3)):
        search = Search(each, subjects, shrink, patient)
        search.run(rough, share, seed)
        tried += search.tried
        if search.wrong:
            return Outcome(each, tried, search.case, search.wrong)
    return Outcome(each, tried)
