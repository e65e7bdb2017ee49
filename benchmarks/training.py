"""A training step beside transformers' GPT-2, in one run: how many times as fast, at 0.8 M and at 10 M parameters.

All three make the same update (forward, cross-entropy, backward, clipping, AdamW) on the same
batches of the same sizes, in float32, without torch.compile. transformers appears twice: in a
plain loop, as its users write it, and inside mtlib's own update, so that only the model differs.
They take turns, step by step, so that a slow moment of the machine meets all; the median counts.

    python benchmarks/training.py            # the table
"""

import argparse
import json
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import torch
from gpt124m import Words, ours, theirs
from torch import nn
from torch.nn.functional import cross_entropy

import mtlib as mt
from mtlib import count
from mtlib.training import TrainConfig, Update
from mtlib.training.example import Rows

# D, H, L, T and rows: those of the two smallest GPTs that people train on letters.
SIZES = {"0.8 M": (128, 4, 4, 64, 12), "10 M": (384, 6, 6, 256, 4)}
VOCAB, WARM = 65, 3
Step = Callable[[int, Rows], object]


def in_our_update(model: nn.Module, train: TrainConfig) -> Step:
    update = Update(model.train(), train)
    return lambda step, batch: update(step, batch).tolist()


def in_a_plain_loop(model: nn.Module, train: TrainConfig) -> Step:
    optimiser = torch.optim.AdamW(model.train().parameters(), lr=train.lr, betas=train.betas, weight_decay=train.weight_decay)

    def make(step: int, batch: Rows) -> float:
        loss = cross_entropy(model(*batch.inputs).flatten(0, 1), batch.targets.flatten())
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), train.clip)
        optimiser.step()
        optimiser.zero_grad()
        return loss.item()

    return make


def measure(size: str, rounds: int) -> dict[str, object]:
    """Milliseconds of a step, the median of `rounds`, and the ratios."""
    D, H, L, T, rows = SIZES[size]
    config = mt.ModelConfig(vocab=VOCAB, max_len=T, d_model=D, n_heads=H, n_layers=L, parts=mt.GPT2)
    train = TrainConfig(steps=10_000, batch=rows, lr=1e-3)
    steps = {
        "mtlib": in_our_update(ours(config), train),
        "transformers": in_a_plain_loop(theirs(config), train),
        "transformers in our update": in_our_update(theirs(config), train),
    }
    words, seconds = Words(VOCAB, T), {name: [] for name in steps}
    for i in range(WARM + rounds):
        batch = words.batch(i, rows)
        for name, step in steps.items():
            began = time.perf_counter()
            step(i, batch)
            seconds[name].append(time.perf_counter() - began)
    median = {name: 1e3 * statistics.median(times[WARM:]) for name, times in seconds.items()}
    return {
        "size": size, "parameters": count.parameters(config)["total"], "rounds": rounds, "threads": torch.get_num_threads(),
        **{name: round(value, 1) for name, value in median.items()},
        "times as fast": round(median["transformers"] / median["mtlib"], 2),
        "times as fast, model alone": round(median["transformers in our update"] / median["mtlib"], 2),
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=25)
    rounds = parser.parse_args().rounds
    rows = []
    for size in SIZES:
        rows.append(measure(size, rounds if size == "0.8 M" else max(rounds // 2, 3)))
        print("  ".join(f"{key} {value}" for key, value in rows[-1].items()), flush=True)
    if out := os.environ.get("OUT"):
        Path(out, "training.json").write_text(json.dumps(rows, indent=1), "utf8")


if __name__ == "__main__":
    main()
