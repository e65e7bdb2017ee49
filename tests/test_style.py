"""What machines can say of style and types, they say: see [tool.ruff] and [tool.mypy] in pyproject.toml."""

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize("asked", [["ruff", "check", "."], ["mypy", "--no-error-summary"]], ids=["ruff", "mypy"])
def test_nothing_is_found(asked):
    run = subprocess.run([sys.executable, "-m", *asked], cwd=Path(__file__).parents[1], capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr
