"""Toy tasks: a question and its answer, drawn by dice. What one needs in order to answer differs.

    copy        bca=bca            look back by a fixed distance
    reverse     bca=acb            a distance that changes
    sort        bca=abc            compare
    lookup      b3a1c7a=1          find a key, take what stands beside it
    counting    bcab=b             how many of the last letter before it? add up
    parity      0110=0             odd or even: one sign changes all
    brackets    ([()=])            what is still open, last first: a stack

A question that is held out is never trained on: a hash of it decides. Each task is a function
(dice, length, symbols) -> (question, answer) over letters; a class sets the pairs in rows, for a
language model or for an encoder and a decoder.
"""

from collections.abc import Callable, Mapping
from functools import partial
from random import Random
from string import ascii_lowercase, digits
from types import MappingProxyType
from typing import Literal, NamedTuple

from .. import _check
from .batch import Batch, Split, asked_for, dice, held_out, question_and_answer, source_and_answer
from .letters import Letters

OPEN, CLOSE = "([{", ")]}"
Form = Literal["lm", "seq2seq"]
Word = Literal["copy", "reverse", "sort", "lookup", "counting", "parity", "brackets"]
PATIENCE = 1000  # draws a row; where that is not enough, the questions are too few to hold some out


class Pair(NamedTuple):
    """Both over the letters of the task."""

    question: str
    answer: str


def copy(dice: Random, length: int, symbols: int) -> Pair:
    """The same again."""
    question = letters(dice, length, symbols)
    return Pair(question, question)


def reverse(dice: Random, length: int, symbols: int) -> Pair:
    """From the end."""
    question = letters(dice, length, symbols)
    return Pair(question, question[::-1])


def sort(dice: Random, length: int, symbols: int) -> Pair:
    """By the alphabet."""
    question = letters(dice, length, symbols)
    return Pair(question, "".join(sorted(question)))


def lookup(dice: Random, length: int, symbols: int) -> Pair:
    """`length` keys, all different, each with a digit; then one of them again: its digit."""
    keys = dice.sample(ascii_lowercase[:symbols], length)
    values = dice.choices(digits, k=length)
    wanted = dice.randrange(length)
    return Pair("".join(k + v for k, v in zip(keys, values)) + keys[wanted], values[wanted])


def counting(dice: Random, length: int, symbols: int) -> Pair:
    """How often the last letter stands before, in two digits."""
    *before, last = letters(dice, length + 1, symbols)  # type: ignore[str-unpack]  # letters, one by one
    return Pair("".join(before) + last, f"{before.count(last):02d}")


def parity(dice: Random, length: int, symbols: int) -> Pair:
    """1 if the ones are odd in number."""
    question = "".join(dice.choices("01", k=length))
    return Pair(question, str(question.count("1") % 2))


def brackets(dice: Random, length: int, symbols: int) -> Pair:
    """What closes all that is open; `symbols` kinds of brackets."""
    question, still_open = "", []  # type: ignore[var-annotated]
    for _ in range(length):
        if still_open and dice.random() < 0.5:
            question += still_open.pop()
        else:
            kind = dice.randrange(symbols)
            question += OPEN[kind]
            still_open.append(CLOSE[kind])
    return Pair(question, "".join(reversed(still_open)))


def letters(dice: Random, length: int, symbols: int) -> str:
    return "".join(dice.choices(ascii_lowercase[:symbols], k=length))


class Kind(NamedTuple):
    """How a task is drawn; its letters, given `symbols`; how many symbols it can have."""

    draw: Callable[[Random, int, int], Pair]
    alphabet: Callable[[int], str] = lambda symbols: ascii_lowercase[:symbols]
    most: int = 26


TASKS: Mapping[str, Kind] = MappingProxyType({
    "copy": Kind(copy),
    "reverse": Kind(reverse),
    "sort": Kind(sort),
    "lookup": Kind(lookup, lambda symbols: ascii_lowercase[:symbols] + digits),
    "counting": Kind(counting, lambda symbols: ascii_lowercase[:symbols] + digits),
    "parity": Kind(parity, lambda symbols: "01", most=2),
    "brackets": Kind(brackets, lambda symbols: OPEN[:symbols] + CLOSE[:symbols], most=3),
})  # fmt: skip


class Task:
    """A toy task as rows: for a language model `question=answer`, or a source and a target.

    Args:
        task: one of TASKS.
        length: letters in a question; keys, in lookup.
        symbols: different letters; kinds of brackets; parity has its two.
        form: "lm" or "seq2seq".

    Raises ValueError for sizes that do not go together; and, when a batch is drawn, for a task so
    small that no question is held out.

    >>> reversed_ = Task("reverse", length=3, symbols=4)
    >>> (ids,), targets = reversed_.batch(0, 1)
    >>> text = reversed_.tokenizer.decode(ids[0]); text[:3] == text[:3:-1], targets[0, :3].tolist()
    (True, [-100, -100, -100])
    """

    def __init__(self, task: Word, *, length: int = 8, symbols: int = 8, form: Form = "lm"):
        _check.one_of(task=(task, tuple(TASKS)), form=(form, Form.__args__))  # type: ignore[attr-defined]  # a Literal has it
        _check.positive(length=length, symbols=symbols)
        self.kind, self.task, self.length, self.form = TASKS[task], task, length, form
        self.symbols = min(symbols, self.kind.most) if task == "parity" else symbols
        if self.symbols > self.kind.most:
            raise ValueError(f"symbols={symbols} must be at most {self.kind.most} in {task}")
        if task == "lookup" and length > symbols:
            raise ValueError(f"length={length} keys cannot all differ among symbols={symbols} letters")
        if task == "counting" and length > 99:
            raise ValueError(f"length={length} must be at most 99 in counting: the answer has two digits")
        self.tokenizer = Letters("=" + self.kind.alphabet(self.symbols))
        self.vocab = self.source_vocab = len(self.tokenizer)
        asked = {"lookup": 2 * length + 1, "counting": length + 1}.get(task, length)
        answer = {"lookup": 1, "counting": 2, "parity": 1}.get(task, length)
        self.max_len = max(asked, answer + 1) if form == "seq2seq" else asked + 1 + answer

    def batch(self, step: int, size: int, *, split: Split = "train", seed: int = 0) -> Batch:
        """See Data. Rows of a language model all have max_len places."""
        pairs = self.pairs(step, size, split=split, seed=seed)
        encode = self.tokenizer.encode
        if self.form == "seq2seq":
            return source_and_answer([(encode(pair.question), encode(pair.answer)) for pair in pairs])
        return question_and_answer([(encode(pair.question + "="), encode(pair.answer)) for pair in pairs], self.max_len)

    def pairs(self, step: int, size: int, *, split: Split = "train", seed: int = 0) -> list[Pair]:
        """The same rows as letters."""
        asked_for(step, size, split)
        draw = partial(self.kind.draw, length=self.length, symbols=self.symbols)  # type: ignore[call-arg]  # every draw names them so
        return drawn(draw, dice(seed, split, step), size, split)


def drawn(draw: Callable[[Random], Pair], dice: Random, size: int, split: Split) -> list[Pair]:
    """`size` pairs whose questions belong to the split."""
    rows = []
    for _ in range(size * PATIENCE):
        pair = draw(dice)
        if held_out(pair.question) == (split == "valid"):
            rows.append(pair)
        if len(rows) == size:
            return rows
    raise ValueError(f"there are too few questions to hold some out: only {len(rows)} of {size} rows of {split!r} were found")
