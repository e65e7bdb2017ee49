"""A small language model guesses for a larger one: how often is it right, and how many tokens does a pass bring?

Letters of Python's documentation. The target has four layers; the drafts are one layer half as wide, and a table of how
often each letter follows each. `overlap` is the sum over letters of min(p, q), the mean over the places of texts that the
target wrote: the chance that a guess stands (Leviathan et al. 2023, section 3.2).
"""

from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int64
from torch import Tensor, nn

from ..config import LLAMA, ModelConfig
from ..cores import use_fused
from ..generation import GREEDY, Rules, generate, speculative
from ..transformer import DecoderLM
from .next_letter import ALPHABET, blocks, text_hash

V, T = len(ALPHABET), 128
SIZES = {"target": {"d_model": 64, "n_heads": 4, "n_layers": 4}, "one layer": {"d_model": 32, "n_heads": 2, "n_layers": 1}}
STEPS, BATCH, LR = 250, 8, 5e-3
RULES = {"as it is": Rules(), "temperature 0.5": Rules(temperature=0.5), "greedy": GREEDY}
AHEAD, TEXTS, NEW = (1, 2, 4, 8), 2, 80


class Length:
    """All that a table of pairs need remember of a text."""

    length = 0

    def __len__(self) -> int:
        return self.length

    def truncate(self, length: int) -> None:
        self.length = min(self.length, length)


class Pairs(nn.Module):
    """How often each letter followed each in the training text, as a writer: ids (B, T) -> log-probabilities (B, T, V)."""

    def __init__(self) -> None:
        super().__init__()
        counts = torch.ones(V, V)  # one of each beforehand, so that nothing is impossible
        text = blocks()[0]
        counts.index_put_((text[:, :-1].flatten(), text[:, 1:].flatten()), torch.ones(text[:, 1:].numel()), accumulate=True)
        self.register_buffer("table", (counts / counts.sum(dim=1, keepdim=True)).log())

    def new_cache(self) -> Length:
        return Length()

    def forward(self, ids: Int64[Tensor, "B T"], cache: Length | None = None) -> Float[Tensor, "B T V"]:
        if cache is not None:
            cache.length += ids.size(1)
        return self.table[ids]


def train(name: str, seed: int, steps: int = STEPS) -> DecoderLM:
    """By AdamW on random windows of T letters, with 50 steps of warm-up and a rate that falls to 0."""
    torch.manual_seed(seed)
    model = use_fused(DecoderLM(ModelConfig(vocab=V, max_len=T, **SIZES[name], parts=LLAMA)))
    generator, text = torch.Generator().manual_seed(seed), blocks()[0].unfold(1, T + 1, 1)
    optimiser = torch.optim.AdamW(model.parameters(), lr=LR, betas=(0.9, 0.99), weight_decay=0.01)
    for step in range(steps):
        optimiser.param_groups[0]["lr"] = LR * min((step + 1) / 50, 1 - step / steps)
        row, start = (torch.randint(n, (BATCH,), generator=generator) for n in text.shape[:2])
        batch = text[row, start]
        loss = F.cross_entropy(model(batch[:, :-1]).flatten(0, 1), batch[:, 1:].flatten())
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
    return model.eval()


@torch.no_grad()
def loss(model: nn.Module) -> float:
    """Nats a letter of the test text, from windows of T."""
    text = blocks()[1][:, : 7 * T + 1].unfold(1, T + 1, T).flatten(0, 1)
    return F.cross_entropy(model(text[:, :-1]).flatten(0, 1), text[:, 1:].flatten()).item()


@torch.no_grad()
def overlap(model: nn.Module, draft: nn.Module, rules: Rules, prompts: Int64[Tensor, "B T"], seed: int) -> float:
    """The chance that a guess of the draft stands, over texts that the model writes by these rules."""
    generator = None if rules.greedy else torch.Generator().manual_seed(seed)
    wrote = torch.tensor(generate(model, prompts, max_new=NEW, rules=rules, generator=generator))
    text = torch.cat([prompts, wrote], dim=1)
    at = slice(prompts.size(1) - 1, -1)
    p, q = (rules(m(text)[:, at].flatten(0, 1), text[:1].expand(wrote.numel(), -1)) for m in (model, draft))
    return torch.minimum(p, q).sum(dim=-1).mean().item()


def measure(seeds: range = range(3)) -> list[dict[str, Any]]:
    """Three targets, two drafts for each, by three rules, from one guess ahead to eight; about three minutes."""
    rows, prompts = [], blocks()[1][:TEXTS, :16]
    for seed in seeds:
        model = train("target", seed)
        drafts = {"one layer": train("one layer", seed), "pairs": Pairs()}
        for name, draft in drafts.items():
            losses = {"target loss": round(loss(model), 4), "draft loss": round(loss(draft), 4), "text": text_hash()}
            for rule, rules in RULES.items():
                stands = round(overlap(model, draft, rules, prompts, seed), 4)
                for ahead in AHEAD:
                    generator = None if rules.greedy else torch.Generator().manual_seed(seed)
                    runs = [speculative(model, draft, row, ahead=ahead, max_new=NEW, rules=rules, generator=generator) for row in prompts.tolist()]
                    counts = {what: sum(getattr(run, what) for run in runs) for what in ("passes", "guessed", "accepted")}
                    about = {"seed": seed, "draft": name, "rule": rule, "ahead": ahead, "overlap": stands}
                    rows.append(about | counts | {"written": sum(len(run.tokens) for run in runs)} | losses)
    return rows
