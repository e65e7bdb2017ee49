"""Two tasks that cannot be done without knowing where things stand.

Who was first: twelve random letters and a question mark, at which the model names the first of the twelve. No variant
is told any position; they differ in whether a place may look ahead, and in the number of layers.

Which digit: a picture of 8 × 8 cells as a row of 64 tokens, each a level of grey. The variants differ in the position
that is added. (The pictures are read here and not through mtlib.data, so that the result hangs on little code.)
"""

from functools import cache

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int64
from torch import Tensor, nn

from ..config import ModelConfig, Parts
from ..decoder import Decoder
from ..encoder import Encoder
from ..transformer import Transformer

V, T, ASK = 8, 12, 8  # letters, places before the question mark, its id
READERS = {"encoder, 2 layers": (Encoder, 2), "decoder, 1 layer": (Decoder, 1), "decoder, 2 layers": (Decoder, 2)}
PLACES = ("none", "sinusoidal", "grid", "learned")


class Reader(nn.Module):
    """An encoder or a decoder without positions; a linear map of its last place names a letter."""

    def __init__(self, variant: str):
        super().__init__()
        stack, n_layers = READERS[variant]
        self.stack = stack(ModelConfig(vocab=V + 1, max_len=T + 1, d_model=32, n_heads=4, n_layers=n_layers, parts=Parts(position="none")))
        self.head = nn.Linear(32, V)

    def forward(self, ids: Int64[Tensor, "B T"]) -> Float[Tensor, "B V"]:
        return self.head(self.stack(ids)[:, -1])


def rows(n: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """n rows of letters and the question mark (n, T + 1), and the first letter of each (n,)."""
    letters = torch.randint(0, V, (n, T), generator=generator)
    return torch.cat([letters, torch.full((n, 1), ASK)], dim=1), letters[:, 0]


def train_reader(variant: str, seed: int, steps: int = 400) -> Reader:
    """By Adam, 32 fresh rows a step."""
    torch.manual_seed(seed)
    model, generator = Reader(variant), torch.Generator().manual_seed(seed)
    optimiser = torch.optim.Adam(model.parameters(), lr=3e-3)
    for _ in range(steps):
        ids, first = rows(32, generator)
        _step(optimiser, F.cross_entropy(model(ids), first))
    return model


@torch.no_grad()
def right(model: Reader) -> float:
    """The share of 1,000 rows, not seen in training, whose first letter it names."""
    ids, first = rows(1000, torch.Generator().manual_seed(10_000))
    return (model(ids).argmax(dim=1) == first).float().mean().item()


@cache
def pictures() -> tuple[Tensor, Tensor, Tensor]:
    """Levels 0…16 (1797, 64), which digit (1797,), and which of them, every tenth, are for the test."""
    from sklearn.datasets import load_digits

    found = load_digits()
    return torch.tensor(found.data).long(), torch.tensor(found.target), torch.arange(len(found.data)) % 10 == 9


def train_digits(place: str, seed: int, steps: int = 300) -> Transformer:
    """One layer, the mean over the cells decides; by Adam, 32 pictures a step."""
    torch.manual_seed(seed)
    config = ModelConfig(vocab=17, max_len=64, d_model=32, n_heads=4, n_layers=1, parts=Parts(position=place))
    model, generator = Transformer(config, n_classes=10), torch.Generator().manual_seed(seed)
    levels, digit, test = pictures()
    levels, digit = levels[~test], digit[~test]
    optimiser = torch.optim.Adam(model.parameters(), lr=5e-3)
    for _ in range(steps):
        chosen = torch.randint(0, len(levels), (32,), generator=generator)
        _step(optimiser, F.cross_entropy(model(levels[chosen]), digit[chosen]))
    return model


@torch.no_grad()
def read(model: Transformer, order: Tensor | None = None) -> float:
    """The share of the test's digits that it names; with `order`, the cells of each are put in another order first."""
    levels, digit, test = pictures()
    levels, digit = levels[test], digit[test]
    return (model(levels if order is None else levels[:, order]).argmax(dim=1) == digit).float().mean().item()


def _step(optimiser: torch.optim.Optimizer, loss: Tensor) -> None:
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()


def measure(seeds: range = range(6)) -> list[dict[str, object]]:
    """Both tasks, every variant, every seed; about four minutes."""
    first = [{"task": "first", "variant": v, "seed": s, "right": right(train_reader(v, s))} for v in READERS for s in seeds]
    digits = [{"task": "digits", "variant": p, "seed": s, "right": read(train_digits(p, s))} for p in PLACES for s in seeds]
    return [row | {"right": round(row["right"], 4)} for row in first + digits]
