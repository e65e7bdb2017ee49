"""A patch carries the clean value and nothing else, and the effect counts the way it went."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.testing import assert_close

import mtlib as mt
from mtlib import interp

NUMBERS = st.floats(-100, 100).map(lambda x: round(x, 3))


@given(clean=NUMBERS, corrupt=NUMBERS, share=st.floats(-2, 2))
def test_the_effect_is_the_share_of_the_way_from_corrupt_to_clean(clean, corrupt, share):
    if clean == corrupt:
        with pytest.raises(ValueError, match="they must differ"):
            interp.patching_effect(clean, corrupt, 0.0)
    else:
        patched = corrupt + share * (clean - corrupt)
        assert interp.patching_effect(clean, corrupt, patched) == pytest.approx(share, abs=1e-6)


@pytest.fixture
def texts(ids):
    other = ids.clone()
    other[:, 2] = (ids[:, 2] + 1) % 11
    return ids, other


def answer(logits):
    return logits[0, -1, 5] - logits[0, -1, 7]


def test_patching_where_all_must_pass_gives_the_clean_run(model, texts):
    clean, corrupt = texts
    for site in "dropout", "blocks.0", "blocks.2.resid_post":
        assert_close(interp.patched_logits(model, clean, corrupt, site), model(clean), atol=1e-10, rtol=0)


def test_patching_one_part_is_the_corrupt_run_with_the_clean_value_there(model, texts):
    clean, corrupt = texts
    with mt.trace(model) as t:
        model(clean)
    with mt.trace(model, replace={"blocks.1.attn": lambda _: t["blocks.1.attn"]}):
        by_hand = model(corrupt)
    patched = interp.patched_logits(model, clean, corrupt, "blocks.1.attn")
    assert_close(patched, by_hand)
    assert not torch.allclose(patched, model(corrupt)) and not torch.allclose(patched, model(clean))
    assert not any(module._forward_hooks for module in model.modules())


def test_positions_before_the_difference_have_no_effect_and_the_last_layer_all_of_it(gpt2, texts):
    del gpt2.blocks[1:]
    effects = interp.patch_positions(gpt2, *(ids[:, :5] for ids in texts), answer)
    assert effects.shape == (2, 5)
    assert effects[:, :2].abs().max() < 1e-9  # causal: nothing of the difference stands there
    assert effects[0, 2] == pytest.approx(1.0)  # the texts differ here and nowhere else
    assert effects[0, 3:].abs().max() < 1e-9
    assert effects[1, -1] == pytest.approx(1.0)  # the last layer's last position is what is read
    assert effects[1, :-1].abs().max() < 1e-9


def test_the_sweep_over_heads_is_each_head_patched_alone(gpt2, texts):
    clean, corrupt = texts
    del gpt2.blocks[2:]
    effects = interp.patch_heads(gpt2, clean, corrupt, answer)
    assert effects.shape == (2, 4)
    value = interp.head_outputs(gpt2, clean)[1]

    def patch(heads):
        return torch.cat([heads[:, :3], value[:, 3:]], dim=1)

    with mt.trace(gpt2, replace={"blocks.1.attn.core": patch}):
        patched = gpt2(corrupt)
    expected = interp.patching_effect(answer(gpt2(clean)), answer(gpt2(corrupt)), answer(patched))
    assert effects[1, 3].item() == pytest.approx(expected)


def test_a_translators_source_can_be_patched(make, ids):
    model, source, other = make(model=mt.EncoderDecoder, n_layers=1), torch.randint(0, 11, (2, 4)), torch.randint(0, 11, (2, 4))
    clean, corrupt = (source, ids), (other, ids)
    assert_close(interp.patched_logits(model, clean, corrupt, "encoder"), model(*clean))
    heads = interp.patch_heads(model, clean, corrupt, answer)
    assert heads.shape == (1, 4) and heads[0].abs().max() < 1e-9  # layer 0 reads the target before any source
