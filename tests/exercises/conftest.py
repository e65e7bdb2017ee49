"""What the exercise tests share: the repository's sources, and a quicker search."""

from pathlib import Path

import pytest

from mtlib.grading import search
from mtlib.grading.sources import Sources

SOURCES = Sources(Path(__file__).resolve().parents[2])
EXERCISES = SOURCES.exercises


@pytest.fixture
def hasty(monkeypatch):
    """Little time to shrink: these tests ask whether a mistake is caught and named, not how small it gets."""
    monkeypatch.setattr(search, "SHRINK_SECONDS", 0.1)
