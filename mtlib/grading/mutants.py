"""Mutants: a right answer with one small thing changed. A check worth its name rejects every one of them.

`mutants_of(source)` changes one spot at a time, as a slip of the hand would: a comparison turned, a whole
number off by one, another operator, a `not` or `~` lost, an argument or an axis dropped, two operands swapped, a
statement gone. `survivors(exercise, source)` runs the exercise's checks over them. What survives is a hole in
the checks, or does the same thing as the original; the latter is listed with its reason in the topic's
`equivalent.py` and nowhere else.
"""

import ast
import copy
from collections.abc import Iterator
from dataclasses import dataclass

from .exercise import Exercise
from .run import passes

_COMPARE = {
    ast.Lt: (ast.LtE, ast.GtE), ast.LtE: (ast.Lt, ast.Gt), ast.Gt: (ast.GtE, ast.LtE), ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,), ast.NotEq: (ast.Eq,), ast.Is: (ast.IsNot,), ast.IsNot: (ast.Is,),
}  # fmt: skip
_OPERATE = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv, ast.MatMult: ast.Mult, ast.Pow: ast.Mult, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd,
}  # fmt: skip


@dataclass(frozen=True)
class Mutant:
    """One changed program, and what was changed where, in words that stay the same when lines move."""

    change: str
    source: str


def mutants_of(source: str) -> list[Mutant]:
    """Every program that differs from `source` in one spot; docstrings and error texts are left alone.

    >>> [m.change for m in mutants_of("def f(a):\\n    return a < 1")]
    ['f: no return a < 1', 'f: a < 1 -> a <= 1', 'f: a < 1 -> a >= 1', 'f: 1 -> 2 in a < 1', 'f: 1 -> 0 in a < 1']
    """
    tree = ast.parse(source)
    found: dict[str, Mutant] = {}
    for path, owner, context in _spots(tree):
        for change, replacement in _changes(_at(tree, path), context):
            mutated = copy.deepcopy(tree)
            _replace(mutated, path, replacement)
            text = ast.unparse(ast.fix_missing_locations(mutated))
            found.setdefault(text, Mutant(f"{owner}: {change}", text))  # two ways to the same program count once
    found.pop(ast.unparse(tree), None)
    return list(found.values())


def survivors(exercise: Exercise, mutants: list[Mutant], names: dict, seeds: tuple[int, ...] = (1,)) -> list[Mutant]:
    """The mutants that pass the exercise's checks with every seed. `names` is what their code may use."""
    return [mutant for mutant in mutants if all(_passes(exercise, mutant, names, seed) for seed in seeds)]


def _passes(exercise: Exercise, mutant: Mutant, names: dict, seed: int) -> bool:
    own = dict(names)
    try:
        exec(compile(mutant.source, "<mutant>", "exec"), own)
    except Exception:
        return False  # it does not even run: a learner would notice
    return passes(exercise, tuple(own[name] for name in exercise.answers), seed)


# A spot is a path of (field, index) steps from the root: positions in a tree that is copied for each mutant.


def _spots(tree: ast.AST) -> Iterator[tuple[tuple, str, str]]:
    """Every spot to change: its path, the function or class it is in, and the expression around it."""
    waiting: list = [((), tree, "", "")]
    while waiting:
        path, node, owner, context = waiting.pop(0)
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            owner = f"{owner}.{node.name}" if owner else node.name
        if isinstance(node, ast.Raise | ast.arguments) or _is_text(node):
            if isinstance(node, ast.Raise):
                yield path, owner, context
            continue
        yield path, owner, context
        inner = ast.unparse(node) if isinstance(node, ast.expr) and not isinstance(node, ast.Constant) else context
        for field, value in ast.iter_fields(node):
            for index, child in enumerate(value) if isinstance(value, list) else [(None, value)]:
                if isinstance(child, ast.AST):
                    waiting.append(((*path, (field, index)), child, owner, inner))


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _changes(node: ast.AST, context: str) -> Iterator[tuple[str, ast.AST | None]]:
    """What can be changed at one spot: words for it, and the node to put there (None: nothing)."""

    def turned(**fields) -> tuple[str, ast.AST]:
        new = copy.deepcopy(node)
        for name, value in fields.items():
            setattr(new, name, value)
        return f"{ast.unparse(node)} -> {ast.unparse(new)}", new

    match node:
        case ast.Compare():
            for i, old in enumerate(node.ops):
                for kind in _COMPARE.get(type(old), ()):
                    yield turned(ops=[*node.ops[:i], kind(), *node.ops[i + 1 :]])
        case ast.Constant(value=int() as number) if not isinstance(number, bool):
            for other in (number + 1, number - 1):
                yield f"{number} -> {other} in {context}", ast.Constant(other)
        case ast.Constant(value=bool() | float() as number):
            turn = (not number) if isinstance(number, bool) else number + 1.0
            yield f"{number} -> {turn} in {context}", ast.Constant(turn)
        case ast.BinOp():
            if type(node.op) in _OPERATE:
                yield turned(op=_OPERATE[type(node.op)]())
            yield turned(left=node.right, right=node.left)
        case ast.UnaryOp(operand=operand):
            yield f"{ast.unparse(node)} -> {ast.unparse(operand)}", operand
        case ast.Tuple(elts=[_, _, *_] as elements, ctx=ast.Load()):
            for i in range(len(elements)):
                yield turned(elts=[*elements[:i], *elements[i + 1 :]])
            yield turned(elts=elements[::-1])
        case ast.IfExp():
            yield turned(body=node.orelse, orelse=node.body)
        case ast.Call():
            for i in range(len(node.args)):
                yield turned(args=[*node.args[:i], *node.args[i + 1 :]])
            for i in range(len(node.keywords)):
                yield turned(keywords=[*node.keywords[:i], *node.keywords[i + 1 :]])
            if isinstance(node.func, ast.Attribute):  # x.transpose(1, 2) -> x
                yield f"{ast.unparse(node)} -> {ast.unparse(node.func.value)}", node.func.value
        case ast.stmt() if not isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Import | ast.ImportFrom):
            yield f"no {ast.unparse(node).splitlines()[0]}", ast.Pass()


def _at(tree: ast.AST, path: tuple) -> ast.AST:
    for field, index in path:
        value = getattr(tree, field)
        tree = value if index is None else value[index]
    return tree


def _replace(tree: ast.AST, path: tuple, new: ast.AST | None) -> None:
    *way, (field, index) = path
    parent = _at(tree, tuple(way))
    if index is None:
        setattr(parent, field, new)
    else:
        getattr(parent, field)[index] = new
