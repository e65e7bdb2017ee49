"""What training asks of data: batch number `step`, and nothing else.

    batch = data.batch(step, size, split="train", seed=0)
    loss(model(*batch.inputs), batch.targets)

A batch is a function of (seed, split, step, size): no iterator, no state. So the place of a run in
its data is its step number, a run that resumes needs nothing kept, and process r of n takes rows
r::n of the same batch. Which rows are held out depends on their content alone, not on any seed:
no choice of seed can carry a row across.

    language model       inputs (ids,)                          targets the next ids
    classes              inputs (ids, keep)                     targets (B,)
    sequence to sequence inputs (source, answer, source_keep)   targets the answer's next ids
    pairs of texts       inputs (ids, keep, ids, keep)          targets None

Targets are IGNORE where nothing is asked. Three ids are the same wherever we choose them: PAD, BOS
and EOS.
"""

import hashlib
import random
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Literal, NamedTuple, Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Int64
from torch import Tensor

from .. import _check
from ..masks import padding_keep

IGNORE = -100  # torch's sign for a place where nothing is asked
PAD, BOS, EOS = 0, 1, 2
ONE_IN = 10  # of ten rows one is held out
Split = Literal["train", "valid"]
Ids = Iterable[int] | Tensor | np.ndarray


class Batch(NamedTuple):
    """inputs: what the model is called with. targets: what the loss is given."""

    inputs: tuple[Tensor, ...]
    targets: Tensor | None

    def to(self, device: torch.device | str) -> "Batch":
        """The same on a device."""
        targets = None if self.targets is None else self.targets.to(device)
        return Batch(tuple(x.to(device) for x in self.inputs), targets)


class Tokenizer(Protocol):
    """Text to ids and back."""

    def encode(self, text: str) -> list[int]: ...

    def decode(self, ids: Ids) -> str: ...


@runtime_checkable
class Data(Protocol):
    """vocab and max_len: what a model must have to read it.

    Where there is text, there is a `tokenizer` too; where rows are not drawn by dice,
    `held_out_rows` says how many are held out before the first comes again.
    """

    vocab: int
    max_len: int

    def batch(self, step: int, size: int, *, split: Split = "train", seed: int = 0) -> Batch:
        """Batch number `step`, of `size` rows; the same bits whenever and wherever it is asked for."""
        ...


def asked_for(step: int, size: int, split: str) -> None:
    """The arguments of batch(), checked."""
    _check.natural(step=step)
    _check.positive(size=size)
    _check.one_of(split=(split, Split.__args__))  # type: ignore[attr-defined]  # a Literal has it


def held_out(content: str | bytes) -> bool:
    """Whether a row belongs to "valid": a hash of its content says so, for one in ten.

    >>> sum(held_out(str(row)) for row in range(1000))
    89
    """
    content = content.encode() if isinstance(content, str) else content
    return int.from_bytes(hashlib.blake2b(content, digest_size=8).digest()) % ONE_IN == 0


def dice(seed: int, split: str, step: int) -> random.Random:
    """The generator of one batch."""
    return random.Random(f"{seed} {split} {step}")


def rows_of(n: int, step: int, size: int, split: str, seed: int) -> np.ndarray:
    """Which of n rows batch `step` holds.

    In training each row comes once, then each once more in another order. Held-out rows stand in
    one order for all seeds, so that the first k of them are always the same ones.

    >>> sorted(rows_of(4, step=0, size=2, split="train", seed=0).tolist() + rows_of(4, 1, 2, "train", 0).tolist())
    [0, 1, 2, 3]
    """
    places = range(step * size, (step + 1) * size)
    fixed = split == "valid"
    return np.array([_order(n, 0 if fixed else seed, split, 0 if fixed else place // n)[place % n] for place in places])


@lru_cache(maxsize=8)
def _order(n: int, seed: int, split: str, turn: int) -> np.ndarray:
    return np.random.default_rng(dice(seed, split, turn).getrandbits(64)).permutation(n)


def padded(rows: Sequence[Sequence[int]], fill: int, width: int | None = None) -> Int64[Tensor, "B T"]:
    """Rows of unlike lengths in one tensor, `fill` after each.

    >>> padded([[5], [6, 7]], fill=0).tolist()
    [[5, 0], [6, 7]]
    """
    width = max(map(len, rows)) if width is None else width
    return torch.tensor([[*row, *[fill] * (width - len(row))] for row in rows])


def question_and_answer(pairs: Sequence[tuple[Sequence[int], Sequence[int]]], width: int) -> Batch:
    """One row for a language model: question, answer, EOS; only answer and EOS are asked for.

    >>> question_and_answer([([5, 6], [7])], width=4).targets.tolist()
    [[-100, 7, 2, -100]]
    """
    inputs = [[*question, *answer] for question, answer in pairs]
    targets = [[*[IGNORE] * (len(question) - 1), *answer, EOS] for question, answer in pairs]
    return Batch((padded(inputs, PAD, width),), padded(targets, IGNORE, width))


def source_and_answer(pairs: Sequence[tuple[Sequence[int], Sequence[int]]]) -> Batch:
    """Two rows for an encoder and a decoder, which starts from BOS and is asked for the answer and EOS.

    >>> source_and_answer([([5, 6], [7])]).inputs[1].tolist()
    [[1, 7]]
    """
    source = padded([source for source, _ in pairs], PAD)
    inputs = padded([[BOS, *answer] for _, answer in pairs], PAD)
    return Batch((source, inputs, padding_keep(source, PAD)), padded([[*answer, EOS] for _, answer in pairs], IGNORE))


def classed(rows: Sequence[Sequence[int]], classes: Sequence[int]) -> Batch:
    """Texts for a classifier: ids, which of them are no padding, and the class of each."""
    ids = padded(rows, PAD)
    return Batch((ids, padding_keep(ids, PAD)), torch.tensor(classes))


def two_texts(pairs: Sequence[tuple[Sequence[int], Sequence[int]]]) -> Batch:
    """Two rows that belong together, for a model that gives each a vector; their being together is all the target.

    >>> len(two_texts([([5, 6], [7])]).inputs)
    4
    """
    a, b = (padded(side, PAD) for side in zip(*pairs))
    return Batch((a, padding_keep(a, PAD), b, padding_keep(b, PAD)), None)


def exact_match(said: Sequence[str], meant: Sequence[str]) -> float:
    """The share of answers that are right to the last sign.

    >>> exact_match(["5 de enero", "6 de mayo"], ["5 de enero", "6 de marzo"])
    0.5
    """
    if len(said) != len(meant) or not said:
        raise ValueError(f"said holds {len(said)} answers and meant {len(meant)}; they must be as many, and at least one")
    return sum(a == b for a, b in zip(said, meant)) / len(said)
