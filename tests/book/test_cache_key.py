"""A chapter's key follows what the chapter reaches in mtlib, and nothing else."""

import importlib.util
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

EXT = Path(__file__).parents[2] / "book" / "_ext"


def load(name):
    spec = importlib.util.spec_from_file_location(f"mtbook_{name}", EXT / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


cache = load("cache")


def names(code):
    return {path.relative_to(cache.PACKAGE).as_posix() for path in cache.reached(code)}


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


def test_magics_are_no_python_and_do_not_stop_the_reading():
    assert "masks.py" in names("%matplotlib inline\n!ls\nimport mtlib as mt\nmt.causal_keep(3)")


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
