"""Progress of one user: a small JSON file for each exercise, in $MTLIB_HOME or the user's data folder.

A file an exercise means that two notebooks checking at once cannot lose each other's points. Each is written
beside its place and renamed, so a crash leaves the old one or the new one. A file that cannot be read is
set aside under another name and said aloud, never overwritten.
"""

import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from ..plan import days

_FRESH = {"points": 0, "of": 0, "passed": False, "checks": 0, "hints": 0}


def home() -> Path:
    """The folder that holds the progress files."""
    import platformdirs  # only needed when something is recorded

    return Path(os.environ.get("MTLIB_HOME") or platformdirs.user_data_dir("mtlib", appauthor=False)) / "progress"


def read(id: str) -> dict[str, Any]:
    """What is known of one exercise: best points, of how many, passed, checks run, hints taken."""
    path = home() / f"{id}.json"
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(record, dict) or any(type(record.get(key)) is not type(_FRESH[key]) for key in _FRESH):
            raise ValueError("not a progress record")
        return record
    except FileNotFoundError:
        return dict(_FRESH)
    except (ValueError, OSError) as error:
        _set_aside(path, error)
        return dict(_FRESH)


def _set_aside(path: Path, error: Exception) -> None:
    aside = path.with_suffix(".unreadable")
    number = 1
    while aside.exists():
        aside, number = path.with_suffix(f".unreadable{number}"), number + 1
    try:
        path.rename(aside)
        print(f"Your progress file {path} could not be read ({error}); it is kept as {aside.name}.", file=sys.stderr)
    except OSError:
        print(f"Your progress file {path} could not be read ({error}).", file=sys.stderr)


def record(id: str, **changes: Any) -> None:
    """Write what changed about one exercise. A disk that refuses costs a line, never the answer's verdict."""
    path = home() / f"{id}.json"
    new = read(id) | changes
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False, encoding="utf-8", suffix=".new") as file:
            json.dump(new, file, indent=1, sort_keys=True)
        os.replace(file.name, path)
    except OSError as error:
        print(f"Your progress could not be saved in {path.parent} ({error}).", file=sys.stderr)


def checked(id: str, earned: int, of: int) -> None:
    """Record a check: the best points count, and passed stays passed."""
    old = read(id)
    best = earned if old["of"] != of else max(earned, old["points"])
    record(id, points=best, of=of, passed=old["passed"] or earned == of, checks=old["checks"] + 1)


def next_day() -> str:
    """The first day of the plan with an exercise that is not passed, in a line; of what was read nothing is known here."""
    from mtlib.exercises import find

    for day in days():
        left = [id for id in day.exercises if find(id) and not read(id)["passed"]]
        if left:
            return f"next, day {day.number} of {len(days())}, {day.title}: {', '.join(left)}"
    return "every exercise is passed"


def table() -> str:
    """All exercises with the learner's points, chapter by chapter, a bar over each and one over all, and the day of the plan.

    >>> "attention.scores" in table()
    True
    """
    from mtlib.exercises import chapters, of_chapter  # here, because exercises import grading

    lines, done, total = [], 0, 0
    for chapter in chapters():
        rows, earned, points = [], 0, 0
        for exercise in of_chapter(chapter):
            mine = read(exercise.id)
            best = min(mine["points"], exercise.points)
            earned, points = earned + best, points + exercise.points
            mark = "✓" if mine["passed"] else ("·" if not mine["checks"] else "…")
            hints = f"  {mine['hints']} hints" if mine["hints"] else ""
            rows.append(f"  {mark} {exercise.id:<32} {best:>3} of {exercise.points:<3}{hints}")
        lines += ["", f"{chapter:<25} {_bar(earned, points, 10)}  {earned} of {points}", *rows]
        done, total = done + earned, total + points
    return "\n".join([f"{_bar(done, total, 30)}  {done} of {total} points", next_day(), *lines])


def _bar(done: int, total: int, width: int) -> str:
    filled = width * done // total if total else 0
    return "█" * filled + "░" * (width - filled)
