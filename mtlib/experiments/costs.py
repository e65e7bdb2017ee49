"""What length, width and depth cost in time: forward and backward of a small model, beside the count of operations.

The time is the processor's own for this process, one thread, and the least of several runs: other
programs on the machine are not in it, though they do disturb the caches. What is kept is of
one machine; only its ratios are meant to travel.
"""

import time
from dataclasses import replace

import torch
from jaxtyping import Int64
from torch import Tensor

from ..config import GPT2, ModelConfig
from ..cores import use_explicit, use_fused
from ..count import FORWARD_AND_BACKWARD, flops
from ..transformer import DecoderLM

BASE = ModelConfig(vocab=64, max_len=2048, d_model=64, n_heads=4, n_layers=2, parts=GPT2)
LENGTH = 128  # positions where length is not the question
AXES = {
    "length": (64, 128, 256, 512, 1024),
    "width": (32, 64, 128, 256, 512),
    "depth": (1, 2, 4, 8, 16),
}
CORES = {"explicit": use_explicit, "fused": use_fused}


def at(axis: str, value: int) -> tuple[ModelConfig, int]:
    """The model and the length of text at one point of an axis."""
    if axis == "length":
        return BASE, value
    return replace(BASE, **{{"width": "d_model", "depth": "n_layers"}[axis]: value}), LENGTH


def seconds(model: DecoderLM, ids: Int64[Tensor, "B T"], least_of: int) -> float:
    """Forward and backward, in seconds of the processor."""
    found = []
    for _ in range(least_of):
        start = time.process_time()
        model(ids).sum().backward()
        found.append(time.process_time() - start)
        model.zero_grad()
    return min(found)


def row(axis: str, value: int, core: str, *, least_of: int = 6) -> dict[str, object]:
    """One point: its milliseconds, and its operations by closed form."""
    config, length = at(axis, value)
    torch.manual_seed(0)
    model = CORES[core](DecoderLM(config))
    ids = torch.randint(config.vocab, (1, length))
    ms = 1e3 * seconds(model, ids, least_of)
    counted = FORWARD_AND_BACKWARD * flops(config, length)["total"]
    return {"axis": axis, "value": value, "core": core, "ms": float(f"{ms:.4g}"), "flops": counted}


def measure() -> list[dict[str, object]]:
    """Every axis; length with both cores; half a minute."""
    points = [(axis, value, core) for axis in AXES for value in AXES[axis] for core in CORES if core == "explicit" or axis == "length"]
    return [row(*point) for point in points]
