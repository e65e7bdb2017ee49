"""recurrent.path_length: how far it is from one place to another."""

from collections.abc import Callable

from mtlib.grading.draw import Draw
from mtlib.grading.exercise import Exercise, Mistake, Property
from mtlib.grading.judge import equals, refuses

DESIGNS = ("rnn", "self_attention", "cnn3")


def reference(design: str, i: int, j: int, n: int) -> int:
    return variant()(design, i, j, n)


def step_by_step(i: int, j: int, n: int) -> int:
    return j - i + 1 if i <= j else -1


def at_once(i: int, j: int, n: int) -> int:
    return 1


def place_by_place(i: int, j: int, n: int) -> int:
    return max(1, abs(i - j))


def variant(rnn: Callable = step_by_step, attention: Callable = at_once, cnn: Callable = place_by_place, guarded: bool = True) -> Callable:
    """The count with one design changed, or without looking at its arguments."""

    def path_length(design: str, i: int, j: int, n: int) -> int:
        if guarded and (design not in DESIGNS or not (0 <= i < n and 0 <= j < n)):
            raise ValueError(f"design={design!r}, i={i}, j={j}, n={n}")
        return {"rnn": rnn, "self_attention": attention, "cnn3": cnn}.get(design, at_once)(i, j, n)

    return path_length


def _places(d: Draw, design: str) -> dict:
    n = d.size(rough=40)
    return {"design": design, "i": d.whole(0, n - 1), "j": d.whole(0, n - 1), "n": n}


def rnn(d: Draw) -> dict:
    """Left to right, i before j or at j."""
    case = _places(d, "rnn")
    return case | {"i": min(case["i"], case["j"]), "j": max(case["i"], case["j"])}


def from_the_right(d: Draw) -> dict:
    """An RNN whose input comes after the output."""
    n = d.size(low=2, rough=40)
    i = d.whole(1, n - 1)
    return {"design": "rnn", "i": i, "j": d.whole(0, i - 1), "n": n}


def attention(d: Draw) -> dict:
    return _places(d, "self_attention")


def convolution(d: Draw) -> dict:
    return _places(d, "cnn3")


def at_the_ends(d: Draw) -> dict:
    """The first and the last place, any design."""
    n = d.size(rough=40)
    return {"design": d.pick(*DESIGNS), "i": d.pick(0, n - 1), "j": d.pick(n - 1, 0), "n": n}


def no_such_design(d: Draw) -> dict:
    return _places(d, d.pick("lstm", "", "RNN", "cnn5"))


def no_such_place(d: Draw) -> dict:
    """An index that is negative, or n, or beyond."""
    case = _places(d, d.pick(*DESIGNS))
    return case | {d.pick("i", "j"): d.pick(case["n"], -1, case["n"] + 3, -case["n"])}


EXERCISE = Exercise(
    id="recurrent.path_length",
    title="How far from i to j?",
    answers=("path_length",),
    minutes=15,
    read=("s-transformers-attention",),
    properties=(
        Property("rnn", 3, "one application for every step from i to j, both included", rnn, equals(reference), 45),
        Property("from the right", 1, "an RNN that reads from the left never sees what comes later: -1", from_the_right, equals(reference), 30),
        Property("self-attention", 2, "one application, wherever i and j are", attention, equals(reference), 45),
        Property("convolution", 3, "width 3 reaches one place to each side a layer, and it takes one at least", convolution,
                 equals(reference), 60),
        Property("ends", 1, "the first and the last place, n = 1 too", at_the_ends, equals(reference), 45),
        Property("another design", 1, "a ValueError for a design that is none of the three", no_such_design, refuses, 20),
        Property("no such place", 1, "a ValueError unless 0 ≤ i, j < n", no_such_place, refuses, 40),
    ),
    mistakes=(
        Mistake("rnn: j − i counts the gaps; the cell is applied at i and at j too, j − i + 1 times",
                variant(rnn=lambda i, j, n: j - i if i <= j else -1)),
        Mistake("rnn: the distance, whichever way; from the right nothing comes, that is -1",
                variant(rnn=lambda i, j, n: abs(j - i) + 1)),
        Mistake("rnn: 0 from the right; 0 would be no application at all, -1 is asked for",
                variant(rnn=lambda i, j, n: max(0, j - i + 1))),
        Mistake("rnn: counted to the end of the text; output j is ready at j", variant(rnn=lambda i, j, n: n - i if i <= j else -1)),
        Mistake("self-attention: 0 for a place itself; its output too is made by one application",
                variant(attention=lambda i, j, n: int(i != j))),
        Mistake("self-attention: -1 from the right; there is no keep here, everybody sees everybody",
                variant(attention=lambda i, j, n: 1 if i <= j else -1)),
        Mistake("self-attention: the distance; it reaches everywhere at once", variant(attention=lambda i, j, n: max(1, abs(i - j)))),
        Mistake("cnn3: half the distance; width 3 is one place to each side, not two",
                variant(cnn=lambda i, j, n: max(1, (abs(i - j) + 1) // 2))),
        Mistake("cnn3: a third of the distance; width 3 is one place to each side",
                variant(cnn=lambda i, j, n: max(1, -(-abs(i - j) // 3)))),
        Mistake("cnn3: 0 for a place itself; it takes one application to come out", variant(cnn=lambda i, j, n: abs(i - j))),
        Mistake("cnn3: one too many; the layer that reaches the place is counted already",
                variant(cnn=lambda i, j, n: abs(i - j) + 1)),
        Mistake("cnn3: only from the left; a centred filter sees both sides",
                variant(cnn=lambda i, j, n: max(1, j - i))),
        Mistake("any design and any place accepted: a ValueError is asked for", variant(guarded=False)),
    ),
    hints=(
        "Take n = 4 and draw arrows on paper: for each design, which inputs does one application reach? How many must be done one "
        "after another?",
        "An RNN's output at i = j has been through the cell once, so count both ends. A centred width-3 layer moves by one place "
        "at most; at i = j one layer is still needed for anything to come out.",
        "`rnn`: `j - i + 1 if i <= j else -1`. `self_attention`: `1`. `cnn3`: `max(1, abs(i - j))`. Before that the two "
        "`raise ValueError`.",
    ),
    explanation=(
        "This is the third column of the table that sold the transformer, counted and not cited: n for a recurrent layer, n over "
        "the width for stacked convolutions, 1 for self-attention."
    ),
    better=(
        "Table 1 of the paper gives O(log n) for convolutions, but dilated ones, whose filters leave gaps that double from layer to "
        "layer. Stacked side by side, as here, they need n over the width."
    ),
)
