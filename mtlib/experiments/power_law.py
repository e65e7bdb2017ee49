"""Loss against size and data: L(N, D) = E + A · N^-α + B · D^-β, fitted by least squares.

With α and β given the formula is linear in E, A and B, so every pair of a fine net is solved
exactly and the best is taken: no start to choose, no descent that may stop elsewhere.
Source of the form: Hoffmann et al. 2022, equation 2.
"""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

EXPONENTS = torch.arange(0.02, 1.0, 0.01, dtype=torch.float64)


class Law(NamedTuple):
    """E what no size removes; A, α of parameters; B, β of data."""

    E: float
    A: float
    alpha: float
    B: float
    beta: float

    def at(self, N: Tensor, D: Tensor) -> Tensor:
        """The loss that the law foretells."""
        return self.E + self.A * N**-self.alpha + self.B * D**-self.beta


def fit(N: Float[Tensor, "n"], D: Float[Tensor, "n"], losses: Float[Tensor, "n"]) -> Law:
    """The law nearest to the losses, E not below 0.

    >>> N, D = torch.tensor([1e3, 1e4, 1e5] * 3), torch.tensor([1e4, 1e5, 1e6]).repeat_interleave(3)
    >>> law = fit(N, D, 1.0 + 9 * N**-0.3 + 20 * D**-0.4); round(law.alpha, 2), round(law.beta, 2), round(law.E, 1)
    (0.3, 0.4, 1.0)
    """
    return fits(N, D, losses[None])[0]


def fits(N: Float[Tensor, "n"], D: Float[Tensor, "n"], losses: Float[Tensor, "k n"]) -> list[Law]:
    """The same for k rows of losses at once, such as resampled ones."""
    a, b = torch.meshgrid(EXPONENTS, EXPONENTS, indexing="ij")
    a, b, N, D, y = a.flatten(), b.flatten(), N.double(), D.double(), losses.double()
    # Each column about 1 in the middle of the data, so that nothing is tiny.
    n, d = N / N.log().mean().exp(), D / D.log().mean().exp()
    columns = torch.stack([torch.ones(len(a), len(N), dtype=torch.float64), n ** -a[:, None], d ** -b[:, None]], dim=-1)
    best, without = _solve(columns, y), _solve(columns[..., 1:], y)  # with E, and with E = 0
    laws = []
    for k in range(len(y)):
        error, weights = best[0][:, k].clone(), best[1][:, :, k]
        error[weights[:, 0] < 0] = torch.inf
        if torch.isfinite(error).any():
            i = int(error.argmin())
            E, A, B = weights[i].tolist()
        else:
            i = int(without[0][:, k].argmin())
            E, (A, B) = 0.0, without[1][i, :, k].tolist()
        alpha, beta = a[i].item(), b[i].item()
        A, B = A * (N[0] / n[0]).item() ** alpha, B * (D[0] / d[0]).item() ** beta
        laws.append(Law(E, A, alpha, B, beta))
    return laws


def _solve(columns: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Squared errors (nets, k) and weights (nets, columns, k) of least squares."""
    weights = torch.linalg.pinv(columns) @ y.T
    return (columns @ weights - y.T).square().sum(dim=1), weights


def resampled(losses: Float[Tensor, "n seeds"], times: int, generator: torch.Generator) -> Float[Tensor, "times n"]:
    """Means over seeds drawn with replacement, anew in each setting: what other seeds might have given."""
    n, seeds = losses.shape
    pick = torch.randint(seeds, (times, n, seeds), generator=generator)
    return losses.expand(times, -1, -1).gather(2, pick).mean(dim=-1)
