"""Drawing cases: what an exercise says about its legal inputs, in a vocabulary of tensors.

`Draw` is a thin skin, so that exercises need not know where the numbers come from: from `Dice`, which are quick, for
as long as an answer is right; from hypothesis (in `shrink`), which can shrink, once a case failed. Each check draws in two moods.
Plain: small sizes and small whole numbers, so that a failing case shrinks to something one can work out by
hand. Rough: larger sizes and ordinary real numbers, for what small whole numbers cannot show.
"""

import random
from collections.abc import Callable, Iterator
from math import prod
from typing import Any

import torch
from torch import Tensor

DTYPES = (torch.float32, torch.float64)


class Dice:
    """Numbers at random, the same for the same seed. A seed of None throws the least of everything."""

    def __init__(self, seed: int | None):
        self._random = None if seed is None else random.Random(seed)

    def whole(self, low: int, high: int) -> int:
        if self._random is None:
            return low
        if 100 < high - low < 10_000 and self._random.random() < 0.5:
            high = low + (high - low) // 8  # a size: the large ones take long, so half of them are not so large
        return self._random.randint(low, high)

    def bytes(self, count: int) -> bytes:
        return bytes(count) if self._random is None else self._random.randbytes(count)


class Draw:
    """What a property's `cases(d)` draws with. Everything shrinks towards small, zero and first."""

    def __init__(self, source: Any, rough: bool):
        self._source, self.rough = source, rough

    def whole(self, low: int, high: int) -> int:
        """A whole number, low and high included."""
        return self._source.whole(low, high)

    def size(self, low: int = 1, high: int = 4, rough: int = 12) -> int:
        """The length of an axis, up to `high` in the plain mood and up to `rough` in the rough one."""
        return self.whole(low, rough if self.rough else high)

    def pick(self, *options):
        """One of the options; the first is the simplest."""
        return options[self.whole(0, len(options) - 1)]

    def flag(self) -> bool:
        """False or True; False is the simplest."""
        return self.whole(0, 1) == 1

    def lead(self, most: int = 2) -> tuple[int, ...]:
        """Leading axes: none, or up to `most` of them, each of size 1 to 3."""
        return tuple(self.whole(1, 3) for _ in range(self.whole(0, most)))

    def floats(self, *shape: int, dtype: torch.dtype = torch.float32, high: int = 3, spread: float = 1.0) -> Tensor:
        """Finite numbers: whole ones from -high to high when plain, normal ones times `spread` when rough.

        In the rough mood the memory may lie transposed, so that `.view` shows where it should not be used.
        """
        if not self.rough:
            order = [0, *(sign * n for n in range(1, high + 1) for sign in (1, -1))]  # 0, 1, -1, 2, …: simplest first
            wholes = [order[digit] for digit in self._digits(prod(shape), len(order))]
            return torch.tensor(wholes, dtype=dtype).reshape(shape)
        numbers = torch.randn(shape, generator=self.generator(), dtype=torch.float64) * spread
        return self.layout(numbers.to(dtype))

    def integers(self, *shape: int, low: int = 0, high: int = 3) -> Tensor:
        """int64 numbers, low and high included."""
        wholes = [low + digit for digit in self._digits(prod(shape), high - low + 1)]
        return torch.tensor(wholes, dtype=torch.int64).reshape(shape)

    def keep(self, *shape: int, blank: bool = False) -> Tensor:
        """A bool mask, True = may look. Unless `blank`, each slice along the last axis keeps something."""
        dropped = self._digits(prod(shape), 2)
        keep = ~torch.tensor(dropped, dtype=torch.bool).reshape(shape)
        if not blank:
            keep[..., 0] |= ~keep.any(-1)
        return keep

    def broadcast(self, *shape: int) -> tuple[int, ...]:
        """A shape that broadcasts to this one: leading axes left out, any axis of size 1.

        Two axes at least, because torch's fused attention takes no fewer.
        """
        kept = shape[self.whole(0, len(shape) - 2) :]
        return tuple(1 if self.flag() else size for size in kept)

    def layout(self, tensor: Tensor) -> Tensor:
        """The same tensor, perhaps with its memory in the order of other axes."""
        if tensor.ndim < 2 or not self.flag():
            return tensor
        axis = self.whole(0, tensor.ndim - 2)
        return tensor.transpose(axis, -1).contiguous().transpose(axis, -1)

    def generator(self) -> torch.Generator:
        """A torch generator with a drawn seed, for numbers too many to draw one by one."""
        return torch.Generator().manual_seed(self.whole(0, 2**31 - 1))

    def _digits(self, count: int, base: int) -> list[int]:
        """`count` numbers below `base` in one draw of bytes: a draw for each entry would cost ten times as much.

        The bytes come by the sixteen and are read from the back: when shrinking makes an axis shorter, the
        entries that stay keep their numbers, and those it can spare are set to zero first.
        """
        length = -(-count // 16) * 16
        return [byte % base for byte in reversed(self._source.bytes(length))][:count]


def throws(cases: Callable, rough: bool, tries: int, seed: int) -> Iterator[dict]:
    """So many cases, the simplest first and then at random."""
    for turn in range(tries):
        yield cases(Draw(Dice(seed * 4099 + 2 * turn + rough if turn else None), rough))
