"""Grading files: `mtlib grade FILE…`. Each notebook is judged from outside the process that its code runs in.

What comes out is plain data, a `Sheet` of `Mark`s, which `tell` writes as a table, JSON, CSV, HTML or for Gradescope.
"""

import random
import time
from dataclasses import dataclass
from pathlib import Path

from mtlib import exercises

from .exercise import Exercise
from .judge import Wrong
from .remote import Workplace
from .report import failure_lines
from .run import Outcome, Report, judged
from .sandbox import Nursery
from .submission import BadNotebook, Program, read


@dataclass(frozen=True)
class Mark:
    """What one exercise earned: points by property, the mistake's name and the smallest counterexample, in words."""

    id: str
    earned: int
    points: int
    properties: tuple[dict, ...]
    message: str = ""
    mistake: str = ""
    tried: int = 0


@dataclass(frozen=True)
class Sheet:
    """What one file earned, and what there is to say about it as a whole."""

    file: str
    chapter: str = ""
    marks: tuple[Mark, ...] = ()
    notes: tuple[str, ...] = ()
    seed: int = 0
    seconds: float = 0.0

    @property
    def earned(self) -> int:
        """Points earned."""
        return sum(mark.earned for mark in self.marks)

    @property
    def points(self) -> int:
        """All points of the notebook's chapter, never 0: a file that cannot be read has not passed."""
        return sum(mark.points for mark in self.marks)

    @property
    def percent(self) -> float:
        """Of its points; 0 where there is nothing to earn."""
        return 100 * self.earned / self.points if self.points else 0.0


def files_of(paths: list[str]) -> list[Path]:
    """The notebooks named, and those in the folders named, each once, in order. Raises FileNotFoundError."""
    found: dict[Path, None] = {}
    for path in map(Path, paths):
        if not path.exists():
            raise FileNotFoundError(f"there is no {path}")
        inside = sorted(path.rglob("*.ipynb")) if path.is_dir() else [path]
        found |= {each: None for each in inside if ".ipynb_checkpoints" not in each.parts}
    return list(found)


def chapter_of(program: Program, name: str = "") -> str | None:
    """Which chapter a notebook answers: what its file is called, or what its checks or its functions say."""
    known = exercises.chapters()
    for chapter in known:
        if chapter in name:
            return chapter
    for topic, _ in program.mentions().most_common():
        if topic in exercises.topics():
            return exercises.chapter_of(topic)
    held = {chapter: sum(map(program.names_for, exercises.of_chapter(chapter))) for chapter in known}
    best = max(held, key=held.__getitem__)
    return best if held[best] else None


def grade_file(path: Path, nursery: Nursery, chapter: str | None = None, seed: int | None = None) -> Sheet:
    """Judge one notebook: every exercise of its chapter, on cases that nobody has seen before."""
    began = time.monotonic()
    seed = random.SystemRandom().getrandbits(32) if seed is None else seed
    try:
        program = Program(read(path))
    except BadNotebook as bad:
        mine = exercises.of_chapter(chapter) if chapter else ()
        return Sheet(str(path), chapter or "", tuple(_nothing(e, str(bad)) for e in mine), (str(bad),), seed)
    chapter = chapter or chapter_of(program, path.stem)
    if chapter is None:
        return Sheet(str(path), notes=(f"{path.name} answers no exercise of the course",), seed=seed)
    mine = exercises.of_chapter(chapter)
    place = Workplace(nursery, [(cell.name, cell.source) for cell in program.needed(mine)])
    try:
        marks = tuple(_mark(exercise, program, place, seed) for exercise in mine)
    finally:
        place.close()
    lacking = any("is not defined" in m.message or "there is no" in m.message or m.earned < m.points for m in marks)
    notes = tuple(f"{cell}: {what}" for cell, what in place.troubles.items()) if lacking else ()
    return Sheet(str(path), chapter, marks, notes, seed, round(time.monotonic() - began, 2))


def _mark(exercise: Exercise, program: Program, place: Workplace, seed: int) -> Mark:
    refusal = program.refusal(exercise)
    subjects, why = ([], "") if refusal else place.answers(exercise)
    if refusal or why:
        return _nothing(exercise, refusal or why)
    report = judged(exercise, subjects, seed)
    rows = tuple(_row(outcome) for outcome in report.outcomes)
    message = "" if report.passed else _message(report)
    tried = sum(outcome.tried for outcome in report.outcomes)
    return Mark(exercise.id, report.earned, exercise.points, rows, message, report.mistake or "", tried)


def _message(report: Report) -> str:
    _, wrong = report.failure
    return "not written yet" if wrong.unwritten else "\n".join(failure_lines(report))


def _row(outcome: Outcome) -> dict:
    each = outcome.property
    wrong = outcome.wrong.sentence if outcome.wrong else ""
    return {"name": each.name, "earned": outcome.earned, "points": each.points, "tried": outcome.tried, "wrong": wrong}


def _nothing(exercise: Exercise, why: str) -> Mark:
    rows = tuple(_row(Outcome(each, 0, {}, Wrong(why))) for each in exercise.properties)
    return Mark(exercise.id, 0, exercise.points, rows, why)
