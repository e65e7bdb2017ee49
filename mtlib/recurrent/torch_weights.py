"""Weights to and from torch.nn.RNN and torch.nn.LSTM.

    ours                          theirs, layer n; …_reverse for cells_reverse
    cells.n.x_proj.weight         weight_ih_ln
    cells.n.h_proj.weight         weight_hh_ln
    cells.n.x_proj.bias           bias_ih_ln + bias_hh_ln, which torch only ever adds

The gates stand in the same order, i f g o.
"""

from collections.abc import Iterator

import torch
from torch import nn

from .lstm import LSTM, BiLSTM
from .rnn import RNN, BiRNN
from .stack import Cell, Stack

TWINS = {RNN: nn.RNN, BiRNN: nn.RNN, LSTM: nn.LSTM, BiLSTM: nn.LSTM}


def from_torch(theirs: nn.RNN | nn.LSTM) -> Stack:
    """A new RNN, BiRNN, LSTM or BiLSTM that computes what `theirs` does, batch first.

    Raises ValueError for what ours do not have, ReLU in place of tanh or projections of h, and
    TypeError for any other module.

    >>> ours = from_torch(nn.LSTM(3, 4, num_layers=2, bidirectional=True, batch_first=True))
    >>> type(ours).__name__, ours(torch.zeros(1, 5, 3)).shape
    ('BiLSTM', torch.Size([1, 5, 8]))
    """
    twin = next((o for o, t in TWINS.items() if type(theirs) is t and o.two_way == theirs.bidirectional), None)
    if twin is None:
        raise TypeError(f"theirs is a {type(theirs).__name__}; it must be a torch.nn.RNN or torch.nn.LSTM")
    if getattr(theirs, "nonlinearity", "tanh") != "tanh" or theirs.proj_size:
        raise ValueError("theirs has ReLU or proj_size, and ours bend by tanh and project nothing")
    ours = twin(theirs.input_size, theirs.hidden_size, theirs.num_layers, dropout=theirs.dropout)
    ours = ours.to(theirs.weight_ih_l0).train(theirs.training)
    with torch.no_grad():
        for cell, end in _cells(ours):
            cell.x_proj.weight.copy_(getattr(theirs, f"weight_ih_{end}"))
            cell.h_proj.weight.copy_(getattr(theirs, f"weight_hh_{end}"))
            biases = [getattr(theirs, f"bias_{kind}_{end}") for kind in ("ih", "hh")] if theirs.bias else []
            cell.x_proj.bias.copy_(sum(biases, torch.zeros(())))
    return ours


def to_torch(ours: Stack) -> nn.RNN | nn.LSTM:
    """A new torch.nn.RNN or torch.nn.LSTM, batch first, that computes what `ours` does.

    >>> to_torch(RNN(d_in=3, d_model=4))
    RNN(3, 4, batch_first=True)
    """
    if type(ours) not in TWINS:
        raise TypeError(f"ours is a {type(ours).__name__}; it must be one of {', '.join(t.__name__ for t in TWINS)}")
    cell = ours.cells[0]
    theirs = TWINS[type(ours)](
        cell.x_proj.in_features,
        cell.d_model,
        len(ours.cells),
        batch_first=True,
        dropout=ours.dropout.p if len(ours.cells) > 1 else 0.0,  # which torch warns of
        bidirectional=ours.two_way,
    )
    theirs = theirs.to(cell.x_proj.weight).train(ours.training)
    with torch.no_grad():
        for cell, end in _cells(ours):
            getattr(theirs, f"weight_ih_{end}").copy_(cell.x_proj.weight)
            getattr(theirs, f"weight_hh_{end}").copy_(cell.h_proj.weight)
            getattr(theirs, f"bias_ih_{end}").copy_(cell.x_proj.bias)
            getattr(theirs, f"bias_hh_{end}").zero_()
    return theirs


def _cells(ours: Stack) -> Iterator[tuple[Cell, str]]:
    """Every cell, with the end of torch's names for its weights."""
    for n, layer in enumerate(ours.layers()):
        yield from zip(layer, (f"l{n}", f"l{n}_reverse"))
