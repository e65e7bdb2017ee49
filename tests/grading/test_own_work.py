"""What earns points is the learner's own work: neither mtlib's functions nor a patch of what the check leans on."""

import functools
import math

import pytest
import torch

import mtlib as mt
from mtlib.exercises import find
from mtlib.exercises.attention.scores import reference
from mtlib.grading import CheckFailed, check
from mtlib.grading.run import grade

SCORES, ATTENTION = find("attention.scores"), find("attention.scaled_dot_product")


def right(q, k):
    return q @ k.mT / q.shape[-1] ** 0.5


class Inherited(mt.MultiHeadAttention):
    pass


OURS = {
    "a function": ("attention.causal_keep", mt.causal_keep),
    "two functions": ("attention.heads", mt.split_heads, mt.merge_heads),
    "a function in a partial": ("attention.causal_keep", functools.partial(mt.causal_keep)),
    "a decorated function": ("attention.causal_keep", functools.cache(mt.causal_keep)),
    "one of two": ("attention.heads", mt.split_heads, lambda x: x.transpose(1, 2).flatten(-2)),
    "a class": ("attention.multi_head", mt.MultiHeadAttention),
    "a class built on one": ("attention.multi_head", Inherited),
    "the reference": ("attention.scores", reference),
}


@pytest.mark.parametrize("given", OURS.values(), ids=OURS)
def test_what_is_mtlibs_own_is_refused(given, shapes_unchecked):
    with pytest.raises(CheckFailed, match=r"that is mtlib's own \w+; write yours") as failed:
        check(*given)
    assert failed.value.report.earned == 0


def unscaled(q, k):
    math.sqrt = lambda x: 1.0
    return q @ k.mT


def unmasked(q, k, v, keep=None):
    torch.Tensor.masked_fill = lambda self, mask, value: self
    weights = right(q, k).softmax(-1)
    return weights @ v, weights


@pytest.mark.parametrize(
    ("exercise", "cheat"), [(SCORES, unscaled), (ATTENTION, unmasked)], ids=["sqrt", "masked_fill"]
)
def test_patching_what_references_use_does_not_help(exercise, cheat):
    root, fill = math.sqrt, torch.Tensor.masked_fill
    try:
        report = grade(exercise, (cheat,), 1)
        wrong = {o.property.name for o in report.outcomes if o.wrong}
        assert wrong >= ({"values", "leading axes"} if exercise is SCORES else {"masking", "nothing kept"})
        assert math.sqrt is root and torch.Tensor.masked_fill is fill
    finally:
        math.sqrt = root
        vars(torch.Tensor).get("masked_fill") and delattr(torch.Tensor, "masked_fill")


def test_a_patch_of_the_notebooks_own_is_set_aside_for_the_check_and_stays(monkeypatch):
    one = lambda x: 1.0  # noqa: E731
    monkeypatch.setattr(math, "sqrt", one)
    report = grade(SCORES, (lambda q, k: q @ k.mT,), 1)
    assert report.mistake == "the plain dot product, without the division by √d_k"
    assert math.sqrt is one
