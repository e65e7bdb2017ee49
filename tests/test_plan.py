"""The plan of the sixty days agrees with the book and the exercises: nothing missing, nothing twice, no day too long."""

import re
from collections import Counter
from pathlib import Path

import pytest
import yaml

from mtlib import exercises
from mtlib.grading import progress
from mtlib.plan import day_of, days

ROOT = Path(__file__).parents[1]
TOC = yaml.safe_load((ROOT / "_toc.yml").read_text())
CHAPTERS = [c["file"].removeprefix("book/") for part in TOC["parts"] if part["caption"] == "Chapters" for c in part["chapters"]]


def test_every_exercise_is_due_on_one_day_after_those_before_it():
    planned = [id for day in days() for id in day.exercises]
    assert [id for id, n in Counter(planned).items() if n > 1] == []
    assert set(exercises.ids()) <= set(planned)


def test_an_exercise_is_due_when_its_chapter_is_read():
    for exercise in exercises.every():
        day = days()[day_of(exercise.id) - 1]
        assert day.chapter == exercises.chapter_of(exercise.id.partition(".")[0]), exercise.id


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_chapters_days_come_to_what_the_chapter_says_of_itself(chapter):
    told = int(re.search(r"\*\*It takes\*\* about (\d+) minutes", (ROOT / f"book/{chapter}.md").read_text("utf8"))[1])
    assert sum(day.minutes for day in days() if day.chapter == chapter) == told


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_days_begin_at_places_of_their_chapter_in_its_order(chapter):
    text = (ROOT / f"book/{chapter}.md").read_text("utf8")
    begin = [day.read.partition("#")[2] for day in days() if day.chapter == chapter]
    places = [text.index(f"\n({place})=\n") if place else 0 for place in begin]
    assert begin and begin[0] == "" and places == sorted(places)


def test_chapters_are_read_in_their_order():
    read = [day.chapter for day in days() if day.chapter]
    assert read == sorted(read)


def test_no_day_takes_more_than_two_hours():
    minutes = {e.id: e.minutes for e in exercises.every()}
    for day in days():
        assert day.title and (day.read or day.exercises or day.do)
        assert 15 <= day.minutes + day.do_minutes + sum(minutes.get(id, 20) for id in day.exercises) <= 120, day


def test_progress_names_the_next_day(tmp_path, monkeypatch):
    monkeypatch.setenv("MTLIB_HOME", str(tmp_path))
    first = next(day for day in days() if day.exercises)
    assert progress.next_day() == f"next, day 1 of {len(days())}, {first.title}: {', '.join(first.exercises)}"
    progress.checked(first.exercises[0], 5, 5)
    assert f"day {days()[1].number} of" in progress.next_day() and progress.next_day() in progress.table()
    for exercise in exercises.every():
        progress.checked(exercise.id, 5, 5)
    assert progress.next_day() == "every exercise is passed"
