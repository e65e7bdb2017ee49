"""A build that was cut short may have left half a page, newer than its source: the next one writes them all again.

What was run stays in the cache, so this costs the writing only.
"""

from pathlib import Path

from sphinx.util import logging

log = logging.getLogger(__name__)


def mark(app) -> Path:
    return Path(app.outdir).parent / "unfinished"


def begin(app):
    """builder-inited: pages of a build without an end are taken away."""
    if mark(app).exists():
        log.info("the last build was cut short: writing all pages again")
        for page in Path(app.outdir).rglob("*.html"):
            page.unlink()
    mark(app).parent.mkdir(parents=True, exist_ok=True)
    mark(app).touch()


def end(app, error):
    """build-finished: every page is whole."""
    if not error:
        mark(app).unlink(missing_ok=True)


def setup(app):
    app.connect("builder-inited", begin, priority=100)
    app.connect("build-finished", end, priority=900)
