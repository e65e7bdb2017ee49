"""The two matrices of a head are what it computes; planted ones are read exactly."""

import pytest
import torch
from torch.testing import assert_close

import mtlib as mt
from mtlib import interp


@pytest.mark.parametrize("G", [4, 2, 1])
def test_the_circuits_give_the_scores_and_the_output_of_every_head(make, ids, G):
    model = make(n_kv_heads=G, parts=mt.Parts(position="none", bias=False))
    with mt.trace(model) as t:
        model(ids)
    for layer, block in enumerate(model.blocks):
        x, at = t[f"blocks.{layer}.norm1"], f"blocks.{layer}.attn"
        weights = t[f"{at}.core.weights"]
        written = 0
        for head in range(4):
            scores = x @ interp.qk_circuit(block.attn, head) @ x.mT / 2  # √E = 2
            seen = weights[:, head] > 0  # the rest is the future, at -∞
            assert_close(scores[seen], t[f"{at}.core.scores"][:, head][seen])
            written = written + weights[:, head] @ x @ interp.ov_circuit(block.attn, head)
        assert_close(written, t[at])


def test_both_circuits_have_rank_E_at_most(gpt2):
    for circuit in interp.qk_circuit, interp.ov_circuit:
        assert torch.linalg.matrix_rank(circuit(gpt2.blocks[0].attn, 2)) == 4


def test_the_vocabulary_circuit_is_what_the_head_adds_to_the_logits(make):
    """One token, no positions: the head can look only at that token, so ablating it takes away that row."""
    for parts in mt.Parts(position="none", bias=False), mt.Parts(position="none", norm="rms", bias=False, tied=False):
        model, token = make(parts=parts, n_kv_heads=2, n_layers=1), 6
        row = interp.ov_vocabulary(model, 0, 3)[token]
        direct = torch.stack([
            interp.logit_parts(model, torch.tensor([[token]]), target).values[4, 0] for target in (2, 6, 9)
        ])  # [embedding, head 0, 1, 2, 3, …]
        stream = interp.residual_stream(model, torch.tensor([[token]]))[-1, 0, 0]
        assert_close(row[[2, 6, 9]] / interp.norm_scale(model.norm, stream), direct)


@pytest.mark.parametrize("layer, head", [(0, 0), (2, 3)])
def test_the_copying_score_by_E_eigenvalues_is_that_of_the_whole_circuit(model, layer, head):
    eigenvalues = torch.linalg.eigvals(interp.ov_vocabulary(model, layer, head))
    whole = float(eigenvalues.real.sum() / eigenvalues.abs().sum())
    assert interp.copying_score(model, layer, head) == pytest.approx(whole, abs=1e-6)


def test_a_head_that_copies_scores_one_one_that_inverts_minus_one_and_a_silent_one_zero(make):
    model = make(vocab=4, d_model=12, n_heads=3, parts=mt.Parts(position="none"))
    with torch.no_grad():
        model.tok.weight.copy_(torch.eye(4, 12))
        for norm in model.blocks[0].norm1, model.norm:
            norm.weight.fill_(1.0)
            norm.bias.zero_()
        attn = model.blocks[0].attn
        attn.v_proj.weight.zero_()
        attn.o_proj.weight.zero_()
        for head, sign in (0, 1.0), (1, -1.0):
            attn.v_proj.weight[4 * head : 4 * head + 4, :4] = torch.eye(4)
            attn.o_proj.weight[:4, 4 * head : 4 * head + 4] = sign * torch.eye(4)
    assert [round(interp.copying_score(model, 0, head), 6) for head in range(3)] == [1.0, -1.0, 0.0]
    assert interp.ov_vocabulary(model, 0, 0).argmax(-1).tolist() == [0, 1, 2, 3]


def test_a_planted_query_and_key_are_read_from_the_matrix(make):
    attn = make().blocks[0].attn
    with torch.no_grad():
        attn.q_proj.weight.zero_()
        attn.k_proj.weight.zero_()
        attn.q_proj.weight[4, 9] = 2.0  # head 1 asks with column 9
        attn.k_proj.weight[4, 13] = 3.0  # and is answered by column 13
    expected = torch.zeros(16, 16, dtype=torch.float64)
    expected[9, 13] = 6.0
    assert torch.equal(interp.qk_circuit(attn, 1), expected)
    assert (interp.qk_circuit(attn, 0) == 0).all()
