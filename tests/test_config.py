import dataclasses

import numpy as np
import pytest

import mtlib as mt

pytestmark = pytest.mark.ch06
SIZES = {"vocab": 10, "max_len": 4, "d_model": 8, "n_heads": 2, "n_layers": 1}


def test_what_follows_from_other_sizes_follows_in_a_copy_too():
    config = mt.ModelConfig(**SIZES)
    wider = dataclasses.replace(config, d_model=64, n_heads=4)
    assert (config.kv_heads, config.ff_width) == (2, 32)
    assert (wider.kv_heads, wider.ff_width) == (4, 256)


def test_what_was_given_stays_in_a_copy():
    config = dataclasses.replace(mt.ModelConfig(**SIZES, n_kv_heads=1, d_ff=12), d_model=16)
    assert (config.kv_heads, config.ff_width) == (1, 12)


def test_a_config_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        mt.ModelConfig(**SIZES).d_model = 9


def test_whole_numbers_of_numpy_are_whole_numbers(shapes_unchecked):
    assert mt.ModelConfig(**{**SIZES, "d_model": np.int64(8)}).ff_width == 32


def test_a_grid_is_square_and_its_waves_come_in_fours(shapes_unchecked):
    grid = mt.Parts(position="grid")
    config = mt.ModelConfig(**{**SIZES, "max_len": 9}, parts=grid)
    place = mt.Transformer(config, n_classes=2).encoder.pos
    assert isinstance(place, mt.Grid) and (place.height, place.width) == (3, 3) == (config.grid_side,) * 2
    with pytest.raises(ValueError, match="max_len=8 cells make no square grid"):
        mt.ModelConfig(**{**SIZES, "max_len": 8}, parts=grid)
    with pytest.raises(ValueError, match="d_model=6 must be a multiple of 4"):
        mt.ModelConfig(**{**SIZES, "d_model": 6}, parts=grid)
