"""The book's Sphinx extension: what runs when, what a page carries, and the course's own directives."""

import hashlib
import os
from pathlib import Path

from . import ahead, api, assets, cache, directives, glossary, launch, live, map, notebooks, plan, questions, unfinished


def prepare(app, config):
    """config-inited: what every kernel of this build inherits, and what YAML cannot say."""
    build = Path(app.outdir).parent
    os.environ["MTLIB_STATIC"] = "1"
    os.environ["MTLIB_HOME"] = str(build / "home")  # solutions are graded here: not the reader's progress
    os.environ.setdefault("PYTHONHASHSEED", "0")
    config.nb_execution_cache_path = str(build / ".jupyter_cache")
    config.html_theme_options["navbar_persistent"] = []  # else an empty bar with a second search field
    config.templates_path.insert(0, str(assets.BOOK / "_templates"))


def own_digest() -> str:
    """Of this extension's code: pages are made anew when it changes, which Sphinx cannot see by itself."""
    files = sorted(Path(__file__).parent.glob("*.py"))
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:16]


def setup(app):
    app.add_config_value("mt_made_by", own_digest(), "env")
    app.add_config_value("mt_ledger", "book/ledger.tsv", "env")
    app.connect("config-inited", prepare)
    app.connect("builder-inited", assets.write_assets)
    app.connect("env-before-read-docs", ahead.run_ahead)
    app.connect("source-read", cache.key_source)
    app.connect("html-page-context", assets.finish_page)
    app.connect("html-page-context", notebooks.offer_notebook, priority=400)  # before the theme makes buttons
    app.connect("build-finished", notebooks.write_notebooks)
    api.setup(app)
    directives.setup(app)
    questions.setup(app)
    glossary.setup(app)
    map.setup(app)
    plan.setup(app)
    live.setup(app)
    launch.setup(app)
    unfinished.setup(app)
    return {"version": "1", "env_version": 1, "parallel_read_safe": True, "parallel_write_safe": True}
