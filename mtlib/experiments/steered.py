"""Which head takes which job: foretold, fixed in advance, or left to two heads that begin as one.

The task is that of two_jobs.py: name the letter in the mirror place and the letter before, with two
heads. Left alone, either head may take either job. Here head 0 is meant to look before:

    by a mask       it may see nothing else
    by a push       2 is added to its scores at that place for the first PUSHED steps, then no more
    by a loss       a tenth of its surprise at that place is added to the loss, all along

And `twins` begin as one head written twice, but for some noise: nothing in the task tells them apart.
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

from ..cores import ExplicitCore
from ..trace import trace
from . import two_jobs
from .two_jobs import D, T, TwoJobs

STEERS = ("left alone", "by a mask", "by a push", "by a loss")
PUSHED, STRENGTH, TENTH = 20, 2.0, 0.1
NOISES = (0.0, 1e-6, 1e-3)
EARLY = (0, 2, 5, 10, 20)  # steps at which the end is foretold
TWIN_STEPS = 300


class Steered(ExplicitCore):
    """The explicit core, with a mask or a bias of its own for each head, (H, T, T)."""

    def __init__(self, keep: Bool[Tensor, "H T T"] | None = None, bias: Float[Tensor, "H T T"] | None = None):
        super().__init__()
        self.keep, self.bias = keep, bias

    def forward(self, q: Tensor, k: Tensor, v: Tensor, keep: Tensor | None = None, bias: Tensor | None = None) -> Tensor:
        return super().forward(q, k, v, self.keep, self.bias)


def before() -> Bool[Tensor, "T T"]:
    """For every place the one before; the first wraps to the last."""
    return torch.eye(T, dtype=torch.bool).roll(-1, dims=1)


def head_0(wanted: Bool[Tensor, "T T"]) -> Bool[Tensor, "2 T T"]:
    """Only what is wanted for head 0, everything for head 1."""
    return torch.stack([wanted, torch.ones(T, T, dtype=torch.bool)])


def steered(steer: str, seed: int, watch: Callable[[int, TwoJobs], None] = lambda step, model: None) -> TwoJobs:
    """Build two_jobs's model as it is, steer it, train it; seeds fix weights and data alike."""
    model = two_jobs.build("as it is", seed)
    push = STRENGTH * torch.stack([before().float(), torch.zeros(T, T)])
    if steer == "by a mask":
        model.attn.core = Steered(keep=head_0(before()))
    if steer == "by a push":
        model.attn.core = Steered(bias=push)

    def each_step(step: int, model: TwoJobs) -> None:
        if steer == "by a push" and step == PUSHED:
            model.attn.core = ExplicitCore()
        watch(step, model)

    if steer == "by a loss":
        return _fit_told(model, seed, each_step)
    return two_jobs.fit(model, seed=seed, watch=each_step)


def _fit_told(model: TwoJobs, seed: int, watch: Callable[[int, TwoJobs], None], steps: int = 250) -> TwoJobs:
    """two_jobs's training with a second loss: head 0's surprise at the place before."""
    generator, at = torch.Generator().manual_seed(seed), before()
    optimiser = torch.optim.Adam(model.parameters(), lr=3e-3)
    for step in range(steps):
        watch(step, model)
        ids, answers = two_jobs.batch(32, generator)
        with trace(model) as t:
            loss = F.cross_entropy(model(ids).flatten(0, 2), answers.flatten())
        told = -t["attn.core.weights"][:, 0][:, at].log().mean()
        optimiser.zero_grad()
        (loss + TENTH * told).backward()
        optimiser.step()
    watch(steps, model)
    return model


def leans(model: TwoJobs) -> float:
    """How much more head 0 looks before, and head 1 in the mirror, than the other way round: above 0 if head 0 has `before`."""
    shares = two_jobs.shares(two_jobs.look(model)[1])
    return (shares["before"][0] - shares["before"][1]) + (shares["mirror"][1] - shares["mirror"][0])


def taken(steer: str, seed: int) -> dict[str, object]:
    """One run: how right it is, how it leant at EARLY steps and at the end."""
    early: list[float] = []

    def watch(step: int, model: TwoJobs) -> None:
        if step in EARLY:
            early.append(round(leans(model), 4))

    model = steered(steer, seed, watch)
    right = {job: round(value, 4) for job, value in two_jobs.accuracy(model).items()}
    return {"steer": steer, "seed": seed} | right | {"early": early, "end": round(leans(model), 4)}


def twins(seed: int, noise: float) -> TwoJobs:
    """Head 1 is head 0 once more, its rows of W_Q, W_K, W_V and its columns of W_O, and `noise` times a normal draw.

    In float64, where rounding is smallest.
    """
    model, generator = two_jobs.build("as it is", seed).double(), torch.Generator().manual_seed(seed)
    attn, E = model.attn, D // 2
    with torch.no_grad():
        for proj in (attn.q_proj, attn.k_proj, attn.v_proj):
            for rows in (proj.weight, proj.bias):
                rows[E:] = rows[:E] + noise * torch.randn(rows[:E].shape, generator=generator)
        columns = attn.o_proj.weight
        columns[:, E:] = columns[:, :E] + noise * torch.randn(D, E, generator=generator)
    return model


def apart(model: TwoJobs) -> float:
    """The length of the difference of the two heads' W_Q and W_K, as a share of their length."""
    q, k = (proj.weight.detach() for proj in (model.attn.q_proj, model.attn.k_proj))
    both, E = torch.cat([q, k], dim=1), D // 2
    return ((both[:E] - both[E:]).norm() / both[:E].norm()).item()


def twinned(noise: float, seed: int) -> dict[str, object]:
    """One training of twins: how far apart they are every 50 steps, and how right in the end."""
    found: list[float] = []

    def watch(step: int, model: TwoJobs) -> None:
        if step % 50 == 0:
            found.append(float(f"{apart(model):.3g}"))

    model = two_jobs.fit(twins(seed, noise), seed=seed, steps=TWIN_STEPS, watch=watch)
    right = {job: round(value, 4) for job, value in two_jobs.accuracy(model).items()}
    return {"noise": noise, "seed": seed} | right | {"apart": found}


def measure(alone: range = range(12), told: range = range(5), few: range = range(3)) -> list[dict[str, object]]:
    """Left alone with many seeds, every other steer and twins with fewer; a minute."""
    seeds = {steer: alone if steer == "left alone" else told for steer in STEERS}
    rows = [taken(steer, seed) for steer in STEERS for seed in seeds[steer]]
    return rows + [twinned(noise, seed) for noise in NOISES for seed in few]
