"""What the browser tests share: the built site, a server for it, a page that lets nothing out."""

import functools
import http.server
import os
import shutil
import threading
from contextlib import contextmanager
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
HTML = ROOT / "_build" / "html"
ARGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


def chromium() -> str | None:
    """$CHROMIUM, else a browser of the machine, else None: Playwright's own."""
    found = (shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome"))
    return os.environ.get("CHROMIUM") or next(filter(None, found), None)


def pages() -> list[str]:
    """Every page of _toc.yml, and the search page."""
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text("utf8"))
    files = [toc["root"]] + [entry["file"] for part in toc["parts"] for entry in part["chapters"]]
    return [f"{file}.html" for file in files] + ["search.html"]


def pages_with_controls() -> list[str]:
    if not HTML.is_dir():  # no built book: the fixture `base` says so
        return []
    return [name for name in pages() if 'data-module="frames"' in (HTML / name).read_text("utf8")]


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


@contextmanager
def served(folder: Path):
    """The folder over http on a free port; yields its address."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Quiet, directory=folder))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def watch(context, base: str):
    """A page of this context. page.trouble collects console errors, failed requests and whatever asks
    for another origin, which is not let out. What a next visit cuts short has not failed."""
    context.set_default_timeout(15_000)
    page = context.new_page()
    page.trouble = []
    page.on("console", lambda message: message.type in ("error", "warning") and page.trouble.append(message.text))
    page.on("pageerror", lambda error: page.trouble.append(str(error)))
    page.on("response", lambda answer: page.trouble.append(f"{answer.status} {answer.url}") if answer.status >= 400 else None)
    page.on("requestfailed", lambda request: request.failure == "net::ERR_ABORTED" or page.trouble.append(f"failed: {request.url}"))

    def gate(route):
        if route.request.url.startswith((base, "data:", "blob:")):
            return route.continue_()
        page.trouble.append(f"another origin: {route.request.url}")
        route.abort()

    context.route("**/*", gate)
    return page


def open_ready(page, url: str, wait_until: str = "load"):
    """Go there and wait until every control of the page is alive."""
    page.goto(url, wait_until=wait_until)
    page.wait_for_function("document.querySelectorAll('[data-module]:not([data-ready])').length === 0")
