"""training.bits_per_byte: a score that no tokenizer can flatter."""

import math

from mtlib.grading.draw import Draw
from mtlib.grading.exercise import Exercise, Mistake, Property
from mtlib.grading.judge import equals


def reference(nll: float, n_bytes: int) -> float:
    return nll / (math.log(2) * n_bytes)


def one_byte(d: Draw) -> dict:
    return {"nll": _nats(d), "n_bytes": 1}


def texts(d: Draw) -> dict:
    return {"nll": _nats(d), "n_bytes": d.size(high=9, rough=100_000)}


def uniform(d: Draw) -> dict:
    """Every byte as likely as every other: log 256 nats for each."""
    n = d.size(high=9, rough=100_000)
    return {"nll": n * math.log(256), "n_bytes": n}


def certain(d: Draw) -> dict:
    """Nothing was a surprise."""
    return {"nll": 0.0, "n_bytes": d.size(rough=1000)}


def _nats(d: Draw) -> float:
    return d.whole(1, 1_000_000) / 997 if d.rough else float(d.whole(1, 9))


right = equals(reference)

EXERCISE = Exercise(
    id="training.bits_per_byte",
    title="Bits a byte",
    answers=("bits_per_byte",),
    minutes=10,
    read=("q-loss-drives",),
    properties=(
        Property("one byte", 1, "nats into bits", one_byte, right, 30),
        Property("texts", 2, "for each byte of the text, not for each token", texts, right, 40),
        Property("uniform", 1, "who knows nothing pays 8 bits a byte", uniform, right, 30),
        Property("certain", 1, "who knows everything pays 0.0", certain, right, 12),
    ),
    mistakes=(
        Mistake("nats a byte: a bit is log 2 of a nat", lambda nll, n: nll / n),
        Mistake("a multiplication by log 2: there are more bits than nats, not fewer", lambda nll, n: nll * math.log(2) / n),
        Mistake("the bits of the whole text", lambda nll, n: nll / math.log(2)),
        Mistake("the logarithm of the loss: it is one already", lambda nll, n: math.log2(max(nll, 1e-9)) / n),
        Mistake("a perplexity, e to the nats a byte", lambda nll, n: math.exp(min(nll / n, 700.0))),
        Mistake("bits for each bit: n_bytes·8 of them", lambda nll, n: reference(nll, 8 * n)),
        Mistake("a decimal logarithm: bits are counted in twos", lambda nll, n: nll / math.log(10) / n),
        Mistake("a whole number of bits; the answer is a float", lambda nll, n: round(reference(nll, n))),
        Mistake("bytes for each bit, upside down", lambda nll, n: n * math.log(2) / max(nll, 1e-9)),
    ),
    hints=(
        "Two changes of unit, one after the other: from nats to bits, and from the whole text to one byte.",
        "log 256 nats are 8 bits. So how many nats are one bit?",
        "`nll / math.log(2)` is the text in bits.",
    ),
    explanation=(
        "A loss per token cannot be compared between tokenizers: with larger tokens there are fewer and each is harder. Add up the nats "
        "of the whole text and divide by something that no tokenizer can change, its bytes. It is also how far the text could be "
        "compressed: 1 bit a byte is an eighth of the file."
    ),
    better=(
        "Count the bytes of the text that was scored, after decoding, in UTF-8: `len(text.encode())`. An é is two of them. And score every "
        "token, the first too, or leave its bytes out on both sides."
    ),
)
