"""Twenty typical mistakes, and what a learner reads of each: kept in messages.txt, to be read as they will be read.

`python -m tests.grading.test_messages`, from the repository's root, writes them again after a deliberate change.
"""

import re
from pathlib import Path

import pytest

from mtlib.exercises import find
from mtlib.grading import search
from mtlib.grading.report import text_of
from mtlib.grading.run import grade

KEPT = Path(__file__).with_name("messages.txt")
TYPICAL = {
    "attention.scores": (0, 1, 2, 4, 5),
    "attention.causal_keep": (0, 1, 2),
    "attention.padding_keep": (0, 1, 2),
    "attention.heads": (0, 1, 2),
    "attention.picture": (0, 1, 2),
    "attention.scaled_dot_product": (0, 3, 5),
}
CASES = [(id, number) for id, numbers in TYPICAL.items() for number in numbers]
LINE = "-" * 100


def message(id, number):
    exercise = find(id)
    return text_of(grade(exercise, exercise.mistakes[number].answers, 1, mtlibs_own=True))


def kept():
    return dict(zip(CASES, KEPT.read_text(encoding="utf-8").split(f"\n{LINE}\n"), strict=True))


@pytest.mark.parametrize(("id", "number"), CASES)
def test_a_message_reads_as_it_was_approved(id, number, monkeypatch):
    monkeypatch.setattr(search, "SEARCH_SECONDS", 60.0)
    monkeypatch.setattr(search, "SHRINK_SECONDS", 60.0)
    assert message(id, number) == kept()[id, number].rstrip("\n")


@pytest.mark.parametrize(("id", "number"), CASES)
def test_a_message_is_short_names_the_mistake_and_shows_the_case(id, number):
    text, exercise = kept()[id, number].rstrip("\n"), find(id)
    assert len(text.splitlines()) <= 10 and max(map(len, text.splitlines())) <= 120
    assert exercise.mistakes[number].sentence in text and "smallest case" in text and "expected" in text
    assert any(f"✗ {each.name}: {each.promise}" in text for each in exercise.properties)


def test_no_message_gives_the_answer_away():
    """What stands as code in the third hint stands in no message."""
    for (id, _), text in kept().items():
        code = re.findall(r"`([^`]{8,})`", find(id).hints[2])
        assert not [each for each in code if each in text]


if __name__ == "__main__":
    search.SEARCH_SECONDS = search.SHRINK_SECONDS = 60.0
    KEPT.write_text(f"\n{LINE}\n".join(message(*case) for case in CASES) + "\n", encoding="utf-8")
