"""Judges: how a property looks at one case. They raise `Wrong`, or return without a word.

A judge talks to subjects and to nothing else, and works out what is expected before it asks them. It may rely on an
answer's form once that is agreed; what it stumbles over before that is told as a wrong answer too, by `run`.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from .compare import gap
from .kit import Kit, made
from .local import UnguardedSubject
from .subject import Reply, Subject


class Wrong(Exception):
    """One case on which a promise is broken: a sentence, and what came back beside what was expected."""

    def __init__(self, sentence: str, yours: Any = None, expected: Any = None, part: str = "", trouble: Any = None):
        super().__init__(sentence)
        self.sentence, self.yours, self.expected, self.part, self.trouble = sentence, yours, expected, part, trouble

    @property
    def unwritten(self) -> bool:
        """True for the stub that the notebook comes with."""
        return self.trouble is not None and self.trouble.unwritten

    @property
    def fatal(self) -> bool:
        """True where nothing came back: an endless loop, or the end of the process."""
        return self.trouble is not None and self.trouble.fatal


def value_of(reply: Reply) -> Any:
    """The value that came back; raises Wrong where an exception or something unusable came instead."""
    trouble = reply.trouble
    if trouble is None:
        return reply.value
    if trouble.unwritten:
        raise Wrong("it is not written yet", trouble=trouble)
    if trouble.type == "NotPlain":
        raise Wrong(f"the answer is {trouble.text}; expected plain tensors or numbers", trouble=trouble)
    if trouble.fatal or trouble.type in ("Forbidden", "Detached"):
        raise Wrong(trouble.text, trouble=trouble)
    raise Wrong(f"your code raised {trouble}", trouble=trouble)


def agree(yours: Any, expected: Any, largest: float = 1.0, names: tuple[str, ...] = (), why: str = "") -> None:
    """Raise Wrong unless `yours` is `expected` within rounding; `names` are those of the parts of a tuple."""
    difference = gap(yours, expected, largest)
    if difference is not None:
        part = difference.part
        for i, name in enumerate(names):
            part = name if part == f"[{i}]" else part
        sentence = difference.sentence.replace(difference.part, part) if difference.part else difference.sentence
        if names and not part:  # the answer as a whole is no such tuple
            sentence = sentence.replace(f"a tuple of {len(names)}", f"a tuple ({', '.join(names)})")
        sentence = f"{why}: {sentence}" if why else sentence
        raise Wrong(sentence, difference.yours, difference.expected, part)


def agree_in_form(yours: Any, expected: Any, names: tuple[str, ...] = ()) -> None:
    """Raise Wrong unless types, shapes and dtypes are those of `expected`: before a judge takes an answer apart."""
    agree(_blank(yours), _blank(expected), names=names)


def equals(reference: Callable, largest: Callable | None = None, names: tuple[str, ...] = ()) -> Callable:
    """A judge: the answer equals `reference(*case.values())`, which is written for clearness and not speed.

    Recipes of the kit among the values are built for the reference, as they are for the learner's code.
    `largest(**case)` is the largest score or logit on the way, where rounding is measured by it.
    """

    def judge(case: dict, subject: Subject) -> None:
        expected = reference(*made(case.values()))
        size = largest(**case) if largest else 1.0
        agree(value_of(subject.call(*case.values())), expected, size, names)

    return judge


def differentiates(reference: Callable, largest: Callable | None = None) -> Callable:
    """A judge: autograd through the answer equals autograd through `reference`.

    The case holds the arguments and, under "cotangent", what arrives from above at the output.
    """

    def judge(case: dict, subject: Subject) -> None:
        arguments = {name: value for name, value in case.items() if name != "cotangent"}
        args, names = tuple(arguments.values()), list(arguments)
        expected = UnguardedSubject(reference).grad(args, case["cotangent"]).value
        size = largest(**arguments) if largest else 1.0
        yours = value_of(subject.grad(args, case["cotangent"]))
        for number, gradient in expected.items():
            agree(yours[number], gradient, size, why=f"the gradient of {names[number]}")

    return judge


def refuses(case: dict, subject: Subject) -> None:
    """A judge: these arguments are illegal, and the answer says so with a ValueError."""
    _insist_on_value_error(subject.call(*case.values()))


def refuses_to_build(case: dict, subject: Subject) -> None:
    """A judge: the class refuses these arguments with a ValueError when it is built."""
    _insist_on_value_error(subject.build(*case.values()))


def _insist_on_value_error(reply: Reply) -> None:
    trouble = reply.trouble
    if trouble is None:
        raise Wrong("it accepts these arguments; expected a ValueError", "no error", "ValueError")
    if trouble.unwritten or trouble.fatal:
        value_of(reply)
    if "ValueError" not in trouble.kinds:
        raise Wrong(f"it raises {trouble.type} for these arguments; expected a ValueError", trouble=trouble)


def leaves_inputs(reference: Callable) -> Callable:
    """A judge: the arguments are the same after the call as before, and the answer has the right form."""

    def judge(case: dict, subject: Subject) -> None:
        expected = reference(*made(case.values()))
        reply = subject.call(*case.values())
        agree_in_form(value_of(reply), expected)
        for (name, before), after in zip(case.items(), reply.after, strict=False):
            if type(before) is not Kit and gap(after, before) is not None:
                raise Wrong(f"{name} is changed in place", after, before, f"{name} after the call")

    return judge


def _blank(value: Any) -> Any:
    """The form of an answer without its numbers."""
    if type(value) is tuple or type(value) is list:
        return type(value)(_blank(item) for item in value)
    return torch.zeros_like(value) if type(value) is Tensor else value
