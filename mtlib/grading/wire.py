"""What crosses between the grader and a worker: a JSON head, then the raw bytes of tensors. Nothing is unpickled.

A frame is eight bytes that say how long the head is, the head, and the tensors one after the other. The head is
`[value, lengths]`; in the value a tensor is its number, dtype, shape and the order of its axes in memory, because
how an argument lies in memory can matter to the code that gets it. A `Handle` stands for an object that stays on
the other side, a `Kit` for one that is built there.

Whoever reads trusts nothing: sizes are bounded, shapes must fit their bytes, and all that is not as said here is
an `Unreadable`.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import Any

import torch
from torch import Tensor

from .kit import Kit
from .plain import NotPlain, describe_type, is_one_of

HEAD_MOST, BODY_MOST = 1 << 24, 1 << 28  # bytes
_NAMES = "bool uint8 int8 int16 int32 int64 float16 bfloat16 float32 float64 complex64 complex128".split()
_DTYPES = {f"torch.{name}": getattr(torch, name) for name in _NAMES}
_PLAIN = (type(None), bool, int, float, str)
_dumps, _loads, _bytes = json.dumps, json.loads, torch.uint8


class Unreadable(ValueError):
    """What arrived is not a frame."""


@dataclass(frozen=True)
class Handle:
    """An object that stays on the worker's side: its number, and what it is in words."""

    number: int
    kind: str = "an object"


def pack(value: Any) -> bytes:
    """The frame of a value; raises NotPlain for what may not cross.

    >>> unpack(reader(pack({"x": (1, torch.ones(2))})))
    {'x': (1, tensor([1., 1.]))}
    """
    bodies: list[bytes] = []
    try:
        head = _dumps([_encode(value, bodies), [len(body) for body in bodies]]).encode()
    except RecursionError:
        raise NotPlain("a value nested too deep") from None
    if len(head) > HEAD_MOST or sum(map(len, bodies)) > BODY_MOST:
        raise NotPlain(f"more than {BODY_MOST >> 20} MB of numbers or {HEAD_MOST >> 20} MB of text")
    return b"".join([len(head).to_bytes(8, "big"), head, *bodies])


def unpack(read: Callable[[int], bytes]) -> Any:
    """The value of the frame that `read(count)` gives, byte for byte; raises Unreadable."""
    size = int.from_bytes(read(8), "big")
    if size > HEAD_MOST:
        raise Unreadable(f"a head of {size} bytes")
    head = bytes(read(size))
    try:
        value, lengths = _loads(head)
        if any(type(length) is not int or length < 0 for length in lengths) or sum(lengths) > BODY_MOST:
            raise Unreadable("lengths that cannot be")
    except (ValueError, TypeError, RecursionError) as error:
        raise Unreadable(str(error)[:100]) from None
    bodies = [read(length) for length in lengths]
    try:
        return _decode(value, bodies)
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, RuntimeError, RecursionError) as error:
        raise Unreadable(str(error)[:100]) from None


def reader(data: bytes) -> Callable[[int], bytes]:
    """`read(count)` over bytes at hand."""
    start = 0

    def read(count: int) -> bytes:
        nonlocal start
        part = data[start : start + count]
        if len(part) < count:
            raise Unreadable("a frame that ends early")
        start += count
        return part

    return read


def _encode(value: Any, bodies: list[bytes]) -> Any:
    kind = type(value)
    if is_one_of(kind, _PLAIN):
        return value
    if is_one_of(kind, (Tensor, torch.nn.Parameter)):
        return _encode_tensor(value.detach(), bodies)
    if is_one_of(kind, (list, tuple)):
        return {"k": "l" if kind is list else "t", "v": [_encode(item, bodies) for item in value]}
    if kind is dict:
        return {"k": "d", "v": [[_encode(key, bodies), _encode(item, bodies)] for key, item in value.items()]}
    if kind is Handle:
        return {"k": "h", "v": [value.number, value.kind]}
    if kind is Kit:
        return {"k": "kit", "v": [_encode(part, bodies) for part in (value.name, value.seed, value.options, value.state)]}
    raise NotPlain(describe_type(value))


def _encode_tensor(value: Tensor, bodies: list[bytes]) -> dict:
    name = str(value.dtype)
    if name not in _DTYPES:
        raise NotPlain(f"a tensor of dtype {name}")
    strides = value.stride()
    order = sorted(range(value.ndim), key=lambda axis: -strides[axis])
    packed = value.resolve_conj().resolve_neg().permute(order).contiguous()
    bodies.append(packed.reshape(-1).view(_bytes).numpy().tobytes() if packed.numel() else b"")
    return {"k": "x", "v": [len(bodies) - 1, name, list(value.shape), order]}


def _decode(value: Any, bodies: list) -> Any:
    if type(value) is not dict:
        if type(value) is list:
            raise Unreadable("a bare list")
        return value
    kind, inner = value["k"], value["v"]
    if kind == "x":
        return _decode_tensor(bodies, *inner)
    if kind == "t":
        return tuple([_decode(item, bodies) for item in inner])
    if kind == "l":
        return [_decode(item, bodies) for item in inner]
    if kind == "d":
        return {_decode(key, bodies): _decode(item, bodies) for key, item in inner}
    if kind == "h" and type(inner[0]) is int and type(inner[1]) is str:
        return Handle(*inner)
    if kind == "kit":
        return Kit(*(_decode(part, bodies) for part in inner))
    raise Unreadable(f"a part of kind {kind!r}"[:60])


def _decode_tensor(bodies: list, number: int, name: str, shape: list, order: list) -> Tensor:
    body, dtype = bodies[number], _DTYPES[name]
    if any(type(size) is not int or size < 0 for size in shape) or sorted(order) != list(range(len(shape))):
        raise Unreadable("a shape that cannot be")
    if prod(shape) * dtype.itemsize != len(body):
        raise Unreadable("a shape that does not fit its bytes")
    if dtype is torch.bool and body.strip(b"\0\1"):
        raise Unreadable("truth values beyond 0 and 1")  # such a byte is true to one comparison and false to another
    flat = torch.frombuffer(bytearray(body), dtype=dtype) if body else torch.empty(0, dtype=dtype)
    laid = flat.reshape([shape[axis] for axis in order])
    back = sorted(range(len(order)), key=order.__getitem__)
    return laid.permute(back)
