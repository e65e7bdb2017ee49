"""The command line: ``mtlib fetch NAME``, ``mtlib progress``."""

import argparse
import sys

from . import assets


def main(argv: list[str] | None = None) -> int:
    """Run one command; returns the exit status. Errors are one line on stderr."""
    parser = argparse.ArgumentParser(prog="mtlib", description="The tools of the course Mastering Transformers.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    fetch = commands.add_parser("fetch", help="bring real weights or data into the cache, checked by hash")
    fetch.add_argument("name", metavar="NAME", nargs="+", help=f"one of: {', '.join(assets.ASSETS)}")
    commands.add_parser("progress", help="show which exercises you have passed")
    arguments = parser.parse_args(argv)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a console that lacks a sign shows another, and does not die of it
            stream.reconfigure(errors="replace")
    try:
        return _COMMANDS[arguments.command](arguments)
    except assets.AssetMissing as error:
        print(f"mtlib: {error}", file=sys.stderr)
        return 1


def _fetch(arguments: argparse.Namespace) -> int:
    for name in arguments.name:
        if name in assets.ASSETS and not assets.is_here(name):
            print(f"fetching {name}, {assets.ASSETS[name].size_mb} MB …", flush=True)
        print(f"{name}: {assets.fetch(name)}")
    return 0


def _progress(arguments: argparse.Namespace) -> int:
    from .grading import progress  # the grader loads only when asked for

    print(progress.table())
    return 0


_COMMANDS = {"fetch": _fetch, "progress": _progress}
