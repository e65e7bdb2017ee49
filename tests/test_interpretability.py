"""What chapter 14 leans on: its sentences, its silenced heads and units, its script; and kept runs that come out again."""

from random import Random

import pytest
import torch

import mtlib as mt
from mtlib import assets, interp, pretrained
from mtlib.experiments import endings, forms, grammar, heads_out, kept, views, who_attends

pytestmark = pytest.mark.ch14


@pytest.fixture(scope="module")
def minilm():
    assets.fetch("minilm")
    return pretrained.minilm()


@pytest.fixture
def tiny():
    torch.manual_seed(0)
    config = mt.ModelConfig(vocab=11, max_len=40, d_model=16, n_heads=4, n_layers=3)
    model = mt.DecoderLM(config).eval()
    mt.init_weights(model, n_layers=1, std=0.4)
    return model


def test_what_depends_on_what_is_as_the_template_says():
    sentence = grammar.draw("the A0 A3 N0 near the N2 V a A1 N1", Random(0))
    assert [sentence.kinds[i] for i in (1, 2, 3, 6, 7, 9, 10)] == ["A", "A", "N", "N", "V", "A", "N"]
    noun, adjective, subject, object_ = grammar.RELATIONS
    found = [(pair.relation, pair.asks, pair.wanted) for pair in sentence.pairs]
    assert found == [(noun, 3, (1, 2)), (noun, 10, (9,)), (adjective, 1, (3,)), (adjective, 2, (3,)), (adjective, 9, (10,)),
                     (subject, 7, (3,)), (object_, 7, (10,))]  # fmt: skip


def test_no_word_comes_twice_and_every_template_has_a_verb_with_its_arguments():
    for template in grammar.CHOOSE + grammar.JUDGE:
        sentence = grammar.draw(template, Random(1))
        drawn = [word for word, kind in zip(sentence.words, sentence.kinds) if kind]
        assert len(set(drawn)) == len(drawn)
        assert {pair.relation for pair in sentence.pairs} >= set(grammar.RELATIONS[2:])
    assert not set(grammar.CHOOSE) & set(grammar.JUDGE)


def test_the_rivals_know_distance_and_kind_and_no_more():
    sentence = grammar.draw("the A0 N0 near the N2 V the N1", Random(0))
    subject = next(pair for pair in sentence.pairs if pair.relation == grammar.RELATIONS[2])
    case = 0, sentence, subject
    assert who_attends.by_offset(case, -4) and not who_attends.by_offset(case, -1)
    assert not who_attends.by_kind(case, -1)  # the bridge is nearer than who painted it
    nearest = 0, sentence, next(pair for pair in sentence.pairs if pair.relation == grammar.RELATIONS[3])
    assert who_attends.by_kind(nearest, +1)


def test_a_head_that_gives_all_alike_lifts_nothing():
    pair = grammar.Pair("any", 4, (2,))
    lifted = who_attends.lifts(torch.full((3, 6, 6), 0.2), pair)
    torch.testing.assert_close(lifted, torch.ones(3))


def test_a_word_is_a_token_and_the_first_word_gets_nothing(minilm):
    _, sentence = grammar.sentences(grammar.JUDGE, seed=0, each=1)[0]
    weights = who_attends.look(minilm, sentence)
    assert weights.shape == (72, len(sentence.words), len(sentence.words))
    assert weights[..., 0].sum() == 0 and weights.diagonal(dim1=-2, dim2=-1).sum() == 0


def test_the_layers_above_a_changed_head_are_enough(tiny):
    ids = torch.randint(0, 11, (4, 2 * heads_out.PERIOD))
    costs = heads_out.alone(tiny, ids, "repeated")
    means = interp.mean_at(tiny, ids, "blocks.1.attn.core")
    whole = heads_out.losses(tiny(ids), ids, "repeated")
    without = heads_out.losses(interp.ablate_head(tiny, 1, 2, ids, fill=means[2]), ids, "repeated")
    torch.testing.assert_close(costs[1, 2], without - whole, rtol=1e-3, atol=1e-5)
    assert heads_out.together(tiny, ids, "repeated", [(1, 2)]) == pytest.approx((without - whole).mean().item(), abs=1e-5)


def test_the_votes_of_all_units_are_what_the_ffns_vote(tiny):
    ids = torch.tensor([[3, 1, 4, 1, 5]])
    model = mt.DecoderLM(mt.ModelConfig(vocab=11, max_len=8, d_model=16, n_heads=4, n_layers=3, parts=mt.LLAMA)).eval()
    with torch.no_grad(), mt.trace(model) as seen:
        model(ids)
        votes = endings.unit_parts(model, seen, token=7)
    every = torch.stack([interp.logit_parts(model, ids, token).values for token in range(11)])[..., 0]  # (V, parts)
    names = interp.logit_parts(model, ids, 7).names
    for layer in range(3):
        at = names.index(f"ffn.{layer}")
        torch.testing.assert_close(votes[layer].sum(), every[7, at] - every[:, at].mean(), rtol=1e-3, atol=1e-5)


def test_only_the_last_place_is_touched():
    x = torch.ones(1, 3, 4)
    assert endings.last(torch.zeros(4))(x).sum(dim=-1).tolist() == [[4, 4, 0]]
    assert endings.silent([1, 2])(x).sum(dim=-1).tolist() == [[4, 4, 2]]
    assert x.sum() == 12


def test_a_model_of_one_layer_comes_out_again():
    then = next(row for row in kept("forms") if row["layers"] == 1 and row["seed"] == 0)
    assert forms.one_layer(0)["loss"] == pytest.approx(then["loss"], abs=0.1)


def test_the_best_heads_come_out_again(minilm):
    then = [row for row in kept("who_attends") if row["model"] == "MiniLM" and row["seed"] == 0]
    case = who_attends.cases(grammar.sentences(grammar.JUDGE, 1), grammar.RELATIONS[2], causal=False)
    assert len(case) == then[2]["cases"]
    layer, head = then[2]["head"]
    right = [who_attends._hit(who_attends.look(minilm, s), pair)[12 * layer + head].item() for _, s, pair in case]
    assert sum(right) / len(right) == pytest.approx(then[2]["right"], abs=0.03)


def test_the_script_names_heads_and_writes_pictures(minilm, tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(views.MODELS, "minilm", lambda: minilm)
    views.main(["the cat sat on the mat", "--layer", "2", "--out", str(tmp_path / "views")])
    said = capsys.readouterr().out
    assert "previous_token   layer  0, head  2: " in said
    names = {file.name for file in (tmp_path / "views").iterdir()}
    assert {"previous_token.svg", "induction.svg", "layer-2.svg"} <= names
    assert all(file.read_text("utf8").startswith("<svg") for file in (tmp_path / "views").iterdir())


def test_a_head_map_has_a_column_a_layer():
    figure = views.head_map(torch.rand(30, 9), "all")
    image = figure.axes[0].images[0]
    assert image.get_array().shape == (9, 30)
    with pytest.raises(ValueError, match="a number for every head"):
        views.head_map(torch.rand(3))
