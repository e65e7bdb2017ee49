"""Four ways to make one vector of many, on one encoder: where do they differ, and what does attention make up for?

    needle      one of four signs stands among 5 to 15 that say nothing: which?         one token decides
    majority    four signs, thrown: which came most often?                              all decide together
    wishes      a sentence to a house: which of two dozen wishes is it? (intents.py)    nobody knows who decides

Every row begins with a sign of its own, as BERT's with [CLS], so that the first place has something
to pool. Each encoder is trained twice, as it is and with its attention taken out; without it tokens
meet in the pool and nowhere else. The same seed gives all four pools the same first weights of the
encoder and the same batches.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int64
from torch import Tensor, nn

from ..config import ModelConfig, Parts
from ..cores import use_fused
from ..data import PAD, Intents
from ..data.batch import Batch, Split, classed
from ..heads import AttentionPool, FirstPool, MaxPool, MeanPool
from ..masks import padding_keep
from ..transformer import Transformer

CLS = 1
SIGNS, CLASSES, SHORT, LONG = 8, 4, (6, 16), (24, 32)  # of the toys; how many signs stand in a row
D, HEADS, LAYERS = 32, 4, 1
BATCH, STEPS, LR = 32, {"needle": 100, "majority": 100, "wishes": 150}, 3e-3
POOLS: Mapping[str, Callable[[], nn.Module]] = MappingProxyType({
    "first": FirstPool, "mean": MeanPool, "max": MaxPool, "attention": lambda: AttentionPool(D),
})  # fmt: skip


def needle(n: int, generator: torch.Generator, lengths: tuple[int, int] = SHORT) -> Batch:
    """n rows of signs without meaning, one of CLASSES others among them."""
    ids, keep, long = _thrown(n, generator, lengths, first=2 + CLASSES)
    classes = torch.randint(CLASSES, (n,), generator=generator)
    at = 1 + (torch.rand(n, generator=generator) * long).long()
    ids[torch.arange(n), at] = 2 + classes
    return Batch((ids, keep), classes)


def majority(n: int, generator: torch.Generator, lengths: tuple[int, int] = SHORT) -> Batch:
    """n rows of CLASSES signs of which one came most often; rows that end in a tie are thrown again."""
    ids, _, _ = _thrown(4 * n, generator, lengths, first=2, kinds=CLASSES)
    often = (ids[..., None] == 2 + torch.arange(CLASSES)).sum(dim=1)  # (4n, classes)
    most = often.max(dim=1, keepdim=True).values
    fair = ((often == most).sum(dim=1) == 1).nonzero().flatten()[:n]
    return Batch((ids[fair], padding_keep(ids[fair], PAD)), often[fair].argmax(dim=1))


def _thrown(
    n: int, generator: torch.Generator, lengths: tuple[int, int], *, first: int, kinds: int = SIGNS
) -> tuple[Int64[Tensor, "n T"], Bool[Tensor, "n 1 1 T"], Int64[Tensor, "n"]]:
    """CLS and then signs, as many as the dice say; padding after."""
    low, high = lengths
    long = torch.randint(low, high + 1, (n,), generator=generator)
    ids = torch.randint(first, first + kinds, (n, 1 + high), generator=generator)
    ids[:, 0] = CLS
    ids[torch.arange(1 + high) > long[:, None]] = PAD
    return ids, padding_keep(ids, PAD), long


class Wishes:
    """Intents with CLS before every row."""

    def __init__(self):
        self.data = Intents(vocab=600, max_len=32)
        self.vocab, self.n_classes = self.data.vocab, self.data.n_classes

    def batch(self, rows: list[int], split: Split) -> Batch:
        return classed([[CLS, *self.data.row(split, row)] for row in rows], [self.data.rows[split][row].label for row in rows])


class NoAttention(nn.Module):
    """In the place of attention: nothing comes from anywhere.

    >>> NoAttention()(torch.ones(1, 2, 3)).sum().item()
    0.0
    """

    def forward(self, x: Float[Tensor, "B T D"], *args, **kwargs) -> Float[Tensor, "B T D"]:
        return torch.zeros_like(x)


def build(task: str, pool: str, attention: bool, seed: int, wishes: Wishes | None = None) -> Transformer:
    """The classifier before training."""
    vocab, classes = (wishes.vocab, wishes.n_classes) if wishes else (2 + CLASSES + SIGNS, CLASSES)
    position = "sinusoidal" if task == "wishes" else "none"  # order says nothing in the toys
    config = ModelConfig(
        vocab=vocab, max_len=33, d_model=D, n_heads=HEADS, n_layers=LAYERS, parts=Parts(position=position)
    )  # fmt: skip
    torch.manual_seed(seed)
    model = Transformer(config, n_classes=classes, pool=POOLS[pool]())
    if not attention:
        for block in model.encoder.blocks:
            block.attn = NoAttention()
        return model
    return use_fused(model)


def train(task: str, pool: str, attention: bool, seed: int, *, steps: int | None = None, wishes: Wishes | None = None) -> Transformer:
    """By AdamW; the rate climbs for a tenth of the steps, then falls to nothing in a line."""
    model, generator = build(task, pool, attention, seed, wishes), torch.Generator().manual_seed(seed)
    steps = STEPS[task] if steps is None else steps
    optimiser = torch.optim.AdamW(model.parameters(), lr=LR)
    for step in range(steps):
        optimiser.param_groups[0]["lr"] = LR * min((step + 1) / (0.1 * steps), (steps - step) / (0.9 * steps))
        (ids, keep), classes = _batch(task, generator, wishes)
        loss = F.cross_entropy(model(ids, keep), classes)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return model.eval()


def _batch(task: str, generator: torch.Generator, wishes: Wishes | None) -> Batch:
    if wishes:
        return wishes.batch(torch.randint(len(wishes.data.rows["train"]), (BATCH,), generator=generator).tolist(), "train")
    return TOYS[task](BATCH, generator)


TOYS: Mapping[str, Callable[..., Batch]] = MappingProxyType({"needle": needle, "majority": majority})


@torch.no_grad()
def right(model: Transformer, batch: Batch) -> float:
    """The share of a batch that is named rightly."""
    return (model(*batch.inputs).argmax(dim=1) == batch.targets).float().mean().item()


def row(task: str, pool: str, attention: bool, seed: int, wishes: Wishes | None = None) -> dict[str, object]:
    """One training, judged on rows it has not seen; toys on longer ones as well."""
    model = train(task, pool, attention, seed, wishes=wishes)
    if wishes:
        found = {"right": right(model, wishes.batch(list(range(wishes.data.held_out_rows)), "valid")), "longer": None}
    else:
        dice = torch.Generator().manual_seed(10_000)
        found = {"right": right(model, TOYS[task](1000, dice)), "longer": round(right(model, TOYS[task](1000, dice, LONG)), 4)}
    return {"task": task, "pool": pool, "attention": attention, "seed": seed} | found | {"right": round(found["right"], 4)}


def measure(seeds: range = range(3)) -> list[dict[str, object]]:
    """Every task, with attention and without, every pool, every seed; about two minutes."""
    wishes = Wishes()
    jobs = [(task, pool, attention, seed) for task in STEPS for attention in (True, False) for pool in POOLS for seed in seeds]
    return [row(*job, wishes=wishes if job[0] == "wishes" else None) for job in jobs]
