"""A chapter's key follows what the chapter reaches in mtlib, and nothing else."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mtbook import cache
from mtbook.source import python

from mtlib._reach import PACKAGE, everything, reached


def names(code):
    return {path.relative_to(PACKAGE).as_posix() for path in reached(code)}


def page(*cells):
    return "\n".join(["# Title", *(f"```{{code-cell}}\n{cell}\n```" for cell in cells), ""])


def test_a_public_name_leads_to_its_module_and_what_that_imports():
    assert "masks.py" in names("import mtlib as mt\nmt.causal_keep(3)")
    assert names("import mtlib as mt\nmt.MultiHeadAttention(4, 2)") >= {"attention.py", "trace.py"}


def test_what_is_not_used_is_not_in_the_key():
    reached = names("import mtlib as mt\nmt.causal_keep(3)")
    assert not reached & {"encoder.py", "cache.py", "pretrained.py", "__init__.py"}
    assert not any(name.startswith(("plot/", "widgets/", "grading/")) for name in reached)


@pytest.mark.parametrize("code", ["import mtlib\nmtlib.widgets.explore", "from mtlib import widgets", "from mtlib.widgets import explore"])
def test_controls_lead_to_figures_however_they_are_imported(code):
    assert names(code) >= {"widgets/explore.py", "widgets/static.py", "plot/svg.py", "plot/style.py"}
    assert not any(name.endswith((".js", ".css")) for name in names(code))


def test_an_exercise_named_by_its_id_leads_to_its_topic():
    reached = names('from mtlib.grading import check\ncheck("attention.scores", None)')
    assert {"grading/__init__.py", "exercises/__init__.py", "exercises/attention/__init__.py"} <= reached


def test_a_kept_run_named_in_a_string_leads_to_the_experiment():
    assert "experiments/two_jobs.py" in names('from mtlib.experiments import kept\nkept("two_jobs")')


@pytest.mark.parametrize("code", ["import mtlib as mt\nm = mt\nn = m\nn.causal_keep(3)", "import mtlib as mt\nm = n = mt\nn.causal_keep(3)"])
def test_another_name_for_mtlib_is_followed(code):
    assert "masks.py" in names(code) and "encoder.py" not in names(code)


@pytest.mark.parametrize("use", ["show(mt)", "getattr(mt, name)", "m: object = mt", "[mt]"])
def test_who_hands_mtlib_on_as_a_whole_reaches_all_of_it(use):
    assert reached(f"import mtlib as mt\n{use}") == everything()


def test_a_part_under_a_name_of_its_own_is_not_taken_for_the_whole():
    assert "encoder.py" not in names("import mtlib.masks as m\nprint(m)")


def test_a_star_is_refused():
    with pytest.raises(ValueError, match="write `import mtlib as mt`"):
        reached("from mtlib import *")


@pytest.mark.parametrize(
    "cell",
    [
        "%matplotlib inline\n!ls\nmt.causal_keep(3)",
        "mt.Encoder?\nmt.causal_keep(3)",
        "---\ntags: [hide-input]\n---\nmt.causal_keep(3)",
        ":tags: [hide-input]\n\nmt.causal_keep(3)",
        "rest = (10\n% 3)\nx = mt.causal_keep(3)[\n:, 0]",
        "%time mt.causal_keep(3)",
        "%timeit -n 5 mt.causal_keep(3)",
        "%%time\nmt.causal_keep(3)",
        "files = !ls\nmt.causal_keep(3)",
    ],
)
def test_cells_are_read_as_they_are_run(cell):
    assert names(python(page("import mtlib as mt", cell))) >= {"masks.py"}


@pytest.mark.parametrize("cell", ["this is no Python", "from mtlib import *"])
def test_a_cell_that_cannot_be_read_is_named_and_all_of_mtlib_counts(cell, monkeypatch):
    said = []
    monkeypatch.setattr(cache.log, "warning", lambda *args, location: said.append((args[0] % args[1:], location)))
    assert set(cache.counted(page(cell), "book/01_one")) >= set(everything())
    ((message, where),) = said
    assert "all of it counts" in message and where == "book/01_one"


def test_whatever_a_result_hangs_on_is_counted_with_its_version(monkeypatch):
    versions = {}
    monkeypatch.setattr(cache, "version", lambda name: versions.get(name, "1"))
    before = cache.digest([])
    for name in ("torch", "numpy", "matplotlib", "hypothesis", "tokenizers", "safetensors", "ipywidgets"):
        versions[name] = "2"
        assert cache.digest([]) != before, name
        versions.clear()


def test_the_extension_counts_every_file_of_its_own(monkeypatch, tmp_path):
    import mtbook

    before = mtbook.own_digest()
    for file in Path(mtbook.__file__).parent.glob("*.py"):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    monkeypatch.setattr(mtbook, "__file__", str(tmp_path / "__init__.py"))
    assert mtbook.own_digest() == before
    (tmp_path / "plain.py").write_text("changed")
    assert mtbook.own_digest() != before


def test_code_without_mtlib_reaches_nothing():
    assert names("import torch\ntorch.randn(3)") == set()


@given(st.lists(st.sampled_from(["title: A", "a: [1, 2]", "b: 'x: y'"]), unique=True))
def test_the_key_keeps_every_line_where_it_was(extra):
    class App:
        class env:
            note_dependency = staticmethod(lambda path: None)

    head = "\n".join(["---", *extra, "kernelspec:", "  name: python3", "  display_name: Python 3", "---", ""])
    source = [head + "# Title\n\n```{code-cell}\nimport mtlib as mt\n```\n"]
    before = source[0].split("\n")
    cache.key_source(App, "page", source)
    after = source[0].split("\n")
    assert "mtlib:" in source[0] and len(after) == len(before)
    assert after[len(extra) + 5 :] == before[len(extra) + 5 :]
