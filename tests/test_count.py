"""What the closed forms say is what is there: parameters, operations, bytes."""

from dataclasses import replace

import pytest
import torch
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils.flop_counter import FlopCounterMode

import mtlib as mt
from mtlib import count, memory

from .any_config import any_config

SMALL = mt.ModelConfig(vocab=11, max_len=9, d_model=12, n_heads=3, n_layers=2, d_ff=20)
GPT2_SMALL = mt.ModelConfig(vocab=50257, max_len=1024, d_model=768, n_heads=12, n_layers=12, parts=mt.GPT2)
BERT_BASE = mt.ModelConfig(vocab=30522, max_len=512, d_model=768, n_heads=12, n_layers=12, parts=mt.BERT)
SMOLLM2 = mt.ModelConfig(
    vocab=49152, max_len=8192, d_model=576, n_heads=9, n_kv_heads=3, n_layers=30, d_ff=1536,
    parts=replace(mt.LLAMA, tied=True),
)


def on_meta(build):
    with torch.device("meta"):
        return build()


def ids(batch, T, device="meta"):
    return torch.zeros(batch, T, dtype=torch.int64, device=device)


def n_parameters(model):
    return sum(p.numel() for p in model.parameters())


def counted(run):
    with FlopCounterMode(display=False) as counter:
        run()
    return counter.get_total_flops()


class Kind:
    """One of the three models, its inputs, and what the closed forms say of it."""

    def __init__(self, name, config, B, T, S):
        shape, one = {"batch": B}, name != "EncoderDecoder"
        build = {"Transformer": lambda: mt.Transformer(config, n_classes=3), "DecoderLM": lambda: mt.DecoderLM(config),
                 "EncoderDecoder": lambda: mt.EncoderDecoder(config)}  # fmt: skip
        self.model, self.inputs = on_meta(build[name]), (ids(B, T),) if one else (ids(B, S), ids(B, T))
        more = {"n_classes": 3} if name == "Transformer" else {}
        if one:
            self.flops = count.flops(config, T, **shape, **more)
            self.bytes = memory.activations(config, T, **shape, **more)
        else:
            self.flops = count.encoder_decoder_flops(config, S=S, T=T, **shape)
            self.bytes = memory.encoder_decoder_activations(config, S=S, T=T, **shape)


KINDS = st.sampled_from(["Transformer", "DecoderLM", "EncoderDecoder"])
LENGTHS = st.integers(1, 3), st.integers(1, 9), st.integers(1, 9)


@settings(max_examples=15, deadline=None)
@given(any_config(), KINDS, *LENGTHS)
def test_operations_are_those_that_torch_counts_and_backward_costs_twice_as_much_again(make_config, name, B, T, S):
    kind = Kind(name, make_config(), B, T, S)
    assert counted(lambda: kind.model(*kind.inputs)) == kind.flops["total"]
    both = counted(lambda: kind.model(*kind.inputs).sum().backward())
    assert both == count.FORWARD_AND_BACKWARD * kind.flops["total"]


@settings(max_examples=30, deadline=None)
@given(any_config(), KINDS, *LENGTHS)
def test_forward_keeps_as_many_bytes_as_the_closed_form_says(make_config, name, B, T, S):
    kind = Kind(name, make_config(), B, T, S)
    assert memory.measured_activations(kind.model, *kind.inputs) == kind.bytes["total"]


def test_bytes_kept_on_a_real_machine_are_those_on_the_meta_device():
    for name in "Transformer", "DecoderLM", "EncoderDecoder":
        kind = Kind(name, replace(SMALL, parts=mt.LLAMA), 2, 5, 7)
        real = [ids(*x.shape, device="cpu") for x in kind.inputs]
        assert memory.measured_activations(kind.model.to_empty(device="cpu"), *real) == kind.bytes["total"]


def test_bytes_kept_in_half_precision_are_half_but_for_ids_and_masks():
    model = mt.DecoderLM(SMALL).bfloat16()
    closed = memory.activations(SMALL, 5, batch=2, itemsize=2)
    assert memory.measured_activations(model, ids(2, 5, "cpu")) == closed["total"]
    full = memory.activations(SMALL, 5, batch=2)
    assert {part for part in full if full[part] == closed[part]} == {"ids", "masks", "positions", "cross"}


def test_a_fused_model_keeps_nothing_that_grows_with_the_square_of_the_length():
    def kept(swap, T):
        config = replace(SMALL, max_len=64)
        return memory.measured_activations(swap(mt.DecoderLM(config)), ids(1, T, "cpu"))

    assert kept(mt.use_fused, 64) == 2 * kept(mt.use_fused, 32)
    # For each layer and pair of positions: two float32 a head, of which there are 3, and a byte in each of two masks.
    squares = 2 * (2 * 3 * 4 + 2) * (64**2 - 2 * 32**2)
    assert kept(mt.use_explicit, 64) == 2 * kept(mt.use_explicit, 32) + squares


