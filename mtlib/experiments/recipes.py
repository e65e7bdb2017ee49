"""The recipes of configs/, carried out, and what they came to: ``python -m mtlib.experiments.recipes [NAME…]``.

A result holds the whole recipe, so it is known without a hash when it is no longer the file's;
`kept` then refuses it. The code may change under it: a test trains the first steps again.
"""

import json
import sys
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ..table import Table
from ..training import command
from ..training.recipe import read
from . import Stale

HERE, CONFIGS = Path(__file__).parent / "recipes", Path(__file__).parents[2] / "configs"


class Aim(NamedTuple):
    """A score of result["scores"] and what it must be: at least `value`, or at most where `below`."""

    score: str
    value: float
    below: bool = False

    def met(self, scores: dict[str, float]) -> bool:
        """Whether these scores are good enough."""
        return scores[self.score] <= self.value if self.below else scores[self.score] >= self.value


# The LSTMs stand beside the transformers and are asked for nothing.
AIMS = {
    "copy": Aim("exact", 1.0),
    "reverse": Aim("exact", 1.0),
    "induction": Aim("accuracy", 0.999),  # nobody can have 1: see the page of the recipes
    "dates": Aim("exact", 0.99),
    "sentiment": Aim("accuracy", 0.75),
    "digits": Aim("accuracy", 0.97),
}
SHORT = ()  # of what was asked, as they stand; a test holds that these are all
RECIPES = (*AIMS, "documentation", "sft", "copy-lstm", "dates-lstm", "sentiment-lstm", "documentation-lstm")


def kept(name: str) -> dict[str, Any]:
    """The result kept for configs/NAME.toml, as `mtlib train` writes it; Stale, in one line, where the recipe is another by now."""
    file = HERE / f"{name}.json"
    result = json.loads(file.read_text("utf8")) if file.is_file() else {"recipe": None}
    if result["recipe"] != json.loads(json.dumps(read(CONFIGS / f"{name}.toml").as_tables())):
        raise Stale(f"the result kept for configs/{name}.toml is not of today's recipe: run `make recipes` and commit {file.name}")
    return result


class Outcome(NamedTuple):
    """A recipe's row: its size, its length, what it reached on held-out rows, and what was asked."""

    recipe: str
    parameters: int
    updates: int
    seconds: int
    reached: str
    asked: str


def outcomes(names: Sequence[str] = RECIPES) -> Table[Outcome]:
    """What the recipes came to, as kept."""
    return Table(tuple(map(_outcome, names)), caption="The recipes, each run once on two cores without a GPU")


def _outcome(name: str) -> Outcome:
    result = kept(name)
    aim = AIMS.get(name)
    return Outcome(
        name,
        result["parameters"],
        result["recipe"]["train"]["steps"],
        round(result["seconds"]),
        _unbroken(words(*score(name))),
        _unbroken(f"≥ {words(aim.score, aim.value)}") if aim else "—",
    )


def _unbroken(text: str) -> str:
    """In one line of its cell, however narrow the page."""
    return text.replace(" ", "\N{NO-BREAK SPACE}")


def score(name: str) -> tuple[str, float]:
    """The score that a recipe is judged by, and its value: an LSTM's is that of the recipe it stands beside."""
    scores = kept(name)["scores"]
    peer = name.removesuffix("-lstm")
    which = AIMS[peer].score if peer in AIMS else "bits_per_byte" if "bits_per_byte" in scores else "loss"
    return which, scores[which]


def words(score: str, value: float) -> str:
    """A score with its unit, in words.

    >>> words("exact", 0.9921), words("bits_per_byte", 1.9)
    ('99.2 % exact', '1.900 bits a byte')
    """
    units = {"loss": "nats a token", "bits_per_byte": "bits a byte", "accuracy": "% right", "exact": "% exact"}
    shown = f"{value:.3f}" if score in ("loss", "bits_per_byte") else f"{100 * value:.1f}"
    return f"{shown} {units[score]}"


def about(name: str) -> str:
    """What the recipe's file says of it in its first line."""
    return (CONFIGS / f"{name}.toml").read_text("utf8").partition("\n")[0].removeprefix("#").strip()


def run(name: str) -> Path:
    """Train by the recipe, and keep what it came to; the model is left in runs/NAME, from where sft.toml takes its start."""
    out = Path("runs", name)
    words = Namespace(recipe=CONFIGS / f"{name}.toml", overrides=[], out=out, resume=False, device="cpu", quiet=False)
    if command.train(words):
        raise RuntimeError(f"{name} was not trained to its end")
    result = json.loads((out / "result.json").read_text("utf8"))
    HERE.mkdir(exist_ok=True)
    file = HERE / f"{name}.json"
    lines = [f" {json.dumps(key)}: {json.dumps(value)}" for key, value in result.items()]
    file.write_text("{\n" + ",\n".join(lines) + "\n}\n", "utf8")
    return file


if __name__ == "__main__":
    for given in sys.argv[1:] or RECIPES:
        print(run(given))
