"""Every score on heads whose job is planted, and on even attention, whose score is known."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.testing import assert_close

from mtlib import interp


def looking(wanted):
    """Weights (B, 1, T, T) of a head that spreads over its wanted keys, and rests on position 0 without any."""
    rest = torch.zeros_like(wanted)
    rest[..., 0] = ~wanted.any(dim=-1)
    keys = (wanted | rest).double()
    return (keys / keys.sum(-1, keepdim=True))[:, None]


@pytest.mark.parametrize("job", interp.PATTERNS)
def test_a_planted_head_scores_one_at_its_job_and_nothing_else_does(job):
    ids = interp.repeated_tokens(3, 6, 20)
    weights = looking(interp.PATTERNS[job](ids))
    scores = {name: interp.pattern_score(weights, pattern(ids)).item() for name, pattern in interp.PATTERNS.items()}
    assert scores.pop(job) == pytest.approx(1.0)
    assert max(scores.values()) < 0.6  # resting on 0 is a first_token of its own
    if job == "first_token":
        assert scores["induction"] == 0.0 and scores["duplicate_token"] == pytest.approx(1 / 6)


def test_even_attention_scores_what_chance_gives():
    T, ids = 8, interp.repeated_tokens(2, 4, 20)
    even = (torch.ones(T, T).tril() / torch.arange(1, T + 1)[:, None]).expand(2, 1, T, T)
    harmonic = sum(1 / n for n in range(2, T + 1)) / (T - 1)
    for job in "previous_token", "first_token":
        assert interp.pattern_score(even, interp.PATTERNS[job](ids)).item() == pytest.approx(harmonic)
    repeating = sum(1 / n for n in range(5, 9)) / 4  # queries 4…7 have one wanted key each
    for job in "duplicate_token", "induction":
        assert interp.pattern_score(even, interp.PATTERNS[job](ids)).item() == pytest.approx(repeating)


@settings(max_examples=30, deadline=None)
@given(period=st.integers(2, 6), batch=st.integers(1, 3), heads=st.integers(1, 3), seed=st.integers(0, 99))
def test_the_score_by_period_is_the_induction_pattern_where_tokens_repeat(period, batch, heads, seed):
    generator = torch.Generator().manual_seed(seed)
    ids = interp.repeated_tokens(batch, period, 9, generator=generator)
    T = ids.size(1)
    weights = torch.rand(batch, heads, T, T, dtype=torch.float64, generator=generator).softmax(-1)
    assert_close(interp.induction_score(weights, period), interp.pattern_score(weights, interp.induction(ids)))


def test_the_score_by_period_reads_one_diagonal_from_the_period_on():
    weights = torch.zeros(1, 2, 7, 7)
    weights[0, 0].diagonal(-2).fill_(1.0)  # every t at t - 3 + 1
    weights[0, 1, 2, 0] = 1.0  # t = 2 is before the first repetition: it does not count
    assert interp.induction_score(weights, period=3).tolist() == [1.0, 0.0]


@settings(max_examples=30, deadline=None)
@given(ids=st.lists(st.integers(0, 3), min_size=2, max_size=8))
def test_patterns_say_what_their_names_say(ids):
    wanted = {job: pattern(torch.tensor([ids]))[0] for job, pattern in interp.PATTERNS.items()}
    for t in range(len(ids)):
        for j in range(len(ids)):
            assert wanted["previous_token"][t, j] == (j == t - 1)
            assert wanted["first_token"][t, j] == (j == 0 and t > 0)
            assert wanted["duplicate_token"][t, j] == (j < t and ids[j] == ids[t])
            assert wanted["induction"][t, j] == (0 < j <= t and ids[j - 1] == ids[t])


def test_on_a_text_in_which_nothing_repeats_induction_is_no_number(gpt2):
    scores = interp.head_scores(gpt2, torch.tensor([[1, 2, 3]]))
    assert scores["induction"].isnan().all() and scores["previous_token"].isfinite().all()


def test_the_scores_of_a_model_are_those_of_its_weights(model):
    ids = interp.repeated_tokens(2, 4, 11)
    scores, weights = interp.head_scores(model, ids), interp.attention_weights(model, ids)
    assert_close(scores["induction"][2], interp.induction_score(weights[2], 4))
    assert_close(scores["previous_token"][1], weights[1].diagonal(-1, -2, -1).mean((0, 2)))
    assert all(score.shape == (3, 4) for score in scores.values())


def test_entropy_is_zero_at_one_key_and_log_T_at_all_alike():
    one, even = torch.eye(5).expand(2, 1, 5, 5), torch.full((2, 1, 5, 5), 0.2)
    assert_close(interp.attention_entropy(torch.cat([one, even], dim=1)), torch.tensor([0.0, math.log(5)]))


@settings(max_examples=30, deadline=None)
@given(T_q=st.integers(1, 5), T_k=st.integers(1, 5), seed=st.integers(0, 99))
def test_entropy_is_torchs(T_q, T_k, seed):
    logits = torch.randn(2, 3, T_q, T_k, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    theirs = torch.distributions.Categorical(logits=logits).entropy().mean((0, 2))
    assert_close(interp.attention_entropy(logits.softmax(-1)), theirs)


def test_repeated_tokens_repeat_and_hold_no_token_twice_before():
    ids = interp.repeated_tokens(5, 7, 9, repeats=3)
    assert ids.shape == (5, 21) and torch.equal(ids[:, :7], ids[:, 7:14]) and torch.equal(ids[:, :7], ids[:, 14:])
    assert all(len(set(row)) == 7 for row in ids[:, :7].tolist())
    assert not torch.equal(ids[0, :7], ids[1, :7])
    seeded = [interp.repeated_tokens(2, 4, 9, generator=torch.Generator().manual_seed(5)) for _ in range(2)]
    assert torch.equal(*seeded)


def test_copying_loss_counts_only_what_a_copier_can_know():
    ids = interp.repeated_tokens(4, 5, 9)
    logits = torch.zeros(4, 10, 9)
    assert interp.copying_loss(logits, ids, 5).item() == pytest.approx(math.log(9))
    logits[:, 5:-1].scatter_(2, ids[:, 6:, None], 50.0)  # from t = 5 on: all that comes is known
    assert interp.copying_loss(logits, ids, 5).item() < 1e-6
