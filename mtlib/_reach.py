"""Which files of mtlib a piece of code can come to run, read from the code and not from a run.

Two things hang on it: a chapter is executed again when a file it reaches has changed, and a
kept experiment is stale when one has. `mt.name` and `from mtlib.x import name` lead to
modules, and these to what they import. mtlib/__init__.py only says where a name lives, so a
new line in it disturbs nobody.
"""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).parent


def reached(code: str) -> list[Path]:
    """Every .py file of mtlib that this code, a notebook's or a module's, can come to run.

    >>> "attention.py" in [path.name for path in reached("import mtlib as mt; mt.MultiHeadAttention")]
    True
    """
    todo, found = set(_imports(_tree(code), package=())), set()
    while todo:
        path = todo.pop()
        if path not in found:
            found.add(path)
            todo |= _imports_of(path)
            if path.parent == PACKAGE / "grading":
                todo |= _exercises(code) - found
    return sorted(found)


def _exercises(code: str) -> set[Path]:
    """Exercises are imported by their id, out of sight of any reading of imports: check("topic.name", …)."""
    folder = PACKAGE / "exercises"
    topics = (path.parent for path in folder.glob("*/__init__.py"))
    named = (path for topic in topics if f"{topic.name}." in code for path in topic.rglob("*.py"))
    return {folder / "__init__.py", *named}


def _tree(code: str) -> ast.Module:
    lines = code.split("\n")  # magics and shell lines are no Python
    return ast.parse("\n".join("" if re.match(r"\s*[%!?:]", line) else line for line in lines))


@cache
def _root_names() -> dict[str, tuple[str, str]]:
    """Name -> path of the module that mtlib/__init__.py takes it from."""
    tree = ast.parse((PACKAGE / "__init__.py").read_text("utf8"))
    return {
        alias.asname or alias.name: (node.module, alias.name)
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.level == 1 and node.module
        for alias in node.names
    }


def _imports_of(path: Path) -> set[Path]:
    return set(_imports(ast.parse(path.read_text("utf8")), path.relative_to(PACKAGE).parent.parts))


def _imports(tree: ast.AST, package: tuple[str, ...]) -> Iterator[Path]:
    """Files of mtlib named in a tree of code that stands in `package` (its parts below mtlib)."""
    aliases = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                parts = alias.name.split(".")
                if parts[0] == "mtlib":
                    aliases.add(alias.asname or "mtlib")
                    yield from _files(parts[1:])
        elif isinstance(node, ast.ImportFrom):
            parts = (node.module or "").split(".") if node.module else []
            if node.level:
                base = ["mtlib", *package[: len(package) - node.level + 1]] + parts
            else:
                base = parts
            if base[:1] == ["mtlib"]:
                for alias in node.names:
                    yield from _files([*base[1:], alias.name])
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in aliases:
            yield from _files([node.attr])


def _files(parts: list[str]) -> Iterator[Path]:
    """mtlib.a.b.name -> the modules a and a.b, and a.b.name where that is one."""
    if parts and parts[0] in _root_names() and not (len(parts) > 1):
        module, name = _root_names()[parts[0]]
        parts = [*module.split("."), name]
    place = PACKAGE
    for part in parts:
        place = place / part
        for path in (place / "__init__.py", place.with_suffix(".py")):
            if path.is_file():
                yield path
