"""One layer of attention, two jobs: a task whose pattern can be foretold.

A row of T random letters goes in. At every place the model must name two letters: the one in
the mirror place, counted from the other end, and the one just before (the first place wraps
to the last). There is no residual and no FFN, so all that an output knows came through the
attention weights. Whoever knows the task can draw them before training.
"""

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int64
from torch import Tensor, nn

from ..attention import ExplicitCore, MultiHeadAttention

V, T, D = 12, 9, 64  # letters, places, width
JOBS = ("mirror", "before")


class TwoJobs(nn.Module):
    """tok + pos -> attention -> a linear map to V scores for each job."""

    def __init__(self, n_heads: int, *, positions: bool = True):
        super().__init__()
        self.tok = nn.Embedding(V, D)
        self.pos = nn.Embedding(T, D)
        self.attn = MultiHeadAttention(D, n_heads)
        self.head = nn.Linear(D, len(JOBS) * V)
        self.positions = positions

    def forward(self, ids: Int64[Tensor, "B T"]) -> Float[Tensor, "B T 2 V"]:
        x = self.tok(ids)
        if self.positions:
            x = x + self.pos.weight
        return self.head(self.attn(x)).unflatten(-1, (len(JOBS), V))


class DividedBy(ExplicitCore):
    """The explicit core with another divisor in place of √E."""

    def __init__(self, divisor: float):
        super().__init__()
        self.divisor = divisor

    def forward(self, q: Tensor, k: Tensor, v: Tensor, keep: Tensor | None = None) -> Tensor:
        return super().forward(q * (math.sqrt(q.size(-1)) / self.divisor), k, v, keep)


def batch(n: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """n rows of letters (n, T) and what to name at each place (n, T, 2): fresh at every call."""
    ids = torch.randint(0, V, (n, T), generator=generator)
    return ids, torch.stack([ids.flip(1), ids.roll(1, dims=1)], dim=-1)


def fit(
    model: TwoJobs,
    *,
    seed: int,
    steps: int = 250,
    lr: float = 3e-3,
    watch: Callable[[int, TwoJobs], None] = lambda step, model: None,
) -> TwoJobs:
    """Train on fresh batches of 32 rows by Adam; `watch(step, model)` is called before every step and at the end."""
    generator = torch.Generator().manual_seed(seed)
    optimiser = torch.optim.Adam(model.parameters(), lr=lr)
    for step in range(steps):
        watch(step, model)
        ids, answers = batch(32, generator)
        loss = F.cross_entropy(model(ids).flatten(0, 2), answers.flatten())
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    watch(steps, model)
    return model


@torch.no_grad()
def accuracy(model: TwoJobs, *, seed: int = 10_000) -> dict[str, float]:
    """The share of right letters in 500 rows that training did not see, for each job."""
    ids, answers = batch(500, torch.Generator().manual_seed(seed))
    right = (model(ids).argmax(dim=-1) == answers).float().mean(dim=(0, 1))
    return dict(zip(JOBS, right.tolist()))


def build(variant: str, seed: int) -> TwoJobs:
    """One of VARIANTS, with weights drawn from `seed`."""
    torch.manual_seed(seed)
    model = TwoJobs(n_heads=1 if variant == "one head" else 2, positions=variant != "no positions")
    E = D // 2
    divisors = {"scores not divided": 1.0, "scores divided by E": float(E)}
    if variant in divisors:
        model.attn.core = DividedBy(divisors[variant])
    return model


VARIANTS = ("as it is", "one head", "no positions", "scores not divided", "scores divided by E")


def measure(seeds: range = range(16)) -> list[dict[str, object]]:
    """Every variant with every seed: its accuracy in both jobs after 250 steps. About three minutes."""
    return [
        {"variant": variant, "seed": seed, **accuracy(fit(build(variant, seed), seed=seed))}
        for variant in VARIANTS
        for seed in seeds
    ]
