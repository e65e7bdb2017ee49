"""What one frame of a control costs: processor time of our SVG writer beside matplotlib's own, on the same figures."""

import io
import statistics
import sys
import time
from collections.abc import Callable

import torch
from matplotlib.figure import Figure

import mtlib as mt

RUNS, BUDGET_MS = 15, 40  # at 40 ms the 400 frames that a control may have take 16 s of a build


def bars(temperature: float) -> Figure:
    """A chart like those of the chapters."""
    fig, ax = mt.plot.canvas(height=240)
    ax.bar(range(4), torch.softmax(torch.tensor([2.0, 1.0, 0.1, -1.0]) / temperature, 0))
    ax.set(ylim=(0, 1), title=f"temperature {temperature:g}")
    ax.grid(True)
    return fig


def by_matplotlib(fig: Figure) -> str:
    out = io.StringIO()
    fig.savefig(out, format="svg")
    return out.getvalue()


def cost(write: Callable[[Figure], str], temperature: float) -> float:
    """Milliseconds of processor time to draw one frame and write it."""
    start = time.process_time()
    write(bars(temperature))
    return 1000 * (time.process_time() - start)


def main() -> int:
    writers = {"mtlib": mt.plot.to_svg, "matplotlib": by_matplotlib}
    times: dict[str, list[float]] = {name: [] for name in writers}
    for i in range(RUNS + 1):  # in turn; the first of each fills the caches
        for name, write in writers.items():
            times[name].append(cost(write, 1 + i))
    ours, theirs = (statistics.median(column[1:]) for column in times.values())
    kb = {name: len(write(bars(1.0))) / 1000 for name, write in writers.items()}
    print(f"a frame: mtlib {ours:.0f} ms, {kb['mtlib']:.1f} kB; matplotlib's own SVG {theirs:.0f} ms, {kb['matplotlib']:.1f} kB; "
          f"time {ours / theirs:.2f} of it (budget {BUDGET_MS} ms; median of {RUNS})")
    return int(ours > BUDGET_MS)


if __name__ == "__main__":
    sys.exit(main())
