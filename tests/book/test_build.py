"""What the book's build promises: what it collects, what it refuses, what it runs again.

A build takes some ten seconds, so one book lives through four of them and each test looks at one.
"""

import json

import pytest

from .sample import CHAPTER, Book


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The name of each build -> (succeeded, what it printed), with the book as the first build left it."""
    book = Book(tmp_path_factory.mktemp("book"))
    builds = {"first": book.build()}
    pages = {name: book.page(name) for name in ("book/01_one.html", "book/questions.html", "_sources/book/01_one.ipynb")}
    book.write("index.md", "# Home, sweet home\n")
    builds["another page changed"] = book.build()
    write_all_that_is_wrong(book)
    builds["words changed, all wrong"] = book.build()
    book.write("book/01_one.md", CHAPTER.replace("keep(2)", "keep(2) / nothing"))
    builds["a cell fails"] = book.build()
    return builds, pages


def test_a_good_book_builds_and_its_questions_page_lists_the_answer(built):
    builds, pages = built
    good, log = builds["first"]
    assert good, log
    page = pages["book/questions.html"]
    assert 'href="01_one.html#q-why"' in page and "Why is that so?" in page and "Because" in page
    assert "1 more rows wait" in page
    assert 'class="mt-answer' in pages["book/01_one.html"]


def test_a_page_offers_its_notebook_without_outputs(built):
    _, pages = built
    notebook = json.loads(pages["_sources/book/01_one.ipynb"])
    assert [cell["outputs"] for cell in notebook["cells"] if cell["cell_type"] == "code"] == [[]]
    assert "_sources/book/01_one.ipynb" in pages["book/01_one.html"]


def test_an_unchanged_chapter_is_not_read_changed_words_run_nothing_a_changed_cell_runs(built):
    builds, _ = built
    assert "1 of 1: book/01_one.md ran" in builds["first"][1]
    assert "Executing" not in builds["first"][1]  # what was run ahead is what myst-nb looks for
    good, log = builds["another page changed"]
    assert good and "Using cached notebook" not in log and " ran, " not in log
    _, log = builds["words changed, all wrong"]
    assert "Using cached notebook" in log and " ran, " not in log
    assert "1 of 1: book/01_one.md failed" in builds["a cell fails"][1]


def test_everything_that_is_wrong_is_said_and_ends_the_build(built):
    builds, _ = built
    good, log = builds["words changed, all wrong"]
    assert not good
    for line in ("row q-why is answered twice", "the ledger has no row 'q-nowhere'", "claim c-bare lacks :says:",
                 "a quiz needs options, one of them right", "answer s-long has 51 words, 50 at most",
                 "row q-lost has no target (q-lost)= in its chapter", "row q-lost has no answer in its chapter"):  # fmt: skip
        assert line in log, log


def test_a_cell_that_fails_ends_the_build(built):
    builds, _ = built
    good, log = builds["a cell fails"]
    assert not good and "NameError" in log


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
