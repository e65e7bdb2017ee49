"""Translation in small: every day from 1900 to 2099, written out in English and in another language.

    January 5, 1987  ->  5 de enero de 1987

The words are those of the Unicode CLDR, from the package babel. Letter by letter it is a true
translation task: months must be learnt, numbers copied, their order turned. A day that is held
out is never trained on.
"""

from datetime import date, timedelta
from functools import lru_cache
from typing import Literal

from .. import _check
from .batch import Batch, Split, asked_for, held_out, rows_of, source_and_answer, two_texts
from .letters import Letters
from .needs import needed

Language = Literal["es", "fr", "de"]
Form = Literal["seq2seq", "pairs"]
FIRST_DAY, DAYS = date(1900, 1, 1), 73_049  # to 2099-12-31


class Dates:
    """Long dates, en to es, fr or de; DataMissing, in one line, without babel.

    form: "seq2seq" for an encoder and a decoder; "pairs" for a model that brings the two texts together.

    >>> Dates("es").pair(date(1987, 1, 5))
    ('January 5, 1987', '5 de enero de 1987')
    """

    def __init__(self, to: Language = "es", form: Form = "seq2seq"):
        _check.one_of(to=(to, Language.__args__), form=(form, Form.__args__))  # type: ignore[attr-defined]  # a Literal has it
        self.form, self.to = form, to
        self.write = needed("babel.dates", "babel", "the translation of dates").format_date
        year = [self.pair(date(2000, 1, 1) + timedelta(days)) for days in range(366)]  # all that can be written, but digits
        self.tokenizer = Letters("".join(sorted({*"0123456789", *(letter for pair in year for text in pair for letter in text)})))
        self.vocab = self.source_vocab = len(self.tokenizer)
        self.max_len = max(max(len(source), len(target) + 1) for source, target in year)
        self.days = {split: days_of(split) for split in Split.__args__}  # type: ignore[attr-defined]
        self.held_out_rows = len(self.days["valid"])

    def pair(self, day: date) -> tuple[str, str]:
        """One day in English and in the other language."""
        return self.write(day, "long", locale="en"), self.write(day, "long", locale=self.to)

    def batch(self, step: int, size: int, *, split: Split = "train", seed: int = 0) -> Batch:
        """See Data. Source and target are padded to the longest of the batch."""
        encode = self.tokenizer.encode
        laid_out = two_texts if self.form == "pairs" else source_and_answer
        return laid_out([(encode(here), encode(there)) for here, there in self.pairs(step, size, split=split, seed=seed)])

    def pairs(self, step: int, size: int, *, split: Split = "train", seed: int = 0) -> list[tuple[str, str]]:
        """The same rows as texts."""
        asked_for(step, size, split)
        days = self.days[split]
        return [self.pair(days[row]) for row in rows_of(len(days), step, size, split, seed)]


@lru_cache(maxsize=2)
def days_of(split: Split) -> tuple[date, ...]:
    """The days of a split, the same for every language."""
    days = (FIRST_DAY + timedelta(n) for n in range(DAYS))
    return tuple(day for day in days if held_out(day.isoformat()) == (split == "valid"))
