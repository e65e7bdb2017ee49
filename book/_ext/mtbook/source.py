"""A chapter's text, read in one place: its cells by jupytext, its directives by MyST's own parser."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

import jupytext
import yaml
from IPython.core.inputtransformer2 import TransformerManager
from markdown_it.renderer import RendererHTML
from myst_parser.config.main import MdParserConfig
from myst_parser.parsers.mdit import create_md_parser
from nbformat import NotebookNode

_NAME = re.compile(r"\{([\w-]+)\}\s*(.*)")
_SETTING = re.compile(r":([\w-]+):\s*(.*)")
_FLAGS = re.compile(r"(-\w+\s+(\d+\s+)?)*")  # %timeit -n 5 …


class Directive(NamedTuple):
    """`start` and `end` are lines of the text it stands in, from 0, the end not included."""

    name: str
    argument: str
    options: dict[str, str]
    body: str
    start: int
    end: int


@cache
def _parser():
    return create_md_parser(MdParserConfig(enable_extensions={"colon_fence"}), RendererHTML)


def front_matter(text: str) -> tuple[dict, int]:
    """The settings above a page, and the number of lines they take."""
    first, *_ = _parser().parse(text) if text.startswith("---") else [None]
    if first is None or first.type != "front_matter":
        return {}, 0
    return yaml.safe_load(first.content) or {}, first.map[1]


def notebook(text: str) -> NotebookNode:
    """The page as a notebook: Markdown cells as they are written, code cells without their options."""
    return jupytext.reads(text, fmt="md:myst")


def directives(text: str) -> Iterator[Directive]:
    """Those of a Markdown cell that stand at the margin, in order."""
    for token in _parser().parse(text):
        found = _NAME.fullmatch(token.info.strip()) if token.type in ("fence", "colon_fence") and token.level == 0 else None
        if found:
            lines = token.content.split("\n")
            settings = []
            while lines and (setting := _SETTING.fullmatch(lines[0].rstrip())):
                settings.append(setting.groups())
                del lines[0]
            yield Directive(found[1], found[2], dict(settings), "\n".join(lines).strip(), *token.map)


def python(text: str) -> str:
    """All code cells of a page as plain Python, IPython's own ways of writing (`%time`, `!ls`, `x?`) turned into it.

    Raises SyntaxError when that is no Python.
    """
    cells = [cell.source for cell in notebook(text).cells if cell.cell_type == "code"]
    code = "\n".join(TransformerManager().transform_cell(cell) for cell in cells)
    return "\n".join([code, *_run_by_magics(code)])


def _run_by_magics(code: str) -> Iterator[str]:
    """What stands behind %time and its like: to Python the text of a call, and yet it is run."""
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") in ("run_line_magic", "run_cell_magic"):
            said = node.args[-1].value
            try:
                yield ast.unparse(ast.parse(said[_FLAGS.match(said).end() :]))
            except SyntaxError:  # %matplotlib inline: words, and no Python
                continue
