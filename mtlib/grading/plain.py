"""What may come back from a learner's code: plain tensors, numbers, text, and lists, tuples and dicts of them.

Types are told by `type(x) is`, never by isinstance or by asking the object: an object that equals
everything, or a Tensor subclass with methods of its own, would answer as it likes. What passes is copied,
and only the copies are compared. The references to torch are taken at import, so that a function patched
later in the notebook is not the one that judges.

Left out: sparse, quantised and meta tensors, dtypes numpy does not know. No exercise asks for one.
"""

from typing import Any

import torch
from torch import Tensor

_detach, _clone, _cpu, _numpy = Tensor.detach, Tensor.clone, Tensor.cpu, Tensor.numpy
_TENSORS = (Tensor, torch.nn.Parameter)
_SCALARS = (type(None), bool, int, float, str)
_DEPTH = 8  # lists in lists in lists …: a list that holds itself ends here


class NotPlain(TypeError):
    """The value is of a kind that may not come back; the message says what it was."""


def plain(value: Any, depth: int = 0) -> Any:
    """A copy of `value` that shares neither memory nor code with it.

    Raises NotPlain for anything but tensors, numbers, text, None, and lists, tuples and dicts of them.

    >>> plain([1, torch.ones(2)])
    [1, tensor([1., 1.])]
    """
    kind = type(value)
    if kind in _SCALARS:
        return value
    if kind in _TENSORS:
        if value.layout is not torch.strided or value.device.type == "meta":
            raise NotPlain("a tensor without ordinary storage (sparse or meta)")
        return _clone(_cpu(_detach(value)))  # the clone keeps a transposed layout transposed
    if depth > _DEPTH:
        raise NotPlain(f"a {kind.__name__} nested more than {_DEPTH} deep")
    if kind in (list, tuple):
        return kind(plain(item, depth + 1) for item in value)
    if kind is dict:
        return {plain(key, depth + 1): plain(item, depth + 1) for key, item in value.items()}
    raise NotPlain(describe_type(value))


def describe_type(value: Any) -> str:
    """The type as a learner would say it: 'a list', 'an int', 'a numpy.ndarray'.

    >>> describe_type([1]), describe_type(3)
    ('a list', 'an int')
    """
    kind = type(value)
    if value is None:
        return "None"
    if kind in _TENSORS:
        return "a torch.Tensor"
    name = kind.__name__ if kind.__module__ in ("builtins", "__main__") else f"{kind.__module__}.{kind.__name__}"
    return f"{'an' if name[0].lower() in 'aeiou' else 'a'} {name}"


def array(tensor: Tensor):
    """A plain tensor as a numpy array: arithmetic from here on is out of reach of torch patches."""
    return _numpy(_detach(tensor))
