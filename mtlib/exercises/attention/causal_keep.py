"""attention.causal_keep: which key each query may look at, when it may not look ahead."""

import torch
from torch import Tensor

from mtlib.grading.draw import Draw
from mtlib.grading.exercise import Exercise, Mistake, Property
from mtlib.grading.judge import equals, refuses


def reference(T_q: int, T_k: int) -> Tensor:
    if not 1 <= T_q <= T_k:
        raise ValueError(f"T_q={T_q} queries cannot be the last of T_k={T_k} positions")
    return triangle(T_q, T_k, T_k - T_q)


def triangle(T_q: int, T_k: int, diagonal: int) -> Tensor:
    return torch.ones(T_q, T_k, dtype=torch.bool).tril(diagonal)


def square(d: Draw) -> dict:
    T = d.size(high=6, rough=40)
    return {"T_q": T, "T_k": T}


def with_a_past(d: Draw) -> dict:
    T_q = d.size(high=4, rough=20)
    return {"T_q": T_q, "T_k": T_q + d.size(high=3, rough=20)}


def impossible(d: Draw) -> dict:
    """More queries than positions, or none."""
    if d.flag():
        return {"T_q": d.whole(-2, 0), "T_k": d.whole(0, 4)}
    T_k = d.whole(0, 4)
    return {"T_q": T_k + d.whole(1, 3), "T_k": T_k}


def _as_bias(T_q: int, T_k: int) -> Tensor:
    return torch.zeros(T_q, T_k, dtype=torch.float32).masked_fill(~reference(T_q, T_k), float("-inf"))


EXERCISE = Exercise(
    id="attention.causal_keep",
    title="No looking ahead",
    answers=("causal_keep",),
    minutes=10,
    read=("masks",),
    properties=(
        Property("square", 2, "query i sees keys 0 to i", square, equals(reference), 30),
        Property("with a past", 3, "the queries are the last T_q of T_k positions", with_a_past, equals(reference), 30),
        Property("refusal", 1, "a ValueError unless 1 <= T_q <= T_k", impossible, refuses, 30),
    ),
    mistakes=(
        Mistake(
            "a mask aligned at the top left: the queries are taken for the first positions, not the last",
            lambda a, b: triangle(a, b, 0),
        ),
        Mistake(
            "a mask that hides a position from itself: only strictly earlier ones are seen",
            lambda a, b: triangle(a, b, b - a - 1),
        ),
        Mistake("a mask that says where not to look; here True means may look", lambda a, b: ~reference(a, b)),
        Mistake(
            "the upper triangle: each position sees itself and the future",
            lambda a, b: torch.ones(a, b, dtype=torch.bool).triu(b - a),
        ),
        Mistake("a float mask of 0 and -inf to be added; a keep is bool", _as_bias),
        Mistake("a mask of numbers; a keep is bool", lambda a, b: reference(a, b).float()),
        Mistake("a mask of shape (T_k, T_k), for as many queries as keys", lambda a, b: triangle(b, b, 0)),
        Mistake(
            "the right mask for sizes that make sense, and no ValueError for those that do not",
            lambda a, b: triangle(a, b, b - a),
        ),
    ),
    hints=(
        "Write down the positions: keys are 0 … T_k-1. If there are fewer queries than keys, which positions do "
        "the queries have?",
        "Query i stands at position T_k - T_q + i, and sees every key j up to there, itself included.",
        "Either compare `torch.arange(T_k) <= torch.arange(T_k - T_q, T_k)[:, None]`, or use `tril` with the right "
        "`diagonal`. First refuse sizes that make no sense.",
    ),
    explanation=(
        "While text is generated with a cache, the queries are only the newest tokens and the keys are all of "
        "them: then "
        "T_q < T_k, and the triangle sits at the bottom right. Aligned at the top left, the newest token would see "
        "only the oldest one, and nothing would crash to tell you."
    ),
    better=(
        "When T_q is 1 the mask is all True, so generation one token at a time needs none. Fused kernels take a flag "
        "`is_causal` and skip the hidden half; mind that torch's aligns at the top left."
    ),
)
