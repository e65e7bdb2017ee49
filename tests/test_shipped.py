"""What is shipped is what its card says: whole, strict, and as good."""

import json
from pathlib import Path

import pytest
import torch

from mtlib import shipped
from mtlib.data import Dates
from mtlib.experiments import ship
from mtlib.training.recipe import read

NAMES = list(shipped.index())
CONFIGS = Path(__file__).parents[1] / "configs"


def test_both_models_are_there():
    assert NAMES == list(ship.SHIPMENTS)


@pytest.mark.parametrize("name", NAMES)
def test_a_model_loads_strictly_and_counts_what_its_card_says(name):
    model, tokenizer = shipped.load(name)
    about, config = shipped.index()[name], model.config
    assert sum(p.numel() for p in model.parameters()) == about["parameters"] <= 1_000_000
    assert len(tokenizer) == config.vocab and not model.training
    assert all(torch.equal(p, p.half().float()) for p in model.parameters()), "a weight is no half"


@pytest.mark.parametrize("name", NAMES)
def test_a_model_was_made_by_todays_recipe(name):
    folder = shipped.folder(name)
    recipe = json.loads(json.dumps(read(CONFIGS / f"{name}.toml").as_tables()))
    result = json.loads((folder / "result.json").read_text("utf8"))
    assert json.loads((folder / "recipe.json").read_text("utf8")) == recipe == result["recipe"] and result["finished"]


@pytest.mark.parametrize("name", NAMES)
def test_the_card_is_what_the_files_give(name):
    folder = shipped.folder(name)
    result = json.loads((folder / "result.json").read_text("utf8"))
    assert (folder / "README.md").read_text("utf8") == ship.card(name, shipped.index()[name], result)


@pytest.mark.parametrize("name", NAMES)
def test_no_model_is_over_two_megabytes(name):
    assert (shipped.folder(name) / shipped.WEIGHTS).stat().st_size < 2_000_000


def test_the_translator_is_right_on_a_sample_of_unseen_days():
    scores = ship.translated(shipped.load("dates").model, Dates("es"), 64)
    assert scores["exact"] >= 0.98 and shipped.index()["dates"]["scores"]["exact"] >= 0.99


def test_the_language_model_knows_more_than_which_tokens_are_frequent():
    model, tokenizer = shipped.load("documentation")
    ids = torch.tensor([tokenizer.encode(shipped.__doc__ + ship.__doc__)[: model.config.max_len]])
    with torch.no_grad():
        logits = model(ids)[0, :-1]
    bits = torch.nn.functional.cross_entropy(logits, ids[0, 1:], reduction="sum").item() / 0.6931
    letters = len(tokenizer.decode(ids[0].tolist()).encode())
    assert bits / letters < 4 and shipped.index()["documentation"]["scores"]["bits_per_byte"] < 2.5


def test_a_name_that_is_not_shipped_is_refused_and_those_that_are_told():
    with pytest.raises(ValueError, match="no shipped model is called 'poems'; there are: dates, documentation"):
        shipped.load("poems")


def test_weights_that_were_changed_are_refused(tmp_path, monkeypatch):
    told = {name: {"sha256": "0" * 64} for name in NAMES}
    monkeypatch.setattr(shipped, "index", lambda: told)
    with pytest.raises(ValueError, match="not the one in index.json: run `make models` again"):
        shipped.load("dates")
