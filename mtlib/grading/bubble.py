"""The command line of bubblewrap: what a worker may read, and that it may write and reach nothing."""

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1]


def works(bwrap: str) -> bool:
    """Whether bubblewrap can do all of it on this machine."""
    return subprocess.run([*command_of(bwrap), "/usr/bin/true"], capture_output=True, cwd="/tmp").returncode == 0


def command_of(bwrap: str) -> list[str]:
    """The sandbox: programs and libraries to read, nothing to write but a small /tmp, no network, no one else."""
    command = [bwrap, "--unshare-all", "--unshare-user", "--uid", "1000", "--gid", "1000", "--die-with-parent",
               "--new-session", "--cap-drop", "ALL", "--size", str(64 << 20), "--tmpfs", "/tmp"]  # fmt: skip
    for path in ("/usr", "/bin", "/sbin", "/lib", "/lib64", "/lib32", "/nix", "/etc/ld.so.cache", "/etc/alternatives"):
        if os.path.islink(path):
            command += ["--symlink", os.readlink(path), path]
        else:
            command += ["--ro-bind-try", path, path]
    package = str(PACKAGE)
    places = [*_python_lives_in(), package]
    for path in places:
        command += ["--ro-bind", path, path]
    command += ["--size", "4096", "--tmpfs", f"{package}/exercises", "--proc", "/proc", "--dev", "/dev"]
    shut = [f"{package}/exercises", "/dev", "/"]
    if any(path.startswith("/tmp/") for path in places):  # then workers cannot have a /tmp each; Python takes this one
        command += ["--size", str(64 << 20), "--tmpfs", "/var/tmp"]
        shut.append("/tmp")
    return [*command, *(word for path in shut for word in ("--remount-ro", path)), "--chdir", "/tmp"]


def _python_lives_in() -> list[str]:
    """The folders that Python, torch and numpy need, and no other: not the working folder, not the home."""
    import torch

    places = {sys.prefix, sys.base_prefix, str(Path(os.path.realpath(sys.executable)).parents[1])}
    places |= {sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    places.add(str(Path(torch.__file__).resolve().parents[1]))
    places = {place for place in places if os.path.isdir(place) and not place.startswith("/usr")}
    return sorted(place for place in places if not any(place.startswith(f"{other}/") for other in places))
