"""Runs too long for a page: carried out by `make runs`, kept with what they ran on.

An experiment is a module of this package with a function ``measure() -> list of rows``. Its
result is kept beside it as JSON, with the command, the versions and a hash of all the code it
used. ``kept("two_jobs")`` hands a chapter the rows and raises when that code has changed
since, so that a stale number stops the build.
"""

import ast
import hashlib
import io
import json
import platform
import tokenize
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from .._reach import reached

HERE = Path(__file__).parent
EXPERIMENTS = (
    "two_jobs", "next_letter", "peers", "regions", "without_ffn", "add_and_norm", "longer", "whereabouts", "sizes",
    "many_heads", "taken_out", "unseen", "first_letter", "bottleneck", "alignment", "one_state", "stable", "forming",
    "steered", "frozen", "layers_out", "costs", "crossing", "three_shapes", "translator", "waiting", "sampled",
    "speculation", "forms", "who_attends", "endings", "patched", "choices", "combination", "orders", "budgets",
    "more_text", "patience", "languages", "long_rows", "three_models", "slips", "pools", "answer_only", "two_processes", "scrubbed",
)


class Stale(RuntimeError):
    """A kept result that no longer belongs to the code."""


def kept(name: str) -> list[dict[str, Any]]:
    """The rows that `make runs` kept for experiment `name`; Stale, in one line, if its code has changed."""
    if name not in EXPERIMENTS:
        raise ValueError(f"no experiment is called {name!r}; there are: {', '.join(EXPERIMENTS)}")
    file = HERE / f"{name}.json"
    record = json.loads(file.read_text("utf8")) if file.is_file() else {"code": "nothing"}
    if record["code"] != code_hash(name):
        raise Stale(f"the result kept for {name!r} is not of today's code: run `make runs` and commit {file.name}")
    return record["rows"]


def run(name: str) -> Path:
    """Carry out experiment `name` and keep its result."""
    import torch

    experiment, code = import_module(f"{__name__}.{name}"), code_hash(name)  # of what runs, not of later edits
    record = {
        "command": f"python -m mtlib.experiments {name}",
        "versions": {"python": platform.python_version(), "torch": torch.__version__},
        "code": code,
        "rows": experiment.measure(),
    }
    file = HERE / f"{name}.json"
    body = ",\n".join(f"  {json.dumps(row)}" for row in record.pop("rows"))
    head = json.dumps(record, indent=1).removesuffix("\n}")
    file.write_text(f'{head},\n "rows": [\n{body}\n ]\n}}\n', "utf8")
    return file


def code_hash(name: str) -> str:
    """A hash of all of mtlib that the experiment runs: what it does, not how it is commented."""
    digest = hashlib.sha256()
    for path in reached(f"import {__name__}.{name}"):
        if path != Path(__file__) and path.name != "_reach.py":  # they keep the result, they do not make it
            digest.update(f"{path.name}\0{_meaning(_source(path))}\0".encode())
    return digest.hexdigest()[:16]


def _source(path: Path) -> str:
    return path.read_text("utf8")


@cache
def _meaning(source: str) -> str:
    """The program without comments, docstrings and blank lines, so that a better sentence makes
    nothing stale. Taken from the text and not from the syntax tree, whose form changes with Python."""
    lines = source.splitlines()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            row, column = token.start
            lines[row - 1] = lines[row - 1][:column]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)) and ast.get_docstring(node) is not None:
            text = node.body[0]
            lines[text.lineno - 1 : text.end_lineno] = [""] * (text.end_lineno - text.lineno + 1)
    return "\n".join(line.rstrip() for line in lines if line.strip())
