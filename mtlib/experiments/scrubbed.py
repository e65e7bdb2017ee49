"""The date translator while it learns: at some twenty updates its cross-attention, an answer, and what of an answer is right.

The recipe is configs/dates.toml, that of the model which runs in the page; it is kept with the result.
"""

import re
from collections.abc import Callable
from datetime import date
from pathlib import Path

import torch

from ..cores import use_explicit, use_fused
from ..data import Dates
from ..data.batch import BOS, EOS, Batch, Split, source_and_answer
from ..generation import Given, Rules, generate
from ..trace import trace
from ..training import fit
from ..training.recipe import build, read
from ..transformer import EncoderDecoder

RECIPE = Path(__file__).parents[2] / "configs" / "dates.toml"
STOPS = (0, 20, 40, 60, 80, 100, 120, 140, 160, 180, 200, 225, 250, 300, 400, 600, 900)
DAY, JUDGED = date(1987, 1, 5), 200  # what is drawn is held out; so are the days that are judged
FORM = re.compile(r"(\d{1,2}) de (\S+) de (\d{4})")
PARTS = ("day", "month", "year")


class Watched(Dates):
    """Dates that call `watch(step)` before they give the batch of an update."""

    def __init__(self, watch: Callable[[int], None]):
        super().__init__("es")
        self.watch = watch

    def batch(self, step: int, size: int, *, split: Split = "train", seed: int = 0) -> Batch:
        """See Data."""
        if split == "train":
            self.watch(step)
        return super().batch(step, size, split=split, seed=seed)


def answers(model: EncoderDecoder, data: Dates, pairs: list[tuple[str, str]]) -> list[str]:
    """What the model writes for each source, greedily, 28 letters at most."""
    batch = source_and_answer([(data.tokenizer.encode(here), data.tokenizer.encode(there)) for here, there in pairs])
    source, _, keep = batch.inputs
    written = generate(Given(model, source, keep), [[BOS]] * len(pairs), max_new=28, rules=Rules(temperature=0.0), stop=(EOS,))
    return [data.tokenizer.decode(ids) for ids in written]


def right(answer: str, target: str) -> dict[str, bool]:
    """Whether it has the form of a date, and which of the date's parts are right.

    >>> right("5 de mayo de 1987", "5 de enero de 1987")
    {'form': True, 'day': True, 'month': False, 'year': True}
    """
    said, wanted = FORM.fullmatch(answer), FORM.fullmatch(target)
    parts = {part: bool(said) and said[n] == wanted[n] for n, part in enumerate(PARTS, 1)}
    return {"form": bool(said), **parts}


@torch.no_grad()
def photograph(model: EncoderDecoder, data: Dates) -> dict[str, object]:
    """All of a stop's row but its number: weights (L, H, T, S) while the right answer is written, an answer, shares right."""
    pairs = data.pairs(0, JUDGED, split="valid")
    judged = [right(said, wanted) for said, (_, wanted) in zip(answers(model, data, pairs), pairs, strict=True)]
    source, target = data.pair(DAY)
    batch = source_and_answer([(data.tokenizer.encode(source), data.tokenizer.encode(target))])
    use_explicit(model)
    with trace(model) as seen:
        logits = model(*batch.inputs)
    use_fused(model)
    weights = torch.cat([seen[f"decoder.blocks.{layer}.cross_attn.core.weights"] for layer in range(model.config.n_layers)])
    letters = logits[0].log_softmax(-1).gather(-1, batch.targets[0][:, None])
    return {
        "answer": answers(model, data, [(source, target)])[0],
        "log_probability": round(letters.sum().item(), 4),
        **{part: sum(row[part] for row in judged) / JUDGED for part in ("form", *PARTS)},
        "weights": (weights * 1000).round().int().tolist(),
    }


def measure(stops: tuple[int, ...] = STOPS) -> list[dict[str, object]]:
    """One training, looked at on the way; about two minutes of a core."""
    recipe, rows = read(RECIPE), []

    def watch(step: int) -> None:
        if step in stops and step not in {row["step"] for row in rows}:
            training = model.training
            rows.append({"step": step, **photograph(model.eval(), data)})
            model.train(training)

    model, data = build(recipe).model, Watched(watch)
    fit(model, data, recipe.train, quiet=True)
    watch(recipe.train.steps)
    source, target = data.pair(DAY)
    return [{"recipe": recipe.as_tables(), "source": source, "target": target}, *rows]
