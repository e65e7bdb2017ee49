"""A fused model writes by a step of its own: the same logits as the model's, whatever its parts and however ids are split."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import mtlib as mt
from mtlib.generation.swift import Swift, swift

from .any_config import any_config
from .generation.writers import V, lm


@settings(max_examples=60, deadline=None)
@given(config=any_config(), batch=st.integers(1, 3), cuts=st.lists(st.integers(1, 4), min_size=1, max_size=4), data=st.data())
def test_its_logits_are_the_models_for_any_parts_and_any_split(config, batch, cuts, data):
    config = config()
    cuts = cuts[: max(1, config.max_len // 4)]
    model = mt.use_fused(mt.DecoderLM(config)).double().eval()
    with torch.no_grad():
        for p in model.parameters():  # biases and gains start at 0 and 1, where a lost one would not show
            p.add_(0.1 * torch.randn_like(p))
        ids = torch.randint(config.vocab, (batch, sum(cuts)))
        whole, writer = model(ids), swift(model)
        assert isinstance(writer, Swift)
        cache, at = writer.new_cache(), 0
        for cut in cuts:
            logits = writer(ids[:, at : at + cut], cache)
            at += cut
            assert len(cache) == at and logits.shape == (batch, 1, config.vocab)
            torch.testing.assert_close(logits[:, 0], whole[:, at - 1], rtol=0, atol=1e-10)


def test_a_cache_that_outgrows_its_room_keeps_what_it_held():
    model = mt.use_fused(mt.DecoderLM(mt.ModelConfig(
        vocab=V, max_len=200, d_model=16, n_heads=2, n_layers=2, parts=mt.LLAMA))).double().eval()  # fmt: skip
    ids = torch.randint(V, (2, 150))
    writer = swift(model)
    cache = writer.new_cache()
    with torch.no_grad():
        for at in range(0, 150, 15):
            last = writer(ids[:, at : at + 15], cache)
        torch.testing.assert_close(last[:, 0], model(ids)[:, -1], rtol=0, atol=1e-10)


@torch.no_grad()
def test_rows_are_selected_and_positions_forgotten_as_in_the_models_own_cache():
    writer = swift(mt.use_fused(lm()))
    one, other = writer.new_cache(), writer.new_cache()
    writer(torch.tensor([[3, 1, 4], [2, 7, 1]]), one)
    one.truncate(2)
    one.select(torch.tensor([1, 1, 0]))
    writer(torch.tensor([[2, 7], [2, 7], [3, 1]]), other)
    new = torch.tensor([[5], [6], [5]])
    torch.testing.assert_close(writer(new, one), writer(new, other))


def watched(model):
    model.blocks[0].ffn.register_forward_hook(lambda module, args, out: None)
    return mt.use_fused(model)


def of_anothers_parts(model):
    model.blocks[0].ffn = torch.nn.Sequential(torch.nn.Linear(16, 16), torch.nn.Linear(16, 16))
    return mt.use_fused(model)


@pytest.mark.parametrize("kept", [mt.use_explicit, watched, of_anothers_parts, lambda model: torch.nn.Sequential(model)])
def test_what_can_be_looked_into_or_is_not_ours_writes_by_itself(kept):
    model = kept(lm())
    assert swift(model) is model


def test_what_a_hook_changes_is_changed_in_what_is_written():
    model = mt.use_fused(lm())
    before = mt.generate(model, [[3, 1]], max_new=4)
    with mt.trace(model, replace={"logits": lambda z: torch.nn.functional.one_hot(torch.full(z.shape[:-1], 2), V).to(z)}):
        assert mt.generate(model, [[3, 1]], max_new=4) == [[2] * 4] != before
