"""`mtlib grade`, from the command line: what it says, in which form, and with which exit status."""

import csv
import io
import json

import pytest

from mtlib import cli, exercises
from mtlib.grading import sandbox
from mtlib.grading.grade import files_of

from .notebook import ANSWERS, CAUSAL, CHECK, IMPORTS, PADDING, SCORES, with_answers, write

MINE = tuple(ANSWERS)


@pytest.fixture(scope="module")
def nursery():
    nursery = sandbox.Nursery()
    yield nursery
    nursery.close()


@pytest.fixture(autouse=True)
def three_exercises(monkeypatch, nursery):
    mine = tuple(map(exercises.find, MINE))
    monkeypatch.setattr(exercises, "of_chapter", lambda chapter: mine if chapter == "06_attention" else ())
    monkeypatch.setattr("mtlib.grading.grade_cli.Nursery", lambda training: nursery)
    monkeypatch.setattr(nursery, "close", lambda: None)


@pytest.fixture
def graded(capsys):
    def run(*arguments):
        status = cli.main(["grade", *map(str, arguments), "--seed", "1"])
        return status, capsys.readouterr()

    return run


@pytest.fixture
def folder(tmp_path):
    """Submissions as they come."""
    with_answers(tmp_path / "a_right.ipynb")
    with_answers(tmp_path / "b_wrong.ipynb", scores="def scores(q, k):\n    return q @ k.mT")
    (tmp_path / "c_broken.ipynb").write_text('{"cells": [', encoding="utf-8")
    write(tmp_path / "d_empty.ipynb")
    return tmp_path


def test_a_right_notebook_earns_all_and_exit_status_0(graded, folder):
    status, said = graded(folder / "a_right.ipynb")
    assert status == 0
    assert "20 of 20 points, 100%, passed" in said.out and "✓ attention.causal_keep" in said.out


def test_a_wrong_one_is_told_the_mistake_and_the_smallest_case(graded, folder):
    status, said = graded(folder / "b_wrong.ipynb")
    assert status == 1
    assert "13 of 20 points, 65%, below 100%" in said.out
    assert "This is the plain dot product, without the division by √d_k." in said.out
    assert "expected" in said.out and "✗ leading axes" in said.out
    assert graded(folder / "b_wrong.ipynb", "--pass-mark", "60")[0] == 0


def test_a_folder_is_graded_whole_and_bad_files_cost_their_owners_only(graded, folder):
    status, said = graded(folder, "-j", "2", "--chapter", "06_attention", "--json")
    rows = {row["file"].rpartition("/")[2]: row for row in json.loads(said.out)["files"]}
    assert status == 1
    assert {name: (row["earned"], row["points"]) for name, row in rows.items()} == {
        "a_right.ipynb": (20, 20), "b_wrong.ipynb": (13, 20), "c_broken.ipynb": (0, 20), "d_empty.ipynb": (0, 20),
    }  # fmt: skip
    assert "broken JSON" in rows["c_broken.ipynb"]["notes"][0]
    assert "there is no scores in the notebook" in rows["d_empty.ipynb"]["marks"][0]["message"]
    assert "4/4" in said.err  # the progress bar


def test_every_form_says_the_same(graded, folder):
    graded(folder, "--chapter", "06_attention", "--json", "--csv", "--html", "-o", folder / "report")
    told = json.loads((folder / "report.json").read_text(encoding="utf-8"))["files"]
    rows = list(csv.DictReader(io.StringIO((folder / "report.csv").read_text(encoding="utf-8"))))
    page = (folder / "report.html").read_text(encoding="utf-8")
    for sheet in told:
        assert sum(int(row["earned"]) for row in rows if row["file"] == sheet["file"]) == sheet["earned"]
        assert f"{sheet['earned']}/{sheet['points']}" in page
    assert "http" not in page and "<script src" not in page


def test_gradescopes_results_hold_a_test_for_each_property(graded, folder):
    status, said = graded(folder / "b_wrong.ipynb", "--gradescope")
    results = json.loads(said.out)
    assert (results["score"], sum(test["max_score"] for test in results["tests"])) == (13, 20)
    failed = [test for test in results["tests"] if test["status"] == "failed"]
    assert [test["name"] for test in failed] == ["attention.scores: values", "attention.scores: leading axes"]
    assert "smallest case" in failed[0]["output"]


