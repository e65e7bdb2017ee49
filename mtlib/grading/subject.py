"""A subject: the only way in which a check touches the learner's code.

A check never holds the learner's function. It holds a `Subject`, sends plain values and recipes of the kit, and gets
a `Reply` of plain values; a module that the learner's class built stays on the other side, behind a subject of its
own. There are two kinds: in `local` for code in this process, in `remote` for code in a worker. Each writes one method,
`ask`, with the same seven words (call, grad, build, train, load, state, exchange), and the checks do not notice which it is.
"""

from dataclasses import dataclass
from typing import Any

from .trouble import Trouble

CALL_SECONDS = 5.0  # for one call in a worker


@dataclass(frozen=True)
class Reply:
    """What came back: the value, the arguments as they are after the call, or the trouble instead of both."""

    value: Any = None
    after: tuple = ()
    trouble: Trouble | None = None


class Subject:
    """Something of the learner's that can be called. Every answer is also kept in `log`.

    Mistakes are named by comparing logs: the same judge runs on the learner's code and on a wrong variant,
    and where all replies are equal, the variant's name is the learner's mistake.
    """

    patience = CALL_SECONDS

    def __init__(self, log: list | None = None):
        self.log: list[Reply] = [] if log is None else log

    def ask(self, word: str, args: tuple) -> Reply:
        """Carry out one of the seven words. The only method that a further kind of subject writes."""
        raise NotImplementedError

    def _logged(self, word: str, *args: Any) -> Reply:
        reply = self.ask(word, args)
        self.log.append(reply)
        return reply

    def call(self, *args: Any) -> Reply:
        """`f(*args)`. Trailing Nones are left out, so that the learner's defaults are tried as well."""
        while args and args[-1] is None:
            args = args[:-1]
        return self._logged("call", *args)

    def grad(self, args: tuple, cotangent: Any) -> Reply:
        """The gradients of sum(cotangent * f(*args)), a dict from argument number to gradient."""
        return self._logged("grad", args, cotangent)

    def build(self, *args: Any) -> Reply:
        """`Class(*args)`; the reply's value is a `Subject` for the module it built."""
        return self._logged("build", *args)

    def train(self, sizes: tuple, examples: tuple, targets: Any, *, seed: int, size: int, rate: float = 0.01) -> Reply:
        """Build `Class(*sizes)` after that seed and train it on the examples, `size` of them a step and each once, by AdamW
        on the mean cross-entropy of `module(*examples)`; a target of -100 counts for nothing. The reply's value is a
        `Subject` for the trained module, in its evaluation mode."""
        return self._logged("train", sizes, examples, targets, seed, size, rate)

    def load(self, state: dict) -> Reply:
        """Take these tensors into the module, in their dtype; names it does not have are an error."""
        return self._logged("load", state)

    def state(self) -> Reply:
        """The module's state dict, as a plain dict."""
        return self.ask("state", ())  # not logged: fresh weights are random, and say nothing about a mistake

    def exchange(self, method: str, *args: Any) -> Reply:
        """A method of a module, `""` for the module itself. What it returns may hold objects that are not plain,
        such as a cache: they come back as subjects, and go in again as arguments."""
        return self._logged("exchange", method, *args)
