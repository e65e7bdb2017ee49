"""What a first visit weighs and how soon it is there: every page, and the attention chapter as a default Jupyter Book.

    python benchmarks/page_weight.py          (after `make book`)

Pages are opened in a browser over http with an empty cache and the network cut; each file asked for is gzipped.
Painted is the largest contentful paint, moved the layout shift (web.dev/vitals), both until a second after all is
quiet and without scrolling; a live model is loaded when reached, and counted where it stands on the first screen.
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
from typing import NamedTuple

import yaml

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
from tests.web import site  # noqa: E402

LIMITS = {"MB": 0.8, "s": 1.0, "moved": 0.05}
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


_CUT = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
_WATCH = """
window.painted = 0; window.moved = 0;
new PerformanceObserver((list) => { for (const entry of list.getEntries()) window.painted = entry.startTime; })
  .observe({ type: "largest-contentful-paint", buffered: true });
new PerformanceObserver((list) => { for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.moved += entry.value; })
  .observe({ type: "layout-shift", buffered: true });
"""


class Visit(NamedTuple):
    sizes: dict[str, int]  # gzipped bytes of each file asked for
    elsewhere: list[str]  # what was wanted of other origins
    painted: float  # seconds
    moved: float

    @property
    def weight(self) -> float:
        """In MB, without live models."""
        return sum(size for file, size in self.sizes.items() if "/models/" not in file) / 1e6

    def line(self, name: str) -> str:
        return f"  {self.weight:6.3f} MB {self.painted:6.2f} s {self.moved:7.3f}  {name}"


def visit(browser, html: Path, name: str) -> Visit:
    """A first visit to a page of a built book."""
    with site.served(html) as base:
        context = browser.new_context(viewport={"width": 1200, "height": 900})
        page, asked, elsewhere = context.new_page(), set(), set()
        page.add_init_script(_WATCH)

        def note(request):
            url = request.url.split("?")[0]
            if url.startswith(base):
                asked.add(url.removeprefix(base + "/"))
            elif not url.startswith(("data:", "blob:")):
                elsewhere.add(url)

        page.on("request", note)
        page.goto(f"{base}/{name}", wait_until="networkidle")
        page.wait_for_timeout(1000)  # fonts of formulas come last
        painted, moved = page.evaluate("[window.painted / 1000, window.moved]")
        context.close()
    files = {file: html / file for file in asked if (html / file).is_file()}
    return Visit({file: len(gzip.compress(path.read_bytes())) for file, path in files.items()}, sorted(elsewhere), painted, moved)


def files(title: str, sizes: dict[str, int]):
    print(f"\n{title}")
    ranked = sorted(sizes.items(), key=lambda item: -item[1])
    for file, size in ranked[:10]:
        print(f"  {size / 1e3:8.1f} kB  {file}")
    if len(ranked) > 10:
        print(f"  {sum(size for _, size in ranked[10:]) / 1e3:8.1f} kB  in {len(ranked) - 10} more files")


def main():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        browser = playwright.chromium.launch(executable_path=site.chromium(), args=[*site.ARGS, _CUT])
        visit(browser, site.HTML, "search.html")  # the browser's own first steps
        ours = {name: visit(browser, site.HTML, name) for name in site.pages()}
        theirs = visit(browser, default_book(Path(folder)), "chapter.html")
        browser.close()
    print("\nA first visit: weight, largest contentful paint, layout shift")
    for name, seen in ours.items():
        print(seen.line(name))
    print(theirs.line(f"{CHAPTER} as a default Jupyter Book, without {len(theirs.elsewhere)} files of other origins:"))
    print("      " + ", ".join(url.rsplit("/", 1)[-1] for url in theirs.elsewhere))
    files(f"What {CHAPTER} is made of", ours[f"{CHAPTER}.html"].sizes)
    files("The same as a default Jupyter Book", theirs.sizes)
    worst = {"MB": max(seen.weight for seen in ours.values()), "s": max(seen.painted for seen in ours.values()),
             "moved": max(seen.moved for seen in ours.values())}  # fmt: skip
    print("\n" + json.dumps({"worst": {unit: round(value, 3) for unit, value in worst.items()}, "limits": LIMITS}))
    over = [name for name, seen in ours.items() if seen.weight > LIMITS["MB"] or seen.painted > LIMITS["s"] or seen.moved > LIMITS["moved"]]
    outside = {name: seen.elsewhere for name, seen in ours.items() if seen.elsewhere}
    assert not outside, f"pages that ask other origins: {outside}"
    assert not over, f"over a limit: {over}"


if __name__ == "__main__":
    main()
