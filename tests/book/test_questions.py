"""What the questions page remembers, however Sphinx reads the book."""

from types import SimpleNamespace

from mtbook import questions


def read(*pages, **answers):
    env = SimpleNamespace()
    questions.pages(env).update(pages)
    questions.answers(env).update({row: (page, []) for row, page in answers.items()})
    return env


def test_what_a_parallel_reader_found_is_kept():
    env, other = read("book/old", q_a="book/01"), read("book/questions", "book/not-asked", q_b="book/02", q_c="book/03")
    questions.merge(None, env, {"book/questions", "book/02"}, other)
    assert questions.pages_to_write(None, env) == ["book/old", "book/questions"]
    assert set(questions.answers(env)) == {"q_a", "q_b"}


def test_a_page_that_is_gone_is_forgotten():
    env = read("book/questions", "book/gone", q_a="book/gone", q_b="book/02")
    questions.forget(None, env, "book/gone")
    assert questions.pages_to_write(None, env) == ["book/questions"]
    assert set(questions.answers(env)) == {"q_b"}


def test_a_book_that_never_lists_questions_has_nothing_to_write():
    assert questions.pages_to_write(None, SimpleNamespace()) == []
