"""TOML tables held against what takes them: a wrong key or value gets one line that names it and what would be right."""

import difflib
import tomllib
import types
import typing
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

WORDS = {int: "a whole number", float: "a number", str: "a word in quotes", bool: "true or false"}


class RecipeError(ValueError):
    """A recipe that cannot be read or does not fit what it describes."""


def read_toml(path: Path) -> dict[str, Any]:
    """The tables of a file; RecipeError, in one line, for a file that is not there or not TOML."""
    try:
        return tomllib.loads(path.read_text("utf8"))
    except OSError as error:
        raise RecipeError(f"{path} cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RecipeError(f"{path} is not TOML: {error}") from None


def override(tables: Mapping[str, Any], words: Sequence[str]) -> dict[str, Any]:
    """The tables with ``train.steps=10`` and the like put in; a value is read as TOML, else as a word."""
    out = {name: dict(table) if isinstance(table, Mapping) else table for name, table in tables.items()}
    for word in words:
        path, equals, value = word.partition("=")
        *way, key = path.split(".")
        if not equals or not way:
            raise RecipeError(f"{word!r} must be table.key=value, such as train.steps=100")
        place = out
        for step in way:
            place[step] = dict(place[step]) if isinstance(place.get(step), Mapping) else {}
            place = place[step]
        try:
            place[key] = tomllib.loads(f"value = {value}")["value"]
        except tomllib.TOMLDecodeError:
            place[key] = value
    return out


def known(names: Sequence[str], table: Mapping[str, Any], where: str) -> None:
    """Every key of `table` is among `names`."""
    for key in table:
        if key not in names:
            near = difflib.get_close_matches(key, names, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(names)}"
            raise RecipeError(f"{where} has no key {key!r}; {hint}")


def values(hints: Mapping[str, Any], table: Mapping[str, Any], where: str) -> dict[str, Any]:
    """`table` with each value of the type that `hints` gives its key; lists become tuples, "none" becomes None."""
    known(list(hints), table, where)
    return {key: _value(hints[key], value, f"{where}, {key}") for key, value in table.items()}


def _value(hint: Any, value: Any, where: str) -> Any:
    kind, inside = get_origin(hint), get_args(hint)
    if kind in (Union, types.UnionType):
        if type(None) in inside and value == "none":
            return None
        return _value(next(h for h in inside if h is not type(None)), value, where)
    if kind is Literal:
        if value not in inside:
            raise RecipeError(f"{where} is {value!r}; it must be one of: {', '.join(map(str, inside))}")
        return value
    if kind is tuple:
        if not isinstance(value, (list, tuple)) or (Ellipsis not in inside and len(value) != len(inside)):
            raise RecipeError(f"{where} is {value!r}; it must be a list of {len(inside)} numbers")
        return tuple(_value(inside[0], item, where) for item in value)
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if hint in WORDS and type(value) is not hint:
        raise RecipeError(f"{where} is {value!r}; it must be {WORDS[hint]}")
    return value


def made(kind: type, table: Mapping[str, Any], where: str) -> Any:
    """A dataclass from its table; what the class itself refuses is said with the place."""
    given = values(typing.get_type_hints(kind), table, where)
    try:
        return kind(**given)
    except TypeError as error:  # a field without a default: "missing 1 required keyword-only argument: 'steps'"
        raise RecipeError(f"{where} lacks {str(error).partition(': ')[2]}") from None
    except ValueError as error:
        raise RecipeError(f"{where}: {error}") from None
