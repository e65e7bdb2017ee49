"""Reading a notebook that anyone may have written: nothing runs, and what its text gives away is seen."""

import json

import pytest

from mtlib import exercises
from mtlib.grading import submission
from mtlib.grading.grade import chapter_of
from mtlib.grading.submission import BadNotebook, Program, read

from .notebook import ANSWERS, CAUSAL, CHECK, IMPORTS, PADDING, SCORES, with_answers, write

MINE = tuple(ANSWERS)

# Notebooks as other people's programs save them.


def test_line_ends_marks_and_old_formats_are_read(tmp_path):
    path = with_answers(tmp_path / "n.ipynb")
    expected = [cell.source for cell in read(path)]
    path.write_bytes(path.read_bytes().replace(rb"\n", rb"\r\n"))
    assert [cell.source for cell in read(path)] == expected
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert [cell.source for cell in read(path)] == expected
    book = json.loads(path.read_text(encoding="utf-8-sig"))
    book["cells"] = [cell | {"source": cell["source"].splitlines(keepends=True)} for cell in book["cells"]]
    path.write_text(json.dumps(book))
    assert [cell.source for cell in read(path)] == expected
    old = [{"cell_type": "code", "input": cell["source"]} for cell in book["cells"]]
    path.write_text(json.dumps({"worksheets": [{"cells": old}], "nbformat": 3}))
    assert [cell.source for cell in read(path)] == expected


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "not a notebook"),
        ("[1, 2]", "no cells"),
        ('{"cells": 3}', "no cells"),
        ("[" * 100_000, "not a notebook"),
        ('{"cells": [], "metadata": {"kernelspec": {"language": "R"}}}', "for R, not for Python"),
    ],
)
def test_what_is_no_notebook_is_said(tmp_path, text, says):
    (tmp_path / "n.ipynb").write_text(text)
    with pytest.raises(BadNotebook, match=says):
        read(tmp_path / "n.ipynb")


def test_the_chapter_is_told_by_name_by_checks_or_by_functions(tmp_path):
    plain = Program(read(with_answers(tmp_path / "n.ipynb")))
    checked = Program(read(write(tmp_path / "c.ipynb", CHECK)))
    nothing = Program(read(write(tmp_path / "e.ipynb", "x = 1")))
    assert chapter_of(nothing, "alice_06_attention") == chapter_of(plain) == chapter_of(checked) == "06_attention"
    assert chapter_of(nothing) is None


# What the text of an answer gives away.


def refused(answer, *before, id="attention.causal_keep"):
    cells = [IMPORTS, *before, answer]
    program = Program([submission._cell(number, text) for number, text in enumerate(cells)])
    return program.refusal(exercises.find(id))


FORBIDDEN = {
    "mtlib by its module": ("def causal_keep(a, b):\n    return mt.causal_keep(a, b)", "import mtlib as mt"),
    "mtlib by name": ("def causal_keep(a, b):\n    return ck(a, b)", "from mtlib import causal_keep as ck"),
    "mtlib inside": ("def causal_keep(a, b):\n    import mtlib\n    return mtlib.causal_keep(a, b)",),
    "mtlib behind a helper": ("def causal_keep(a, b):\n    return h(a, b)", "import mtlib", "h = mtlib.causal_keep"),
}


@pytest.mark.parametrize("cells", FORBIDDEN.values(), ids=FORBIDDEN)
def test_an_answer_that_calls_mtlib_is_refused_by_its_text(cells):
    assert "is mtlib's own" in refused(*cells)


def test_what_an_answer_does_not_rest_on_may_use_mtlib():
    assert refused(CAUSAL, "import mtlib as mt", "weights = mt.causal_keep(1, 2)") == ""


def test_torchs_own_function_is_refused_by_its_text():
    answer = "def scaled_dot_product_attention(q, k, v, keep=None):\n    return F.scaled_dot_product_attention(q, k, v), None"
    assert "whole exercise" in refused(answer, "import torch.nn.functional as F", id="attention.scaled_dot_product")


def test_experiments_after_the_last_answer_are_not_run(tmp_path):
    program = Program(read(with_answers(tmp_path / "n.ipynb", "while True: pass", "x = scores(1, 2)")))
    needed = program.needed(tuple(map(exercises.find, MINE)))
    assert [cell.source for cell in needed] == [IMPORTS, SCORES, CAUSAL, PADDING]
