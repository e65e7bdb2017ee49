"""The 366 days of a year without the year, in English and in one other language or two: quick to learn, and a real one.

    January 5  ->  5 de enero, 5 janvier

One day in ten is held out and never trained on; its month and its number are seen, but not together.
"""

import re
from datetime import date, timedelta

from ..data import Dates, Letters
from ..data.batch import Split, dice, held_out, rows_of


class Year:
    """Days as pairs of texts, in the order of data.batch.rows_of.

    >>> Year("es", "fr").days["train"][4]
    ('January 5', ['5 de enero', '5 janvier'])
    """

    def __init__(self, *languages: str):
        into = [Dates(language) for language in languages]
        self.days: dict[str, list[tuple[str, list[str]]]] = {"train": [], "valid": []}
        for day in (date(2000, 1, 1) + timedelta(n) for n in range(366)):
            written = [[re.sub("(,| de)? 2000$", "", text) for text in dates.pair(day)] for dates in into]
            source = written[0][0]
            self.days["valid" if held_out(source) else "train"].append((source, [answer for _, answer in written]))
        texts = [text for rows in self.days.values() for source, answers in rows for text in (source, *answers)]
        self.tokenizer = Letters("".join(sorted(set("".join(texts)))))
        self.vocab, self.max_len = len(self.tokenizer), 1 + max(map(len, texts))

    def texts(self, step: int, size: int, *, split: Split = "train", seed: int = 0) -> list[tuple[str, list[str]]]:
        """Each day in English, and its right answers."""
        days = self.days[split]
        return [days[row] for row in rows_of(len(days), step, size, split, seed)]

    def pairs(self, step: int, size: int, *, split: Split = "train", seed: int = 0) -> list[tuple[list[int], list[int]]]:
        """The same as ids, with one of the answers by the toss of a coin."""
        coin, encode = dice(seed, split, step), self.tokenizer.encode
        return [(encode(source), encode(coin.choice(answers))) for source, answers in self.texts(step, size, split=split, seed=seed)]
