"""The grader's own score as the book's page shows it, read from proof.json."""

import json
from pathlib import Path
from typing import NamedTuple


class Row(NamedTuple):
    """One exercise's proof in numbers: how many of how many."""

    id: str
    points: int
    solution: str
    stub: int
    mistakes: str
    mutants: str
    others: str


class Scoreboard:
    """A table, a row for each exercise and one for all."""

    def __init__(self, path: Path | None = None):
        path = path or Path(__file__).with_name("proof.json")
        self.proofs: dict[str, dict] = json.loads(path.read_text(encoding="utf-8"))

    def rows(self) -> list[Row]:
        """Each exercise's row."""
        return [_row(id, proof) for id, proof in self.proofs.items()]

    def total(self) -> Row:
        """All exercises as one."""
        sums = {key: sum(proof[key] for proof in self.proofs.values()) for key in _COUNTED}
        lists = {key: [each for proof in self.proofs.values() for each in proof[key]] for key in _LISTED}
        return _row(f"all {len(self.proofs)}", sums | lists)

    def _repr_markdown_(self) -> str:
        lines = ["| exercise | points | solution | stub | mistakes named | mutants rejected | other right answers |",
                 "| :-- | --: | --: | --: | --: | --: | --: |"]  # fmt: skip
        for row in [*self.rows(), self.total()]:
            lines.append("| " + " | ".join(map(str, row)) + " |")
        return "\n".join(lines)

    def equivalents(self) -> "Markdown":
        """The mutants that are right answers, each with its reason."""
        lines = ["| exercise | change | why it is right |", "| :-- | :-- | :-- |"]
        for id, proof in self.proofs.items():
            for change, why in proof["equivalent"].items():
                shown = change.partition(": ")[2].replace("|", "\\|")
                lines.append(f"| {id} | `{shown}` | {why} |")
        return Markdown("\n".join(lines))


class Markdown:
    """Text that a notebook shows as Markdown."""

    def __init__(self, text: str):
        self.text = text

    def _repr_markdown_(self) -> str:
        return self.text


_COUNTED = ("points", "solution", "stub", "mistakes", "mutants", "others")
_LISTED = ("unnamed", "alive", "refused")


def _row(id: str, proof: dict) -> Row:
    named, killed = proof["mistakes"] - len(proof["unnamed"]), proof["mutants"] - len(proof["alive"])
    passed = proof["others"] - len(proof["refused"])
    return Row(id, proof["points"], f"{proof['solution']}/{proof['points']}", proof["stub"],
               f"{named}/{proof['mistakes']}", f"{killed}/{proof['mutants']}", f"{passed}/{proof['others']}")  # fmt: skip
