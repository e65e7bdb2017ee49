"""What more text buys: two widths, each taught on 2,000 to 338,000 letters, over and over.

Every run has the same number of steps; what it may read is the first n of the training blocks of
next_letter.py in an order drawn from its seed, so that a larger text holds the smaller. A model
that has read a small text too often gets worse at any other: every LOOK steps it is judged on one half
of the test's blocks, and the state that did best there is judged on the other half.
"""

from functools import partial

import torch
from jaxtyping import Int64
from torch import Tensor

from .bench import Design, build, surprise, train, windows
from .budgets import config
from .next_letter import BLOCK, blocks, text_hash
from .sizes import T

WIDTHS = (8, 32)
BLOCKS = (2, 6, 18, 54, 160, 338)
STEPS, LOOK = 200, 40
R = 0.08  # the rate is R/√D


def cut(of: Int64[Tensor, "n 1000"], stride: int) -> Int64[Tensor, "m 33"]:
    """Windows of 33 letters."""
    return of.unfold(1, T + 1, stride).flatten(0, 1)


def text(n: int, seed: int) -> Int64[Tensor, "m 33"]:
    """n blocks to learn from."""
    learn = blocks()[0]
    order = torch.randperm(len(learn), generator=torch.Generator().manual_seed(seed))
    return cut(learn[order[:n]], 1)


def judges() -> tuple[Tensor, Tensor]:
    """The windows that say when to stop, and those that say how good it was."""
    test = blocks()[1]
    return cut(test[::2], 4 * T), cut(test[1::2], T)


def row(width: int, n: int, seed: int) -> dict[str, object]:
    """One run: its loss at its best moment, when that was, and its loss at the end."""
    model, (stop, judge) = build(Design(config(width)), seed), judges()
    best, when, then = float("inf"), 0, {}

    def watch(step: int) -> None:
        nonlocal best, when, then
        if step % LOOK == 0 and step and (now := surprise(model, stop)) < best:
            best, when = now, step
            then = {name: value.clone() for name, value in model.state_dict().items()}

    train(model, partial(windows, text=text(n, seed)), rate=R * width**-0.5, seed=seed, steps=STEPS, watch=watch)
    end = surprise(model, judge)
    model.load_state_dict(then)
    found = {"loss": round(surprise(model, judge), 5), "stopped": when, "end": round(end, 5)}
    return {"width": width, "letters": n * BLOCK, "seed": seed} | found | {"text": text_hash()}


def measure(seeds: range = range(3)) -> list[dict[str, object]]:
    """Every width on every text with every seed."""
    return [row(width, n, seed) for width in WIDTHS for n in BLOCKS for seed in seeds]
