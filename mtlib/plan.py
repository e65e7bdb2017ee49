"""The sixty days: what to read, to write and to do on each. The page of the plan and ``mtlib progress`` both read plan.toml."""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FILE = Path(__file__).with_name("plan.toml")


@dataclass(frozen=True, kw_only=True)
class Day:
    """One day of the plan.

    Args:
        number: from 1.
        title: what the day is about, in a few words.
        read: a chapter such as "06_attention", or the place in it where the day begins, "06_attention#masks"; or nothing.
        minutes: of reading and moving controls.
        exercises: ids, in the order to take them.
        do: what is neither reading nor an exercise, in a sentence.
        do_minutes: how long that takes.
    """

    number: int
    title: str
    read: str = ""
    minutes: int = 0
    exercises: tuple[str, ...] = ()
    do: str = ""
    do_minutes: int = 0

    @property
    def chapter(self) -> str:
        """The chapter that is read, or the empty string."""
        return self.read.partition("#")[0]


@cache
def days() -> tuple[Day, ...]:
    """All days in order.

    >>> days()[0].read
    '01_transformers'
    """
    rows = tomllib.loads(FILE.read_text("utf8"))["day"]
    return tuple(Day(number=n, **row | {"exercises": tuple(row.get("exercises", ()))}) for n, row in enumerate(rows, 1))


def day_of(exercise: str) -> int | None:
    """The number of the day on which an exercise is due, or None for one that the plan does not have.

    >>> day_of("transformers.sees")
    1
    """
    return next((day.number for day in days() if exercise in day.exercises), None)
