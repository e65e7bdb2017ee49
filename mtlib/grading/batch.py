"""Many notebooks, several at a time: a grader is forked for each, so that whatever one does, the batch goes on."""

import json
import os
import select
import signal
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

from .grade import Mark, Sheet

FILE_SECONDS = 300.0  # for one notebook, when the grader itself does not come back


def grade_files(paths: list[Path], jobs: int, grade_one: Callable[[Path], Sheet]) -> Iterator[Sheet]:
    """The sheets of all files, as they are ready, `jobs` at a time. A grader that dies costs its own file only."""
    if not hasattr(os, "fork"):
        yield from map(grade_one, paths)
        return
    waiting = list(reversed(paths))
    running: dict[int, _Job] = {}  # by its pipe
    while waiting or running:
        while waiting and len(running) < jobs:
            job = _Job(waiting.pop(), grade_one)
            running[job.pipe] = job
        ready = select.select(list(running), [], [], 0.5)[0]
        for pipe in [p for p, job in running.items() if p in ready and job.ended() or job.overdue()]:
            yield running.pop(pipe).sheet()


@dataclass
class _Job:
    """One forked grader, and what has come back of its sheet."""

    path: Path
    grade_one: Callable
    text: bytearray = field(default_factory=bytearray)

    def __post_init__(self):
        self.until = time.monotonic() + FILE_SECONDS
        self.pipe, theirs = os.pipe()
        sys.stdout.flush()
        self.process = os.fork()
        if self.process == 0:
            try:
                sheet = self.grade_one(self.path)
            except Exception as error:  # ours, not theirs: it costs this file its grade, and is said
                sheet = Sheet(str(self.path), notes=(f"the grader stumbled ({type(error).__name__}: {error})",))
            try:
                with open(theirs, "w", encoding="utf-8") as file:
                    json.dump(asdict(sheet), file)
            finally:
                os._exit(0)
        os.close(theirs)

    def ended(self) -> bool:
        part = os.read(self.pipe, 1 << 20)
        self.text += part
        return not part

    def overdue(self) -> bool:
        return time.monotonic() > self.until

    def sheet(self) -> Sheet:
        os.close(self.pipe)
        if self.overdue():
            os.kill(self.process, signal.SIGKILL)
        os.waitpid(self.process, 0)
        try:
            told = json.loads(self.text)
        except ValueError:
            return Sheet(str(self.path), notes=("its grading did not come to an end; grade it by itself",))
        marks = tuple(Mark(**{**mark, "properties": tuple(mark["properties"])}) for mark in told.pop("marks"))
        return Sheet(**{**told, "marks": marks, "notes": tuple(told["notes"])})
