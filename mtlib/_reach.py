"""Which files of mtlib a piece of code can come to run, read from the code and not from a run.

Two things hang on it: a chapter is executed again when a file it reaches has changed, and a
kept experiment is stale when one has. `mt.name` and `from mtlib.x import name` lead to
modules, and these to what they import. mtlib/__init__.py only says where a name lives, so a
new line in it disturbs nobody. What a reading cannot follow counts as all of mtlib (`f(mt)`)
or is refused (`from mtlib import *`); only `import_module` and its like go unseen.
"""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).parent


def reached(code: str) -> list[Path]:
    """Every .py file of mtlib that this Python, a chapter's or a module's, can come to run.

    Raises:
        SyntaxError: it is no Python.
        ValueError: it takes `*` from mtlib, so that no reader can say what it uses either.

    >>> "attention.py" in [path.name for path in reached("import mtlib as mt; mt.MultiHeadAttention")]
    True
    """
    todo, found = set(_imports(ast.parse(code), package=())), set()
    while todo:
        path = todo.pop()
        if path not in found:
            found.add(path)
            todo |= _imports_of(path) | _named(path.parent, code)
    return sorted(found)


def everything() -> list[Path]:
    """Every .py file of mtlib: what code that cannot be read may reach."""
    return sorted(PACKAGE.rglob("*.py"))


def _named(folder: Path, code: str) -> set[Path]:
    """What the code asks for by a name in a string, out of sight of any reading of imports."""
    if folder == PACKAGE / "grading":  # check("topic.name", …)
        exercises = PACKAGE / "exercises"
        topics = (path.parent for path in exercises.glob("*/__init__.py"))
        named = (path for topic in topics if f"{topic.name}." in code for path in topic.rglob("*.py"))
        return {exercises / "__init__.py", *named}
    if folder == PACKAGE / "experiments":  # kept("name")
        return {path for path in folder.glob("*.py") if path.stem in code}
    return set()


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
    return _imports_in(path.read_text("utf8"), path.relative_to(PACKAGE).parent.parts)


@cache
def _imports_in(source: str, package: tuple[str, ...]) -> set[Path]:
    return set(_imports(ast.parse(source), package))


def _imports(tree: ast.AST, package: tuple[str, ...]) -> Iterator[Path]:
    """Files of mtlib named in a tree of code that stands in `package` (its parts below mtlib)."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for parts in (alias.name.split(".") for alias in node.names):
                if parts[0] == "mtlib":
                    yield from _files(parts[1:])
        elif isinstance(node, ast.ImportFrom):
            parts = node.module.split(".") if node.module else []
            if node.level:
                parts = ["mtlib", *package[: len(package) - node.level + 1], *parts]
            if parts[:1] == ["mtlib"]:
                for alias in node.names:
                    if parts == ["mtlib"] and alias.name == "*":
                        raise ValueError("`from mtlib import *` hides what is used: write `import mtlib as mt`")
                    yield from _files([*parts[1:], alias.name])
    yield from _used(tree, _called(tree))


def _called(tree: ast.AST) -> set[str]:
    """What mtlib itself is called in this code: by `import mtlib as mt`, and by `m = mt` after it."""
    names = {
        alias.asname or "mtlib"
        for node in ast.walk(tree) if isinstance(node, ast.Import)
        for alias in node.names if alias.name == "mtlib" or (alias.name.startswith("mtlib.") and not alias.asname)
    }  # fmt: skip
    more = names
    while more:
        more = {target.id for target, value in _renamings(tree) if value.id in names} - names
        names |= more
    return names


def _renamings(tree: ast.AST) -> Iterator[tuple[ast.Name, ast.Name]]:
    """(a, b) of every `a = b`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Name):
            yield from ((target, node.value) for target in node.targets if isinstance(target, ast.Name))


def _used(tree: ast.AST, names: set[str]) -> Iterator[Path]:
    """Where `mt.name` leads, for each of mtlib's names here; everywhere, if mtlib is handed on as a whole."""
    followed = {value for _, value in _renamings(tree)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in names:
            followed.add(node.value)
            yield from _files([node.attr])
    loads = (node for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load))
    if any(node.id in names and node not in followed for node in loads):
        yield from everything()


def _files(parts: list[str]) -> Iterator[Path]:
    """mtlib.a.b.name -> the modules a and a.b, and a.b.name where that is one."""
    if len(parts) == 1 and parts[0] in _root_names():
        module, name = _root_names()[parts[0]]
        parts = [*module.split("."), name]
    place = PACKAGE
    for part in parts:
        place = place / part
        for path in (place / "__init__.py", place.with_suffix(".py")):
            if path.is_file():
                yield path
