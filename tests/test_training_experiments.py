"""The experiments of chapter 12: what is changed is changed and nothing else, and kept runs come out again."""

import math

import pytest
import torch

import mtlib as mt
from mtlib import count
from mtlib.experiments import costs, forming, frozen, kept, layers_out, stable, steered, two_jobs
from mtlib.experiments.next_letter import text_hash

pytestmark = pytest.mark.ch12


def close_to(row, same, other):
    """How near a loss must come: the text differs a little from one Python to the next."""
    return same if row["text"] == text_hash() else other


def test_all_recipes_begin_with_the_same_matrices_but_for_their_size():
    first = dict(stable.build(stable.ALL, 0).named_parameters())
    for recipe in stable.RECIPES.values():
        for name, weight in stable.build(recipe, 0).named_parameters():
            if weight.dim() == 2:
                torch.testing.assert_close(weight / weight.norm(), first[name] / first[name].norm(), rtol=1e-4, atol=1e-6)


def test_the_rate_climbs_only_with_warm_up_and_ends_near_nothing():
    plain, climbs = stable.RECIPES["no warm-up"], stable.ALL
    assert stable.rate(0, plain, 1.0) == 1.0 and stable.rate(0, climbs, 1.0) == pytest.approx(1 / stable.WARMUP)
    assert all(stable.rate(step, plain, 1.0) == stable.rate(step, climbs, 1.0) for step in range(stable.WARMUP, stable.STEPS))
    assert stable.rate(stable.STEPS - 1, climbs, 1.0) < 1e-3


def test_the_first_losses_of_the_kept_runs_come_out_again():
    for name in ("all four", "all start at 1"):
        then = next(row for row in kept("stable") if (row["recipe"], row["lr"], row["seed"]) == (name, 1e-2, 1))
        _, losses, _ = stable.train(stable.RECIPES[name], 1e-2, 1, steps=1)
        assert losses[0] == pytest.approx(then["first"], abs=close_to(then, 0.02, 0.5))


@pytest.mark.parametrize("task", forming.TASKS)
def test_the_answer_lies_with_the_key_that_is_meant_and_nothing_lies_there_twice(task):
    table = forming.tables(200, task, torch.Generator().manual_seed(0))
    meant = table.keys.gather(1, table.at[:, None])[:, 0]
    assert torch.equal((table.asked + forming.TASKS[task]) % forming.KEYS, meant)
    for lying in (table.keys, table.values):
        assert all(len(set(row)) == forming.PAIRS for row in lying.tolist())


def test_tables_read_off_a_head_are_its_scores_and_answers():
    model = forming.build(0)
    table = forming.tables(4, "same", torch.Generator().manual_seed(0))
    with torch.no_grad():
        model.value.weight.zero_()  # then a score depends on the keys alone
        with mt.trace(model) as t:
            model(table)
    expected = forming.asks(model)[table.asked[:, None], table.keys]
    torch.testing.assert_close(t["attn.core.scores"][:, 0, 0], expected)


def test_what_is_tied_is_one_matrix_and_a_swap_exchanges_two():
    asks, brings = (forming.build(0, ties).attn for ties in ("W_K = W_Q", "W_V = W_K"))
    assert asks.q_proj is asks.k_proj is not asks.v_proj and brings.v_proj is brings.k_proj is not brings.q_proj
    model = forming.build(0)
    before = forming.asks(model)
    torch.testing.assert_close(forming.asks(forming.swap(model)), before.T)


def test_a_pull_is_what_a_small_step_of_the_score_gains():
    model, nudge = forming.build(0).double(), 1e-4
    right, _ = forming.pulls(model, "same")
    table = forming.tables(500, "same", torch.Generator().manual_seed(20_000))

    def loss(by):
        at = torch.nn.functional.one_hot(table.at, forming.PAIRS)[:, None, None]
        with mt.trace(model, replace={"attn.core.scores": lambda scores: scores + by * at}), torch.no_grad():
            return torch.nn.functional.cross_entropy(model(table), table.answer).item()

    assert right == pytest.approx((loss(-nudge) - loss(nudge)) / (2 * nudge), rel=1e-3, abs=1e-7)


