"""A worker: runs one submission's cells and then answers what it is asked. It knows no check and no other submission.

It runs after `confine` has taken away what the learner's code does not need. Everything here is in that code's reach:
the grader believes nothing that comes from it but the values themselves, and those it compares.

A request is a dict with a number that the reply repeats. Its words are `cell` (run a cell), `answer` (which name is
the answer to be asked from now on) and the seven words of a `Subject`.
"""

import builtins
import contextlib
import linecache
import os
import signal
import socket
import sys
import warnings
from collections.abc import Iterator
from typing import Any

from .forbid import found, library_of
from .local import Hush, UnguardedSubject
from .plain import describe_type
from .subject import Reply, Subject
from .trouble import Trouble, trouble_of
from .wire import Handle, Unreadable, pack, unpack


class TooLong(BaseException):
    """Raised inside the learner's code when its time is over; not an Exception, which their code may catch."""


def serve(connection: socket.socket) -> None:
    """Answer requests until the grader hangs up."""
    desk = Desk()

    ahead = bytearray()

    def read(count: int) -> bytes:
        while len(ahead) < count:
            part = connection.recv(1 << 20)
            if not part:
                raise EOFError
            ahead.extend(part)
        data = bytes(ahead[:count])
        del ahead[:count]
        return data

    while True:
        try:
            request = unpack(read)
        except (EOFError, OSError, Unreadable):
            return
        reply = {"id": request["id"], **desk.answer(request)}
        try:
            frame = pack(reply)
        except Exception as error:  # a dtype of no name, or more numbers than may cross
            frame = pack({"id": request["id"], "trouble": _told(trouble_of(error))})
        connection.sendall(frame)


class Desk:
    """The notebook's names, and every object of the learner's that the grader has a handle of."""

    def __init__(self) -> None:
        self.names: dict[str, Any] = {"__name__": "__main__", "__builtins__": builtins, "display": _nothing}
        self.names["get_ipython"] = lambda: None
        self.subjects: dict[int, Subject] = {}

    def answer(self, request: dict) -> dict:
        """What there is to say to a request: a value and the arguments after the call, or trouble."""
        try:
            with _within(request["seconds"]):
                if request["word"] == "cell":
                    return self.run(request["name"], request["source"])
                if request["word"] == "answer":
                    return {"value": self.enter(request)}
                args = self._inward(request["args"])
                reply = self.subjects[request["on"]].ask(request["word"], args)
            return self._outward(reply)
        except BaseException as error:  # an interrupt, or an exception of the learner's own that is no Exception
            return {"trouble": _told(trouble_of(error))}

    def run(self, name: str, source: str) -> dict:
        """Run a cell in the notebook's names."""
        linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
        exec(compile(source, name, "exec"), self.names)
        return {}

    def enter(self, request: dict) -> dict:
        """Make a name of the notebook the subject of that number; says what is wrong with it, if anything is."""
        name, forbid = request["name"], request["forbid"]
        if name not in self.names:
            return {"missing": True}
        target = self.names[name]
        if not callable(target) or (name[0].isupper() and not isinstance(target, type)):
            return {"is": describe_type(target)}
        self.subjects[request["on"]] = UnguardedSubject(target, forbid)
        return {"forbidden": found(target, forbid), "mtlibs": library_of(target, request["allow"])}

    def _inward(self, value: Any) -> Any:
        if type(value) is tuple:
            return tuple(self._inward(part) for part in value)
        return self.subjects[value.number] if type(value) is Handle else value

    def _outward(self, reply: Reply) -> dict:
        if reply.trouble:
            return {"trouble": _told(reply.trouble)}
        return {"value": self._with_handles(reply.value), "after": reply.after}

    def _with_handles(self, value: Any) -> Any:
        if type(value) is tuple:
            return tuple(self._with_handles(part) for part in value)
        if not isinstance(value, Subject):
            return value
        number = len(self.subjects) + 1000
        self.subjects[number] = value
        return Handle(number)


@contextlib.contextmanager
def _within(seconds: float) -> Iterator[None]:
    """Interrupt what takes longer, where the system has such an alarm; the grader has a harder one."""
    if not hasattr(signal, "setitimer"):
        yield
        return

    def over(number, frame):
        raise TooLong(f"it ran for {seconds:g} s without an end")

    signal.signal(signal.SIGALRM, over)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _told(trouble: Trouble) -> dict:
    return {"type": trouble.type, "text": trouble.text, "where": trouble.where, "kinds": trouble.kinds}


def _nothing(*_: Any, **__: Any) -> None:
    """What `check`, `hint` and `display` do in a worker."""


class _NoExercises:
    """No checks and no references for the learner's code; under bubblewrap the files are not there either."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> None:
        if name.startswith("mtlib.exercises."):
            raise ModuleNotFoundError(f"{name} is not there when answers are scored", name=name)


def prepare(training: bool) -> None:
    """Load what submissions use, once: every worker forked later has it."""
    import numpy  # noqa: F401
    import torch

    from mtlib import grading

    torch.set_num_threads(1)
    if training:
        weight = torch.nn.Parameter(torch.ones(1))
        weight.sum().backward()
        torch.optim.SGD([weight]).step()
    grading.check = grading.hint = _nothing
    for name in [name for name in sys.modules if name.startswith("mtlib.exercises.")]:
        del sys.modules[name]
    sys.meta_path.insert(0, _NoExercises())
    warnings.simplefilter("ignore")  # a right answer that warns is a right answer
    sys.stdout = sys.stderr = Hush()
    null = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1) if os.environ.get("MTLIB_GRADE_DEBUG") else (0, 1, 2):
        os.dup2(null, standard)
