"""The fork server: loads torch once, then forks a confined worker for each submission that it is handed.

It runs our code only. On its control socket arrives one byte with two sockets: the worker's connection, and a
lifeline. Beside each worker stays a guardian, outside the worker's reach, which tells on the lifeline how the worker
ended, and ends the worker when the grader lets go of the line. Started as `python -c "… server.main(fd, mode)"`:
mode "apart" gives every worker namespaces of its own, "bare" (no bubblewrap) does not, "single" is no server but one
worker in a sandbox of its own.
"""

import os
import select
import signal
import socket

from . import confine, worker


def main(control: int, mode: str, training: bool) -> None:
    """Serve until the grader hangs up."""
    line = socket.socket(fileno=control)
    if mode == "single":
        worker.prepare(training)
        confine.limits()
        line.sendall(b"1" if confine.filter_calls() else b"0")
        worker.serve(line)
        return
    able = mode == "bare" or _can_part()
    if not able:
        line.sendall(b"-")  # the grader will start single workers
        return
    worker.prepare(training)
    line.sendall(b"1")
    while True:
        byte, sockets, _, _ = socket.recv_fds(line, 1, 2)
        if not byte:
            return
        _reap()
        if os.fork() == 0:
            line.close()
            try:
                connection, lifeline = sockets
                _guard(connection, lifeline, apart=mode == "apart")
            finally:
                os._exit(0)
        for number in sockets:
            os.close(number)


def _can_part() -> bool:
    """Whether this kernel lets a process inside the sandbox have namespaces of its own."""
    child = os.fork()
    if child == 0:
        os._exit(0 if confine.namespaces() else 1)
    return os.waitpid(child, 0)[1] == 0


def _reap() -> None:
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


def _guard(connection: int, lifeline: int, apart: bool) -> None:
    """Start the worker, watch it, and say how it ended."""
    confine.die_with_parent()
    if apart and not confine.namespaces():
        os._exit(1)
    child = os.fork()
    if child == 0:
        os.close(lifeline)
        try:
            _work(connection, apart)
        finally:
            os._exit(0)
    os.close(connection)
    status = _wait(child, lifeline)
    os.write(lifeline, status.to_bytes(4, "big"))


def _wait(child: int, lifeline: int) -> int:
    """The worker's exit status, or after the grader has let go, that of its end."""
    ended = os.pidfd_open(child) if hasattr(os, "pidfd_open") else None
    while True:
        watched = [lifeline] if ended is None else [lifeline, ended]
        ready = select.select(watched, [], [], 0.02 if ended is None else None)[0]
        if lifeline in ready:
            os.kill(child, signal.SIGKILL)
        done, status = os.waitpid(child, 0 if ready else os.WNOHANG)
        if done:
            return status


def _work(connection: int, apart: bool) -> None:
    confine.die_with_parent()
    confine.limits()
    if apart and not confine.furnish():
        os._exit(2)
    confine.filter_calls()
    worker.serve(socket.socket(fileno=connection))
