"""The proof of the checks is kept, whole and up to date."""

import pytest

from mtlib.grading import prove

from .conftest import EXERCISES, SOURCES

KEPT = prove.read()


@pytest.mark.parametrize("id", EXERCISES)
def test_an_exercise_is_proved_as_it_stands(id):
    assert id in KEPT and KEPT[id]["digest"] == SOURCES.digest(EXERCISES[id]), "stale: run `make prove`"
    assert prove.faults(KEPT[id]) == []


def test_nothing_is_proved_that_is_no_exercise():
    assert set(KEPT) == set(EXERCISES)


def test_a_change_of_solution_or_checks_is_noticed(monkeypatch):
    scores = EXERCISES["attention.scores"]
    before = SOURCES.digest(scores)
    monkeypatch.setattr(SOURCES, "solution", lambda exercise: "def scores(q, k): ...")
    assert SOURCES.digest(scores) != before
    assert "attention.scores" in prove.stale(SOURCES)


def test_each_fault_is_told():
    good = KEPT["attention.scores"]
    bad = good | {"solution": 1, "stub": 1, "others": 1, "unnamed": ["m"], "alive": ["a"], "refused": ["r"]}
    assert len(prove.faults(bad)) == 6 and prove.faults(good) == []
