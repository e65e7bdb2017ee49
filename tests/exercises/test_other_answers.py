"""Right answers written otherwise than ours. Each must pass: a check that refuses one would teach falsely."""

import pytest

from mtlib.grading.run import grade

from .conftest import EXERCISES, SOURCES, of_today

CASES = [(id, answer) for id, exercise in EXERCISES.items() for answer in of_today(SOURCES.others(exercise), 3)]


@pytest.mark.parametrize(("id", "answer"), CASES, ids=[answer[0].__name__ for _, answer in CASES])
def test_another_right_answer_passes(id, answer):
    failure = grade(EXERCISES[id], answer, 11, mtlibs_own=True).first_failure
    assert failure is None, (failure.property.name, failure.wrong, failure.case)


def test_every_exercise_has_two_other_answers():
    assert {id for id, exercise in EXERCISES.items() if len(SOURCES.others(exercise)) >= 2} == set(EXERCISES)
