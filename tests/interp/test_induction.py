"""Induction: planted by hand, where all is known; and found in a model that learned it."""

import math
import subprocess
import sys

import pytest
import torch
from safetensors.torch import load_file

import mtlib as mt
from mtlib import interp
from mtlib.experiments import induction

V, T = 8, 16
TOK, POS, BEFORE = slice(0, 8), slice(8, 24), slice(24, 32)  # columns of the stream: this token, position, the token before


@pytest.fixture(scope="module")
def planted():
    """Head 0 of layer 0 writes down the token before; head 0 of layer 1 looks for its token there and copies."""
    sizes = {"vocab": V, "max_len": T, "d_model": 32, "n_heads": 2, "n_layers": 2, "d_ff": 1}
    model = mt.DecoderLM(mt.ModelConfig(**sizes)).double()
    with torch.no_grad():
        for name, weight in model.named_parameters():
            weight.copy_(torch.ones_like(weight) if "norm" in name and name.endswith("weight") else torch.zeros_like(weight))
        model.norm.weight.fill_(30.0)  # sure of itself
        model.tok.weight[:, TOK] = torch.eye(V)
        model.pos.weight[:, POS] = torch.eye(T)
        first, second = model.blocks[0].attn, model.blocks[1].attn
        first.q_proj.weight[:T, POS] = 10 * torch.eye(T)
        first.k_proj.weight[1:T, POS] = torch.eye(T)[:-1]  # the key of t answers the query of t + 1
        first.v_proj.weight[:V, TOK] = torch.eye(V)
        first.o_proj.weight[BEFORE, :V] = torch.eye(V)
        second.q_proj.weight[:V, TOK] = 20 * torch.eye(V)
        second.k_proj.weight[:V, BEFORE] = torch.eye(V)
        second.q_proj.bias[V] = 40.0  # every query shuns position 0: it had only itself to look at, and wrote that down
        second.k_proj.weight[V, POS.start] = -1.0
        second.v_proj.weight[:V, TOK] = torch.eye(V)
        second.o_proj.weight[TOK, :V] = torch.eye(V)
    return model


def loss_of(ids, period):
    return lambda logits: interp.copying_loss(logits, ids, period)


def test_the_planted_heads_are_found_where_they_were_planted(planted):
    scores = interp.head_scores(planted, interp.repeated_tokens(4, 8, V))
    for job, (layer, head) in {"previous_token": (0, 0), "induction": (1, 0)}.items():
        assert scores[job][layer, head] > 0.99
        others = scores[job].flatten().tolist()
        others.remove(scores[job][layer, head])
        assert max(others) < 0.4
    assert interp.copying_score(planted, 1, 0) == pytest.approx(1.0)
    expected = torch.zeros(32, 32, dtype=torch.float64)
    expected[POS, POS] = torch.diag(torch.full((T - 1,), 10.0, dtype=torch.float64), -1)
    assert torch.equal(interp.qk_circuit(planted.blocks[0].attn, 0), expected)


def test_without_either_planted_head_nothing_is_copied_and_without_another_all_is(planted):
    ids = interp.repeated_tokens(4, 8, V)
    assert loss_of(ids, 8)(planted(ids)) < 0.01
    effects = interp.ablation_sweep(planted, ids, loss_of(ids, 8))
    assert effects[0, 0] > 1 and effects[1, 0] > 1
    assert effects[:, 1].abs().max() < 1e-9


def test_patching_finds_both_planted_heads_and_the_token_that_tells(planted):
    """Clean: … 2 5 … 2, so 5 comes next. Corrupt: … 2 6 … 2, so 6."""
    clean, corrupt = torch.tensor([[0, 2, 5, 1, 2]]), torch.tensor([[0, 2, 6, 1, 2]])

    def prefers_5(logits):
        return logits[0, -1, 5] - logits[0, -1, 6]

    assert prefers_5(planted(clean)) > 0 > prefers_5(planted(corrupt))
    heads = interp.patch_heads(planted, clean, corrupt, prefers_5)
    assert heads[1, 0] == pytest.approx(1.0) and heads[:, 1].abs().max() < 1e-9
    positions = interp.patch_positions(planted, clean, corrupt, prefers_5)
    assert positions[1, 2] > 0.95  # after layer 0 it still stands where it was read, …
    assert positions[2, 4] == pytest.approx(1.0)  # … after layer 1 where it is needed
    assert positions[2, :4].abs().max() < 1e-9


