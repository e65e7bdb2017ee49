"""What is made small, against torch and against what the exercises of the course say."""

import math

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from torch.testing import assert_close

from mtlib.training import bits_per_byte, cross_entropy, info_nce, mlm_batch, sft_targets


@given(s=st.sampled_from([0.0, 0.1, 0.5]), seed=st.integers(0, 99))
def test_cross_entropy_equals_torchs_in_values_and_gradients(s, seed):
    g = torch.Generator().manual_seed(seed)
    logits = torch.randn(3, 5, 7, generator=g, dtype=torch.float64, requires_grad=True)
    targets = torch.randint(0, 7, (3, 5), generator=g)
    targets[torch.rand(3, 5, generator=g) < 0.3] = -100
    targets[0, 0] = 3
    theirs = F.cross_entropy(logits.flatten(0, 1), targets.flatten(), label_smoothing=s, ignore_index=-100)
    ours = cross_entropy(logits, targets, smoothing=s)
    assert_close(ours, theirs)
    assert_close(torch.autograd.grad(ours, logits)[0], torch.autograd.grad(theirs, logits)[0])


def test_pieces_of_a_batch_add_up_to_the_mean_of_the_whole():
    logits, targets = torch.randn(4, 6, 5).double(), torch.randint(0, 5, (4, 6))
    targets[0, 1:] = -100
    asked = int((targets != -100).sum())
    pieces = sum(cross_entropy(logits[i : i + 1], targets[i : i + 1], asked=asked) for i in range(4))
    assert_close(pieces, cross_entropy(logits, targets))


def test_a_batch_that_asks_for_nothing_has_no_loss_and_no_gradient():
    logits = torch.randn(2, 3, 4, requires_grad=True)
    loss = cross_entropy(logits, torch.full((2, 3), -100))
    loss.backward()
    assert loss.item() == 0 and (logits.grad == 0).all()


def test_info_nce_is_symmetric_counts_the_others_and_is_nothing_for_one_pair():
    a, b = torch.randn(2, 5, 3).double()
    assert_close(info_nce(a, b, 0.3), info_nce(b, a, 0.3))
    assert_close(info_nce(3 * a, b, 0.3), info_nce(a, b, 0.3))  # cosines
    assert info_nce(a[:1], b[:1], 0.3) == 0
    same = torch.ones(5, 3).double()
    assert_close(info_nce(same, same, 0.3).item(), math.log(5))  # nothing tells the five apart


def test_masked_tokens_follow_the_three_dice():
    torch.manual_seed(1)
    ids, shape = torch.randint(5, 100, (200, 50)), (200, 50)
    special = torch.rand(shape) < 0.1
    choose, roll, replace = torch.rand(shape), torch.rand(shape), torch.randint(5, 100, shape)
    before = ids.clone()
    inputs, targets = mlm_batch(ids, special, 4, choose, roll, replace)
    chosen = targets != -100
    assert torch.equal(ids, before)
    assert not (chosen & special).any() and torch.equal(targets[chosen], ids[chosen])
    assert torch.equal(inputs[~chosen], ids[~chosen])
    assert torch.equal(chosen, ~special & (choose < 0.15))
    assert (inputs[chosen & (roll < 0.8)] == 4).all()
    other = chosen & (roll >= 0.8) & (roll < 0.9)
    assert torch.equal(inputs[other], replace[other])
    left = chosen & (roll >= 0.9)
    assert left.any() and torch.equal(inputs[left], ids[left])


def test_only_the_answer_is_learnt_and_its_first_token_too():
    ids, answer = torch.tensor([[1, 2, 3, 4]]), torch.tensor([[False, False, True, True]])
    assert sft_targets(ids, answer).tolist() == [[-100, 3, 4, -100]]
    logits = torch.randn(1, 4, 6, requires_grad=True)
    cross_entropy(logits, sft_targets(ids, answer)).backward()
    assert logits.grad[0].abs().sum(dim=-1).gt(0).tolist() == [False, True, True, False]


@given(n=st.integers(1, 10_000))
def test_bytes_that_nobody_foresees_cost_eight_bits_each(n):
    assert bits_per_byte(n * math.log(256), n) == pytest.approx(8)


@pytest.mark.usefixtures("shapes_unchecked")
def test_wrong_arguments_get_one_line():
    with pytest.raises(ValueError, match=r"targets has shape \(3,\); for these logits it must be \(2,\)"):
        cross_entropy(torch.zeros(2, 4), torch.zeros(3).long())
    with pytest.raises(ValueError, match="row i belongs to row i"):
        info_nce(torch.zeros(2, 4), torch.zeros(3, 4))
    with pytest.raises(ValueError, match="answer has shape"):
        sft_targets(torch.zeros(1, 3).long(), torch.zeros(1, 2).bool())
    with pytest.raises(ValueError, match="n_bytes=0"):
        bits_per_byte(1.0, 0)
