"""attention.padding_keep: no looking at padding."""

import torch
from torch import Tensor

from mtlib.grading.draw import Draw
from mtlib.grading.exercise import Exercise, Mistake, Property
from mtlib.grading.judge import agree, equals, leaves_inputs, value_of
from mtlib.grading.subject import Subject


def reference(ids: Tensor, pad: int) -> Tensor:
    return (ids != pad)[:, None, None, :]


def at_the_end(d: Draw) -> dict:
    """Rows of different length, padded with 0 at their ends."""
    B, T = d.size(), d.size()
    ids = d.integers(B, T, low=1, high=9)
    for row in ids:
        row[d.whole(1, T) :] = 0
    return {"ids": ids, "pad": 0}


def anywhere(d: Draw) -> dict:
    """Any id may be the pad, and it may stand anywhere in a row."""
    return {"ids": d.integers(d.size(), d.size(), high=3), "pad": d.whole(0, 3)}


def combines(case: dict, subject: Subject) -> None:
    """With a causal keep: each pair of positions may look unless it is ahead or padding."""
    T = case["ids"].shape[1]
    causal = torch.ones(T, T, dtype=torch.bool).tril()
    expected = reference(**case)
    keep = value_of(subject.call(case["ids"], case["pad"]))
    agree(keep, expected)
    agree(keep & causal, expected & causal, why="combined with a causal keep")


def _from_the_first_pad_on(ids: Tensor, pad: int) -> Tensor:
    return ((ids == pad).cumsum(1) == 0)[:, None, None, :]


def _trailing_only(ids: Tensor, pad: int) -> Tensor:
    return ((ids != pad).flip(1).cumsum(1).flip(1) > 0)[:, None, None, :]


EXERCISE = Exercise(
    id="attention.padding_keep",
    title="No looking at padding",
    answers=("padding_keep",),
    minutes=10,
    read=("masks",),
    properties=(
        Property(
            "padding at the end", 2, "False exactly on padding, as (B, 1, 1, T_k)", at_the_end, equals(reference), 30
        ),
        Property("any pad, anywhere", 2, "pad is the id given, wherever it stands", anywhere, equals(reference), 30),
        Property("combination", 1, "it broadcasts against a causal keep to (B, 1, T, T)", anywhere, combines, 30),
        Property("inputs unchanged", 1, "ids are afterwards what they were", anywhere, leaves_inputs(reference), 10),
    ),
    mistakes=(
        Mistake(
            "a mask that is True on padding; here True means may look", lambda ids, pad: (ids == pad)[:, None, None, :]
        ),
        Mistake(
            "a mask that takes 0 for the padding, whatever `pad` says", lambda ids, pad: (ids != 0)[:, None, None, :]
        ),
        Mistake(
            "a mask that takes ids above `pad` for words and all others for padding",
            lambda ids, pad: (ids > pad)[:, None, None, :],
        ),
        Mistake(
            "a mask of shape (B, T_k): it would broadcast the batch against the queries", lambda ids, pad: ids != pad
        ),
        Mistake(
            "a mask of shape (B, 1, T_k), one axis short of (B, H, T_q, T_k)", lambda ids, pad: (ids != pad)[:, None, :]
        ),
        Mistake(
            "a mask over queries, (B, 1, T, 1): padding must be hidden as a key",
            lambda ids, pad: (ids != pad)[:, None, :, None],
        ),
        Mistake("a mask that hides everything from the first pad on", _from_the_first_pad_on),
        Mistake("a mask that hides only the padding at the end of a row", _trailing_only),
        Mistake("a mask of numbers; a keep is bool", lambda ids, pad: reference(ids, pad).long()),
    ),
    hints=(
        "One comparison makes the mask. The rest is only about where its two axes go among (B, H, T_q, T_k).",
        "Padding is hidden as a key, from every head and every query alike: those two axes have size 1.",
        "`(ids != pad)` has shape (B, T_k); index it with `[:, None, None, :]`.",
    ),
    explanation=(
        "A keep with size-1 axes costs B·T_k bools in place of B·H·T_q·T_k, and `&` with a causal keep makes the "
        "full one "
        "on the fly. It hides padding as keys; what padded queries put out is garbage that the loss has to ignore."
    ),
    better=(
        "With padding on the right and a causal keep, real positions never see padding anyway, so decoders that are "
        "trained that way need no padding mask. Better still, pack the rows and have no padding."
    ),
)
