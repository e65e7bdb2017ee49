"""Sentences with a class each, tokenised once: what sentiment.py and intents.py share."""

import hashlib
import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

from .. import _check
from .batch import Batch, Split, asked_for, classed, rows_of
from .shards import Shards, kept, write
from .vocabulary import Subwords


class Sentence(NamedTuple):
    """A text and its class."""

    text: str
    label: int


class Sentences:
    """A classifier's batches, by byte-pair tokens learnt from the training split.

    Args:
        name: of the source, for the cache and the fingerprint.
        rows: the sentences of each split.
        classes: their names.
        vocab: tokens.
        max_len: where a longer sentence is cut.
    """

    def __init__(
        self, name: str, rows: dict[Split, Sequence[Sentence]], classes: Sequence[str], *, vocab: int, max_len: int
    ):
        _check.positive(vocab=vocab, max_len=max_len)
        text = json.dumps([[*row] for split in Split.__args__ for row in [*rows[split], Sentence(split, 0)]])  # type: ignore[attr-defined]  # a Literal has it
        sha = hashlib.sha256(text.encode()).hexdigest()
        texts = {split: [row.text for row in rows[split]] for split in Split.__args__}  # type: ignore[attr-defined]
        folder = kept(name, {"text": sha, "vocab": vocab, "as": "sentences"}, partial(_make, texts=texts, vocab=vocab))
        self.tokenizer = Subwords((folder / "tokenizer.json").read_text("utf8"))
        self.rows, self.classes, self.max_len = rows, tuple(classes), max_len
        self.vocab, self.n_classes = len(self.tokenizer), len(classes)
        self.held_out_rows = len(rows["valid"])
        self.fingerprint = f"{name} sha256:{sha} vocab:{vocab}"
        self.ids = {split: Shards(folder, split) for split in Split.__args__}  # type: ignore[attr-defined]
        self.ends = {split: np.concatenate([[0], np.load(folder / f"ends-{split}.npy")]) for split in Split.__args__}  # type: ignore[attr-defined]

    def batch(self, step: int, size: int, *, split: Split = "train", seed: int = 0) -> Batch:
        """See Data. Padded to the longest of the batch."""
        asked_for(step, size, split)
        rows = rows_of(len(self.rows[split]), step, size, split, seed).tolist()
        return classed([self.row(split, row) for row in rows], [self.rows[split][row].label for row in rows])

    def row(self, split: Split, row: int) -> list[int]:
        """The ids of one sentence."""
        start, end = self.ends[split][row : row + 2].tolist()
        return self.ids[split].read(start, min(end - start, self.max_len)).tolist()


def _make(folder: Path, texts: dict[Split, list[str]], vocab: int) -> None:
    tokenizer = Subwords.learn(texts["train"], vocab)
    (folder / "tokenizer.json").write_text(tokenizer.json(), "utf8")
    for split, sentences in texts.items():
        ids = [tokenizer.encode(sentence) for sentence in sentences]
        write(folder, split, ids, vocab=len(tokenizer))
        np.save(folder / f"ends-{split}.npy", np.cumsum([len(row) for row in ids]))
