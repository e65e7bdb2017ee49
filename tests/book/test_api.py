"""The reference pages: every public name, as it is written."""

import ast
import re
from importlib import import_module
from pathlib import Path

import pytest
from docutils import nodes
from mtbook.api import public, signature, spoken

import mtlib

PAGES = Path(__file__).parents[2] / "book/reference"
MODULES = re.findall(r"^```\{api\} (\S+)$", "".join(page.read_text("utf8") for page in sorted(PAGES.glob("*.md"))), re.M)


def test_every_part_that_mtlib_names_has_its_place():
    internal = {"assets"}  # what `mtlib fetch` stands on; a user calls the command
    assert {f"mtlib.{part}" for part in mtlib._WHEN_USED - internal} | {"mtlib", "mtlib.browser", "mtlib.count", "mtlib.generation"} == set(MODULES)


@pytest.mark.parametrize("module", MODULES)
def test_what_is_listed_is_what_can_be_imported(module):
    found = public(module)
    assert found
    for item in found:
        thing = getattr(import_module(module), item.name)
        assert isinstance(item.node, (ast.Assign, ast.AnnAssign)) or thing.__doc__, f"{module}.{item.name} has no docstring"


def test_what_mtlib_hands_on_is_listed():
    handed = {name for name, thing in vars(mtlib).items() if getattr(thing, "__module__", "").startswith("mtlib.") and not name.startswith("_")}
    assert handed - {"import_module", "ModuleType"} <= {item.name for item in public("mtlib")}


def said(module, name):
    return signature(next(item for item in public(module) if item.name == name))


def test_a_signature_is_the_source_s():
    assert said("mtlib", "causal_keep").startswith("causal_keep(\n    T_q: int,\n    T_k: int | None = None,\n    *,\n")
    assert "\n    *,\n" in said("mtlib", "MultiHeadAttention") and "bias: bool = True" in said("mtlib", "MultiHeadAttention")
    assert "self" not in said("mtlib", "LayerNorm")
    assert said("mtlib.data", "PAD").startswith("PAD = ")


def test_a_docstring_becomes_words_formulas_and_examples():
    made = spoken("A `keep` mask.\n\n    q k / sqrt(E)\n\nArgs:\n    a: the first, which\n        goes on.\n    b: the second.\n\nSo:\n>>> 1 + 1\n2")
    assert [node.tagname for node in made] == ["paragraph", "literal_block", "paragraph", "bullet_list", "paragraph", "literal_block"]
    assert made[0].next_node(nodes.literal).astext() == "keep"
    assert [item.astext() for item in made[3]] == ["a: the first, which goes on.", "b: the second."]
    assert made[5]["language"] == "pycon"


UNTYPED = {"canvas", "show", "text_on", "to_svg"}  # of mtlib.plot: to be typed with the next `make runs`, which they would make stale


def unannotated(function: ast.FunctionDef, of_a_class: bool) -> list[str]:
    """Arguments without a type, and `return` where nothing says what comes back."""
    given = function.args
    arguments = [*given.posonlyargs, *given.args, *given.kwonlyargs, *filter(None, (given.vararg, given.kwarg))]
    bound = of_a_class and not any(isinstance(mark, ast.Name) and mark.id == "staticmethod" for mark in function.decorator_list)
    missing = [argument.arg for argument in arguments[bound:] if argument.annotation is None]
    return missing + ["return"] * (function.returns is None and function.name != "__init__")


@pytest.mark.parametrize("module", MODULES)
def test_every_public_signature_says_its_types(module):
    for item in public(module):
        if isinstance(item.node, ast.FunctionDef):
            assert not unannotated(item.node, False) or item.name in UNTYPED, item.name
        elif isinstance(item.node, ast.ClassDef):
            for method in item.node.body:
                if isinstance(method, ast.FunctionDef) and (method.name == "__init__" or not method.name.startswith("_")):
                    assert not unannotated(method, True), f"{item.name}.{method.name}"
