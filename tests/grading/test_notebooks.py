"""The notebooks are what their source says, the solutions pass, and the exercises come unsolved."""

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbmake.nb_run import NotebookRun

from mtlib.grading.notebooks import both, cells_of, main, notebook, unsolved

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted((ROOT / "solutions").glob("*.md"))
EACH = pytest.mark.parametrize("source", SOURCES, ids=[s.stem for s in SOURCES])


@EACH
def test_both_notebooks_are_up_to_date_with_their_source(source):
    for path, text in both(source).items():
        assert path.read_text(encoding="utf-8") == text, f"{path} is out of date; run `make exercises`"


@EACH
def test_the_notebooks_are_valid_and_the_exercise_holds_no_solution(source):
    solved, exercise = (nbformat.reads(text, 4) for text in both(source).values())
    nbformat.validate(solved)
    nbformat.validate(exercise)
    assert len({cell.id for cell in exercise.cells}) == len(exercise.cells)
    code = "\n".join(cell.source for cell in exercise.cells if cell.cell_type == "code")
    assert "# solution" not in code and "# end solution" not in code
    assert code.count("raise NotImplementedError") >= code.count("check(")


@pytest.fixture
def one_thread(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")  # kernels inherit it; tests run side by side already


def test_the_solutions_run_under_nbmake(one_thread):
    """One of them: all sixteen are pages of the book, whose build runs each and ends at the first error."""
    result = NotebookRun(ROOT / "solutions" / "10_dimensions.ipynb", default_timeout=120).execute()
    assert result.error is None, result.error.trace


def unsolved_notebook(stem):
    """It, up to its last check, and its cells with a check; what follows draws with what is not written yet."""
    notebook = nbformat.read(ROOT / "exercises" / f"{stem}.ipynb", 4)
    checks = [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.startswith("check(")]
    del notebook.cells[notebook.cells.index(checks[-1]) + 1 :]
    return notebook, checks


def test_every_check_of_an_unsolved_notebook_fails_without_a_traceback(one_thread):
    notebook, checks = unsolved_notebook("10_dimensions")
    NotebookClient(notebook, allow_errors=True, timeout=120).execute()
    errors = [[out for out in cell.outputs if out.output_type == "error"] for cell in checks]
    assert checks and all(len(found) == 1 for found in errors)
    for (error,) in errors:
        assert error.ename == "CheckFailed" and "not written yet" in "\n".join(error.traceback)
        assert "Traceback" not in "\n".join(error.traceback)


@EACH
def test_every_check_of_the_unsolved_notebook_fails(source, monkeypatch, tmp_path):
    """As above, its cells one after the other in this process; an error in one leaves the next to run."""
    monkeypatch.chdir(tmp_path)
    notebook, checks = unsolved_notebook(source.stem)
    here, failed = {"__name__": "__main__"}, []
    for cell in notebook.cells:
        if cell.cell_type == "code":
            try:
                exec(compile(cell.source, cell.id, "exec"), here)
            except Exception as error:
                failed.append((cell, error))
    found = {cell.id: error for cell, error in failed}
    for cell in checks:
        assert type(found[cell.id]).__name__ == "CheckFailed" and "not written yet" in str(found[cell.id])


def test_an_edit_is_noticed_and_mended(tmp_path, capsys):
    source = tmp_path / "solutions" / "01_small.md"
    source.parent.mkdir()
    source.write_text("# Solutions: small\n\n```{code-cell}\nx = 1\n```\n")
    folder = str(source.parent)
    assert main([folder, "--check"]) == 1
    assert main([folder]) == 0 and main([folder, "--check"]) == 0
    source.write_text(source.read_text() + "\nMore.\n")
    assert main([folder, "--check"]) == 1
    assert "out of date; run `make exercises`" in capsys.readouterr().out


@pytest.mark.parametrize("code", ["def f():\n    # solution\n    return 1", "def f():\n    return 1\n    # end solution"])
def test_a_marker_without_its_partner_stops_the_maker(code):
    with pytest.raises(ValueError, match="without"):
        unsolved(code)


def test_options_of_a_cell_are_options_and_no_code():
    short, long = ":tags: [hide-input]\n\nx = 1", "---\ntags: [a]\n---\ny = 2"
    text = f"Hi\n\n```{{code-cell}}\n{short}\n```\n\n```{{code-cell}}\n{long}\n```\n"
    cells = cells_of(text)
    assert [cell.source for cell in cells] == ["Hi", "x = 1", "y = 2"]
    assert [cell.options.get("tags") for cell in cells] == [None, ["hide-input"], ["a"]]
    assert nbformat.reads(notebook(cells), 4).cells[1].metadata == {"tags": ["hide-input"]}
