"""A tiny book built with the real extension and the real settings, in a folder of its own."""

import os
import subprocess
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
HEAD = "---\nfile_format: mystnb\nkernelspec: {name: python3, display_name: Python 3}\n---\n"
CHAPTER = HEAD + """# One

(q-why)=
## Why

```{code-cell}
import mtlib as mt
mt.causal_keep(2)
```

:::{answer} q-why
Because $x$.
:::
"""


class Book:
    """`write` a page, `build`, read a `page` back."""

    def __init__(self, folder: Path):
        self.folder = folder
        config = yaml.safe_load((ROOT / "_config.yml").read_text("utf8"))
        config["sphinx"]["local_extensions"] = {"mtbook": str(ROOT / "book" / "_ext")}
        config["repository"] = {"url": "https://github.com/someone/course", "branch": "main"}
        config["html"]["favicon"] = str(ROOT / "book" / "assets" / "favicon.svg")
        self.write("_config.yml", yaml.safe_dump(config))
        self.write("book/references.bib", "")
        self.write("_toc.yml", "format: jb-book\nroot: index\nchapters:\n- file: book/01_one\n- file: book/questions\n")
        self.write("index.md", "# Home\n")
        self.write("book/questions.md", "# Questions\n\n```{questions}\n```\n")
        self.write("book/01_one.md", CHAPTER)
        self.rows(["q-why", "question", "01_one", "Why is that so?"], ["s-later", "section", "02_two", "Later."])

    def write(self, name, text):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf8")

    def rows(self, *rows):
        lines = ["\t".join(["id", "kind", "chapter", "says", "show"])] + ["\t".join([*row, ""]) for row in rows]
        self.write("book/ledger.tsv", "\n".join(lines) + "\n")

    def build(self):
        """(succeeded, everything it printed), by the Makefile's own command."""
        command = [str(Path(sys.executable).with_name("jupyter-book")), "build", ".", "-W", "--keep-going"]
        run = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, env={**os.environ, "OMP_NUM_THREADS": "1", "NO_COLOR": "1"})  # fmt: skip
        return run.returncode == 0, run.stdout + run.stderr

    def page(self, name):
        return (self.folder / "_build" / "html" / name).read_text("utf8")
