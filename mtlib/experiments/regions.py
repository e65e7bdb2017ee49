"""Small networks colour a square: what width and activation buy in two dimensions.

    score(x) = act(x W_in + b_in) · w_out + b_out        says "inside" where it is above 0

Three pictures to learn from 256 points: two opposite corners, an island, a spiral. Eight seeds
of one kind are trained side by side, as one batch of networks: each has its own weights and sees
the same points, so nothing passes from one to another. Judged on a grid that none has seen.
"""

import math

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

TASKS = {
    "corners": lambda x, y: x * y > 0,
    "island": lambda x, y: x**2 + y**2 < 0.36,
    "spiral": lambda x, y: torch.sin(torch.atan2(y, x) + 5 * torch.hypot(x, y)) > 0,
}
ACTIVATIONS = {"none": lambda z: z, "relu": F.relu, "gelu": F.gelu, "tanh": torch.tanh, "square": torch.square}
WIDTHS = (1, 2, 3, 4, 8, 24)
SEEDS, STEPS, LR = 8, 1000, 0.03
SIDE = 48  # of the grid on which they are judged, and drawn

Net = tuple[Tensor, Tensor, Tensor, Tensor]  # w_in (n, 2, F), b_in (n, 1, F), w_out (n, F, 1), b_out (n, 1, 1)


def points(task: str) -> tuple[Float[Tensor, "256 2"], Bool[Tensor, "256"]]:
    """Where to learn from, the same for every network: points of the square from -1 to 1, and which are inside."""
    xy = 2 * torch.rand(256, 2, generator=torch.Generator().manual_seed(8)) - 1
    return xy, TASKS[task](*xy.T)


def grid(side: int = SIDE) -> Float[Tensor, "N 2"]:
    """The middles of side x side cells, row by row from the bottom."""
    at = (torch.arange(side) + 0.5) * 2 / side - 1
    return torch.cartesian_prod(at, at).flip(1)


def first(width: int, seeds: int = SEEDS) -> Net:
    """Weights as torch.nn.Linear draws them, for each seed its own."""
    nets = []
    for seed in range(seeds):
        g = torch.Generator().manual_seed(seed)
        into, out = 1 / math.sqrt(2), 1 / math.sqrt(width)
        shapes = ((2, width), into), ((1, width), into), ((width, 1), out), ((1, 1), out)
        nets.append([bound * (2 * torch.rand(shape, generator=g) - 1) for shape, bound in shapes])
    return tuple(torch.stack(parts) for parts in zip(*nets))


def score(net: Net, activation: str, xy: Float[Tensor, "N 2"]) -> Float[Tensor, "n N"]:
    """What each network says at each point; above 0 is inside."""
    w_in, b_in, w_out, b_out = net
    return (ACTIVATIONS[activation](xy @ w_in + b_in) @ w_out + b_out).squeeze(-1)


def train(task: str, activation: str, width: int, seeds: int = SEEDS) -> Net:
    """So many networks after STEPS steps of Adam over all points at once."""
    xy, inside = points(task)
    net = tuple(part.requires_grad_() for part in first(width, seeds))
    wanted = inside.float().expand(seeds, -1)
    optimiser = torch.optim.Adam(net, lr=LR)
    for _ in range(STEPS):
        said = score(net, activation, xy)
        loss = F.binary_cross_entropy_with_logits(said, wanted, reduction="none").mean(dim=1).sum()  # each its own
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return tuple(part.detach() for part in net)


def accuracy(net: Net, activation: str, task: str) -> Float[Tensor, "n"]:
    """The share of the grid that each network colours right."""
    xy = grid()
    return ((score(net, activation, xy) > 0) == TASKS[task](*xy.T)).float().mean(dim=1)


def measure() -> list[dict[str, object]]:
    """Every task, activation and width: the accuracy of every seed, and the weights of the first; about three minutes."""
    rows = []
    for task in TASKS:
        for activation in ACTIVATIONS:
            for width in WIDTHS:
                net = train(task, activation, width)
                right = [round(a, 4) for a in accuracy(net, activation, task).tolist()]
                weights = [round(w, 4) for part in net for w in part[0].flatten().tolist()]
                rows.append({"task": task, "activation": activation, "width": width, "accuracy": right, "weights": weights})
    return rows


def unpack(row: dict) -> Net:
    """The first seed's network of a kept row, as a batch of one."""
    width = row["width"]
    parts = torch.tensor(row["weights"]).split([2 * width, width, width, 1])
    shapes = (1, 2, width), (1, 1, width), (1, width, 1), (1, 1, 1)
    return tuple(part.view(shape) for part, shape in zip(parts, shapes))
