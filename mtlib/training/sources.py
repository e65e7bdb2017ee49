"""The data that a recipe can name. Each is loaded when it is asked for: some need a package of their own."""

from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType
from typing import Any

from .tables import RecipeError

SOURCES: Mapping[str, str] = MappingProxyType({
    "task": "tasks.Task",
    "induction": "repeats.Repeats",
    "dates": "dates.Dates",
    "sentiment": "sentiment.Sentiment",
    "intents": "intents.Intents",
    "requests": "requests.Requests",
    "digits": "digits.Digits",
    "documentation": "documentation.Documentation",
    "textfile": "textfile.TextFile",
})


def source(name: object, where: str) -> Any:
    """The class of mtlib.data by that name; RecipeError, in one line, for another."""
    if not isinstance(name, str) or name not in SOURCES:
        raise RecipeError(f"{where}, name is {name!r}; it must be one of: {', '.join(SOURCES)}")
    module, _, cls = SOURCES[name].rpartition(".")
    return getattr(import_module(f"mtlib.data.{module}" if "." not in module else module), cls)
