"""What the book's build promises: what it collects, what it refuses, what it runs again."""

import json


def test_a_good_book_builds_and_its_questions_page_lists_the_answer(book):
    good, log = book.build()
    assert good, log
    page = book.page("book/questions.html")
    assert 'href="01_one.html#q-why"' in page and "Why is that so?" in page and "Because" in page
    assert "1 more rows wait" in page
    assert 'class="mt-answer' in book.page("book/01_one.html")
    notebook = json.loads(book.page("_sources/book/01_one.ipynb"))
    assert [cell["outputs"] for cell in notebook["cells"] if cell["cell_type"] == "code"] == [[]]
    assert "_sources/book/01_one.ipynb" in book.page("book/01_one.html")


def test_an_unchanged_book_runs_nothing_and_a_changed_cell_runs_again(book):
    book.build()
    good, log = book.build()
    assert good and "Executing" not in log
    book.write("book/01_one.md", (book.folder / "book/01_one.md").read_text("utf8") + "\nMore words, no more code.\n")
    good, log = book.build()
    assert good and "Using cached notebook" in log and "Executing" not in log
    book.write("book/01_one.md", (book.folder / "book/01_one.md").read_text("utf8").replace("keep(2)", "keep(3)"))
    good, log = book.build()
    assert good and "Executing" in log


def test_everything_that_is_wrong_is_said_and_ends_the_build(book):
    text = (book.folder / "book/01_one.md").read_text("utf8")
    book.write("book/01_one.md", text + """
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
    good, log = book.build()
    assert not good
    for line in ("row q-why is answered twice", "the ledger has no row 'q-nowhere'", "claim c-bare lacks :says:",
                 "a quiz needs options, one of them right", "answer s-long has 51 words, 50 at most",
                 "row q-lost has no target (q-lost)= in its chapter", "row q-lost has no answer in its chapter"):  # fmt: skip
        assert line in log, log


def test_a_cell_that_fails_ends_the_build(book):
    book.write("book/01_one.md", (book.folder / "book/01_one.md").read_text("utf8").replace("keep(2)", "keep(2) / nothing"))
    good, log = book.build()
    assert not good and "NameError" in log
