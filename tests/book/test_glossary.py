"""A word of the glossary is linked where a chapter first uses it, and nowhere else."""

import re
from pathlib import Path

from mtbook.glossary import EVERYDAY, linked

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "book/glossary.md").read_text("utf8")
TERMS = re.findall(r"^([A-Za-z].*)\n  \S", PAGE, re.MULTILINE)


def pieces(text, waiting):
    return [(type(node).__name__, node.astext(), node.get("refuri") if hasattr(node, "get") else None) for node in linked(text, waiting, "g.html")]


def test_the_first_use_becomes_a_link_and_the_second_does_not():
    waiting = {"softmax": "term-softmax"}
    assert pieces("Softmax, then softmax again.", waiting) == [
        ("reference", "Softmax", "g.html#term-softmax"), ("Text", ", then softmax again.", None)]  # fmt: skip
    assert waiting == {}


def test_the_longer_word_wins_and_parts_of_words_are_left_alone():
    waiting = {"attention": "a", "cross-attention": "c", "token": "t"}
    assert [row[1:] for row in pieces("tokenizer, cross-attention, tokens", waiting)] == [
        ("tokenizer, ", None), ("cross-attention", "g.html#c"), (", ", None), ("tokens", "g.html#t")]  # fmt: skip
    assert waiting == {"attention": "a"}


def test_a_text_without_any_stays_whole():
    assert pieces("Nothing here.", {"softmax": "s"}) == [("Text", "Nothing here.", None)]


def test_words_are_in_order_and_each_stands_once():
    assert len(TERMS) > 50 and [t.casefold() for t in TERMS] == sorted({t.casefold() for t in TERMS})
    assert EVERYDAY <= {t.casefold() for t in TERMS}


def test_every_link_into_a_chapter_has_its_place_there():
    chapters = "\n".join(path.read_text("utf8") for path in (ROOT / "book").glob("[0-9][0-9]_*.md"))
    places = re.findall(r"\]\(#([\w-]+)\)", PAGE)
    assert len(places) > 20 and [place for place in places if f"({place})=" not in chapters] == []
