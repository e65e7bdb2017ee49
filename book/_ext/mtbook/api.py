"""api: what a module of mtlib offers, from its source and nothing else.

    ```{api} mtlib.training
    ```

For each file what it says of itself, and for each public name of it a section: its signature as it is
written, shapes included, its docstring, and the documented methods of a class. The modules are read and not imported: a page costs no torch.
Public is what an __init__.py names `as` itself or lists in __all__, and in any other module what has
a name without an underscore. The examples are run by the package's tests.
"""

import ast
import inspect
import re
from pathlib import Path
from typing import NamedTuple

from docutils import nodes
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

PACKAGE = Path(__file__).parents[3] / "mtlib"
log = logging.getLogger(__name__)
_FIELDS = re.compile(r"(Args|Returns|Raises|Yields|Shapes):")
_WIDTH = 72


class Public(NamedTuple):
    name: str
    node: ast.AST
    source: Path

    @property
    def doc(self) -> str:
        is_value = isinstance(self.node, (ast.Assign, ast.AnnAssign))
        return "" if is_value else ast.get_docstring(self.node) or ""


def file_of(module: str) -> Path:
    """mtlib.data -> mtlib/data/__init__.py, mtlib.count -> mtlib/count.py."""
    path = PACKAGE.joinpath(*module.split(".")[1:])
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def public(module: str) -> list[Public]:
    """The public names of a module, in the order in which it has them."""
    path = file_of(module)
    tree = ast.parse(path.read_text("utf8"))
    listed = [ast.literal_eval(node.value) for node in tree.body if _assigned(node) == "__all__"]
    if listed:
        return [_find(name, path) for name in listed[0]]
    if path.name == "__init__.py":
        aliases = [alias for node in tree.body if isinstance(node, ast.ImportFrom) for alias in node.names]
        own = [node for node in tree.body if _assigned(node) not in (None, "__getattr__") or isinstance(node, ast.FunctionDef)]
        return [_find(alias.name, path) for alias in aliases if alias.name == alias.asname] + [
            _find(name, path) for name in map(_named, own) if not name.startswith("_")
        ]
    defined = [node for node in tree.body if isinstance(node, (ast.FunctionDef, ast.ClassDef))]
    return [Public(node.name, node, path) for node in defined if not node.name.startswith("_")]


def _named(node) -> str:
    return _assigned(node) or node.name


def _assigned(node) -> str | None:
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        return node.target.id
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
        return node.targets[0].id
    return None


def _find(name: str, path: Path) -> Public:
    """The definition of a name that this file defines or imports from a neighbour."""
    for node in ast.parse(path.read_text("utf8")).body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and node.name == name or _assigned(node) == name:
            return Public(name, node, path)
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Tuple):  # PAD, BOS = 0, 1
            for target, value in zip(node.targets[0].elts, getattr(node.value, "elts", ()), strict=False):
                if target.id == name:
                    return Public(name, ast.Assign([target], value, lineno=node.lineno), path)
        if isinstance(node, ast.ImportFrom) and name in [alias.asname or alias.name for alias in node.names]:
            folder = path.parents[node.level - 1]
            inner = folder.joinpath(*(node.module or "").split("."))
            return _find(name, inner / "__init__.py" if inner.is_dir() else inner.with_suffix(".py"))
    raise LookupError(f"{path.relative_to(PACKAGE.parent)} neither defines nor imports {name}")


def signature(item: Public) -> str:
    """As it is written in the source: a call for a function or a class, the value for anything else."""
    node = item.node
    if isinstance(node, ast.ClassDef):
        init = next((n for n in node.body if isinstance(n, ast.FunctionDef) and n.name == "__init__"), None)
        if init is not None:
            return _call(item.name, _arguments(init)[1:], None)
        fields = [ast.unparse(n) for n in node.body if isinstance(n, ast.AnnAssign)]
        return _call(item.name, fields, None)
    if isinstance(node, ast.FunctionDef):
        return _call(item.name, _arguments(node), node.returns)
    return inspect.cleandoc(ast.unparse(node))


def _arguments(function: ast.FunctionDef) -> list[str]:
    """One text an argument, the bare * and / as well."""
    given = function.args
    positional = [*given.posonlyargs, *given.args]
    defaults = [None] * (len(positional) - len(given.defaults)) + given.defaults
    texts = [_argument(*pair) for pair in zip(positional, defaults, strict=True)]
    if given.posonlyargs:
        texts.insert(len(given.posonlyargs), "/")
    if given.vararg or given.kwonlyargs:
        texts.append("*" + (_argument(given.vararg) if given.vararg else ""))
    texts += [_argument(*pair) for pair in zip(given.kwonlyargs, given.kw_defaults, strict=True)]
    return texts + (["**" + _argument(given.kwarg)] if given.kwarg else [])


