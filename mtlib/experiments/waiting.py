"""What one more token of SmolLM2 costs: after a longer text, with a cache and without, and for many texts at once.

    full      a pass over all T tokens, for the sake of the last
    cached    the last token alone, after T - 1 in the cache
    batch     one token for each of B texts of the same length

Times are milliseconds of one core's own work (what others do on the machine meanwhile is not in them, but for the
memory that they share), each setting once a round, so that ratios can be taken within a round.
"""

import time
from collections.abc import Callable
from typing import Any

import torch
from jaxtyping import Int64
from torch import Tensor

from ..cores import use_fused
from ..generation.swift import Room, Swift, swift
from ..pretrained import smollm2

FULL, CACHED = (32, 128, 512), (32, 128, 512, 2000)
BATCHES = {64: (1, 2, 4, 8, 16, 32), 1000: (1, 4, 16)}  # texts at once, by the tokens that each has behind it
ROUNDS, STEPS = 5, 2


def filled(writer: Swift, ids: Int64[Tensor, "B T"]) -> Room:
    """A cache that has read these."""
    cache = writer.new_cache()
    writer(ids, cache)
    return cache


def copies(cache: Room, batch: int) -> Room:
    """The one text of this cache, `batch` times."""
    many = Room(cache.n_layers)
    many.kv, many.length = cache.kv, cache.length
    many.select(torch.zeros(batch, dtype=torch.int64))
    return many


def step(writer: Swift, cache: Room, last: Int64[Tensor, "B 1"]) -> None:
    """One more token for every text of the cache, and then it is forgotten, so that the next step costs the same."""
    length = len(cache)
    writer(last, cache)
    cache.truncate(length)


def milliseconds(work: Callable[[], None], times: int) -> float:
    """Of one core, the mean of so many times."""
    began = time.process_time()
    for _ in range(times):
        work()
    return round(1e3 * (time.process_time() - began) / times, 3)


@torch.inference_mode()
def measure(rounds: int = ROUNDS) -> list[dict[str, Any]]:
    """Every setting in every round, after one that does not count; about two minutes."""
    writer = swift(use_fused(smollm2().model))
    ids = torch.randint(1000, 40_000, (1, max(CACHED)), generator=torch.Generator().manual_seed(0))
    one, rows = ids[:, :1], []
    behind = {T: filled(writer, ids[:, : T - 1]) for T in (*CACHED, *BATCHES)}
    for turn in range(-1, rounds):
        found = [("full", T, 1, milliseconds(lambda T=T: filled(writer, ids[:, :T]), 1)) for T in FULL]
        found += [("cached", T, 1, milliseconds(lambda T=T: step(writer, behind[T], one), STEPS)) for T in CACHED]
        for T, batches in BATCHES.items():
            for B in batches:
                many = copies(behind[T], B)
                found.append(("batch", T, B, milliseconds(lambda: step(writer, many, one.expand(B, 1)), STEPS)))
        if turn >= 0:
            rows += [{"what": what, "length": T, "batch": B, "round": turn, "ms": ms} for what, T, B, ms in found]
    return rows
