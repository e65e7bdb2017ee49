"""Text as ids on disk, made once: folders that are whole or not there.

    CACHE/data/NAME-0123456789ab/
        train-00000.npy  …       ids in uint16 or uint32, at most SHARD each, read where they lie
        valid-00000.npy  …
        tokenizer.json           of a vocabulary that was learnt
        about.json               what they were made from, and the sha256 of each file and of itself

The folder's name holds a hash of text and tokenizer, so that another of either makes another folder.
It is written under another name and renamed: of two processes that make it at once, one is lost
and both are served. What was cut or changed since is refused, in one line; to look at
every byte takes about a second a GB, each time that a folder is opened.
"""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .. import _check
from ..assets import cache
from .needs import DataMissing

SHARD = 1 << 26  # ids in a file: 128 MiB of uint16
_ABOUT = "about.json"


class ShardsDamaged(DataMissing):
    """A folder of ids that is not what was written."""


class Shards:
    """The ids of one split, as one long row that is read in pieces.

    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write(Path(folder), "train", [[1, 2], [3, 4, 5]], vocab=9, shard=2)
    ...     Shards(Path(folder), "train").read(1, 3).tolist()
    [2, 3, 4]
    """

    def __init__(self, folder: Path, split: str):
        self.files = [np.load(path, mmap_mode="r", allow_pickle=False) for path in sorted(folder.glob(f"{split}-*.npy"))]
        self.ends = np.cumsum([len(file) for file in self.files])

    def __len__(self) -> int:
        return int(self.ends[-1]) if self.files else 0

    def read(self, start: int, n: int) -> np.ndarray:
        """(n,) int64: ids start … start+n-1, from as many files as they lie in. IndexError beyond the end."""
        _check.natural(start=start, n=n)
        if start + n > len(self):
            raise IndexError(f"ids {start}…{start + n - 1} were asked for; there are {len(self)}")
        pieces = []
        while n:
            file = int(np.searchsorted(self.ends, start, side="right"))
            within = start - (int(self.ends[file - 1]) if file else 0)
            pieces.append(self.files[file][within : within + n])
            start, n = start + len(pieces[-1]), n - len(pieces[-1])
        return np.concatenate(pieces, dtype=np.int64) if pieces else np.empty(0, np.int64)


def write(folder: Path, split: str, rows: Iterable[Sequence[int]], *, vocab: int, shard: int = SHARD) -> None:
    """Lay the ids of `rows` end to end, in as small a type as `vocab` allows."""
    _check.positive(vocab=vocab, shard=shard)
    kind = np.uint16 if vocab <= 1 << 16 else np.uint32
    waiting, held, files = [np.empty(0, kind)], 0, 0
    for row in rows:
        waiting.append(np.asarray(row).astype(kind))
        held += len(waiting[-1])
        while held >= shard:
            ids = np.concatenate(waiting)
            np.save(folder / f"{split}-{files:05d}.npy", ids[:shard])
            waiting, held, files = [ids[shard:]], held - shard, files + 1
    if held or not files:
        np.save(folder / f"{split}-{files:05d}.npy", np.concatenate(waiting))


def kept(name: str, key: Mapping[str, Any], make: Callable[[Path], None]) -> Path:
    """The folder of what `key` describes; where there is none yet, `make` fills it first.

    Raises ShardsDamaged for a folder that is not whole, DataMissing where the cache cannot be
    written.
    """
    home = cache() / "data"
    folder = home / f"{name}-{_digest(key)[:12]}"
    if not folder.exists():
        try:
            home.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=home, prefix=".unfinished-") as scratch:
                fresh = Path(scratch) / "whole"
                fresh.mkdir()
                make(fresh)
                _seal(fresh, key)
                _rename(fresh, folder)
        except OSError as error:
            raise DataMissing(f"{name} could not be kept in {home}: {error.strerror or error}") from None
    check(folder)
    return folder


def check(folder: Path) -> None:
    """ShardsDamaged, in one line, unless every file is what was written."""
    mend = f"delete the folder {folder}, and it will be made anew"
    try:
        about = json.loads((folder / _ABOUT).read_text("utf8"))
        seal, files = about.pop("sha256"), about["files"]
    except (OSError, ValueError, KeyError, AttributeError, TypeError):
        raise ShardsDamaged(f"{_ABOUT} is missing or cut: {mend}") from None
    if seal != _digest(about):
        raise ShardsDamaged(f"{_ABOUT} was changed since it was written: {mend}")
    for name, (size, digest) in files.items():
        path = folder / name
        if not path.is_file() or path.stat().st_size != size:
            now = f"{path.stat().st_size} of {size} bytes are left of it" if path.is_file() else "it is missing"
            raise ShardsDamaged(f"{name} is not whole, {now}: {mend}")
        if _sha256(path) != digest:
            raise ShardsDamaged(f"{name} was changed since it was written: {mend}")


def _seal(folder: Path, key: Mapping[str, Any]) -> None:
    files = {path.name: [path.stat().st_size, _sha256(path)] for path in sorted(folder.iterdir())}
    about = {"of": dict(key), "files": files}
    (folder / _ABOUT).write_text(json.dumps({**about, "sha256": _digest(about)}, indent=1), "utf8")


def _rename(fresh: Path, folder: Path) -> None:
    try:
        os.rename(fresh, folder)
    except OSError:
        if not folder.is_dir():  # else another process was quicker, and made the same
            raise
        shutil.rmtree(fresh)


def _digest(value: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
