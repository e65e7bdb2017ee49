"""A convolution, an LSTM and a transformer, equally many weights and steps, the same rate: who learns which task?

    next door      the sum of this and the two letters before, modulo 4
    far back       the letter 20 places ago
    running        is the number of 1s so far odd?
    by content     16 tokens show a colour and its letter, in each row another pairing; 16 more a colour: which letter?

Every task asks at every place that has an answer, of rows of 32. The convolution's four layers have filters 3 wide, with
gaps of 1, 2, 4 and 8 between the letters they read (dilated), so that its last layer sees 31 letters.
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int64
from torch import Tensor, nn

from ..config import ModelConfig, Parts
from ..cores import use_fused
from ..data.batch import IGNORE
from ..recurrent import RecurrentLM
from ..transformer import DecoderLM

T, BACK, COLOURS = 32, 20, 8
STEPS, BATCH, EVERY, LR = 300, 32, 25, 4e-3
Rows = tuple[Int64[Tensor, "B T"], Int64[Tensor, "B T"]]


def next_door(n: int, dice: torch.Generator) -> Rows:
    ids = torch.randint(4, (n, T), generator=dice)
    total = ids[:, 2:] + ids[:, 1:-1] + ids[:, :-2]
    return ids, F.pad(total % 4, (2, 0), value=IGNORE)


def far_back(n: int, dice: torch.Generator) -> Rows:
    ids = torch.randint(4, (n, T), generator=dice)
    return ids, F.pad(ids[:, :-BACK], (BACK, 0), value=IGNORE)


def running(n: int, dice: torch.Generator) -> Rows:
    ids = torch.randint(2, (n, T), generator=dice)
    return ids, ids.cumsum(dim=1) % 2


def by_content(n: int, dice: torch.Generator) -> Rows:
    """Token 4c + l shows colour c with letter l; token 32 + c asks for c's letter, if the row has shown it."""
    colours, letter_of = torch.randint(COLOURS, (n, T), generator=dice), torch.randint(4, (n, COLOURS), generator=dice)
    letters, half = letter_of.gather(1, colours), T // 2
    shown = F.one_hot(colours[:, :half], COLOURS).amax(dim=1).gather(1, colours).bool()
    asks = torch.arange(T) >= half
    return torch.where(asks, 4 * COLOURS + colours, 4 * colours + letters), letters.where(asks & shown, IGNORE)


TASKS: dict[str, Callable[[int, torch.Generator], Rows]] = {
    "next door": next_door, "far back": far_back, "running": running, "by content": by_content,
}  # fmt: skip


class ConvolutionLM(nn.Module):
    """Four layers of filters 3 wide that read this letter and earlier ones, each in a residual.

    >>> ConvolutionLM(9, 8, (1, 2))(torch.tensor([[1, 2, 3]])).shape
    torch.Size([1, 3, 9])
    """

    def __init__(self, vocab: int, d_model: int, gaps: tuple[int, ...]):
        super().__init__()
        self.tok, self.head = nn.Embedding(vocab, d_model), nn.Linear(d_model, vocab)
        self.layers = nn.ModuleList(nn.Conv1d(d_model, d_model, 3, dilation=gap) for gap in gaps)

    def forward(self, ids: Int64[Tensor, "B T"]) -> Float[Tensor, "B T V"]:
        x = self.tok(ids).mT  # (B, D, T), as torch's convolutions want it
        for layer in self.layers:
            x = x + F.relu(layer(F.pad(x, (2 * layer.dilation[0], 0))))
        return self.head(x.mT)


def vocab(task: str) -> int:
    return 5 * COLOURS if task == "by content" else 4


def transformer(V: int) -> DecoderLM:
    sizes = {"vocab": V, "max_len": T, "d_model": 32, "n_heads": 4, "n_layers": 2}
    return use_fused(DecoderLM(ModelConfig(**sizes, parts=Parts(position="learned", tied=False))))


MODELS: dict[str, Callable[[int], nn.Module]] = {
    "convolution": lambda V: ConvolutionLM(V, 46, (1, 2, 4, 8)),
    "LSTM": lambda V: RecurrentLM(V, 57),
    "transformer": transformer,
}


def weights(model: str, task: str) -> int:
    return sum(weight.numel() for weight in MODELS[model](vocab(task)).parameters())


def train(model: str, task: str, seed: int, *, steps: int = STEPS, lr: float = LR) -> list[float]:
    """The share right on fresh rows after every EVERY steps. The rate rises for 30 steps, then falls to nothing."""
    torch.manual_seed(seed)
    net, dice = MODELS[model](vocab(task)), torch.Generator().manual_seed(seed)
    optimiser = torch.optim.AdamW(net.parameters(), lr=lr)
    curve = []
    for step in range(steps):
        optimiser.param_groups[0]["lr"] = lr * min(1, (step + 1) / 30) * (1 - step / steps)
        ids, asked = TASKS[task](BATCH, dice)
        loss = F.cross_entropy(net(ids).flatten(0, 1), asked.flatten(), ignore_index=IGNORE)
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimiser.step()
        if (step + 1) % EVERY == 0:
            curve.append(right(net, task))
    return curve


@torch.no_grad()
def right(net: nn.Module, task: str) -> float:
    """The share of answers right on 256 rows."""
    ids, asked = TASKS[task](256, torch.Generator().manual_seed(99))
    hit = net(ids).argmax(dim=-1) == asked
    return round(hit[asked != IGNORE].double().mean().item(), 4)


def measure(seeds: range = range(3)) -> list[dict[str, object]]:
    """Every model with every seed on every task."""
    return [
        {"task": task, "model": model, "seed": seed, "weights": weights(model, task), "right": train(model, task, seed)}
        for task in TASKS for model in MODELS for seed in seeds
    ]  # fmt: skip
