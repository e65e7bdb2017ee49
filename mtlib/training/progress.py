"""What is seen of a run while it goes on: a bar, and in a notebook the curve as it grows."""

import sys
import time
from typing import Any

from .record import Eval, Record

REDRAW = 2.0  # seconds between two drawings of the curve
SMOOTH = 0.9  # of the loss beside the bar: about its last ten


class Progress:
    """A bar of `total` updates, `done` of them made before. `quiet`, or without tqdm, it shows nothing but lines."""

    def __init__(self, total: int, done: int, record: Record, *, quiet: bool = False):
        self.quiet, self.record = quiet, record
        self._bar = None if quiet else _bar(total, done)
        self._picture = _Picture(record) if not quiet and in_notebook() else None
        self._loss: float | None = None

    def update(self, loss: float, lr: float) -> None:
        self._loss = loss if self._loss is None else SMOOTH * self._loss + (1 - SMOOTH) * loss
        if self._bar is not None:
            self._bar.set_postfix_str(f"loss {self._loss:.3f}, lr {lr:.1e}", refresh=False)
            self._bar.update()
        if self._picture is not None:
            self._picture.redraw()

    def scores(self, seen: Eval) -> None:
        s = seen.scores
        self.say(f"after {seen.step} updates, held-out: loss {s.loss:.4f}, accuracy {s.accuracy:.1%}, exact {s.exact:.1%}")

    def say(self, line: str) -> None:
        """A line above the bar."""
        if self.quiet:
            return
        if self._bar is None:
            print(line, flush=True)
        else:
            self._bar.write(line)

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()
        if self._picture is not None:
            self._picture.redraw(now=True)


class _Picture:
    """The record's curve in one place of the notebook, drawn anew now and then."""

    def __init__(self, record: Record):
        from IPython.display import display

        self.record, self._drawn = record, time.monotonic()
        self._handle = display(record, display_id=True)

    def redraw(self, *, now: bool = False) -> None:
        if now or time.monotonic() - self._drawn > REDRAW:
            self._handle.update(self.record)
            self._drawn = time.monotonic()


def in_notebook() -> bool:
    """Whether what is displayed is seen as more than text."""
    shell = sys.modules.get("IPython")
    found = shell.get_ipython() if shell else None
    return found is not None and hasattr(found, "kernel")


def _bar(total: int, done: int) -> Any:
    try:
        from tqdm.auto import tqdm
    except ImportError:  # it is in the extra [train]; a run does not need it
        return None
    return tqdm(total=total, initial=done, unit="update", mininterval=0.2, file=None if in_notebook() else sys.stderr)
