"""The command line: ``mtlib fetch NAME``, ``mtlib progress``, ``mtlib grade FILE…``, ``mtlib train FILE.toml``, …"""

import argparse
import os
import sys
from pathlib import Path

from . import assets


def main(argv: list[str] | None = None) -> int:
    """Run one command; returns the exit status. Errors are one line on stderr."""
    parser = argparse.ArgumentParser(prog="mtlib", description="The tools of the course Mastering Transformers.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    fetch = commands.add_parser("fetch", help="bring real weights or data into the cache, checked by hash")
    fetch.add_argument("name", metavar="NAME", nargs="+", help=f"one of: {', '.join(assets.ASSETS)}")
    commands.add_parser("progress", help="show which exercises you have passed")
    grade = commands.add_parser("grade", help="the score that counts, for notebooks and folders of notebooks")
    _grade_arguments(grade)
    _recipe_arguments(commands)
    _sample_arguments(commands)
    arguments, more = parser.parse_known_args(argv)
    if not all("=" in word and word[0] != "-" and "overrides" in arguments for word in more):
        parser.error(f"unrecognized arguments: {' '.join(more)}")
    if more:  # argparse takes no more of these once an option has come between
        arguments.overrides += more
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a console that lacks a sign shows another, and does not die of it
            stream.reconfigure(errors="replace")
    try:
        return _COMMANDS[arguments.command](arguments)
    except assets.AssetMissing as error:
        print(f"mtlib: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:  # who reads has seen enough, as `| head` has
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python says it again at exit
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


def _grade_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", metavar="FILE", nargs="+", help="a notebook, or a folder of them")
    parser.add_argument("-j", "--jobs", metavar="N", type=int, default=1, help="how many at a time")
    for form, what in (("json", "everything"), ("csv", "a line for each property"), ("html", "one page to read and sort"),
                       ("gradescope", "Gradescope's results.json, of one notebook")):  # fmt: skip
        parser.add_argument(f"--{form}", action="append_const", dest="forms", const=form, help=f"write {what}")
    parser.add_argument("-o", "--output", metavar="NAME", help="write NAME.json, NAME.csv, …; else it goes to the screen")
    parser.add_argument("--pass-mark", metavar="PERCENT", type=float, default=100.0,
                        help="of its points, which each file must reach for exit status 0 (100)")  # fmt: skip
    parser.add_argument("--chapter", help="grade as this chapter, such as 06_attention, whatever the file says it is")
    parser.add_argument("--seed", type=int, help="draw the same cases again")


def _grade(arguments: argparse.Namespace) -> int:
    from .grading import grade_cli

    return grade_cli.main(arguments)


def _recipe_arguments(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    train = commands.add_parser("train", help="train the model of a recipe; see configs/")
    train.add_argument("--out", metavar="DIR", type=Path, help="where to keep it (runs/NAME)")
    train.add_argument("--resume", action="store_true", help="go on from the newest checkpoint in DIR")
    train.add_argument("--device", help="cpu or cuda (a GPU where there is one)")
    train.add_argument("--quiet", action="store_true", help="show no progress")
    params = commands.add_parser("params", help="count a recipe's shapes, parameters, operations and memory")
    for command in (train, params):
        command.add_argument("recipe", metavar="FILE.toml")
        command.add_argument("overrides", metavar="table.key=value", nargs="*", help="instead of what the file says")


def _train(arguments: argparse.Namespace) -> int:
    from .training import command

    return command.train(arguments)


def _params(arguments: argparse.Namespace) -> int:
    from .training import command

    return command.params(arguments)


def _sample_arguments(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    sample = commands.add_parser("sample", help="let a trained model write")
    sample.add_argument("model", metavar="MODEL", help="the folder of a training run, or smollm2")
    sample.add_argument("--prompt", metavar="TEXT", default="", help="what to go on with, or to translate")
    sample.add_argument("--chat", action="store_true", help="put the prompt to smollm2 as a question")
    sample.add_argument("--max-new", metavar="N", type=int, help="tokens to write (200, or as many as fit)")
    sample.add_argument("--temperature", metavar="T", type=float, default=0.8, help="0 takes the likeliest always (0.8)")
    sample.add_argument("--top-k", metavar="K", type=int, help="from the K likeliest")
    sample.add_argument("--top-p", metavar="P", type=float, default=1.0, help="from the likeliest that weigh P together")
    sample.add_argument("--min-p", metavar="P", type=float, default=0.0, help="from what weighs P times the likeliest")
    sample.add_argument("--repetition", metavar="X", type=float, default=1.0, help="above 1: avoid what was said already")
    sample.add_argument("--window", metavar="N", type=int, help="see the last N tokens only, and so never run out")
    sample.add_argument("--seed", metavar="N", type=int, default=0, help="draw the same again (0)")


def _sample(arguments: argparse.Namespace) -> int:
    from .sample import sample

    return sample(arguments)


_COMMANDS = {"sample": _sample, "train": _train, "params": _params, "fetch": _fetch, "progress": _progress, "grade": _grade}
