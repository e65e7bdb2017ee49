"""Sheets in words: a table for the screen, JSON, CSV, and the results.json that Gradescope reads.

Texts come from notebooks of strangers. Control characters are taken out for the screen, and CSV cells that a
spreadsheet would take for a formula are made text.
"""

import csv
import io
import json
from dataclasses import asdict
from pathlib import Path

from .grade import Mark, Sheet
from .page import page


def table(sheets: list[Sheet], pass_mark: float) -> str:
    """What a person reads: one file in full, of several each in a line and what is wrong with it below."""
    lines = [line for sheet in sheets for line in _about(sheet, pass_mark)]
    if len(sheets) > 1:
        passed = sum(sheet.points > 0 and sheet.percent >= pass_mark for sheet in sheets)
        lines += ["", f"{passed} of {len(sheets)} reached {pass_mark:g}%"]
    return "\n".join(printable(line) for line in lines)


def _about(sheet: Sheet, pass_mark: float) -> list[str]:
    verdict = "passed" if sheet.points and sheet.percent >= pass_mark else f"below {pass_mark:g}%"
    head = f"{sheet.file}: {sheet.earned} of {sheet.points} points, {sheet.percent:.0f}%, {verdict}"
    lines = ["", head, f"  seed {sheet.seed} draws the same cases again; {sheet.seconds:.1f} s"]
    for mark in sheet.marks:
        lines += ["", *_exercise(mark)]
    return [*lines, "", *(f"  note: {note}" for note in sheet.notes)] if sheet.notes else lines


def _exercise(mark: Mark) -> list[str]:
    whole = "✓" if mark.earned == mark.points else "✗"
    lines = [f"{whole} {mark.id:<34} {mark.earned:>3}/{mark.points:<3} {mark.tried} cases"]
    if mark.earned == mark.points or mark.message.count("\n") == 0:
        return lines + [f"    {mark.message}"] * bool(mark.message)
    for row in mark.properties:
        sign = "✗" if row["wrong"] else "✓"
        lines.append(f"    {sign} {row['name']:<30} {row['earned']:>3}/{row['points']:<3} {_clip(row['wrong'])}")
    return lines + [f"    {line}" for line in mark.message.split("\n")]


def to_json(sheets: list[Sheet]) -> str:
    """Everything, as JSON."""
    rows = [asdict(sheet) | {"earned": sheet.earned, "points": sheet.points, "percent": round(sheet.percent, 2)}
            for sheet in sheets]  # fmt: skip
    return json.dumps({"files": rows}, indent=1, ensure_ascii=False)


def to_csv(sheets: list[Sheet]) -> str:
    """A line for each file, exercise and property."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["file", "chapter", "exercise", "property", "earned", "points", "tried", "wrong", "mistake"])
    for sheet in sheets:
        if not sheet.marks:
            note = "; ".join(sheet.notes)
            writer.writerow([_text(sheet.file), sheet.chapter, "", "", 0, 0, 0, _text(note), ""])
        for mark in sheet.marks:
            for row in mark.properties:
                what = [row["earned"], row["points"], row["tried"], _text(row["wrong"]), _text(mark.mistake)]
                writer.writerow([_text(sheet.file), sheet.chapter, mark.id, row["name"], *what])
    return out.getvalue()


def to_gradescope(sheets: list[Sheet]) -> str:
    """What Gradescope's autograder wants to find in results.json."""
    (sheet,) = sheets
    tests = [
        {
            "name": f"{mark.id}: {row['name']}",
            "score": row["earned"],
            "max_score": row["points"],
            "status": "failed" if row["wrong"] else "passed",
            "output": printable(mark.message if row["wrong"] and row is _first_wrong(mark) else row["wrong"]),
        }
        for mark in sheet.marks
        for row in mark.properties
    ]
    output = "\n".join([f"{Path(sheet.file).name}: {sheet.earned} of {sheet.points} points", *sheet.notes])
    return json.dumps({"score": sheet.earned, "max_score": sheet.points, "execution_time": sheet.seconds,
                       "stdout_visibility": "hidden", "output": printable(output), "tests": tests},
                      indent=1, ensure_ascii=False)  # fmt: skip


def _first_wrong(mark: Mark) -> dict | None:
    return next((row for row in mark.properties if row["wrong"]), None)


def printable(text: str) -> str:
    """Without the characters that move a terminal's cursor, colour it or ring its bell.

    >>> printable("a\\x1b[31mb")
    'a\ufffd[31mb'
    """
    return "".join(c if c == "\n" or c.isprintable() or c == " " else "\ufffd" for c in text)


def _text(value: str) -> str:
    """A cell that a spreadsheet shows and does not compute."""
    value = printable(value)
    return f"'{value}" if value[:1] in ("=", "+", "-", "@") else value


def _clip(text: str) -> str:
    return text if len(text) <= 60 else text[:59] + "…"


FORMS = {"json": to_json, "csv": to_csv, "html": page, "gradescope": to_gradescope}
