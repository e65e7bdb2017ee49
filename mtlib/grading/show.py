"""Showing a report: in a notebook a card and pictures, elsewhere text."""

from .picture import picture_of
from .report import headline, text_of
from .run import Report

__all__ = ["failure", "success", "text_of"]


class Card:
    """A right answer's card: points, explanation, and one better or faster way."""

    def __init__(self, report: Report):
        self.report = report

    def __repr__(self) -> str:
        return text_of(self.report)

    def _repr_markdown_(self) -> str:
        exercise = self.report.exercise
        rows = (f"| {o.property.name} | {o.earned} | {o.tried} |" for o in self.report.outcomes)
        return "\n\n".join(
            [
                f"**✓ {headline(self.report)}**",
                "\n".join(["| promise kept | points | cases |", "| :-- | --: | --: |", *rows]),
                f"**What it says.** {exercise.explanation}",
                f"**One better way.** {exercise.better}",
            ]
        )


def in_notebook() -> bool:
    """True where a rich display can be shown: inside IPython."""
    try:
        from IPython import get_ipython
    except ImportError:
        return False
    return get_ipython() is not None


def success(report: Report) -> None:
    """Show the card of a right answer."""
    if not in_notebook():
        print(text_of(report))
        return
    from IPython.display import display

    display(Card(report))


def failure(report: Report) -> None:
    """Draw the failing case, yours beside expected; the words come with the exception."""
    if in_notebook():
        picture = picture_of(report)
        if picture is not None:
            from IPython.display import display

            display(picture)
