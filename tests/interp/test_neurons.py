"""A neuron planted to fire at one token is found there, with what it promotes."""

import pytest
import torch
from torch.testing import assert_close

import mtlib as mt
from mtlib import interp

TEXTS = [[3, 1, 5, 2], [5], [1, 2, 3, 4, 6, 7, 5, 8], [2, 2]]


@pytest.fixture
def planted(make):
    """Neuron 7 of layer 1 fires where the stream holds column 0, which only token 5 has, and writes token 3."""
    model = make(parts=mt.Parts(ffn="relu", position="none"), n_layers=2)
    with torch.no_grad():
        model.tok.weight[:, 0] = 0.0
        model.tok.weight[5] = 0.0
        model.tok.weight[5, 0] = 1.0
        for part in model.blocks[0].attn.o_proj, model.blocks[1].attn.o_proj, model.blocks[0].ffn.w_out:
            for parameter in part.parameters():
                parameter.zero_()
        ffn, norm = model.blocks[1].ffn, model.blocks[1].norm2
        ffn.w_in.weight[7] = 0.0
        ffn.w_in.weight[7, 0] = 10.0
        ffn.w_in.bias[7] = -10 * norm.weight[0].abs() - 10 * norm.bias[0].abs()
        norm.weight[0] = norm.weight[0].abs() + 0.5
        centred = model.tok.weight[3] / model.norm.weight
        ffn.w_out.weight[:, 7] = centred - centred.mean()
    return model


def test_its_strongest_contexts_are_the_token_it_was_planted_for(planted):
    found = interp.neuron_contexts(planted, TEXTS, 1, 7, k=3, window=2)
    assert sorted((c.text, c.position) for c in found) == [(0, 2), (1, 0), (2, 6)]
    assert all(c.ids[c.at] == 5 and c.value > 0 for c in found)
    assert {c.text: c.ids for c in found} == {0: [3, 1, 5, 2], 1: [5], 2: [6, 7, 5, 8]}


def test_its_values_are_those_of_the_trace_and_it_is_silent_elsewhere(planted):
    ids = torch.tensor([TEXTS[2]])
    values = interp.neuron_values(planted, ids, 1, 7)
    with mt.trace(planted) as t:
        planted(ids)
    assert torch.equal(values, t["blocks.1.ffn.hidden"][..., 7])
    assert (values[ids == 5] > 0).all() and (values[ids != 5] == 0).all()


def test_what_it_promotes_is_what_one_more_of_it_adds_to_the_logits(planted):
    promoted = interp.promoted_tokens(planted, 1, 7, k=11)
    assert promoted == sorted(promoted, key=lambda pair: -pair[1]) and len({token for token, _ in promoted}) == 11
    ids, h = torch.tensor([[1, 5]]), interp.residual_stream(planted, torch.tensor([[1, 5]]))[-1, 0, -1]
    step = 1e-6 * planted.blocks[1].ffn.w_out.weight[:, 7]
    before = interp.direct_effect(planted, h)
    rises = (interp.direct_effect(planted, h + step) - before) / 1e-6
    assert_close(torch.tensor([rise for _, rise in promoted]).double(), rises[[token for token, _ in promoted]], atol=1e-5, rtol=1e-5)
    silent = interp.ablate_neuron(planted, 1, 7, ids)
    assert (silent[0, 0] == planted(ids)[0, 0]).all()  # it did not fire at token 1
    assert silent[0, 1, promoted[0][0]] < planted(ids)[0, 1, promoted[0][0]]


@pytest.mark.parametrize("k, window", [(1, 2), (4, 1), (50, 3)])
def test_contexts_are_the_largest_values_of_all_texts_in_order(k, window):
    model = mt.DecoderLM(mt.ModelConfig(vocab=11, max_len=8, d_model=8, n_heads=2, n_layers=1))
    values = [value for text in TEXTS for value in interp.neuron_values(model, torch.tensor([text]), 0, 2)[0].tolist()]
    found = interp.neuron_contexts(model, iter(TEXTS), 0, 2, k=k, window=window)
    assert [c.value for c in found] == sorted(values, reverse=True)[:k]
    for c in found:
        assert c.ids[c.at] == TEXTS[c.text][c.position] and c.at <= window
        assert c.ids == TEXTS[c.text][c.position - c.at : c.position + window + 1]
