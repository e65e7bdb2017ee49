"""residual.wire: add and norm, in the two orders in which transformers have them."""

from collections.abc import Callable

from torch import Tensor

from mtlib.grading.draw import DTYPES, Draw
from mtlib.grading.exercise import Exercise, Mistake, Property
from mtlib.grading.judge import Wrong, agree, equals, leaves_inputs, refuses, value_of
from mtlib.grading.kit import Kit, made
from mtlib.grading.subject import Subject


def reference(x: Tensor, sublayer: Callable, norm: Callable, placement: str) -> Tensor:
    return variant()(x, sublayer, norm, placement)


def before(x: Tensor, sublayer: Callable, norm: Callable) -> Tensor:
    return x + sublayer(norm(x))


def after(x: Tensor, sublayer: Callable, norm: Callable) -> Tensor:
    return norm(x + sublayer(x))


def variant(pre=before, post=after, otherwise=None):
    """The wiring with one of its cases changed; `otherwise` is what any other word gets, where none is refused."""

    def residual(x: Tensor, sublayer: Callable, norm: Callable, placement: str) -> Tensor:
        if placement not in ("pre", "post") and otherwise is None:
            raise ValueError(f"placement={placement!r} must be 'pre' or 'post'")
        return {"pre": pre, "post": post}.get(placement, otherwise)(x, sublayer, norm)

    return residual


def _case(d: Draw, placement: str) -> dict:
    """A sublayer and a norm whose order matters, each with something of its own."""
    D = d.size()
    x = d.floats(*d.lead(), D, dtype=d.pick(*DTYPES), high=2)
    seed = d.whole(0, 99)
    sublayer = d.pick(
        Kit("scale", options={"by": 2.0, "plus": 1.0}), Kit("square"), Kit("linear", seed, {"d_in": D, "d_out": D}), Kit("sine")
    )
    norm = d.pick(Kit("scale", options={"by": 3.0, "plus": 0.0}), Kit("tanh"), Kit("softmax"), Kit("abs"))
    return {"x": x, "sublayer": sublayer, "norm": norm, "placement": placement}


def pre(d: Draw) -> dict:
    return _case(d, "pre")


def post(d: Draw) -> dict:
    return _case(d, "post")


def either(d: Draw) -> dict:
    return _case(d, d.pick("pre", "post"))


def itself(d: Draw) -> dict:
    """The sublayer, the norm or both hand back the very tensor they were given."""
    case, which = either(d), d.whole(0, 2)
    same = {name: Kit("identity") for name, chosen in (("sublayer", which != 1), ("norm", which != 0)) if chosen}
    return case | same


def other_word(d: Draw) -> dict:
    return _case(d, d.pick("both", "none", "", "Pre", "POST", "prenorm", "post "))


def once_each(case: dict, subject: Subject) -> None:
    expected = reference(*made(case.values()))
    reply = subject.call(*case.values())
    agree(value_of(reply), expected)
    for place, name in ((1, "sublayer"), (2, "norm")):
        calls = reply.after[place]["calls"]
        if calls != 1:
            raise Wrong(f"{name} was called {calls} times; expected once", calls, 1)


def untouched(case: dict, subject: Subject) -> None:
    """x is afterwards what it was, and the answer right, also where nothing was copied on the way."""
    equals(reference)(case, subject)
    leaves_inputs(reference)(case, subject)


def _twice(x: Tensor, sublayer: Callable, norm: Callable) -> Tensor:
    sublayer(norm(x))
    return before(x, sublayer, norm)


def _in_place(x: Tensor, sublayer: Callable, norm: Callable) -> Tensor:
    x += sublayer(norm(x))
    return x


def _onto_the_output(x: Tensor, sublayer: Callable, norm: Callable) -> Tensor:
    y = sublayer(x)
    y += x
    return norm(y)


EXERCISE = Exercise(
    id="residual.wire",
    title="Add and norm, both ways",
    answers=("residual",),
    minutes=15,
    read=("by-hand-residual", "pre-and-post"),
    properties=(
        Property("pre", 2, "'pre': x plus what the sublayer makes of the normed x", pre, equals(reference), 40),
        Property("post", 2, "'post': the norm of x plus what the sublayer makes of x", post, equals(reference), 40),
        Property("once each", 2, "sublayer and norm are called once", either, once_each, 30),
        Property("handed back", 2, "right, and x unchanged, where a sublayer returns its argument itself", itself, untouched, 40),
        Property("refusal", 1, "a ValueError for any other word", other_word, refuses, 20),
    ),
    mistakes=(
        Mistake("no residual: the sublayer's output goes on alone", variant(pre=lambda x, f, n: f(n(x)), post=lambda x, f, n: n(f(x)))),
        Mistake("'pre' with the normed x on the main road: norm(x) is added, where x itself should be",
                variant(pre=lambda x, f, n: n(x) + f(n(x)))),
        Mistake("'pre' with the norm behind the sublayer: x + norm(sublayer(x))", variant(pre=lambda x, f, n: x + n(f(x)))),
        Mistake("'post' with the norm before the addition: x + norm(sublayer(x))", variant(post=lambda x, f, n: x + n(f(x)))),
        Mistake("'post' in which x goes through the norm and the sublayer's output does not", variant(post=lambda x, f, n: n(x) + f(x))),
        Mistake("'post' with a norm in front of the sublayer as well", variant(post=lambda x, f, n: n(x + f(n(x))))),
        Mistake("the two words exchanged", variant(pre=after, post=before)),
        Mistake("the norm left out: x + sublayer(x)", variant(pre=lambda x, f, n: x + f(x), post=lambda x, f, n: x + f(x))),
        Mistake("any word but 'pre' taken for 'post'", variant(otherwise=after)),
        Mistake("any word but 'post' taken for 'pre'", variant(otherwise=before)),
        Mistake("a sublayer called twice: it costs twice, and with dropout the two differ", variant(pre=_twice)),
        Mistake("`x +=`, which changes the caller's x: an earlier layer's stream is gone", variant(pre=_in_place)),
        Mistake("an addition into the sublayer's output, which may be x itself", variant(post=_onto_the_output)),
    ),
    hints=(
        "Draw one straight road from x to the result. In 'pre' nothing stands on it but a plus; in 'post' the norm does. Which "
        "branches off where?",
        "Two return statements, each with one plus, one call of sublayer and one of norm. Use `+` and not `+=`: what you were "
        "given is not yours to change.",
        "'pre': `x + sublayer(norm(x))`. 'post': `norm(x + sublayer(x))`. Anything else: `raise ValueError(...)`.",
    ),
    explanation=(
        "In 'pre' x itself passes, whatever the sublayer does, and the gradient passes back along the same road. In 'post' each layer "
        "ends in a norm, so every later norm stands on the road too. One line's difference; in the chapter it decides how a gradient "
        "gets down through 64 layers."
    ),
    better=(
        "`mt.Residual` is these two lines in a module: it holds no parameters, but its output then has a name that `mt.trace` can see. "
        "With dropout on the sublayer's output, as models have it, only the branch is thinned out and never the road."
    ),
)
