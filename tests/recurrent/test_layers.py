"""What holds of every recurrent layer: one direction, chunks, padding, and what a trace shows."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.testing import assert_close

import mtlib as mt
from mtlib.recurrent import LSTM, RNN, BiLSTM, BiRNN

KINDS = [RNN, BiRNN, LSTM, BiLSTM]


def close(a, b):
    assert_close(a, b, atol=1e-10, rtol=0)


def doubles(*shape):
    return torch.randn(shape, dtype=torch.float64)


@settings(max_examples=25, deadline=None)
@given(kind=st.sampled_from([RNN, LSTM]), cuts=st.lists(st.integers(1, 8), max_size=4), padded=st.booleans())
def test_chunks_with_a_cache_equal_the_whole_for_any_split(kind, cuts, padded):
    model, x = kind(3, 4, n_layers=2).double(), doubles(2, 9, 3)
    keep = torch.rand(2, 9) > 0.3 if padded else None
    whole, edges, cache = model(x, keep), sorted({0, 9, *cuts}), model.new_cache()
    parts = [
        model(x[:, a:b], None if keep is None else keep[:, a:b], cache) for a, b in zip(edges, edges[1:])
    ]
    close(torch.cat(parts, dim=1), whole)
    assert len(cache) == 9


def test_a_keep_over_the_whole_text_serves_a_cached_step_as_an_attention_keep_does():
    model, x, keep = LSTM(3, 4).double(), doubles(2, 5, 3), torch.tensor([[True] * 5, [True, True, False, True, False]])
    cache = model.new_cache()
    first = model(x[:, :3], keep[:, None, None, :3], cache)
    rest = model(x[:, 3:], keep[:, None, None, :], cache)  # all five keys, though two are new
    close(torch.cat([first, rest], dim=1), model(x, keep))


@settings(max_examples=20, deadline=None)
@given(kind=st.sampled_from(KINDS), left=st.integers(0, 3), inside=st.integers(0, 3), right=st.integers(0, 3))
def test_padding_anywhere_is_as_if_it_were_not_there(kind, left, inside, right):
    model, x = kind(3, 4, n_layers=2).double(), doubles(1, 4, 3)
    order = [True, True] + inside * [False] + [True, True]
    keep = torch.tensor([left * [False] + order + right * [False]])
    padded = 1e3 * doubles(1, keep.size(1), 3)
    padded[keep] = x[0]
    y = model(padded, keep)
    close(y[keep], model(x)[0])
    assert (y[~keep] == 0).all()


def test_a_row_with_nothing_kept_gives_zeros_and_no_gradient():
    model, x = BiLSTM(3, 4, n_layers=2), torch.randn(2, 3, 3, requires_grad=True)
    y = model(x, torch.tensor([[False] * 3, [True] * 3]))
    y.sum().backward()
    assert (y[0] == 0).all() and (x.grad[0] == 0).all() and (x.grad[1] != 0).any()


@pytest.mark.parametrize("kind", KINDS)
def test_one_way_sees_no_future_and_two_ways_see_all(kind):
    model, x = kind(3, 4, n_layers=2).double(), doubles(1, 6, 3)
    later = x.clone()
    later[:, 4:] += 1
    same = torch.equal(model(x)[:, :4], model(later)[:, :4])
    assert same is not kind.two_way
    assert not torch.allclose(model(x)[:, 4:], model(later)[:, 4:])


def test_a_trace_shows_gates_cell_and_hidden_one_value_a_step():
    model, x = LSTM(3, 4, n_layers=2).double(), doubles(2, 5, 3)
    with mt.trace(model) as t:
        y = model(x)
    gates, c, h = (t.all(f"cells.1.{name}") for name in ("gates", "c", "h"))
    assert len(gates) == len(c) == len(h) == 5
    close(torch.stack(h, dim=1), y)
    before = torch.zeros(2, 4, dtype=torch.float64)
    for (i, f, g, o), c_t, h_t in zip((v.unbind(1) for v in gates), c, h):
        assert all(((gate > 0) & (gate < 1)).all() for gate in (i, f, o))
        close(c_t, f * before + i * g)
        close(h_t, o * c_t.tanh())
        before = c_t


def test_backward_cells_are_traced_under_a_name_of_their_own_in_reading_order():
    model, x = BiRNN(3, 4).double(), doubles(1, 5, 3)
    with mt.trace(model) as t:
        y = model(x)
    close(torch.stack(t.all("cells_reverse.0.h"), dim=1).flip(1), y[..., 4:])


def test_a_gate_can_be_replaced_and_an_open_memory_only_adds_up():
    def keep_all(gates):  # i and f at 1: nothing is forgotten, everything is let in
        gates = gates.clone()
        gates[:, :2] = 1
        return gates

    model, x = LSTM(3, 4).double(), doubles(1, 6, 3)
    with mt.trace(model, replace={"cells.0.gates": keep_all}) as t:
        model(x)
    written = torch.stack([gates[:, 2] for gates in t.all("cells.0.gates")])
    close(t.all("cells.0.c")[-1], written.sum(0))


def test_the_gradient_reaches_every_traced_step():
    model, x = RNN(3, 4).double(), doubles(1, 6, 3)
    with mt.trace(model) as t:
        y = model(x)
    grads = torch.autograd.grad(y[:, -1].sum(), t.all("cells.0.h"))
    assert all((g != 0).any() for g in grads)
    close(grads[-1], torch.ones(1, 4, dtype=torch.float64))


def test_a_call_that_fails_leaves_the_cache_as_it_was():
    model, cache = LSTM(3, 4), mt.recurrent.RecurrentCache()
    model(torch.zeros(1, 2, 3), cache=cache)
    before = cache.h
    with pytest.raises(ValueError, match="keep has shape"):
        model(torch.zeros(1, 2, 3), torch.ones(1, 7, dtype=torch.bool), cache)
    assert len(cache) == 2 and torch.equal(cache.h, before)


@pytest.mark.parametrize("kind", KINDS)
def test_autocast_runs_and_stays_near(kind):
    model, x = kind(3, 4, n_layers=2), torch.randn(2, 5, 3)
    with torch.autocast("cpu", torch.bfloat16):
        low = model(x, torch.ones(2, 5, dtype=torch.bool))
    assert_close(low.float(), model(x), atol=0.05, rtol=0)


def test_a_longer_text_costs_its_gradient_no_more_than_in_proportion():
    """z is unbound, not indexed: T gradients as large as z would make the backward quadratic."""
    x = torch.zeros(1, 40, 3, requires_grad=True)
    nodes, seen = [RNN(3, 4)(x).grad_fn], set()
    while nodes:
        node = nodes.pop()
        if node is not None and node not in seen:
            seen.add(node)
            nodes += [parent for parent, _ in node.next_functions]
    names = [node.name() for node in seen]
    assert names.count("UnbindBackward0") == 1 and "SelectBackward0" not in names
