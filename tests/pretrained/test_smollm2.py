"""SmolLM2 in mtlib's own DecoderLM against transformers' on the same dequantised weights."""

import pytest
import torch
import torch.nn.functional as F

import mtlib as mt
from mtlib import pretrained

TEXT = (
    "A lighthouse keeper writes one line a day. On most days the line is about the weather; on the day the ship "
    "came in, it was about the captain's hat, which the wind had taken before anyone could say hello."
)


@pytest.fixture(scope="module")
def ours(hf_smollm2):
    return pretrained.smollm2()


def loss(logits, ids) -> float:
    return F.cross_entropy(logits[0, :-1], ids[0, 1:]).item()


@pytest.mark.parametrize("swap", [mt.use_explicit, mt.use_fused])
def test_logits_and_perplexity_are_those_of_transformers(ours, hf_smollm2, swap):
    ids = ours.ids(TEXT)
    with torch.no_grad():
        mine, theirs = swap(ours.model)(ids), hf_smollm2.model(ids).logits
    torch.testing.assert_close(mine, theirs, atol=5e-4, rtol=0)  # logits up to 30 through 30 layers of float32
    assert loss(mine, ids) == pytest.approx(loss(theirs, ids), abs=1e-5)
    assert 5 < torch.tensor(loss(mine, ids)).exp() < 80


def test_it_goes_on_with_a_text_as_transformers_does(ours, hf_smollm2):
    prompt = ours.ids("The three primary colours are")
    with torch.no_grad():
        theirs = hf_smollm2.model.generate(prompt, max_new_tokens=12, do_sample=False, pad_token_id=0, eos_token_id=None)
        cache, new, out = ours.model.new_cache(), prompt, prompt
        for _ in range(12):
            new = ours.model(new, cache=cache)[:, -1:].argmax(dim=-1)
            out = torch.cat([out, new], dim=1)
    assert out.tolist() == theirs.tolist()
    assert "blue" in ours.tokenizer.decode(out[0].tolist())


def test_the_cache_holds_what_three_shared_heads_need_and_no_more(ours):
    cache, ids = ours.model.new_cache(), ours.ids(TEXT)
    with torch.no_grad():
        ours.model(ids, cache=cache)
    numbers = sum(own.k.numel() + own.v.numel() for own, _ in cache.layers)
    assert numbers == 2 * 30 * 3 * 64 * ids.size(1)  # K and V, layers, kv heads, head width, positions
