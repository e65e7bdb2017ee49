"""Each rule against its definition in words, against transformers' processors, and with ties."""

import math

import pytest
import torch
import transformers as hf
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.testing import assert_close

from mtlib.generation import Rules, min_p, repetition, temperature, top_k, top_p

INF = math.inf
few = settings(max_examples=40, deadline=None)
rows = st.lists(st.integers(-8, 8), min_size=1, max_size=9)  # whole numbers, so that ties are common


def logits_of(row, scale=0.7):
    return scale * torch.tensor(row, dtype=torch.float64)


def left(logits):
    """Indices of what a rule has left in."""
    return {i for i, z in enumerate(logits.tolist()) if z > -INF}


@few
@given(row=rows, t=st.sampled_from([1e-8, 0.3, 1.0, 7.0]))
def test_temperature_is_the_softmax_of_the_divided_logits(row, t):
    p = temperature(logits_of(row), t)
    assert_close(p.sum().item(), 1.0)
    if t > 1e-3:
        assert_close(p, (logits_of(row) / t).softmax(-1))
    else:
        largest = logits_of(row) == logits_of(row).max()
        assert_close(p, largest.double() / largest.sum())


def test_temperature_zero_takes_the_first_of_equals_and_almost_zero_shares():
    z = torch.tensor([[1.0, 5.0, 5.0], [-INF, 9999.0, -9999.0]])
    assert temperature(z, 0.0).tolist() == [[0, 1, 0], [0, 1, 0]]
    for tiny in (1e-8, 1e-300):
        assert temperature(z, tiny).tolist() == [[0, 0.5, 0.5], [0, 1, 0]]


@few
@given(row=rows, k=st.integers(1, 12))
def test_top_k_keeps_the_k_largest_and_their_equals(row, k):
    z = logits_of(row)
    bound = sorted(row, reverse=True)[: min(k, len(row))][-1]
    assert left(top_k(z, k)) == {i for i, x in enumerate(row) if x >= bound}
    assert k < len(row) or torch.equal(top_k(z, k), z)


@few
@given(row=rows, p=st.floats(0, 1.2))
def test_top_p_keeps_a_token_while_those_before_it_weigh_less(row, p):
    z, kept, before = logits_of(row), set(), 0.0
    weights = z.softmax(-1).tolist()
    masses = []
    for i in sorted(range(len(row)), key=lambda i: (-row[i], i)):
        masses.append(before)
        if before < p or not kept:
            kept.add(i)
        before += weights[i]
    if all(abs(mass - p) > 1e-9 for mass in masses):
        assert left(top_p(z, p)) == (kept if p < 1 else set(range(len(row))))


def test_top_p_of_nothing_is_the_first_likeliest_and_of_one_is_all():
    z = torch.tensor([[0.0, 2.0, 2.0], [-50.0, 0.0, -50.0]])
    assert top_p(z, 0.0).isfinite().tolist() == [[False, True, False], [False, True, False]]
    assert torch.equal(top_p(z, 1.0), z)


@few
@given(row=rows, p=st.floats(0, 1))
def test_min_p_keeps_what_weighs_at_least_that_share_of_the_likeliest(row, p):
    z = logits_of(row)
    ratios = (z - z.max()).exp()
    if ((ratios - p).abs() > 1e-9).logical_or(ratios == 1).all():
        assert left(min_p(z, p)) == {i for i, ratio in enumerate(ratios.tolist()) if ratio >= p}


def test_min_p_of_one_keeps_all_that_tie_at_the_top():
    assert left(min_p(torch.tensor([3.0, 1.0, 3.0]), 1.0)) == {0, 2}


@few
@given(row=rows, rule=st.sampled_from([lambda z: top_k(z, 2), lambda z: top_p(z, 0.6), lambda z: min_p(z, 0.3)]))
def test_what_a_rule_leaves_is_as_it_was_and_leaving_twice_leaves_the_same(row, rule):
    z = logits_of(row)
    once = rule(z)
    kept = once > -INF
    assert kept.any() and torch.equal(once[kept], z[kept])
    assert torch.equal(top_k(top_k(z, 2), 2), top_k(z, 2))
    assert torch.equal(rule(torch.stack([z, z.flip(0)]))[0], once)  # rows do not mix


@pytest.mark.parametrize("seed", range(3))
def test_every_rule_equals_transformers_processor(seed):
    torch.manual_seed(seed)
    z, text = 3 * torch.randn(4, 17, dtype=torch.float64), torch.randint(17, (4, 6))
    pairs = [
        (top_k(z, 5), hf.TopKLogitsWarper(5)),
        (top_p(z, 0.7), hf.TopPLogitsWarper(0.7)),
        (min_p(z, 0.1), hf.MinPLogitsWarper(0.1)),
        (repetition(z, text, 1.3), hf.RepetitionPenaltyLogitsProcessor(1.3)),
    ]
    for ours, theirs in pairs:
        assert_close(ours, theirs(text, z))
    assert_close(temperature(z, 0.6), hf.TemperatureLogitsWarper(0.6)(text, z).softmax(-1))


def test_all_rules_together_equal_transformers_in_its_order():
    z, text = 3 * torch.randn(64, 17, dtype=torch.float64), torch.randint(17, (64, 6))
    theirs = z
    for processor in (
        hf.RepetitionPenaltyLogitsProcessor(1.2), hf.TemperatureLogitsWarper(1.7),
        hf.TopKLogitsWarper(9), hf.TopPLogitsWarper(0.8), hf.MinPLogitsWarper(0.15),
    ):  # fmt: skip
        theirs = processor(text, theirs)
    rules = Rules(temperature=1.7, top_k=9, top_p=0.8, min_p=0.15, repetition=1.2)
    assert_close(rules(z, text), theirs.softmax(-1))


def test_greedy_rules_are_certain_and_pick_without_a_generator():
    z, text = torch.randn(5, 7), torch.randint(7, (5, 3))
    rules = Rules(temperature=0.0, top_k=3, top_p=0.5, min_p=0.2)
    assert torch.equal(rules(z, text).argmax(-1), z.argmax(-1)) and (rules(z, text).amax(-1) == 1).all()
    assert torch.equal(rules.pick(z, text, None), z.argmax(-1))


def test_tokens_are_drawn_as_often_as_their_probabilities_say():
    z, rules = torch.tensor([[0.0, 1.0, 2.0, -1.0]]), Rules(temperature=0.7, top_k=3)
    n, text = 20_000, torch.zeros(1, 1, dtype=torch.int64)
    drawn = rules.pick(z.expand(n, -1), text.expand(n, -1), torch.Generator().manual_seed(0))
    p = rules(z, text)[0]
    error = (p * (1 - p) / n).sqrt()
    assert ((drawn.bincount(minlength=4) / n - p).abs() <= 4 * error).all()


def test_half_precision_is_widened_before_anything_is_taken_out():
    z = torch.randn(2, 9).bfloat16()
    assert Rules(top_p=0.9)(z, torch.zeros(2, 1, dtype=torch.int64)).dtype == torch.float32
