"""What is captured is what the model used, and the model does not notice."""

import pytest
import torch
from torch.testing import assert_close

import mtlib as mt
from mtlib import interp


def test_the_stream_begins_with_the_embedding_and_ends_in_the_logits(model, ids):
    stream = interp.residual_stream(model, ids)
    assert stream.shape == (4, 2, 6, 16)
    assert torch.equal(stream[0], model.pos(model.tok(ids)))
    assert torch.equal(model.unembed(model.norm(stream[-1])), model(ids))


def test_each_layer_of_the_stream_is_its_block_of_the_one_before(model, ids):
    stream = interp.residual_stream(model, ids)
    for layer, block in enumerate(model.blocks):
        assert torch.equal(block(stream[layer], position=model.pos), stream[layer + 1])


def test_weights_times_values_are_the_head_outputs_and_make_the_attention(model, ids):
    weights, heads = interp.attention_weights(model, ids), interp.head_outputs(model, ids)
    assert weights.shape == (3, 2, 4, 6, 6) and heads.shape == (3, 2, 4, 6, 4)
    with mt.trace(model) as t:
        model(ids)
    for layer, block in enumerate(model.blocks):
        v = t[f"blocks.{layer}.attn.v"].repeat_interleave(4 // block.attn.n_kv_heads, dim=1)
        assert_close(weights[layer] @ v, heads[layer])
        assert_close(block.attn.o_proj(mt.merge_heads(heads[layer])), t[f"blocks.{layer}.attn"])


def test_the_three_whole_models_show_the_stack_that_answers(make, ids):
    encoder, decoder = make(model=mt.Encoder), make(model=mt.Decoder)
    classifier = make(model=lambda config: mt.Transformer(config, n_classes=3))
    assert torch.equal(interp.residual_stream(classifier, ids)[-1], interp.residual_stream(classifier.encoder, ids)[-1])
    assert torch.equal(encoder.norm(interp.residual_stream(encoder, ids)[-1]), encoder(ids))
    assert torch.equal(decoder.norm(interp.residual_stream(decoder, ids)[-1]), decoder(ids))
    translator, source = make(model=mt.EncoderDecoder), torch.randint(0, 11, (2, 4))
    stream = interp.residual_stream(translator, (source, ids))
    assert stream.shape == (4, 2, 6, 16)
    assert torch.equal(translator.decoder.unembed(translator.decoder.norm(stream[-1])), translator(source, ids))


def test_a_mask_can_be_given_with_the_ids(gpt2, ids):
    keep = mt.padding_keep(ids, pad=int(ids[0, 0]))
    weights = interp.attention_weights(gpt2, (ids, keep))
    assert (weights.masked_fill(keep, 0.0) == 0).all()


def test_a_post_norm_stream_starts_after_the_norm_of_the_embedding(make, ids):
    model = make(parts=mt.ORIGINAL)
    stream = interp.residual_stream(model, ids)
    assert torch.equal(stream[0], model.norm(model.pos(model.tok(ids))))
    assert torch.equal(model.unembed(stream[-1]), model(ids))


def test_dropout_rests_and_every_mode_comes_back(make, ids):
    model = make(dropout=0.5)
    model.blocks[1].eval()  # a mode that is not the whole model's
    modes = [module.training for module in model.modules()]
    first, second = interp.residual_stream(model, ids), interp.residual_stream(model, ids)
    assert torch.equal(first, second) and not first.requires_grad
    assert [module.training for module in model.modules()] == modes
    assert torch.is_grad_enabled()


def test_a_run_that_fails_leaves_the_model_as_it_was(gpt2):
    with pytest.raises(ValueError, match="ids runs from 99 to 99"):
        interp.head_outputs(gpt2, torch.tensor([[99]]))
    assert gpt2.training and not any(module._forward_hooks for module in gpt2.modules())


def test_fused_attention_says_how_to_see_its_weights(gpt2, ids):
    explicit = interp.head_outputs(gpt2, ids)
    mt.use_fused(gpt2)
    assert_close(interp.head_outputs(gpt2, ids), explicit)
    with pytest.raises(KeyError, match="call mt.use_explicit"):
        interp.attention_weights(gpt2, ids)
