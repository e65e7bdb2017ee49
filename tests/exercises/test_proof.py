"""The proof of the checks is kept, whole and up to date."""

from dataclasses import replace

import pytest

from mtlib.exercises.attention.scores import reference
from mtlib.grading import prove
from mtlib.grading.exercise import Mistake

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


def test_a_mistake_that_cannot_take_the_arguments_proves_nothing(hasty):
    scores = EXERCISES["attention.scores"]

    def told(*answers, raises=""):
        mistake = Mistake("a new one", *answers, raises=raises)
        return prove.unproved(replace(scores, mistakes=(mistake, *scores.mistakes)), mistake)

    assert "raises TypeError" in told(lambda q: q) and told(lambda q: q, raises="TypeError") == ""
    assert told(lambda q, k: q[..., :1, :] @ k.mT) == ""
    assert "passes" in told(reference)
    assert "named: the plain dot product" in prove.unproved(scores, Mistake("a new one", lambda q, k: q @ k.mT))
