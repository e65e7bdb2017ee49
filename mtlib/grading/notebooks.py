"""The exercise and solution notebooks, made from one text source: `python -m mtlib.grading.notebooks`.

`solutions/NN_topic.md` is a MyST notebook. In its code cells, what stands between `# solution` and
`# end solution` becomes `raise NotImplementedError(...)` in `exercises/NN_topic.ipynb`; a cell that is
nothing but a solution is left out. The answer is never in the exercise: a marker without its partner ends
the run. Same source, same bytes: cell ids come from content, there are no outputs.

With --check nothing is written, and the exit status says whether the notebooks are up to date.
"""

import argparse
import hashlib
import json
import re
import sys
from pathlib import Path
from typing import Any, NamedTuple

START, END = "# solution", "# end solution"
_KERNEL = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


class Cell(NamedTuple):
    """One cell: "markdown" or "code", its text, and its options such as `{"tags": ["hide-input"]}`."""

    kind: str
    source: str
    options: dict = {}


def cells_of(text: str) -> list[Cell]:
    """The cells of a MyST notebook, as jupytext reads them.

    >>> [cell.source for cell in cells_of("Hi\\n\\n```{code-cell}\\n:tags: [hide-input]\\n1\\n```\\n")]
    ['Hi', '1']
    """
    import jupytext  # only those who write exercises need it

    cells = jupytext.reads(text, fmt="md:myst").cells
    return [Cell(cell.cell_type, cell.source.strip("\n"), dict(cell.metadata)) for cell in cells if cell.source.strip()]


def unsolved(source: str) -> str:
    """The code with every solution taken out, signature and docstring left standing.

    Raises ValueError where the two markers do not come in pairs.

    >>> print(unsolved("def f():\\n    # solution\\n    return 1\\n    # end solution"))
    def f():
        raise NotImplementedError("f is yours to write")
    """
    kept: list[str] = []
    inside, owner, name = False, "", "this"
    for line in source.splitlines():
        word = line.strip()
        if word == START and not inside:
            inside = True
            indent = line[: len(line) - len(line.lstrip())]
            kept.append(f'{indent}raise NotImplementedError("{name} is yours to write")')
        elif word == END and inside:
            inside = False
        elif word in (START, END):
            raise ValueError(f"{word!r} without its partner in:\n{source}")
        elif not inside:
            if defined := re.match(r"(\s*)(def|class)\s+(\w+)", line):
                indented, word, name = defined.groups()
                owner = name if word == "class" else (owner if indented else "")
                name = f"{owner}.{name}" if word == "def" and owner else name
            kept.append(line)
    if inside:
        raise ValueError(f"{START!r} without {END!r} in:\n{source}")
    return "\n".join(kept)


def notebook(cells: list[Cell]) -> str:
    """The cells as a notebook's text, the same for the same cells."""
    seen: dict[str, int] = {}
    rows = []
    for kind, source, options in cells:
        copy = seen[kind + source] = seen.get(kind + source, -1) + 1
        name = hashlib.sha256(f"{kind}\n{copy}\n{source}".encode()).hexdigest()[:12]
        row: dict[str, Any] = {"cell_type": kind, "id": name, "metadata": options, "source": source.splitlines(keepends=True)}
        if kind == "code":
            row |= {"execution_count": None, "outputs": []}
        rows.append(row)
    book = {"cells": rows, "metadata": _KERNEL, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(book, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def both(source: Path) -> dict[Path, str]:
    """What should stand in the two notebooks of one source."""
    solved = cells_of(source.read_text(encoding="utf-8"))
    stripped = [c._replace(source=(unsolved if c.kind == "code" else for_the_learner)(c.source)) for c in solved]
    return {
        source.with_suffix(".ipynb"): notebook(solved),
        source.parent.parent / "exercises" / f"{source.stem}.ipynb": notebook([c for c in stripped if c.source]),
    }


def for_the_learner(prose: str) -> str:
    """Prose of the exercise: the page's own title says which of the two it is, and a paragraph that begins
    `<!-- solution -->` is only for the solution.

    >>> for_the_learner("# Solutions: attention")
    '# Exercises: attention'
    """
    paragraphs = [p for p in prose.split("\n\n") if not p.startswith("<!-- solution -->")]
    return "\n\n".join(paragraphs).replace("# Solutions:", "# Exercises:", 1)


def main(argv: list[str] | None = None) -> int:
    """Write both notebooks of every source under `solutions/`, or with --check compare them."""
    parser = argparse.ArgumentParser(prog="python -m mtlib.grading.notebooks", description=__doc__.split("\n")[0])
    parser.add_argument("folder", nargs="?", default="solutions", type=Path)
    parser.add_argument("--check", action="store_true", help="write nothing; fail when a notebook is out of date")
    given = parser.parse_args(argv)
    sources = sorted(given.folder.glob("*.md"))
    if not sources:
        print(f"no sources in {given.folder}/: run this where solutions/ is", file=sys.stderr)
        return 2
    stale = []
    for path, text in (item for source in sources for item in both(source).items()):
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        stale.append(path)
        if not given.check:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
    for path in stale:
        print(f"{path}: {'out of date; run `make exercises`' if given.check else 'written'}")
    return 1 if given.check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
