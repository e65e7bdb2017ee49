"""Who may import whom: `mtlib.grading` and `mtlib.exercises` need each other, and only in this order."""

import ast
from pathlib import Path

import pytest

import mtlib

ROOT = Path(mtlib.__file__).parent
GRADING = {path.stem: path for path in (ROOT / "grading").glob("*.py")}
WORDS = {"compare", "draw", "exercise", "forbid", "judge", "kit", "local", "plain", "settings", "subject", "trouble"}
DOORS = {"__init__", "checking", "grade", "notebooks", "grade_cli", "progress", "prove", "sources"}  # what is called from outside


def imported(path: Path) -> set[str]:
    """Every module and name that a file imports, at its top or inside functions, by its full name."""
    package = ["mtlib", *path.relative_to(ROOT).parts[:-1]]
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        if isinstance(node, ast.ImportFrom):
            above = package[: len(package) + 1 - node.level] if node.level else []
            home = ".".join([*above, *([node.module] if node.module else [])])
            names |= {home} | {f"{home}.{alias.name}" for alias in node.names}
    return names


def of_grading(path: Path) -> set[str]:
    """The modules of mtlib.grading that a file imports."""
    return {name.split(".")[2] for name in imported(path) if name.startswith("mtlib.grading.")} & GRADING.keys()


def test_the_reading_of_imports_sees_them_all(tmp_path):
    assert "mtlib.exercises" in imported(GRADING["checking"])
    assert "mtlib.exercises.of_chapter" in imported(GRADING["progress"])  # inside a function
    assert of_grading(GRADING["judge"]) == {"compare", "kit", "local", "subject"}


@pytest.mark.parametrize("name", sorted(GRADING.keys() - DOORS))
def test_only_the_doors_know_the_exercises(name):
    assert not [used for used in imported(GRADING[name]) if used.startswith("mtlib.exercises")]


@pytest.mark.parametrize("name", sorted(WORDS))
def test_the_vocabulary_needs_nothing_but_itself(name):
    assert of_grading(GRADING[name]) <= WORDS


@pytest.mark.parametrize("path", sorted((ROOT / "exercises").rglob("*.py")), ids=lambda path: path.stem)
def test_exercises_are_written_in_the_vocabulary(path):
    assert of_grading(path) <= WORDS
