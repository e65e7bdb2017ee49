"""A text as a language model reads it: windows of T tokens, each asked for the next one.

    train    windows from anywhere, by dice
    valid    one after the other, none twice, so that all of them are the whole text

Documents are held out whole, the tenth whose hashes are lowest; two that are alike have one hash
and fall on one side.
"""

import hashlib
from collections.abc import Sequence
from functools import partial
from math import log
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from .. import _check
from .batch import ONE_IN, Batch, Split, asked_for, dice
from .shards import Shards, kept, write
from .vocabulary import Bytes, Subwords

BETWEEN = "\n\n"


class Corpus(NamedTuple):
    """Documents of each split and what they are called."""

    name: str
    train: tuple[str, ...]
    valid: tuple[str, ...]

    def text(self, split: Split) -> str:
        """The documents of a split, end to end."""
        return "".join(document + BETWEEN for document in getattr(self, split))

    def sha256(self) -> str:
        """Of all text and of where it is cut."""
        parts = "\0".join((*self.train, "\0", *self.valid))
        return hashlib.sha256(parts.encode()).hexdigest()


def divided(name: str, documents: Sequence[str]) -> Corpus:
    """A corpus with a tenth of the documents held out, at least one; ValueError for fewer than two different ones.

    >>> corpus = divided("abc", ["a", "b", "c", "a"]); len(set(corpus.valid)), set(corpus.valid) & set(corpus.train)
    (1, set())
    """
    rank = {document: hashlib.blake2b(document.encode()).digest() for document in documents}
    if len(rank) < 2:
        raise ValueError(f"{name} holds {len(rank)} different documents; one to learn from and one to be tested on are needed")
    last = sorted(rank.values())[max(len(rank) // ONE_IN, 1) - 1]
    train = tuple(document for document in documents if rank[document] > last)
    return Corpus(name, train, tuple(document for document in documents if rank[document] <= last))


class Windows:
    """A corpus, tokenised once: see shards.py. Every source of running text is one.

    Args:
        corpus: documents, divided.
        vocab: 256 for bytes; more for that many byte-pair tokens, learnt from the training split.
        max_len: T, the window.

    Raises ValueError where a split is shorter than a window.
    """

    def __init__(self, corpus: Corpus, *, vocab: int = 256, max_len: int = 128):
        _check.positive(vocab=vocab, max_len=max_len)
        sha = corpus.sha256()
        key = {"name": corpus.name, "text": sha, "vocab": vocab, "as": "GPT-2's cut" if vocab > 256 else "bytes"}
        self.folder = kept(corpus.name, key, partial(_make, corpus=corpus, vocab=vocab))
        learnt = self.folder / "tokenizer.json"
        self.tokenizer = Subwords(learnt.read_text("utf8")) if learnt.is_file() else Bytes()
        self.vocab, self.max_len = len(self.tokenizer), max_len
        self.fingerprint = f"{corpus.name} sha256:{sha} vocab:{vocab}"
        self.ids = {split: Shards(self.folder, split) for split in Split.__args__}  # type: ignore[attr-defined]  # a Literal has it
        self.bytes = {split: len(corpus.text(split).encode()) for split in Split.__args__}  # type: ignore[attr-defined]
        for split, ids in self.ids.items():
            if len(ids) <= max_len:
                raise ValueError(f"max_len={max_len} must be less than the {len(ids)} tokens of {corpus.name}'s {split} split")

    def batch(self, step: int, size: int, *, split: Split = "train", seed: int = 0) -> Batch:
        """See Data. Held-out windows start again from the first when all were given."""
        asked_for(step, size, split)
        ids, T = self.ids[split], self.max_len
        if split == "train":
            rolled = np.random.default_rng(dice(seed, split, step).getrandbits(64))
            starts = rolled.integers(0, len(ids) - T, size)
        else:
            starts = np.arange(step * size, (step + 1) * size) % self.held_out_rows * T
        rows = torch.from_numpy(np.stack([ids.read(int(start), T + 1) for start in starts]))  # (B, T + 1)
        return Batch((rows[:, :-1].contiguous(),), rows[:, 1:].contiguous())

    def text(self, split: Split) -> str:
        """All of a split, as it was tokenised: what yardsticks() measures, once it is bytes."""
        return self.tokenizer.decode(self.ids[split].read(0, len(self.ids[split])))

    @property
    def held_out_rows(self) -> int:
        """Windows that the held-out text gives."""
        return (len(self.ids["valid"]) - 1) // self.max_len

    def bits_per_byte(self, loss: float) -> float:
        """A held-out loss, in nats a token, as bits for each byte: comparable whatever the vocabulary."""
        return loss / log(2) * len(self.ids["valid"]) / self.bytes["valid"]


def _make(folder: Path, corpus: Corpus, vocab: int) -> None:
    tokenizer = Subwords.learn([corpus.text("train")], vocab) if vocab > 256 else Bytes()
    if isinstance(tokenizer, Subwords):
        (folder / "tokenizer.json").write_text(tokenizer.json(), "utf8")
    for split in Split.__args__:  # type: ignore[attr-defined]
        write(folder, split, (tokenizer.encode(document + BETWEEN) for document in getattr(corpus, split)), vocab=len(tokenizer))
