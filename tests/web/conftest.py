"""One browser for all tests of a worker; each test gets a fresh context of it."""

import pytest
from playwright.sync_api import sync_playwright

from . import site


@pytest.fixture(scope="session")
def browser():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=site.chromium(), args=site.ARGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def base():
    """The site's address, as a folder: there a browser refuses more than over http, which test_pages asks too."""
    assert site.HTML.is_dir(), "no built book: run `make book` first"
    return site.HTML.as_uri()


@pytest.fixture
def page(browser, base):
    context = browser.new_context(viewport={"width": 1200, "height": 900})
    yield site.watch(context, base)
    context.close()
