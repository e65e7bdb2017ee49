"""What machines can say of style and types, they say: see [tool.ruff] and [tool.mypy] in pyproject.toml."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("asked", [["ruff", "check", "."], ["mypy", "--no-error-summary"]], ids=["ruff", "mypy"])
def test_nothing_is_found(asked):
    run = subprocess.run([sys.executable, "-m", *asked], cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr


def test_types_are_held_everywhere_but_where_a_hash_holds_the_code():
    mypy = tomllib.loads((ROOT / "pyproject.toml").read_text("utf8"))["tool"]["mypy"]
    excused = [name for each in mypy["overrides"] if each.get("ignore_errors") for name in each["module"]]
    assert mypy["files"] == ["mtlib"] and excused == ["mtlib.exercises.*", "mtlib.experiments.*"]
