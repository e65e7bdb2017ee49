"""book/ledger.tsv: every statement, question and gap of the notes, one row each, by id."""

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path


@dataclass(frozen=True)
class Row:
    id: str
    kind: str  # section, question, claim or artifact
    chapter: str
    says: str


@cache
def _read(path: str, mtime: float) -> dict[str, Row]:
    with open(path, encoding="utf8", newline="") as file:
        # Quotes are part of the text here: the notes are quoted in it.
        lines = csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        next(lines)
        return {line[0]: Row(*line[:4]) for line in lines if line}


def rows(app) -> dict[str, Row]:
    """The ledger by id, in its order."""
    path = Path(app.srcdir, app.config.mt_ledger)
    return _read(str(path), path.stat().st_mtime)
