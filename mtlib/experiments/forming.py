"""A head learns to look something up: small enough that each of its matrices can be read, at every step.

Six pairs lie on the table, a key and a value each; a key is asked, its value is to be named.

    x = key[asked]        context_i = key_i + value_i        answer = head(attention(x, context))

One head, no norm, no FFN, no residual, so the question must be answered by where the head looks
(W_Q, W_K) and what it brings from there (W_V, W_O). In the task `same` the key that is asked lies
on the table; in `next` the answer lies with the key that follows it in the alphabet, which makes
asking and answering different things. Every key and every value lies on the table once at most.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int64
from torch import Tensor, nn

from ..attention import MultiHeadAttention
from ..interp.circuits import ov_circuit, qk_circuit
from ..trace import trace

KEYS, VALUES, PAIRS, D = 12, 12, 6, 32
BATCH, STEPS, LR = 64, 300, 1.5e-3
TASKS: Mapping[str, int] = MappingProxyType({"same": 0, "next": 1})  # how far the answer's key lies from the one asked
TIES: Mapping[str, tuple[str, ...]] = MappingProxyType({
    "three matrices": (), "W_K = W_Q": ("k",), "W_V = W_K": ("v",),
})  # fmt: skip


class Table(NamedTuple):
    """What is asked (B), the keys and values on the table (B, P), and where the answer lies (B)."""

    asked: Int64[Tensor, "B"]
    keys: Int64[Tensor, "B P"]
    values: Int64[Tensor, "B P"]
    at: Int64[Tensor, "B"]

    @property
    def answer(self) -> Int64[Tensor, "B"]:
        return self.values.gather(1, self.at[:, None])[:, 0]


def tables(n: int, task: str, generator: torch.Generator) -> Table:
    """n tables, fresh at every call."""
    keys = torch.rand(n, KEYS, generator=generator).argsort(dim=1)[:, :PAIRS]
    values = torch.rand(n, VALUES, generator=generator).argsort(dim=1)[:, :PAIRS]
    at = torch.randint(0, PAIRS, (n,), generator=generator)
    return Table((keys.gather(1, at[:, None])[:, 0] - TASKS[task]) % KEYS, keys, values, at)


class Lookup(nn.Module):
    """Two tables of vectors, one head of attention, a linear map to a score for each value."""

    def __init__(self, ties: tuple[str, ...] = ()):
        super().__init__()
        self.key, self.value = nn.Embedding(KEYS, D), nn.Embedding(VALUES, D)
        self.attn = MultiHeadAttention(D, 1, bias=False)
        if "k" in ties:
            self.attn.k_proj = self.attn.q_proj
        if "v" in ties:
            self.attn.v_proj = self.attn.k_proj
        self.head = nn.Linear(D, VALUES, bias=False)

    def forward(self, table: Table) -> Float[Tensor, "B V"]:
        context = self.key(table.keys) + self.value(table.values)  # (B, P, D)
        return self.head(self.attn(self.key(table.asked)[:, None], context))[:, 0]


def build(seed: int, ties: str = "three matrices") -> Lookup:
    """One of TIES before training."""
    torch.manual_seed(seed)
    return Lookup(TIES[ties])


def fit(
    model: Lookup, task: str, *, seed: int, steps: int = STEPS, watch: Callable[[int, Lookup], None] = lambda step, model: None
) -> Lookup:
    """Train on fresh tables by Adam; `watch(step, model)` is called before every step and at the end."""
    generator = torch.Generator().manual_seed(seed)
    optimiser = torch.optim.Adam(model.parameters(), lr=LR)
    for step in range(steps):
        watch(step, model)
        table = tables(BATCH, task, generator)
        loss = F.cross_entropy(model(table), table.answer)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    watch(steps, model)
    return model


class Look(NamedTuple):
    """What 500 tables say of a model: its loss and share of right answers, and its weight on the right pair."""

    loss: float
    right: float
    share: float


@torch.no_grad()
def look(model: Lookup, task: str) -> Look:
    """Judge the model on tables that training did not draw."""
    table = tables(500, task, torch.Generator().manual_seed(10_000))
    with trace(model) as t:
        scores = model(table)
    share = t["attn.core.weights"][:, 0, 0].gather(1, table.at[:, None]).mean().item()
    right = (scores.argmax(dim=-1) == table.answer).float().mean().item()
    return Look(F.cross_entropy(scores, table.answer).item(), right, share)


@torch.no_grad()
def asks(model: Lookup) -> Float[Tensor, "K K"]:
    """The template: how high each key (column) scores with each that is asked (row), values left out."""
    return model.key.weight @ qk_circuit(model.attn, 0) @ model.key.weight.T / D**0.5


@torch.no_grad()
def brings(model: Lookup) -> Float[Tensor, "V V"]:
    """What looking at a value (row) alone adds to the score of each value (column)."""
    return model.value.weight @ ov_circuit(model.attn, 0) @ model.head.weight.T


def swap(model: Lookup) -> Lookup:
    """Exchange W_Q and W_K, in place."""
    model.attn.q_proj, model.attn.k_proj = model.attn.k_proj, model.attn.q_proj
    return model


def pulls(model: Lookup, task: str) -> tuple[float, float]:
    """How the loss pulls at a score, −dL/ds times the number of tables: at the right pair, and at another on average."""
    table = tables(500, task, torch.Generator().manual_seed(20_000))
    with trace(model) as t:
        loss = F.cross_entropy(model(table), table.answer, reduction="sum")
    (gradient,) = torch.autograd.grad(loss, t["attn.core.scores"])
    pull = -gradient[:, 0, 0]  # (500, P)
    at_right = pull.gather(1, table.at[:, None]).sum().item()
    return at_right / 500, (pull.sum().item() - at_right) / 500 / (PAIRS - 1)


def milestones(task: str, ties: str, seed: int) -> dict[str, object]:
    """One training: the step at which it brings what it sees and the one at which it looks right; what is left after a swap."""
    found: dict[str, int | None] = {"brings": None, "looks": None}

    def watch(step: int, model: Lookup) -> None:
        if step % 10 == 0:
            own = (brings(model).argmax(dim=1) == torch.arange(VALUES)).float().mean().item()
            reached = {"brings": own > 0.9, "looks": look(model, task).share > 0.5}
            found.update({name: step for name, yes in reached.items() if yes and found[name] is None})

    model = fit(build(seed, ties), task, seed=seed, watch=watch)
    end = look(model, task)
    asked = {"task": task, "ties": ties, "seed": seed, "right": round(end.right, 4), "share": round(end.share, 4)} | found
    if ties != "three matrices":
        return asked
    after = look(swap(model), task)
    backwards = _backwards(model) if task == "next" else None
    again = look(fit(model, task, seed=seed + 100, steps=STEPS), task)
    return asked | {"swapped": round(after.right, 4), "backwards": backwards, "again": round(again.right, 4)}


@torch.no_grad()
def _backwards(model: Lookup) -> float:
    """Of tables that hold both neighbours of the key asked: how often the value of the one before is named."""
    table = tables(2000, "next", torch.Generator().manual_seed(30_000))
    before = table.keys == ((table.asked - 1) % KEYS)[:, None]  # (B, P)
    both = before.any(dim=1)
    named = model(table).argmax(dim=-1)[both]
    return round((named == table.values[before]).float().mean().item(), 4)


def measure(seeds: range = range(5)) -> list[dict[str, object]]:
    """Both tasks, every tie, every seed; about a minute and a half."""
    return [milestones(task, ties, seed) for task in TASKS for ties in TIES for seed in seeds]
