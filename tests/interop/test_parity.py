"""GPT-2, BERT, Llama and T5 of the transformers library, tiny and random: the same weights, the same numbers."""

from dataclasses import replace

import pytest
import torch
from torch.func import functional_call
from torch.testing import assert_close

import mtlib as mt

from .families import FAMILIES, IDS, TOLERANCE

PADDING = IDS != 0


@pytest.fixture(params=FAMILIES)
def family(request):
    return FAMILIES[request.param]


@pytest.mark.parametrize("swap", [mt.use_explicit, mt.use_fused])
@pytest.mark.parametrize("dtype", TOLERANCE)
def test_their_weights_in_our_model_give_their_logits(family, dtype, swap):
    theirs, ours, config = family.build(dtype)
    ours.load_state_dict(family.from_theirs(theirs.state_dict(), config))
    assert_close(swap(ours)(*family.arguments()), family.call_theirs(theirs), atol=TOLERANCE[dtype], rtol=0)


@pytest.mark.parametrize("dtype", TOLERANCE)
def test_our_weights_in_their_model_give_our_logits(family, dtype):
    theirs, ours, config = family.build(dtype)
    theirs.load_state_dict(family.to_theirs(ours.state_dict(), config))
    assert_close(family.call_theirs(theirs), ours(*family.arguments()), atol=TOLERANCE[dtype], rtol=0)


def test_there_and_back_changes_no_weight(family):
    _, ours, config = family.build()
    before = ours.state_dict()
    after = family.from_theirs(family.to_theirs(before, config), config)
    assert after.keys() == before.keys()
    for name in before:
        assert_close(after[name], before[name], atol=0, rtol=1e-15)  # T5's factors round


@pytest.mark.parametrize("swap", [mt.use_explicit, mt.use_fused])
def test_padding_means_the_same_to_both(family, swap):
    theirs, ours, config = family.build()
    ours.load_state_dict(family.from_theirs(theirs.state_dict(), config))
    wanted = family.call_theirs(theirs, PADDING.long())
    real = PADDING[:, : wanted.size(1)]
    got = swap(ours)(*family.arguments(mt.padding_keep(IDS, pad=0)))
    assert_close(got[real], wanted[real], atol=1e-10, rtol=0)


@pytest.mark.parametrize("name", [name for name, family in FAMILIES.items() if not family.seq2seq])
def test_any_keep_means_the_same_to_both(name):
    family = FAMILIES[name]
    theirs, ours, config = family.build()
    ours.load_state_dict(family.from_theirs(theirs.state_dict(), config))
    T = IDS.size(1)
    keep = (torch.rand(2, 1, T, T) > 0.4) | torch.eye(T, dtype=torch.bool)
    causal = mt.causal_keep(T) if family.ours is mt.DecoderLM else torch.ones(T, T, dtype=torch.bool)
    assert_close(ours(IDS, keep), family.call_theirs(theirs, keep & causal), atol=1e-10, rtol=0)


def test_every_parameter_gets_the_same_gradient(family):
    """The map is differentiable, so the gradient flows through our model to their parameters."""
    theirs, ours, config = family.build()
    parameters = dict(theirs.named_parameters(remove_duplicate=False))
    out = family.call_theirs(theirs)
    cotangent = torch.randn_like(out)
    own = dict(theirs.named_parameters())
    wanted = torch.autograd.grad(out, own.values(), cotangent)
    out = functional_call(ours, family.from_theirs(parameters, config), family.arguments())
    got = torch.autograd.grad(out, own.values(), cotangent)
    for name, a, b in zip(own, got, wanted):
        assert_close(a, b, atol=1e-10 * max(1.0, b.abs().max().item()), rtol=0, msg=name)


@torch.no_grad()
@pytest.mark.parametrize("name", [name for name in FAMILIES if name != "bert"])
def test_greedy_generation_with_a_cache_writes_what_theirs_writes(name):
    family = FAMILIES[name]
    theirs, ours, config = family.build()
    ours.load_state_dict(family.from_theirs(theirs.state_dict(), config))
    start, cache = IDS[:1, :3], ours.new_cache()
    wanted = theirs.generate(start, attention_mask=torch.ones_like(start), max_new_tokens=5, do_sample=False, pad_token_id=0)
    written = torch.zeros(1, 1, dtype=torch.int64) if family.seq2seq else start
    new = written
    while written.size(1) < wanted.size(1):
        logits = ours(start, new, cache=cache) if family.seq2seq else ours(new, cache=cache)
        new = logits[:, -1:].argmax(-1)
        written = torch.cat([written, new], dim=1)
    assert written.tolist() == wanted.tolist()


def test_a_name_too_many_or_too_few_is_one_line_that_names_it(family):
    theirs, ours, config = family.build()
    for state, carry in (theirs.state_dict(), family.from_theirs), (ours.state_dict(), family.to_theirs):
        name = next(name for name in state if "norm" in name.lower() or "ln" in name)
        fewer = {n: t for n, t in state.items() if n != name}
        with pytest.raises(ValueError, match=rf"state does not fit this config: {name} missing"):
            carry(fewer, config)
        with pytest.raises(ValueError, match="no place for extra") as caught:
            carry(state | {"extra": torch.zeros(1)}, config)
        assert "\n" not in str(caught.value)


def test_weights_of_another_depth_are_refused(family):
    theirs, _, config = family.build()
    with pytest.raises(ValueError, match="no place for .* more"):
        family.from_theirs(theirs.state_dict(), replace(config, n_layers=1))
    with pytest.raises(ValueError, match="missing"):
        family.from_theirs(theirs.state_dict(), replace(config, n_layers=3))
