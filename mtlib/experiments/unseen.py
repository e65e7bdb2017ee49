"""In-context learning, small: does a model read a mapping from its examples, or recall those of its training?

A mapping gives each of 6 keys one of 6 values. A row shows each key with its value, in any order, and then asks for
four keys. Whatever the mapping, the answers stand in the row; whoever knows the mapping already need not look.

    e5 a2 c2 f1 b6 d4   b? e? e? a?        -> 6 5 5 2          each pair is one token, each question another

A model is trained on rows of so many mappings and judged on mappings that were not among them. Chan et al. 2022 ask
what in the data makes a model read; Raventós et al. 2023 count how many tasks it takes, for regression.
"""

from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Int64
from torch import Tensor, nn

from ..config import ModelConfig, Parts
from ..cores import use_fused
from ..recurrent import RecurrentLM
from ..transformer import DecoderLM

KEYS, ASKED = 6, 4
V, T = KEYS * KEYS + KEYS, KEYS + ASKED  # a token for each pair, then one for each question
MANY = (1, 4, 8, 16, 64, 1024)  # mappings to train on, of 6⁶ = 46,656
STEPS, LONGER, BATCH, LR = 150, 1200, 64, 1e-2


def mappings(n: int, seed: int) -> Int64[Tensor, "n K"]:
    """n mappings: [2, 0, …] gives key 0 value 2, key 1 value 0, …"""
    return torch.randint(KEYS, (n, KEYS), generator=torch.Generator().manual_seed(seed))


def unseen(seen: Int64[Tensor, "many K"], n: int = 500) -> Int64[Tensor, "n K"]:
    """n mappings that are not among `seen`."""
    known = set(map(tuple, seen.tolist()))
    drawn = mappings(2 * n, seed=10_000)
    return torch.stack([mapping for mapping in drawn if tuple(mapping.tolist()) not in known][:n])


def rows(of: Int64[Tensor, "n K"], generator: torch.Generator) -> tuple[Int64[Tensor, "n T"], Int64[Tensor, "n asked"]]:
    """A row for each mapping, and the values asked for at its end."""
    keys = torch.rand(len(of), KEYS, generator=generator).argsort(dim=1)
    asked = torch.randint(KEYS, (len(of), ASKED), generator=generator)
    return torch.cat([keys * KEYS + of.gather(1, keys), KEYS * KEYS + asked], dim=1), of.gather(1, asked)


def build(who: str, seed: int) -> nn.Module:
    """One layer of attention without positions, for pairs have no order; or an LSTM with a state twice as wide."""
    torch.manual_seed(seed)
    if who == "lstm":
        return RecurrentLM(V, d_model=64)
    sizes = {"vocab": V, "max_len": T, "d_model": 32, "n_heads": 1, "n_layers": 1, "d_ff": 64}
    return use_fused(DecoderLM(ModelConfig(**sizes, parts=Parts(position="none", tied=False))))


def train(who: str, many: int, seed: int, *, steps: int = STEPS) -> nn.Module:
    """On fresh rows of `many` mappings by AdamW; 30 steps of warm-up, and from the middle on a rate that falls to 0."""
    model, seen = build(who, seed), mappings(many, seed)
    generator = torch.Generator().manual_seed(seed)
    optimiser = torch.optim.AdamW(model.parameters(), lr=LR, betas=(0.9, 0.99), weight_decay=0.0)
    for step in range(steps):
        optimiser.param_groups[0]["lr"] = LR * min(1.0, (step + 1) / 30, 2 * (1 - step / steps))
        ids, values = rows(seen[torch.randint(many, (BATCH,), generator=generator)], generator)
        loss = F.cross_entropy(model(ids)[:, KEYS:].flatten(0, 1), values.flatten())
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
    return model.eval()


@torch.no_grad()
def right(model: nn.Module, of: Int64[Tensor, "n K"]) -> float:
    """The share of values that the model names, a row for each mapping; a blind guess is 1/6."""
    ids, values = rows(of, torch.Generator().manual_seed(20_000))
    return (model(ids)[:, KEYS:].argmax(dim=-1) == values).float().mean().item()


def one(who: str, many: int, seed: int, steps: int) -> dict[str, Any]:
    """A row of the result: the share right on mappings of the training, and on others."""
    model, seen = train(who, many, seed, steps=steps), mappings(many, seed)
    again = seen[torch.arange(500) % many]
    score = {"seen": round(right(model, again), 4), "unseen": round(right(model, unseen(seen)), 4)}
    return {"who": who, "mappings": many, "seed": seed, "steps": steps} | score


def measure(seeds: range = range(5)) -> list[dict[str, Any]]:
    """Five seeds for each number of mappings; three of the LSTM, with the same steps and with eight times as many."""
    read = [one("transformer", many, seed, STEPS) for many in MANY for seed in seeds]
    return read + [one("lstm", MANY[-1], seed, steps) for steps in (STEPS, LONGER) for seed in seeds[:3]]
