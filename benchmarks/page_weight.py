"""What a first visit to the attention chapter weighs, beside a default Jupyter Book with the same text.

    python benchmarks/page_weight.py          (after `make book`)

Both pages are opened in a browser over http with the network cut; each file it asks for is gzipped.
The default book has the same sources, Jupyter Book's own settings, figures as PNG and ipywidgets as controls.
What it wants from content networks cannot be had here: those files are listed by name and not counted, so
its true weight is higher than the number shown.
"""

import gzip
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
from tests.web import site  # noqa: E402

BUDGET_MB, GOAL_MB = 1.0, 0.8  # what fails, and what the finished book is to keep
CHAPTER = "book/06_attention"

# Run before the chapter's own code: the house figures become PNG, the controls the live ones.
_AS_DEFAULT = """
import os
os.environ.pop("MTLIB_STATIC", None)
import io
import mtlib as mt
from IPython.display import Image
def _png(fig, **kw):
    out = io.BytesIO(); fig.savefig(out, format="png", dpi=100); return Image(out.getvalue())
mt.plot.show = _png
"""


def default_book(folder: Path) -> Path:
    """The chapter as a book with no settings of ours; returns its html folder."""
    head, _, body = (ROOT / f"{CHAPTER}.md").read_text("utf8").partition("\n---\n")
    for ours in ("answer", "claim", "quiz"):  # our directives are unknown there: the text stays, in a plain box
        body = body.replace(f":::{{{ours}}} ", ":::{admonition} ").replace(f"::::{{{ours}}} ", "::::{admonition} ")
    body = "\n".join(line for line in body.split("\n") if not line.startswith(":says:"))
    cell = f"```{{code-cell}}\n:tags: [remove-cell]\n{_AS_DEFAULT}\n```\n"
    title, _, rest = body.lstrip("\n").partition("\n")
    page = folder / "chapter.md"
    page.write_text(f"{head}\n---\n{title}\n\n{cell}\n{rest}", "utf8")
    (folder / "references.bib").write_text((ROOT / "book/references.bib").read_text("utf8"), "utf8")
    (folder / "_toc.yml").write_text("format: jb-book\nroot: chapter\n", "utf8")
    (folder / "_config.yml").write_text(yaml.safe_dump({
        "title": "Default", "bibtex_bibfiles": ["references.bib"],
        "execute": {"execute_notebooks": "force", "timeout": 300, "raise_on_error": True},
    }), "utf8")  # fmt: skip
    env = {**os.environ, "MTLIB_HOME": str(folder / "home")}
    command = [str(Path(sys.executable).with_name("jupyter-book")), "build", "."]
    subprocess.run(command, cwd=folder, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    return folder / "_build" / "html"


def weigh(browser, html: Path, name: str):
    """({file: gzipped bytes}, what was wanted from elsewhere) on a first visit."""
    with site.served(html) as base:
        context = browser.new_context(viewport={"width": 1200, "height": 900})
        page, asked, elsewhere = context.new_page(), set(), set()

        def gate(route):
            url = route.request.url.split("?")[0]
            if url.startswith(base):
                asked.add(url.removeprefix(base + "/"))
            elif not url.startswith(("data:", "blob:")):
                elsewhere.add(url)
                return route.abort()
            route.continue_()

        context.route("**/*", gate)
        page.goto(f"{base}/{name}", wait_until="networkidle")
        page.wait_for_timeout(1000)  # fonts of formulas come last
        context.close()
    files = {file: html / file for file in asked if (html / file).is_file()}
    return {file: len(gzip.compress(path.read_bytes())) for file, path in files.items()}, sorted(elsewhere)


def table(title, sizes):
    print(f"\n{title}")
    ranked = sorted(sizes.items(), key=lambda item: -item[1])
    for file, size in ranked[:10]:
        print(f"  {size / 1e3:8.1f} kB  {file}")
    if len(ranked) > 10:
        print(f"  {sum(size for _, size in ranked[10:]) / 1e3:8.1f} kB  in {len(ranked) - 10} more files")
    print(f"  {sum(sizes.values()) / 1e3:8.1f} kB  in all, compressed")


def main():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        browser = playwright.chromium.launch(executable_path=site.chromium(), args=site.ARGS)
        ours, outside = weigh(browser, site.HTML, f"{CHAPTER}.html")
        theirs, missing = weigh(browser, default_book(Path(folder)), "chapter.html")
        browser.close()
    table("This book", ours)
    table("A default Jupyter Book, without what it takes from elsewhere", theirs)
    print(f"\nNot counted there: {len(missing)} files of other origins:")
    for url in missing:
        print(f"  {url.rsplit('/', 1)[-1]}")
    total = sum(ours.values()) / 1e6
    for name, limit in (("budget", BUDGET_MB), ("goal", GOAL_MB)):
        print(f"{total:.3f} MB is {'within' if total <= limit else 'OVER'} the {name} of {limit} MB")
    default = round(sum(theirs.values()) / 1e6, 3)
    print(json.dumps({"budget_mb": BUDGET_MB, "goal_mb": GOAL_MB, "ours_mb": round(total, 3), "default_mb_at_least": default}))
    assert not outside, f"our page asks other origins: {outside}"
    assert total <= BUDGET_MB, f"{total:.2f} MB is over the budget of {BUDGET_MB} MB"


if __name__ == "__main__":
    main()
