"""One small slip in a right answer, and the checks must see it: a fixed sample of all slips, a few seconds long."""

import ast

import pytest

from mtlib.grading.mutants import mutants_of, survivors

from .conftest import EQUIVALENT, EXERCISES, answers_in, source_of_answer

EVERY = 7  # one mutant of so many
EACH = pytest.mark.parametrize("exercise", EXERCISES.values(), ids=EXERCISES)


def surviving(exercise, mutants):
    return [m.change for m in survivors(exercise, mutants, answers_in(exercise.id.partition(".")[0], solved=True))]


@EACH
def test_a_slip_does_not_pass(exercise):
    right_too = EQUIVALENT.get(exercise.id, {})
    slips = [m for m in mutants_of(source_of_answer(exercise)) if m.change not in right_too]
    assert slips and surviving(exercise, slips[::EVERY]) == []


@pytest.mark.parametrize("id", EQUIVALENT)
def test_what_is_listed_as_right_too_is_a_mutant_and_passes(id):
    listed = [m for m in mutants_of(source_of_answer(EXERCISES[id])) if m.change in EQUIVALENT[id]]
    assert surviving(EXERCISES[id], listed) == [m.change for m in listed]
    assert {m.change for m in listed} == set(EQUIVALENT[id])


def test_each_kind_of_slip_is_made():
    changes = "\n".join(m.change for m in mutants_of(SOURCE))
    for change in SLIPS:
        assert change in changes


def test_a_mutant_differs_from_the_original_and_leaves_words_alone():
    mutants = mutants_of(SOURCE)
    assert len({m.source for m in mutants}) == len(mutants)
    assert all(m.source != ast.unparse(ast.parse(SOURCE)) for m in mutants)
    assert all("'no more than 3'" in m.source or "raise" in m.change or "no if" in m.change for m in mutants)


SOURCE = '''
def f(x, n, keep=None):
    """Words: 1 < 2."""
    if n > 3:
        raise ValueError("no more than 3")
    x = x + n if not keep else -x
    return x.transpose(1, n, copy=True)[:, n]
'''
SLIPS = (
    "f: n > 3 -> n >= 3", "f: 3 -> 4 in n > 3", "f: no raise ValueError", "f: no if n > 3:", "f: not keep -> keep",
    "f: -x -> x", "f: x + n -> x - n", "f: x + n -> n + x", "f: x + n if not keep else -x -> -x if not keep else x + n",
    "f: x.transpose(1, n, copy=True) -> x.transpose(n, copy=True)", "-> x.transpose(1, n)",
    "f: x.transpose(1, n, copy=True) -> x", "f: True -> False", "f: (:, n) -> (:,)", "f: (:, n) -> (n, :)",
)  # fmt: skip
