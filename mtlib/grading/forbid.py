"""`forbid=`: what an exercise may not be answered with, such as the torch function that is the whole exercise.

Two looks, best effort both. `found` reads the compiled code for names that already mean the forbidden thing;
`blocked` replaces it in its module while the learner's code runs. Someone who wants to get round them can: `grade`
reads the notebook's text for them as well. `library_of` finds answers that are mtlib's own, or that call it.
"""

import contextlib
import pkgutil
from collections.abc import Callable, Iterator
from functools import cache
from types import CodeType, FunctionType, ModuleType
from typing import Any


class Forbidden(Exception):
    """Raised inside the learner's call when it reaches for what it should write."""


@cache
def _parse(entry: str) -> tuple[Any, str, str, str]:
    path, _, keyword = entry.partition("(")
    home, name = path.rsplit(".", 1)
    return pkgutil.resolve_name(home), name, path, keyword.rstrip(")")  # a module, or a class such as torch.Tensor


@contextlib.contextmanager
def blocked(forbid: tuple[str, ...]) -> Iterator[None]:
    """While it is open, calling what `forbid` names raises Forbidden."""
    undo = []
    try:
        for entry in forbid:
            home, name, path, keyword = _parse(entry)
            real, inherited = getattr(home, name), name not in vars(home)
            setattr(home, name, _refusal(real, path, keyword))
            undo.append((home, name, real, inherited))
        yield
    finally:
        for home, name, real, inherited in undo:
            if inherited:  # most methods of Tensor: what hid the real one goes
                delattr(home, name)
            else:
                setattr(home, name, real)


def _refusal(real: Callable, path: str, keyword: str) -> Callable:
    def refuse(*args, **kwargs):
        if keyword and not kwargs.get(keyword):
            return real(*args, **kwargs)
        what = f"{path}({keyword}=True)" if keyword else path
        raise Forbidden(f"{what} is the whole exercise; write what it does")

    return _Refused(refuse) if isinstance(real, type) else refuse


class _Refused:
    """In the place of a forbidden class: neither it nor what hangs on it, such as `from_pretrained`, can be called."""

    def __init__(self, refuse: Callable):
        self._refuse = refuse

    def __call__(self, *args, **kwargs):
        self._refuse()

    def __getattr__(self, name: str):
        self._refuse()


def found(answer: Callable, forbid: tuple[str, ...]) -> str | None:
    """The path of a forbidden thing that the answer's code already has a name for, or None."""
    banned = [_parse(entry) for entry in forbid]
    bases = answer.__mro__ if isinstance(answer, type) else (answer,)
    for value in (*bases, *(value for _, value in _used(answer))):
        for home, name, path, keyword in banned:
            if not keyword and value is getattr(home, name):
                return path
    return None


def library_of(answer: Any, allow: tuple[str, ...] = ()) -> str | None:
    """The name of what is mtlib's own in an answer: the answer itself, a class it is built on, or what its code
    calls, unless `allow` names it ("mtlib.trace"). Else None.

    >>> library_of(library_of), library_of(dict)
    ('library_of', None)
    """
    while True:  # a partial or a decorated function is what it wraps
        inner = getattr(answer, "func", None) or getattr(answer, "__wrapped__", None)
        if inner is None or isinstance(answer, type):
            break
        answer = inner
    for thing in answer.__mro__ if isinstance(answer, type) else (answer,):
        if _is_ours(thing):
            return getattr(thing, "__name__", type(thing).__name__)
    for name, value in _used(answer):
        if _is_ours(value) and f"mtlib.{getattr(value, '__name__', name)}" not in allow:
            return name
    return None


def _is_ours(thing: Any) -> bool:
    return str(getattr(thing, "__module__", "")).partition(".")[0] == "mtlib"


def _used(answer: Callable) -> Iterator[tuple[str, Any]]:
    """What the code of an answer names: globals, what hangs on mtlib, and so on through the learner's own functions."""
    waiting, seen = [answer], set()
    while waiting:
        thing = waiting.pop()
        if id(thing) in seen or _is_ours(thing):
            continue
        seen.add(id(thing))
        own = vars(thing).values() if isinstance(thing, type) else (thing,)
        for function in [getattr(f, "__func__", getattr(f, "fget", f)) for f in own]:
            if not isinstance(function, FunctionType):
                continue
            names = set(_names(function.__code__))
            for name in names & function.__globals__.keys():
                value = function.__globals__[name]
                if isinstance(value, ModuleType) and value.__name__.partition(".")[0] == "mtlib":
                    yield from ((n, vars(value)[n]) for n in names & vars(value).keys() if callable(vars(value)[n]))
                yield name, value
                if isinstance(value, FunctionType | type) and value.__module__ == thing.__module__:
                    waiting.append(value)


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):  # functions inside functions
            yield from _names(constant)
