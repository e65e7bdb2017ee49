"""Random numbers that belong to a step: set anew before each, and put back as they were in the end."""

import hashlib
import platform
import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch


def seed_all(seed: int, step: int, rank: int) -> None:
    """Every generator that a forward might draw from, as a function of these three."""
    mixed = int.from_bytes(hashlib.sha256(f"{seed}/{step}/{rank}".encode()).digest()[:8], "big") >> 1
    torch.default_generator.manual_seed(mixed)  # torch.manual_seed would also ask for GPUs, every time
    if torch.cuda.is_initialized():
        torch.cuda.manual_seed(mixed)
    random.seed(mixed)
    np.random.seed(mixed % 2**32)


@contextmanager
def own_randomness(device: torch.device) -> Iterator[None]:
    """What the block does to the global generators, and to that of `device`, is undone after it."""
    ours, numpys = random.getstate(), np.random.get_state()
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        try:
            yield
        finally:
            random.setstate(ours)
            np.random.set_state(numpys)


def versions() -> dict[str, str]:
    """What the bits of a result hang on besides: Python, torch, and how many threads add up."""
    return {"python": platform.python_version(), "torch": torch.__version__, "threads": str(torch.get_num_threads())}
