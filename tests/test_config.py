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
