"""Ctrl-C and a polite kill, heard at the end of a step and not in the middle of one.

A notebook's stop button sends SIGINT, a cluster's scheduler SIGTERM before it takes the machine.
"""

import os
import signal
import threading
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any

GRACE = 20.0  # seconds; torchrun kills after 30


class Stop:
    """While the block runs, the first SIGINT or SIGTERM only sets `asked`; a second SIGINT interrupts as ever.

    With `give_up`, a SIGTERM that nobody answers within GRACE seconds ends the process after
    that call: one that waits inside a collective for a lost peer runs no Python by itself.
    Signals go to the main thread; in any other the block changes nothing.
    """

    def __init__(self, give_up: Callable[[], None] | None = None):
        self.asked = False
        self._give_up = give_up
        self._before: dict[int, Any] = {}
        self._over = threading.Event()

    def __enter__(self) -> "Stop":
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._hear) for number in (signal.SIGINT, signal.SIGTERM)}
            if self._give_up is not None:
                self._listen()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._over.set()
        for number, handler in self._before.items():
            signal.signal(number, handler)
        if self._before and self._give_up is not None:
            signal.set_wakeup_fd(self._wakeup)

    def _hear(self, number: int, frame: FrameType | None) -> None:
        self.asked = True
        if number == signal.SIGINT:
            signal.signal(signal.SIGINT, signal.default_int_handler)

    def _listen(self) -> None:
        # Python writes the signal's number here from C, whatever the main thread is waiting for.
        hears, tells = os.pipe()
        os.set_blocking(tells, False)
        self._wakeup = signal.set_wakeup_fd(tells, warn_on_full_buffer=False)
        threading.Thread(target=self._watch, args=(hears,), daemon=True).start()

    def _watch(self, hears: int) -> None:
        while number := os.read(hears, 1):
            if number[0] == signal.SIGTERM and not self._over.wait(GRACE) and self._give_up is not None:
                self._give_up()
                os._exit(1)
