"""The exercises, a package for each topic and a file for each exercise.

A topic is imported when one of its exercises is asked for. Its `__init__` says ORDER, the files in the order of the
notebook, and CHAPTER, the chapter they belong to, whose prompts and solutions stand in `solutions/<CHAPTER>.md`.

How an exercise is declared. `attention/scores.py` is the smallest one; with an argument from the kit it reads:

    from mtlib.grading.draw import Draw
    from mtlib.grading.exercise import Exercise, Mistake, Property
    from mtlib.grading.judge import Wrong, agree, equals, value_of
    from mtlib.grading.kit import Kit, made

    def reference(x, sublayer):
        return x + sublayer(x)

    def pair(d: Draw) -> dict:  # the case: arguments by name, in calling order; a callable is drawn as its recipe
        sublayer = d.pick(Kit("square"), Kit("identity"), Kit("linear", d.whole(0, 99), {"d_in": 3, "d_out": 3}))
        return {"x": d.floats(d.size(), 3), "sublayer": sublayer}

    def once(case: dict, subject) -> None:  # a judge of one's own; `equals` builds recipes by itself
        expected = reference(*made(case.values()))
        reply = subject.call(*case.values())
        agree(value_of(reply), expected)
        calls = reply.after[1]["calls"]  # what became of the second argument
        if calls != 1:
            raise Wrong(f"sublayer was called {calls} times; expected once", calls, 1)

    EXERCISE = Exercise(id="residual.add", title=…, answers=("add",), minutes=10, read=("s-residual",),
        properties=(Property("values", 3, "x plus what the sublayer makes of it", pair, equals(reference)),
                    Property("one call", 1, "the sublayer is called once", pair, once, tries=20)),
        mistakes=(Mistake("the sublayer alone: x is not added", lambda x, sublayer: sublayer(x)), …),
        hints=(…, …, …), explanation=…, better=…)

- Cases: `d.floats`, `d.integers`, `d.keep`, `d.size`, `d.pick` …; only what is legal, clear of ties; simplest first.
- Kit: functions, `torch.nn.X`, `mtlib.X` from ModelConfig's options, batches. `reply.after` holds for each such
  argument what `kit.remains` says: {"calls"}, {"state", "hooks", "training"} or {"taken"}. The whole list is in kit.py.
- Modules: `subject.build(…)`, `.load(state)`, `.state()`, `.call(…)`; where a method or an opaque value such as a cache
  is part of the task, `.exchange("new_cache")` and `.exchange("", ids, cache)`. `.train(sizes, examples, targets, …)`
  builds one and trains it, where what counts is whether it can learn.
- `forbid` names the one torch function that is the whole exercise; nothing of mtlib may be called but what `allow`
  names. A training run: `Property(…, tries=3, patience=40)`.
- Reference and mistakes run in the grader, the learner's code elsewhere: neither may rely on the other's memory.
- A mistake gives something wrong. One that ends in an exception says which: `Mistake(…, raises="IndexError")`.
- Owed besides: the prompt in `solutions/`, at least two right answers written otherwise in
  `tests/exercises/answers/<topic>.py`, mutants that are right too in `<topic>/equivalent.py`, then `make exercises` and
  `make prove`. `tests/exercises/` holds every exercise to it without a new test.
"""

import importlib
import pkgutil
from functools import cache

from mtlib.grading.exercise import Exercise


def topics() -> list[str]:
    """The names of the topics, in alphabetical order.

    >>> "attention" in topics()
    True
    """
    return sorted(module.name for module in pkgutil.iter_modules(__path__) if module.ispkg)


@cache
def of_topic(topic: str) -> tuple[Exercise, ...]:
    """All exercises of one topic, in the order its package gives in ORDER."""
    package = importlib.import_module(f"{__name__}.{topic}")
    return tuple(importlib.import_module(f"{package.__name__}.{name}").EXERCISE for name in package.ORDER)


def chapter_of(topic: str) -> str:
    """The chapter of a topic: the name of its file in book/ and solutions/.

    >>> chapter_of("attention")
    '06_attention'
    """
    return importlib.import_module(f"{__name__}.{topic}").CHAPTER


def chapters() -> list[str]:
    """Every chapter that has exercises, in order."""
    return sorted({chapter_of(topic) for topic in topics()})


def of_chapter(chapter: str) -> tuple[Exercise, ...]:
    """All exercises of one chapter, topic by topic."""
    return tuple(exercise for topic in topics() if chapter_of(topic) == chapter for exercise in of_topic(topic))


def find(id: str) -> Exercise | None:
    """The exercise of that id, or None. Imports its topic and no other."""
    topic = id.partition(".")[0]
    known = of_topic(topic) if topic in topics() else ()
    return next((exercise for exercise in known if exercise.id == id), None)


def every() -> list[Exercise]:
    """Every exercise of every topic."""
    return [exercise for topic in topics() for exercise in of_topic(topic)]


def ids() -> list[str]:
    """Every exercise's id."""
    return [exercise.id for exercise in every()]
