"""A bench on which designs are compared: one text, one training, one rule for who won.

The text and its test are those of sizes.py: 32 letters of Python's documentation, guess the
next. A design is a config and, where no config can say it, a change to the built model. Every
design is first tried at a few learning rates with a seed that has no vote, then trained at the
best of them with every seed that has one; with one seed, designs share batches and, where their
matrices have the same shapes, first weights.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal, NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int64
from torch import Tensor, nn

from ..config import ModelConfig
from ..cores import use_fused
from ..init import init_weights
from ..transformer import DecoderLM
from .next_letter import ALPHABET, text_hash
from .sizes import T, rows

STEPS, WARMUP, BATCH = 150, 20, 8
RATES = (0.005, 0.01, 0.02)
NO_VOTE = 100  # the seed with which a rate is chosen
BASE = ModelConfig(vocab=len(ALPHABET), max_len=T, d_model=32, n_heads=4, n_layers=2)


@dataclass(frozen=True)
class Design:
    """A model to be compared; `change` is done to it after its first weights are drawn."""

    config: ModelConfig = BASE
    change: Callable[[DecoderLM], Any] = lambda model: None
    shift: int = 0  # of the seed: 1000 makes a design that is the base but for its luck


class AttentionAlone(nn.Module):
    """A block without its FFN."""

    def __init__(self, block: nn.Module):
        super().__init__()
        self.norm1, self.attn, self.resid_mid = block.norm1, block.attn, block.resid_mid

    def forward(self, x: Float[Tensor, "B T D"], keep=None, *others) -> Float[Tensor, "B T D"]:
        # whatever a decoder hands to its blocks, the last is the position
        return self.resid_mid(x, partial(self.attn, keep=keep, position=others[-1]), self.norm1)


class FFNAlone(nn.Module):
    """A block without its attention."""

    def __init__(self, block: nn.Module):
        super().__init__()
        self.norm2, self.ffn, self.resid_post = block.norm2, block.ffn, block.resid_post

    def forward(self, x: Float[Tensor, "B T D"], *others) -> Float[Tensor, "B T D"]:
        return self.resid_post(x, self.ffn, self.norm2)


def blocks_as(model: DecoderLM, *kinds: Callable[[nn.Module], nn.Module]) -> None:
    """In the place of every block, the parts of it that are named, in that order."""
    model.blocks = nn.ModuleList(kind(block) for block in model.blocks for kind in kinds)


def build(design: Design, seed: int) -> DecoderLM:
    """The model before training; a matrix keeps about the size of what it is given, also where D is small."""
    model = use_fused(DecoderLM(design.config))
    torch.manual_seed(seed + design.shift)
    init_weights(model, n_layers=design.config.n_layers, std=design.config.d_model**-0.5)
    design.change(model)
    return model


def train(
    model: nn.Module,
    batch: Callable[[torch.Generator], tuple[Tensor, Tensor]],
    *,
    rate: float,
    seed: int,
    steps: int = STEPS,
    watch: Callable[[int], None] = lambda step: None,
) -> None:
    """Adam on fresh batches (ids, targets): the rate climbs for WARMUP steps, then falls to 0 along a cosine."""
    generator = torch.Generator().manual_seed(seed)
    optimiser = torch.optim.Adam(model.parameters(), lr=rate, betas=(0.9, 0.98), fused=True)
    climb = torch.tensor([(step + 1) / WARMUP for step in range(steps)]).clamp(max=1)
    fall = (1 + (torch.arange(steps) / steps * torch.pi).cos()) / 2
    for step, share in enumerate((climb * fall).tolist()):
        watch(step)
        optimiser.param_groups[0]["lr"] = rate * share
        ids, targets = batch(generator)
        loss = F.cross_entropy(model(ids).flatten(0, 1), targets.flatten())
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
    watch(steps)


def windows(generator: torch.Generator, text: Int64[Tensor, "n 33"] | None = None) -> tuple[Tensor, Tensor]:
    """BATCH windows of a text, of the one to learn from unless another is given, and each letter's successor."""
    text = rows(0) if text is None else text
    batch = text[torch.randint(0, len(text), (BATCH,), generator=generator)]
    return batch[:, :-1], batch[:, 1:]


@torch.no_grad()
def surprise(model: nn.Module, text: Int64[Tensor, "n 33"] | None = None) -> float:
    """The mean surprise at the letters of a text, of every other window of the test unless another is given, in nats."""
    text = rows(1)[::2] if text is None else text
    return F.cross_entropy(model(text[:, :-1]).flatten(0, 1), text[:, 1:].flatten()).item()


def trained(design: Design, seed: int, rate: float) -> DecoderLM:
    """A design after its training."""
    model = build(design, seed)
    train(model, windows, rate=rate, seed=seed + design.shift)
    return model


def contest(designs: dict[str, Design], seeds: range) -> list[dict[str, object]]:
    """All runs of all designs, those that chose a rate among them (vote: False)."""
    found = []
    for name, design in designs.items():
        tried = {rate: surprise(trained(design, NO_VOTE, rate)) for rate in RATES}
        best = min(tried, key=tried.get)
        runs = [(rate, NO_VOTE, loss) for rate, loss in tried.items()]
        runs += [(best, seed, surprise(trained(design, seed, best))) for seed in seeds]
        size = sum(p.numel() for p in build(design, 0).parameters())
        of = {"design": name, "parameters": size, "text": text_hash()}
        found += [of | {"rate": rate, "seed": seed, "vote": seed != NO_VOTE, "loss": round(loss, 5)} for rate, seed, loss in runs]
    return found


class Comparison(NamedTuple):
    """What b gains on a: the mean over seeds of a's loss less b's, its standard error, and who won."""

    mean: float
    se: float
    verdict: Literal["a", "b", "undecided"]


def compare(a: Sequence[float], b: Sequence[float]) -> Comparison:
    """Losses of two designs, paired by seed: the lower wins where the mean difference is over two standard errors.

    >>> compare([2.0, 2.1, 2.2], [1.9, 2.1, 2.0]).verdict
    'undecided'
    """
    if len(a) != len(b) or len(a) < 2:
        raise ValueError(f"{len(a)} losses of a and {len(b)} of b; they are paired by seed, two pairs at least")
    d = torch.tensor([x - y for x, y in zip(a, b)], dtype=torch.float64)
    mean, se = d.mean().item(), (d.std() / len(d) ** 0.5).item()
    return Comparison(mean, se, "b" if mean > 2 * se else "a" if mean < -2 * se else "undecided")


def with_parts(**words: Any) -> Design:
    """The base with other mechanisms, in the words of mt.Parts."""
    return Design(replace(BASE, parts=replace(BASE.parts, **words)))
