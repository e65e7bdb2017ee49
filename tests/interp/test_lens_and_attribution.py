"""The lens ends in the model itself; a logit is the sum of its parts."""

import pytest
import torch
from torch.testing import assert_close

import mtlib as mt
from mtlib import interp


def test_the_lens_ends_in_the_model_and_begins_at_the_embedding(model, ids):
    lens = interp.logit_lens(model, ids)
    assert lens.shape == (4, 2, 6, 11)
    assert torch.equal(lens[-1], model(ids))
    assert torch.equal(lens[0], model.unembed(model.norm(model.pos(model.tok(ids)))))


def test_the_lens_at_a_layer_is_the_model_cut_short_there(model, ids):
    lens = interp.logit_lens(model, ids)
    for depth in 2, 1:
        del model.blocks[depth:]
        assert_close(lens[depth], model(ids))


def test_the_lens_of_a_post_norm_model_applies_no_norm_twice(make, ids):
    model = make(parts=mt.ORIGINAL)
    lens = interp.logit_lens(model, ids)
    assert torch.equal(lens[-1], model(ids))
    assert_close(lens[1], model.unembed(interp.residual_stream(model, ids)[1]))


def test_a_translator_has_a_lens_too(make, ids):
    model, source = make(model=mt.EncoderDecoder), torch.randint(0, 11, (2, 4))
    assert torch.equal(interp.logit_lens(model, (source, ids))[-1], model(source, ids))


@pytest.mark.parametrize("dtype, tolerance", [(torch.float32, 1e-5), (torch.float64, 1e-10)])
@pytest.mark.parametrize("position", [-1, 0, 3])
def test_the_parts_and_the_bias_sum_to_the_logit(model, ids, dtype, tolerance, position):
    model, target = model.to(dtype), torch.tensor([3, 8])
    parts = interp.logit_parts(model, ids, target, position)
    logit = model(ids)[:, position].gather(1, target[:, None])[:, 0]
    scale = max(1.0, float(logit.detach().abs().max()))
    assert_close(parts.values.sum(0) + parts.bias, logit.detach(), atol=tolerance * scale, rtol=0)
    biases = 3 if model.config.parts.bias else 0
    assert len(parts.names) == len(set(parts.names)) == len(parts.values) == 1 + 3 * 4 + biases + 3


def test_a_translators_cross_attention_is_among_the_parts(make, ids):
    model, source = make(model=mt.EncoderDecoder), torch.randint(0, 11, (2, 4))
    parts = interp.logit_parts(model, (source, ids), target=5)
    assert "cross_attn.2.head.3" in parts.names
    assert_close(parts.values.sum(0) + parts.bias, model(source, ids)[:, -1, 5].detach(), atol=1e-10, rtol=0)


def test_a_head_of_the_last_layer_gives_what_its_columns_write_and_a_silent_one_gives_nothing(gpt2, ids):
    with torch.no_grad():
        gpt2.blocks[2].attn.o_proj.weight[:, 4:8].zero_()
    parts = interp.logit_parts(gpt2, ids, target=5)
    assert (parts.values[parts.names.index("attn.2.head.1")] == 0).all()
    assert (parts.values[parts.names.index("attn.2.head.2")] != 0).all()


def test_direct_logit_is_linear_and_blind_to_a_constant():
    parts, gain, w_u = torch.randn(5, 8).double(), torch.randn(8).double(), torch.randn(8).double()
    scale = torch.tensor(1.7, dtype=torch.float64)
    whole = interp.direct_logit(parts, scale, gain, w_u)
    assert_close(whole.sum(), interp.direct_logit(parts.sum(0, keepdim=True), scale, gain, w_u)[0])
    assert_close(interp.direct_logit(parts + 9.0, scale, gain, w_u), whole)  # centring takes it out
    assert not torch.allclose(interp.direct_logit_rms(parts + 9.0, scale, gain, w_u), whole)


@pytest.mark.parametrize("norm", [mt.LayerNorm, mt.RMSNorm])
def test_the_scale_is_what_the_norm_divides_by(norm):
    x = torch.randn(3, 16, dtype=torch.float64) * 5 + 2
    normed = norm(16, eps=1e-3).double()(x).detach()
    centred = x - x.mean(-1, keepdim=True) if norm is mt.LayerNorm else x
    assert_close(centred / interp.norm_scale(norm(16, eps=1e-3), x)[:, None], normed)


def test_a_post_norm_model_says_that_its_stream_is_no_sum(make, ids):
    with pytest.raises(ValueError, match="placement='post' norms the stream after every part"):
        interp.logit_parts(make(parts=mt.ORIGINAL), ids, target=5)
