"""positional.grid: the same waves for a picture, half of the columns for the row and half for the column."""

import torch
from torch import Tensor

from mtlib.grading.draw import Draw
from mtlib.grading.exercise import Exercise, Mistake, Property
from mtlib.grading.judge import equals, refuses

from .waves import table


def reference(height: int, width: int, d_model: int) -> Tensor:
    return variant()(height, width, d_model)


def side_by_side(row: Tensor, column: Tensor) -> Tensor:
    return torch.cat([row, column], dim=-1)


def variant(join=side_by_side, half=lambda n, D: table(n, D // 2), divisor: int = 4, order: str = "rows"):
    """The encoding with a step changed: how halves are joined, what a half is, what d_model must be, which axis runs faster."""

    def grid_encoding(height: int, width: int, d_model: int) -> Tensor:
        if d_model % divisor:
            raise ValueError(f"d_model={d_model} must be a multiple of {divisor}")
        row = half(height, d_model)[:, None].expand(-1, width, -1)
        column = half(width, d_model)[None].expand(height, -1, -1)
        both = join(row, column)
        return (both if order == "rows" else both.transpose(0, 1)).flatten(0, 1)

    return grid_encoding


def square(d: Draw) -> dict:
    side = d.size(high=3, rough=8)
    return {"height": side, "width": side, "d_model": 4 * d.size(high=2, rough=8)}


def oblong(d: Draw) -> dict:
    height = d.size(high=3, rough=8)
    width = height + d.whole(1, 3) if d.flag() else 1 + (height + d.whole(0, 2)) % 5
    return {"height": height, "width": width, "d_model": 4 * d.size(high=2, rough=8)}


def no_multiple(d: Draw) -> dict:
    return {"height": d.size(), "width": d.size(), "d_model": d.pick(2, 6, 1, 3, 10, 18)}


def _one_row(height: int, width: int, d_model: int) -> Tensor:
    return table(height * width, d_model) if d_model % 4 == 0 else reference(height, width, d_model)


EXERCISE = Exercise(
    id="positional.grid",
    title="Waves in two dimensions",
    answers=("grid_encoding",),
    minutes=15,
    read=("s-2d-grid",),
    properties=(
        Property("square", 2, "row waves in the first half of the columns, column waves in the second", square, equals(reference), 40),
        Property("oblong", 3, "height and width differ; cells come row by row", oblong, equals(reference)),
        Property("refusal", 1, "a ValueError unless d_model is a multiple of 4", no_multiple, refuses, 20),
    ),
    mistakes=(
        Mistake("cells column by column; they come row by row, as one reads", variant(order="columns")),
        Mistake("the column's waves first; the row's come first", variant(join=lambda row, column: side_by_side(column, row))),
        Mistake("both waves added in the same columns: row 2, column 3 becomes the same as row 3, column 2",
                variant(join=lambda row, column: row + column, half=lambda n, D: table(n, D))),
        Mistake("frequencies for all d_model columns, cut in half: the slow ones are missing",
                variant(half=lambda n, D: table(n, D)[:, : D // 2])),
        Mistake("one long row of waves over all cells: the cell below is then as far as a whole row of cells", _one_row),
        Mistake("sines of the row and cosines of the column; each needs both",
                variant(half=lambda n, D: table(n, D), join=lambda row, column: torch.stack(
                    [row[..., 0::2], column[..., 1::2]], dim=-1).flatten(-2))),
        Mistake("height and width kept as two axes; they are one, height·width",
                lambda h, w, D: reference(h, w, D).unflatten(0, (h, w))),
        Mistake("a float32 table; it should be float64", lambda *case: reference(*case).float()),
        Mistake("the right table for a multiple of 4, and no ValueError for other even widths",
                variant(divisor=2, half=lambda n, D: table(n, (D // 2 + 1) // 2 * 2)[:, : D // 2])),
    ),
    hints=(
        "A cell has two places, its row and its column. Each of them has waves of its own, d_model/2 wide. Which rows of which "
        "table does cell number t need, if cells are counted row by row?",
        "Cell t stands in row t // width and column t % width. With two tables of waves you only have to pick: "
        "`rows[t // width]` and `columns[t % width]`, side by side.",
        "`t = torch.arange(height * width)`; `torch.cat([waves(height)[t // width], waves(width)[t % width]], dim=1)` with "
        "waves(n) the (n, d_model/2) table of the first exercise. Each half must itself be even.",
    ),
    explanation=(
        "Neighbours above and below are now as near as neighbours left and right, and the block itself has not changed: the notes' "
        "\"swap the encoding and the block serves images\" in five lines. Side by side and not added, because a sum of two waves "
        "does not say which of the two a place is."
    ),
    better=(
        "For pictures of one size most image transformers simply learn a table with a row for each patch; it comes out grid-like "
        "by itself. Waves, or rotary turned by row in one half and by column in the other, also serve sizes never trained on."
    ),
)
