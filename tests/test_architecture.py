"""The experiments behind the chapter on architecture: designs differ in what they are said to differ in, and come out again."""

import math

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

import mtlib as mt
from mtlib.experiments import bench, budgets, choices, combination, kept, more_text, orders, saturation
from mtlib.experiments.next_letter import text_hash

REST = None, None, None, (None, None), mt.Position()  # what a decoder hands to its blocks after x


def close_to(then, near=0.05):
    """A loss on the same documentation, or on that of another Python."""
    return pytest.approx(then["loss"], abs=near if then["text"] == text_hash() else 0.15)


def test_attention_alone_then_ffn_alone_is_the_block():
    block, x = mt.DecoderBlock(bench.BASE), torch.randn(2, 5, 32)
    torch.testing.assert_close(bench.FFNAlone(block)(bench.AttentionAlone(block)(x, *REST), *REST), block(x))


def test_side_by_side_neither_sublayer_reads_the_other():
    block, x = mt.DecoderBlock(bench.BASE), torch.randn(2, 5, 32)
    wanted = x + block.attn(block.norm1(x)) + block.ffn(block.norm2(x))
    torch.testing.assert_close(orders.Parallel(block)(x, *REST), wanted)


def test_not_divided_is_attention_with_scale_1():
    q, k, v = torch.randn(3, 2, 4, 5, 8)
    wanted = F.scaled_dot_product_attention(q, k, v, is_causal=True, scale=1.0)
    torch.testing.assert_close(choices.NotDivided(mt.FusedCore(causal=True))(q, k, v), wanted)


@pytest.mark.parametrize("name", [*choices.DESIGNS, *orders.DESIGNS])
def test_every_design_sees_nothing_later_and_learns_with_all_it_has(name):
    model, ids = bench.build((choices.DESIGNS | orders.DESIGNS)[name], 0), torch.randint(27, (2, 9))
    other = ids.clone()
    other[:, 6:] = (other[:, 6:] + 1) % 27
    torch.testing.assert_close(model(other)[:, :6], model(ids)[:, :6])
    F.cross_entropy(model(ids).flatten(0, 1), ids.flatten()).backward()
    idle = [n for n, p in model.named_parameters() if p.grad is None]
    assert not idle or (name == "no norm" and all("norm" in n for n in idle))


def test_orders_have_the_same_parameters_and_the_same_first_ones():
    models = {name: bench.build(design, 3) for name, design in orders.DESIGNS.items() if name != "norm on both sides"}
    assert len({sum(p.numel() for p in model.parameters()) for model in models.values()}) == 1
    sums = {round(sum(p.double().abs().sum().item() for p in model.parameters()), 6) for model in models.values()}
    assert len(sums) == 1


def test_the_placebo_is_the_base_with_other_luck():
    base, placebo = (bench.build(choices.DESIGNS[name], 0) for name in ("base", "placebo"))
    assert [p.shape for p in base.parameters()] == [p.shape for p in placebo.parameters()]
    assert not torch.equal(base.tok.weight, placebo.tok.weight)


def test_swiglu_has_the_parameters_of_the_ffn_it_replaces():
    base, gated = (sum(p.numel() for p in bench.build(choices.DESIGNS[name], 0).parameters()) for name in ("base", "SwiGLU"))
    assert abs(gated / base - 1) < 0.01


def test_the_three_jobs_ask_what_they_say():
    ids, answers = combination.batch(torch.Generator().manual_seed(0), rows=2)
    asked = answers.view(2, -1, 3)
    for t in range(combination.BACK, combination.T):
        own, before = ids[1, t].item(), ids[1, t - combination.BACK].item()
        assert asked[1, t - combination.BACK].tolist() == [own, before, (own + before) % 10]


def test_a_block_of_nothing_hands_on_what_it_is_given():
    model = bench.build(combination.DESIGNS["none"], 0)
    assert len(model.blocks) == 0
    assert len(bench.build(combination.DESIGNS["attention + FFN + residual"], 0).blocks) == 4


losses = st.lists(st.floats(0.5, 3.5), min_size=2, max_size=6)