def _argument(arg: ast.arg, default: ast.expr | None = None) -> str:
    if default is None:
        return ast.unparse(arg)
    return f"{ast.unparse(arg)}{' = ' if arg.annotation else '='}{ast.unparse(default)}"


def _call(name: str, arguments: list[str], returns) -> str:
    arrow = f" -> {ast.unparse(returns)}" if returns is not None else ""
    line = f"{name}({', '.join(arguments)}){arrow}"
    if len(line) <= _WIDTH:
        return line
    return f"{name}(\n" + "".join(f"    {text},\n" for text in arguments) + f"){arrow}"


def spoken(doc: str) -> list[nodes.Node]:
    """A docstring as nodes: paragraphs, formulas set apart by indenting, lists of arguments, examples."""
    found, chunk = [], []
    for line in [*doc.split("\n"), ""]:
        starts = line.startswith(">>>") and chunk and not chunk[0].startswith(">>>")
        turns = chunk and chunk[0][:1].strip() and line.startswith("    ") and not _apart(chunk[0])
        if chunk and (not line.strip() or starts or turns):
            found += _chunk(chunk)
            chunk = []
        if line.strip():
            chunk.append(line)
    return found


def _apart(first: str) -> bool:
    """Whether indented lines under this one belong to it."""
    return first.startswith(">>>") or bool(_FIELDS.fullmatch(first))


def _chunk(lines: list[str]) -> list[nodes.Node]:
    text = "\n".join(lines)
    if lines[0].startswith(">>>"):
        return [nodes.literal_block(text, text, language="pycon")]
    if lines[0].startswith(("    ", "|")):  # a table is set apart as well
        text = inspect.cleandoc(text)
        return [nodes.literal_block(text, text, language="text")]
    if _FIELDS.fullmatch(lines[0]):
        entries = re.split(r"\n(?=\S)", inspect.cleandoc("\n".join(["", *lines[1:]])))
        items = [nodes.list_item("", nodes.paragraph("", "", *inline(entry))) for entry in entries]
        return [nodes.paragraph("", "", nodes.strong("", lines[0])), nodes.bullet_list("", *items)]
    return [nodes.paragraph("", "", *inline(text))]


def inline(text: str) -> list[nodes.Node]:
    """Words, and code between backticks."""
    parts = re.split(r"(`+)(.+?)\1", " ".join(text.split()))
    made = []
    for at in range(0, len(parts), 3):
        made.append(nodes.Text(parts[at]))
        if at + 2 < len(parts):
            made.append(nodes.literal("", parts[at + 2]))
    return [node for node in made if node.astext()]


class Api(SphinxDirective):
    """A section for each public name of the module that the argument names."""

    required_arguments = 1

    def run(self):
        module, files = self.arguments[0], {}
        self.env.note_dependency(str(file_of(module)))
        for item in public(module):
            files.setdefault(item.source, []).append(item)
        return [self.file(module, path, items) for path, items in files.items()]

    def file(self, module: str, path: Path, items: list[Public]) -> nodes.section:
        """What a file says of itself, and its public names."""
        self.env.note_dependency(str(path))
        place = path.relative_to(PACKAGE).as_posix()
        made = nodes.section("", nodes.title(place, place), ids=[nodes.make_id(f"{module} {place}")], names=[f"{module} {place}"])
        made += spoken(ast.get_docstring(ast.parse(path.read_text("utf8"))) or "")
        made += [self.section(module, item) for item in items]
        return made

    def section(self, module: str, item: Public) -> nodes.section:
        name = f"{module}.{item.name}"
        if not item.doc and not isinstance(item.node, (ast.Assign, ast.AnnAssign)):
            log.warning("%s has no docstring", name, location=self.get_location())
        made = nodes.section("", nodes.title("", "", nodes.literal("", item.name)), ids=[name], names=[name.lower()])
        said = signature(item)
        made += nodes.literal_block(said, said, language="python")
        made += spoken(item.doc)
        if isinstance(item.node, ast.ClassDef):
            for method in item.node.body:
                if isinstance(method, ast.FunctionDef) and not method.name.startswith("_") and ast.get_docstring(method):
                    shown = _call("." + method.name, _arguments(method)[1:], method.returns)
                    made += nodes.literal_block(shown, shown, language="python", classes=["mt-method"])
                    made += nodes.container("", *spoken(ast.get_docstring(method)), classes=["mt-method"])
        return made


def setup(app):
    app.add_directive("api", Api)
