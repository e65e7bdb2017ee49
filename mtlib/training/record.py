"""What a run leaves behind: its losses, its scores on the way, a drawing, a file of rows."""

import csv
import io
import math
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from .evaluate import Scores

if TYPE_CHECKING:
    from ..plot import Figure

COLUMNS = ("step", "loss", "lr", "norm", "seconds", "valid_loss", "accuracy", "exact")


class Eval(NamedTuple):
    """Scores after so many updates."""

    step: int
    scores: Scores


@dataclass
class Record:
    """losses[i], nats a token, is that of the model after i updates on batch i; norms[i] its gradients' norm.

    evals: held-out scores on the way. yardsticks: the losses of those who look at nothing, by
    name. seconds: spent in updates. stopped: whether it was interrupted before its last step.
    In a notebook it shows its curve.
    """

    losses: list[float] = field(default_factory=list)
    norms: list[float] = field(default_factory=list)
    evals: list[Eval] = field(default_factory=list)
    yardsticks: dict[str, float] = field(default_factory=dict)
    seconds: float = 0.0
    stopped: bool = False

    def __repr__(self) -> str:
        last = f", loss {self.losses[-1]:.4f}" if self.losses else ""
        held_out = f", held-out {self.evals[-1].scores.loss:.4f}" if self.evals else ""
        return f"<Record of {len(self.losses)} updates{last}{held_out}{', stopped' if self.stopped else ''}>"

    def _repr_html_(self) -> str:
        return self.figure()._repr_html_() if self.losses else repr(self)

    def smooth(self, share: float = 0.02) -> list[float]:
        """The losses, each averaged with those before it; `share` of the run is how far back that reaches."""
        keep = 1 - 1 / max(1.0, share * len(self.losses))
        out, mean, weight = [], 0.0, 0.0
        for loss in self.losses:
            mean, weight = keep * mean + (1 - keep) * loss, keep * weight + (1 - keep)
            out.append(mean / weight)  # the first few would be drawn to 0
        return out

    def figure(self) -> "Figure":
        """The loss of training and of held-out rows, over updates, with the yardsticks as lines."""
        from .. import plot

        fig, ax = plot.canvas(height=260)
        every = max(1, len(self.losses) // 400)
        ax.plot(range(0, len(self.losses), every), self.smooth()[::every], color=plot.BLUE, label="training")
        ax.plot(*zip(*((e.step, e.scores.loss) for e in self.evals)), "o-", ms=3, color=plot.ORANGE, label="held out")
        for name, value in self.yardsticks.items():
            ax.axhline(value, color=plot.GREY, lw=0.8, ls="--")
            ax.text(len(self.losses), value, f"{name} ", ha="right", va="bottom", color=plot.GREY, fontsize=8)
        ax.set(xlabel="updates", ylabel="loss (nats a token)", ylim=(0, None))
        ax.legend(frameon=False)
        end = f" and at {self.evals[-1].scores.loss:.3g} on held-out rows" if self.evals else ""
        return plot.show(fig, alt=f"The loss over {len(self.losses)} updates ends at {self.smooth()[-1]:.3g}{end}.")

    def curve(self, points: int = 200) -> list[tuple[int, float]]:
        """(update, smoothed loss), as many as are worth keeping."""
        smooth, every = self.smooth(), math.ceil(max(len(self.losses), 1) / points)
        return [(i, round(smooth[i], 5)) for i in range(0, len(smooth), every)]


class Log:
    """A CSV file with a row for every update; of a resumed run it keeps the rows before `step`.

    A row is written when its update is done, so that nothing but the last can be missing.
    """

    def __init__(self, path: Path, step: int = 0):
        before = path.read_text("utf8").splitlines()[1:] if step and path.is_file() else []
        kept = [row for row in before if row.partition(",")[0].isdigit() and int(row.partition(",")[0]) < step]
        fresh = path.with_suffix(".part")
        fresh.write_text("\n".join([",".join(COLUMNS), *kept, ""]), "utf8")
        os.replace(fresh, path)
        self._file = path.open("a", encoding="utf8", newline="")

    def row(self, *values: object) -> None:
        """In the order of COLUMNS; what is left out at the end stays empty."""
        line = io.StringIO()
        csv.writer(line, lineterminator="\n").writerow([*values, *[""] * (len(COLUMNS) - len(values))])
        self._file.write(line.getvalue())
        self._file.flush()

    def close(self) -> None:
        self._file.close()
