"""`forbid=`: what an exercise may not be answered with, such as the torch function that is the whole exercise.

Two looks, best effort both. `found` reads the compiled code for names that already mean the forbidden thing;
`blocked` replaces it in its module while the learner's code runs. Someone who wants to get round them can; a
score that counts will be computed elsewhere. `library_of` finds answers that are mtlib's own.
"""

import contextlib
import importlib
from collections.abc import Callable, Iterator
from functools import cache
from types import CodeType, FunctionType
from typing import Any


class Forbidden(Exception):
    """Raised inside the learner's call when it reaches for what it should write."""


@cache
def _parse(entry: str) -> tuple[Any, str, str, str]:
    path, _, keyword = entry.partition("(")
    module, name = path.rsplit(".", 1)
    return importlib.import_module(module), name, path, keyword.rstrip(")")


@contextlib.contextmanager
def blocked(forbid: tuple[str, ...]) -> Iterator[None]:
    """While it is open, calling what `forbid` names raises Forbidden."""
    undo = []
    try:
        for entry in forbid:
            home, name, path, keyword = _parse(entry)
            real = getattr(home, name)
            setattr(home, name, _refusal(real, path, keyword))
            undo.append((home, name, real))
        yield
    finally:
        for home, name, real in undo:
            setattr(home, name, real)


def _refusal(real: Callable, path: str, keyword: str) -> Callable:
    def refuse(*args, **kwargs):
        if keyword and not kwargs.get(keyword):
            return real(*args, **kwargs)
        what = f"{path}({keyword}=True)" if keyword else path
        raise Forbidden(f"{what} is the whole exercise; write what it does")

    return refuse


def found(answer: Callable, forbid: tuple[str, ...]) -> str | None:
    """The path of a forbidden thing that a name in `answer` already stands for, or None."""
    banned = []
    for entry in forbid:
        home, name, path, keyword = _parse(entry)
        if not keyword:
            banned.append((getattr(home, name), path))
    functions = [answer] if not isinstance(answer, type) else vars(answer).values()
    known = [(answer, answer)] if not isinstance(answer, type) else [(base, base) for base in answer.__mro__]
    for function in functions:
        if isinstance(function, FunctionType):
            names = set(_names(function.__code__))
            known += [(function.__globals__[name], name) for name in names if name in function.__globals__]
    for thing, path in banned:
        if any(value is thing for value, _ in known):
            return path
    return None


def library_of(answer: Any) -> str | None:
    """The name of what is mtlib's own in an answer: the answer itself, or a class it is built on. Else None.

    >>> library_of(library_of), library_of(dict)
    ('library_of', None)
    """
    while True:  # a partial or a decorated function is what it wraps
        inner = getattr(answer, "func", None) or getattr(answer, "__wrapped__", None)
        if inner is None or isinstance(answer, type):
            break
        answer = inner
    for thing in answer.__mro__ if isinstance(answer, type) else (answer,):
        if str(getattr(thing, "__module__", "")).partition(".")[0] == "mtlib":
            return getattr(thing, "__name__", type(thing).__name__)
    return None


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):  # functions inside functions
            yield from _names(constant)
