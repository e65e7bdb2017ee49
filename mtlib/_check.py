"""Arguments checked at the door: one line that says what came and what is wanted.

A wrong shape that is let through surfaces three modules later as a matmul error, and the
reader hunts in the wrong place. Every check here names the argument, what it was, and what
it must be.
"""

from numbers import Integral

import torch
from torch import Tensor


def said(value: object) -> str:
    """value as a message shows it, in one line: a tensor would fill many."""
    if isinstance(value, Tensor):
        return f"a tensor of shape {tuple(value.shape)}"
    text = " ".join(repr(value).split())
    return text if len(text) <= 60 else f"{text[:59]}…"


def positive(**sizes: int) -> None:
    """Each size is an int of at least 1: ``positive(d_model=d_model, n_heads=n_heads)``."""
    for name, value in sizes.items():
        # numpy's whole numbers and torch.export's symbolic ones are whole numbers too; True is not
        whole = isinstance(value, (Integral, torch.SymInt)) and not isinstance(value, bool)
        if not whole or value < 1:
            raise ValueError(f"{name}={said(value)} must be a whole number of at least 1")


def natural(**values: int) -> None:
    """Each value is an int of at least 0, as the position of a first row must be."""
    for name, value in values.items():
        whole = isinstance(value, (Integral, torch.SymInt)) and not isinstance(value, bool)
        if not whole or value < 0:
            raise ValueError(f"{name}={said(value)} must be a whole number of at least 0")


def fraction(**values: float) -> None:
    """Each value is in [0, 1), as a dropout probability must be."""
    for name, value in values.items():
        if not (isinstance(value, (int, float)) and 0 <= value < 1):
            raise ValueError(f"{name}={said(value)} must be a probability in [0, 1)")


def above_zero(**values: float) -> None:
    """Each value is a finite number above 0, as an epsilon or a base must be."""
    for name, value in values.items():
        if not (isinstance(value, (int, float)) and 0 < value < float("inf")):
            raise ValueError(f"{name}={said(value)} must be above 0")


def one_of(**words: tuple[str, tuple[str, ...]]) -> None:
    """Each is a (word, the words there are): ``one_of(norm=(norm, ("layer", "rms")))``."""
    for name, (word, known) in words.items():
        if not isinstance(word, str) or word not in known:
            raise ValueError(f"{name}={said(word)} must be one of: {', '.join(known)}")


def function(**values: object) -> None:
    """Each can be called."""
    for name, value in values.items():
        if not callable(value):
            raise TypeError(f"{name} is a {type(value).__name__}; it must be a function")


def instance(**values: tuple[object, type]) -> None:
    """Each is a (value, its class): ``instance(config=(config, ModelConfig))``."""
    for name, (value, kind) in values.items():
        if not isinstance(value, kind):
            raise TypeError(f"{name} is a {type(value).__name__}; it must be a {kind.__name__}")


def tensor(x: Tensor, name: str, shape: str) -> None:
    if not isinstance(x, Tensor):
        raise TypeError(f"{name} is a {type(x).__name__}; it must be a torch tensor of shape {shape}")


def tokens(x: Tensor, name: str, weight: Tensor) -> None:
    """x is (B, T, D) with the D, dtype and device of the module's `weight` (…, D)."""
    d_model = weight.size(-1)
    shape = f"(B, T, {d_model})"
    tensor(x, name, shape)
    if x.dim() != 3 or x.size(-1) != d_model:
        raise ValueError(f"{name} has shape {tuple(x.shape)}; it must be {shape}: batch, positions, d_model")
    same_kind(x, name, weight)


def features(x: Tensor, name: str, weight: Tensor) -> None:
    """x is (…, D) with the D, dtype and device of the module's `weight` (…, D)."""
    d_model = weight.size(-1)
    tensor(x, name, f"(…, {d_model})")
    if x.dim() < 1 or x.size(-1) != d_model:
        raise ValueError(f"{name} has shape {tuple(x.shape)}; its last axis must be d_model={d_model}")
    same_kind(x, name, weight)


def same_kind(x: Tensor, name: str, other: Tensor, others: str = "the weights are") -> None:
    """x has the dtype and device of `other`, which the message calls `others`."""
    if x.device != other.device:
        raise ValueError(f"{name} is on {x.device} and {others} on {other.device}; move one of them")
    # Under autocast, which meta tensors have not, the dtypes differ on purpose, and torch reconciles them.
    if x.dtype != other.dtype and (x.is_meta or not torch.is_autocast_enabled(x.device.type)):
        raise TypeError(f"{name} is {x.dtype} and {others} {other.dtype}; convert one of them")


def width(x: Tensor, name: str, axes: str, d: int) -> None:
    """x has these axes and a last one of width d, and is floating: ``width(x, "x", "B T", 64)``."""
    shape = f"({', '.join(axes.split())}, {d})"
    tensor(x, name, shape)
    if x.dim() != len(axes.split()) + 1 or x.size(-1) != d:
        raise ValueError(f"{name} has shape {tuple(x.shape)}; it must be {shape}")
    if not x.is_floating_point():
        raise TypeError(f"{name} is {x.dtype}; it must be floating")


def ids(x: Tensor, name: str, weight: Tensor) -> None:
    """x is (B, T) int64 with T >= 1, each id a row of the table `weight` (V, D) and on its device."""
    vocab = weight.size(0)
    tensor(x, name, "(B, T)")
    if x.dtype != torch.int64:
        raise TypeError(f"{name} is {x.dtype}; token ids must be torch.int64")
    if x.dim() != 2:
        raise ValueError(f"{name} has shape {tuple(x.shape)}; it must be (B, T): batch, positions")
    if x.size(1) == 0:
        raise ValueError(f"{name} has shape {tuple(x.shape)}; there must be at least one position")
    if x.device != weight.device:
        raise ValueError(f"{name} is on {x.device} and the weights are on {weight.device}; move one of them")
    # On an accelerator this look would stall the queue; there the embedding's own assert fires.
    if x.device.type == "cpu" and x.numel() and not 0 <= int(x.min()) <= int(x.max()) < vocab:
        raise ValueError(f"{name} runs from {int(x.min())} to {int(x.max())}; ids must lie in 0…{vocab - 1}")


def keep(keep: Tensor | None, shape: tuple[int, ...], device: torch.device, name: str = "keep") -> None:
    """keep is None, or bool (True = may look), broadcastable to `shape`, that of the scores, and on their device."""
    if keep is None:
        return
    tensor(keep, name, str(shape))
    if keep.dtype != torch.bool:
        raise TypeError(f"{name} is {keep.dtype}; it must be torch.bool, where True means may look")
    if keep.device != device:
        raise ValueError(f"{name} is on {keep.device} and the scores are on {device}; move one of them")
    broadcasts(keep, name, shape)


def broadcasts(x: Tensor, name: str, shape: tuple[int, ...]) -> None:
    """x broadcasts to `shape`, the shape of the scores, and not the other way round."""
    sizes = tuple(x.shape)
    fits = len(sizes) <= len(shape) and all(k in (1, s) for k, s in zip(sizes[::-1], shape[::-1]))
    if not fits:
        raise ValueError(f"{name} has shape {sizes}; it must broadcast to the scores, {shape}")
