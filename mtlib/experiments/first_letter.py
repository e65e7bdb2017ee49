"""Read T random letters, then name the first: who still knows it, and what gradient reaches it?

An RNN, an LSTM whose forget gate is biased by 0, 1 or 4 at the start, and one block of causal attention. Each learns at
a fixed length, is judged there and, the recurrent ones, on texts much longer than any it saw.
"""

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int64
from torch import Tensor, nn

from ..config import ModelConfig
from ..decoder import DecoderBlock
from ..position import Sinusoidal
from ..recurrent import LSTM, RNN

V, D = 8, 32  # letters, width
BIASES = {"LSTM, bias 0": 0.0, "LSTM, bias 1": 1.0, "LSTM, bias 4": 4.0}
VARIANTS = ("RNN", *BIASES, "attention")
LENGTHS, FAR = (10, 40), (100, 300, 1000)


def bias_forget_gate(lstm: LSTM, by: float) -> LSTM:
    """Add `by` to the bias of every forget gate, the second of i, f, g, o: the gate starts near σ(by)."""
    with torch.no_grad():
        for cell in lstm.cells:
            cell.x_proj.bias[cell.d_model : 2 * cell.d_model] += by
    return lstm


def core_of(variant: str, length: int) -> nn.Module:
    """(B, T, D) to (B, T, D): what stands between the letters' vectors and the verdict."""
    if variant == "attention":
        config = ModelConfig(vocab=V, max_len=length, d_model=D, n_heads=2, n_layers=1)
        return nn.Sequential(Sinusoidal(D), DecoderBlock(config))
    return RNN(D, D) if variant == "RNN" else bias_forget_gate(LSTM(D, D), BIASES[variant])


class Reader(nn.Module):
    """A core, and a linear map of its last output that names a letter."""

    def __init__(self, variant: str, length: int):
        super().__init__()
        self.tok, self.core, self.head = nn.Embedding(V, D), core_of(variant, length), nn.Linear(D, V)

    def forward(self, ids: Int64[Tensor, "B T"]) -> Float[Tensor, "B V"]:
        return self.head(self.core(self.tok(ids))[:, -1])


def train(variant: str, length: int, seed: int, steps: int = 500) -> Reader:
    """By Adam, 32 fresh rows a step, gradients clipped to a norm of 1."""
    torch.manual_seed(seed)
    model, generator = Reader(variant, length), torch.Generator().manual_seed(seed)
    optimiser = torch.optim.Adam(model.parameters(), lr=3e-3)
    for _ in range(steps):
        ids = torch.randint(0, V, (32, length), generator=generator)
        optimiser.zero_grad()
        F.cross_entropy(model(ids), ids[:, 0]).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
    return model


@torch.no_grad()
def right(model: Reader, length: int, n: int = 500) -> float:
    """The share of n rows, not of training, whose first letter it names."""
    ids = torch.randint(0, V, (n, length), generator=torch.Generator().manual_seed(10_000))
    return round((model(ids).argmax(dim=1) == ids[:, 0]).float().mean().item(), 4)


def gradient_by_place(core: nn.Module, x: Float[Tensor, "B T D"]) -> Float[Tensor, "T"]:
    """How much the last output hangs on each place: the norm of d (u · y_T) / d x_t, u of length 1, mean over the rows.

    Every row has a u of its own, drawn from the same seed.
    """
    x = x.detach().requires_grad_()
    last = core(x)[:, -1]
    u = F.normalize(torch.randn(last.shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64), dim=-1)
    (last * u.to(last)).sum().backward()
    return x.grad.norm(dim=-1).mean(dim=0)


def measure(seeds: range = range(3)) -> list[dict[str, object]]:
    """Every variant, length and seed; about five minutes."""
    rows = []
    for variant, length, seed in ((v, n, s) for v in VARIANTS for n in LENGTHS for s in seeds):
        model = train(variant, length, seed)
        row = {"variant": variant, "length": length, "seed": seed, "right": right(model, length)}
        if length == LENGTHS[-1]:
            ids = torch.randint(0, V, (32, length), generator=torch.Generator().manual_seed(10_001))
            profile = gradient_by_place(model.core, model.tok(ids))
            row |= {"gradient": [float(f"{g:.3g}") for g in profile.tolist()]}
            if variant != "attention":
                row |= {"far": [right(model, n, 200) for n in FAR]}
        rows.append(row)
    return rows
