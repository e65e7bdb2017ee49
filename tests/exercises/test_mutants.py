"""One small slip in a right answer, and the checks must see it: each day another sample of all slips."""

import ast

import pytest

from mtlib.grading.mutants import mutants_of, survivors

from .conftest import EXERCISES, SOURCES, of_today

EACH = pytest.mark.parametrize("exercise", EXERCISES.values(), ids=EXERCISES)


def surviving(exercise, mutants):
    names = SOURCES.names(exercise.id.partition(".")[0], solved=True)
    return [m.change for m in survivors(exercise, mutants, names)]


@EACH
def test_a_slip_does_not_pass(exercise):
    right_too = SOURCES.equivalent(exercise)
    slips = [m for m in mutants_of(SOURCES.solution(exercise)) if m.change not in right_too]
    assert slips and surviving(exercise, of_today(slips, 7)) == []


@EACH
def test_what_is_listed_as_right_too_is_a_mutant_and_passes(exercise):
    listed = [m for m in mutants_of(SOURCES.solution(exercise)) if m.change in SOURCES.equivalent(exercise)]
    assert {m.change for m in listed} == set(SOURCES.equivalent(exercise))
    tried = of_today(listed, 5)
    assert surviving(exercise, tried) == [m.change for m in tried]


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
