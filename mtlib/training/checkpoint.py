"""A run on disk: folders that are whole or not there, and that say so themselves.

    OUT/checkpoints/step-00000200/
        model.safetensors        parameters and buffers, by the model's names
        optimiser.safetensors    optimiser.NAME.exp_avg and so on, for each parameter
        record.safetensors       the loss and the gradients' norm of every update so far
        checkpoint.json          step, recipe, versions, and the sha256 of each file and of itself

Written under another name, forced to the disk, then renamed: a kill at any moment leaves the old
ones and, at most, a folder that is never read. The last KEPT stay. A file that was cut or changed
is found out by its hash; then the one before it serves. Nothing is ever unpickled.

A run's place in its data and its random numbers are functions of (seed, step, rank), so that `step`
is all there is to say of them: see fit.py. Of a model spread over machines each process writes
its own shard-….safetensors: see distributed.py.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

KEPT = 2
_ABOUT, _UNFINISHED = "checkpoint.json", ".unfinished-"


class Damaged(ValueError):
    """A checkpoint that is not what was written."""


@dataclass(frozen=True)
class Checkpoint:
    """One that is whole. `about` is what checkpoint.json says."""

    folder: Path
    about: Mapping[str, Any]

    @property
    def step(self) -> int:
        """Updates that were made."""
        return self.about["step"]

    def tensors(self, file: str) -> dict[str, Tensor]:
        """Of one file, by name."""
        from safetensors.torch import load_file  # not everyone who trains keeps checkpoints

        return load_file(self.folder / file)


def write(parent: Path, step: int, files: Mapping[str, Mapping[str, Tensor]], about: Mapping[str, Any]) -> Path:
    """Keep `files`, {name: tensors}, as the checkpoint of `step`; returns its folder."""
    folder = start(parent, step)
    put(folder, files)
    return finish(folder, step, about)


def start(parent: Path, step: int) -> Path:
    """An empty folder to write the checkpoint of `step` into; what was left unfinished before goes."""
    parent.mkdir(parents=True, exist_ok=True)
    for old in parent.glob(_UNFINISHED + "*"):
        shutil.rmtree(old)
    folder = unfinished(parent, step)
    folder.mkdir()
    return folder


def unfinished(parent: Path, step: int) -> Path:
    """Where the checkpoint of `step` stands until it is whole."""
    return parent / f"{_UNFINISHED}{step:08d}"


def put(folder: Path, files: Mapping[str, Mapping[str, Tensor]]) -> None:
    """Write the tensors, copied where two names share memory, which the format has no word for."""
    from safetensors.torch import save_file

    for name, tensors in files.items():
        save_file({key: t.detach().cpu().contiguous().clone() for key, t in tensors.items()}, folder / name)


def finish(folder: Path, step: int, about: Mapping[str, Any]) -> Path:
    """Seal an unfinished folder, give it its name, and let the oldest go."""
    body = {"step": step, **about, "files": {path.name: _sha256(path) for path in sorted(folder.iterdir())}}
    (folder / _ABOUT).write_text(json.dumps({**body, "sha256": _seal(body)}, indent=1), "utf8")
    for path in (*folder.iterdir(), folder):
        _to_disk(path)
    final = folder.with_name(f"step-{step:08d}")
    _remove(final)  # there is one when a resumed run comes by again
    os.rename(folder, final)
    _to_disk(folder.parent)
    for old in _all(folder.parent)[KEPT:]:
        _remove(old)
    return final


def newest(parent: Path, say: Callable[[str], None]) -> Checkpoint | None:
    """The latest whole checkpoint; of each that is damaged, `say` is told in one line. None where there is none."""
    for folder in _all(parent):
        try:
            return read(folder)
        except Damaged as error:
            say(f"{error}; trying the one before it")
    return None


def read(folder: Path) -> Checkpoint:
    """One checkpoint, every byte of it looked at; Damaged, in one line, where it is not whole."""
    try:
        about = json.loads((folder / _ABOUT).read_text("utf8"))
        seal = about.pop("sha256")
        files = about["files"]
    except (OSError, ValueError, KeyError, AttributeError, TypeError):
        raise Damaged(f"{folder.name}/{_ABOUT} is missing or cut") from None
    if seal != _seal(about):
        raise Damaged(f"{folder.name}/{_ABOUT} was changed since it was written")
    for name, digest in files.items():
        if not (folder / name).is_file():
            raise Damaged(f"{folder.name}/{name} is missing")
        if _sha256(folder / name) != digest:
            raise Damaged(f"{folder.name}/{name} was cut or changed: its sha256 is not {digest[:8]}…")
    return Checkpoint(folder, about)


def _all(parent: Path) -> list[Path]:
    """Newest first."""
    return sorted(parent.glob("step-*"), reverse=True)


def _remove(folder: Path) -> None:
    """First out of sight, so that a kill half-way leaves nothing that looks like a checkpoint."""
    if folder.exists():
        hidden = folder.with_name(_UNFINISHED + "old-" + folder.name)
        shutil.rmtree(hidden, ignore_errors=True)
        os.rename(folder, hidden)
        shutil.rmtree(hidden)


def _seal(body: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _to_disk(path: Path) -> None:
    if os.name == "nt" and path.is_dir():  # Windows opens no folders; its rename is journalled
        return
    handle = os.open(path, os.O_RDONLY if os.name != "nt" else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def plain(value: Any) -> Any:
    """As JSON gives it back: tuples are lists."""
    return json.loads(json.dumps(value))
