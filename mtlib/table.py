"""An ordered table of small records: text in a terminal, HTML in a notebook, a data frame when asked.

The rows are NamedTuples and stay what they are: loop over them, index them, take their fields.
A row of the foot (a total) has the same fields and is not among the rows.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, TypeVar

Row = TypeVar("Row", bound=tuple)


@dataclass(frozen=True, repr=False)
class Table(Sequence[Row], Generic[Row]):
    """Rows of one kind under a caption; immutable.

    Args: rows, at least one; caption, what the table shows; foot, rows below the line, such as
    totals; notes, a sentence each. Raises ValueError without rows or with rows of two kinds.

    >>> class Size(NamedTuple):
    ...     letter: str
    ...     size: int
    >>> Table((Size("D", 128), Size("V", 30000)), caption="Sizes", foot=(Size("all", 30128),))
    Sizes
    letter    size
    D          128
    V       30,000
    --------------
    all     30,128
    """

    rows: tuple[Row, ...]
    caption: str
    foot: tuple[Row, ...] = ()
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ("rows", "foot", "notes"):
            object.__setattr__(self, name, tuple(getattr(self, name)))  # frozen: the one place that may
        kinds = {type(row) for row in (*self.rows, *self.foot)}
        if not self.rows or len(kinds) != 1 or not hasattr(self.rows[0], "_fields"):
            names = ", ".join(sorted(kind.__name__ for kind in kinds)) or "no rows at all"
            raise ValueError(f"rows holds {names}; a table takes one or more NamedTuples of one kind")

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of a row's fields."""
        return self.rows[0]._fields  # type: ignore[attr-defined]  # a NamedTuple

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: Any) -> Any:
        """A row, or with a slice a tuple of rows."""
        return self.rows[index]

    def __repr__(self) -> str:
        head = [name.replace("_", " ") for name in self.columns]
        body, foot = ([[_text(cell) for cell in row] for row in rows] for rows in (self.rows, self.foot))
        widths = [max(map(len, column)) for column in zip(head, *body, *foot)]
        right = self._counts()

        def line(cells: list[str]) -> str:
            padded = (f"{c:>{w}}" if r else f"{c:<{w}}" for c, w, r in zip(cells, widths, right))
            return "  ".join(padded).rstrip()

        rule = ["-" * (sum(widths) + 2 * len(widths) - 2)] if foot else []
        lines = [self.caption, line(head), *map(line, body), *rule, *map(line, foot), *self.notes]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        """Caption, headed columns and rows; a wide table scrolls in its own box, also by keyboard."""
        from html import escape  # only a notebook asks for it

        right = self._counts()
        head = "".join(f'<th scope="col">{escape(name.replace("_", " "))}</th>' for name in self.columns)

        def line(row: Row) -> str:
            first, *rest = (escape(_text(cell)) for cell in row)
            cells = (f'<td style="text-align:{"right" if r else "left"}">{c}</td>' for c, r in zip(rest, right[1:]))
            return f'<tr><th scope="row" style="text-align:left">{first}</th>{"".join(cells)}</tr>'

        body, foot = ("".join(map(line, rows)) for rows in (self.rows, self.foot))
        foot = f"<tfoot>{foot}</tfoot>" if foot else ""
        notes = "".join(f"<p>{escape(note)}</p>" for note in self.notes)
        caption = escape(self.caption)
        return (
            f'<div role="group" aria-label="{caption}" tabindex="0" style="overflow-x:auto"><table>'
            f"<caption>{caption}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody>{foot}"
            f"</table></div>{notes}"
        )

    def to_frame(self) -> Any:
        """The rows, without the foot, as a pandas data frame; raises ImportError where pandas is missing."""
        try:
            import pandas
        except ImportError:
            raise ImportError("to_frame() needs pandas, which is not installed: pip install pandas") from None
        return pandas.DataFrame(self.rows, columns=list(self.columns))

    def _counts(self) -> list[bool]:
        """For each column, whether it holds numbers, which stand better at the right."""
        columns = zip(*self.rows)
        return [any(isinstance(c, int) for c in column) for column in columns]


def _text(cell: object) -> str:
    if cell is None:
        return ""
    return f"{cell:,}" if isinstance(cell, int) else str(cell)
