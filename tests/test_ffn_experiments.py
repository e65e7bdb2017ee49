"""The experiments behind the chapter on the FFN: what is drawn, what a seed fixes, and that they come out again."""

import pytest
import torch

import mtlib as mt
from mtlib.experiments import kept, regions, without_ffn
from mtlib.experiments.plain_sentences import SENTENCES

pytestmark = pytest.mark.ch08


def test_a_networks_weights_come_back_from_what_is_kept():
    row = next(r for r in kept("regions") if (r["task"], r["activation"], r["width"]) == ("corners", "relu", 3))
    right = regions.accuracy(regions.unpack(row), "relu", "corners")
    assert right.item() == pytest.approx(row["accuracy"][0], abs=0.002)  # weights are kept to four digits


def test_every_network_is_kept_with_all_its_seeds():
    rows = kept("regions")
    assert len(rows) == len(regions.TASKS) * len(regions.ACTIVATIONS) * len(regions.WIDTHS)
    assert {len(row["accuracy"]) for row in rows} == {regions.SEEDS}


def test_networks_trained_side_by_side_do_not_know_of_each_other(monkeypatch):
    monkeypatch.setattr(regions, "STEPS", 20)  # before rounding has grown
    alone, together = (regions.train("corners", "tanh", 2, seeds=n) for n in (1, 3))
    for one, many in zip(alone, together):
        torch.testing.assert_close(one[0], many[0], rtol=1e-3, atol=1e-3)


def test_without_an_activation_a_network_is_one_straight_line():
    net = regions.first(8, seeds=2)
    x, y = regions.grid(4)[:2]
    middle = regions.score(net, "none", ((x + y) / 2)[None])
    ends = regions.score(net, "none", torch.stack([x, y])).mean(dim=1, keepdim=True)
    torch.testing.assert_close(middle, ends)


def test_the_grid_runs_row_by_row_from_the_bottom():
    assert regions.grid(2).tolist() == [[-0.5, -0.5], [0.5, -0.5], [-0.5, 0.5], [0.5, 0.5]]


def test_a_seed_fixes_the_first_weights_whatever_the_activation():
    relu, exp = (without_ffn.build(without_ffn.FFNS[name], seed=1).state_dict() for name in ("relu", "exp"))
    assert all(torch.equal(relu[name], exp[name]) for name in relu)


def test_gain_multiplies_the_first_weights_of_the_ffn_and_nothing_else():
    once, four = (without_ffn.build(without_ffn.Variant(gain=gain), seed=1).state_dict() for gain in (1.0, 4.0))
    for name in once:
        times = 4 if name.endswith("ffn.w_in.weight") else 1
        torch.testing.assert_close(four[name], times * once[name])


def test_no_letter_is_seen_before_it_is_guessed():
    model = without_ffn.build(without_ffn.Variant(), seed=0)
    ids = without_ffn.unseen()[:1, :-1]
    changed = ids.clone()
    changed[0, 20] = (changed[0, 20] + 1) % without_ffn.V
    with torch.no_grad():
        before, after = model(ids), model(changed)
    torch.testing.assert_close(before[:, :20], after[:, :20])
    assert not torch.allclose(before[:, 20:], after[:, 20:])


def test_a_unit_that_no_letter_wakes_is_idle_and_only_for_relu():
    for name, expected in (("relu", 1.0), ("gelu", 0.0), ("square", 0.0)):
        model = without_ffn.build(without_ffn.FFNS[name], seed=0)
        with torch.no_grad():
            for block in model.blocks:
                block.ffn.w_in.weight.zero_()
                block.ffn.w_in.bias.fill_(-1.0)
        assert without_ffn.idle(model) == expected


def test_a_model_without_ffn_in_six_blocks_has_as_many_parameters():
    whole, deeper = (sum(p.numel() for p in without_ffn.build(without_ffn.SHAPES[name], 0).parameters()) for name in ("gelu", "none, deeper"))
    assert abs(deeper / whole - 1) < 0.05


def test_a_sample_of_the_kept_runs_comes_out_again():
    then = next(row for row in kept("without_ffn") if row["variant"] == "no attention" and row["seed"] == 1)
    close = 0.02 if then["text"] == without_ffn.text_hash() else 0.1  # another Python, a slightly longer text
    assert without_ffn.loss(without_ffn.train(without_ffn.SHAPES["no attention"], 1)) == pytest.approx(then["loss"], abs=close)


def test_the_sentences_are_plain_and_no_two_alike():
    assert len(set(SENTENCES)) == len(SENTENCES) == 85
    assert all(sentence == sentence.lower() and sentence.isascii() for sentence in SENTENCES)


@pytest.mark.parametrize("ffn", [mt.FeedForward(8, 32), mt.GatedFeedForward(8, 24)])
def test_the_diagram_shows_the_shapes_of_its_run(ffn):
    said = [text.get_text() for text in mt.plot.ffn_diagram(ffn, torch.zeros(1, 3, 8)).axes[0].texts]
    assert f"hidden  (1, 3, {ffn.w_in.out_features})" in said and "x  (1, 3, 8)" in said
    assert any("w_gate" in text for text in said) == isinstance(ffn, mt.GatedFeedForward)
