"""Do verdicts last? Five designs of choices.py, trained four times as long and looked at on the way.

All at one rate, the one that most of them chose in the short runs.
"""

from .bench import Design, build, surprise, train, windows
from .choices import DESIGNS
from .next_letter import text_hash

NAMES = ("base", "no attention", "no positions", "no norm", "rotary positions")
STEPS, LOOK, RATE = 600, 100, 0.01


def looks(design: Design, seed: int, *, steps: int = STEPS) -> list[tuple[int, float]]:
    """(step, test loss) along one training."""
    model, found = build(design, seed), []

    def watch(step: int) -> None:
        if step and step % LOOK == 0:
            found.append((step, round(surprise(model), 5)))

    train(model, windows, rate=RATE, seed=seed, steps=steps, watch=watch)
    return found


def measure(seeds: range = range(3)) -> list[dict[str, object]]:
    """Every design with every seed, at every look."""
    return [
        {"design": name, "seed": seed, "step": step, "loss": loss, "text": text_hash()}
        for name in NAMES for seed in seeds for step, loss in looks(DESIGNS[name], seed)
    ]  # fmt: skip
