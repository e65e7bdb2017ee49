"""Hypothesis, as the checks use it: to find the smallest case that fails, once one is known. Imported when needed.

It stores nothing between runs.
"""

import os
from collections.abc import Callable
from functools import cache
from pathlib import Path

import hypothesis
import hypothesis.configuration
import platformdirs
from hypothesis import HealthCheck, Phase, Verbosity
from hypothesis import strategies as st

from .draw import Draw

# hypothesis keeps notes on source files in the working folder, which is the learner's: keep them elsewhere.
_CACHE = os.environ.get("MTLIB_CACHE") or platformdirs.user_cache_dir("mtlib", appauthor=False)
hypothesis.configuration.set_hypothesis_home_dir(Path(_CACHE) / "hypothesis")

_integers, _bytes = cache(st.integers), cache(st.binary)  # to find a strategy made before costs more than to draw


class Shrinking:
    """Numbers from hypothesis, which can find the simplest that still fail."""

    def __init__(self, draw: Callable):
        self._draw = draw

    def whole(self, low: int, high: int) -> int:
        return self._draw(_integers(low, high))

    def bytes(self, count: int) -> bytes:
        return self._draw(_bytes(min_size=count, max_size=count))


@st.composite
def _drawn(draw: Callable, cases: Callable, rough: bool) -> dict:
    return cases(Draw(Shrinking(draw), rough))


def shrink(cases: Callable, rough: bool, tries: int, seed: int, attempt: Callable) -> None:
    """Call `attempt(case)` with ever smaller cases for as long as it raises, until it raises a KeyboardInterrupt."""
    settings = hypothesis.settings(
        max_examples=tries,
        phases=[Phase.generate, Phase.shrink],
        database=None,
        deadline=None,
        report_multiple_bugs=False,
        print_blob=False,
        verbosity=Verbosity.quiet,
        suppress_health_check=list(HealthCheck),
    )
    try:
        hypothesis.seed(seed)(settings(hypothesis.given(_drawn(cases, rough))(attempt)))()
    except hypothesis.errors.Flaky:
        pass  # an answer that changes from call to call; what failed once is known
