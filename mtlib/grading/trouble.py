"""What went wrong inside the learner's code, as data: the error's type, its text, and the line of THEIR code."""

import linecache
import sysconfig
from dataclasses import dataclass
from pathlib import Path

_OURS = str(Path(__file__).resolve().parents[1])
_NOT_THEIRS = (_OURS, sysconfig.get_path("stdlib"), sysconfig.get_path("purelib"), "<frozen", "<@")


@dataclass(frozen=True)
class Trouble:
    """An exception, as plain text."""

    type: str
    text: str
    where: str = ""
    kinds: tuple[str, ...] = ()  # the type's name and those of its bases

    @property
    def unwritten(self) -> bool:
        """True for the stub that the notebook comes with."""
        return self.type == "NotImplementedError"

    @property
    def fatal(self) -> bool:
        """True where the code did not come back at all: asking it again would cost as much time."""
        return self.type in ("Gone", "TooLong")

    def __str__(self) -> str:
        return f"{self.type}: {self.text}" if self.text else self.type


def trouble_of(error: BaseException) -> Trouble:
    """Flatten an exception.

    >>> trouble_of(ValueError("no")).type
    'ValueError'
    """
    try:
        text = str(error).strip().splitlines()
    except Exception:  # the learner's own exception class may stumble over its own words
        text = []
    kinds = tuple(kind.__name__ for kind in type(error).__mro__)
    return Trouble(type(error).__name__, text[0][:300].rstrip(".") if text else "", _line_of(error), kinds)


def _line_of(error: BaseException) -> str:
    """The deepest line that the learner wrote: not torch's, not ours, not the standard library's."""
    theirs, step = "", error.__traceback__
    while step is not None:
        path, number = step.tb_frame.f_code.co_filename, step.tb_lineno
        if not path.startswith(_NOT_THEIRS):
            source = linecache.getline(path, number, step.tb_frame.f_globals).strip()
            theirs = f"line {number} of {step.tb_frame.f_code.co_name}: {source}".rstrip(": ")
        step = step.tb_next
    return theirs
