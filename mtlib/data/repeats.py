"""Induction: it repeats; what came after this letter the last time?  (Olsson et al. 2022)

    bcaad bcaad bcaa      asked from the repeat's second letter on

How long the stretch is differs from row to row, so that no fixed distance serves.
"""

from functools import partial
from random import Random

import torch

from .. import _check
from .batch import IGNORE, PAD, Batch, Split, asked_for, dice, padded
from .letters import Letters
from .tasks import Pair, drawn, letters

MOST = 26


class Repeats:
    """A stretch of random letters, then the same again until the row is full.

    length: of the longest stretch; the shortest is half of it. Source: the repeated random
    tokens of Olsson et al. 2022, "In-context learning and induction heads".

    >>> Repeats(length=4).batch(0, 1).inputs[0].shape
    torch.Size([1, 7])
    """

    def __init__(self, *, length: int = 8, symbols: int = 8):
        _check.positive(length=length, symbols=symbols)
        if length < 2:
            raise ValueError(f"length={length} must be at least 2: of one letter nothing repeats that could be told")
        if symbols > MOST:
            raise ValueError(f"symbols={symbols} must be at most {MOST}")
        self.length, self.symbols = length, symbols
        self.tokenizer = Letters("abcdefghijklmnopqrstuvwxyz"[:symbols])
        self.vocab, self.max_len = len(self.tokenizer), 2 * length - 1

    def batch(self, step: int, size: int, *, split: Split = "train", seed: int = 0) -> Batch:
        """See Data."""
        asked_for(step, size, split)
        pairs = drawn(partial(stretch, length=self.length, symbols=self.symbols), dice(seed, split, step), size, split)
        stretches = [self.tokenizer.encode(pair.question) for pair in pairs]
        rows = padded([(row * 4)[: self.max_len + 1] for row in stretches], PAD)
        known = torch.arange(1, self.max_len + 1) > torch.tensor([[len(row)] for row in stretches])
        return Batch((rows[:, :-1],), rows[:, 1:].masked_fill(~known, IGNORE))


def stretch(dice: Random, length: int, symbols: int) -> Pair:
    """What will be repeated: between half of `length` and all of it."""
    return Pair(letters(dice, dice.randint((length + 1) // 2, length), symbols), "")
