"""What is taken away is exactly the part named, and what is put there is what was asked for."""

import copy

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.testing import assert_close

import mtlib as mt
from mtlib import interp


def without(model, zero):
    """A copy of the model whose weights make the part silent: `zero` sets them."""
    twin = copy.deepcopy(model)
    with torch.no_grad():
        zero(twin)
    return twin


@pytest.mark.parametrize("layer, head", [(0, 0), (1, 3), (2, 2)])
def test_an_ablated_head_is_one_whose_columns_of_o_proj_are_zero(model, ids, layer, head):
    twin = without(model, lambda m: m.blocks[layer].attn.o_proj.weight[:, 4 * head : 4 * head + 4].zero_())
    ablated = interp.ablate_head(model, layer, head, ids)
    assert_close(ablated, twin(ids), atol=1e-10, rtol=0)
    assert (ablated - model(ids)).abs().max() > 1e-3


def test_an_ablated_neuron_is_one_whose_column_of_w_out_is_zero(model, ids):
    twin = without(model, lambda m: m.blocks[1].ffn.w_out.weight[:, 7].zero_())
    assert_close(interp.ablate_neuron(model, 1, 7, ids), twin(ids), atol=1e-10, rtol=0)


@pytest.mark.parametrize("part, ablate", [("attn.o_proj", interp.ablate_attention), ("ffn.w_out", interp.ablate_ffn)])
def test_an_ablated_layer_adds_nothing_not_even_its_bias(model, ids, part, ablate):
    twin = without(model, lambda m: [p.zero_() for p in m.get_submodule(f"blocks.1.{part}").parameters()])
    ablated = ablate(model, 1, ids)
    assert_close(ablated, twin(ids), atol=1e-10, rtol=0)
    assert (ablated - model(ids)).abs().max() > 1e-3


def test_nothing_is_left_behind(gpt2, ids):
    del gpt2.blocks[1:]
    whole = gpt2(ids)
    before = {name: value.clone() for name, value in gpt2.state_dict().items()}
    interp.ablate_head(gpt2, 0, 1, ids)
    interp.ablation_sweep(gpt2, ids, lambda logits: logits[0, -1, 3])
    assert torch.equal(gpt2(ids), whole) and gpt2.training
    assert all(torch.equal(before[name], value) for name, value in gpt2.state_dict().items())
    assert not any(module._forward_hooks for module in gpt2.modules())


def test_the_mean_is_over_batch_and_positions(gpt2, ids):
    heads = interp.head_outputs(gpt2, ids)[1]
    mean = interp.mean_at(gpt2, ids, "blocks.1.attn.core")
    assert_close(mean, torch.stack([heads[:, h].reshape(-1, 4).mean(0) for h in range(4)]))
    assert interp.mean_at(gpt2, ids, "blocks.1.ffn").shape == (16,)


def test_mean_ablation_puts_the_mean_there_at_every_position(gpt2, ids):
    mean = interp.mean_at(gpt2, ids, "blocks.0.attn.core")[2]
    with mt.trace(gpt2, replace={"blocks.0.attn.core": interp.set_head(2, mean)}) as t:
        by_hand = gpt2(ids)
    assert torch.equal(t["blocks.0.attn.core"][:, 2], mean.expand(2, 6, 4))
    assert_close(interp.ablate_head(gpt2, 0, 2, ids, fill=mean), by_hand)
    flat = interp.mean_at(gpt2, ids, "blocks.0.ffn")
    with mt.trace(gpt2, replace={"blocks.0.ffn": interp.set_all(flat)}) as t:
        by_hand = gpt2(ids)
    assert torch.equal(t["blocks.0.ffn"], flat.expand(2, 6, 16))
    assert_close(interp.ablate_ffn(gpt2, 0, ids, fill=flat), by_hand)


def test_taking_the_mean_of_a_part_that_never_varies_changes_nothing(gpt2, ids):
    with torch.no_grad():
        gpt2.blocks[1].ffn.w_out.weight.zero_()  # its bias is all it says
    mean = interp.mean_at(gpt2, ids, "blocks.1.ffn")
    assert_close(interp.ablate_ffn(gpt2, 1, ids, fill=mean), gpt2(ids))
    assert not torch.allclose(interp.ablate_ffn(gpt2, 1, ids), gpt2(ids))


def test_the_sweep_is_every_ablation_against_the_whole(gpt2, ids):
    def metric(logits):
        return logits[:, -1, 3].mean()

    del gpt2.blocks[2:]
    sweep = interp.ablation_sweep(gpt2, ids, metric)
    assert sweep.shape == (2, 4)
    for layer, head in [(0, 0), (1, 2)]:
        assert_close(sweep[layer, head], metric(interp.ablate_head(gpt2, layer, head, ids)) - metric(gpt2(ids)))


@settings(max_examples=20, deadline=None)
@given(head=st.integers(0, 3), fill=st.floats(-2, 2), seed=st.integers(0, 99))
def test_a_change_touches_its_place_and_not_the_value_it_was_given(head, fill, seed):
    value = torch.randn(2, 4, 3, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    before, changed = value.clone(), interp.set_head(head, fill)(value)
    others = [h for h in range(4) if h != head]
    assert (changed[:, head] == fill).all() and torch.equal(changed[:, others], value[:, others])
    assert torch.equal(value, before)
    assert (interp.set_unit(head, fill)(value)[..., head] == fill).all() and torch.equal(value, before)


def test_a_translators_cross_attention_is_changed_by_its_path(make, ids):
    model, source = make(model=mt.EncoderDecoder), torch.randint(0, 11, (2, 4))
    with mt.trace(model, replace={"decoder.blocks.0.cross_attn.core": interp.set_head(1)}) as t:
        changed = model(source, ids)
    assert (t["decoder.blocks.0.cross_attn.core"][:, 1] == 0).all()
    assert not torch.allclose(changed, model(source, ids))
