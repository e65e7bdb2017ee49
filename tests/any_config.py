"""Configs of any sizes and any parts that go together, for hypothesis."""

from collections.abc import Callable

from hypothesis import strategies as st

import mtlib as mt
from mtlib.config import FFN, Norm, Placement, Scheme


@st.composite
def any_config(draw) -> Callable[[], mt.ModelConfig]:
    """Draws what a config is made of and leaves the making to the test.

    The shape checker that watches mtlib in tests rolls dice of its own, which hypothesis
    forbids while it draws.
    """
    scheme = draw(st.sampled_from(Scheme.__args__))
    heads = draw(st.sampled_from([1, 2, 4] if scheme == "alibi" else [1, 2, 3, 4]))
    numbers = {
        "vocab": draw(st.integers(1, 9)),
        "d_model": heads * draw(st.sampled_from([4] if scheme == "grid" else [2, 4])),
        "n_heads": heads,
        "n_kv_heads": draw(st.sampled_from([groups for groups in (1, 2, 3, 4) if heads % groups == 0])),
        "n_layers": draw(st.integers(1, 2)),
        "d_ff": draw(st.integers(1, 9)),
    }
    words = {
        "norm": draw(st.sampled_from(Norm.__args__)),
        "ffn": draw(st.sampled_from(FFN.__args__)),
        "position": scheme,
        "placement": draw(st.sampled_from(Placement.__args__)),
        "bias": draw(st.booleans()),
        "tied": draw(st.booleans()),
    }
    return lambda: mt.ModelConfig(**numbers, max_len=9, parts=mt.Parts(**words))
