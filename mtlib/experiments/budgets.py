"""Which width is best for a budget of operations? The procedure, carried out once.

    1. rates    at the smallest budget, which r is best where the learning rate is r/√D
    2. grid     four widths at each of three budgets: a wider model gets fewer steps
    3. check    four times the largest of these budgets, at four widths

The operations of a training are those of its matrix products, counted by mtlib.count, forward and
backward; models, text and training are those of bench.py, two blocks, heads 8 wide.
"""

from collections.abc import Iterator
from dataclasses import replace

from .. import count
from ..config import ModelConfig, Parts
from .bench import BASE, BATCH, NO_VOTE, Design, build, surprise, train, windows
from .next_letter import text_hash
from .sizes import T

BUDGETS = {1.25e9: (8, 16, 24, 32), 2.5e9: (8, 16, 24, 32), 5e9: (16, 24, 32, 48)}
CHECK = {2e10: (24, 32, 48, 64)}
SWEEP = (0.04, 0.08, 0.16)  # r
SWEPT = (8, 24)  # widths on which r is chosen


def config(width: int) -> ModelConfig:
    """Two blocks of that width, with the positions that learn fastest in choices.py."""
    return replace(BASE, d_model=width, n_heads=max(1, width // 8), parts=Parts(position="rotary"))


def per_letter(width: int) -> float:
    """Operations of training on one letter, forward and backward."""
    return count.FORWARD_AND_BACKWARD * count.flops(config(width), T)["total"] / T


def steps(width: int, budget: float) -> int:
    """For how many steps a budget pays."""
    return round(budget / (per_letter(width) * BATCH * T))


def loss(width: int, budget: float, r: float, seed: int) -> float:
    """The test loss of one model that has spent its budget."""
    model = build(Design(config(width)), seed)
    train(model, windows, rate=r * width**-0.5, seed=seed, steps=steps(width, budget))
    return surprise(model)


def swept() -> Iterator[tuple[float, int, float]]:
    """(r, width, loss) of step 1."""
    for r in SWEEP:
        for width in SWEPT:
            yield r, width, loss(width, min(BUDGETS), r, NO_VOTE)


def row(step: str, width: int, budget: float, r: float, seed: int, found: float) -> dict[str, object]:
    """One run as it is kept."""
    weights = count.parameters(config(width))["total"]
    sizes = {"width": width, "parameters": weights, "budget": budget, "steps": steps(width, budget)}
    return {"step": step, **sizes, "r": r, "seed": seed, "loss": round(found, 5), "text": text_hash()}


def measure(seeds: range = range(3)) -> list[dict[str, object]]:
    """The three steps, in order; the second and third use the r that the first found best on average."""
    rows = [row("rates", width, min(BUDGETS), r, NO_VOTE, found) for r, width, found in swept()]
    r = min(SWEEP, key=lambda r: sum(run["loss"] for run in rows if run["r"] == r))
    for step, budgets in (("grid", BUDGETS), ("check", CHECK)):
        for budget, widths in budgets.items():
            voting = seeds if step == "grid" else seeds[:2]
            rows += [row(step, width, budget, r, seed, loss(width, budget, r, seed)) for width in widths for seed in voting]
    return rows
