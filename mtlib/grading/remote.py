"""The learner's notebook in a worker, and subjects there: how checks reach code that cannot reach them.

A `Workplace` runs the cells, once for each worker, and asks. When a worker is lost to an endless loop or an exit, the
next question gets a new one, without the cells that were its end; so one bad cell or function costs what depends
on it and nothing else.
"""

import time
from typing import Any

from .exercise import Exercise
from .sandbox import Gone, Nursery, Worker
from .subject import Reply, Subject
from .trouble import Trouble
from .wire import Handle

CELL_SECONDS, SECOND_CALL_SECONDS, ALL_SECONDS, MOST_LOST = 10.0, 1.0, 150.0, 12


class Workplace:
    """One submission: its cells as (name, source), the worker that has run them, and what went wrong on the way."""

    def __init__(self, nursery: Nursery, cells: list[tuple[str, str]]):
        self._nursery, self._cells = nursery, cells
        self._worker: Worker | None = None
        self._skip: set[str] = set()
        self._answers: list[dict] = []
        self._until = time.monotonic() + ALL_SECONDS
        self.troubles: dict[str, str] = {}  # cell -> what went wrong there
        self.lost = 0  # workers so far
        self.hasty = False  # a call of this exercise did not come back: the next ones get less time

    def answers(self, exercise: Exercise) -> tuple[list["RemoteSubject"], str]:
        """A subject for each answer of an exercise, or why the answers are not even tried."""
        self.hasty = False
        subjects = []
        for name in exercise.answers:
            number = len(self._answers)
            request = {"word": "answer", "name": name, "on": number, "forbid": exercise.forbid, "allow": exercise.allow}
            try:
                worker = self._ready()
                said = worker.ask(request, CELL_SECONDS).get("value")
            except Gone as gone:
                return [], str(gone)
            refusal = _refusal(name, said)
            if refusal:
                return [], refusal
            self._answers.append(request)
            subjects.append(RemoteSubject(self, number, self.lost, root=True))
        return subjects, ""

    def ask(self, number: int, born: int | None, word: str, args: Any, seconds: float) -> Any:
        """The reply to one of a subject's words; raises Gone. `born` is set for what lives in one worker only."""
        worker = self._ready()
        if born is not None and born != self.lost:
            raise Gone("what your class built is gone with the process that held it")
        seconds = min(seconds, SECOND_CALL_SECONDS) if self.hasty else seconds
        try:
            return worker.ask({"word": word, "on": number, "args": args}, seconds)
        except Gone:
            self.hasty = True
            raise

    def close(self) -> None:
        """End the worker."""
        if self._worker is not None:
            self._worker.end()

    def _ready(self) -> Worker:
        """The worker, or a new one that has run the cells and knows the answers."""
        while self._worker is None or self._worker.gone:
            if time.monotonic() > self._until:
                raise Gone(f"the {ALL_SECONDS:g} s that a notebook may take were over")
            self.lost += self._worker is not None
            if self.lost > MOST_LOST:
                raise Gone(f"Python ended {self.lost} times; no further worker was started")
            self._worker = self._nursery.worker()
            try:
                self._run_cells(self._worker)
                for request in self._answers:
                    self._worker.ask(request, CELL_SECONDS)
            except Gone:
                continue
        if time.monotonic() > self._until:
            self._worker.end("")
            raise Gone(f"the {ALL_SECONDS:g} s that a notebook may take were over")
        return self._worker

    def _run_cells(self, worker: Worker) -> None:
        again = []
        for name, source in self._cells:
            if name not in self._skip and self._run_cell(worker, name, source) == "NameError":
                again.append((name, source))
        for name, source in again:  # cells out of order: what they lacked may have come later
            self._run_cell(worker, name, source)

    def _run_cell(self, worker: Worker, name: str, source: str) -> str:
        """Run one cell; the type of its error, if it had one."""
        try:
            trouble = _trouble(worker.ask({"word": "cell", "name": name, "source": source}, CELL_SECONDS))
        except Gone as gone:
            self._skip.add(name)
            self.troubles[name] = str(gone)
            raise
        if trouble is None:
            self.troubles.pop(name, None)
            return ""
        if trouble.fatal:
            self._skip.add(name)
        self.troubles[name] = " · ".join(filter(None, [str(trouble).removeprefix("TooLong: "), trouble.where]))
        return trouble.type


class RemoteSubject(Subject):
    """The learner's code in a worker."""

    def __init__(self, place: Workplace, number: int, born: int, root: bool = False, log: list | None = None):
        super().__init__(log)
        self._place, self._number, self._born, self._root = place, number, born, root

    def ask(self, word: str, args: tuple) -> Reply:
        try:
            born = None if self._root else self._born
            said = self._place.ask(self._number, born, word, self._outward(args), self.patience)
        except Gone as gone:
            return Reply(trouble=Trouble("Gone", str(gone)))
        trouble = _trouble(said)
        if trouble is not None:
            self._place.hasty |= trouble.fatal
            return Reply(trouble=trouble)
        after = said.get("after")
        return Reply(self._inward(said.get("value")), after if type(after) is tuple else ())

    def _outward(self, value: Any) -> Any:
        if type(value) is tuple:
            return tuple([self._outward(part) for part in value])
        return Handle(value._number) if type(value) is RemoteSubject else value

    def _inward(self, value: Any) -> Any:
        if type(value) is tuple:
            return tuple([self._inward(part) for part in value])
        if type(value) is Handle:
            child = RemoteSubject(self._place, value.number, self._place.lost, log=self.log)
            child.patience = self.patience
            return child
        return value


def _trouble(said: dict) -> Trouble | None:
    """The trouble a reply tells of, put together from text and nothing else."""
    told = said.get("trouble")
    if told is None:
        return None
    if type(told) is not dict:
        return Trouble("Gone", "what came back cannot be read")
    type_, text, where = (str(told.get(key, ""))[:300] for key in ("type", "text", "where"))
    kinds = told.get("kinds", ())
    return Trouble(type_, text, where, tuple(str(kind)[:100] for kind in kinds) if type(kinds) is tuple else ())


def _refusal(name: str, said: Any) -> str:
    if type(said) is not dict:
        return f"{name} could not be looked at"
    if said.get("missing"):
        return f"there is no {name} in the notebook"
    if said.get("is"):
        wanted = "the class itself" if name[0].isupper() else "a function"
        return f"{name} should be {wanted}, and this is {str(said['is'])[:80]}"
    if said.get("forbidden"):
        return f"{str(said['forbidden'])[:80]} is the whole exercise; write what it does"
    return f"that is mtlib's own {str(said['mtlibs'])[:80]}; write yours" if said.get("mtlibs") else ""


