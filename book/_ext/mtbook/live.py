"""Live models: the scripts of mtlib.browser and the shipped models, for the pages that have a view of one.

A model is a script of its own, which live.js loads when the reader comes to the view.
"""

import json
from pathlib import Path

from mtlib import shipped
from mtlib.browser import page_script, payload
from mtlib.browser.view import CSS


def write_scripts(app):
    """builder-inited: live.js, live.css, and models/NAME.js for each shipped model."""
    if app.builder.format != "html":
        return
    out = Path(app.outdir, "_static", "mtbook")
    (out / "models").mkdir(parents=True, exist_ok=True)
    (out / "live.js").write_text(page_script(), "utf8")
    (out / "live.css").write_text(CSS.read_text("utf8"), "utf8")
    for name in shipped.index():
        text = json.dumps(payload(name), separators=(",", ":"), ensure_ascii=False)
        (out / "models" / f"{name}.js").write_text(f"(window.mtModels ||= {{}})[{json.dumps(name)}] = {text};\n", "utf8")


def load_scripts(app, pagename, templatename, context, doctree):
    """html-page-context: both, on pages that have a live view."""
    if "data-live=" in context.get("body", ""):
        app.add_css_file("mtbook/live.css", priority=901)
        app.add_js_file("mtbook/live.js", loading_method="defer")


def setup(app):
    app.connect("builder-inited", write_scripts)
    app.connect("html-page-context", load_scripts)
