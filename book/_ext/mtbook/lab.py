"""python -m mtbook.lab [FOLDER]: the book's pages with cells as notebooks, for `make lab`. What is there stays as it is."""

import os
import re
import sys
from pathlib import Path

import jupytext

from .notebooks import as_notebook
from .source import front_matter

BOOK = Path(__file__).parents[2]
_PAGE = re.compile(r"\]\((?P<page>[\w./]+)\.md\)")


def write(folder: Path) -> list[Path]:
    """Those of the notebooks that were missing, written."""
    texts = [page for page in BOOK.rglob("*.md") if ".ipynb_checkpoints" not in page.parts]
    pages = {page for page in texts if "kernelspec" in front_matter(page.read_text("utf8"))[0]}
    written = []
    for page in sorted(pages):
        out = folder / page.relative_to(BOOK).with_suffix(".ipynb")
        if out.exists():  # with what its reader wrote into it
            continue
        made = as_notebook(page, BOOK / "references.bib")
        for cell in made.cells:
            if cell.cell_type == "markdown":
                cell.source = _PAGE.sub(lambda found: f"]({_beside(page, found['page'], out, pages)})", cell.source)
        out.parent.mkdir(parents=True, exist_ok=True)
        jupytext.write(made, out, fmt="ipynb")
        written.append(out)
    return written


def _beside(page: Path, link: str, out: Path, pages: set[Path]) -> str:
    """Where `link` of this page leads from its notebook: to a notebook too, or to what has no cells."""
    target = Path(os.path.normpath(page.parent / f"{link}.md"))
    return f"{link}.ipynb" if target in pages else os.path.relpath(target, out.parent)


if __name__ == "__main__":
    to = Path(*sys.argv[1:2] or ["notebooks"])
    print(f"{to}: {len(write(to))} notebooks written; those that were there stay as they are")
