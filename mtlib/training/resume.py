"""Whether a run that is kept is the run that is to go on."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from .checkpoint import plain
from .tables import RecipeError

MAY_DIFFER = {"train.eval_every", "train.save_every"}  # the weights do not depend on them
HELD_TO = ("train", "model", "data", "text")


def same_run(out: Path, was: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """RecipeError, in one line that names the first difference, where checkpoint `was` is of another recipe than `now`.

    Both are what a checkpoint says of its run: its tables, and the hash of its data.
    """
    before, today = (dict(_flat("", {key: about.get(key) for key in HELD_TO})) for about in (was, plain(now)))
    for name in sorted(before.keys() | today.keys()):
        if before.get(name) != today.get(name) and name not in MAY_DIFFER:
            raise RecipeError(f"{out} was begun with {name}={before.get(name)}, not {today.get(name)}: resume it as it was")


def _flat(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for key, inside in value.items():
            yield from _flat(f"{path}.{key}" if path else key, inside)
    else:
        yield path, value
