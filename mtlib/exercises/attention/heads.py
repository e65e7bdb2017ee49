"""attention.heads: one wide vector as several narrow ones, and back."""

from torch import Tensor

from mtlib.grading.draw import DTYPES, Draw
from mtlib.grading.exercise import Exercise, Mistake, Property
from mtlib.grading.judge import agree, equals, refuses, value_of
from mtlib.grading.subject import Subject


def split(x: Tensor, n_heads: int) -> Tensor:
    B, T, D = x.shape
    if D % n_heads:
        raise ValueError(f"D={D} does not split into n_heads={n_heads} equal heads")
    return x.reshape(B, T, n_heads, D // n_heads).transpose(1, 2)


def merge(x: Tensor) -> Tensor:
    return x.transpose(1, 2).flatten(-2)


def whole(d: Draw) -> dict:
    H = d.size(rough=6)
    return {"x": d.floats(d.size(high=2), d.size(), H * d.size(), dtype=d.pick(*DTYPES)), "n_heads": H}


def parted(d: Draw) -> dict:
    return {"x": d.floats(d.size(high=2), d.size(), d.size(), d.size(), dtype=d.pick(*DTYPES))}


def scattered(d: Draw) -> dict:
    """Memory in the order of other axes, as after a transpose."""
    case = whole(d)
    return case | {"x": d.layout(case["x"])}


def uneven(d: Draw) -> dict:
    D = d.size(high=7)
    H = d.pick(*(H for H in range(2, 9) if D % H))
    return {"x": d.floats(d.size(high=2), d.size(high=2), D), "n_heads": H}


def of_split(judge):
    """A judge of the first of the two functions."""
    return lambda case, split, merge: judge(case, split)


def of_merge(judge):
    """A judge of the second of the two functions."""
    return lambda case, split, merge: judge(case, merge)


def there_and_back(case: dict, split_heads: Subject, merge_heads: Subject) -> None:
    expected = split(**case)
    parts = value_of(split_heads.call(case["x"], case["n_heads"]))
    agree(parts, expected, why="split_heads")
    # A learner's own split is a transposed view, so that is what their merge will meet.
    whole = value_of(merge_heads.call(expected))
    agree(whole, case["x"], why="merge_heads(split_heads(x, n_heads)) is not x")


def _straight(x: Tensor, n_heads: int) -> Tensor:
    B, T, D = x.shape
    return x.reshape(B, n_heads, T, D // n_heads) if D % n_heads == 0 else split(x, n_heads)


def _interleaved(x: Tensor, n_heads: int) -> Tensor:
    B, T, D = x.shape
    return x.reshape(B, T, D // n_heads, n_heads).permute(0, 3, 1, 2) if D % n_heads == 0 else split(x, n_heads)


def _cut(x: Tensor, n_heads: int) -> Tensor:
    E = x.shape[-1] // n_heads
    return x[..., : E * n_heads].unflatten(-1, (n_heads, E)).transpose(1, 2)


def _merge_straight(x: Tensor) -> Tensor:
    B, H, T, E = x.shape
    return x.reshape(B, T, H * E)


EXERCISE = Exercise(
    id="attention.heads",
    title="Split into heads, and merge",
    answers=("split_heads", "merge_heads"),
    minutes=15,
    read=("many-heads",),
    properties=(
        Property("split", 3, "split_heads gives head h the columns hE … (h+1)E-1", whole, of_split(equals(split))),
        Property("merge", 2, "merge_heads lays the heads side by side again", parted, of_merge(equals(merge))),
        Property(
            "round trip",
            2,
            "merging what was split gives x back, whatever its memory layout",
            scattered,
            there_and_back,
        ),
        Property("refusal", 1, "a ValueError when n_heads does not divide D", uneven, of_split(refuses), 30),
    ),
    mistakes=(
        Mistake("a reshape straight to (B, H, T, E): it cuts across time, so a head mixes positions", _straight, merge),
        Mistake(
            "a reshape straight to (B, H, T, E): it cuts across time, so a head mixes positions",
            _straight,
            _merge_straight,
        ),
        Mistake(
            "a merge that reshapes without transposing back: it lays positions of one head side by side",
            split,
            _merge_straight,
        ),
        Mistake("a split in which head h takes every H-th column, not E in a row", _interleaved, merge),
        Mistake(
            "a split that stops at (B, T, H, E): the heads should stand before time",
            lambda x, H: split(x, H).transpose(1, 2),
            lambda x: x.flatten(-2),
        ),
        Mistake(
            "a merge that keeps the heads as the rows of time: flatten came before the transpose",
            split,
            lambda x: x.flatten(1, 2),
        ),
        Mistake(
            "`view` where the memory is not in that order; `reshape` copies when it must",
            split,
            lambda x: x.transpose(1, 2).view(x.shape[0], x.shape[2], -1),
            raises="RuntimeError",
        ),
        Mistake("a split that drops the columns left over, where it should refuse", _cut, merge),
        Mistake(
            "torch's own RuntimeError from the reshape, where a ValueError that names D and n_heads was asked for",
            lambda x, H: x.reshape(*x.shape[:2], H, x.shape[-1] // H).transpose(1, 2),
            merge,
            raises="RuntimeError",
        ),
    ),
    hints=(
        "Take one row of x, D numbers. Where do the numbers of head 0 stand, and where those of head 1? Only that "
        "one axis is to be cut.",
        "Cut the last axis in two, (B, T, H, E), and only then bring H before T. Merging does the two in the "
        "opposite order.",
        "`x.reshape(B, T, n_heads, -1).transpose(1, 2)`, and back `x.transpose(1, 2).flatten(-2)`. Before the "
        "reshape: `if D % n_heads: raise ValueError(…)`.",
    ),
    explanation=(
        "A reshape only renumbers the entries in the order in which they lie; a transpose changes which axis is which. "
        "Going straight to (B, H, T, E) has the right shape and the wrong contents: 'head 0' is then the first half "
        "of the sentence. No shape error will ever tell you, only a loss that will not go down."
    ),
    better=(
        "`unflatten` works out the width itself where you write -1: `x.unflatten(-1, (n_heads, -1))`. And no number "
        "is copied: the result is a view of x with other strides."
    ),
)
