"""State dicts for training.init: the rules by which weights are drawn, and cases with names that try each of them."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from mtlib.grading.draw import DTYPES, Draw
from mtlib.grading.kit import Kit

State = dict[str, Tensor]

NORMS = (
    "norm.weight", "norm.bias", "blocks.0.norm1.weight", "blocks.1.norm2.bias", "blocks.0.attn.q_norm.weight",
    "final_norm.bias", "norm.proj.weight", "blocks.0.norm1.w_out.weight",
)  # fmt: skip
MATRIX_OF_NORM = NORMS[-2:]
BIASES = ("blocks.0.attn.q_proj.bias", "blocks.0.attn.o_proj.bias", "blocks.1.ffn.w_out.bias", "head.bias")
MATRICES = ("tok.weight", "blocks.0.attn.q_proj.weight", "pos.weight", "blocks.1.ffn.w_in.weight", "head.weight")
ADDING = ("blocks.0.attn.o_proj.weight", "blocks.0.ffn.w_out.weight", "blocks.7.attn.o_proj.weight", "blocks.3.ffn.w_out.weight")
WIDE = ((64, 64), (32, 128), (128, 32))  # 4,096 numbers show their spread within a hundredth or so


def is_norm(name: str, old: Tensor) -> bool:
    return "norm" in name


def adds(name: str) -> bool:
    """Whether what it puts out is added to the stream."""
    return name.endswith(("o_proj.weight", "w_out.weight"))


def per_addition(std: float, n_layers: int) -> float:
    return std / math.sqrt(2 * n_layers)


def normal(old: Tensor, sigma: float, generator: torch.Generator) -> Tensor:
    return sigma * torch.randn(old.shape, generator=generator, dtype=old.dtype)


def as_it_was(name: str, old: Tensor) -> Tensor:
    return old.clone()


def variant(
    copied: Callable = is_norm,
    kept: Callable = as_it_was,
    bias: Callable = torch.zeros_like,
    smaller: Callable = adds,
    sigma: Callable = per_addition,
    draw: Callable = normal,
) -> Callable:
    """Drawing weights with a rule changed."""

    def init_weights(state: State, std: float, n_layers: int, generator: torch.Generator) -> State:
        fresh = {}
        for name, old in state.items():
            if copied(name, old):
                fresh[name] = kept(name, old)
            elif name.endswith("bias"):
                fresh[name] = bias(old)
            else:
                fresh[name] = draw(old, sigma(std, n_layers) if smaller(name) else std, generator)
        return fresh

    return init_weights


def _some(d: Draw, pool: tuple[str, ...], most: int = 3) -> list[str]:
    first = d.whole(0, len(pool) - 1)
    return [pool[(first + i) % len(pool)] for i in range(d.whole(1, most))]


def _case(d: Draw, state: State) -> dict:
    generator = Kit("generator", d.whole(0, 9999))
    return {"state": state, "std": d.pick(0.02, 1.0, 0.3), "n_layers": d.whole(1, 12), "generator": generator}


def _small(d: Draw, names: list[str]) -> dict:
    dtype = d.pick(*DTYPES)
    sizes = {name: (d.size(),) if name in (*NORMS, *BIASES) and name not in MATRIX_OF_NORM else (d.size(), d.size()) for name in names}
    return _case(d, {name: d.floats(*size, dtype=dtype) for name, size in sizes.items()})


def _wide(d: Draw, names: list[str]) -> dict:
    """Matrices of one shape, of which nothing counts but that."""
    shape, dtype = d.pick(*WIDE), d.pick(*DTYPES)
    return _case(d, {name: torch.ones(shape, dtype=dtype) for name in names})


def norms(d: Draw) -> dict:
    return _small(d, [*_some(d, NORMS), *_some(d, MATRICES, 1)])


def biases(d: Draw) -> dict:
    return _small(d, [*_some(d, BIASES), *_some(d, MATRICES, 1)])


def everything(d: Draw) -> dict:
    return _small(d, [name for pool in (MATRICES, NORMS, BIASES, ADDING) for name in _some(d, pool, 2)])


def matrices(d: Draw) -> dict:
    return _wide(d, _some(d, MATRICES))


def adding(d: Draw) -> dict:
    return _wide(d, _some(d, ADDING))


def twins(d: Draw) -> dict:
    """Two matrices or more of one shape."""
    return _wide(d, [*_some(d, MATRICES), *_some(d, ADDING, 1)])
