"""The schemes that enter at the embedding, against the papers' formulas."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.testing import assert_close

import mtlib as mt


def test_no_position_leaves_everything_as_it_is():
    x, q = torch.randn(2, 3, 8), torch.randn(2, 2, 3, 4)
    none = mt.Position()
    assert none(x, 5) is x and none.turn(q, 5) is q and none.bias(q, q) is None
    assert not list(none.parameters())


@settings(max_examples=40, deadline=None)
@given(t=st.integers(0, 3000), column=st.integers(0, 15))
def test_a_sinusoidal_row_is_the_papers_formula(t, column):
    ours = mt.Sinusoidal(16)(torch.zeros(1, 1, 16, dtype=torch.float64), start=t)[0, 0, column].item()
    angle = t / 10_000 ** (2 * (column // 2) / 16)
    assert ours == pytest.approx(math.cos(angle) if column % 2 else math.sin(angle), abs=1e-10)


def test_sinusoidal_scales_what_it_is_added_to():
    x = torch.randn(1, 4, 16, dtype=torch.float64)
    sinusoidal = mt.Sinusoidal(16)
    assert_close(sinusoidal(x) - sinusoidal(torch.zeros_like(x)), 4 * x, atol=1e-12, rtol=0)


@pytest.mark.parametrize("scheme", [mt.Learned(40, 8), mt.Sinusoidal(8), mt.Grid(5, 8, 8)], ids=lambda s: type(s).__name__)
@settings(max_examples=20, deadline=None)
@given(cut=st.integers(1, 39))
def test_a_text_in_two_pieces_gets_the_positions_of_the_whole(scheme, cut):
    x = torch.randn(2, 40, 8)
    pieces = torch.cat([scheme(x[:, :cut]), scheme(x[:, cut:], start=cut)], dim=1)
    assert torch.equal(pieces, scheme(x))


def test_learned_adds_its_rows_and_learns_them():
    learned, x = mt.Learned(6, 4), torch.randn(2, 3, 4)
    assert torch.equal(learned(x, start=2), x + learned.weight[2:5])
    learned(x).sum().backward()
    assert learned.weight.grad[:3].eq(2).all() and learned.weight.grad[3:].eq(0).all()


def test_the_grid_tells_row_and_column_apart():
    table = mt.Grid(3, 4, 8)(torch.zeros(1, 12, 8))[0]
    waves = mt.Sinusoidal(4)(torch.zeros(1, 4, 4))[0]
    for t in range(12):
        assert_close(table[t], torch.cat([waves[t // 4], waves[t % 4]]))


def test_tables_follow_dtype_and_are_not_in_the_state_dict():
    for scheme in mt.Sinusoidal(8), mt.Rotary(8), mt.RotaryHalves(8), mt.Grid(2, 4, 8), mt.ALiBi(2):
        assert not scheme.state_dict()
    assert mt.Sinusoidal(8)(torch.zeros(1, 2, 8, dtype=torch.bfloat16)).dtype == torch.bfloat16


def test_what_inference_mode_made_serves_training_later():
    from mtlib.position import sinusoidal

    sinusoidal.cache_clear()
    with torch.inference_mode():
        mt.Sinusoidal(8)(torch.zeros(1, 3, 8))
    x = torch.zeros(1, 3, 8, requires_grad=True)
    (mt.Sinusoidal(8)(x) ** 2).sum().backward()
    assert x.grad.isfinite().all()
