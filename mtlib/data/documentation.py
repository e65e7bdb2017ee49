"""The documentation of Python on the reader's own disk: English to learn a language model from.

The language reference, as `help("for")` prints it (pydoc_data.topics), and the docstrings of the
standard library, read from the source files with ast: nothing is imported. It changes with the
Python version, so every score on it names version and hash: see `fingerprint`.

A paragraph that stood before is left out, wherever it stands again: the reference's topics overlap,
and docstrings are copied; without that a model would be tested on what it has read.
"""

import ast
import json
import platform
import sysconfig
import warnings
from collections.abc import Iterator
from functools import lru_cache, partial
from inspect import cleandoc
from pathlib import Path

from .needs import DataMissing
from .shards import kept
from .windows import Corpus, Windows, divided

# Tests document nothing; the rest is written by others, and is not on every machine.
LEFT_OUT = {"test", "tests", "idle_test", "site-packages", "dist-packages", "__pycache__", "lib2to3"}
SHORT = 40  # letters: a heading may stand twice
TOPICS, TEXTS, BETWEEN = "pydoc_data/topics.py", "documents.json", "\n\n"


class Documentation(Windows):
    """Windows on it, by bytes or by `vocab` byte-pair tokens; DataMissing, in one line, where Python came without sources."""

    def __init__(self, *, vocab: int = 256, max_len: int = 128):
        super().__init__(corpus(), vocab=vocab, max_len=max_len)


@lru_cache(maxsize=1)
def corpus() -> Corpus:
    """A document for each module and each topic, in the order of their names; read once, then kept."""
    library = Path(sysconfig.get_path("stdlib"))
    name = f"python-{platform.python_version()}-documentation"
    files = sources(library)
    stamps = [[path.relative_to(library).as_posix(), path.stat().st_size, path.stat().st_mtime_ns] for path in files]
    if len(files) < 2:
        raise DataMissing(f"this Python came without its library's sources ({library}): take another one, or a text file")
    folder = kept(f"{name}-text", {"library": str(library), "files": stamps}, partial(_make, library=library, files=files))
    return divided(name, json.loads((folder / TEXTS).read_text("utf8")))


def _make(folder: Path, library: Path, files: list[Path]) -> None:
    seen: set[str] = set()
    texts = (BETWEEN.join(fresh(paragraphs, seen)) for paragraphs in documents(library, files))
    (folder / TEXTS).write_text(json.dumps([text for text in texts if text]), "utf8")


def sources(library: Path) -> list[Path]:
    """The files that are read, by their paths."""
    found = [path for path in library.rglob("*.py") if not LEFT_OUT & {*path.relative_to(library).parts}]
    return sorted(found, key=lambda path: path.relative_to(library).as_posix())


def documents(library: Path, files: list[Path]) -> Iterator[list[str]]:
    """The paragraphs of each document: a module's docstrings, or a topic."""
    for path in files:
        tree = parsed(path)
        if tree is None:
            continue
        if path.relative_to(library).as_posix() == TOPICS:
            yield from (text.split(BETWEEN) for text in topics(tree))
        else:
            yield [paragraph for text in docstrings(tree) for paragraph in text.split(BETWEEN)]


def parsed(path: Path) -> ast.Module | None:
    """The file's tree; None for what is not Python of this version, such as templates."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a wrong escape in a library's string is not ours to report
            return ast.parse(path.read_bytes())
    except (SyntaxError, ValueError, OSError):
        return None


def docstrings(tree: ast.Module) -> Iterator[str]:
    """Of the module, its classes and functions, as they stand in the file."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            if text := ast.get_docstring(node, clean=True):
                yield text


def topics(tree: ast.Module) -> Iterator[str]:
    """The texts of the dictionary `topics`, by name."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Dict):
            yield from (cleandoc(text) for _, text in sorted(ast.literal_eval(node.value).items()))


def fresh(paragraphs: list[str], seen: set[str]) -> Iterator[str]:
    """Those that did not stand before, anywhere; `seen` grows by them."""
    for paragraph in paragraphs:
        text = paragraph.strip("\n")
        mark = " ".join(text.split())
        if mark and (len(mark) < SHORT or mark not in seen):
            seen.add(mark)
            yield text
