"""One layer of attention, two jobs: a task whose pattern can be foretold.

A row of T random letters goes in. At every place the model must name two letters: the one in
the mirror place, counted from the other end, and the one just before (the first place wraps
to the last). There is no residual and no FFN, so all that an output knows came through the
attention weights. Whoever knows the task can draw them before training.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int64
from torch import Tensor, nn

from ..attention import MultiHeadAttention
from ..cores import ExplicitCore
from ..trace import trace

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

    def forward(self, q: Tensor, k: Tensor, v: Tensor, keep: Tensor | None = None, bias: Tensor | None = None) -> Tensor:
        return super().forward(q * (math.sqrt(q.size(-1)) / self.divisor), k, v, keep, bias)


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


@dataclass(frozen=True)
class Variant:
    """What is changed, all else equal. `divisor` is what the scores are divided by: "√E", "1" or "E"."""

    n_heads: int = 2
    positions: bool = True
    divisor: str = "√E"
    steps: int = 250
    lr: float = 3e-3


_SLOW = {"lr": 1e-3, "steps": 500}
VARIANTS = {
    "as it is": Variant(),
    "one head": Variant(n_heads=1),
    "no positions": Variant(positions=False),
    "not divided": Variant(divisor="1"),
    "divided by E": Variant(divisor="E"),
    "as it is, slowly": Variant(**_SLOW),
    "not divided, slowly": Variant(divisor="1", **_SLOW),
}


def build(variant: str, seed: int) -> TwoJobs:
    """One of VARIANTS before training, with weights drawn from `seed`."""
    chosen = VARIANTS[variant]
    torch.manual_seed(seed)
    model = TwoJobs(chosen.n_heads, positions=chosen.positions)
    if chosen.divisor != "√E":
        model.attn.core = DividedBy(1.0 if chosen.divisor == "1" else D / chosen.n_heads)
    return model


def train(variant: str, seed: int, watch: Callable[[int, TwoJobs], None] = lambda step, model: None) -> TwoJobs:
    """Build one of VARIANTS and train it as it asks; seeds fix weights and data alike."""
    chosen = VARIANTS[variant]
    return fit(build(variant, seed), seed=seed, steps=chosen.steps, lr=chosen.lr, watch=watch)


@torch.no_grad()
def look(model: TwoJobs) -> tuple[Tensor, Tensor]:
    """The scores (100, H, T, T) and mean weights (H, T, T) of the model over 100 fixed rows."""
    ids, _ = batch(100, torch.Generator().manual_seed(123))
    with trace(model) as t:
        model(ids)
    return t["attn.core.scores"], t["attn.core.weights"].mean(dim=0)


def shares(weights: Float[Tensor, "H T T"]) -> dict[str, list[float]]:
    """How much of each head's attention goes where each job's answer stands.

    Place 0 is left out: there both jobs want the last letter, which tells nothing apart.
    """
    at = torch.arange(1, T)
    wanted = {"mirror": T - 1 - at, "before": at - 1}
    return {job: weights[:, at, place].mean(dim=1).tolist() for job, place in wanted.items()}


def measure(seeds: range = range(16)) -> list[dict[str, object]]:
    """Every variant with every seed; about four minutes.

    A row holds the variance of the scores before training, the accuracy in each job after it,
    and for each job the largest share of attention that a head gives to it.
    """
    rows = []
    for variant in VARIANTS:
        for seed in seeds:
            first, _ = look(build(variant, seed))
            model = train(variant, seed)
            best = {f"{job}_share": max(by_head) for job, by_head in shares(look(model)[1]).items()}
            row = {"variant": variant, "seed": seed, "first_variance": first.var().item()} | accuracy(model) | best
            rows.append({key: round(value, 4) if isinstance(value, float) else value for key, value in row.items()})
    return rows
