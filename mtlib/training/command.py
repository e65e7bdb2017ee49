"""``mtlib train`` and ``mtlib params``: from a recipe to a folder, and to numbers before any is trained.

    OUT/recipe.json          what was run, defaults filled in
    OUT/log.csv              a row for every update
    OUT/checkpoints/         the last two: see checkpoint.py
    OUT/model.safetensors    the weights in the end
    OUT/result.json          recipe, versions, scores, curve
"""

import json
import os
import sys
from argparse import Namespace
from pathlib import Path

import torch
from torch import nn

from . import checkpoint
from .cost import costs
from .crew import MODEL, Alone
from .distributed import WorkerLost, crew
from .fit import NotFinite, fit
from .randomness import versions
from .recipe import Built, Recipe, RecipeError, build, from_tables, read
from .record import Record


def train(arguments: Namespace) -> int:
    """mtlib train: returns the exit status; what a user can mend is one line on stderr."""
    try:
        return _train(arguments)
    except (RecipeError, NotFinite, WorkerLost) as error:
        print(f"mtlib: {error}", file=sys.stderr)
        return 1


def params(arguments: Namespace) -> int:
    """mtlib params: shapes, parameters and costs, before anything is trained."""
    try:
        recipe = read(arguments.recipe, arguments.overrides)
        built = build(recipe, device="meta")
    except RecipeError as error:
        print(f"mtlib: {error}", file=sys.stderr)
        return 1
    if hasattr(built.model, "params"):
        print(built.model.get_dimensions(), built.model.params(), sep="\n\n", end="\n\n")
    print(costs(recipe, built))
    return 0


def _train(arguments: Namespace) -> int:
    recipe = read(arguments.recipe, arguments.overrides)
    out = arguments.out or Path("runs") / recipe.name
    with crew(recipe.distributed, arguments.device) as team:
        device = getattr(team, "device", arguments.device or ("cuda" if torch.cuda.is_available() else "cpu"))
        built = build(recipe, device=device)
        if start := recipe.model.get("start"):
            begin(built.model, start, arguments.recipe)
        if team.rank == 0:
            out.mkdir(parents=True, exist_ok=True)
        about = recipe.as_tables() | {"text": fingerprint(built.data)}
        record = fit(
            *built, recipe.train, out=out, resume=arguments.resume, quiet=arguments.quiet, crew=team, about=about
        )  # fmt: skip
        keep(out, recipe, built, record, team)
    if team.rank == 0 and record.stopped:
        words = " ".join([str(arguments.recipe), "--out", str(out), "--resume", *arguments.overrides])
        print(f"mtlib: go on with `mtlib train {words}`")
    elif team.rank == 0:
        print(f"{recipe.name}: {scores_line(record, built.data)} · {out / 'result.json'}")
    return 130 if record.stopped else 0


def keep(out: Path, recipe: Recipe, built: Built, record: Record, team: Alone) -> None:
    """Write recipe.json, model.safetensors and result.json."""
    weights = team.whole(built.model)  # every process has a part in that
    if team.rank:
        return
    checkpoint.put(out, {MODEL: weights})
    result = {
        "recipe": recipe.as_tables(),
        "seed": recipe.train.seed,
        "finished": not record.stopped,
        "data": fingerprint(built.data),
        "versions": versions(),
        "processes": team.size,
        "device": device_name(next(built.model.parameters()).device),
        "parameters": sum(p.numel() for p in built.model.parameters()),
        "seconds": round(record.seconds, 2),
        "scores": scores_of(record, built.data),
        "yardsticks": record.yardsticks,
        "evals": [{"step": step, **scores._asdict()} for step, scores in record.evals],
        "curve": record.curve(),
    }
    for name, content in ("recipe.json", result["recipe"]), ("result.json", result):
        fresh = out / f"{name}.part"
        fresh.write_text(json.dumps(content, indent=1), "utf8")
        os.replace(fresh, out / name)


def load(out: str | Path, *, device: str = "cpu") -> Built:
    """The trained model of a folder that ``mtlib train`` made, in eval mode, and its data; RecipeError, in one line."""
    from safetensors.torch import load_file

    out = Path(out)
    if not (out / MODEL).is_file() or not (out / "recipe.json").is_file():
        raise RecipeError(f"{out} holds no trained model; `mtlib train FILE.toml --out {out}` makes one")
    tables = json.loads((out / "recipe.json").read_text("utf8"))
    built = build(from_tables(tables, tables.pop("name"), str(out / "recipe.json")), device=device)
    built.model.load_state_dict(load_file(out / MODEL, device=device))
    return Built(built.model.eval(), built.data)


def begin(model: nn.Module, start: str, who: object) -> None:
    """Give the model the weights of a trained one of the same sizes; RecipeError, in one line, where there is none."""
    from safetensors.torch import load_file

    if not (file := Path(start) / MODEL).is_file():
        raise RecipeError(f"{who}, [model], start is {start!r}, and no trained model is there; train it first, with --out {start}")
    try:
        model.load_state_dict(load_file(file))
    except RuntimeError as error:
        what = str(error).splitlines()[1].strip()
        raise RecipeError(f"{who}, [model], start is {start!r}, a model of other sizes: {what}") from None


def fingerprint(data: object) -> str | None:
    """The hash by which data of their own say what they are, if they do."""
    return getattr(data, "fingerprint", None)


def device_name(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type


def scores_of(record: Record, data: object) -> dict[str, float]:
    """The last held-out scores; of running text, also in bits for each byte."""
    scores = record.evals[-1].scores._asdict()
    if hasattr(data, "bits_per_byte"):
        scores["bits_per_byte"] = data.bits_per_byte(scores["loss"])
    return scores


def scores_line(record: Record, data: object) -> str:
    """What a run came to, in a line."""
    s = scores_of(record, data)
    bits = f", {s['bits_per_byte']:.3f} bits a byte" if "bits_per_byte" in s else ""
    shares = f"accuracy {s['accuracy']:.2%}, exact {s['exact']:.2%}"
    return f"held-out loss {s['loss']:.4f}{bits}, {shares} in {record.seconds:.0f} s"
