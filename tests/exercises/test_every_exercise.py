"""What each exercise owes its learners; a new exercise is held to it without a new test."""

import re

import pytest

from mtlib.exercises import chapters, of_chapter
from mtlib.grading.prove import unproved
from mtlib.grading.run import grade

from .conftest import EXERCISES, SOURCES, of_today

EACH = pytest.mark.parametrize("exercise", EXERCISES.values(), ids=EXERCISES)
MISTAKES = [(e, m) for e in EXERCISES.values() for m in of_today(e.mistakes, 3)]


@EACH
def test_the_solution_keeps_every_promise(exercise):
    report = grade(exercise, SOURCES.answers(exercise, solved=True), 1)  # under nbmake it meets fresh cases each time
    assert report.passed and report.earned == exercise.points, report.first_failure
    assert all(outcome.tried >= min(9, outcome.property.tries) for outcome in report.outcomes)


@EACH
def test_the_stub_earns_nothing(exercise):
    report = grade(exercise, SOURCES.answers(exercise, solved=False), 1)
    assert report.earned == 0
    assert all(outcome.wrong.unwritten for outcome in report.outcomes)


@pytest.mark.parametrize(("exercise", "mistake"), MISTAKES, ids=[f"{e.id}-{i}" for i, (e, _) in enumerate(MISTAKES)])
def test_a_mistake_runs_and_is_rejected_by_its_name(exercise, mistake, hasty):
    assert unproved(exercise, mistake) == ""


@EACH
def test_the_prompt_states_what_the_declaration_says(exercise):
    facts = re.search(
        rf"^`{re.escape(exercise.id)}` · (.*?)\n\n", SOURCES.page(exercise.id.partition(".")[0]), re.S | re.M
    )
    assert facts is not None
    assert facts[1].startswith(f"{exercise.points} points · {exercise.minutes} minutes · read first: ")
    assert tuple(re.findall(r"\(#([\w-]+)\)", facts[1])) == exercise.read


@EACH
def test_no_words_give_the_answer_away_early(exercise):
    told = [p.promise for p in exercise.properties] + [m.sentence for m in exercise.mistakes] + list(exercise.hints[:2])
    assert not [words for words in told if "masked_fill(~keep" in words or "transpose(-2, -1)" in words]


@pytest.mark.parametrize("chapter", chapters())
def test_the_page_adds_up(chapter):
    mine = of_chapter(chapter)
    text = SOURCES.page(mine[0].id.partition(".")[0])
    assert f"take {sum(e.minutes for e in mine)} minutes" in text
    assert f"\n{sum(e.points for e in mine)} points" in text
