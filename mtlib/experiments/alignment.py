"""Dates from English to Spanish by an LSTM that looks back: where it looks, and whether another score could say so.

An AttentiveSeq2Seq learns dates. Its alignment is kept for a few held-out days. Then two students get the same states,
queries and keys, and are fitted to look where it looks: additive attention again, and one head of scaled dot product.
"""

from collections.abc import Callable
from datetime import date

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from ..data import Dates
from ..data.batch import source_and_answer
from ..recurrent import AdditiveAttention, AttentiveSeq2Seq
from ..trace import trace
from ..training import TrainConfig, evaluate, fit

D = 32
DAYS = (date(1987, 1, 5), date(1952, 12, 31), date(2040, 12, 14), date(1998, 8, 14))  # held out; drawn in the chapter


def train(seed: int, steps: int = 350) -> tuple[AttentiveSeq2Seq, Dates]:
    """By AdamW, 32 days a step, none of the held-out ones."""
    data = Dates("es")
    torch.manual_seed(seed)
    model = AttentiveSeq2Seq(source_vocab=data.vocab, vocab=data.vocab, d_model=D)
    fit(model, data, TrainConfig(steps=steps, batch=32, lr=1e-2, warmup=50, seed=seed, eval_rows=32), quiet=True)
    return model.eval(), data


@torch.no_grad()
def looks(model: AttentiveSeq2Seq, source: Tensor, inputs: Tensor, keep: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """What its attention was asked, by the states of which memory, and its weights: (B, T, D), (B, S, 2D), (B, T, S)."""
    cache = model.new_cache()
    with trace(model) as t:
        model(source, inputs, keep, cache)
    asked = [t["start"].tanh(), *t.all("decoder.cells.0.h")[:-1]]  # h of the step before
    return torch.stack(asked, dim=1), cache.memory, torch.stack(t.all("attention.weights"), dim=1)


class DotProduct(nn.Module):
    """One head of scaled dot product: scores (B, T, S)."""

    def __init__(self, width: int = D):
        super().__init__()
        self.q_proj, self.k_proj = nn.Linear(D, width, bias=False), nn.Linear(2 * D, width, bias=False)

    def forward(self, query: Float[Tensor, "B T D"], keys: Float[Tensor, "B S D2"]) -> Float[Tensor, "B T S"]:
        q, k = self.q_proj(query), self.k_proj(keys)
        return q @ k.mT / q.size(-1) ** 0.5


class Additive(nn.Module):
    """AdditiveAttention's scores, every query at once: (B, T, S)."""

    def __init__(self, width: int = D):
        super().__init__()
        self.one = AdditiveAttention(D, 2 * D, width)

    def forward(self, query: Float[Tensor, "B T D"], keys: Float[Tensor, "B S D2"]) -> Float[Tensor, "B T S"]:
        between = self.one.q_proj(query)[:, :, None] + self.one.k_proj(keys)[:, None]  # (B, T, S, A)
        return between.tanh() @ self.one.v


STUDENTS: dict[str, Callable[[], nn.Module]] = {"additive": Additive, "dot product": DotProduct}


def imitate(student: nn.Module, model: AttentiveSeq2Seq, data: Dates, steps: int = 150) -> dict[str, float]:
    """Fit the student's weights to the model's; on held-out days: same place first, and share of weight elsewhere."""
    optimiser = torch.optim.Adam(student.parameters(), lr=1e-2)
    for step in range(steps):
        source, inputs, keep = data.batch(step, 32).inputs
        query, memory, weights = looks(model, source, inputs, keep)
        real = inputs != 0  # no padding of the answer
        logits = student(query, memory).masked_fill(~keep[:, 0], -1e9)
        loss = F.cross_entropy(logits[real], weights[real])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    with torch.no_grad():
        source, inputs, keep = data.batch(0, 128, split="valid").inputs
        query, memory, weights = looks(model, source, inputs, keep)
        real = inputs != 0
        theirs = student(query, memory).masked_fill(~keep[:, 0], -1e9).softmax(dim=-1)[real]
        same = (theirs.argmax(dim=-1) == weights[real].argmax(dim=-1)).float().mean().item()
        elsewhere = (theirs - weights[real]).abs().sum(dim=-1).mean().item() / 2
    return {"same place": round(same, 4), "elsewhere": round(elsewhere, 4)}


def measure(seeds: range = range(3)) -> list[dict[str, object]]:
    """Three models, two students each, and the first model's alignments; about five minutes."""
    rows: list[dict[str, object]] = []
    for seed in seeds:
        model, data = train(seed)
        scores = evaluate(model, data, rows=256)
        rows.append({"model": seed, "letters": round(scores.accuracy, 4), "exact": round(scores.exact, 4)})
        for name, student in STUDENTS.items():
            torch.manual_seed(seed)
            rows.append({"model": seed, "student": name} | imitate(student(), model, data))
        if seed == 0:
            rows += [_drawn(model, data, day) for day in DAYS]
    return rows


def _drawn(model: AttentiveSeq2Seq, data: Dates, day: date) -> dict[str, object]:
    here, there = data.pair(day)
    batch = source_and_answer([(data.tokenizer.encode(here), data.tokenizer.encode(there))])
    weights = looks(model, *batch.inputs)[2][0]
    return {"source": here, "target": there, "weights": [[round(w, 3) for w in row] for row in weights.tolist()]}
