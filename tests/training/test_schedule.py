"""The learning rate is a function of the step, and AdamW shrinks what its table says."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

import mtlib as mt
from mtlib.training import TrainConfig, adamw, cosine, inverse_sqrt
from mtlib.training.optimiser import decaying


@given(warmup=st.integers(0, 20), more=st.integers(1, 50), peak=st.floats(1e-5, 1.0), share=st.floats(0, 1))
def test_cosine_rises_to_its_peak_and_falls_to_its_floor(warmup, more, peak, share):
    total, floor = warmup + more, share * peak
    rates = [cosine(step, warmup=warmup, total=total, peak=peak, floor=floor) for step in range(total + 3)]
    assert rates[warmup] == pytest.approx(peak)
    assert rates[:warmup] == pytest.approx([peak * (step + 1) / warmup for step in range(warmup)])
    assert rates[total:] == [floor] * 3
    assert all(a >= b - 1e-12 for a, b in zip(rates[warmup:], rates[warmup + 1 :]))
    assert rates[warmup:total] == pytest.approx(
        [floor + (peak - floor) * (1 + math.cos(math.pi * i / more)) / 2 for i in range(more)]
    )


@given(warmup=st.integers(1, 50), d_model=st.integers(1, 1024))
def test_inverse_square_root_is_the_papers_formula(warmup, d_model):
    peak = (d_model * warmup) ** -0.5
    for step in (0, warmup - 1, warmup, 7 * warmup):
        paper = d_model**-0.5 * min((step + 1) ** -0.5, (step + 1) * warmup**-1.5)
        assert inverse_sqrt(step, warmup=warmup, peak=peak) == pytest.approx(paper)


def test_a_run_ends_at_a_tenth_of_its_peak():
    train = TrainConfig(steps=100, batch=1, lr=0.5, warmup=10)
    assert train.learning_rate(9) == 0.5 and train.learning_rate(100) == pytest.approx(0.05)


@pytest.mark.parametrize("position", ["learned", "t5", "rotary"])
def test_matrices_decay_and_tables_norms_and_biases_do_not(position):
    model = mt.DecoderLM(mt.ModelConfig(vocab=8, max_len=4, d_model=8, n_heads=2, n_layers=1, parts=mt.Parts(position=position, tied=False)))
    names = {id(p): name for name, p in model.named_parameters()}
    shrink = {names[id(p)] for p in decaying(model)}
    ffn, attn = {"blocks.0.ffn.w_in.weight", "blocks.0.ffn.w_out.weight"}, {f"blocks.0.attn.{p}_proj.weight" for p in "qkvo"}
    assert shrink == ffn | attn | {"head.weight"}
    groups = adamw(model, lr=1.0, weight_decay=0.5, betas=(0.9, 0.99)).param_groups
    assert sum(len(group["params"]) for group in groups) == len(names)


def test_a_frozen_parameter_is_left_alone():
    model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    model[0].requires_grad_(False)
    groups = adamw(model, lr=1.0, weight_decay=0.5, betas=(0.9, 0.99)).param_groups
    assert {id(p) for group in groups for p in group["params"]} == {id(p) for p in model[1].parameters()}


@pytest.mark.parametrize("wrong, message", {
    "steps=0": (dict(steps=0), "steps=0 must be a whole number of at least 1"),
    "lr": (dict(lr=-1.0), "lr=-1.0 must be above 0"),
    "warmup": (dict(warmup=10), "warmup=10 must be less than steps=10"),
    "pieces": (dict(accumulate=3), "batch=4 rows do not split into accumulate=3 equal pieces"),
    "word": (dict(schedule="linear"), "schedule='linear' must be one of: cosine, inverse-sqrt"),
    "betas": (dict(betas=(0.9, 1.0)), r"betas=\(0.9, 1.0\) must be two numbers"),
    "decay": (dict(weight_decay=-0.1), "weight_decay=-0.1 must be a number of 0 or more"),
    "half a step": (dict(save_every=0.5), "save_every=0.5 must be a whole number"),
}.values())
@pytest.mark.usefixtures("shapes_unchecked")
def test_a_wrong_setting_gets_one_line(wrong, message):
    with pytest.raises(ValueError, match=message):
        TrainConfig(**(dict(steps=10, batch=4, lr=1.0) | wrong))


def test_adamw_repeats_torchs_own_over_ten_steps():
    ours, theirs = nn.Linear(3, 2), nn.Linear(3, 2)
    theirs.load_state_dict(ours.state_dict())
    a = adamw(ours, lr=0.1, weight_decay=0.3, betas=(0.9, 0.95))
    b = torch.optim.AdamW([{"params": [theirs.weight]}, {"params": [theirs.bias], "weight_decay": 0}], lr=0.1, weight_decay=0.3, betas=(0.9, 0.95))
    for x in torch.randn(10, 4, 3):
        for model, optimiser in (ours, a), (theirs, b):
            optimiser.zero_grad()
            model(x).square().sum().backward()
            optimiser.step()
    torch.testing.assert_close(ours.weight, theirs.weight)
    torch.testing.assert_close(ours.bias, theirs.bias)
