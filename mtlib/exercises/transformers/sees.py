"""transformers.sees: which position may use which, in an encoder, in a decoder, and across."""

from collections.abc import Callable

import torch
from torch import Tensor

from mtlib.grading.draw import Draw
from mtlib.grading.exercise import Exercise, Mistake, Property
from mtlib.grading.judge import equals, refuses

SHAPES = ("encoder", "decoder", "cross")


def reference(shape: str, n_source: int, n_target: int) -> Tensor:
    if shape not in SHAPES:
        raise ValueError(f"shape={shape!r} must be one of {SHAPES}")
    return drawn(shape, n_source, n_target)


def drawn(shape: str, n_source: int, n_target: int) -> Tensor:
    """As the reference, and for any other word what a decoder sees."""
    rows, cols = {"encoder": (n_source, n_source), "cross": (n_target, n_source)}.get(shape, (n_target, n_target))
    keep = torch.ones(rows, cols, dtype=torch.bool)
    return keep if shape in ("encoder", "cross") else keep.tril()


def asks_for(*shapes: str) -> Callable[[Draw], dict]:
    """Cases of these shapes; source and target are of different lengths, so that neither can stand in for the other."""

    def case(d: Draw) -> dict:
        n_source, more = d.size(high=4, rough=12), d.size(high=3, rough=9)
        n_target = n_source + more
        if d.flag():
            n_source, n_target = n_target, n_source
        return {"shape": d.pick(*shapes), "n_source": n_source, "n_target": n_target}

    return case


def strange(d: Draw) -> dict:
    """A word that names none of the three."""
    return {"shape": d.pick("both", "Encoder", "", "crossed"), "n_source": d.size(), "n_target": d.size()}


def _only(shape: str, other: Callable[[int, int], Tensor]) -> Callable[[str, int, int], Tensor]:
    """The reference, but for one shape."""
    return lambda asked, S, T: other(S, T) if asked == shape else reference(asked, S, T)


def _ones(*sizes: int) -> Tensor:
    return torch.ones(*sizes, dtype=torch.bool)


EXERCISE = Exercise(
    id="transformers.sees",
    title="Who sees whom",
    answers=("sees",),
    minutes=10,
    read=("s-three-shapes",),
    properties=(
        Property("encoder", 2, "each source position uses every source position", asks_for("encoder"), equals(reference), 20),
        Property("decoder", 3, "each target position uses itself and earlier ones", asks_for("decoder"), equals(reference), 20),
        Property("cross", 3, "each target position, a row, uses every source position, a column", asks_for("cross"),
                 equals(reference), 20),
        Property("refusal", 1, "a ValueError for any other word", strange, refuses, 20),
    ),
    mistakes=(
        Mistake("a decoder that hides a position from itself: its first row is empty",
                _only("decoder", lambda S, T: _ones(T, T).tril(-1))),
        Mistake("the upper triangle: a decoder that sees itself and what it has not written yet",
                _only("decoder", lambda S, T: _ones(T, T).triu())),
        Mistake("a decoder that sees everything, its own future as well", _only("decoder", lambda S, T: _ones(T, T))),
        Mistake("a decoder's table made for the source's length", _only("decoder", lambda S, T: _ones(S, S).tril())),
        Mistake("an encoder that may not look ahead: what it reads is all there already", _only("encoder", lambda S, T: _ones(S, S).tril())),
        Mistake("an encoder's table made for the target's length", _only("encoder", lambda S, T: _ones(T, T))),
        Mistake("cross-attention on its side: who asks is the row, and the target asks", _only("cross", lambda S, T: _ones(S, T))),
        Mistake("a triangle across: the source is finished before the first target token, so nothing of it is hidden",
                _only("cross", lambda S, T: _ones(T, S).tril())),
        Mistake("a table that says where not to look; here True means may", lambda *asked: ~reference(*asked)),
        Mistake("a table of numbers; it must be torch.bool", lambda *asked: reference(*asked).float()),
        Mistake("a table for any word at all: what is none of the three must raise a ValueError", drawn),
    ),
    hints=(
        "Three tables, and only their shapes and one triangle differ. Who asks is the row: in which of the three does the target ask?",
        "The encoder's is (S, S), the decoder's (T, T), the one across (T, S). Only in a decoder is anything hidden, and there nobody "
        "is hidden from itself.",
        "`torch.ones(rows, cols, dtype=torch.bool)`, and `.tril()` for the decoder. Before that, raise a ValueError unless the word "
        "is one of the three.",
    ),
    explanation=(
        "That is all by which the three shapes differ in what they can know. A hidden cell is there for the future's sake alone: the "
        "source has none left when the target begins, so nothing of it is hidden. The diagonal stays, for the first target position "
        "has nothing else to look at."
    ),
    better=(
        "Real code adds padding: where texts of a batch differ in length, `& padding_keep(ids, pad)` hides what is only filling. An "
        "all-True table need not be made at all; attention without a mask is the same and costs less."
    ),
)
