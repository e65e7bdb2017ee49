"""The exercises, a package for each topic and a file for each exercise.

A topic is imported when one of its exercises is asked for. A file that holds an `Exercise` named EXERCISE
is an exercise; nothing else has to be told.
"""

import importlib
import pkgutil
from functools import cache

from mtlib.grading.exercise import Exercise


def topics() -> list[str]:
    """The names of the topics, in alphabetical order.

    >>> "attention" in topics()
    True
    """
    return sorted(module.name for module in pkgutil.iter_modules(__path__) if module.ispkg)


@cache
def of_topic(topic: str) -> tuple[Exercise, ...]:
    """All exercises of one topic, in the order its package gives in ORDER."""
    package = importlib.import_module(f"{__name__}.{topic}")
    return tuple(importlib.import_module(f"{package.__name__}.{name}").EXERCISE for name in package.ORDER)


def find(id: str) -> Exercise | None:
    """The exercise of that id, or None. Imports its topic and no other."""
    topic = id.partition(".")[0]
    known = of_topic(topic) if topic in topics() else ()
    return next((exercise for exercise in known if exercise.id == id), None)


def every() -> list[Exercise]:
    """Every exercise of every topic."""
    return [exercise for topic in topics() for exercise in of_topic(topic)]


def ids() -> list[str]:
    """Every exercise's id."""
    return [exercise.id for exercise in every()]
