"""What others make of two of the recipes' tasks: a bag of words, a probe on MiniLM, a 5-gram, gzip.

Sentiment: every held-out sentence, for or against. The peers are scikit-learn's logistic
regression on which words (and pairs of words) stand in the sentence, and on MiniLM's sentence
vectors, which nobody trained on films; how much each is regularised is decided on a tenth of
the training sentences. Documentation: bits for each byte of the held-out text.

The models from scratch stand beside them in recipes.py's results.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from ..data import documentation, sentiment
from ..data.yardsticks import yardsticks
from ..masks import padding_keep
from ..pretrained import minilm, sentence_vector

STRENGTHS = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
FEWEST = 2  # sentences a word must stand in


def measure() -> list[dict[str, Any]]:
    """A row for each task and peer."""
    return [*of_sentiment(), *of_documentation()]


def of_sentiment() -> list[dict[str, Any]]:
    """Accuracy on all held-out sentences, and how many numbers were fitted for it."""
    from sklearn.feature_extraction.text import CountVectorizer

    rows = sentiment.sentences()
    texts = {split: [row.text for row in rows[split]] for split in rows}
    labels = {split: np.array([row.label for row in rows[split]]) for split in rows}
    words = CountVectorizer(binary=True, ngram_range=(1, 2), min_df=FEWEST)
    features = {
        "bag of words and pairs": {"train": words.fit_transform(texts["train"]), "valid": words.transform(texts["valid"])},
        "probe on MiniLM": {split: vectors(texts[split]) for split in texts},
    }
    commoner = np.bincount(labels["train"]).argmax()
    out = [{"task": "sentiment", "who": "the commoner class", "accuracy": float((labels["valid"] == commoner).mean()), "fitted": 1}]
    for who, x in features.items():
        accuracy, strength = regressed(x, labels)
        fitted = int(x["train"].shape[1]) + 1
        out.append({"task": "sentiment", "who": who, "accuracy": accuracy, "fitted": fitted, "C": strength})
    return [row | {"held_out": len(labels["valid"]), "train": len(labels["train"])} for row in out]


def regressed(x: dict, y: dict) -> tuple[float, float]:
    """Held-out accuracy of a logistic regression, and its strength, which never saw a held-out row."""
    from sklearn.linear_model import LogisticRegression

    n = y["train"].size * 9 // 10
    order = np.random.default_rng(0).permutation(y["train"].size)
    fit, choose = order[:n], order[n:]

    def trained(rows: np.ndarray, C: float) -> LogisticRegression:
        return LogisticRegression(C=C, max_iter=2000).fit(x["train"][rows], y["train"][rows])

    best = max(STRENGTHS, key=lambda C: trained(fit, C).score(x["train"][choose], y["train"][choose]))
    return float(trained(order, best).score(x["valid"], y["valid"])), best


@torch.inference_mode()
def vectors(texts: Sequence[str], batch: int = 64) -> np.ndarray:
    """MiniLM's sentence vectors, (N, 384): texts of like length go together."""
    model = minilm()
    ids = [model.tokenizer.encode(text).ids for text in texts]
    order = sorted(range(len(ids)), key=lambda i: len(ids[i]))
    out = torch.empty(len(ids), 384)
    for start in range(0, len(order), batch):
        rows = order[start : start + batch]
        longest = len(ids[rows[-1]])
        padded = torch.tensor([ids[i] + [0] * (longest - len(ids[i])) for i in rows])
        keep = padding_keep(padded, pad=0)
        out[rows] = sentence_vector(model.model(padded, keep), keep[:, 0, 0])
    return out.numpy()


def of_documentation() -> list[dict[str, Any]]:
    """Bits per byte of the held-out documentation."""
    corpus = documentation.corpus()
    train, valid = (corpus.text(split).encode() for split in ("train", "valid"))
    sizes = {"train_bytes": len(train), "held_out_bytes": len(valid), "sha256": corpus.sha256()}
    return [
        {"task": "documentation", "who": who, "bits_per_byte": bits, **sizes}
        for who, bits in yardsticks(train, valid, n=5).items()
    ]
