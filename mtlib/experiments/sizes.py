"""What a size buys: small language models over letters that differ in one size at a time.

The text is that of next_letter.py; each model sees the same windows of 33 letters in the same
order and is judged by its surprise at the letters of the test blocks, in nats. All have the
blocks of GPT-2 without biases, rotary positions, and heads 8 wide unless heads are the
question.

    width    d_model 8 … 128, each trained for 50 … 400 steps: the grid of the power laws
    heads    1 … 16 heads in 64 columns: the same parameters
    kinds    8 heads of 64 columns each; 2 groups and 1 group of keys and values; and a standard
             model whose FFN is as much wider as full-size heads are dearer
    depth    1 … 8 layers, each as wide as leaves 98,304 weights in the matrices of the blocks
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int64
from torch import Tensor, nn

from ..attention import merge_heads, split_heads
from ..config import ModelConfig, Parts
from ..cores import ExplicitCore, use_explicit, use_fused
from ..init import init_weights
from ..rotary import Rotary
from ..trace import trace
from ..transformer import DecoderLM
from .next_letter import ALPHABET, blocks, text_hash

T, BATCH = 32, 16  # letters a model sees; rows in a step, which make 512 letters
WIDTHS, LENGTHS = (8, 16, 32, 64, 128), (50, 100, 200, 400)  # of d_model, of training in steps


@dataclass(frozen=True)
class Variant:
    """The sizes of one model and how long it learns; full: every head as wide as the model."""

    d_model: int = 64
    n_heads: int = 8
    n_layers: int = 2
    n_kv_heads: int | None = None
    d_ff: int | None = None
    full: bool = False
    steps: int = 200


STANDARD = Variant()
HEADS = {f"{n} heads": replace(STANDARD, n_heads=n) for n in (1, 2, 4, 16)}
KINDS = {
    "full-size heads": replace(STANDARD, full=True),
    "2 groups": replace(STANDARD, n_kv_heads=2),
    "1 group": replace(STANDARD, n_kv_heads=1),
    "wider FFN": replace(STANDARD, d_ff=4 * 64 + 7 * 4 * 64 // 2),  # 8 times the 4 D² of attention, spent on 2 D F
}
DEPTHS = {
    "1 layer": Variant(96, 12, 1, d_ff=320),
    "4 layers": Variant(48, 6, 4, d_ff=160),
    "8 layers": Variant(32, 4, 8, d_ff=128),
}
GRID = {
    f"width {d}, {steps} steps": Variant(d, d // 8, steps=steps)
    for d in WIDTHS for steps in LENGTHS if (d, steps) != (64, 200)
}  # fmt: skip
VARIANTS = {"standard": STANDARD, **HEADS, **KINDS, **DEPTHS, **GRID}


class FullSizeHeads(nn.Module):
    """What the notes ask about: H causal heads, each with queries, keys and values of all D columns.

    Called as MultiHeadAttention is in a decoder's block, with rotary positions of its own width; o_proj brings H·D columns back to D.
    """

    def __init__(self, d_model: int, n_heads: int):
        super().__init__()
        self.n_heads = n_heads
        self.q_proj, self.k_proj, self.v_proj = (nn.Linear(d_model, n_heads * d_model, bias=False) for _ in range(3))
        self.o_proj = nn.Linear(n_heads * d_model, d_model, bias=False)
        self.rotary, self.core = Rotary(d_model), ExplicitCore(causal=True)

    def forward(self, x: Float[Tensor, "B T D"], context=None, keep=None, cache=None, position=None) -> Tensor:
        q, k, v = (split_heads(p(x), self.n_heads) for p in (self.q_proj, self.k_proj, self.v_proj))
        heads = self.core(self.rotary.turn(q, 0), self.rotary.turn(k, 0), v, keep)
        return self.o_proj(merge_heads(heads))


def config(v: Variant) -> ModelConfig:
    """The model of a variant, full-size heads apart."""
    return ModelConfig(
        vocab=len(ALPHABET), max_len=T, d_model=v.d_model, n_heads=v.n_heads, n_layers=v.n_layers,
        n_kv_heads=v.n_kv_heads, d_ff=v.d_ff, parts=Parts(position="rotary", bias=False),
    )  # fmt: skip


def build(v: Variant, seed: int) -> DecoderLM:
    """The model before training."""
    model = DecoderLM(config(v))
    if v.full:
        for block in model.blocks:
            block.attn = FullSizeHeads(v.d_model, v.n_heads)
    torch.manual_seed(seed)
    # 1/√D and not 0.02, which is far too small for models as narrow as these
    init_weights(model, n_layers=v.n_layers, std=v.d_model**-0.5)
    if v.full:
        for block in model.blocks:
            block.attn.o_proj.weight.data /= v.n_heads**0.5  # it adds up H times as many columns
    return use_fused(model)


@cache
def rows(split: int) -> Int64[Tensor, "n 33"]:
    """Windows of the blocks to learn from (0) or of those of the test (1); they overlap in the former alone."""
    cut = blocks()[split]
    return cut.unfold(1, T + 1, 1 if split == 0 else T).flatten(0, 1)


def train(v: Variant, seed: int) -> DecoderLM:
    """Adam, 0.08/√D after a short warm-up, falling to 0 along a cosine: a run is trained for its own length."""
    model, text = build(v, seed), rows(0)
    generator = torch.Generator().manual_seed(seed)
    optimiser = torch.optim.Adam(model.parameters(), lr=0.0, betas=(0.9, 0.98))
    warm = torch.tensor([(step + 1) / 20 for step in range(v.steps)]).clamp(max=1)
    rates = 0.08 * v.d_model**-0.5 * warm * (1 + (torch.arange(v.steps) / v.steps * torch.pi).cos()) / 2
    for rate in rates.tolist():
        optimiser.param_groups[0]["lr"] = rate
        batch = text[torch.randint(0, len(text), (BATCH,), generator=generator)]
        loss = F.cross_entropy(model(batch[:, :-1]).flatten(0, 1), batch[:, 1:].flatten())
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
    return model


@torch.no_grad()
def loss(model: DecoderLM) -> float:
    """The mean surprise at the letters of the test text, in nats."""
    text = rows(1)
    return F.cross_entropy(model(text[:, :-1]).flatten(0, 1), text[:, 1:].flatten()).item()


@torch.no_grad()
def overlap(model: DecoderLM) -> float:
    """The share of its attention that a head has in common with another of its layer, over all pairs.

    1: all heads look alike; 0: no two look at the same place.
    """
    with trace(use_explicit(model)) as t:
        model(rows(1)[:100, :-1])
    shares = []
    for n, block in enumerate(model.blocks):
        weights, H = t[f"blocks.{n}.attn.core.weights"], block.attn.n_heads
        pairs = [(i, j) for i in range(H) for j in range(i)]
        shares += [torch.minimum(weights[:, i], weights[:, j]).sum(dim=-1)[:, 1:].mean() for i, j in pairs]  # place 0 has no choice
    return torch.stack(shares).mean().item() if shares else 1.0


def matrices(model: DecoderLM) -> int:
    """Weights in the matrices of the blocks: what the power law counts as N."""
    return sum(p.numel() for p in model.blocks.parameters() if p.dim() == 2)


def jobs() -> Iterator[tuple[str, int]]:
    """What measure carries out: six seeds of what is compared, three of the grid."""
    for name in VARIANTS:
        for seed in range(3 if name in GRID else 6):
            yield name, seed


def row(name: str, seed: int) -> dict[str, object]:
    """One training: its loss, its size, how alike its heads are."""
    model = train(VARIANTS[name], seed)
    found = {"loss": round(loss(model), 5), "matrices": matrices(model), "overlap": round(overlap(model), 4)}
    return {"variant": name, "seed": seed} | found | {"text": text_hash()}


def measure() -> list[dict[str, object]]:
    """Every variant with every seed; about ten minutes."""
    return [row(*job) for job in jobs()]
