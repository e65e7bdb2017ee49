"""What stands behind the download button: plain Markdown, runnable as it is; and the time a chapter claims."""

import re
from pathlib import Path

import nbformat
import pytest
import yaml
from mtbook import lab
from mtbook.plain import plain
from mtbook.source import notebook
from nbclient import NotebookClient

ROOT = Path(__file__).parents[2]
TOC = yaml.safe_load((ROOT / "_toc.yml").read_text())
CHAPTERS = [c["file"] for part in TOC["parts"] if part["caption"] == "Chapters" for c in part["chapters"]]
WORDS_A_MINUTE, MINUTES_A_CONTROL, MINUTES_A_CELL = 200, 2, 0.3  # prose, a control, a cell of code not folded


@pytest.fixture(params=CHAPTERS)
def offered(request):
    return ROOT / "_build/html/_sources" / f"{request.param}.ipynb"


@pytest.mark.web
def test_the_offered_notebook_holds_nothing_that_only_the_book_understands(offered):
    for cell in nbformat.read(offered, 4).cells:
        assert not cell.get("outputs")
        if cell.cell_type == "markdown":
            assert not re.search(r"^:::|^`{3}\{|\{[\w:]+\}`|^\([\w-]+\)=|\]\(#", cell.source, re.M), cell.source


@pytest.mark.web
def test_the_offered_notebook_runs_the_code_that_the_build_ran(offered):
    """The build runs each chapter in an empty folder, which it must leave empty: what holds there holds for this."""
    chapter = ROOT / offered.relative_to(ROOT / "_build/html/_sources").with_suffix(".md")
    of = lambda notebook: [cell.source for cell in notebook.cells if cell.cell_type == "code"]  # noqa: E731
    assert of(nbformat.read(offered, 4)) == of(notebook(chapter.read_text("utf8")))


@pytest.mark.web
def test_the_offered_notebook_runs_live(tmp_path, monkeypatch):
    """One chapter for all: live and built controls share every frame, and differ in what shows it alone."""
    monkeypatch.delenv("MTLIB_STATIC", raising=False)
    notebook = nbformat.read(ROOT / "_build/html/_sources/book/05_statistics.ipynb", 4)
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(tmp_path)}}).execute()
    shown = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    live = [o for o in shown if "application/vnd.jupyter.widget-view+json" in o.get("data", {})]
    explored = sum("explore(" in cell.source for cell in notebook.cells if cell.cell_type == "code")
    assert len(live) == explored >= 3


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_the_reading_time_stated_is_the_reading_time_measured(chapter):
    text = (ROOT / f"{chapter}.md").read_text("utf8")
    cells = notebook(text).cells
    words = sum(len(cell.source.split()) for cell in cells if cell.cell_type == "markdown")
    code = [cell for cell in cells if cell.cell_type == "code"]
    shown = [cell for cell in code if "hide-input" not in cell.metadata.get("tags", [])]
    controls = sum(bool(re.search(r"^explore\($", cell.source, re.M)) for cell in code)
    minutes = words / WORDS_A_MINUTE + MINUTES_A_CONTROL * controls + MINUTES_A_CELL * len(shown)
    stated = int(re.search(r"\*\*It takes\*\* about (\d+) minutes", text)[1])
    assert stated == pytest.approx(minutes, rel=0.15)


def test_every_box_is_put_into_words(tmp_path):
    bibliography = tmp_path / "references.bib"
    bibliography.write_text("@book{a2020,\n  author = {Ahn, Kim and Bo, Li},\n  year = {2020}\n}\n")
    (tmp_path / "code.py").write_text("class Core:\n    def forward(self):\n        return 1\n")
    text = plain(
        "(here)=\n# Title\n:::{answer} q-a\nYes {cite}`a2020`.\n:::\n"
        ":::{claim} c-a\n:says: *no*\nMeasured: yes.\n:::\n"
        ":::{quiz} Is it?\n- [x] Yes\n\n  It is.\n- [ ] No\n\n  It is.\n:::\n"
        "```{literalinclude} code.py\n:pyobject: Core.forward\n```\n[above](#here), {cite:t}`a2020`",
        tmp_path, bibliography,
    )  # fmt: skip
    assert text.startswith("# Title\n> **In short.** Yes (Ahn and Bo 2020).")
    assert "> **The notes say** *no*\n>\n> **Measured here.** Measured: yes." in text
    assert "<details><summary>Yes</summary>\n\n**Right.** It is." in text and "**Not this one.** It is." in text
    assert "```python\ndef forward(self):\n    return 1\n```" in text
    assert text.endswith("above, Ahn and Bo 2020")


def test_the_labs_notebooks_fold_what_the_page_folds_link_to_each_other_and_stay_the_readers(tmp_path):
    written = lab.write(tmp_path)
    assert {Path(chapter).name for chapter in CHAPTERS} <= {out.stem for out in written}
    for out in written:
        cells = nbformat.read(out, 4).cells
        for cell in cells:
            assert cell.cell_type == "markdown" or cell.metadata.get("jupyter", {}).get("source_hidden", False) == ("hide-input" in cell.metadata.get("tags", []))
        links = [link for cell in cells if cell.cell_type == "markdown" for link in re.findall(r"\]\(([\w./]+\.(?:md|ipynb))\)", cell.source)]
        for link in links:
            beside = (out.parent / link).resolve()
            assert beside.is_file() or (ROOT / beside.relative_to(tmp_path.parent)).is_file(), (out.name, link)
    mine = tmp_path / "06_attention.ipynb"
    mine.write_text("what I wrote")
    (tmp_path / "07_residuals.ipynb").unlink()
    assert lab.write(tmp_path) == [tmp_path / "07_residuals.ipynb"] and mine.read_text() == "what I wrote"
