"""What a language model must beat, in bits for each byte of the held-out text.

    uniform    8: knows nothing
    unigram    how frequent is each byte?
    5-gram     the four bytes before: interpolated Kneser-Ney (Chen and Goodman 1999, section 4.1.6)
    gzip       Lempel-Ziv 1977 and Huffman, of the held-out text alone
    xz         LZMA, of the held-out text after the training text: what it adds to the length

The n-grams are of bytes, so every one of these numbers is about the same text, and so is a model's
loss once it is bits per byte. A compressor has no training set but what it has just read: gzip is
given nothing else, xz all of it, in a window that holds it.
"""

import gzip
import lzma
from collections.abc import Mapping

import numpy as np
from jaxtyping import Float

from .. import _check


def yardsticks(train: bytes, valid: bytes, *, n: int = 5) -> Mapping[str, float]:
    """Bits per byte of `valid` by each of them, given `train`. Takes seconds for a megabyte.

    >>> {name: round(bits, 2) for name, bits in yardsticks(b"abab" * 50, b"abab" * 50, n=2).items()}["uniform"]
    8.0
    """
    if not train or not valid:
        raise ValueError(f"train holds {len(train)} bytes and valid {len(valid)}; both must hold some")
    return {
        "uniform": 8.0,
        "unigram": NGram(train, 1).bits_per_byte(valid),
        f"{n}-gram": NGram(train, n).bits_per_byte(valid),
        "gzip": 8 * len(gzip.compress(valid, 9, mtime=0)) / len(valid),
        "xz": 8 * (_xz(train + valid) - _xz(train)) / len(valid),
    }


def _xz(text: bytes) -> int:
    return len(lzma.compress(text, preset=6))  # a window of 8 MiB


class NGram:
    """p(byte | the n-1 bytes before), interpolated Kneser-Ney with one discount for each order.

        p_k(b | c) = max(count(cb) - D_k, 0) / count(c·) + D_k · kinds(c·) / count(c·) · p_{k-1}(b | c without its first)

    The counts of the highest order are how often; of a lower one, after how many different bytes
    (1999, section 3.4), since it is only asked where the higher one has not seen enough. Where
    the context never stood, all is left to the lower order; below the first stands 1/256.
    D_k = n1 / (n1 + 2·n2), of the numbers of grams that count 1 and 2.

    >>> model = NGram(b"abababac", 2); bool(model.next(b"a")[ord("b")] > model.next(b"a")[ord("c")])
    True
    """

    def __init__(self, train: bytes, n: int):
        _check.positive(n=n)
        if n > 7:
            raise ValueError(f"n={n} must be at most 7: eight bytes do not fit the 63 bits that a gram is counted in")
        if len(train) < n:
            raise ValueError(f"train holds {len(train)} bytes; there must be at least n={n}")
        self.n = n
        grams, counts = np.unique(codes(train, n), return_counts=True)
        self.orders = [_Order(grams, counts)]
        for k in range(n - 1, 0, -1):
            # Each different (k+1)-gram counts once for the k-gram that ends it.
            grams, counts = np.unique(grams % 256**k, return_counts=True)
            self.orders.insert(0, _Order(grams, counts))

    def probabilities(self, text: bytes) -> Float[np.ndarray, "T"]:
        """Of each byte of a text, given those before it; its first n-1 have less before them."""
        p = np.full(len(text), 1 / 256)
        for k, order in enumerate(self.orders, start=1):
            if len(text) >= k:
                p[k - 1 :] = order.refined(codes(text, k), p[k - 1 :])
        return p

    def next(self, context: bytes) -> Float[np.ndarray, "256"]:
        """The probability of each byte after `context`."""
        context = context[-(self.n - 1) :] if self.n > 1 else b""
        return np.array([self.probabilities(context + bytes([byte]))[-1] for byte in range(256)])

    def bits_per_byte(self, text: bytes) -> float:
        """-log2 of the probability, the mean over the text."""
        return float(-np.log2(self.probabilities(text)).mean())


class _Order:
    """Counts of the grams of one length, and of what their contexts were followed by."""

    def __init__(self, grams: np.ndarray, counts: np.ndarray):
        self.grams, self.counts = grams, counts
        once, twice = (counts == 1).sum(), (counts == 2).sum()
        self.discount = once / (once + 2 * twice) if once else 0.5
        self.contexts, first = np.unique(grams // 256, return_index=True)
        self.totals = np.add.reduceat(counts, first)
        self.kinds = np.diff([*first, len(grams)])

    def refined(self, asked: np.ndarray, lower: np.ndarray) -> np.ndarray:
        """The probabilities of this order for grams `asked`, from those of the order below."""
        count = _looked_up(self.grams, self.counts, asked)
        total = _looked_up(self.contexts, self.totals, asked // 256)
        kinds = _looked_up(self.contexts, self.kinds, asked // 256)
        own = np.maximum(count - self.discount, 0) + self.discount * kinds * lower
        return np.where(total > 0, own / np.maximum(total, 1), lower)


def _looked_up(keys: np.ndarray, values: np.ndarray, asked: np.ndarray) -> np.ndarray:
    place = np.minimum(np.searchsorted(keys, asked), len(keys) - 1)
    return np.where(keys[place] == asked, values[place], 0)


def codes(text: bytes, n: int) -> np.ndarray:
    """Every run of n bytes as one number, the first byte highest.

    >>> codes(b"abc", 2).tolist() == [97 * 256 + 98, 98 * 256 + 99]
    True
    """
    each = np.frombuffer(text, np.uint8).astype(np.int64)
    out = np.zeros(len(each) - n + 1, np.int64)
    for i in range(n):
        out = out * 256 + each[i : i + len(out)]
    return out
