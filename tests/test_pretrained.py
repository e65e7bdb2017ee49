"""MiniLM in our encoder against the same weights in the transformers library."""

import pytest
import torch
from safetensors.torch import load_file

import mtlib as mt
from mtlib import assets, pretrained

pytestmark = pytest.mark.ch06
SENTENCES = ["The car is red", "I sat on the bank of the river.", "She put her money in the bank, and left."]


@pytest.fixture(scope="module")
def ours():
    assets.fetch("minilm")
    return pretrained.minilm()


@pytest.fixture(scope="module")
def theirs(ours):
    from transformers import BertConfig, BertModel

    config = BertConfig(
        vocab_size=30522, hidden_size=384, num_hidden_layers=6, num_attention_heads=12, intermediate_size=1536,
        max_position_embeddings=512, layer_norm_eps=1e-12, attn_implementation="eager",
    )
    model = BertModel(config)
    weights = load_file(assets.path("minilm", "model.safetensors"))
    weights.pop("embeddings.position_ids")
    model.load_state_dict(weights)
    return model.eval()


def test_every_layer_and_every_attention_weight_equals_transformers(ours, theirs):
    for sentence in SENTENCES:
        ids = ours.ids(sentence)
        with torch.no_grad(), mt.trace(ours.model) as t:
            hidden = ours.model(ids)
            wanted = theirs(ids, output_attentions=True, output_hidden_states=True)
        torch.testing.assert_close(hidden, wanted.last_hidden_state, atol=1e-5, rtol=0)
        for layer in range(6):
            weights = t[f"blocks.{layer}.attn.core.weights"]
            torch.testing.assert_close(weights, wanted.attentions[layer], atol=1e-5, rtol=0)


def test_a_padded_batch_gives_the_same_sentence_vectors(ours, theirs):
    single = torch.cat([pretrained.sentence_vector(ours.model(ours.ids(s))) for s in SENTENCES])
    longest = max(ours.ids(s).size(1) for s in SENTENCES)
    ids = torch.cat([torch.nn.functional.pad(ours.ids(s), (0, longest - ours.ids(s).size(1))) for s in SENTENCES])
    real = ids != 0
    batch = pretrained.sentence_vector(ours.model(ids, mt.padding_keep(ids, pad=0)), real)
    torch.testing.assert_close(batch, single, atol=1e-5, rtol=0)
    hidden = theirs(ids, attention_mask=real.long()).last_hidden_state
    torch.testing.assert_close(batch, pretrained.sentence_vector(hidden, real), atol=1e-5, rtol=0)


def test_tokens_and_ids_are_one_to_one(ours):
    assert ours.tokens("The car is red") == ["[CLS]", "the", "car", "is", "red", "[SEP]"]
    assert ours.ids("The car is red").tolist() == [[101, 1996, 2482, 2003, 2417, 102]]


def test_a_text_longer_than_the_table_is_refused_with_a_word(ours, shapes_unchecked):
    with pytest.raises(ValueError, match="ids holds 602 positions; this model's table ends at max_len=512"):
        ours.model(ours.ids("car " * 600))