def test_the_planted_answer_is_the_induction_heads_doing(planted):
    parts = interp.logit_parts(planted, torch.tensor([[0, 2, 5, 1, 2]]), target=5)
    assert parts.names[int(parts.values[:, 0].argmax())] == "attn.1.head.0"


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    """Trained from scratch in a process of its own, where no shape check slows the steps: seconds, not minutes."""
    file = tmp_path_factory.mktemp("induction") / "model.safetensors"
    code = (
        "import sys, torch; torch.set_num_threads(1)\n"
        "from safetensors.torch import save_model; from mtlib.experiments import induction\n"
        "save_model(induction.train(0), sys.argv[1])"
    )
    subprocess.run([sys.executable, "-c", code, str(file)], check=True)
    model = induction.build(0)
    model.load_state_dict(load_file(file))
    return model


@pytest.fixture(scope="module")
def rows():
    return induction.rows_to_judge()


def test_a_model_that_learned_to_repeat_has_an_induction_head_that_was_not_there_before(trained, rows):
    before = interp.head_scores(induction.build(0), rows)["induction"]
    after = interp.head_scores(trained, rows)["induction"]
    assert before.max() < 0.2
    assert after[1].max() > 0.5 and after[0].max() < 0.2  # it needs a layer below it


def test_it_repeats_at_periods_it_is_not_judged_by_too(trained):
    for period in 6, 11, 16:
        ids = interp.repeated_tokens(16, period, induction.V)
        assert interp.copying_loss(trained(ids), ids, period) < 0.6 * math.log(induction.V)


def test_without_the_induction_head_the_copying_is_gone_and_without_another_it_is_not(trained, rows):
    head = int(interp.head_scores(trained, rows)["induction"][1].argmax())
    effects = interp.ablation_sweep(trained, rows, loss_of(rows, induction.PERIOD))
    assert effects[1, head] > 1.5
    others = [effects[1, other].item() for other in range(4) if other != head]
    assert max(others) < effects[1, head] / 4


def test_the_induction_head_finds_nothing_once_the_head_below_that_looks_back_is_silent(trained, rows):
    """ALiBi cannot single out the token before, and what was learned is not a clean previous-token
    head: the steepest head of layer 0 mixes the last few tokens, and the layer above reads that."""
    scores = interp.head_scores(trained, rows)
    back, head = int(scores["previous_token"][0].argmax()), int(scores["induction"][1].argmax())
    assert 0.15 < scores["previous_token"][0, back] < 0.4

    def induction_without(silent):
        with torch.no_grad(), mt.trace(trained, replace={"blocks.0.attn.core": interp.set_head(silent)}) as t:
            trained(rows)
        return interp.induction_score(t["blocks.1.attn.core.weights"], induction.PERIOD)[head].item()

    assert induction_without(back) < 0.2
    assert interp.ablation_sweep(trained, rows, loss_of(rows, induction.PERIOD))[0].argmax() == back


def test_the_induction_head_pushes_the_right_token_more_than_any_other_part(trained, rows):
    """And yet its copying_score is negative: that asks of bare embeddings, and this head reads what layer 0 made of them."""
    head = int(interp.head_scores(trained, rows)["induction"][1].argmax())
    text, right = rows[:, : induction.PERIOD + 9], rows[:, induction.PERIOD + 9]
    wrong = (right + 1) % induction.V
    right, wrong = interp.logit_parts(trained, text, right), interp.logit_parts(trained, text, wrong)
    preference = (right.values - wrong.values).mean(dim=1)
    assert right.names[int(preference.argmax())] == f"attn.1.head.{head}"
    assert interp.copying_score(trained, 1, head) < 0
