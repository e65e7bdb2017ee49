"""Run a chapter again exactly when its outputs could differ.

myst-nb's cache compares a notebook's code cells and its kernelspec. What a chapter imports from mtlib
counts too, so a digest of that is written into the kernelspec as the source is read: one cache for the
book, and an edit to one module runs the chapters that reach it and no other. The files themselves are
noted as dependencies, which makes Sphinx read those chapters again in the first place.

What a chapter reaches is read from the code, not from a run: `mt.name` and `from mtlib.x import name`
lead to modules, and these to what they import. mtlib/__init__.py only says where a name lives, so a
new line in it disturbs nobody. The scripts and style sheets of controls shape no output.
"""

import ast
import hashlib
import platform
import re
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import yaml

PACKAGE = Path(find_spec("mtlib").origin).parent
_PEERS = ("torch", "numpy", "matplotlib", "hypothesis")
_HEAD = re.compile(r"\A---\n(.*?\n)---\n", re.S)
_CELL = re.compile(r"^(`{3,}|:{3,})\s*\{code-cell\}[^\n]*\n(.*?)^\1\s*$", re.S | re.M)


def key_source(app, docname, source):
    """source-read: put the digest into a chapter's kernelspec."""
    head = _HEAD.match(source[0])
    settings = yaml.safe_load(head[1]) if head else None
    if not settings or "kernelspec" not in settings:
        return
    files = reached("\n".join(cell[2] for cell in _CELL.finditer(source[0])))
    for path in files:
        app.env.note_dependency(str(path))
    settings["kernelspec"]["mtlib"] = digest(files)
    # One line, and blank ones up to the old height, so that warnings keep their line numbers.
    flow = yaml.safe_dump(settings, default_flow_style=True, width=10**9, sort_keys=False)
    source[0] = f"---\n{flow.rstrip()}" + "\n" * head[1].count("\n") + "---\n" + source[0][head.end() :]


def digest(files: list[Path]) -> str:
    """Content of the files, and the versions of what computes with them."""
    total = hashlib.sha256(platform.python_version().encode())
    for name in _PEERS:
        total.update(f"{name} {version(name)}\0".encode())
    for path in files:
        total.update(path.relative_to(PACKAGE).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return total.hexdigest()[:16]


def reached(code: str) -> list[Path]:
    """Every file of mtlib that this notebook code can come to run."""
    todo, found = set(_imports(_tree(code), package=())), set()
    while todo:
        path = todo.pop()
        if path not in found:
            found.add(path)
            todo |= _imports_of(path)
            if path.parent == PACKAGE / "grading":
                todo |= _exercises(code) - found
    data = {p for folder in {path.parent for path in found} for p in folder.glob("*.json")}
    return sorted(found | data)


def _exercises(code):
    """Exercises are imported by their id, out of sight of any reading of imports: check("topic.name", …)."""
    folder = PACKAGE / "exercises"
    topics = (path.parent for path in folder.glob("*/__init__.py"))
    named = (path for topic in topics if f"{topic.name}." in code for path in topic.rglob("*.py"))
    return {folder / "__init__.py", *named}


def _tree(code):
    lines = code.split("\n")  # magics and shell lines are no Python
    return ast.parse("\n".join("" if re.match(r"\s*[%!?:]", line) else line for line in lines))


@cache
def _root_names():
    """Name -> path of the module that mtlib/__init__.py takes it from."""
    tree = ast.parse((PACKAGE / "__init__.py").read_text("utf8"))
    return {
        alias.asname or alias.name: (node.module, alias.name)
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.level == 1 and node.module
        for alias in node.names
    }


def _imports_of(path):
    return set(_imports(ast.parse(path.read_text("utf8")), path.relative_to(PACKAGE).parent.parts))


def _imports(tree, package):
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


def _files(parts):
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