def test_what_strangers_write_is_text_in_every_form(graded, tmp_path):
    evil = '</pre><script>alert(1)</script>\\x1b[2J'
    path = with_answers(tmp_path / "=1+1<b>.ipynb", scores=f"def scores(q, k):\n    raise KeyError('{evil}')")
    graded(path, "--chapter", "06_attention", "--csv", "--html", "-o", tmp_path / "r")
    page, table = ((tmp_path / f"r.{form}").read_text(encoding="utf-8") for form in ("html", "csv"))
    assert "alert(1)" in page and "<script>alert" not in page and "<b>" not in page
    assert "\x1b" not in graded(path, "--chapter", "06_attention")[1].out + table


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("nowhere.ipynb",), "there is no nowhere.ipynb"),
        ((".", "-j", "0"), "at least one at a time"),
        ((".", "--json", "--csv"), "need -o NAME"),
        ((".", "--chapter", "99"), "no chapter '99'"),
    ],
)
def test_a_wrong_call_is_one_line_and_exit_status_2(graded, folder, monkeypatch, arguments, says):
    monkeypatch.chdir(folder)
    status, said = graded(*arguments)
    assert status == 2 and says in said.err and len(said.err.splitlines()) == 1


def test_a_notebook_of_a_hundred_megabytes_of_output_is_graded(graded, tmp_path):
    path = with_answers(tmp_path / "n.ipynb")
    book = json.loads(path.read_text())
    book["cells"][0]["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "x" * 100_000_000}]
    path.write_text(json.dumps(book))
    assert graded(path)[0] == 0


def test_cells_out_of_order_and_checks_edited_or_gone_keep_their_points(graded, tmp_path):
    orders = {
        "reversed": (CHECK, PADDING, CAUSAL, SCORES, IMPORTS),
        "checks edited": (IMPORTS, SCORES, 'check("attention.scores", lambda q, k: 1)', CAUSAL, PADDING),
        "ids changed": (IMPORTS, SCORES, 'check("attention.easy", scores)', CAUSAL, PADDING),
    }
    for name, cells in orders.items():
        status, said = graded(write(tmp_path / f"{name}.ipynb", *cells))
        assert status == 0, (name, said.out)


def test_a_folder_gives_each_notebook_once_and_no_checkpoints(folder):
    (folder / ".ipynb_checkpoints").mkdir()
    with_answers(folder / ".ipynb_checkpoints" / "a.ipynb")
    assert [p.name[0] for p in files_of([str(folder), str(folder / "a_right.ipynb")])] == ["a", "b", "c", "d"]


def test_mistakes_in_a_class_and_at_two_things_at_once_are_named_from_afar(nursery, tmp_path, monkeypatch):
    layer = """class MultiHeadAttention(nn.Module):
    def __init__(self, d_model, n_heads):
        super().__init__()
        if d_model % n_heads: raise ValueError("uneven")
        self.h = n_heads
        self.q_proj, self.k_proj, self.v_proj, self.o_proj = (nn.Linear(d_model, d_model) for _ in range(4))
    def forward(self, x, context=None, keep=None):
        y = x if context is None else context
        q, k, v = (p.unflatten(-1, (self.h, -1)).transpose(1, 2) for p in (self.q_proj(x), self.k_proj(y), self.v_proj(y)))
        s = q @ k.mT
        if keep is not None: s = s.masked_fill(~keep, -math.inf)
        w = s.softmax(-1)
        if keep is not None: w = w.masked_fill(~keep, 0.0)
        return self.o_proj((w @ v).transpose(1, 2).flatten(-2))"""
    monkeypatch.setattr(exercises, "of_chapter", lambda chapter: (exercises.find("attention.multi_head"),))
    from mtlib.grading.grade import grade_file

    (mark,) = grade_file(write(tmp_path / "n.ipynb", IMPORTS, layer), nursery, "06_attention", seed=1).marks
    assert mark.mistake == "attention without the division by √d_k" and 0 < mark.earned < mark.points
