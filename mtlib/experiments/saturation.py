"""A loss that falls to a floor: loss = floor + a · n^-α, fitted by least squares, all three at least 0.

With α given the other two are a line through (n^-α, loss), solved by hand; a fine net of α is
tried and the best is taken. power_law.py has the law of two sizes at once.
"""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

EXPONENTS = torch.arange(0.02, 2.0, 0.01, dtype=torch.float64)


class Curve(NamedTuple):
    """floor: what no n removes; a: what n = 1 would pay on top of it; α: how fast that goes."""

    a: float
    alpha: float
    floor: float

    def at(self, n: Float[Tensor, "*any"]) -> Float[Tensor, "*any"]:
        """The loss that the curve foretells."""
        return self.floor + self.a * n.double() ** -self.alpha

    def doubling(self, n: Float[Tensor, "*any"]) -> Float[Tensor, "*any"]:
        """What twice as much buys, in nats."""
        return self.at(n) - self.at(2 * n)


def fit(n: Float[Tensor, "n"], losses: Float[Tensor, "n"]) -> Curve:
    """The curve nearest to the losses.

    >>> n = torch.tensor([1e3, 1e4, 1e5, 1e6]); curve = fit(n, 1.5 + 20 * n**-0.4)
    >>> round(curve.alpha, 2), round(curve.floor, 2)
    (0.4, 1.5)
    """
    y, middle = losses.double(), n.double().log().mean().exp()  # n as shares of the middle: nothing is tiny
    x = (n.double() / middle) ** -EXPONENTS[:, None]  # (exponents, n)
    gap = x - x.mean(dim=1, keepdim=True)
    a = ((gap * y).sum(dim=1) / gap.square().sum(dim=1)).clamp(min=0)
    floor = y.mean() - a * x.mean(dim=1)
    through_0 = (x * y).sum(dim=1) / x.square().sum(dim=1)
    a, floor = torch.where(floor < 0, through_0, a), floor.clamp(min=0)
    best = int((floor[:, None] + a[:, None] * x - y).square().sum(dim=1).argmin())
    alpha = EXPONENTS[best].item()
    return Curve(a[best].item() * middle.item() ** alpha, alpha, floor[best].item())


def others(n: Float[Tensor, "n"], losses: Float[Tensor, "n seeds"], times: int, generator: torch.Generator) -> list[Curve]:
    """What the fit might have been: seeds drawn anew for every n, and one n, at random, left out."""
    size, seeds = losses.shape
    found = []
    for _ in range(times):
        drawn = losses.gather(1, torch.randint(seeds, (size, seeds), generator=generator)).mean(dim=1)
        stay = torch.arange(size) != torch.randint(size, (1,), generator=generator)
        found.append(fit(n[stay], drawn[stay]))
    return found


def interval(values: list[float], share: float = 0.95) -> tuple[float, float]:
    """The middle share of the values."""
    ends = torch.tensor([(1 - share) / 2, (1 + share) / 2], dtype=torch.float64)
    low, high = torch.tensor(values, dtype=torch.float64).quantile(ends).tolist()
    return low, high
