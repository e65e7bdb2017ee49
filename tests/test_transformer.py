"""What must hold for every model that a config can name: the grid of norm × ffn × position × placement × groups."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.testing import assert_close

import mtlib as mt
from mtlib.config import FFN, Norm, Placement, Scheme

V, D, H, MAX = 11, 16, 4, 16
WORDS = st.fixed_dictionaries({
    "norm": st.sampled_from(Norm.__args__),
    "ffn": st.sampled_from(FFN.__args__),
    "position": st.sampled_from(Scheme.__args__),
    "placement": st.sampled_from(Placement.__args__),
    "bias": st.booleans(),
    "tied": st.booleans(),
})
ANY = given(words=WORDS, G=st.sampled_from([1, 2, 4]), seed=st.integers(0, 999))
OFTEN = settings(max_examples=25, deadline=None)


def config(parts, G=4, n_layers=1):
    return mt.ModelConfig(
        vocab=V, max_len=MAX, d_model=D, n_heads=H, n_kv_heads=G, n_layers=n_layers, d_ff=20, parts=parts
    )


def lively(model):
    """In doubles, with weights far from where training starts, so that every part has a say."""
    model = model.double().eval()
    with torch.no_grad():
        for p in model.parameters():
            p.add_(torch.randn_like(p), alpha=0.2)
    return model


def near(a, b):
    assert_close(a, b, atol=1e-10, rtol=0)


def some_ids(B, T):
    return torch.randint(1, V, (B, T))  # 0 is padding


@OFTEN
@ANY
def test_explicit_equals_fused(words, G, seed):
    torch.manual_seed(seed)
    model = lively(mt.EncoderDecoder(config(mt.Parts(**words), G)))
    args = some_ids(2, 6), some_ids(2, 4), torch.rand(2, 1, 1, 6) > 0.4, torch.rand(2, 1, 1, 4) > 0.3
    explicit = model(*args)
    near(mt.use_fused(model)(*args), explicit)
    assert torch.equal(mt.use_explicit(model)(*args), explicit)


@OFTEN
@ANY
def test_no_position_of_a_decoder_sees_the_future(words, G, seed):
    torch.manual_seed(seed)
    model, ids, t = lively(mt.DecoderLM(config(mt.Parts(**words), G))), some_ids(1, 7), seed % 6
    later = ids.clone()
    later[:, t + 1 :] = (ids[:, t + 1 :] + 1 + seed % (V - 1)) % V
    a, b = model(ids), model(later)
    assert torch.equal(a[:, : t + 1], b[:, : t + 1])
    assert not torch.allclose(a[:, t + 1 :], b[:, t + 1 :])


@OFTEN
@ANY
def test_padding_changes_nothing_for_real_tokens(words, G, seed):
    torch.manual_seed(seed)
    model, more = lively(mt.EncoderDecoder(config(mt.Parts(**words), G))), torch.zeros(1, 1 + seed % 5, dtype=torch.int64)
    source, target = some_ids(1, 4), some_ids(1, 5)
    long_source, long_target = torch.cat([source, more], dim=1), torch.cat([target, more], dim=1)
    keeps = mt.padding_keep(long_source, pad=0), mt.padding_keep(long_target, pad=0)
    near(model.encoder(long_source, keeps[0])[:, :4], model.encoder(source))
    near(model(long_source, long_target, *keeps)[:, :5], model(source, target))


@pytest.mark.parametrize("pool", [mt.FirstPool(), mt.MeanPool(), mt.MaxPool(), mt.AttentionPool(D)], ids=lambda p: type(p).__name__)
def test_a_class_does_not_depend_on_padding(pool):
    model, ids = lively(mt.Transformer(config(mt.BERT), n_classes=3, pool=pool)), some_ids(2, 4)
    padded = torch.cat([ids, torch.zeros(2, 3, dtype=torch.int64)], dim=1)
    near(model(padded, mt.padding_keep(padded, pad=0)), model(ids))


@OFTEN
@ANY
def test_an_encoder_knows_the_order_by_its_position_scheme_and_by_nothing_else(words, G, seed):
    torch.manual_seed(seed)
    ids, order = torch.arange(1, 8)[None], torch.randperm(7)
    order = order.roll(1) if torch.equal(order, torch.arange(7)) else order
    encoder = lively(mt.Encoder(config(mt.Parts(**words), G)))
    moved, still = encoder(ids[:, order]), encoder(ids)[:, order]
    if words["position"] == "none":
        near(moved, still)
    else:
        assert (moved - still).abs().max() > 1e-6


@OFTEN
@ANY
def test_every_parameter_is_used(words, G, seed):
    torch.manual_seed(seed)
    model = lively(mt.EncoderDecoder(config(mt.Parts(**words), G)))
    model(some_ids(2, 6), some_ids(2, 4)).square().sum().backward()
    unused = [name for name, p in model.named_parameters() if p.grad is None or not p.grad.any()]
    # What is added to every key shifts a query's scores alike, and softmax does not see it.
    assert all(name.endswith("k_proj.bias") for name in unused)


@settings(max_examples=10, deadline=None)
@ANY
def test_a_model_built_without_memory_takes_its_weights_from_another(words, G, seed):
    torch.manual_seed(seed)
    model, ids = lively(mt.EncoderDecoder(config(mt.Parts(**words), G))), (some_ids(2, 6), some_ids(2, 4))
    with torch.device("meta"):
        empty = mt.EncoderDecoder(config(mt.Parts(**words), G)).eval()
    assert all(p.is_meta for p in empty.parameters())
    empty.load_state_dict(model.state_dict(), strict=True, assign=True)
    assert not any(t.is_meta for t in (*empty.parameters(), *empty.buffers()))
    assert torch.equal(empty(*ids), model(*ids))


def test_names_of_a_language_model_are_those_that_exercises_rely_on():
    model = mt.DecoderLM(config(mt.GPT2, n_layers=2))
    linear = {f"{name}.{part}" for name in (*(f"attn.{p}_proj" for p in "qkvo"), "ffn.w_in", "ffn.w_out") for part in ("weight", "bias")}
    norms = {f"{name}.{part}" for name in ("norm1", "norm2") for part in ("weight", "bias")}
    blocks = {f"blocks.{n}.{name}" for n in range(2) for name in linear | norms}
    assert model.state_dict().keys() == blocks | {"tok.weight", "pos.weight", "norm.weight", "norm.bias"}
    untied = mt.DecoderLM(config(mt.Parts(tied=False)))
    assert untied.state_dict().keys() - model.state_dict().keys() == {"head.weight"}


def test_one_config_shares_the_token_table_and_two_do_not():
    one = mt.EncoderDecoder(config(mt.ORIGINAL))
    assert one.encoder.tok is one.decoder.tok
    target = mt.ModelConfig(vocab=7, max_len=MAX, d_model=D, n_heads=2, n_layers=1)
    two = mt.EncoderDecoder(config(mt.ORIGINAL), target)
    assert two.encoder.tok.weight.shape == (V, D) and two.decoder.tok.weight.shape == (7, D)
    assert two(some_ids(2, 6), torch.ones(2, 3, dtype=torch.int64)).shape == (2, 3, 7)


@pytest.mark.parametrize("parts", [mt.ORIGINAL, mt.BERT, mt.GPT2, mt.LLAMA, mt.T5])
def test_the_named_sets_of_parts_train(parts):
    """The model can learn one pair by heart: the gradient reaches what matters."""
    model = mt.EncoderDecoder(config(parts, n_layers=1))
    source, inputs, wanted = some_ids(2, 5), some_ids(2, 4), some_ids(2, 4)
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-2)
    for _ in range(50):
        loss = torch.nn.functional.cross_entropy(model(source, inputs).flatten(0, 1), wanted.flatten())
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert loss.item() < 0.2
