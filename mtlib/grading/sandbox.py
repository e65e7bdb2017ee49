"""Where workers come from: a fork server under bubblewrap, or the best that the machine allows, said in one line.

- bubblewrap and namespaces in namespaces: one server loads torch, each submission gets a fork of its own world.
- bubblewrap alone: each submission starts its own sandbox, and loads torch again.
- neither: a fork server without a sandbox. Time, memory, processes and sockets are still bounded where the kernel
  helps, but the learner's code can read and write what you can.

`Worker.ask` has a deadline, and whatever a worker does is either a reply to the very request or its end, a `Gone`.
"""

import os
import secrets
import shutil
import socket
import subprocess
import sys
import time

from . import bubble
from .wire import Unreadable, pack, unpack

START_SECONDS, GRACE_SECONDS = 60.0, 2.0  # to load torch on a busy machine; after a worker's own alarm
_ENVIRONMENT = {
    "PATH": "/usr/bin:/bin", "HOME": "/tmp", "TMPDIR": "/tmp", "LANG": "C.UTF-8", "MTLIB_HOME": "/tmp",
    "MPLCONFIGDIR": "/tmp", "MPLBACKEND": "agg", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1",
    "PYTHONDONTWRITEBYTECODE": "1",
}  # fmt: skip


class Gone(Exception):
    """The worker is no more; the message says how it ended."""


class Nursery:
    """Starts workers. Shared by all processes of a batch, which are forked after it is made.

    `training`: some notebook uses an optimiser, of which torch loads much at the first step; so that is done once.
    """

    def __init__(self, training: bool = False):
        bwrap = self._bwrap = shutil.which("bwrap")
        self._training = training
        self.warning, self._mode = "", "apart"
        self._process: subprocess.Popen | None = None
        self._line: socket.socket | None = None
        if bwrap and self._start():
            return
        if bwrap and bubble.works(bwrap):
            self.warning = "this kernel allows no namespaces inside the sandbox: torch is loaded for each submission"
            self._mode = "single"
            return
        why = "bubblewrap does not work on this kernel" if bwrap else "there is no bubblewrap (bwrap) here"
        self.warning = f"{why}: submissions run with limits only, and your files are open to them"
        self._bwrap, self._mode = None, "bare" if hasattr(os, "fork") else "single"
        if self._mode == "bare" and not self._start():
            raise RuntimeError("no worker could be started: is torch whole in this Python?")

    def _start(self) -> bool:
        """Start a fork server; False where the kernel refuses."""
        self._process, self._line = _launch(self._mode, self._bwrap, self._training)
        return _greeting(self._line) == b"1"

    def worker(self) -> "Worker":
        """A fresh worker. Raises Gone where none can be had."""
        if self._mode == "single" or self._line is None:
            return self._single()
        (ours, theirs), (life, guardian) = socket.socketpair(), socket.socketpair()
        with theirs, guardian:
            try:
                socket.send_fds(self._line, [b"w"], [theirs.fileno(), guardian.fileno()])
            except OSError:  # the server is gone: this process gets one of its own
                if not self._start():
                    raise Gone("no worker could be started") from None
                socket.send_fds(self._line, [b"w"], [theirs.fileno(), guardian.fileno()])
        return Worker(ours, life)

    def _single(self) -> "Worker":
        process, line = _launch(self._mode, self._bwrap, self._training)
        if _greeting(line) not in (b"0", b"1"):
            raise Gone("no worker could be started")
        return Worker(line, None, process)

    def close(self) -> None:
        """End the server and with it every worker."""
        if self._line is not None:
            self._line.close()
        if self._process is not None:
            self._process.kill()
            self._process.wait()


class Worker:
    """One process of the learner's code, at the other end of a socket."""

    def __init__(self, connection: socket.socket, life: socket.socket | None, process: subprocess.Popen | None = None):
        self._connection, self._life, self._process = connection, life, process
        self._ahead = bytearray()  # what has arrived and is not read yet
        self.gone = ""

    def ask(self, request: dict, seconds: float) -> dict:
        """The reply to a request, or Gone: when it takes longer, when the worker ends, when the reply is none."""
        if self.gone:
            raise Gone(self.gone)
        number = secrets.token_hex(8)  # a reply written before its request was known does not count
        deadline = time.monotonic() + seconds + GRACE_SECONDS
        try:
            self._connection.settimeout(seconds + GRACE_SECONDS)
            self._connection.sendall(pack({"id": number, "seconds": float(seconds), **request}))
            reply = unpack(lambda count: self._read(count, deadline))
            if type(reply) is not dict or reply.get("id") != number:
                raise Unreadable("a reply to another question")
            return reply
        except TimeoutError:
            self.end(f"it ran for {seconds:g} s without an end")
        except (EOFError, OSError):
            self.end(self._how_it_ended())
        except Unreadable as error:
            self.end(f"what came back cannot be read ({error})")
        raise Gone(self.gone)

    def _read(self, count: int, deadline: float) -> bytes:
        while len(self._ahead) < count:
            self._connection.settimeout(max(deadline - time.monotonic(), 0.001))
            part = self._connection.recv(1 << 20)
            if not part:
                raise EOFError
            self._ahead += part
        data = bytes(self._ahead[:count])
        del self._ahead[:count]
        return data

    def end(self, why: str = "it was ended") -> None:
        """Kill the worker, and remember why."""
        self.gone = self.gone or why
        self._connection.close()
        if self._life is not None:
            self._life.close()
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def _how_it_ended(self) -> str:
        status = b""
        if self._life is not None:
            self._life.settimeout(GRACE_SECONDS)
            try:
                status = self._life.recv(4)
            except OSError:
                pass
        code = os.waitstatus_to_exitcode(int.from_bytes(status, "big")) if len(status) == 4 else None
        if code is None:
            return "your code ended Python"
        return f"your code ended Python (exit status {code})" if code >= 0 else f"Python was killed (signal {-code})"


def _launch(mode: str, bwrap: str | None, training: bool) -> tuple[subprocess.Popen, socket.socket]:
    ours, theirs = socket.socketpair()
    code = f"import sys; sys.path.insert(0, {str(bubble.PACKAGE.parent)!r})\nfrom mtlib.grading import server"
    command = [sys.executable, "-I", "-c", f"{code}\nserver.main({theirs.fileno()}, {mode!r}, {training})"]
    command = [*(bubble.command_of(bwrap) if bwrap else []), *command]
    quiet = None if os.environ.get("MTLIB_GRADE_DEBUG") else subprocess.DEVNULL
    process = subprocess.Popen(
        command, pass_fds=[theirs.fileno()], env=_ENVIRONMENT, cwd="/tmp", stdin=subprocess.DEVNULL,
        stdout=quiet, stderr=quiet, start_new_session=True,
    )  # fmt: skip
    theirs.close()
    return process, ours


def _greeting(line: socket.socket) -> bytes:
    line.settimeout(START_SECONDS)
    try:
        return line.recv(1)
    except OSError:
        return b""
    finally:
        line.settimeout(None)
