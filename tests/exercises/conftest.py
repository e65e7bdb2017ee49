"""What the exercise tests share: the answers as the notebooks hold them, and a quicker search."""

from functools import cache
from importlib import import_module
from pathlib import Path

import pytest

from mtlib.exercises import every, topics
from mtlib.grading import search
from mtlib.grading.notebooks import START, cells_of, unsolved

ROOT = Path(__file__).resolve().parents[2]
EXERCISES = {exercise.id: exercise for exercise in every()}
EQUIVALENT = {
    id: changes
    for topic in topics()
    for id, changes in import_module(f"mtlib.exercises.{topic}.equivalent").EQUIVALENT.items()
}


@cache
def source_of(topic: str) -> str:
    """The text of solutions/NN_topic.md."""
    return next((ROOT / "solutions").glob(f"*_{topic}.md")).read_text(encoding="utf-8")


@cache
def answers_in(topic: str, solved: bool) -> dict:
    """What the notebook's code defines, with the solutions in it or without: its imports and its exercises."""
    names: dict = {}
    imports, *others = [cell.source for cell in cells_of(source_of(topic)) if cell.kind == "code"]
    for code in [imports, *(code for code in others if START in code)]:
        exec(compile(code if solved else unsolved(code), f"<{topic}>", "exec"), names)
    return names


def source_of_answer(exercise) -> str:
    """The code cell that answers an exercise, solution and all."""
    starts = tuple(f"{word} {name}" for name in exercise.answers for word in ("def", "class"))
    cells = cells_of(source_of(exercise.id.partition(".")[0]))
    return next(cell.source for cell in cells if cell.kind == "code" and cell.source.startswith(starts))


def answers_to(exercise, solved: bool) -> tuple:
    names = answers_in(exercise.id.partition(".")[0], solved)
    return tuple(names[name] for name in exercise.answers)


@pytest.fixture
def hasty(monkeypatch):
    """Little time to shrink: these tests ask whether a mistake is caught and named, not how small it gets."""
    monkeypatch.setattr(search, "SHRINK_SECONDS", 0.1)
