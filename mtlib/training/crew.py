"""Who trains: one process, or several that share every batch.

    mine(batch)          the rows of a batch that this process works on: r::n
    wrap(model)          the model, so that gradients are exchanged
    together(values)     the sum over all processes
    save, restore        the state of model and optimiser, on disk and back

ALONE is a crew of one, for which most of that is nothing at all; distributed.py has the others.
"""

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from . import checkpoint
from .checkpoint import Checkpoint
from .tables import RecipeError

MODEL, OPTIMISER, RECORD = "model.safetensors", "optimiser.safetensors", "record.safetensors"


class Alone:
    """One process."""

    rank, size = 0, 1

    def wrap(self, model: nn.Module) -> nn.Module:
        """What the update calls in place of the model."""
        return model

    def mine(self, x: Tensor) -> Tensor:
        """Every size-th row, from row `rank` on."""
        return x[self.rank :: self.size]

    def together(self, values: Tensor) -> Tensor:
        """The sum over all processes, the same in each."""
        return values

    def exchange(self, wrapped: nn.Module, last: bool) -> AbstractContextManager[object]:
        """Around forward and backward of a piece of a batch: gradients are exchanged with the last one only."""
        return nullcontext()

    def save(
        self, parent: Path, step: int, state: Mapping[str, Tensor], record: Mapping[str, Tensor], about: Mapping[str, Any]
    ) -> None:
        """Keep a checkpoint. `state` is what state_of gives."""
        optimiser = {name: t for name, t in state.items() if name.startswith(PREFIX)}
        model = {name: t for name, t in state.items() if name not in optimiser}
        checkpoint.write(parent, step, {MODEL: model, OPTIMISER: optimiser, RECORD: record}, about)

    def restore(self, found: Checkpoint, model: nn.Module, optimiser: torch.optim.Optimizer) -> None:
        """Put model and optimiser where the checkpoint left them; of one spread over processes, all of it."""
        if (found.folder / MODEL).is_file():
            state = found.tensors(MODEL) | found.tensors(OPTIMISER)
        else:
            from .distributed import read_shards  # it stands above this module

            state = read_shards(found.folder)
        set_state(model, optimiser, state)

    def whole(self, model: nn.Module) -> dict[str, Tensor]:
        """The model's state dict, on this machine."""
        return model.state_dict()


ALONE = Alone()
PREFIX = "optimiser."  # no module of ours has that name


def state_of(model: nn.Module, optimiser: torch.optim.Optimizer) -> dict[str, Tensor]:
    """Parameters, buffers and what the optimiser knows of each parameter, by name."""
    state = dict(model.state_dict())
    for name, parameter in model.named_parameters():
        for key, value in optimiser.state.get(parameter, {}).items():
            state[f"{PREFIX}{name}.{key}"] = value
    return state


def set_state(model: nn.Module, optimiser: torch.optim.Optimizer, state: Mapping[str, Tensor]) -> None:
    """The inverse of state_of; RecipeError, in one line, where the checkpoint is of another model."""
    own = {name: t for name, t in state.items() if not name.startswith(PREFIX)}
    mine = model.state_dict()
    for name in sorted(own.keys() ^ mine.keys()):
        where = "has no" if name in mine else "has a"
        raise RecipeError(f"the checkpoint {where} {name}, unlike this model: it belongs to another recipe")
    for name, t in own.items():
        if t.shape != mine[name].shape:
            raise RecipeError(f"{name} is {tuple(t.shape)} in the checkpoint and {tuple(mine[name].shape)} in this model")
    model.load_state_dict(own)
    by_name: dict[str, dict[str, Tensor]] = {}
    for name, t in state.items():
        if name.startswith(PREFIX):
            parameter, _, key = name.removeprefix(PREFIX).rpartition(".")
            by_name.setdefault(parameter, {})[key] = t
    fused = optimiser.defaults.get("fused")
    for name, parameter in model.named_parameters():
        if name in by_name:
            # The count of steps stays on the CPU, unless the fused kernel reads it.
            optimiser.state[parameter] = {
                key: t.to(parameter.device) if key != "step" or fused else t for key, t in by_name[name].items()
            }
