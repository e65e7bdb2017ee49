"""What the book's build promises: what it collects, what it refuses, what it runs again.

A build takes some ten seconds, so one book lives through four of them, each a fixture that begins where the one before ended.
"""

import json
import re

import pytest

from .sample import CHAPTER, Book


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    return Book(tmp_path_factory.mktemp("book"))


@pytest.fixture(scope="module")
def first(book):
    """(succeeded, what it printed), and pages as this build left them."""
    built = book.build()
    pages = ("book/01_one.html", "book/questions.html", "index.html", "_sources/book/01_one.ipynb")
    return *built, {name: book.page(name) for name in pages}


@pytest.fixture(scope="module")
def another_page_changed(book, first):
    """After a build that was killed while it wrote a page."""
    book.write("index.md", "# Home, sweet home\n")
    book.write("_build/html/book/questions.html", "<!doctype html><title>Ques")
    book.write("_build/unfinished", "")
    return book.build()


@pytest.fixture(scope="module")
def words_changed_all_wrong(book, another_page_changed):
    write_all_that_is_wrong(book)
    return book.build()


@pytest.fixture(scope="module")
def a_cell_fails(book, words_changed_all_wrong):
    book.write("book/01_one.md", CHAPTER.replace("keep(2)", "keep(2) / nothing"))
    return book.build()


def test_a_good_book_builds_and_its_questions_page_lists_the_answer(first):
    good, log, pages = first
    assert good, log
    page = pages["book/questions.html"]
    assert 'href="01_one.html#q-why"' in page and "Why is that so?" in page and "Because" in page
    assert "1 more rows wait" in page
    assert 'class="mt-answer' in pages["book/01_one.html"]


def test_a_page_offers_its_notebook_without_outputs(first):
    *_, pages = first
    notebook = json.loads(pages["_sources/book/01_one.ipynb"])
    assert [cell["outputs"] for cell in notebook["cells"] if cell["cell_type"] == "code"] == [[]]
    assert "_sources/book/01_one.ipynb" in pages["book/01_one.html"]


def test_with_a_repository_a_page_opens_in_colab_and_binder_and_what_colab_opens_installs_the_package(book, first):
    *_, pages = first
    hrefs = re.findall(r'href="(https://[^"]*(?:colab|mybinder)[^"]*)"', pages["book/01_one.html"])
    assert hrefs == ["https://colab.research.google.com/github/someone/course/blob/notebooks/book/01_one.ipynb",
                     "https://mybinder.org/v2/gh/someone/course/main?urlpath=lab/tree/book/01_one.md"]  # fmt: skip
    assert "colab" not in pages["index.html"] and "colab" not in pages["book/questions.html"]  # nothing to run there
    cells = json.loads((book.folder / "_build/notebooks/book/01_one.ipynb").read_text("utf8"))["cells"]
    install = "".join(cells[1]["source"])
    assert "mastering-transformers[train] @ git+https://github.com/someone/course@main" in install and "mtlib fetch" not in install
    assert any("causal_keep" in "".join(cell["source"]) for cell in cells[2:])


def test_an_unchanged_chapter_is_not_read_again(first, another_page_changed):
    assert "1 of 1: book/01_one.md ran" in first[1]
    assert "Executing" not in first[1]  # what was run ahead is what myst-nb looks for
    good, log = another_page_changed
    assert good and "Using cached notebook" not in log and " ran, " not in log


def test_half_a_page_of_an_interrupted_build_is_written_again(book, first, another_page_changed):
    assert "cut short" in another_page_changed[1] and "cut short" not in first[1]
    article = lambda page: page[page.index("<article") : page.index("</article>")]  # noqa: E731
    assert article(book.page("book/questions.html")) == article(first[2]["book/questions.html"])
    assert not (book.folder / "_build/unfinished").exists()


def test_changed_words_run_nothing(words_changed_all_wrong):
    _, log = words_changed_all_wrong
    assert "Using cached notebook" in log and " ran, " not in log


def test_everything_that_is_wrong_is_said_and_ends_the_build(words_changed_all_wrong):
    good, log = words_changed_all_wrong
    assert not good
    for line in ("row q-why is answered twice", "the ledger has no row 'q-nowhere'", "claim c-bare lacks :says:",
                 "a quiz needs options, one of them right", "answer s-long has 51 words, 50 at most",
                 "row q-lost has no target (q-lost)= in its chapter", "row q-lost has no answer in its chapter"):  # fmt: skip
        assert line in log, log


def test_a_changed_cell_runs_and_one_that_fails_ends_the_build(a_cell_fails):
    good, log = a_cell_fails
    assert not good and "1 of 1: book/01_one.md failed" in log and "NameError" in log


def write_all_that_is_wrong(book):
    book.write("book/01_one.md", CHAPTER + """
:::{answer} q-why
Again.
:::

:::{answer} q-nowhere
What?
:::

:::{claim} c-bare
It is not so.
:::

:::{quiz} Which?
- [ ] one

  No.
- [ ] two

  No.
:::

:::{answer} s-long
""" + "word " * 51 + "\n:::\n")
    book.rows(["q-why", "question", "01_one", "Why?"], ["q-lost", "question", "01_one", "Lost?"],
              ["s-long", "section", "01_one", "Long."], ["c-bare", "claim", "01_one", "Bare."])  # fmt: skip