@settings(max_examples=30, deadline=None)
@given(losses, losses)
def test_a_comparison_turned_round_has_the_other_winner(a, b):
    a, b = a[: min(len(a), len(b))], b[: min(len(a), len(b))]
    there, back = bench.compare(a, b), bench.compare(b, a)
    assert there.mean == pytest.approx(-back.mean, abs=1e-12)
    assert {"a": "b", "b": "a", "undecided": "undecided"}[there.verdict] == back.verdict


def test_comparisons_are_paired_by_seed():
    found = bench.compare([1.0, 2.0, 3.0], [0.9, 1.8, 2.9])  # pooled this would be nothing
    assert found.verdict == "b" and found.mean == pytest.approx(0.4 / 3) and found.se == pytest.approx(0.1 / 3)
    assert bench.compare([1.0, 2.0], [1.0, 2.0]).verdict == "undecided"
    with pytest.raises(ValueError, match="2 losses of a and 1 of b"):
        bench.compare([1.0, 2.0], [1.0])


@pytest.mark.parametrize("budget", budgets.BUDGETS | budgets.CHECK)
def test_every_width_spends_its_budget(budget):
    for width in (budgets.BUDGETS | budgets.CHECK)[budget]:
        spent = budgets.steps(width, budget) * budgets.BATCH * budgets.T * budgets.per_letter(width)
        assert spent == pytest.approx(budget, rel=0.02)


def test_a_larger_text_holds_the_smaller_and_no_judge_has_been_read():
    small, large = more_text.text(2, seed=1), more_text.text(5, seed=1)
    assert torch.equal(large[: len(small)], small)
    assert len(more_text.text(2, 1)) == 2 * (1000 - 32)
    stop, judge = more_text.judges()
    assert not {tuple(row) for row in stop[:50].tolist()} & {tuple(row) for row in judge.tolist()}


@settings(max_examples=15, deadline=None)
@given(st.floats(0.2, 0.9), st.floats(0.5, 2.0), st.floats(1.0, 3.0))
def test_a_curve_is_found_again(alpha, floor, first):
    n = torch.logspace(3, 6, 8).double()
    curve = saturation.fit(n, floor + first * (n / 1e3) ** -alpha)
    assert curve.alpha == pytest.approx(alpha, abs=0.0051)  # it is looked for in steps of 0.01
    assert curve.floor == pytest.approx(floor, abs=0.015 * first)  # what half a step costs at the smallest alpha
    assert curve.doubling(n)[0] == pytest.approx(first * (1 - 2**-alpha), rel=0.02)


def test_a_curve_never_goes_below_0_and_says_when_it_cannot_know():
    n = torch.logspace(3, 5, 5).double()
    assert saturation.fit(n, 2 - n.log() / 10).floor == 0
    noisy = (3 * n**-0.1)[:, None] + 0.02 * torch.randn(5, 3, generator=torch.Generator().manual_seed(0))
    low, high = saturation.interval([c.floor for c in saturation.others(n, noisy, 60, torch.Generator().manual_seed(0))])
    assert low == 0 < high


def test_a_sample_of_the_kept_designs_comes_out_again():
    then = next(run for run in kept("choices") if run["design"] == "no attention" and run["vote"])
    assert bench.surprise(bench.trained(choices.DESIGNS["no attention"], then["seed"], then["rate"])) == close_to(then)


def test_a_sample_of_the_kept_combinations_comes_out_again():
    _, looks = combination.learnt("FFN + residual", 2, steps=50)
    then = [run for run in kept("combination") if (run["combination"], run["seed"]) == ("FFN + residual", 2)]
    assert then[0] | looks[0] == then[0]
    assert then[-1]["own"] == 1.0 and then[-1]["fetched"] == pytest.approx(0.1, abs=0.03)


def test_a_sample_of_the_kept_budgets_and_texts_comes_out_again():
    then = next(run for run in kept("budgets") if (run["step"], run["width"], run["budget"], run["seed"]) == ("grid", 32, 5e9, 1))
    assert budgets.loss(32, 5e9, then["r"], 1) == close_to(then)
    then = next(run for run in kept("more_text") if (run["width"], run["letters"], run["seed"]) == (8, 6000, 1))
    now = more_text.row(8, 6, 1)
    assert now["loss"] == close_to(then) and math.isfinite(now["end"])
