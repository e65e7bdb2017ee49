"""What an exercise is: who answers, what must hold, which mistakes have a name, what to say.

A further exercise is one `Exercise(...)` in a file of `mtlib/exercises/<topic>/`; nothing else has to be
told about it. `mtlib/exercises/attention/scores.py` is the smallest example.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Property:
    """One promise that a right answer keeps on every legal input, and the points it is worth.

    `cases(d)` draws one case with a `Draw` and returns it as a dict of named values, in calling order.
    `judge(case, *subjects)` talks to the learner's code through its subjects and raises `Wrong`.
    `essence(case, value)` is set where many answers are right, and then says what of a returned value
    counts when it is compared with a named mistake. `patience`: how many seconds a call, and all of the property's calls
    together, may take where a call is long by nature, such as a training run; 5 unless it says more.
    """

    name: str
    points: int
    promise: str
    cases: Callable
    judge: Callable
    tries: int = 60
    essence: Callable | None = None
    patience: float = 0.0


class Mistake:
    """A wrong variant that learners really write, with the sentence that names it.

    The sentence goes on after "This is", for instance "attention without the division by √d_k".
    One function or class for each thing the exercise asks for, in the same order. A mistake gives something wrong;
    where it ends in an exception instead, `raises` names that exception, as "IndexError", and a proof takes no other.
    """

    def __init__(self, sentence: str, *answers: Callable, raises: str = ""):
        self.sentence, self.answers, self.raises = sentence, answers, raises

    def __repr__(self) -> str:
        return f"Mistake({self.sentence!r})"


@dataclass(frozen=True)
class Exercise:
    """One exercise. `answers` are the names that the learner writes, `read` the ledger rows to read first.

    `forbid` names what may not be called, as a dotted path; a keyword in brackets forbids the call only with
    that keyword set: "torch.nn.functional.scaled_dot_product_attention(enable_gqa)". Nothing of mtlib may be called
    but what `allow` names, such as "mtlib.trace".

    Raises ValueError when a declaration is incomplete: three hints, three mistakes, one answer at least.
    """

    id: str
    title: str
    answers: tuple[str, ...]
    minutes: int
    read: tuple[str, ...]
    properties: tuple[Property, ...]
    mistakes: tuple[Mistake, ...]
    hints: tuple[str, ...]
    explanation: str
    better: str
    forbid: tuple[str, ...] = ()
    allow: tuple[str, ...] = ()

    def __post_init__(self):
        def insist(holds: Any, what: str) -> None:
            if not holds:
                raise ValueError(f"exercise {self.id}: {what}")

        insist(self.answers, "names nothing for the learner to write")
        insist(len(self.hints) == 3, f"has {len(self.hints)} hints; exactly three are promised")
        insist(len(self.mistakes) >= 3, f"names {len(self.mistakes)} mistakes; three at least are promised")
        names = [p.name for p in self.properties]
        insist(names and len(set(names)) == len(names), f"needs properties with different names, has {names}")
        for mistake in self.mistakes:
            insist(len(mistake.answers) == len(self.answers), f"{mistake} does not answer {self.answers}")

    @property
    def points(self) -> int:
        """All points of all properties."""
        return sum(p.points for p in self.properties)