@pytest.mark.parametrize("parts", [mt.GPT2, mt.LLAMA])
@pytest.mark.parametrize("past, T", [(0, 4), (4, 1), (4, 3)])
def test_a_step_with_a_cache_costs_what_the_closed_form_says(parts, past, T):
    config = replace(SMALL, n_kv_heads=1, parts=parts)
    model = on_meta(lambda: mt.DecoderLM(config))
    cache = model.new_cache()
    if past:
        model(ids(2, past), cache=cache)
    assert counted(lambda: model(ids(2, T), cache=cache)) == count.flops(config, T, batch=2, past=past)["total"]
    held = sum(t.nbytes for own, _ in cache.layers for t in (own.k, own.v))
    assert held == memory.kv_cache(config, past + T, batch=2)


def test_with_a_cache_a_translator_reads_its_source_once():
    model = on_meta(lambda: mt.EncoderDecoder(SMALL))
    cache, steps = model.new_cache(), []
    for past in 0, 1:
        steps.append(counted(lambda: model(ids(2, 5), ids(2, 1), cache=cache)))
        assert steps[-1] == count.encoder_decoder_flops(SMALL, S=5, T=1, batch=2, past=past)["total"]
    held = sum(t.nbytes for pair in cache.layers for layer in pair for t in (layer.k, layer.v))
    assert held == memory.kv_cache(SMALL, 2, batch=2, memory=5) and steps[1] < steps[0] / 2


def test_on_a_cpu_the_counter_does_not_see_inside_the_fused_kernel():
    model, parts = mt.use_fused(mt.DecoderLM(SMALL)).eval(), count.flops(SMALL, 5)
    with torch.no_grad():
        assert counted(lambda: model(ids(1, 5, "cpu"))) == parts["total"] - parts["scores"] - parts["weighted"]


def test_known_models_count_what_they_are_known_to_count():
    assert count.parameters(GPT2_SMALL)["total"] == 124_439_808
    assert count.parameters(SMOLLM2)["total"] == 134_515_008
    for config in GPT2_SMALL, SMOLLM2:
        model = on_meta(lambda: mt.DecoderLM(config))
        assert n_parameters(model) == model.params().foot[-1].closed_form == count.parameters(config)["total"]


def test_they_count_what_transformers_counts():
    gpt2 = on_meta(lambda: transformers.GPT2LMHeadModel(transformers.GPT2Config()))
    assert n_parameters(gpt2) == count.parameters(GPT2_SMALL)["total"]
    bert = on_meta(lambda: transformers.BertModel(transformers.BertConfig(), add_pooling_layer=False))
    segments = bert.embeddings.token_type_embeddings.weight.numel()  # which sentence: ours has none
    assert n_parameters(bert) - segments == count.parameters(BERT_BASE, n_classes=0)["total"]
    assert n_parameters(on_meta(lambda: mt.Encoder(BERT_BASE))) == count.parameters(BERT_BASE, n_classes=0)["total"]


def test_training_holds_four_numbers_for_each_parameter():
    model = mt.DecoderLM(SMALL)
    optimiser = torch.optim.AdamW(model.parameters())
    model(ids(1, 3, "cpu")).sum().backward()
    optimiser.step()
    closed = memory.training(n_parameters(model))
    weights, states = list(model.parameters()), optimiser.state.values()
    assert sum(w.nbytes for w in weights) == closed["weights"]
    assert sum(w.grad.nbytes for w in weights) == closed["gradients"]
    assert sum(t.nbytes for s in states for t in s.values()) == closed["adamw"] + 4 * len(weights)  # and step counts


def test_every_part_adds_up_and_a_smaller_part_costs_less():
    whole, shared = count.parameters(SMALL), count.parameters(replace(SMALL, n_kv_heads=1))
    assert set(whole) == {"embedding", "positions", "attention", "ffn", "norms", "head", "total"}
    assert whole["total"] == sum(whole.values()) - whole["total"]
    assert whole["attention"] - shared["attention"] == 2 * 2 * (12 + 1) * 8  # layers · (k, v) · (D + 1) · columns
    near, far = (count.flops(SMALL, T) for T in (3, 6))
    assert far["scores"] == 4 * near["scores"] and far["ffn"] == 2 * near["ffn"]


@pytest.mark.usefixtures("shapes_unchecked")
@pytest.mark.parametrize("call, message", [
    (lambda: count.flops(SMALL, 0), "T=0 must be a whole number of at least 1"),
    (lambda: count.flops(SMALL, 3, batch=1.5), "batch=1.5 must be a whole number"),
    (lambda: count.flops(SMALL, 3, past=-1), "past=-1 must be a whole number"),
    (lambda: count.flops(SMALL, 3, memory=-2), "memory=-2 must be a whole number"),
    (lambda: count.flops(SMALL, 3, n_classes=2, past=3), "n_classes=2 makes it an encoder"),
    (lambda: count.parameters(SMALL, n_classes=2, cross=True), "n_classes=2 makes it an encoder"),
    (lambda: count.parameters(SMALL, n_classes=-1), "n_classes=-1 must be a whole number"),
    (lambda: memory.activations(replace(SMALL, dropout=0.1), 3), "dropout=0.1 keeps masks"),
    (lambda: memory.kv_cache(SMALL, 0), "T=0 must be a whole number"),
    (lambda: memory.training(0), "n_parameters=0 must be a whole number"),
])  # fmt: skip
def test_what_cannot_be_counted_gets_one_clear_line(call, message):
    with pytest.raises(ValueError, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)
