"""Seventeen ways to get a decoder wrong without an error, each one line of plain_decoder.py; and how each shows.

For each: the training loss of three seeds, step by step; which checks turn red before training; and the loss at the
last place of a window, once with all that follows in sight, as in training, and once where nothing
follows yet, as in writing. An honest model has one number for both.

The text and its windows are those of sizes.py: Python's documentation in 27 signs. RUNGS are the
same file with lines taken out: the order in which a model can be built and tested on the way.
"""

import inspect
import math
from collections.abc import Callable, Mapping
from types import MappingProxyType, ModuleType
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..config import ModelConfig
from ..transformer import DecoderLM
from . import plain_decoder
from .next_letter import ALPHABET, text_hash
from .sizes import T, rows

V, D, HEADS, LAYERS = len(ALPHABET), 32, 4, 2
SIZES = {"vocab": V, "d_model": D, "n_heads": HEADS, "n_layers": LAYERS, "max_len": T + 8}
BATCH, STEPS, LR = 16, 150, 1e-2
MIDDLE = 16  # letters before the one that is judged


class Slip(NamedTuple):
    """A line of plain_decoder.py and what stands there instead."""

    right: str
    wrong: str


SLIPS: Mapping[str, Slip] = MappingProxyType({
    "mask forgotten": Slip("scores = scores.masked_fill(~seen, -math.inf)", "pass"),
    "mask the wrong way": Slip("seen.tril(k.size(2) - q.size(2))", "seen.triu(k.size(2) - q.size(2))"),
    "softmax over the wrong axis": Slip("softmax(dim=-1)", "softmax(dim=-2)"),
    "heads cut without a turn": Slip("return x.transpose(1, 2)", "return x.reshape(len(x), self.n_heads, x.size(1), -1)"),
    "heads joined without a turn": Slip("z.transpose(1, 2).flatten(2)", "z.reshape(x.shape)"),
    "targets not moved": Slip("inputs, targets = rows[:, :-1]", "inputs, targets = rows[:, 1:]"),
    "scale forgotten": Slip("scores / math.sqrt(q.size(-1))", "scores"),
    "first norm forgotten": Slip("h = self.norm1(x)", "h = x"),
    "last norm forgotten": Slip("x = self.norm(x)", "pass"),
    "no way around attention": Slip("x = x + z", "x = z"),
    "positions forgotten": Slip("x = x + self.pos(at)", "pass"),
    "another GELU": Slip("F.gelu(self.w_in(x))", "F.gelu(self.w_in(x), approximate='tanh')"),
    "head not tied": Slip("self.head = lambda h: h @ self.tok.weight.T", "self.head = nn.Linear(d_model, vocab, bias=False)"),
    "positions start again": Slip("at = at + start", "pass"),
    "mask not moved": Slip("seen.tril(k.size(2) - q.size(2))", "seen.tril()"),
    "gradients pile up": Slip("optimiser.zero_grad()", "pass"),
    "weights start too large": Slip("w.data.normal_(0, 0.1)", "w.data.normal_(0, 1)"),
})  # fmt: skip

_NO_ATTENTION, _NO_FFN = Slip("x = x + z", "x = x + 0 * z"), Slip("x = x + self.ffn(h)", "pass")
RUNGS: Mapping[str, tuple[Slip, ...]] = MappingProxyType({
    "table and head": (_NO_ATTENTION, SLIPS["positions forgotten"], _NO_FFN),
    "+ attention": (SLIPS["positions forgotten"], _NO_FFN),
    "+ positions": (_NO_FFN,),
    "+ FFN": (),
})  # fmt: skip


def edited(*slips: Slip) -> ModuleType:
    """plain_decoder.py with these lines in it; ValueError where a line does not stand there once."""
    source = inspect.getsource(plain_decoder)
    for slip in slips:
        if source.count(slip.right) != 1:
            raise ValueError(f"{slip.right!r} stands {source.count(slip.right)} times in plain_decoder.py; it must be once")
        source = source.replace(slip.right, slip.wrong)
    module = ModuleType("edited")
    exec(compile(source, "plain_decoder.py, edited", "exec"), module.__dict__)
    return module


def same(a: Tensor, b: Tensor) -> bool:
    """Equal, but for what float32 loses on the way."""
    return bool((a - b).abs().max() <= 1e-5 * b.abs().max())


