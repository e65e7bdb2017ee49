"""One to eight heads with the same parameters, on a task that needs two patterns at once.

The task is that of two_jobs.py: at every place name the letter in the mirror place and the letter
before. The width is 64 throughout, so that H heads are 64/H wide and the weights as many.
"""

import torch

from .two_jobs import JOBS, TwoJobs, accuracy, fit, look, shares

HEADS = (1, 2, 4, 8)


def train(n_heads: int, seed: int) -> TwoJobs:
    """Weights and batches are fixed by the seed; training is two_jobs's own."""
    torch.manual_seed(seed)
    return fit(TwoJobs(n_heads), seed=seed)


def measure(seeds: range = range(16)) -> list[dict[str, object]]:
    """Accuracy in each job, and how many heads give more than half of their attention to one of them; two minutes."""
    rows = []
    for n_heads in HEADS:
        for seed in seeds:
            model = train(n_heads, seed)
            looks = shares(look(model)[1])
            busy = {f"{job}_heads": sum(share > 0.5 for share in looks[job]) for job in JOBS}
            right = {job: round(value, 4) for job, value in accuracy(model).items()}
            parameters = sum(p.numel() for p in model.parameters())
            rows.append({"heads": n_heads, "seed": seed, "parameters": parameters} | right | busy)
    return rows
