"""Reading a notebook that anyone may have written: its cells, its chapter, and what its text says of an answer.

Nothing of it runs here. A file that is no notebook raises `BadNotebook`, whose message is for its owner.
"""

import ast
import json
import re
import symtable
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from .exercise import Exercise

LARGEST = 256 << 20  # bytes of a file; outputs can be large, and are not looked at


class BadNotebook(Exception):
    """The file cannot be graded; the message says why."""


class Cell(NamedTuple):
    """A code cell: its name, as messages have it, its text, and its syntax tree where it has one."""

    name: str
    source: str
    tree: ast.Module | None


def read(path: Path) -> list[Cell]:
    """The code cells of a notebook, magics taken out. Raises BadNotebook."""
    try:
        if path.stat().st_size > LARGEST:
            raise BadNotebook(f"{path.name} has more than {LARGEST >> 20} MB; clear its outputs and save it again")
        book = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise BadNotebook(f"{path.name} cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError):
        raise BadNotebook(f"{path.name} is not a notebook: broken JSON, or not JSON at all") from None
    try:
        language = (book.get("metadata") or {}).get("kernelspec", {}).get("language", "python")
        if str(language).lower() not in ("python", "ipython", ""):
            raise BadNotebook(f"{path.name} is a notebook for {str(language)[:20]}, not for Python")
        sheets = book.get("worksheets") or [book]  # as format 3 had it
        cells = [cell for sheet in sheets for cell in sheet["cells"]]
        sources = [cell.get("source", cell.get("input", "")) for cell in cells if cell.get("cell_type") == "code"]
        texts = [source if isinstance(source, str) else "".join(source) for source in sources]
    except (AttributeError, KeyError, TypeError):
        raise BadNotebook(f"{path.name} is JSON, but no notebook: it has no cells") from None
    return [_cell(number, text) for number, text in enumerate(texts, 1)]


def _cell(number: int, text: str) -> Cell:
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")
    for source in (text, without_magics(text)):
        try:
            return Cell(f"code cell {number}", source, ast.parse(source))
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue
    return Cell(f"code cell {number}", source, None)


def without_magics(text: str) -> str:
    """A cell's Python: lines that begin with %, ! or ? are left out, and the whole cell under %%bash and its kind.

    >>> without_magics("%%time\\nx = 1\\n!ls"), without_magics("%%bash\\nrm x")
    ('\\nx = 1\\n', '')
    """
    cell_magic = re.match(r"\s*%%(\w+)", text)
    if cell_magic and cell_magic[1] not in ("time", "timeit", "capture", "prun", "debug"):
        return ""
    return "\n".join("" if re.match(r"\s*[%!?]|.*=\s*[%!]\w|.*\w\?+\s*$", line) else line for line in text.split("\n"))


class Program:
    """What a notebook's text says: which cells bind which names, and what stands behind one."""

    def __init__(self, cells: list[Cell]):
        self.cells = cells
        self._bound: dict[str, list[ast.stmt]] = {}
        self.imports: dict[str, str] = {}  # name -> the dotted path it was imported from
        self._last: dict[str, int] = {}  # name -> the last cell that binds it
        for number, cell in enumerate(cells):
            for statement in cell.tree.body if cell.tree else ():
                for name in _binds(statement):
                    self._bound.setdefault(name, []).append(statement)
                    self._last[name] = number
            for node in ast.walk(cell.tree) if cell.tree else ():
                self.imports |= _imported(node)

    def behind(self, names: tuple[str, ...]) -> list[ast.stmt]:
        """The statements that an answer rests on: those that bind its name, those that bind what they use, and so on."""
        waiting, seen, found = list(names), set(names), []
        while waiting:
            for statement in self._bound.get(waiting.pop(), ()):
                found.append(statement)
                used = _uses(statement) - seen
                seen |= used
                waiting += used & self._bound.keys()
        return found

    def needed(self, exercises: tuple[Exercise, ...]) -> list[Cell]:
        """The cells up to the last that an answer rests on: experiments after that are nobody's business."""
        if any(cell.tree is None for cell in self.cells):
            return self.cells
        answers = [name for exercise in exercises for name in exercise.answers]
        rests_on = set(answers)
        for statement in self.behind(tuple(answers)):
            rests_on |= _uses(statement)
        last = max((self._last[name] for name in rests_on if name in self._last), default=len(self.cells) - 1)
        return self.cells[: last + 1]

    def names_for(self, exercise: Exercise) -> int:
        """How many of the exercise's answers the notebook binds."""
        return sum(name in self._bound for name in exercise.answers)

    def mentions(self) -> Counter:
        """Topics by how often `check` or `hint` names them."""
        found = re.findall(r"""(?:check|hint)\(\s*["'](\w+)\.""", "\n".join(cell.source for cell in self.cells))
        return Counter(found)

    def refusal(self, exercise: Exercise) -> str:
        """Why the text of an answer is refused: it calls what the exercise forbids, or mtlib. Else the empty string."""
        banned = {path.partition("(")[0] for path in exercise.forbid if "(" not in path}
        for statement in self.behind(exercise.answers):
            for path in self._paths(statement):
                if path in banned or any(path == ban.replace("torch.nn.functional", "torch") for ban in banned):
                    return f"{path} is the whole exercise; write what it does"
                home, _, name = path.partition(".")
                if home == "mtlib" and name and not name.startswith("grading") and not _allowed(path, exercise.allow):
                    return f"{path} is mtlib's own; write yours"
        return ""

    def _paths(self, statement: ast.stmt) -> Iterator[str]:
        """The dotted paths that a statement uses, with imported names written out."""
        for node in ast.walk(statement):
            if isinstance(node, ast.Name) and node.id in self.imports:
                yield self.imports[node.id]
            elif isinstance(node, ast.Attribute):
                root: ast.expr = node
                parts: list[str] = []
                while isinstance(root, ast.Attribute):
                    parts, root = [root.attr, *parts], root.value
                if isinstance(root, ast.Name) and root.id in self.imports:
                    yield ".".join([self.imports[root.id], *parts])
            elif isinstance(node, ast.Constant) and type(node.value) is str and node.value.startswith("torch."):
                yield node.value


def _allowed(path: str, allow: tuple[str, ...]) -> bool:
    return any(path == each or path.startswith(f"{each}.") for each in allow)


def _imported(node: ast.AST) -> dict[str, str]:
    if isinstance(node, ast.Import):
        return {each.asname or each.name.partition(".")[0]: each.name if each.asname else each.name.partition(".")[0]
                for each in node.names}  # fmt: skip
    if isinstance(node, ast.ImportFrom) and node.module:
        return {each.asname or each.name: f"{node.module}.{each.name}" for each in node.names}
    return {}


def _uses(statement: ast.stmt) -> set[str]:
    """The notebook's names that a statement reads, also from inside functions; their own locals are not among them."""
    waiting, names = [symtable.symtable(ast.unparse(statement), "", "exec")], set()
    while waiting:
        table = waiting.pop()
        own = table.get_type() != "module"
        names |= {s.get_name() for s in table.get_symbols() if s.is_referenced() and (s.is_global() or not own)}
        waiting += table.get_children()
    return names


def _binds(statement: ast.stmt) -> set[str]:
    """The names that a statement at the top of a cell binds."""
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return {statement.name}
    names = {node.id for node in ast.walk(statement) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    for node in ast.walk(statement):
        names |= _imported(node).keys()
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)  # under an `if` or a `try`
    return names
