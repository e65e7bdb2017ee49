"""A small language model with its FFN, without, and with the bend in it changed or taken out.

Letters of Python's documentation, 32 in a row; two blocks of causal attention and FFN, pre-norm,
as in mt.DecoderLM, but light enough to be trained some hundred times. Only the FFN's
activation differs between most variants, so equal seeds mean equal first weights and equal
batches. "none" has no FFN; "none, deeper" has none in 6 blocks, which gives the parameters back.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int64
from torch import Tensor, nn

from ..attention import MultiHeadAttention
from ..cores import use_fused
from ..ffn import FeedForward
from ..norm import LayerNorm
from ..residual import Residual
from .next_letter import ALPHABET, blocks, text_hash

V, T, D, HEADS = len(ALPHABET), 32, 32, 4
STEPS, BATCH = 300, 16

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "linear": lambda z: z,
    "relu": F.relu,
    "gelu": F.gelu,
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "square": torch.square,
    "relu squared": lambda z: F.relu(z).square(),
    "exp": torch.exp,
}


@dataclass(frozen=True)
class Variant:
    """What is changed, all else equal. `gain` multiplies the FFN's first weights."""

    ffn: str = "gelu"  # one of ACTIVATIONS, or "none"
    attention: bool = True
    layers: int = 2
    lr: float = 3e-3
    gain: float = 1.0


class Block(nn.Module):
    """x + attention, then x + FFN, either of which may be missing."""

    def __init__(self, variant: Variant):
        super().__init__()
        self.residual = Residual("pre")
        self.norm1, self.norm2, self.attn, self.ffn = LayerNorm(D), LayerNorm(D), None, None
        if variant.attention:
            self.attn = MultiHeadAttention(D, HEADS, causal=True)
        if variant.ffn != "none":
            self.ffn = FeedForward(D, 4 * D, activation=ACTIVATIONS[variant.ffn])
            with torch.no_grad():
                self.ffn.w_in.weight *= variant.gain

    def forward(self, x: Float[Tensor, "B T D"]) -> Float[Tensor, "B T D"]:
        if self.attn is not None:
            x = self.residual(x, self.attn, self.norm1)
        return x if self.ffn is None else self.residual(x, self.ffn, self.norm2)


class Letters(nn.Module):
    """Ids (B, T) -> scores for each next letter (B, T, V)."""

    def __init__(self, variant: Variant):
        super().__init__()
        self.tok, self.pos = nn.Embedding(V, D), nn.Embedding(T, D)
        self.blocks = nn.ModuleList(Block(variant) for _ in range(variant.layers))
        self.norm, self.head = LayerNorm(D), nn.Linear(D, V)

    def forward(self, ids: Int64[Tensor, "B T"]) -> Float[Tensor, "B T V"]:
        x = self.tok(ids) + self.pos.weight[: ids.size(1)]
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x))


def build(variant: Variant, seed: int) -> Letters:
    """The model before training."""
    torch.manual_seed(seed)
    return use_fused(Letters(variant))


def train(variant: Variant, seed: int, *, steps: int = STEPS) -> Letters:
    """Adam on random windows of the training text; `seed` fixes first weights and windows."""
    model, text = build(variant, seed), blocks()[0]
    generator = torch.Generator().manual_seed(seed)
    optimiser = torch.optim.Adam(model.parameters(), lr=variant.lr)
    windows = text.unfold(1, T + 1, 1)
    for _ in range(steps):
        row, start = (torch.randint(0, n, (BATCH,), generator=generator) for n in windows.shape[:2])
        batch = windows[row, start]
        loss = F.cross_entropy(model(batch[:, :-1]).flatten(0, 1), batch[:, 1:].flatten())
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return model


def unseen() -> Int64[Tensor, "N 33"]:
    """Windows of the test text, one after the other: 30 of each block."""
    return blocks()[1][:, : 30 * T + 1].unfold(1, T + 1, T).flatten(0, 1)


@torch.no_grad()
def loss(model: Letters) -> float:
    """Mean surprise at a letter of the test text, in nats."""
    windows = unseen()
    return F.cross_entropy(model(windows[:, :-1]).flatten(0, 1), windows[:, 1:].flatten()).item()


@torch.no_grad()
def idle(model: Letters) -> float:
    """The share of hidden units whose activation has slope 0 at every place of the test text, so that nothing reaches them."""
    x, silent = unseen()[:, :-1], []
    hooks = [block.ffn.w_in.register_forward_hook(lambda _, __, z: silent.append(z)) for block in model.blocks]
    model(x)
    for hook in hooks:
        hook.remove()
    shares = []
    for block, z in zip(model.blocks, silent):
        slope = torch.func.jvp(block.ffn.activation, (z,), (torch.ones_like(z),))[1]
        shares.append((slope == 0).flatten(0, -2).all(dim=0).float().mean().item())
    return sum(shares) / len(shares)


FFNS = {name: Variant(ffn=name) for name in ("none", *ACTIVATIONS)}
SHAPES = FFNS | {"none, deeper": Variant(ffn="none", layers=6), "no attention": Variant(attention=False)}
RATES, GAINS = (3e-3, 1e-2, 3e-2), (1.0, 4.0)
HARD = ("relu", "gelu", "square", "exp")


def variants() -> dict[str, tuple[Variant, int]]:
    """Every variant by name, and with how many seeds it is run."""
    runs = {name: (variant, 5) for name, variant in SHAPES.items()}
    for ffn in HARD:
        for lr in RATES:
            for gain in GAINS:
                runs[f"{ffn}, rate {lr:g}, gain {gain:g}"] = Variant(ffn=ffn, lr=lr, gain=gain), 2
    return runs


def measure() -> list[dict[str, object]]:
    """Every variant with its seeds: test loss, idle units, parameters; about six minutes."""
    rows = []
    for name, (variant, seeds) in variants().items():
        for seed in range(seeds):
            model = train(variant, seed)
            row = {"variant": name, "seed": seed, "loss": round(loss(model), 4)}
            if variant.ffn in HARD:
                row["idle"] = round(idle(model), 4)
            rows.append(row | {"parameters": sum(p.numel() for p in model.parameters()), "text": text_hash()})
    return rows
