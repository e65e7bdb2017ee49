"""inference.beam: several beginnings at once, and the best of what they lead to."""

import torch
from torch import Tensor

from mtlib.grading.draw import Draw
from mtlib.grading.exercise import Exercise, Mistake, Property
from mtlib.grading.judge import Wrong, agree, equals, value_of
from mtlib.grading.subject import Subject

from .beams import (
    as_a_tensor,
    bos_counts,
    finished_only,
    first_end,
    one_beam,
    past_the_end,
    per_token,
    places_for_live,
    probabilities_added,
    reference,
    rounds,
    set_aside,
    total,
    variant,
    with_bos,
    without_eos,
)

NAMES = ("tokens", "log-probability")


def close(table: Tensor, bos: int, eos: int, width: int, max_len: int) -> bool:
    """Whether anywhere in the search it is a near tie that decides."""
    for rivals in rounds(table, bos, eos, width, max_len):
        for last_in in {width, 1}:
            if len(rivals) > last_in and total(rivals[last_in - 1]) - total(rivals[last_in]) < 1e-6:
                return True
    return False


def _case(d: Draw, V: int, width: int, max_len: int, lean: float = 0.0, telling: bool = False) -> dict:
    """A table of random numbers; with a lean of the text towards its end, or away from it. A telling one, if one is
    found, shows whether finished texts keep their places."""
    bos = d.whole(0, V - 1)
    eos = (bos + d.whole(1, V - 1)) % V
    generator, found = d.generator(), None
    for _ in range(30):  # another table where a tie would decide
        logits = 1.5 * torch.randn(V, V, generator=generator, dtype=torch.float64)
        logits[:, eos] += lean
        case = {"table": logits.log_softmax(-1), "bos": bos, "eos": eos, "width": width, "max_len": max_len}
        if not close(**case):
            found = case
            if not telling or set_aside(**case) != reference(**case):
                break
    return found or case | {"max_len": 1}


def _vocabulary(d: Draw) -> int:
    return d.size(low=2, high=4, rough=6)


def greedy(d: Draw) -> dict:
    return _case(d, _vocabulary(d), 1, d.size(high=4, rough=8), d.pick(0.0, -2.0, 1.0))


def several(d: Draw) -> dict:
    return _case(d, _vocabulary(d), d.whole(2, 4), d.size(low=2, high=4, rough=6), d.pick(0.0, 1.0, -1.0))


def early_ends(d: Draw) -> dict:
    """Texts with an end compete with others that go on; sometimes one is pushed out that would have won later."""
    if d.flag():
        return _case(d, 4, 2, 7, telling=True)  # where it happens most: in one table of ten
    return _case(d, _vocabulary(d), d.whole(2, 3), d.size(low=3, high=4, rough=7), d.pick(1.0, 2.0))


def no_end(d: Draw) -> dict:
    """The end is so unlikely that max_len comes first."""
    return _case(d, d.size(low=3, high=4, rough=6), d.whole(2, 3), d.size(low=2, high=4, rough=7), -9.0)


def all_there_is(d: Draw) -> dict:
    """A width that takes in every text there can be."""
    V, max_len = d.pick((2, 2), (2, 3), (3, 2), (2, 4), (3, 3))
    return _case(d, V, V**max_len, max_len, d.pick(0.0, 1.0, -1.0))


def leaves_the_table(case: dict, subject: Subject) -> None:
    """Whatever text was found, the table is what it was."""
    reply = subject.call(*case.values())
    found = value_of(reply)
    if type(found) is not tuple or len(found) != len(NAMES):
        agree(found, reference(**case), names=NAMES)
    if not torch.equal(reply.after[0], case["table"]):
        raise Wrong("table is changed in place", reply.after[0], case["table"], "table after the call")


EXERCISE = Exercise(
    id="inference.beam",
    title="Several beginnings at once",
    answers=("beam_search",),
    minutes=30,
    read=("beam",),
    properties=(
        Property("width 1", 2, "one beam takes the likeliest token at every step, until eos or max_len", greedy,
                 equals(reference, names=NAMES), 40),
        Property("values", 3, "the best `width` of all extensions stay, by their total log-probability", several,
                 equals(reference, names=NAMES), 45),
        Property("early ends", 3, "a finished text keeps its place for as long as it is among the best, and no longer", early_ends,
                 equals(reference, names=NAMES), 30),
        Property("no end", 1, "after max_len tokens the best is returned, finished or not", no_end, equals(reference, names=NAMES), 30),
        Property("all there is", 2, "a width of V^max_len finds the likeliest text of all", all_there_is,
                 equals(reference, names=NAMES), 30),
        Property("inputs unchanged", 1, "the table is afterwards what it was", several, leaves_the_table, 20),
    ),
    mistakes=(
        Mistake("greedy, whatever the width: a beginning that looks worse cannot win any more", one_beam),
        Mistake("a search that goes on past eos: a finished text gets no further tokens", past_the_end),
        Mistake("finished texts set aside and compared at the end: one that is pushed out of the best `width` is lost, as any other", set_aside),
        Mistake("finished texts forgotten for as long as another goes on",
                lambda *args: set_aside(*args, last=True)),
        Mistake("finished texts beside the beams, and `width` live ones go on: both compete for the same `width` places", places_for_live),
        Mistake("an end at the first finished text: a live one may still beat it, and it must go on", first_end),
        Mistake("totals divided by length: there is no length penalty here", variant(rank=per_token)),
        Mistake("an unfinished text never chosen: the best is returned, finished or not", variant(choose=finished_only)),
        Mistake("probabilities added up; they multiply, so their logarithms are added", variant(extend=probabilities_added)),
        Mistake("the table read by columns: row i holds what follows token i", lambda table, *rest: reference(table.mT, *rest)),
        Mistake("eos cut off from the tokens: it is one of them", without_eos),
        Mistake("bos among the tokens: it was given, not written", with_bos),
        Mistake("bos counted: max_len tokens follow it", bos_counts),
        Mistake("a tensor of one number in place of a float", variant(told=as_a_tensor)),
    ),
    hints=(
        "Keep a list of (tokens, total). One step: every unfinished text makes V longer ones, finished texts stand as they are, and of "
        "all of them together the best `width` stay.",
        "The row that says what comes next is that of the last token, at the beginning that of bos. Sort by the total and cut; after "
        "max_len steps the first of the list is the answer.",
        "`rivals = []`; for each `(tokens, total)`: if it ends in eos append it, else append `([*tokens, t], total + step)` for every "
        "`t, step` of `enumerate(table[last].tolist())`. Then `sorted(rivals, key=lambda beam: -beam[1])[:width]`.",
    ),
    explanation=(
        "Width 1 is greedy, V^max_len is certain, and in between nothing is promised: now and then a wider beam returns a less likely text, "
        "when it keeps a beginning that crowds the better one out later. And every further token can only "
        "make a text less likely, so without a length penalty the short ones have the better of it."
    ),
    better=(
        "With a model in place of a table all live beams are one batch: one forward with a cache, `topk` over (beams · V) totals, and the "
        "cache's rows reordered to follow their parents. That is `mtlib.generation.beam_search`."
    ),
)
