"""The references of the topic `positional`, held to the modules and to what they come from."""

import pytest
import torch

import mtlib as mt
from mtlib import position, score_bias
from mtlib.exercises.positional import alibi, grid, rotary, sinusoidal, t5_bucket

pytestmark = pytest.mark.ch09


def test_waves_and_grid_are_the_modules():
    torch.testing.assert_close(sinusoidal.reference(300, 12, 100.0), position.sinusoidal(300, 12, 100.0))
    torch.testing.assert_close(grid.reference(3, 5, 16), position.grid(3, 5, 16))


def test_rotary_is_the_module():
    x = torch.randn(2, 3, 7, 8, dtype=torch.float64)
    torch.testing.assert_close(rotary.reference(x, torch.arange(4, 11), 500.0), mt.Rotary(8, base=500.0).turn(x, start=4))


def test_alibi_is_the_module():
    q, k = torch.zeros(1, 8, 3, 4), torch.zeros(1, 8, 7, 4)
    torch.testing.assert_close(alibi.reference(8, 3, 7), mt.ALiBi(8).bias(q, k))


@pytest.mark.parametrize("bidirectional", [True, False])
@pytest.mark.parametrize(("n_buckets", "max_distance"), [(32, 128), (8, 16), (64, 512), (12, 100)])
def test_buckets_are_those_of_transformers_but_on_an_edge(n_buckets, max_distance, bidirectional):
    from transformers.models.t5.modeling_t5 import T5Attention

    offset = torch.arange(-1500, 1501)
    case = (offset, n_buckets, max_distance, bidirectional)
    ours = t5_bucket.reference(*case)
    theirs = T5Attention._relative_position_bucket(offset, bidirectional, n_buckets, max_distance)
    asked = ~t5_bucket.on_an_edge(*case)
    assert torch.equal(ours[asked], theirs[asked]) and asked.float().mean() > 0.97
    module = score_bias.relative_bucket(offset, n_buckets, max_distance, bidirectional)
    assert torch.equal(ours[asked], module[asked])
