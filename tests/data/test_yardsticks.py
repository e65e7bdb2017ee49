"""The yardsticks are honest: probabilities that add up, and numbers that known texts give."""

import gzip
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mtlib.data import yardsticks
from mtlib.data.yardsticks import NGram

from .sources import LINES

TRAIN, VALID = LINES[:40_000].encode(), LINES[40_000:50_000].encode()


@given(train=st.binary(min_size=5, max_size=60), context=st.binary(max_size=6), n=st.integers(1, 5))
@settings(max_examples=25, deadline=None)
def test_what_may_come_next_adds_up_to_one(train, context, n):
    chances = NGram(train, n).next(context)
    # A context shorter than n-1 bytes is asked of a lower order, which is a distribution too.
    assert chances.sum() == pytest.approx(1, abs=1e-9) and (chances > 0).all()


def slow(train, n, context, byte):
    """Kneser-Ney straight from the paper's equation, with counters."""
    if n == 0:
        return 1 / 256
    counts = slow.counts(train, n)
    ones, twos = (sum(c == k for c in counts.values()) for k in (1, 2))
    discount = ones / (ones + 2 * twos) if ones else 0.5
    after = {gram[-1]: c for gram, c in counts.items() if gram[:-1] == context}
    lower = slow(train, n - 1, context[1:], byte) if n > 1 else 1 / 256
    if not after:
        return lower
    total = sum(after.values())
    return max(after.get(byte, 0) - discount, 0) / total + discount * len(after) / total * lower


def counted(train, n):
    """Of the highest order how often, of a lower one after how many different bytes."""
    if n == slow.highest:
        return Counter(train[i : i + n] for i in range(len(train) - n + 1))
    return Counter(gram[1:] for gram in counted(train, n + 1))


slow.counts = counted


@pytest.mark.parametrize("n", [1, 2, 3])
def test_kneser_ney_is_the_papers_formula(n):
    train, context = TRAIN[:300], TRAIN[400 : 400 + n - 1]
    slow.highest = n
    model = NGram(train, n).next(context)
    assert np.allclose(model, [slow(train, n, context, byte) for byte in range(256)], rtol=0, atol=1e-12)


def test_each_yardstick_in_its_place():
    bits = yardsticks(TRAIN, VALID)
    assert bits["uniform"] == 8 and list(bits) == ["uniform", "unigram", "5-gram", "gzip", "xz"]
    counts = np.array(list(Counter(VALID).values())) / len(VALID)
    entropy = -(counts * np.log2(counts)).sum()  # no unigram can do better
    assert entropy <= bits["unigram"] < entropy + 0.1
    assert bits["5-gram"] < bits["unigram"] < bits["uniform"]
    assert bits["gzip"] == 8 * len(gzip.compress(VALID, 9, mtime=0)) / len(VALID)
    assert bits["xz"] < bits["gzip"]  # it has read the training text


def test_what_has_been_read_before_costs_xz_next_to_nothing():
    noise = np.random.default_rng(0).integers(0, 256, 20_000).astype(np.uint8).tobytes()
    bits = yardsticks(noise, noise)
    assert bits["xz"] < 0.2 < 7.9 < bits["gzip"]


def test_wrong_arguments_are_named(shapes_unchecked):
    for call, message in [
        (lambda: yardsticks(b"", b"a"), "train holds 0 bytes and valid 1"),
        (lambda: NGram(b"ab", 3), "train holds 2 bytes; there must be at least n=3"),
        (lambda: NGram(b"a" * 20, 8), "n=8 must be at most 7"),
    ]:
        with pytest.raises(ValueError, match=message):
            call()
