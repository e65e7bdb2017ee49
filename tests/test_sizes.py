"""The experiments behind the chapter on dimensions: what is compared is alike in all but one size, and comes out again."""

from dataclasses import replace

import pytest
import torch

import mtlib as mt
from mtlib.experiments import asked, kept, many_heads, power_law, sizes
from mtlib.experiments.next_letter import text_hash


def test_depths_have_the_same_weights_in_the_matrices_of_their_blocks():
    models = [sizes.build(v, 0) for v in (sizes.STANDARD, *sizes.DEPTHS.values(), *sizes.HEADS.values())]
    assert {sizes.matrices(model) for model in models} == {98_304}


def test_a_wider_ffn_costs_what_full_size_heads_do():
    full, wider = (sizes.build(sizes.KINDS[name], 0) for name in ("full-size heads", "wider FFN"))
    assert sizes.matrices(full) == sizes.matrices(wider) == 98_304 + 2 * 7 * 4 * 64**2


def test_full_size_heads_see_nothing_later_and_know_positions():
    torch.manual_seed(0)
    model, ids = sizes.build(replace(sizes.STANDARD, full=True), 0), torch.randint(27, (1, 9))
    other = ids.clone()
    other[0, 6] = (other[0, 6] + 1) % 27
    a, b = model(ids), model(other)
    torch.testing.assert_close(a[:, :6], b[:, :6])
    swapped = ids[:, [1, 0, *range(2, 9)]]
    assert not torch.allclose(model(swapped)[:, -1], a[:, -1], atol=1e-5)


def test_one_full_size_head_is_the_standard_head():
    full, plain = sizes.FullSizeHeads(8, 1), mt.MultiHeadAttention(8, 1, bias=False, causal=True)
    plain.load_state_dict(full.state_dict())
    x = torch.randn(2, 5, 8)
    torch.testing.assert_close(full(x), plain(x, position=full.rotary))


def test_overlap_is_1_for_heads_that_are_the_same():
    model = sizes.build(sizes.HEADS["2 heads"], 0)
    for block in model.blocks:
        for name in ("q_proj", "k_proj"):
            weight = getattr(block.attn, name).weight.data
            weight[32:] = weight[:32]
    assert sizes.overlap(model) == pytest.approx(1.0, abs=1e-5)


def test_a_sample_of_the_kept_sizes_comes_out_again():
    then = next(run for run in kept("sizes") if (run["variant"], run["seed"]) == ("width 16, 50 steps", 1))
    close = 0.03 if then["text"] == text_hash() else 0.1
    assert sizes.row("width 16, 50 steps", 1)["loss"] == pytest.approx(then["loss"], abs=close)


def test_a_sample_of_the_kept_heads_comes_out_again():
    then = next(run for run in kept("many_heads") if (run["heads"], run["seed"]) == (4, 2))
    now = many_heads.accuracy(many_heads.train(4, 2))
    assert all(now[job] == pytest.approx(then[job], abs=0.05) for job in many_heads.JOBS)


@pytest.mark.parametrize("name", asked.OBJECTIVES)
def test_every_objective_has_a_loss_that_reaches_all_of_its_model(name):
    torch.manual_seed(0)
    model = asked.OBJECTIVES[name].build()
    loss = asked.loss_of(model, asked.OBJECTIVES[name].batch(torch.Generator().manual_seed(0)))
    loss.backward()
    assert torch.isfinite(loss) and all(p.grad is not None for p in model.parameters())


def test_next_letters_are_the_inputs_one_later_and_answers_run_backwards():
    batch = asked.following(torch.Generator().manual_seed(0))
    assert torch.equal(batch.inputs[0][:, 1:], batch.truth[:, :-1])
    batch = asked.answer(torch.Generator().manual_seed(0))
    assert torch.equal(batch.truth, batch.inputs[0].flip(1))
    assert torch.equal(batch.inputs[1][:, 1:], batch.truth[:, :-1])


def test_a_law_is_found_again_and_its_floor_is_never_below_0():
    N = torch.tensor([1e3, 1e4, 1e5, 1e6] * 3).double()
    D = torch.tensor([1e4, 1e5, 1e6]).double().repeat_interleave(4)
    law = power_law.fit(N, D, 0.7 + 9 * N**-0.3 + 20 * D**-0.4)
    assert (law.alpha, law.beta) == pytest.approx((0.3, 0.4)) and law.E == pytest.approx(0.7, abs=1e-6)
    assert power_law.fit(N, D, 5 * N**-0.1 + 5 * D**-0.1 - 1).E >= 0
