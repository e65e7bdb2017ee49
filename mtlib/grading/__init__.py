"""Grading: `check("attention.scores", scores)` and `hint("attention.scores")`.

Light to import: hypothesis loads with the first check, matplotlib with the first picture.

Who imports whom, from the bottom up; a test holds it:
- the vocabulary (exercise, draw, judge, compare, kit, subject, local, plain, trouble, forbid, settings) knows only itself;
- `mtlib.exercises` is written in the vocabulary and uses nothing else of this package;
- the engine (search, shrink, run, naming, report, picture, show, mutants) is handed exercises and never imports them;
- the border (wire, confine, worker, server; bubble, sandbox, remote) is what a learner's code runs behind;
- the doors (checking, progress, notebooks; submission, grade, batch, tell, page, grade_cli; sources, prove,
  scoreboard) alone look exercises up.
"""

from .checking import CheckFailed as CheckFailed
from .checking import GradingError as GradingError
from .checking import UnknownExercise as UnknownExercise
from .checking import check as check
from .checking import hint as hint
