"""The recipes' kept results: of today's files, as good as was asked, and what their rows say."""

import json

import pytest

from mtlib.experiments import Stale, recipes
from mtlib.training.fit import fit
from mtlib.training.recipe import build, read


@pytest.mark.parametrize("name", recipes.RECIPES)
def test_every_recipe_has_a_finished_result_of_todays_file(name):
    result = recipes.kept(name)
    assert result["finished"] and result["evals"][-1]["step"] == result["recipe"]["train"]["steps"]


@pytest.mark.parametrize("name", recipes.AIMS)
def test_a_recipe_reaches_what_was_asked_or_is_said_to_fall_short(name):
    assert recipes.AIMS[name].met(recipes.kept(name)["scores"]) == (name not in recipes.SHORT)


@pytest.mark.parametrize("name", recipes.RECIPES)
def test_its_score_is_that_of_the_end_and_better_than_before_training(name):
    which, value = recipes.score(name)
    result = recipes.kept(name)
    before = result["evals"][0]
    assert value == result["scores"][which]
    assert value > before[which] if which in ("exact", "accuracy") else result["scores"]["loss"] < before["loss"]


def test_an_aim_can_be_missed():
    assert not recipes.Aim("exact", 0.99).met({"exact": 0.98}) and not recipes.Aim("loss", 1.0, below=True).met({"loss": 1.01})


def test_another_recipe_makes_the_result_stale(tmp_path, monkeypatch):
    monkeypatch.setattr(recipes, "HERE", tmp_path)
    with pytest.raises(Stale, match="run `make recipes` and commit copy.json"):
        recipes.kept("copy")
    result = {"recipe": {"name": "copy"}}
    (tmp_path / "copy.json").write_text(json.dumps(result))
    with pytest.raises(Stale, match="not of today's recipe"):
        recipes.kept("copy")


def test_the_table_says_size_length_time_and_score():
    row = recipes.outcomes(["copy"])[0]
    kept = recipes.kept("copy")
    assert row.parameters == kept["parameters"] and row.updates == kept["recipe"]["train"]["steps"]
    assert row.reached == "100.0\xa0%\xa0exact" and row.asked == "≥\xa0100.0\xa0%\xa0exact"


@pytest.mark.parametrize("name", ["copy", "induction"])
def test_a_kept_run_begins_as_the_recipe_does_today(name, tmp_path):
    """Code may change under a kept result; its first updates say whether its numbers did."""
    kept, first = recipes.kept(name), 40
    recipe = read(recipes.CONFIGS / f"{name}.toml", [f"train.steps={kept['recipe']['train']['warmup'] + 1}", "train.eval_every=0"])
    record = fit(*build(recipe), recipe.train, out=tmp_path, quiet=True)
    window = 0.02 * kept["recipe"]["train"]["steps"] / len(record.losses)
    now = record.smooth(window)
    then = {step: loss for step, loss in kept["curve"] if step < first}
    assert len(then) >= 4 and all(now[step] == pytest.approx(loss, abs=0.02) for step, loss in then.items())
