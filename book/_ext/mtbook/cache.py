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
from importlib.metadata import version
from pathlib import Path

import yaml
from sphinx.util import logging

from mtlib._reach import PACKAGE, everything, reached

from .source import front_matter, python

log = logging.getLogger(__name__)
# What computes, draws, loads or asks: a new version of one can change an output.
_PEERS = ("torch", "numpy", "matplotlib", "hypothesis", "ipywidgets", "safetensors", "tokenizers")


def key_source(app, docname, source):
    """source-read: put the digest into a chapter's kernelspec."""
    source[0], files = keyed(source[0], docname)
    for path in files or ():
        app.env.note_dependency(str(path))


def keyed(text: str, docname: str) -> tuple[str, list[Path] | None]:
    """The page with the digest in its kernelspec, and the files that count; a page that runs nothing as it is, and None."""
    settings, height = front_matter(text)
    if "kernelspec" not in settings:
        return text, None
    files = counted(text, docname)
    settings["kernelspec"]["mtlib"] = digest(files)
    # One line, and blank ones up to the old height, so that warnings keep their line numbers.
    flow = yaml.safe_dump(settings, default_flow_style=True, width=10**9, sort_keys=False)
    lines = text.split("\n")
    lines[:height] = ["---", flow.rstrip(), *[""] * (height - 3), "---"]
    return "\n".join(lines), files


def counted(text: str, docname: str) -> list[Path]:
    """What the code of this page reaches, and the .json files beside it."""
    try:
        files = reached(python(text))
    except (SyntaxError, ValueError) as problem:
        log.warning("cannot tell what of mtlib is used here, so all of it counts: %s", problem, location=docname)
        files = everything()
    return sorted({*files, *(data for folder in {path.parent for path in files} for data in folder.glob("*.json"))})


def digest(files: list[Path]) -> str:
    """Content of the files, and the versions of what computes with them."""
    total = hashlib.sha256(platform.python_version().encode())
    for name in _PEERS:
        total.update(f"{name} {version(name)}\0".encode())
    for path in files:
        total.update(path.relative_to(PACKAGE).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return total.hexdigest()[:16]
