"""Two libraries, two sets of names for the same numbers: one table, read either way.

A Row says which tensor of theirs is which of ours; a Table holds all of a model's rows and
carries a whole state dict across. It moves and renames, and differentiates: what is put in as
a parameter comes out with its history. Whatever finds no place, or leaves a place empty, is
one ValueError.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

State = dict[str, Tensor]


@dataclass(frozen=True)
class Row:
    """One tensor of theirs. Several of ours may lie in it, equally large and one upon the other."""

    theirs: str
    ours: tuple[str, ...]
    transposed: bool = False  # theirs is (in, out), as GPT-2 has it; torch's own linear maps are (out, in)


def rows(
    pairs: Mapping[str, str | tuple[str, ...]], under: tuple[str, str], *, bias: bool = True, transposed: bool = False
) -> Iterator[Row]:
    """A row for the weight, and one for the bias, of every pair; `under` is put before their names and ours."""
    for theirs, ours in pairs.items():
        ours = (ours,) if isinstance(ours, str) else ours
        for part in ("weight", "bias") if bias else ("weight",):
            names = tuple(f"{under[1]}{name}.{part}" for name in ours)
            yield Row(f"{under[0]}{theirs}.{part}", names, transposed and part == "weight")


@dataclass(frozen=True)
class Table:
    """All rows of a model, and what the two sides hold beside them.

    copies: the second name of a tied tensor -> the first; such a name may be missing, but where
    it stands it must hold the same numbers. unused: how names begin that the other side lacks.
    Both come for theirs and for ours.
    """

    rows: tuple[Row, ...]
    copies: Mapping[str, str] = field(default_factory=dict)
    unused: tuple[str, ...] = ()
    our_copies: Mapping[str, str] = field(default_factory=dict)
    our_unused: tuple[str, ...] = ()

    def to_ours(self, state: Mapping[str, Tensor]) -> State:
        """Their state dict under our names; the tensors may be views of theirs."""
        left, found = _without(state, self.copies, self.unused), {}  # type: ignore[var-annotated]
        _same_names(left, [row.theirs for row in self.rows])
        for row in self.rows:
            value = left[row.theirs].T if row.transposed else left[row.theirs]
            found |= zip(row.ours, value.chunk(len(row.ours)))
        return found | {copy: found[original] for copy, original in self.our_copies.items()}

    def to_theirs(self, state: Mapping[str, Tensor]) -> State:
        """Our state dict under their names: the inverse."""
        left, found = _without(state, self.our_copies, self.our_unused), {}
        _same_names(left, [name for row in self.rows for name in row.ours])
        for row in self.rows:
            pieces = [left[name] for name in row.ours]
            value = torch.cat(pieces) if len(pieces) > 1 else pieces[0]
            found[row.theirs] = value.T.contiguous() if row.transposed else value
        return found | {copy: found[original] for copy, original in self.copies.items()}


def _without(state: Mapping[str, Tensor], copies: Mapping[str, str], unused: tuple[str, ...]) -> State:
    """What is left to place when tied copies, looked at, and unused names are put aside."""
    for copy, original in copies.items():
        if copy in state and original in state and not _equal(state[copy], state[original]):
            raise ValueError(f"{copy} and {original} hold different numbers; here they must be one tied tensor")
    return {name: value for name, value in state.items() if name not in copies and not name.startswith(unused)}


def _equal(a: Tensor, b: Tensor) -> bool:
    return a.shape == b.shape if a.is_meta or b.is_meta else torch.equal(a, b)


def _same_names(state: Mapping[str, Tensor], wanted: list[str]) -> None:
    missing, over = [name for name in wanted if name not in state], sorted(state.keys() - set(wanted))
    if missing or over:
        said = [f"{_some(missing)} missing"] * bool(missing) + [f"no place for {_some(over)}"] * bool(over)
        raise ValueError(f"state does not fit this config: {'; '.join(said)}")


def _some(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
