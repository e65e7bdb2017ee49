"""A right answer is not refused for where it runs, and a wrong one does not pass for being slow or crash the check."""

import math
import time

import pytest
import torch

import mtlib as mt
from mtlib.exercises import every
from mtlib.grading import check, run, search
from mtlib.grading.picture import picture_of
from mtlib.grading.report import text_of
from mtlib.grading.run import grade

EXERCISES = {exercise.id: exercise for exercise in every()}
SCORES = EXERCISES["attention.scores"]


def right(q, k):
    return q @ k.mT / q.shape[-1] ** 0.5


# Slow.


def test_an_answer_too_slow_to_be_tried_earns_nothing(monkeypatch):
    monkeypatch.setattr(search, "SEARCH_SECONDS", 0.1)
    monkeypatch.setattr(search, "PATIENCE_SECONDS", 0.3)

    def sleepy(q, k):
        time.sleep(0.12)
        return right(q, k)

    report = grade(SCORES, (sleepy,), 1)
    assert report.earned == 0
    text = text_of(report)
    assert "of 40 cases could be tried in 0.3 s; make it faster" in text and "case found" not in text
    assert picture_of(report) is None


def test_a_right_answer_in_slow_loops_passes():
    def by_loops(q, k):
        flat_q, flat_k = q.reshape(-1, *q.shape[-2:]), k.reshape(-1, *k.shape[-2:])
        out = q.new_zeros(len(flat_q), q.shape[-2], k.shape[-2])
        for b in range(len(flat_q)):
            for i in range(q.shape[-2]):
                for j in range(k.shape[-2]):
                    out[b, i, j] = torch.dot(flat_q[b, i], flat_k[b, j]) / math.sqrt(q.shape[-1])
        return out.reshape(*q.shape[:-1], k.shape[-2])

    assert grade(SCORES, (by_loops,), 1).passed


def test_a_right_head_in_slow_loops_passes():
    def by_loops(d_pos):
        w_q, w_k = torch.zeros(d_pos, d_pos), torch.zeros(d_pos, d_pos)
        for i in range(d_pos):
            for j in range(d_pos):
                w_q[i, j] = 30 * d_pos**0.5 if j == i - 1 else 0.0
                w_k[i, j] = 1.0 if i == j else 0.0
        return w_q, w_k

    report = grade(EXERCISES["attention.hand_built_head"], (by_loops,), 1)
    assert report.passed, text_of(report)


# Of another form than any judge expects.

FORMS = {
    "None": lambda: None,
    "a number": lambda: 1.0,
    "a whole number": lambda: 1,
    "text": lambda: "attention",
    "nothing": lambda: (),
    "one entry": lambda: torch.tensor(1.0),
    "a row": lambda: torch.ones(2),
    "a pair with nothing": lambda: (1.0, None),
    "a pair of entries": lambda: (torch.tensor(1.0), torch.tensor(1.0)),
    "a pair of rows": lambda: (torch.ones(1), torch.ones(1)),
    "a list": lambda: [torch.ones(1, 1)],
    "a dict": lambda: {"out": torch.ones(1, 1)},
    "a dict of odd keys": lambda: {None: 1, 2: torch.ones(1)},
    "complex": lambda: torch.ones(1, 1, dtype=torch.complex64),
    "another dtype": lambda: torch.ones(1, 1, dtype=torch.bfloat16),
    "empty": lambda: torch.ones(0, 3),
}


def answering(exercise, value):
    """Answers to an exercise which give this value whatever they are asked."""

    class Layer(torch.nn.Module):
        def __init__(self, d_model, n_heads):
            super().__init__()
            for name in ("q_proj", "k_proj", "v_proj", "o_proj"):
                self.add_module(name, torch.nn.Linear(d_model, d_model))

        def forward(self, *_):
            return value()

    return tuple(Layer if name[0].isupper() else lambda *_, **__: value() for name in exercise.answers)


@pytest.mark.parametrize("exercise", EXERCISES.values(), ids=EXERCISES)
def test_an_answer_of_any_form_is_judged_and_told(exercise, monkeypatch):
    monkeypatch.setattr(search, "SHRINK_SECONDS", 0.05)
    for name, value in FORMS.items():
        report = grade(exercise, answering(exercise, value), 1)
        assert not report.passed, name
        assert "cannot be read" not in text_of(report), (name, text_of(report))  # each judge knows what it wants
        picture_of(report)


def test_a_layer_that_changes_its_form_when_masked_is_told():
    right_layer = mt.MultiHeadAttention

    class TwoFaced(torch.nn.Module):
        def __init__(self, d_model, n_heads):
            super().__init__()
            inner = right_layer(d_model, n_heads)
            for name in ("q_proj", "k_proj", "v_proj", "o_proj"):
                self.add_module(name, getattr(inner, name))
            self.inner = [inner]  # a list, so that its weights are not counted twice

        def forward(self, x, context=None, keep=None):
            out = self.inner[0](x, context, keep)
            return out if keep is None else (out, None)

    report = grade(EXERCISES["attention.multi_head"], (TwoFaced,), 1)
    lost = {o.property.name: o.wrong.sentence for o in report.outcomes if o.wrong}
    assert "the answer is a tuple; expected a torch.Tensor" in lost["padding"]


def test_a_judge_that_stumbles_is_a_wrong_answer_in_words():
    broken = run.Property("stumbles", 1, "never", SCORES.properties[0].cases, lambda case, subject: case["no such"])
    outcome = run.examine(broken, [run.LocalSubject(right)], 1, shrink=True)
    assert outcome.wrong.sentence.startswith("what came back cannot be read") and outcome.case


# Under the notebook's own settings.


@pytest.mark.parametrize(
    "setting",
    [torch.no_grad, torch.inference_mode, lambda: torch.set_grad_enabled(False)],
    ids=["no_grad", "inference_mode", "set_grad_enabled"],
)
def test_a_right_answer_passes_with_gradients_turned_off_around_it(setting):
    was_on = torch.is_grad_enabled()
    try:
        with setting():
            check("attention.scaled_dot_product", attention, seed=1)
            assert not torch.is_grad_enabled()
    finally:
        torch.set_grad_enabled(was_on)


def attention(q, k, v, keep=None):
    scores = right(q, k)
    if keep is None:
        return scores.softmax(-1) @ v, scores.softmax(-1)
    weights = scores.masked_fill(~keep, -math.inf).softmax(-1).masked_fill(~keep, 0.0)
    return weights @ v, weights


def previous_token_head(d_pos):
    asks = torch.diag(torch.ones(d_pos - 1, dtype=torch.float32), -1)
    return 20 * d_pos**0.5 * asks, torch.eye(d_pos, dtype=torch.float32)


def test_a_right_answer_passes_under_another_default_dtype():
    torch.set_default_dtype(torch.float64)
    try:
        check("attention.hand_built_head", previous_token_head, seed=1)
        by_default = lambda n: tuple(w + torch.zeros(n, n) for w in previous_token_head(n))  # noqa: E731
        check("attention.hand_built_head", by_default, seed=1)
        assert torch.get_default_dtype() is torch.float64
    finally:
        torch.set_default_dtype(torch.float32)


def test_a_right_answer_passes_under_another_default_device_and_autocast():
    torch.set_default_device("meta")
    try:
        check("attention.hand_built_head", previous_token_head, seed=1)
        assert torch.get_default_device().type == "meta"
    finally:
        torch.set_default_device(None)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        check("attention.scores", right, seed=1)
        assert torch.is_autocast_enabled("cpu")
