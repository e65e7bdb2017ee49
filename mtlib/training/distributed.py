"""Several processes that train one model: the same recipe, the same losses.

    torchrun --standalone --nproc-per-node=2 -m mtlib train configs/NAME.toml

Every process draws the same batch, since a batch is a function of its number, and works on its
rows r::n; so it also knows by how much the whole must be divided, with nobody asked.

    ddp    each holds the whole model, gradients are averaged               (Li et al. 2020)
    fsdp   each holds a part of every parameter, and borrows the rest for
           the moment of its use, block by block: fully_shard, "FSDP2"      (Zhao et al. 2023)

gloo carries it between CPUs, NCCL between GPUs. What differs from one process is the order of
additions, and dropout, which each draws for itself.
"""

import os
import warnings
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import torch
import torch.distributed as dist
from torch import Tensor, nn

from .. import _check
from ..decoder import DecoderBlock
from ..encoder import EncoderBlock
from . import checkpoint
from .checkpoint import Checkpoint
from .crew import ALONE, MODEL, PREFIX, RECORD, Alone, state_of

Mode = Literal["ddp", "fsdp"]


@dataclass(frozen=True, kw_only=True)
class DistributedConfig:
    """The [distributed] table of a recipe: how the processes share the work, if there are several."""

    mode: Mode = "ddp"

    def __post_init__(self) -> None:
        _check.one_of(mode=(self.mode, get_args(Mode)))


class WorkerLost(RuntimeError):
    """Another process of the job is gone."""


class DDP(Alone):
    """The model whole in each process."""

    def __init__(self, device: torch.device):
        self.rank, self.size, self.device = dist.get_rank(), dist.get_world_size(), device

    def wrap(self, model: nn.Module) -> nn.Module:
        from torch.nn.parallel import DistributedDataParallel

        return DistributedDataParallel(model, device_ids=[self.device] if self.device.type == "cuda" else None)

    def together(self, values: Tensor) -> Tensor:
        values = values.to(self.device)
        dist.all_reduce(values)
        return values

    def exchange(self, wrapped: nn.Module, last: bool) -> AbstractContextManager[object]:
        return nullcontext() if last else wrapped.no_sync()

    def save(
        self, parent: Path, step: int, state: Mapping[str, Tensor], record: Mapping[str, Tensor], about: Mapping[str, Any]
    ) -> None:
        if self.rank == 0:
            super().save(parent, step, state, record, about)
        dist.barrier()


class FSDP(DDP):
    """A part of every parameter in each process; a block's are brought together while it runs."""

    def wrap(self, model: nn.Module) -> nn.Module:
        from torch.distributed.device_mesh import init_device_mesh
        from torch.distributed.fsdp import fully_shard

        mesh = init_device_mesh(self.device.type, (self.size,))
        for block in [m for m in model.modules() if isinstance(m, (EncoderBlock, DecoderBlock))]:
            fully_shard(block, mesh=mesh)
        return fully_shard(model, mesh=mesh)

    def exchange(self, wrapped: nn.Module, last: bool) -> AbstractContextManager[object]:
        wrapped.set_requires_gradient_sync(last)
        return nullcontext()

    def save(
        self, parent: Path, step: int, state: Mapping[str, Tensor], record: Mapping[str, Tensor], about: Mapping[str, Any]
    ) -> None:
        """Each process writes its own parts; the first one seals the whole."""
        import torch.distributed.checkpoint as dcp

        folder = checkpoint.unfinished(parent, step)
        if self.rank == 0:
            checkpoint.start(parent, step)
        dist.barrier()
        # In safetensors too: torch's own writer pickles its table of contents.
        dcp.save(dict(state), storage_writer=dcp.HuggingFaceStorageWriter(str(folder), save_distributed=True))
        dist.barrier()
        if self.rank == 0:
            checkpoint.put(folder, {RECORD: record})
            checkpoint.finish(folder, step, about)
        dist.barrier()

    def restore(self, found: Checkpoint, model: nn.Module, optimiser: torch.optim.Optimizer) -> None:
        """Each process reads its own parts, of a checkpoint of any number of processes, one among them."""
        import torch.distributed.checkpoint as dcp

        for p in model.parameters():
            moments = {key: torch.zeros_like(p) for key in ("exp_avg", "exp_avg_sq")}
            optimiser.state[p] = {"step": torch.zeros((), device=self.device if p.is_cuda else None), **moments}
        # The tensors are the model's and the optimiser's own, and are filled in place.
        dcp.load(state_of(model, optimiser), storage_reader=dcp.HuggingFaceStorageReader(str(found.folder)))

    def whole(self, model: nn.Module) -> dict[str, Tensor]:
        return {name: t.full_tensor() if hasattr(t, "full_tensor") else t for name, t in model.state_dict().items()}


@contextmanager
def crew(config: DistributedConfig, device: str | None = None) -> Iterator[Alone]:
    """The processes that torchrun started, joined while the block runs; ALONE where it started none.

    device: "cpu" leaves GPUs aside; else each process takes one. Where another process is gone,
    WorkerLost says so in one line; torchrun ends the rest.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield ALONE
        return
    if device != "cpu" and torch.cuda.is_available():
        own = torch.device("cuda", int(os.environ["LOCAL_RANK"]))
        torch.cuda.set_device(own)
    else:
        own = torch.device("cpu")
    dist.init_process_group("nccl" if own.type == "cuda" else "gloo")
    try:
        yield (FSDP if config.mode == "fsdp" else DDP)(own)
        dist.destroy_process_group()
    except RuntimeError as error:
        if not _lost(error):
            raise
        who = f"process {os.environ['RANK']} of {os.environ['WORLD_SIZE']}"
        raise WorkerLost(
            f"{who} lost touch with another one, so the job ends; with --resume it goes on from what is kept"
        ) from error


def _lost(error: RuntimeError) -> bool:
    """Whether it is about the connection: gloo has no class of its own for that."""
    return isinstance(error, dist.DistError) or any(sign in str(error) for sign in ("gloo", "Connection", "NCCL"))


def read_shards(folder: Path) -> dict[str, Tensor]:
    """What several processes wrote, put together by one: every tensor whole, by name."""
    import torch.distributed.checkpoint as dcp

    reader = dcp.HuggingFaceStorageReader(str(folder))
    entries = reader.read_metadata().state_dict_metadata.items()
    tensors = {name: e for name, e in entries if isinstance(e, dcp.metadata.TensorStorageMetadata)}
    state = {name: torch.empty(e.size, dtype=e.properties.dtype) for name, e in tensors.items()}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # that one process is assumed: it is what we ask for
        dcp.load(state, storage_reader=reader, no_dist=True)
    own = {"losses", "norms"}  # of record.safetensors, which lies in the same folder
    return {name: t for name, t in state.items() if name not in own}


def gather(folder: Path, to: Path) -> None:
    """Write a checkpoint's model, sharded or not, as one plain safetensors file."""
    from safetensors.torch import load_file

    whole = load_file(folder / MODEL) if (folder / MODEL).is_file() else read_shards(folder)
    checkpoint.put(to.parent, {to.name: {name: t for name, t in whole.items() if not name.startswith(PREFIX)}})