def test_a_sample_of_the_kept_lookups_comes_out_again():
    then = next(row for row in kept("forming") if (row["task"], row["ties"], row["seed"]) == ("same", "W_V = W_K", 1))
    now = forming.milestones("same", "W_V = W_K", 1)
    assert now["right"] == pytest.approx(then["right"], abs=0.05)


def test_a_masked_head_sees_only_the_place_before():
    model = two_jobs.build("as it is", 0)
    model.attn.core = steered.Steered(keep=steered.head_0(steered.before()))
    weights = two_jobs.look(model)[1]
    torch.testing.assert_close(weights[0], steered.before().float())
    assert two_jobs.shares(weights)["before"][0] == pytest.approx(1.0)


def test_twins_without_noise_put_out_the_same_and_stay_together():
    model = steered.twins(0, 0.0)
    ids, _ = two_jobs.batch(4, torch.Generator().manual_seed(0))
    with mt.trace(model) as t:
        model(ids)
    torch.testing.assert_close(t["attn.core"][:, 0], t["attn.core"][:, 1], rtol=0, atol=1e-12)  # a processor may add up in another order
    assert steered.apart(model) < 1e-12
    assert steered.apart(two_jobs.fit(model, seed=0, steps=20)) < 1e-6
    assert steered.apart(steered.twins(0, 1e-1)) > 0.01


def test_a_sample_of_the_kept_steers_comes_out_again():
    then = next(row for row in kept("steered") if (row.get("steer"), row["seed"]) == ("by a loss", 3))
    now = steered.taken("by a loss", 3)
    assert (now["end"] > 0) == (then["end"] > 0) and now["before"] == pytest.approx(then["before"], abs=0.05)


@pytest.mark.parametrize("held", ["W_Q and W_K", "norms", "all but the table"])
def test_what_is_held_stays_and_the_rest_learns(held, monkeypatch):
    monkeypatch.setattr(frozen, "SMALL", frozen.Variant(d_model=32, n_heads=4, steps=3))
    first = dict(frozen.sizes.build(frozen.SMALL, 0).named_parameters())
    for name, weight in frozen.train(held, 0).named_parameters():
        assert torch.equal(weight, first[name]) == frozen.in_group(name, frozen.HELD[held]), name


def test_every_parameter_belongs_to_one_group_and_shares_sum_to_one():
    model = frozen.sizes.build(frozen.SMALL, 0)
    for name, _ in model.named_parameters():
        assert sum(frozen.in_group(name, marks) for marks in frozen.GROUPS.values()) == 1
    model(torch.tensor([[1, 2, 3]])).square().sum().backward()
    assert sum(frozen.shares(model).values()) == pytest.approx(1.0, abs=1e-3)


def test_a_sample_of_the_kept_frozen_runs_comes_out_again():
    then = next(row for row in kept("frozen") if (row["held"], row["seed"]) == ("all but the table", 1))
    assert frozen.row("all but the table", 1)["loss"] == pytest.approx(then["loss"], abs=close_to(then, 0.02, 0.1))


def test_a_skipped_block_is_as_if_it_were_not_there():
    torch.manual_seed(0)
    config = mt.ModelConfig(vocab=9, max_len=8, d_model=8, n_heads=2, n_layers=3, parts=mt.LLAMA)
    model, ids = mt.DecoderLM(config).eval(), torch.tensor([[3, 1, 4, 1, 5]])
    skipped = layers_out.without(model, 1, ids)
    asked = layers_out.asked_early(model, ids)
    assert len(asked) == 4 and asked[-1] == pytest.approx(layers_out.surprise(model(ids).detach(), ids), rel=1e-5)
    del model.blocks[1]
    assert skipped == pytest.approx(layers_out.surprise(model(ids).detach(), ids), rel=1e-5)


def test_times_stand_beside_the_operations_of_the_same_model():
    for row in kept("costs"):
        config, length = costs.at(row["axis"], row["value"])
        assert row["flops"] == 3 * count.flops(config, length)["total"]
    now = costs.row("depth", 1, "explicit", least_of=1)
    assert math.isfinite(now["ms"]) and now["ms"] > 0
