"""To teach a language model to answer: what someone says to a house, and what the house is to do.

    User: it is far too bright in here
    House: light set

The sentences and the wishes are those of intents.py, its held-out templates too; the words are in
the documentation's tokens, so that a model of documentation.toml can go on from what it knows.
`learn` says what is asked of it: "answer", the house's words alone, or "all", the user's as well.
"""

import re
from typing import Literal

from .. import _check
from .batch import EOS, IGNORE, PAD, Batch, Split, asked_for, padded, question_and_answer, rows_of
from .documentation import Documentation
from .intents import drawn

Learn = Literal["answer", "all"]


class Requests:
    """Rows of a question and its answer for a language model; DataMissing, in one line, without the package of intents.

    Args: vocab and max_len, those of the documentation; learn, see above; each, sentences drawn from a template.
    """

    def __init__(self, *, vocab: int = 1024, max_len: int = 128, learn: Learn = "answer", each: int = 10):
        _check.one_of(learn=(learn, Learn.__args__))  # type: ignore[attr-defined]  # a Literal has it
        base = Documentation(vocab=vocab, max_len=max_len)
        rows, wishes = drawn(each)
        self.tokenizer, self.vocab, self.max_len, self.learn = base.tokenizer, base.vocab, max_len, learn
        self.fingerprint = f"requests each:{each} in tokens of {base.fingerprint}"
        encode = self.tokenizer.encode
        self.rows = {
            split: [(encode(asking(row.text)), encode(answer(wishes[row.label]))) for row in of] for split, of in rows.items()
        }
        self.held_out_rows = len(self.rows["valid"])

    def batch(self, step: int, size: int, *, split: Split = "train", seed: int = 0) -> Batch:
        """See Data. Held-out rows ask for the answer alone, whatever `learn` is, so that scores can be compared."""
        asked_for(step, size, split)
        pairs = [self.rows[split][row] for row in rows_of(len(self.rows[split]), step, size, split, seed)]
        width = max(len(question) + len(answer) for question, answer in pairs)
        if self.learn == "answer" or split == "valid":
            return question_and_answer(pairs, width)
        whole = [[*question, *answer] for question, answer in pairs]
        return Batch((padded(whole, PAD, width),), padded([[*row[1:], EOS] for row in whole], IGNORE, width))


def asking(sentence: str) -> str:
    """What the model is shown.

    >>> asking("turn it off")
    'User: turn it off\\nHouse:'
    """
    return f"User: {sentence}\nHouse:"


def answer(wish: str) -> str:
    """A wish's name in words.

    >>> answer("HassTurnOff")
    ' turn off'
    """
    return "".join(f" {word.lower()}" for word in re.findall("[A-Z][a-z]+", wish.removeprefix("Hass")))
