"""Grading: `check("attention.scores", scores)` and `hint("attention.scores")`.

Light to import: hypothesis loads with the first check, matplotlib with the first picture.

Who imports whom, from the bottom up; a test holds it:
- the vocabulary (exercise, draw, judge, compare, subject, plain, trouble, forbid, settings) knows only itself;
- `mtlib.exercises` is written in the vocabulary and uses nothing else of this package;
- the engine (search, run, naming, report, picture, show, mutants) is handed exercises and never imports them;
- the doors (checking, progress, notebooks) alone look exercises up.
"""

from .checking import CheckFailed as CheckFailed
from .checking import GradingError as GradingError
from .checking import UnknownExercise as UnknownExercise
from .checking import check as check
from .checking import hint as hint
