"""Who asks whom? Days from English to Spanish with cross-attention as it is, with its roles swapped, and with none.

With the roles swapped, queries come from the encoder's rows, keys and values from the decoder's. As many rows come out as
asked, so they can be added to the decoder's only where both texts have the same length: here all are padded to one.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..attention import MultiHeadAttention
from ..config import ModelConfig, Parts
from ..cores import use_explicit, use_fused
from ..data import BOS, PAD, Batch
from ..data.batch import IGNORE, Split, source_and_answer
from ..masks import padding_keep
from ..training import TrainConfig, cross_entropy, fit
from ..transformer import EncoderDecoder
from .year import Year

STEPS, BATCH, LR = 300, 32, 7e-3


class Square:
    """Days as a source of batches in which source and answer are equally long; see data.batch.Data."""

    def __init__(self) -> None:
        self.year = Year("es")
        self.vocab, self.max_len, self.tokenizer = self.year.vocab, self.year.max_len, self.year.tokenizer

    def batch(self, step: int, size: int, *, split: Split = "train", seed: int = 0) -> Batch:
        (source, inputs, _), targets = source_and_answer(self.year.pairs(step, size, split=split, seed=seed))
        source, inputs = (self._wide(ids, PAD) for ids in (source, inputs))
        return Batch((source, inputs, padding_keep(source, PAD)), self._wide(targets, IGNORE))

    def _wide(self, ids: Tensor, fill: int) -> Tensor:
        return F.pad(ids, (0, self.max_len - ids.size(1)), value=fill)


class Swapped(MultiHeadAttention):
    """The memory asks and the decoder's rows answer: as many rows as the memory has."""

    def forward(self, x: Tensor, context: Tensor, **_: object) -> Tensor:
        return super().forward(context, x)


class Nothing(MultiHeadAttention):
    """No look across: zeros are added."""

    def forward(self, x: Tensor, context: Tensor, **_: object) -> Tensor:
        return torch.zeros_like(x)


# What stands in cross-attention's place: its class, and whether row i may see rows up to i only.
VARIANTS: dict[str, tuple[type[MultiHeadAttention], bool]] = {
    "as it is": (MultiHeadAttention, False),
    "roles swapped": (Swapped, True),
    "roles swapped, no triangle": (Swapped, False),
    "no look across": (Nothing, False),
}


def build(variant: str, data: Square) -> EncoderDecoder:
    """One layer a side, 48 numbers a letter, 4 heads."""
    config = ModelConfig(vocab=data.vocab, max_len=data.max_len, d_model=48, n_heads=4, n_layers=1, parts=Parts(position="sinusoidal"))
    model = EncoderDecoder(config)
    kind, causal = VARIANTS[variant]
    for block in model.decoder.blocks:
        there = kind(config.d_model, config.n_heads, causal=causal)
        there.load_state_dict(block.cross_attn.state_dict())  # the same first weights in every variant
        block.cross_attn = there
    return model


def train(variant: str, seed: int, *, steps: int = STEPS) -> tuple[EncoderDecoder, Square]:
    """By AdamW, 32 days a step, none of the held-out ones."""
    data = Square()
    torch.manual_seed(seed)
    model = use_fused(build(variant, data))
    warmup = min(50, steps // 2)
    fit(model, data, TrainConfig(steps=steps, batch=BATCH, lr=LR, warmup=warmup, seed=seed, eval_rows=32), quiet=True)
    return use_explicit(model.eval()), data


@torch.no_grad()
def write(model: nn.Module, source: Tensor, width: int) -> Tensor:
    """Letter after letter, the likeliest each time, its own letters before it: (B, width) ids."""
    inputs = torch.full((len(source), width), PAD)
    inputs[:, 0] = BOS
    keep = padding_keep(source, PAD)
    for t in range(width):
        best = model(source, inputs, keep)[:, t].argmax(dim=-1)
        if t + 1 < width:
            inputs[:, t + 1] = best
    return torch.cat([inputs[:, 1:], best[:, None]], dim=1)


@torch.no_grad()
def score(model: nn.Module, data: Square) -> dict[str, float]:
    """Of the held-out days: nats a day, the right letters before each; first letters right; days that it writes right by itself."""
    (source, inputs, keep), targets = data.batch(0, len(data.year.days["valid"]), split="valid")
    logits, asked = model(source, inputs, keep), targets != IGNORE
    ids = write(model, source, data.max_len)
    alone = ((ids == targets) | ~asked).all(dim=1)  # what it writes after the end does not count
    first = logits[:, 0].argmax(dim=-1) == targets[:, 0]
    nats = cross_entropy(logits, targets) * asked.sum() / len(targets)
    return {"nats": round(nats.item(), 4), "first": round(first.float().mean().item(), 4), "alone": round(alone.float().mean().item(), 4)}


def measure(seeds: range = range(3)) -> list[dict[str, object]]:
    """Every variant and seed; about two minutes of a core."""
    return [{"variant": variant, "seed": seed} | score(*train(variant, seed)) for variant in VARIANTS for seed in seeds]
