"""decoder.shift_right: what a decoder is shown while it is asked for the targets."""

import torch
from torch import Tensor

from mtlib.grading.draw import Draw
from mtlib.grading.exercise import Exercise, Mistake, Property
from mtlib.grading.judge import equals, leaves_inputs


def reference(targets: Tensor, bos: int) -> Tensor:
    return torch.cat([torch.full_like(targets[:, :1], bos), targets[:, :-1]], dim=1)


def _case(d: Draw, B: int, T: int) -> dict:
    return {"targets": d.integers(B, T, low=3, high=9), "bos": d.pick(1, 0, 2, 11)}


def one_row(d: Draw) -> dict:
    """One text of two ids or more."""
    return _case(d, 1, d.size(low=2))


def some_rows(d: Draw) -> dict:
    return _case(d, d.size(low=2), d.size(low=2))


def length_one(d: Draw) -> dict:
    """Nothing is left of the targets."""
    return _case(d, d.size(), 1)


def any_rows(d: Draw) -> dict:
    return _case(d, d.size(), d.size())


def _put(targets: Tensor, bos: int) -> Tensor:
    out = targets.clone()
    out[:, 0] = bos
    return out


def _left(targets: Tensor, bos: int) -> Tensor:
    return torch.cat([targets[:, 1:], torch.full_like(targets[:, :1], bos)], dim=1)


def _kept_whole(targets: Tensor, bos: int) -> Tensor:
    return torch.cat([torch.full_like(targets[:, :1], bos), targets], dim=1)


def _in_one_row(targets: Tensor, bos: int) -> Tensor:
    flat = targets.reshape(-1)
    return torch.cat([torch.tensor([bos]), flat[:-1]]).reshape(targets.shape)


def _down(targets: Tensor, bos: int) -> Tensor:
    return torch.cat([torch.full_like(targets[:1], bos), targets[:-1]])


def _in_place(targets: Tensor, bos: int) -> Tensor:
    targets[:, 1:] = targets[:, :-1].clone()
    targets[:, 0] = bos
    return targets


EXERCISE = Exercise(
    id="decoder.shift_right",
    title="One place to the right",
    answers=("shift_right",),
    minutes=10,
    read=("decoder-data",),
    properties=(
        Property("one row", 3, "the start sign, then every target but the last", one_row, equals(reference), 45),
        Property("rows", 3, "each row for itself", some_rows, equals(reference), 45),
        Property("length one", 2, "of a target alone only the start sign is left", length_one, equals(reference), 30),
        Property("inputs unchanged", 2, "targets are needed again, for the loss", any_rows, leaves_inputs(reference), 30),
    ),
    mistakes=(
        Mistake("no shift: the model is shown the very token it is asked for", lambda targets, bos: targets.clone()),
        Mistake("the first target overwritten and nothing moved: from place 1 on, the answer stands in the input", _put),
        Mistake("moved to the left: that is what the targets are to the inputs, seen from the other side", _left),
        Mistake("a row that is one longer: the last target is never shown, for nothing is asked after it", _kept_whole),
        Mistake("rolled round: the last target stands first, where the start sign belongs",
                lambda targets, bos: targets.roll(1, dims=1)),
        Mistake("all rows as one: what leaves a row at its end comes in at the start of the next", _in_one_row),
        Mistake("moved down, from text to text; time is the second axis", _down),
        Mistake("shifted in place: the targets are gone before the loss can use them", _in_place),
        Mistake("the start sign left out: the row is one too short", lambda targets, bos: targets[:, :-1].clone()),
    ),
    hints=(
        "Write targets 5 6 7 on paper, and under each what the model may have seen when it is asked for it.",
        "What goes in is a column of `bos` and the targets without their last column, side by side. How long is the result?",
        "`torch.cat([torch.full_like(targets[:, :1], bos), targets[:, :-1]], dim=1)`.",
    ),
    explanation=(
        "With the triangle, this is what turns one text into T questions: row t has seen the start sign and targets 0 … t-1, and is "
        "asked for target t. Either alone is not enough: without the shift each row sees its own answer, without the triangle the next one's."
    ),
    better=(
        "A language model needs no start sign: `ids[:, :-1]` goes in and `ids[:, 1:]` is asked for, two views of one tensor. The "
        "first token is then never asked for, since nothing stands before it."
    ),
)
