"""`mtlib grade`: what the words of its command line do."""

import argparse
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import torch

from mtlib import exercises

from . import tell
from .batch import grade_files
from .grade import Sheet, files_of, grade_file
from .sandbox import Nursery

_SUFFIX = {"json": ".json", "csv": ".csv", "html": ".html", "gradescope": ".gradescope.json"}


def main(given: argparse.Namespace) -> int:
    """Grade, tell, and return the exit status: 0 where every file reached the mark, 1 where not, 2 for a wrong call."""
    forms = list(dict.fromkeys(given.forms or ()))
    try:
        files = files_of(given.files)
        _insist(files, f"no notebook in {', '.join(given.files)}")
        _insist(given.jobs >= 1, f"-j {given.jobs}: at least one at a time")
        _insist(len(forms) < 2 or given.output, "several forms at once need -o NAME")
        _insist("gradescope" not in forms or len(files) == 1, f"--gradescope is for one notebook, not {len(files)}")
        known = exercises.chapters()
        _insist(given.chapter is None or given.chapter in known, f"no chapter {given.chapter!r}; there are {', '.join(known)}")
    except (ValueError, FileNotFoundError) as wrong:
        print(f"mtlib grade: {wrong}", file=sys.stderr)
        return 2
    sheets = sorted(_graded(files, given), key=lambda sheet: files.index(Path(sheet.file)))
    for form in forms:
        text = tell.FORMS[form](sheets)
        if given.output:
            path = Path(given.output + _SUFFIX[form])
            path.write_text(text, encoding="utf-8", newline="")
            print(path, file=sys.stderr)
        else:
            print(text)
    if not forms or given.output:
        print(tell.table(sheets, given.pass_mark))
    return 0 if all(sheet.points and sheet.percent >= given.pass_mark for sheet in sheets) else 1


def _insist(holds: object, what: str) -> None:
    if not holds:
        raise ValueError(what)


def _graded(files: list[Path], given: argparse.Namespace) -> list[Sheet]:
    nursery = Nursery(training=any(b"optim" in file.read_bytes() for file in files if file.is_file()))
    try:
        if nursery.warning:
            print(f"mtlib grade: {nursery.warning}", file=sys.stderr)
        for chapter in [given.chapter] if given.chapter else exercises.chapters():
            exercises.of_chapter(chapter)  # loaded once, before graders are forked
        torch.set_num_threads(1)  # cases are small: threads would wait for one another longer than they work
        each = grade_files(files, given.jobs, lambda path: grade_file(path, nursery, given.chapter, given.seed))
        return list(_with_bar(each, len(files)))
    finally:
        nursery.close()


def _with_bar(sheets: Iterator[Sheet], count: int) -> Iterator[Sheet]:
    """The same sheets, with a line on the screen that grows as they come."""
    began, shown = time.monotonic(), sys.stderr.isatty() or count > 1
    for done, sheet in enumerate(sheets, 1):
        yield sheet
        if shown and count > 1:
            filled = round(24 * done / count)
            left = (time.monotonic() - began) / done * (count - done)
            line = f"{'█' * filled}{'░' * (24 - filled)} {done}/{count}, {left:.0f} s left  {Path(sheet.file).name[:30]:<30}"
            print(f"\r{line}", end="" if done < count else "\n", file=sys.stderr, flush=True)
