"""`check` and `hint`: what a learner calls."""

import difflib
import inspect
from typing import Any

from mtlib import exercises

from . import progress
from .exercise import Exercise
from .plain import describe_type


class GradingError(Exception):
    """An error that is a message: notebooks print its text in place of a traceback."""

    def _render_traceback_(self) -> list[str]:  # IPython asks for this
        return str(self).splitlines()


class CheckFailed(GradingError):
    """The answer is not right yet. `report` holds the points and the smallest failing case."""

    def __init__(self, message: str, report: Any = None):
        super().__init__(message)
        self.report = report


class UnknownExercise(GradingError, LookupError):
    """There is no exercise of that name; the message offers the nearest."""


def check(id: str, *answers: Any, seed: int | None = None) -> None:
    """Check an answer and say what is wrong with it, or show the points it earned.

    `check("attention.scores", scores)` tries random cases of every promise that the exercise makes. On a
    broken one it shows the smallest case found, yours beside expected, names the mistake where it knows it,
    and raises `CheckFailed`. A `seed` repeats the same cases.

    Raises UnknownExercise, and CheckFailed for anything but a right answer.
    """
    exercise = find(id)
    _insist_on_answers(exercise, answers)
    from . import run  # hypothesis loads with the first check, not with mtlib

    report = run.grade(exercise, answers, seed)
    progress.checked(id, report.earned, exercise.points)
    from . import show

    if not report.passed:
        show.failure(report)
        raise CheckFailed(show.text_of(report), report)
    show.success(report)


def hint(id: str, number: int | None = None) -> None:
    """Show the next of the exercise's three hints, or the one asked for by its number.

    Raises UnknownExercise, and GradingError for a number that is not 1, 2 or 3.
    """
    exercise = find(id)
    if number is not None and number not in (1, 2, 3):
        raise GradingError(f"there are three hints for {id}: 1, 2 and 3, not {number!r}")
    taken = progress.read(id)["hints"]
    number = number or min(taken + 1, 3)
    progress.record(id, hints=max(taken, number))
    last = "" if number < 3 else " (the last one)"
    print(f"Hint {number} of 3{last}: {exercise.hints[number - 1]}")


def find(id: str) -> Exercise:
    """The exercise of that name; raises UnknownExercise, which offers the nearest."""
    exercise = exercises.find(id) if isinstance(id, str) else None
    if exercise is None:
        near = difflib.get_close_matches(str(id), exercises.ids(), n=2, cutoff=0.7)
        offer = f"; did you mean {' or '.join(near)}?" if near else f"; there are {', '.join(exercises.ids())}"
        raise UnknownExercise(f"there is no exercise {id!r}{offer}")
    return exercise


def _insist_on_answers(exercise: Exercise, answers: tuple) -> None:
    wanted = f'check("{exercise.id}", {", ".join(exercise.answers)})'
    if len(answers) != len(exercise.answers):
        raise CheckFailed(f"{exercise.id} needs {len(exercise.answers)} answer(s), got {len(answers)}: call {wanted}")
    for name, answer in zip(exercise.answers, answers, strict=True):
        if name[0].isupper() and not inspect.isclass(answer):
            raise CheckFailed(f"{name} should be the class itself, and this is {describe_type(answer)}: call {wanted}")
        if not callable(answer):
            raise CheckFailed(f"{name} should be a function, and this is {describe_type(answer)}: call {wanted}")
