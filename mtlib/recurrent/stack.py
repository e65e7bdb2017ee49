"""Recurrence: one cell carried along the sequence, layer upon layer.

    state_t = cell(x_t, state_{t-1}),  state_0 = 0        position by position, the same weights
    layer n reads the h that layer n-1 put out

Letters: B batch, T positions, D width of a state, D_in width of what is read, L layers; GD is
D for an RNN and 4D for an LSTM, whose three gates and candidate stand side by side. A state
is a tuple: (h,) for an RNN, (h, c) for an LSTM; h is what others see of it. What a cell needs of x
alone is one product for all positions, outside the loop; only h waits for the step before.

Left out: projections of h, peepholes, and GRU.
"""

import inspect

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from .. import _check
from ._arguments import positions_kept, sequence
from .cache import RecurrentCache, State


class Cell(nn.Module):
    """One step. A subclass gives n_gates, n_states and step(z, *state).

    x_proj and h_proj put out n_gates blocks of D side by side. There is one bias, x_proj's;
    torch.nn keeps two, of which only the sum counts.
    """

    n_gates: int
    n_states: int

    def __init__(self, d_in: int, d_model: int):
        super().__init__()
        _check.positive(d_in=d_in, d_model=d_model)
        self.x_proj = nn.Linear(d_in, self.n_gates * d_model)
        self.h_proj = nn.Linear(d_model, self.n_gates * d_model, bias=False)

    @property
    def d_model(self) -> int:
        return self.h_proj.in_features

    def start(self, z: Float[Tensor, "B ..."]) -> State:
        """The zeros that a sequence begins from, in z's dtype, which autocast may have lowered."""
        return tuple(z.new_zeros(z.size(0), self.d_model) for _ in range(self.n_states))

    def step(self, z: Float[Tensor, "B GD"], *state: Float[Tensor, "B D"]) -> State:
        """From z = x_proj(x_t) and the state before to the state after."""
        raise NotImplementedError


def scan(
    cell: Cell,
    x: Float[Tensor, "B T D_in"],
    keep: Bool[Tensor, "B T"] | None,
    state: State | None = None,
    backwards: bool = False,
) -> tuple[Float[Tensor, "B T D"], State]:
    """Carry the state along x; returns h at every position, and the last state.

    A position that is not kept is stepped over: the state stays as it was, and h there is 0.
    """
    z = cell.x_proj(x)  # (B, T, GD)
    state = cell.start(z) if state is None else state
    # unbind, not z[:, t]: the gradient of an index is T tensors as large as z, of an unbind one.
    kept = z.size(1) * [None] if keep is None else keep[..., None].unbind(1)  # T of (B, 1)
    steps, outs = list(zip(z.unbind(1), kept)), []
    for z_t, keep_t in reversed(steps) if backwards else steps:
        new = cell.step(z_t, *state)
        state = new if keep_t is None else tuple(torch.where(keep_t, n, old) for n, old in zip(new, state))
        outs.append(state[0])
    y = torch.stack(outs[::-1] if backwards else outs, dim=1)
    return (y if keep is None else y.masked_fill(~keep[..., None], 0.0)), state


class Stack(nn.Module):
    """L layers of one kind of cell; a two-way stack has a second cell a layer, that reads backwards.

    Args:
        d_in: D_in, the width of what is read.
        d_model: D, the width of a state.
        n_layers: L.
        dropout: probability of dropping a number between two layers, in training.

    Use a subclass: RNN, LSTM, BiRNN, BiLSTM.
    """

    cell: type[Cell]
    two_way = False

    def __init__(self, d_in: int, d_model: int, n_layers: int = 1, *, dropout: float = 0.0):
        super().__init__()
        _check.positive(d_in=d_in, d_model=d_model, n_layers=n_layers)
        _check.fraction(dropout=dropout)
        self.d_out = 2 * d_model if self.two_way else d_model
        widths = [d_in] + (n_layers - 1) * [self.d_out]
        self.cells = nn.ModuleList(self.cell(width, d_model) for width in widths)
        if self.two_way:
            self.cells_reverse = nn.ModuleList(self.cell(width, d_model) for width in widths)
        self.dropout = nn.Dropout(dropout)

    def layers(self) -> list[tuple[Cell, ...]]:
        """The cells of every layer: (forwards,) or (forwards, backwards)."""
        return list(zip(self.cells, self.cells_reverse) if self.two_way else zip(self.cells))

    def new_cache(self) -> RecurrentCache:
        return RecurrentCache()

    def forward(
        self,
        x: Float[Tensor, "B T D_in"],
        keep: Bool[Tensor, "..."] | None = None,
        cache: RecurrentCache | None = None,
    ) -> Float[Tensor, "B T D_out"]:
        """h of the last layer at every position, D_out = D, or 2D (forwards, backwards) if two-way.

        keep: (B, T), or (B, 1, 1, T) as padding_keep gives it; positions that are not kept are
        stepped over and give 0. With a cache the sequence continues after what it holds, and
        keep may cover that too; a two-way stack can fill a new one, but not continue.
        """
        sequence(x, "x", self.cells[0].x_proj.weight)
        cache = self.new_cache() if cache is None else cache
        states = iter(self.check_cache(cache, x))
        keep = positions_kept(keep, x, before=len(cache))
        after = []
        for n, cells in enumerate(self.layers()):
            x = self.dropout(x) if n else x
            runs = [scan(cell, x, keep, next(states), backwards) for cell, backwards in zip(cells, (False, True))]
            x = torch.cat([h for h, _ in runs], dim=-1) if self.two_way else runs[0][0]
            after += [state for _, state in runs]
        cache.advance(after, x.size(1))
        return x

    def check_cache(self, cache: RecurrentCache, x: Float[Tensor, "B T D_in"]) -> list[State] | list[None]:
        """The state of every cell, None where it is new, if the cache is this stack's and fits x."""
        if not isinstance(cache, RecurrentCache):
            raise TypeError(f"cache is a {type(cache).__name__}; it must be what new_cache() gives, a RecurrentCache")
        if self.two_way and cache.states:
            raise ValueError(f"{type(self).__name__} reads from both ends and cannot continue a cache: start a new one")
        cells = [cell for layer in self.layers() for cell in layer]
        return cache.check([(cell.n_states, cell.d_model) for cell in cells], x)


def core_class(core: type[Stack], one_way: str = "") -> None:
    """core is RNN, LSTM or another Stack, the class itself; `one_way` says why it may not be Bi…."""
    if not (inspect.isclass(core) and issubclass(core, Stack)):
        raise TypeError(f"core={core!r} must be a class: RNN or LSTM, or another Stack")
    if one_way and core.two_way:
        raise ValueError(f"core={core.__name__} reads from both ends and {one_way}; take RNN or LSTM")
