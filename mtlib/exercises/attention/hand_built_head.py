"""attention.hand_built_head: weights set by hand, so that every position looks at the one before it."""

import math

import torch
from torch import Tensor

from mtlib.grading.draw import Draw
from mtlib.grading.exercise import Exercise, Mistake, Property
from mtlib.grading.judge import Wrong, agree_in_form, value_of
from mtlib.grading.subject import Subject


def attention_of(w_q: Tensor, w_k: Tensor, T: int) -> Tensor:
    """(T, T) weights of the head over one-hot positions, under a causal keep."""
    d_pos = w_q.shape[0]
    positions = torch.eye(d_pos, dtype=torch.float32)[:T]
    scores = positions @ w_q @ (positions @ w_k).T / math.sqrt(d_pos)
    return scores.masked_fill(~torch.ones(T, T, dtype=torch.bool).tril(), -math.inf).softmax(-1)


def shift(d_pos: int, by: int = 1) -> Tensor:
    """Row t has its one at t - by: the question of position t is "who is at t - by?"."""
    return torch.diag(torch.ones(max(d_pos - abs(by), 0), dtype=torch.float32), -by)[:d_pos, :d_pos]


def reference(d_pos: int) -> tuple[Tensor, Tensor]:
    return _scaled(shift(d_pos), 20.0, d_pos)


def small(d: Draw) -> dict:
    d_pos = d.size(high=8, rough=24)
    return {"d_pos": d_pos, "T": d.whole(1, d_pos)}


def wide(d: Draw) -> dict:
    """Hundreds of positions, where a small scale is drowned: √d_pos grows, and so does the crowd."""
    d_pos = d.pick(64, 128, 256, 384, 512)
    return {"d_pos": d_pos, "T": d.pick(d_pos, d_pos - 1, d_pos // 2)}


def has_the_form(case: dict, subject: Subject) -> None:
    weights_of(case, value_of(subject.call(case["d_pos"])))


def weights_of(case: dict, value: object) -> Tensor:
    """The attention that a learner's pair of matrices makes; raises Wrong where they are no such pair."""
    d_pos = case["d_pos"]
    agree_in_form(value, (shift(d_pos), shift(d_pos)), ("w_q", "w_k"))
    return attention_of(*value, case["T"])


def looks_back(case: dict, subject: Subject) -> None:
    weights = weights_of(case, value_of(subject.call(case["d_pos"])))
    T = case["T"]
    wanted = torch.cat([shift(T, 0)[:1], shift(T)[1:]])
    if weights.isnan().any():
        raise Wrong("the attention weights hold NaN: the scores are too large for float32", weights, wanted)
    on_previous = weights[1:].diagonal()
    if (on_previous <= 0.99).any():
        t = int(on_previous.argmin()) + 1
        elsewhere = weights[1:].clone()
        elsewhere.diagonal().zero_()
        if (elsewhere.amax(1) < on_previous).all():
            raise Wrong(
                f"position {t} looks at the right place, too quietly: it gives position {t - 1} a weight of "
                f"{on_previous[t - 1]:.4g}; it should be over 0.99. How loud is loud enough grows with the {t} other places it "
                "competes with, and with the √d_pos that divides the scores",
                weights[t : t + 1], wanted[t : t + 1], f"row {t} of the attention weights",
            )  # fmt: skip
        raise Wrong(
            f"position {t} gives position {t - 1} a weight of {on_previous[t - 1]:.4g}; it should be over 0.99",
            weights, wanted, "attention weights",
        )  # fmt: skip


def pattern(case: dict, value: object) -> object:
    """What two heads have in common when they look at the same places: many matrices do the same job."""
    try:
        weights = weights_of(case, value)
    except Wrong as wrong:
        return wrong.sentence
    return (weights > 0.9).int(), (weights > 0.5).int()


def _scaled(question: Tensor, times: float, d_pos: int) -> tuple[Tensor, Tensor]:
    return times * math.sqrt(d_pos) * question, shift(d_pos, 0)


EXERCISE = Exercise(
    id="attention.hand_built_head",
    title="A head built by hand",
    answers=("previous_token_head",),
    minutes=25,
    read=("s-qkv", "s-walkthrough-1"),
    properties=(
        Property("form", 1, "a pair of float32 matrices, each (d_pos, d_pos)", small, has_the_form, 20),
        Property(
            "looks back",
            4,
            "every position but the first gives the one before it over 0.99",
            small,
            looks_back,
            40,
            pattern,
        ),
        Property("any width", 3, "the same up to 512 positions, for any T up to d_pos", wide, looks_back, 12, pattern),
    ),
    mistakes=(
        Mistake("a head that looks at its own position", lambda n: _scaled(shift(n, 0), 20.0, n)),
        Mistake(
            "a head turned round: it asks for the position after, which the causal keep hides",
            lambda n: _scaled(shift(n, -1), 20.0, n),
        ),
        Mistake("a head that looks two positions back", lambda n: _scaled(shift(n, 2), 20.0, n)),
        Mistake(
            "the right question asked too quietly: with scores of 0 and 1 the softmax stays almost even",
            lambda n: (shift(n), shift(n, 0)),
        ),
        Mistake(
            "the right question asked too quietly: with scores of 0 and 1 the softmax stays almost even",
            lambda n: _scaled(shift(n), 1.0, n),
        ),
        Mistake(
            "a scale that forgets the division by √d_pos: it is loud enough for a few positions and not for hundreds",
            lambda n: (20.0 * shift(n), shift(n, 0)),
        ),
        Mistake("a head of zeros: it looks everywhere alike", lambda n: (0 * shift(n), 0 * shift(n))),
        Mistake("a head that always looks at position 0", lambda n: _scaled(shift(n, 0)[:1].repeat(n, 1), 20.0, n)),
        Mistake(
            "the right head in float64; the positions are float32", lambda n: tuple(w.double() for w in reference(n))
        ),
    ),
    hints=(
        "P is one-hot, so P @ w_q picks row t of w_q: that row is the question position t asks. Which question "
        "finds position t-1, if each key simply says where it stands?",
        "Let w_k be the identity. Then w_q needs a single number in each row t, at column t-1; all the rest of the "
        "work is to make that number large enough to survive the division and the crowd.",
        "`torch.diag(torch.full((d_pos - 1,), c), -1)` and `torch.eye(d_pos)`. After the division the score must "
        "beat log(99 · 511) ≈ 11, so c must grow with √d_pos.",
    ),
    explanation=(
        "This head is no toy: trained models grow one in their first layers, and a later head uses it to continue "
        "a pattern "
        "it has seen before. Query and key weights matter only as the product w_q w_kᵀ, so any pair with the same "
        "product is "
        "the same head; that is why your matrices need not be ours."
    ),
    better=(
        "Real position vectors are not one-hot. With sines and cosines, 'one back' is a rotation, so w_q can be "
        "that rotation "
        "and the head works at lengths it has never seen; the chapter on positions builds it."
    ),
)
