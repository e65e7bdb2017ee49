"""What is particular to the exercises on training: references against torch and mtlib, and answers that must not pass."""

import pytest
import torch
import torch.nn.functional as F

import mtlib as mt
from mtlib import training
from mtlib.exercises.training import adamw, attention_backward, bits_per_byte, clip, init, schedule, smoothing
from mtlib.exercises.training import softmax_backward as softmax
from mtlib.grading.run import grade

from .conftest import EXERCISES


def test_the_start_is_that_of_mtlib():
    """The same generator and the same order of drawing: the same model."""
    config = mt.ModelConfig(vocab=7, max_len=5, d_model=8, n_heads=2, n_layers=3)
    model = mt.DecoderLM(config)
    drawn = init.variant()(model.state_dict(), 0.02, 3, torch.Generator().manual_seed(4))
    mt.init_weights(model, n_layers=3, generator=torch.Generator().manual_seed(4))
    torch.testing.assert_close(drawn, dict(model.state_dict()))


@pytest.mark.parametrize("smoothed", [0.0, 0.1, 1.0])
def test_the_loss_is_torchs(smoothed):
    logits, targets = torch.randn(4, 3, 5, dtype=torch.float64), torch.randint(5, (4, 3))
    theirs = F.cross_entropy(logits.flatten(0, 1), targets.flatten(), label_smoothing=smoothed)
    torch.testing.assert_close(smoothing.reference(logits, targets, smoothed), theirs)


def test_by_hand_is_autograd():
    """The mistakes are made of the formulas, and the references are autograd: they must be one."""
    weights, grad = torch.randn(2, 3, 5, dtype=torch.float64).softmax(-1), torch.randn(2, 3, 5, dtype=torch.float64)
    torch.testing.assert_close(softmax.variant()(weights, grad), softmax.reference(weights, grad), rtol=0, atol=1e-12)
    q, k, v, grad_out = (torch.randn(2, *shape, dtype=torch.float64) for shape in ((3, 4), (5, 4), (5, 6), (3, 6)))
    keep = torch.rand(2, 3, 5) < 0.6
    keep[0, 1] = False
    case = (q, k, v, grad_out, keep)
    torch.testing.assert_close(attention_backward.variant()(*case), attention_backward.reference(*case), rtol=0, atol=1e-12)


def test_clipping_is_torchs_but_for_its_epsilon():
    grads = [torch.randn(3, 4, dtype=torch.float64), torch.randn(5, dtype=torch.float64)]
    theirs = [torch.nn.Parameter(torch.zeros_like(g)) for g in grads]
    for parameter, g in zip(theirs, grads, strict=True):
        parameter.grad = g.clone()
    norm = torch.nn.utils.clip_grad_norm_(theirs, 0.5)
    clipped, ours = clip.reference(grads, 0.5)
    torch.testing.assert_close(torch.tensor(ours, dtype=torch.float64), norm)
    torch.testing.assert_close(clipped, [p.grad for p in theirs], rtol=1e-5, atol=0)


@pytest.mark.parametrize("betas", [(0.9, 0.999), (0.5, 0.75)])
def test_ten_steps_are_torchs(betas):
    param = torch.nn.Parameter(torch.randn(6, dtype=torch.float64))
    theirs = torch.optim.AdamW([param], lr=0.1, betas=betas, eps=0.01, weight_decay=0.2)
    ours, state = param.detach().clone(), {}
    for _ in range(10):
        param.grad = torch.randn_like(param)
        theirs.step()
        ours, state = adamw.reference(ours, param.grad, state, 0.1, betas, 0.01, 0.2)
    torch.testing.assert_close(ours, param.detach(), rtol=0, atol=1e-12)


def test_the_rate_is_that_of_mtlib():
    plan = {"warmup": 3, "total": 17, "peak": 0.7, "floor": 0.1}
    assert [schedule.reference(step, **plan) for step in range(25)] == [training.schedule.cosine(step, **plan) for step in range(25)]
    assert bits_per_byte.reference(12.5, 7) == training.bits_per_byte(12.5, 7)


def _from_the_global_generator(state, std, n_layers, generator):
    torch.manual_seed(int(torch.randint(2**31, (1,), generator=generator)))
    return init.variant(draw=lambda old, sigma, _: sigma * torch.randn(old.shape, dtype=old.dtype))(state, std, n_layers, generator)


def _one_state_for_all(shared={}):  # noqa: B006
    def step(param, grad, state, *settings):
        fresh, after = adamw.reference(param, grad, {} if not state else shared, *settings)
        shared.clear()
        shared.update(after)
        return fresh, after

    return step


@pytest.mark.parametrize(
    ("id", "answer", "broken"),
    [
        ("training.init", _from_the_global_generator, "generator"),
        ("training.adamw", _one_state_for_all(), "a later step"),
        ("training.softmax_backward", lambda weights, grad: softmax.reference(weights, grad), "values"),
        ("training.attention_backward", lambda *case: attention_backward.reference(*case), "values"),
    ],
)
def test_what_is_not_allowed_does_not_pass(id, answer, broken, hasty):
    assert grade(EXERCISES[id], (answer,), 5, all_points=False, mtlibs_own=True).first_failure.property.name == broken
