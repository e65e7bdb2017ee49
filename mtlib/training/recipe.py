"""A run as a file: configs/NAME.toml, read into records and built into a model and its data.

    [model]        kind, sizes, and [model.parts]; vocab, max_len and n_classes are the data's unless given;
                   start, a folder that `mtlib train` made, whose weights it begins with
    [data]         name, and that source's own options
    [train]        TrainConfig
    [distributed]  mode, "ddp" or "fsdp", where torchrun starts several processes
"""

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, get_type_hints

import torch
from torch import nn

from ..cores import use_fused
from . import models
from .checkpoint import plain
from .config import TrainConfig
from .distributed import DistributedConfig
from .sources import source
from .tables import RecipeError, known, made, override, read_toml, values

if TYPE_CHECKING:
    from ..data import Data

TABLES = ("model", "data", "train", "distributed")


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """What a file says, checked. model and data are tables whose keys are known; see models.KINDS and mtlib.data."""

    name: str
    model: Mapping[str, Any]
    data: Mapping[str, Any]
    train: TrainConfig
    distributed: DistributedConfig

    def as_tables(self) -> dict[str, Any]:
        """Back to what a TOML or JSON file can hold."""
        tables = {name: _plain(getattr(self, name)) for name in TABLES}
        return {"name": self.name, **plain(tables)}


class Built(NamedTuple):
    """A recipe's model, before training, and its data."""

    model: nn.Module
    data: "Data"


def read(path: str | Path, overrides: Sequence[str] = ()) -> Recipe:
    """The recipe of a TOML file, with overrides such as ``train.steps=10``; RecipeError, in one line."""
    path = Path(path)
    return from_tables(override(read_toml(path), overrides), path.stem, str(path))


def from_tables(tables: Mapping[str, Any], name: str, file: str) -> Recipe:
    """The recipe of tables; `file` is who is named in errors."""
    known(TABLES, tables, file)
    for table in TABLES[:3]:
        if not isinstance(tables.get(table), Mapping):
            raise RecipeError(f"{file} has no table [{table}]")
    return Recipe(
        name=name,
        model=models.checked(tables["model"], f"{file}, [model]"),
        data=_data(tables["data"], f"{file}, [data]"),
        train=made(TrainConfig, tables["train"], f"{file}, [train]"),
        distributed=made(DistributedConfig, tables.get("distributed", {}), f"{file}, [distributed]"),
    )


def build(recipe: Recipe, *, device: str | torch.device = "cpu") -> Built:
    """The data, then a model that fits them, its weights drawn from the recipe's seed; its cores are the fast ones."""
    options = dict(recipe.data)
    cls = source(options.pop("name"), recipe.name)
    try:
        data = cls(**options)
    except (ValueError, TypeError) as error:  # a value that does not fit, or an option that must be given
        raise RecipeError(f"{recipe.name}, [data]: {error}") from None
    with torch.random.fork_rng([]):
        torch.default_generator.manual_seed(recipe.train.seed)
        model = models.build(recipe.model, f"{recipe.name}, [model]", data)
    return Built(use_fused(model).to(device), data)


def _data(table: Mapping[str, Any], where: str) -> dict[str, Any]:
    options = dict(table)
    cls = source(options.pop("name", None), where)
    hints = get_type_hints(cls.__init__)
    hints = {name: hints.get(name, Any) for name in inspect.signature(cls).parameters}
    return {"name": table["name"], **values(hints, options, where)}


def _plain(table: Any) -> Any:
    if is_dataclass(table):
        table = asdict(table)  # type: ignore[arg-type]
    return {key: asdict(value) if is_dataclass(value) else "none" if value is None else value for key, value in table.items()}  # type: ignore[arg-type]
