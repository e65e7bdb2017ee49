"""A chapter as a notebook without outputs, runnable as it is; it is what stands behind the theme's download button."""

from pathlib import Path

import jupytext
from nbformat import NotebookNode

from .plain import plain
from .source import notebook


def is_chapter(app, name) -> bool:
    """A page whose source is text with code cells; the home page is none to be taken along."""
    return name != app.config.root_doc and "kernelspec" in app.env.metadata.get(name, {}) and str(app.env.doc2path(name)).endswith(".md")


def offer_notebook(app, pagename, templatename, context, doctree):
    """html-page-context: the theme's button reads `ipynb_source`."""
    if pagename in app.env.found_docs and is_chapter(app, pagename):
        context["ipynb_source"] = f"{pagename}.ipynb"


def write_notebooks(app, error):
    """build-finished: the notebooks, where the button points."""
    if error or app.builder.format != "html":
        return
    bibliography = Path(app.srcdir, app.config.bibtex_bibfiles[0])
    for name in app.env.found_docs:
        if is_chapter(app, name):
            out = Path(app.outdir, "_sources", f"{name}.ipynb")
            out.parent.mkdir(parents=True, exist_ok=True)
            jupytext.write(as_notebook(Path(app.env.doc2path(name)), bibliography), out, fmt="ipynb")


def as_notebook(chapter: Path, bibliography: Path) -> NotebookNode:
    """The chapter's cells: its text in Markdown that any notebook shows, folded what the page folds."""
    clean = notebook(chapter.read_text("utf8"))
    for cell in clean.cells:
        if cell.cell_type == "markdown":
            cell.source = plain(cell.source, chapter.parent, bibliography)
        elif "hide-input" in cell.metadata.get("tags", []):
            cell.metadata["jupyter"] = {"source_hidden": True}
    return clean