def starts(model: nn.Module) -> bool:
    """Does it begin by knowing nothing: a loss near log V?"""
    batch = rows(1)[:8]
    with torch.no_grad():
        loss = F.cross_entropy(model(batch[:, :-1]).flatten(0, 1), batch[:, 1:].flatten())
    return abs(loss.item() - math.log(V)) < 0.5


@torch.no_grad()
def causal(model: nn.Module) -> bool:
    """Another token at place 9: do the logits before it stay?"""
    ids = rows(1)[:2, :12]
    other = ids.clone()
    other[:, 9] = (other[:, 9] + 1) % V
    return same(model(ids)[:, :9], model(other)[:, :9])


@torch.no_grad()
def cached(model: nn.Module) -> bool:
    """Five at once, then three, then one by one: the logits of one call?"""
    ids, cache, pieces, start = rows(1)[:2, :12], model.new_cache(), [], 0
    for n in (5, 3, 1, 1, 1, 1):
        logits, cache = model(ids[:, start : start + n], cache)
        pieces.append(logits)
        start += n
    return same(torch.cat(pieces, dim=1), model(ids))


@torch.no_grad()
def parity(build: Callable[..., nn.Module]) -> bool:
    """Weights copied from mtlib's decoder, large enough: the same logits?"""
    torch.manual_seed(0)
    theirs, mine = DecoderLM(ModelConfig(**SIZES)), build(**SIZES)
    for weight in theirs.parameters():
        weight.normal_(0, 0.3)
    try:
        mine.load_state_dict(theirs.state_dict())
    except RuntimeError:  # a name too many or too few
        return False
    ids = rows(1)[:4, :12]
    return same(mine(ids), theirs(ids))


class Checks(NamedTuple):
    """What a model is asked before any training."""

    starts: bool
    causal: bool
    cached: bool
    parity: bool


def checks(module: ModuleType, seed: int) -> Checks:
    """Of a fresh model."""
    torch.manual_seed(seed)
    model = module.LM(**SIZES)
    return Checks(starts(model), causal(model), cached(model), parity(module.LM))


def train(module: ModuleType, seed: int, *, steps: int = STEPS) -> tuple[nn.Module, list[float]]:
    """A model of the module by Adam, and its losses."""
    torch.manual_seed(seed)
    model, text = module.LM(**SIZES), rows(0)
    generator = torch.Generator().manual_seed(seed)
    optimiser = torch.optim.Adam(model.parameters(), lr=LR, betas=(0.9, 0.98))
    chosen = (text[torch.randint(0, len(text), (BATCH,), generator=generator)] for _ in range(steps))
    return model, [module.update(model, batch, optimiser) for batch in chosen]


@torch.no_grad()
def surprise(model: nn.Module) -> tuple[float, float]:
    """Nats at the letter after MIDDLE others: with the rest of the window in sight, and with nothing behind."""
    text = rows(1)
    inputs, asked = text[:, :-1], text[:, MIDDLE]
    whole, alone = model(inputs)[:, MIDDLE - 1], model(inputs[:, :MIDDLE])[:, -1]
    return F.cross_entropy(whole, asked).item(), F.cross_entropy(alone, asked).item()


@torch.no_grad()
def loss(model: nn.Module) -> float:
    """The mean surprise at the letters of the test windows."""
    text = rows(1)
    return F.cross_entropy(model(text[:, :-1]).flatten(0, 1), text[:, 1:].flatten()).item()


def row(name: str, seed: int) -> dict[str, object]:
    """One slip, one seed."""
    module = edited(*([SLIPS[name]] if name in SLIPS else []))
    found = checks(module, seed)
    model, losses = train(module, seed)
    whole, alone = surprise(model)
    means = [round(sum(losses[i : i + 10]) / 10, 3) for i in range(0, len(losses), 10)]
    return {"slip": name, "seed": seed, "curve": means, "whole": round(whole, 3), "alone": round(alone, 3)} | found._asdict()


def rung(name: str, seed: int) -> dict[str, object]:
    """One rung, one seed."""
    model, _ = train(edited(*RUNGS[name]), seed)
    return {"rung": name, "seed": seed, "loss": round(loss(model), 4), "text": text_hash()}


def measure(seeds: range = range(3)) -> list[dict[str, object]]:
    """Every slip and every rung with every seed; about two minutes."""
    slips = [row(name, seed) for name in ("none", *SLIPS) for seed in seeds]
    return slips + [rung(name, seed) for name in RUNGS for seed in seeds]
