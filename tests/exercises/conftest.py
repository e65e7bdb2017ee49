"""What the exercise tests share: the repository's sources, a sample for each day, and a quicker search.

All mistakes, mutants and other right answers are tried by `make prove`, which keeps what it found in proof.json with a
digest of what went in. Tests hold the digest (`test_proof.py`) and try a sample, another one each day: what no digest
sees, such as a change to the grader itself, shows there.
"""

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from mtlib.grading import search
from mtlib.grading.sources import Sources

SOURCES = Sources(Path(__file__).resolve().parents[2])
EXERCISES = SOURCES.exercises
TODAY = int(os.environ["MTLIB_TEST_DAY"])


def of_today(things: Sequence, every: int) -> list:
    """One thing in so many, and one at least; each has its day."""
    return list(things[TODAY % min(every, len(things)) :: every]) if things else []


@pytest.fixture(autouse=True)
def as_a_learner_runs_it(shapes_unchecked):
    """Shapes inside mtlib are held by its own tests; here the hook would only double the time."""


@pytest.fixture
def hasty(monkeypatch):
    """Little time to shrink: these tests ask whether a mistake is caught and named, not how small it gets."""
    monkeypatch.setattr(search, "SHRINK_SECONDS", 0.1)
