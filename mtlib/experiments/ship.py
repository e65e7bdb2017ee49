"""The models that come with the course, made again: ``python -m mtlib.experiments.ship [NAME…]``.

Takes the model that a recipe left in runs/NAME, trains it first where none is there, rounds its
weights to half precision, measures what is left of it after rounding, and writes mtlib/shipped/NAME.
"""

import hashlib
import json
import shutil
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

from torch import nn

from .. import shipped
from ..cores import use_fused
from ..data import BOS, EOS, Dates, exact_match
from ..data.letters import Letters
from ..generation import Given, generate
from ..training import command, evaluate
from . import recipes

UNSEEN = 500  # held-out days that the translator is asked


class Shipment(NamedTuple):
    """What a card says that no run can: in words; and how the rounded model is scored."""

    says: str
    data: str
    licence: str
    score: Callable[[nn.Module, Any], dict[str, float]]


def translated(model: nn.Module, data: Dates, n: int = UNSEEN) -> dict[str, float]:
    """Whole answers, written greedily, for the first n held-out days: the share that is right to the last letter."""
    pairs = data.pairs(0, n, split="valid")
    source, _, keep = data.batch(0, n, split="valid").inputs
    said = generate(Given(model, source, keep), [[BOS]] * n, max_new=data.max_len + 2, stop=(EOS,))
    answers = [data.tokenizer.decode(ids) for ids in said]
    return {"exact": exact_match(answers, [there for _, there in pairs]), "days": n}


def read_on(model: nn.Module, data: Any, rows: int | None = None) -> dict[str, float]:
    """Held-out loss in nats a token, and in bits a byte; of every held-out window unless `rows` says fewer."""
    rows = data.held_out_rows if rows is None else rows
    loss = evaluate(model, data, rows=rows).loss
    return {"loss": loss, "bits_per_byte": data.bits_per_byte(loss), "windows": rows}


SHIPMENTS = {
    "dates": Shipment(
        "A translator of dates, English to Spanish, letter by letter: an encoder and a decoder of two layers each.",
        "Every day from 1900 to 2099, written out by the package Babel from the Unicode CLDR; one day in ten was held out.",
        "CLDR: Unicode License V3. Babel: BSD-3-Clause.",
        translated,
    ),
    "documentation": Shipment(
        "A language model of Python's documentation: a decoder of four layers over 1,024 byte-pair tokens.",
        "The language reference and the docstrings of the standard library, as they came with the Python named below; "
        "one document in ten was held out.",
        "Python's documentation: Python Software Foundation License Version 2.",
        read_on,
    ),
}


def ship(name: str) -> Path:
    """Write mtlib/shipped/NAME from runs/NAME, and its line in index.json; returns the folder."""
    from safetensors.torch import save

    run, out = Path("runs", name), shipped.HERE / name
    if not (run / "result.json").is_file():
        recipes.run(name)
    model, data = command.load(run)
    halves = {key: value.half().contiguous().clone() for key, value in model.state_dict().items()}
    model.load_state_dict(halves)  # what is scored is what is shipped
    out.mkdir(parents=True, exist_ok=True)
    weights = save(halves)
    (out / shipped.WEIGHTS).write_bytes(weights)
    (out / "tokenizer.json").write_text(_tokenizer(data.tokenizer), "utf8")
    result = json.loads((run / "result.json").read_text("utf8"))
    config = {"kind": result["recipe"]["model"]["kind"], **asdict(model.config)}
    (out / "config.json").write_text(json.dumps(config, indent=1) + "\n", "utf8")
    shutil.copy(run / "recipe.json", out)
    lines = [f" {json.dumps(key)}: {json.dumps(value)}" for key, value in result.items()]
    (out / "result.json").write_text("{\n" + ",\n".join(lines) + "\n}\n", "utf8")
    about = {
        "says": SHIPMENTS[name].says,
        "sha256": hashlib.sha256(weights).hexdigest(),
        "bytes": len(weights),
        "parameters": result["parameters"],
        "scores": SHIPMENTS[name].score(use_fused(model), data),
    }
    (out / "README.md").write_text(card(name, about, result), "utf8")
    known = shipped.index() if (shipped.HERE / "index.json").is_file() else {}
    known = {key: about if key == name else known[key] for key in SHIPMENTS if key == name or key in known}
    (shipped.HERE / "index.json").write_text(json.dumps(known, indent=1, ensure_ascii=False) + "\n", "utf8")
    return out


def card(name: str, about: dict[str, Any], result: dict[str, Any]) -> str:
    """What a reader should know before trusting the model."""
    versions = ", ".join(f"{what} {which}" for what, which in result["versions"].items())
    scores = "\n".join(f"- {_score(*item)}" for item in about["scores"].items())
    return f"""# {name}

{about["says"]}

{about["parameters"]:,} parameters, half precision, {about["bytes"]:,} bytes. Computed with in float32.

**Scores, on what was held out, after rounding**

{scores}

**Data.** {SHIPMENTS[name].data} Fingerprint: {result["data"] or "none; the days are listed by the calendar"}.

**Licence of the data.** {SHIPMENTS[name].licence}

**Made by** `make models` from `configs/{name}.toml`: {result["recipe"]["train"]["steps"]:,} updates, seed {result["seed"]}, {round(result["seconds"])} seconds on {result["device"]}; {versions}.

**What it cannot do.** It knows its own kind of text and nothing else: on any other it writes nonsense without a warning.
"""


def _score(what: str, value: float | int) -> str:
    kinds = {"exact": f"{100 * value:.1f} % of answers right to the last letter", "loss": f"{value:.4f} nats a token",
             "bits_per_byte": f"{value:.4f} bits a byte", "days": f"{value:g} days asked", "windows": f"{value:,} windows read"}  # fmt: skip
    return kinds[what]


def _tokenizer(tokenizer: Any) -> str:
    if isinstance(tokenizer, Letters):
        return json.dumps({"model": {"type": "Letters", "alphabet": tokenizer.alphabet}}, ensure_ascii=False) + "\n"
    return tokenizer.json()


if __name__ == "__main__":
    for given in sys.argv[1:] or SHIPMENTS:
        print(ship(given))
