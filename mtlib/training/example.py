"""The smallest data that fit takes: for a docstring, and for a run that is there to be killed."""

from typing import NamedTuple

import torch
from torch import Tensor


class Rows(NamedTuple):
    """What mtlib.data's Batch is, without its methods."""

    inputs: tuple[Tensor, ...]
    targets: Tensor | None


class Repeats:
    """Four tokens, then the same four again; only the second four are asked for.

    >>> Repeats().batch(0, 2).targets[:, :3].tolist()
    [[-100, -100, -100], [-100, -100, -100]]
    """

    vocab, max_len = 8, 7

    def batch(self, step: int, size: int, *, split: str = "train", seed: int = 0) -> Rows:
        generator = torch.Generator().manual_seed(((seed * 2 + (split == "valid")) << 32) + step)
        four = torch.randint(0, self.vocab, (size, 4), generator=generator)
        row = torch.cat([four, four], dim=1)
        targets = row[:, 1:].clone()
        targets[:, :3] = -100
        return Rows((row[:, :-1],), targets)
