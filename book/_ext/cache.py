"""Run a chapter again exactly when its outputs could differ.

myst-nb's cache compares a notebook's code cells and its kernelspec. What a chapter imports from mtlib
counts too, so a digest of that is written into the kernelspec as the source is read: one cache for the
book, and an edit to one module runs the chapters that reach it and no other. The files themselves are
noted as dependencies, which makes Sphinx read those chapters again in the first place.

What a chapter reaches is read from its code by mtlib._reach; data kept beside a reached module counts
as well. The scripts and style sheets of controls shape no output.
"""

import hashlib
import platform
import re
from importlib.metadata import version
from pathlib import Path

import yaml

from mtlib._reach import PACKAGE, reached

_PEERS = ("torch", "numpy", "matplotlib", "hypothesis")
_HEAD = re.compile(r"\A---\n(.*?\n)---\n", re.S)
_CELL = re.compile(r"^(`{3,}|:{3,})\s*\{code-cell\}[^\n]*\n(.*?)^\1\s*$", re.S | re.M)


def key_source(app, docname, source):
    """source-read: put the digest into a chapter's kernelspec."""
    head = _HEAD.match(source[0])
    settings = yaml.safe_load(head[1]) if head else None
    if not settings or "kernelspec" not in settings:
        return
    files = counted("\n".join(cell[2] for cell in _CELL.finditer(source[0])))
    for path in files:
        app.env.note_dependency(str(path))
    settings["kernelspec"]["mtlib"] = digest(files)
    # One line, and blank ones up to the old height, so that warnings keep their line numbers.
    flow = yaml.safe_dump(settings, default_flow_style=True, width=10**9, sort_keys=False)
    source[0] = f"---\n{flow.rstrip()}" + "\n" * head[1].count("\n") + "---\n" + source[0][head.end() :]


def counted(code: str) -> list[Path]:
    """What this code reaches, and the .json files beside it."""
    files = reached(code)
    return sorted({*files, *(data for folder in {path.parent for path in files} for data in folder.glob("*.json"))})


def digest(files: list[Path]) -> str:
    """Content of the files, and the versions of what computes with them."""
    total = hashlib.sha256(platform.python_version().encode())
    for name in _PEERS:
        total.update(f"{name} {version(name)}\0".encode())
    for path in files:
        total.update(path.relative_to(PACKAGE).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return total.hexdigest()[:16]
