"""SmolLM2's file read rightly: in transformers its weights make a model that knows English, its tokenizer fits."""

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch.func import functional_call

from mtlib.data import BytePairEncoder, from_tokenizer_json

# Our own words, from the expected to the odd, and the perplexity measured on each. The weights are
# exact, so it is pinned. (transformers' own reading of the file, with its own reordering of q and
# k, gave the same weights and logits to the last bit.)
TEXTS = {
    "The sun rises in the east and sets in the west. During the day it gives us light and warmth. Plants use the light "
    "of the sun to make their own food, and animals eat the plants. Without the sun there would be no life on Earth.": 8.411,
    "Water boils at one hundred degrees Celsius at sea level. High in the mountains the air is thinner and the pressure "
    "is lower, so water boils at a lower temperature. That is why it takes longer to cook potatoes there.": 19.606,
    "When the first snow fell on the village, the children ran outside before breakfast. Their mother called them back "
    "for hats and gloves, but nobody listened. By noon there was a snowman in front of every house, and the baker had "
    "lost his best broom.": 43.546,
}
settled = st.characters(exclude_categories=["Cs", "Cn"])  # a younger letter may be a symbol to one of the two
texts = st.text(settled) | st.text(st.sampled_from("aé'ßs tll9½٣\n\t\u00a0\u3000e\u0301🐌👩\u200d🔬日\x00\x04"), max_size=40)


@pytest.fixture(scope="module")
def ours(hf_smollm2) -> BytePairEncoder:
    return from_tokenizer_json(hf_smollm2.tokenizer.to_str())


def perplexity(reference, text: str, **weights: torch.Tensor) -> float:
    ids = torch.tensor([reference.tokenizer.encode(text).ids])
    with torch.no_grad():
        return functional_call(reference.model, weights, (ids,), {"labels": ids}).loss.exp().item()


def test_every_weight_of_the_file_has_its_place(hf_smollm2):
    assert len(hf_smollm2.raw) == 9 * hf_smollm2.sizes.n_layers + 2 == 272
    assert sum(w.numel() for w in hf_smollm2.raw.values()) == 134_515_008
    assert sum(p.numel() for p in hf_smollm2.model.parameters()) == 134_515_008  # the head is the table: counted once


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: text.split()[1])
def test_the_perplexity_is_the_one_that_was_measured(hf_smollm2, text):
    assert perplexity(hf_smollm2, text) == pytest.approx(TEXTS[text], rel=1e-3)


def test_with_q_and_k_in_the_files_order_transformers_pairs_the_wrong_columns(hf_smollm2):
    text, right = next(iter(TEXTS.items()))
    wrong = {
        f"model.layers.{layer}.self_attn.{letter}_proj.weight": hf_smollm2.raw[f"blk.{layer}.attn_{letter}.weight"]
        for layer in range(hf_smollm2.sizes.n_layers)
        for letter in "qk"
    }
    assert perplexity(hf_smollm2, text, **wrong) > 3 * right


def test_it_knows_a_capital(hf_smollm2):
    ids = torch.tensor([hf_smollm2.tokenizer.encode("The capital of France is").ids])
    with torch.no_grad():
        after = hf_smollm2.model(ids).logits[0, -1].argmax().item()
    assert hf_smollm2.tokenizer.decode([after]) == " Paris"


def test_a_chat_turn_keeps_its_signs_whole_and_digits_apart(hf_smollm2):
    encoded = hf_smollm2.tokenizer.encode("<|im_start|>user\nAdd 128 and 7.<|im_end|>\n")
    assert encoded.tokens == [
        "<|im_start|>", "user", "Ċ", "Add", "Ġ", "1", "2", "8", "Ġand", "Ġ", "7", ".", "<|im_end|>", "Ċ",
    ]
    assert encoded.ids[0] == 1 and encoded.ids[-2] == 2  # as the file names them: begin and end of a turn


@settings(max_examples=150, deadline=None)
@given(text=texts)
def test_our_encoder_gives_smollm2s_ids_on_any_text(ours, hf_smollm2, text):
    assert ours.encode(text) == hf_smollm2.tokenizer.encode(text).ids


@settings(max_examples=100, deadline=None)
@given(text=texts)
def test_a_text_comes_back_whole_unless_it_holds_one_of_the_21_bytes_that_smollm2_lacks(ours, hf_smollm2, text):
    lacking = {byte for byte in range(256) if bytes([byte]) not in ours.ids}
    assert len(lacking) == 21  # control characters, and bytes that no text in its training began with
    assume(lacking.isdisjoint(text.encode()))
    ids = ours.encode(text)
    assert ours.decode(ids) == text == hf_smollm2.tokenizer.decode(ids, skip_special_tokens=False)
