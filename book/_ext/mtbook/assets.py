"""The book's own script and style sheet.

They are written straight into _static: a folder of the sources named so would have its scripts put
into every page.
"""

import json
from pathlib import Path

from mtlib._reach import PACKAGE
from mtlib.widgets.bundle import bundles

from .icons import write_icons

BOOK = Path(__file__).parents[2]


def write_assets(app):
    """builder-inited: book.css for every page; host.js, with every front-end module inside, for controls."""
    if app.builder.format != "html":
        return
    out = Path(app.outdir, "_static", "mtbook")
    out.mkdir(parents=True, exist_ok=True)
    widgets = PACKAGE / "widgets"
    sheets = [BOOK / "assets" / "book.css", *sorted(widgets.glob("*.css"))]
    (out / "book.css").write_text("".join([*(sheet.read_text("utf8") for sheet in sheets), write_icons(out)]), "utf8")
    host = (widgets / "host.js").read_text("utf8").replace("__MODULES__", json.dumps(bundles()))
    (out / "host.js").write_text(host, "utf8")
    app.add_css_file("mtbook/book.css", priority=900)  # after the theme's


def finish_page(app, pagename, templatename, context, doctree):
    """html-page-context: the script, on pages that have a control; a role that screen readers know."""
    body = context.get("body", "")
    if "data-module=" in body:
        app.add_js_file("mtbook/host.js", loading_method="defer")
    # ARIA dropped doc-biblioentry, and its list must have list items.
    context["body"] = body.replace(' role="doc-biblioentry"', ' role="listitem"')
