"""The training that is moved through by hand: what is photographed is the model that the recipe makes."""

import json

import pytest
import torch

from mtlib.data import Dates
from mtlib.experiments import kept, scrubbed
from mtlib.training import fit
from mtlib.training.recipe import build, read

pytestmark = pytest.mark.ch12


def test_the_kept_training_is_of_todays_recipe_and_was_looked_at_everywhere():
    about, *shots = kept("scrubbed")
    assert about["recipe"] == json.loads(json.dumps(read(scrubbed.RECIPE).as_tables()))
    assert [shot["step"] for shot in shots] == list(scrubbed.STOPS) and shots[-1]["step"] == about["recipe"]["train"]["steps"]
    rows, columns = len(about["target"]) + 1, len(about["source"])
    for shot in shots:
        weights = torch.tensor(shot["weights"]) / 1000
        assert weights.shape == (2, 4, rows, columns)
        torch.testing.assert_close(weights.sum(-1), torch.ones(2, 4, rows), atol=0.0005 * columns, rtol=0)


class Enough(Exception):
    """The training is to end here."""


def test_its_beginning_comes_out_again(monkeypatch):
    monkeypatch.setattr(scrubbed, "JUDGED", 4)
    recipe, found = read(scrubbed.RECIPE), {}
    model = build(recipe).model

    def watch(step):
        if step in scrubbed.STOPS:
            found[step] = scrubbed.photograph(model, data)
        if step == scrubbed.STOPS[1]:
            raise Enough

    data = scrubbed.Watched(watch)
    with pytest.raises(Enough):
        fit(model, data, recipe.train, quiet=True)
    for row in kept("scrubbed")[1:3]:
        assert found[row["step"]]["log_probability"] == pytest.approx(row["log_probability"], abs=0.05)
        then, now = (torch.tensor(seen["weights"]) / 1000 for seen in (row, found[row["step"]]))
        torch.testing.assert_close(now, then, atol=0.005, rtol=0)


def test_looking_changes_nothing():
    def trained(data):
        recipe = read(scrubbed.RECIPE, ["train.steps=3", "train.batch=8", "train.eval_rows=8", "train.warmup=1"])
        model = build(recipe).model
        fit(model, data(model), recipe.train, quiet=True)
        return torch.cat([p.flatten() for p in model.parameters()])

    plain = trained(lambda model: Dates("es"))
    looked = trained(lambda model: scrubbed.Watched(lambda step: scrubbed.photograph(model, Dates("es"))))
    assert torch.equal(plain, looked)
