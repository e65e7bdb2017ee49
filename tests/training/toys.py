"""A tiny task and tiny models; the data of the course are tested elsewhere."""

from typing import NamedTuple

import torch

import mtlib as mt
from mtlib.training import TrainConfig


class Rows(NamedTuple):
    inputs: tuple
    targets: torch.Tensor | None


class Copies:
    """Write the first half of the row again; only the second half is asked for, and of odd rows only its last token."""

    vocab, max_len = 8, 7

    def batch(self, step, size, *, split="train", seed=0):
        g = torch.Generator().manual_seed(hash((seed, split == "valid", step, size)) % 2**40)
        half = torch.randint(1, self.vocab, (size, 4), generator=g)
        row = torch.cat([half, half], dim=1)
        targets = row[:, 1:].clone()
        targets[:, :3] = -100
        targets[1::2, :-1] = -100  # so that rows hold unlike numbers of tokens
        return Rows((row[:, :-1],), targets)


def decoder(dropout=0.0, **sizes):
    torch.manual_seed(0)
    return mt.DecoderLM(mt.ModelConfig(**({"vocab": 8, "max_len": 7, "d_model": 16, "n_heads": 2, "n_layers": 2, "dropout": dropout} | sizes)))


def config(**changes):
    return TrainConfig(**({"steps": 6, "batch": 8, "lr": 3e-3, "warmup": 2, "eval_rows": 16} | changes))
