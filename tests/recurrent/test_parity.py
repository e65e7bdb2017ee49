"""Ours against torch.nn's RNN and LSTM with the same weights: outputs, last states, gradients."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence
from torch.testing import assert_close

from mtlib.recurrent import LSTM, RNN, BiLSTM, BiRNN, LSTMCell, RNNCell, from_torch, to_torch

KINDS = [RNN, BiRNN, LSTM, BiLSTM]
TOLERANCE = {torch.float32: 1e-5, torch.float64: 1e-10}


def close(a, b, dtype=torch.float64):
    assert_close(a, b, atol=TOLERANCE[dtype], rtol=0)


def last_states(cache, kind):
    return (cache.h, cache.c) if issubclass(kind, LSTM) else (cache.h,)


def their_states(out):
    return out if isinstance(out, tuple) else (out,)


def gradients(theirs, ours):
    """Pairs (ours, theirs) of every weight's gradient; torch's two biases each get that of our one."""
    for n, layer in enumerate(ours.layers()):
        for cell, end in zip(layer, (f"l{n}", f"l{n}_reverse")):
            yield cell.x_proj.weight.grad, getattr(theirs, f"weight_ih_{end}").grad
            yield cell.h_proj.weight.grad, getattr(theirs, f"weight_hh_{end}").grad
            yield cell.x_proj.bias.grad, getattr(theirs, f"bias_ih_{end}").grad
            yield cell.x_proj.bias.grad, getattr(theirs, f"bias_hh_{end}").grad


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("n_layers", [1, 3])
@pytest.mark.parametrize("kind", KINDS)
def test_values_states_and_gradients_are_torchs(kind, n_layers, dtype):
    ours = kind(d_in=3, d_model=5, n_layers=n_layers).to(dtype)
    theirs = to_torch(ours)
    x, cache = torch.randn(2, 7, 3, dtype=dtype), ours.new_cache()
    mine, yours = x.clone().requires_grad_(), x.clone().requires_grad_()
    y, (y_theirs, states) = ours(mine, cache=cache), theirs(yours)
    close(y, y_theirs, dtype)
    for a, b in zip(last_states(cache, kind), their_states(states), strict=True):
        close(a, b, dtype)
    cotangent = torch.randn_like(y)
    y.backward(cotangent)
    y_theirs.backward(cotangent)
    close(mine.grad, yours.grad, dtype)
    for a, b in gradients(theirs, ours):
        close(a, b, dtype)


@pytest.mark.parametrize("kind", KINDS)
def test_padding_at_the_end_is_torchs_packed_sequence(kind):
    ours = kind(d_in=3, d_model=4, n_layers=2).double()
    theirs, lengths = to_torch(ours), torch.tensor([3, 6, 1])
    keep, cache = torch.arange(6) < lengths[:, None], ours.new_cache()
    x = torch.randn(3, 6, 3, dtype=torch.float64)
    packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
    out, states = theirs(packed)
    y, y_theirs = ours(x, keep, cache), pad_packed_sequence(out, batch_first=True)[0]
    close(y, y_theirs)
    for a, b in zip(last_states(cache, kind), their_states(states), strict=True):
        close(a, b)
    cotangent = torch.randn_like(y)
    y.backward(cotangent)
    y_theirs.backward(cotangent)
    for a, b in gradients(theirs, ours):
        close(a, b)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("bidirectional", [True, False])
@pytest.mark.parametrize("theirs", [nn.RNN, nn.LSTM])
def test_a_module_of_torchs_becomes_ours_and_goes_back(theirs, bidirectional, bias):
    theirs = theirs(3, 4, num_layers=2, bias=bias, bidirectional=bidirectional, dropout=0.25, batch_first=True)
    theirs = theirs.double().eval()
    ours = from_torch(theirs)
    x = torch.randn(2, 5, 3, dtype=torch.float64)
    close(ours(x), theirs(x)[0])
    again = to_torch(ours)
    close(again(x)[0], theirs(x)[0])
    assert not ours.training and not again.training and again.dropout == ours.dropout.p == 0.25


def test_a_cell_is_torchs_cell():
    x, h, c = torch.randn(2, 3), torch.randn(2, 4), torch.randn(2, 4)
    for ours, theirs, state in (RNNCell(3, 4), nn.RNNCell(3, 4), h), (LSTMCell(3, 4), nn.LSTMCell(3, 4), (h, c)):
        theirs.load_state_dict(
            {
                "weight_ih": ours.x_proj.weight,
                "weight_hh": ours.h_proj.weight,
                "bias_ih": ours.x_proj.bias,
                "bias_hh": torch.zeros_like(ours.x_proj.bias),
            }
        )
        given = state if isinstance(state, tuple) else (state,)
        close(ours(x, *given), theirs(x, state), torch.float32)
        close(ours(x), theirs(x), torch.float32)


@settings(max_examples=20, deadline=None)
@given(
    kind=st.sampled_from(KINDS),
    B=st.integers(1, 3),
    T=st.integers(1, 6),
    d_in=st.integers(1, 4),
    d_model=st.integers(1, 4),
    n_layers=st.integers(1, 3),
)
def test_any_sizes_give_torchs_values(kind, B, T, d_in, d_model, n_layers):
    ours = kind(d_in, d_model, n_layers).double()
    x = torch.randn(B, T, d_in, dtype=torch.float64)
    close(ours(x), to_torch(ours)(x)[0])


def test_dropout_between_layers_is_torchs_in_kind():
    ours = LSTM(4, 64, n_layers=2, dropout=0.5)
    x = torch.randn(1, 3, 4)
    assert not torch.equal(ours(x), ours(x))
    ours.eval()
    assert torch.equal(ours(x), ours(x))
    one = LSTM(4, 64, n_layers=1, dropout=0.5)  # nothing lies between the layers of one
    assert torch.equal(one(x), one(x))


def test_large_inputs_stay_finite():
    lstm = LSTM(3, 4)
    x = (1e4 * torch.randn(1, 5, 3)).requires_grad_()
    lstm(x).sum().backward()
    assert x.grad.isfinite().all()
