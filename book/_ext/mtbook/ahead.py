"""Run the pages whose outputs are out of date before Sphinx reads any, as many at a time as there are processors.

myst-nb runs a page while reading it, so one after another. What is run here goes into the cache that it looks
in first, under the same key. A page that fails is left to it: it runs the page again and says what went wrong.

Each runs in an empty folder and must leave it empty, as a reader's downloaded notebook should.
"""

import os
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from fnmatch import fnmatch
from pathlib import Path

from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn
from jupyter_cache.executors.utils import ExecutionResult, single_nb_execution
from myst_nb.core.read import create_nb_reader
from nbformat import NotebookNode
from sphinx.util import logging

from .cache import keyed

log = logging.getLogger(__name__)


def run_ahead(app, env, docnames):
    """env-before-read-docs: run what the cache lacks; a line for each page as it is done."""
    cache = get_cache(app.config.nb_execution_cache_path)
    waiting = [(path, notebook) for path, notebook in notebooks(env, docnames) if not cached(cache, notebook)]
    pool = ThreadPoolExecutor(os.cpu_count())
    running = {pool.submit(run, notebook, env.mystnb_config.execution_timeout): path for path, notebook in waiting}
    try:
        for done, future in enumerate(as_completed(running), 1):
            (result, left), path = future.result(), running[future]
            if left:
                log.warning("%s leaves files behind: %s", path.relative_to(app.srcdir), ", ".join(left))
            elif result.err is None:
                bundle = CacheBundleIn(result.nb, str(path), data={"execution_seconds": result.time})
                cache.cache_notebook_bundle(bundle, check_validity=False, overwrite=True)
            said = "failed" if result.err else "ran"
            log.info("%d of %d: %s %s, %.0f s", done, len(running), path.relative_to(app.srcdir), said, result.time)
    finally:
        pool.shutdown(cancel_futures=True)


def notebooks(env, docnames) -> Iterator[tuple[Path, NotebookNode]]:
    """The pages with cells among these, as myst-nb will read them."""
    for docname in sorted(docnames, reverse=True):  # solutions first: one of them trains for long, and none waits for it then
        path = Path(env.doc2path(docname))
        if path.suffix != ".md" or any(fnmatch(docname, pattern) for pattern in env.mystnb_config.execution_excludepatterns):
            continue
        text, files = keyed(path.read_text("utf8"), docname)
        if files is not None:
            yield path, create_nb_reader(str(path), env.myst_config, env.mystnb_config, text).read(text)


def cached(cache, notebook: NotebookNode) -> bool:
    try:
        cache.match_cache_notebook(notebook)
    except KeyError:
        return False
    return True


def run(notebook: NotebookNode, timeout: int) -> tuple[ExecutionResult, list[str]]:
    """The notebook with its outputs, and the names of what it left in its folder."""
    with tempfile.TemporaryDirectory() as folder:
        result = single_nb_execution(notebook, cwd=folder, timeout=timeout, allow_errors=False)
        return result, sorted(os.listdir(folder))
