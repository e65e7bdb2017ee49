"""What may come back from a learner's code: plain tensors, numbers, text, and lists, tuples and dicts of them.

Types are told by `type(x) is`, never by isinstance or by asking the object: an object that equals
everything, or a Tensor subclass with methods of its own, would answer as it likes. What passes is copied,
and only the copies are compared. The references to torch are taken at import, so that a function patched
later in the notebook is not the one that judges.

This guards a learner's points against accidents and easy ways out. It does not guard them against someone who is
out to get them: their code runs in the same process as the judge. A score that counts will be computed elsewhere.

Left out: sparse, quantised and meta tensors, dtypes numpy does not know. No exercise asks for one.
"""

from typing import Any

import torch
from torch import Tensor

_detach, _clone, _cpu, _numpy = Tensor.detach, Tensor.clone, Tensor.cpu, Tensor.numpy
_TENSORS = (Tensor, torch.nn.Parameter)
_SCALARS = (type(None), bool, int, float, str)
_name_of, _module_of = (vars(type)[name].__get__ for name in ("__name__", "__module__"))
_DEPTH = 8  # lists in lists in lists …: a list that holds itself ends here


class NotPlain(TypeError):
    """The value is of a kind that may not come back; the message says what it was."""


def is_one_of(kind: type, kinds: tuple[type, ...]) -> bool:
    """Whether `kind` is one of these very classes. `kind in kinds` would ask its metaclass, which may say yes to all.

    >>> is_one_of(int, (int, str)), is_one_of(bool, (int, str))
    (True, False)
    """
    for each in kinds:  # a plain loop: this is asked a million times
        if kind is each:
            return True
    return False


def plain(value: Any, depth: int = 0) -> Any:
    """A copy of `value` that shares neither memory nor code with it.

    Raises NotPlain for anything but tensors, numbers, text, None, and lists, tuples and dicts of them.

    >>> plain([1, torch.ones(2)])
    [1, tensor([1., 1.])]
    """
    kind = type(value)
    if is_one_of(kind, _SCALARS):
        return value
    if is_one_of(kind, _TENSORS):
        if value.layout is not torch.strided or value.device.type == "meta":
            raise NotPlain("a tensor without ordinary storage (sparse or meta)")
        return _clone(_cpu(_detach(value)))  # the clone keeps a transposed layout transposed
    if depth > _DEPTH:
        raise NotPlain(f"a {_name_of(kind)} nested more than {_DEPTH} deep")
    if is_one_of(kind, (list, tuple)):
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
    if is_one_of(kind, _TENSORS):
        return "a torch.Tensor"
    name, module = _name_of(kind), _module_of(kind)
    if type(module) is str and module not in ("builtins", "__main__"):
        name = f"{module}.{name}"
    return f"{'an' if name[0].lower() in 'aeiou' else 'a'} {name}"


def array(tensor: Tensor):
    """A plain tensor as a numpy array: arithmetic from here on is out of reach of torch patches."""
    return _numpy(_detach(tensor))
