"""attention.picture: every head's map in one picture, laid out like words on a page."""

import math

import torch
from torch import Tensor

from mtlib.grading.draw import DTYPES, Draw
from mtlib.grading.exercise import Exercise, Mistake, Property
from mtlib.grading.judge import equals, leaves_inputs, refuses


def reference(weights: Tensor, columns: int) -> Tensor:
    if columns < 1:
        raise ValueError(f"columns={columns}: a picture needs at least one map in a row")
    return tiled(weights, columns)


def tiled(weights: Tensor, columns: int, rows: int | None = None, blank: float = 0.0, place=divmod) -> Tensor:
    """The maps laid out; `place(h, columns)` is the row and column of head h, and the mistakes change it."""
    H, T_q, T_k = weights.shape
    rows = math.ceil(H / columns) if rows is None else rows
    page = torch.full((rows * T_q, columns * T_k), blank, dtype=weights.dtype)
    for h in range(min(H, rows * columns)):
        i, j = place(h, columns)
        page[i * T_q : (i + 1) * T_q, j * T_k : (j + 1) * T_k] = weights[h]
    return page


def _weights(d: Draw, H: int) -> Tensor:
    # Any numbers from 0 up: a picture does not care whether rows sum to one, and whole numbers read better.
    return d.floats(H, d.size(high=3, rough=6), d.size(high=3, rough=6), dtype=d.pick(*DTYPES)).abs()


def full(d: Draw) -> dict:
    """Several rows of several maps, none left over."""
    rows, columns = d.whole(2, 3), d.whole(2, 3)
    return {"weights": _weights(d, rows * columns), "columns": columns}


def part_full(d: Draw) -> dict:
    """A last row with tiles to spare; it may be the only row."""
    columns = d.whole(2, 5)
    spare = d.whole(1, columns - 1)
    return {"weights": _weights(d, d.whole(1, 3) * columns - spare), "columns": columns}


def edges(d: Draw) -> dict:
    """One head, one map a row, or all maps in one row."""
    H = d.whole(1, 4)
    return {"weights": _weights(d, H), "columns": d.pick(1, H)}


def any_layout(d: Draw) -> dict:
    return d.pick(full, part_full, edges)(d)


def impossible(d: Draw) -> dict:
    return {"weights": _weights(d, d.whole(1, 3)), "columns": -d.whole(0, 3)}


def _down_the_columns(weights: Tensor, columns: int) -> Tensor:
    rows = math.ceil(len(weights) / columns)
    return _checked(weights, columns, place=lambda h, _: divmod(h, rows)[::-1])


def _checked(weights: Tensor, columns: int, **changed) -> Tensor:
    """A mistake that is right about which `columns` to refuse."""
    reference(weights, columns)
    return tiled(weights, columns, **changed)


def _reshaped(weights: Tensor, columns: int) -> Tensor:
    page = torch.zeros_like(reference(weights, columns))
    page.view(-1)[: weights.numel()] = weights.flatten()
    return page


def _columns_for_rows(weights: Tensor, columns: int) -> Tensor:
    reference(weights, columns)
    return tiled(weights, math.ceil(len(weights) / columns), rows=columns)


def _unrefusing(weights: Tensor, columns: int) -> Tensor:
    return tiled(weights, columns, rows=-(-len(weights) // columns))


EXERCISE = Exercise(
    id="attention.picture",
    title="A picture of every head",
    answers=("picture",),
    minutes=15,
    read=("a-attention-viz",),
    properties=(
        Property("reading order", 3, "head h stands in row h // columns, column h % columns", full, equals(reference)),
        Property("blank tiles", 2, "places beyond the last head are 0, however many", part_full, equals(reference), 45),
        Property("edges", 1, "one head, one map a row, all maps in one row", edges, equals(reference), 30),
        Property("refusal", 1, "a ValueError unless columns is at least 1", impossible, refuses, 20),
        Property(
            "inputs unchanged", 1, "weights are afterwards what they were", any_layout, leaves_inputs(reference), 20
        ),
    ),
    mistakes=(
        Mistake("column order: heads run down the columns, where they should run along the rows", _down_the_columns),
        Mistake(
            "each map transposed: queries make the rows of a map, keys its columns",
            lambda weights, columns: reference(weights.mT, columns),
        ),
        Mistake("a reshape and no more: it cuts the maps into strips, and a row of the picture mixes heads", _reshaped),
        Mistake("`columns` taken for the number of rows", _columns_for_rows),
        Mistake(
            "a picture of the full rows only: the heads of a last, shorter row are lost",
            lambda weights, columns: _checked(weights, columns, rows=len(weights) // columns),
        ),
        Mistake(
            "a picture cut to the heads it has: with fewer heads than columns, the blank tiles stay",
            lambda weights, columns: reference(weights, min(columns, len(weights))),
        ),
        Mistake(
            "blank tiles of NaN; here they are 0",
            lambda weights, columns: _checked(weights, columns, blank=math.nan),
        ),
        Mistake(
            "a float32 picture whatever the weights are; it should have their dtype",
            lambda weights, columns: reference(weights, columns).float(),
        ),
        Mistake("a picture that takes any `columns`, where it should refuse fewer than one", _unrefusing, raises="ZeroDivisionError"),
    ),
    hints=(
        "Take a blank picture of the final size first. Where in it does head 0 begin, and where head 1? When does "
        "a new row begin?",
        "Head h has its corner at row (h // columns)·T_q and column (h % columns)·T_k, and it fills T_q × T_k cells "
        "from there. `divmod(h, columns)` gives both numbers.",
        "`page = weights.new_zeros(rows * T_q, columns * T_k)` with `rows = math.ceil(H / columns)`; then for each h, "
        "with `i, j = divmod(h, columns)`: `page[i*T_q:(i+1)*T_q, j*T_k:(j+1)*T_k] = weights[h]`.",
    ),
    explanation=(
        "A picture is one more tensor with its axes in another order: (rows, columns, T_q, T_k) becomes "
        "(rows, T_q, columns, T_k), and only then are neighbours joined. It is merge_heads once more, for two axes at "
        "a time, and the same mistake waits: a reshape alone has the right shape and shows you nonsense."
    ),
    better=(
        "With einops it reads as it is meant: `rearrange(tiles, '(r c) q k -> (r q) (c k)', c=columns)`. For labels, "
        "titles and space between the maps there is `plot.heads(weights, tokens)`."
    ),
)
