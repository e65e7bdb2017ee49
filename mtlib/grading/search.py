"""The search for a case on which a promise is broken, within a bounded time: at random, and then by hypothesis for
the smallest.

Nothing is stored between runs: a check draws fresh cases each time, and a seed makes it repeatable.
"""

import time
from typing import Any

import torch

from .draw import throws
from .exercise import Property
from .judge import Wrong

SEARCH_SECONDS, SHRINK_SECONDS = 1.5, 1.5  # for one property; a right answer needs a tenth of the first
FEWEST = 5  # cases to be tried of each share, or a third of it, or all of a smaller one
PATIENCE_SECONDS = 10.0  # for an answer so slow that in the first time hardly any case could be tried


class _OutOfTime(KeyboardInterrupt):
    """Hypothesis lets an interrupt through at once; any other exception it would take for a failing case."""


class Search:
    """One search, which remembers the smallest failing case by our own measure of small."""

    def __init__(self, each: Property, subjects: list, shrink: bool, patient: bool = True):
        self.property, self.subjects, self.shrink = each, subjects, shrink
        self.tried, self.floor = 0, 0
        self.case: dict | None = None
        self.wrong: Wrong | None = None
        self.patience = max(PATIENCE_SECONDS, SEARCH_SECONDS, each.patience) if patient else SEARCH_SECONDS
        self.began, self.worked = time.monotonic(), time.process_time()
        self.shrink_until = float("inf")

    def run(self, rough: bool, tries: int, seed: int) -> None:
        """Try so many cases. When time runs out with next to none tried, that is what is wrong with the answer."""
        self.floor = min(tries, max(FEWEST, tries // 3))
        try:
            for case in throws(self.property.cases, rough, tries, seed):
                self._attempt(case)
        except Wrong:
            self._look_for_a_smaller(rough, max(tries, 100), seed)
        except _OutOfTime:
            if self.wrong is None and self.tried < self.floor:
                held = f"only {self.tried} of {tries} cases could be tried in {self.patience:.2g} s"
                self.wrong = Wrong(f"{held}; make it faster")

    def _look_for_a_smaller(self, rough: bool, tries: int, seed: int) -> None:
        from .shrink import shrink  # hypothesis loads with the first answer that fails

        try:
            shrink(self.property.cases, rough, tries, seed, self._attempt)
        except (Wrong, _OutOfTime):
            pass  # what was found is in self.case

    def _attempt(self, case: dict) -> None:
        if self._out_of_time():
            raise _OutOfTime
        try:
            self.property.judge(case, *self.subjects)
        except Wrong as wrong:
            self._remember(case, wrong)
            raise
        except Exception as error:  # a judge stumbled over what it was given
            text = str(error).splitlines()[0][:100] if str(error) else ""
            unread = Wrong(f"what came back cannot be read ({type(error).__name__}: {text}); look at its form first")
            self._remember(case, unread)
            raise unread from None
        finally:
            self.tried += self.wrong is None

    def _out_of_time(self) -> bool:
        """A slow answer is given more time until it has been tried on a few cases: slow is not yet wrong."""
        if self.wrong is not None:
            return time.monotonic() > self.shrink_until
        elapsed = time.monotonic() - self.began
        if self.tried >= self.floor:
            return elapsed > SEARCH_SECONDS
        return max(elapsed / 2, time.process_time() - self.worked) > self.patience  # a busy machine is not their fault

    def _remember(self, case: dict, wrong: Wrong) -> None:
        if self.wrong is None:
            self.tried += 1
            self.shrink_until = time.monotonic() + SHRINK_SECONDS
        if self.wrong is None or burden(case) <= burden(self.case):
            self.case, self.wrong = case, wrong
        if wrong.unwritten or wrong.fatal or not self.shrink:
            raise _OutOfTime


def burden(value: Any) -> float:
    """How much there is to read in a case: entries, then their size.

    >>> burden({"x": torch.ones(2)}) < burden({"x": torch.ones(3)})
    True
    """
    if isinstance(value, dict):
        return sum(burden(item) for item in value.values())
    if isinstance(value, torch.Tensor):
        numbers = value.double()
        return (
            4.0 * value.numel() + 2 * value.ndim + float((numbers != numbers.round()).sum() + numbers.abs().sum()) / 4
        )
    return float(abs(value)) if isinstance(value, (int, float)) else 1.0
