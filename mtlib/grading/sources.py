"""What stands behind an exercise in the repository: its solution, other right answers, its checks, their digest.

Only those who work on the course have these files; learners and graders of notebooks need none of them.
"""

import ast
import hashlib
import importlib.util
from collections.abc import Callable
from functools import cached_property
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType

from mtlib import exercises

from .exercise import Exercise
from .notebooks import START, cells_of, unsolved

_ANSWERS = Path("tests", "exercises", "answers")


class Sources:
    """The repository at a folder, read once."""

    def __init__(self, root: Path):
        self.root = root
        self._texts: dict[str, str] = {}
        self._names: dict[tuple[str, bool], dict] = {}
        self._others: dict[str, dict] = {}

    def page(self, topic: str) -> str:
        """The text of the topic's `solutions/NN_chapter.md`."""
        chapter = exercises.chapter_of(topic)
        if chapter not in self._texts:
            self._texts[chapter] = (self.root / "solutions" / f"{chapter}.md").read_text(encoding="utf-8")
        return self._texts[chapter]

    def names(self, topic: str, solved: bool) -> dict:
        """What the notebook's code defines, with the solutions in it or without: its imports and its exercises."""
        key = exercises.chapter_of(topic), solved
        if key not in self._names:
            names = self._names[key] = {}
            imports, *others = [cell.source for cell in cells_of(self.page(topic)) if cell.kind == "code"]
            for code in [imports, *(code for code in others if START in code)]:
                exec(compile(code if solved else unsolved(code), f"<{key[0]}>", "exec"), names)
        return self._names[key]

    def solution(self, exercise: Exercise) -> str:
        """The code cell that answers an exercise, solution and all."""
        starts = tuple(f"{word} {name}" for name in exercise.answers for word in ("def", "class"))
        cells = cells_of(self.page(_topic(exercise)))
        found = [cell.source for cell in cells if cell.kind == "code" and START in cell.source]
        return next(source for source in found if any(line.startswith(starts) for line in source.splitlines()))

    def answers(self, exercise: Exercise, solved: bool) -> tuple[Callable, ...]:
        """What the notebook would check: the solution, or the stub."""
        names = self.names(_topic(exercise), solved)
        return tuple(names[name] for name in exercise.answers)

    def others(self, exercise: Exercise) -> list[tuple[Callable, ...]]:
        """Right answers written otherwise: `ANSWERS` of `tests/exercises/answers/<topic>.py`."""
        topic = _topic(exercise)
        if topic not in self._others:
            path = self.root / _ANSWERS / f"{topic}.py"
            module = ModuleType(f"answers_{topic}")
            SourceFileLoader(module.__name__, str(path)).exec_module(module)
            self._others[topic] = module.ANSWERS
        return self._others[topic].get(exercise.id, [])

    def equivalent(self, exercise: Exercise) -> dict[str, str]:
        """Mutants that are right answers too, with the reason: the topic's `equivalent.py`, where there is one."""
        name = f"mtlib.exercises.{_topic(exercise)}.equivalent"
        if importlib.util.find_spec(name) is None:
            return {}
        return importlib.import_module(name).EQUIVALENT.get(exercise.id, {})

    def digest(self, exercise: Exercise) -> str:
        """Of the solution, the checks, and all that the proof holds against them: it is stale when this changes."""
        parts = [self.solution(exercise), repr(sorted(self.equivalent(exercise).items()))]
        topic, _, name = exercise.id.partition(".")
        tree = ast.parse((self.root / _ANSWERS / f"{topic}.py").read_text(encoding="utf-8"))
        known = {node.name: ast.unparse(node) for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
        parts += [known.get(each.__name__, each.__name__) for answer in self.others(exercise) for each in answer]
        parts += [file.read_text(encoding="utf-8") for file in _with_neighbours(Path(exercises.__path__[0], topic, f"{name}.py"))]
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]

    @cached_property
    def exercises(self) -> dict[str, Exercise]:
        """Every exercise by its id."""
        return {exercise.id: exercise for exercise in exercises.every()}


def _with_neighbours(file: Path) -> list[Path]:
    """A file of a topic and those beside it that it imports, and so on."""
    waiting, found = [file], set()
    while waiting:
        found.add(path := waiting.pop())
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.level == 1:
                names = [node.module] if node.module else [alias.name for alias in node.names]
                beside = {path.with_name(f"{name.partition('.')[0]}.py") for name in names}
                waiting += [each for each in beside - found if each.exists()]
    return sorted(found)


def _topic(exercise: Exercise) -> str:
    return exercise.id.partition(".")[0]
