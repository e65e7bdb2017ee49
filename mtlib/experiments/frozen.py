"""One loss, many parts: a small language model trains with one of its parts held at its first weights.

Model, text and training are those of sizes.py, 32 wide, two blocks. A part that is held still passes
values up and gradients down; it only does not learn. The runs in which all learn also say, at some
steps, which part had which share of the gradient and how alike the heads were.
"""

import copy
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import nn

from ..cores import use_fused
from ..transformer import DecoderLM
from . import sizes
from .next_letter import text_hash
from .sizes import Variant

SMALL = Variant(d_model=32, n_heads=4, steps=100)
HELD = {
    "nothing": (),
    "token table": ("tok.",),
    "W_Q and W_K": ("q_proj.", "k_proj."),
    "W_V and W_O": ("v_proj.", "o_proj."),
    "FFN": ("ffn.",),
    "norms": ("norm",),
    "all but the table": ("blocks.", "norm"),
}
GROUPS = {
    "token table": ("tok.",), "attention 0": ("blocks.0.attn.",), "FFN 0": ("blocks.0.ffn.",),
    "attention 1": ("blocks.1.attn.",), "FFN 1": ("blocks.1.ffn.",), "norms": ("norm",),
}  # fmt: skip
MOMENTS = (0, 5, 10, 20, 40, 99)


def in_group(name: str, marks: tuple[str, ...]) -> bool:
    """Whether a parameter's name carries one of the marks."""
    return any(mark in name for mark in marks)


def train(
    held: str, seed: int, *, watch: Callable[[int, DecoderLM, float], None] = lambda step, model, loss: None
) -> DecoderLM:
    """As sizes.train, with what is held not learning; `watch(step, model, loss)` is called with each gradient in place."""
    model, text, steps = sizes.build(SMALL, seed), sizes.rows(0), SMALL.steps
    generator = torch.Generator().manual_seed(seed)
    learning = [p for name, p in model.named_parameters() if not in_group(name, HELD[held])]
    optimiser = torch.optim.Adam(learning, lr=0.0, betas=(0.9, 0.98))
    warm = torch.tensor([(step + 1) / 20 for step in range(steps)]).clamp(max=1)
    rates = 0.08 * SMALL.d_model**-0.5 * warm * (1 + (torch.arange(steps) / steps * torch.pi).cos()) / 2
    for step, rate in enumerate(rates.tolist()):
        optimiser.param_groups[0]["lr"] = rate
        batch = text[torch.randint(0, len(text), (sizes.BATCH,), generator=generator)]
        loss = F.cross_entropy(model(batch[:, :-1]).flatten(0, 1), batch[:, 1:].flatten())
        model.zero_grad()
        loss.backward()
        watch(step, model, loss.item())
        nn.utils.clip_grad_norm_(learning, 1.0)
        optimiser.step()
    return model


def shares(model: DecoderLM) -> dict[str, float]:
    """Each group's share of the squared length of the gradient."""
    found = dict.fromkeys(GROUPS, 0.0)
    for name, p in model.named_parameters():
        group = next(g for g, marks in GROUPS.items() if in_group(name, marks))
        found[group] += p.grad.square().sum().item()
    total = sum(found.values())
    return {group: round(value / total, 4) for group, value in found.items()}


def overlap(model: DecoderLM) -> float:
    """sizes.overlap of a copy, for it swaps the attention cores: the share of its attention that a head has in common with another."""
    return round(sizes.overlap(copy.deepcopy(model)), 4)


def watched(seed: int) -> tuple[DecoderLM, list[dict[str, object]]]:
    """A run in which all learn, and what was seen at MOMENTS."""
    diary: list[dict[str, object]] = []

    def watch(step: int, model: DecoderLM, loss: float) -> None:
        if step in MOMENTS:
            diary.append({"step": step, "loss": round(loss, 4), "overlap": overlap(model), "shares": shares(model)})

    return train("nothing", seed, watch=watch), diary


def row(held: str, seed: int) -> dict[str, object]:
    """One training: its loss on the test text, and its diary where nothing is held."""
    model, diary = watched(seed) if held == "nothing" else (train(held, seed), [])
    return {"held": held, "seed": seed, "loss": round(sizes.loss(use_fused(model)), 4), "diary": diary, "text": text_hash()}


def measure(seeds: range = range(3)) -> list[dict[str, object]]:
    """Everything held in turn, with every seed; about two minutes."""
    return [row(held, seed) for held in HELD for seed in seeds]
