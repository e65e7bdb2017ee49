"""What chapter 13 leans on: its experiments measure what they say."""

import pytest
import torch

import mtlib as mt
from mtlib.experiments import kept, sampled, speculation, waiting
from mtlib.experiments.next_letter import blocks
from mtlib.generation import Rules, generate, speculative
from mtlib.generation.swift import swift

pytestmark = pytest.mark.ch13


def tiny(seed: int = 0) -> mt.DecoderLM:
    """As many tokens as the letters of the experiments; its choices vary with the text."""
    torch.manual_seed(seed)
    config = mt.ModelConfig(vocab=speculation.V, max_len=32, d_model=16, n_heads=2, n_layers=2, parts=mt.LLAMA)
    model = mt.use_fused(mt.DecoderLM(config))
    with torch.no_grad():
        for p in model.parameters():
            if p.dim() > 1:
                p.copy_(torch.randn_like(p))
    return model.eval()


@pytest.mark.parametrize("rules", [Rules(temperature=0.0, repetition=1.3), Rules(temperature=0.8, top_p=0.9)])
def test_the_writer_of_the_run_writes_what_generate_writes_and_is_as_surprised_as_a_reader(rules):
    model, ids = tiny(), torch.tensor([[3, 1, 4], [1, 5, 9]])
    seeded = [None if rules.greedy else torch.Generator().manual_seed(1) for _ in range(2)]
    tokens, surprise = sampled.write(model, ids, rules, 6, seeded[0])
    assert tokens.tolist() == generate(model, ids, max_new=6, rules=rules, generator=seeded[1])
    torch.testing.assert_close(surprise, sampled.surprise_at(model, ids, tokens), atol=1e-4, rtol=1e-4)


def test_a_run_of_four_is_repeated_when_it_stood_before():
    assert sampled.repeated([1, 2, 3, 4], [5, 6, 7, 8]) == 0.0
    assert sampled.repeated([9, 9, 9, 9, 9], [9, 9]) == 1.0
    assert sampled.repeated([1, 2, 3, 4, 5], [1, 2, 3, 4]) == 0.25


def test_every_text_of_ours_is_long_enough_and_every_rule_has_its_rows():
    rows = kept("sampled")
    drawn = len(sampled.TEXTS) * sampled.DRAWS
    wanted = {"ours": 6} | {rule: 6 for rule in sampled.LIKELIEST} | {f"{w} beams": 6 for w in sampled.WIDTHS}
    wanted |= {rule: drawn for rule in sampled.DRAWN}
    assert {rule: sum(row["rule"] == rule for row in rows) for rule in {row["rule"] for row in rows}} == wanted
    assert all(0 <= row["repeated"] <= 1 and row["surprise"] > 0 for row in rows)


@torch.no_grad()
def test_a_timed_step_leaves_the_cache_as_it_was_and_copies_are_the_one_text():
    writer, ids = swift(tiny()), torch.tensor([[3, 1, 4, 1, 5]])
    cache = waiting.filled(writer, ids)
    many = waiting.copies(cache, 3)
    alone = writer(torch.tensor([[9]]), waiting.filled(writer, ids))
    waiting.step(writer, many, torch.tensor([[2], [6], [7]]))
    assert len(many) == len(cache) == 5
    torch.testing.assert_close(writer(torch.tensor([[9]] * 3), many), alone.expand(3, 1, -1))


def test_pairs_are_a_language_model_that_can_guess():
    pairs, model = speculation.Pairs(), tiny()
    torch.testing.assert_close(pairs.table.exp().sum(dim=1), torch.ones(speculation.V))
    text = blocks()[0]
    q, u = (speculation.ALPHABET.index(letter) for letter in "qu")
    after_q = text[:, 1:][text[:, :-1] == q]
    assert pairs.table[q].exp()[u] == pytest.approx(((after_q == u).sum() + 1) / (len(after_q) + speculation.V))
    assert speculative(model, pairs, [3, 1], ahead=3, max_new=8).tokens == generate(model, [[3, 1]], max_new=8)[0]


@pytest.mark.parametrize("rules", [Rules(), Rules(temperature=0.0)])
def test_the_overlap_is_one_with_oneself_and_less_with_another(rules):
    model, prompts = tiny(), torch.tensor([[3, 1, 4], [1, 5, 9]])
    assert speculation.overlap(model, model, rules, prompts, 0) == pytest.approx(1.0)
    assert speculation.overlap(model, tiny(seed=1), rules, prompts, 0) < 0.9


def test_a_draft_of_the_kept_runs_comes_out_again():
    rows = [row for row in kept("speculation") if row["draft"] == "pairs"]
    loss = speculation.loss(speculation.Pairs())
    assert all(row["draft loss"] == pytest.approx(loss, abs=0.02) for row in rows)
