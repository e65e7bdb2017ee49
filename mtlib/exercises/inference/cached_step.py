"""inference.cached_step: attention of what is new to all that was, and what is kept for the next time."""

import torch
from torch import Tensor

from mtlib.grading.draw import DTYPES, Draw
from mtlib.grading.exercise import Exercise, Mistake, Property
from mtlib.grading.judge import agree, agree_in_form, equals, leaves_inputs, value_of
from mtlib.grading.subject import Subject

NAMES = ("out", "cache")
Cache = tuple[Tensor, Tensor]


def reference(q: Tensor, k_new: Tensor, v_new: Tensor, cache: Cache | None = None) -> tuple[Tensor, Cache]:
    return variant()(q, k_new, v_new, cache)


def behind(old: Tensor, new: Tensor) -> Tensor:
    return torch.cat([old, new], dim=2)


def up_to_itself(T_new: int, T: int) -> Tensor:
    """Query i is position T − T_new + i."""
    return torch.ones(T_new, T, dtype=torch.bool).tril(T - T_new)


def scaled(q: Tensor, k: Tensor) -> Tensor:
    return q @ k.mT / q.size(-1) ** 0.5


def variant(join=behind, keep=up_to_itself, score=scaled, remember=lambda old, all, new: all):
    """A cached step with a part changed: how old and new are joined, who sees whom, the scores, what is kept."""

    def cached_attention(q: Tensor, k_new: Tensor, v_new: Tensor, cache: Cache | None = None) -> tuple[Tensor, Cache]:
        new = (k_new, v_new)
        k, v = new if cache is None else (join(old, fresh) for old, fresh in zip(cache, new, strict=True))
        scores = score(q, k).masked_fill(~keep(q.size(2), k.size(2)), -torch.inf)
        return scores.softmax(-1) @ v, remember(cache, (k, v), new)

    return cached_attention


def _sizes(d: Draw) -> tuple[int, int, int]:
    return d.size(high=2, rough=2), d.size(high=2, rough=3), d.size(high=3, rough=5)


def _new(d: Draw, sizes: tuple[int, int, int], T: int, dtype: torch.dtype) -> dict:
    B, H, E = sizes
    return {name: d.floats(B, H, T, E, dtype=dtype) for name in ("q", "k_new", "v_new")}


def _past(d: Draw, sizes: tuple[int, int, int], T: int, dtype: torch.dtype) -> Cache:
    B, H, E = sizes
    return d.floats(B, H, T, E, dtype=dtype), d.floats(B, H, T, E, dtype=dtype)


def from_nothing(d: Draw) -> dict:
    """The prompt: nothing is kept yet."""
    return _new(d, _sizes(d), d.size(high=4, rough=7), d.pick(*DTYPES)) | {"cache": None}


def one_more(d: Draw) -> dict:
    """One new position."""
    sizes, dtype = _sizes(d), d.pick(*DTYPES)
    return _new(d, sizes, 1, dtype) | {"cache": _past(d, sizes, d.size(high=3, rough=7), dtype)}


def several_more(d: Draw) -> dict:
    """A chunk of new positions behind a past."""
    sizes, dtype = _sizes(d), d.pick(*DTYPES)
    return _new(d, sizes, d.size(low=2, high=3, rough=5), dtype) | {"cache": _past(d, sizes, d.size(high=3, rough=6), dtype)}


def any_step(d: Draw) -> dict:
    return d.pick(from_nothing, one_more, several_more)(d)


def in_pieces(d: Draw) -> dict:
    """A whole text, and the lengths of the chunks in which it is fed."""
    chunks = [d.size(high=2, rough=3) for _ in range(d.whole(2, 4))]
    return _new(d, _sizes(d), sum(chunks), torch.float64) | {"chunks": chunks}


def equals_one_pass(case: dict, subject: Subject) -> None:
    """Chunk after chunk, each with the cache that the last one gave: as if all had come at once."""
    q, k, v, chunks = case.values()
    expected, cache, begin = reference(q, k, v)[0], None, 0
    for length in chunks:
        part = slice(begin, begin + length)
        found = value_of(subject.call(q[:, :, part], k[:, :, part], v[:, :, part], cache))
        form = (expected[:, :, part], (k[:, :, : part.stop], v[:, :, : part.stop]))
        agree_in_form(found, form, NAMES)
        agree(found[0], expected[:, :, part], why=f"positions {begin} to {part.stop - 1} of {q.size(2)}, fed in chunks of {chunks}")
        cache, begin = found[1], part.stop


def _scaled_in_place(q: Tensor, k: Tensor) -> Tensor:
    q /= q.size(-1) ** 0.5
    return q @ k.mT


def _cut_to(old: Tensor, new: Tensor) -> Tensor:
    """As many positions as the old ones were."""
    return behind(old, new)[:, :, -max(old.size(2), new.size(2)) :]


def _over_the_last(old: Tensor, new: Tensor) -> Tensor:
    """New over the last of the old, in place, where there are as many."""
    n = min(old.size(2), new.size(2))
    old[:, :, -n:] = new[:, :, -n:]
    return old


def _everyone(T_new: int, T: int) -> Tensor:
    return torch.ones(T_new, T, dtype=torch.bool)


EXERCISE = Exercise(
    id="inference.cached_step",
    title="Never twice",
    answers=("cached_attention",),
    minutes=25,
    read=("kv-cache",),
    properties=(
        Property("from nothing", 2, "without a cache: causal attention, and all keys and values are kept", from_nothing,
                 equals(reference, names=NAMES), 40),
        Property("one more", 2, "one new position looks at all that was and at itself", one_more, equals(reference, names=NAMES), 40),
        Property("several more", 3, "of several new positions none sees a later one", several_more, equals(reference, names=NAMES), 40),
        Property("in pieces", 3, "a text in chunks of any length gives what it gives in one pass", in_pieces, equals_one_pass, 40),
        Property("inputs unchanged", 2, "q, k_new, v_new and the old cache are afterwards what they were", any_step,
                 leaves_inputs(reference), 30),
    ),
    mistakes=(
        Mistake("a past that nobody looks at: the new positions see each other only", variant(join=lambda old, new: new)),
        Mistake("new keys in front of the old: the order of positions is turned round", variant(join=lambda old, new: behind(new, old))),
        Mistake("a cache that never grows: what falls out at the front is forgotten", variant(join=_cut_to)),
        Mistake("the new written over the end of the old, in the caller's cache", variant(join=_over_the_last)),
        Mistake("the last step's keys and values alone returned: the next step has no past",
                variant(remember=lambda old, all, new: new)),
        Mistake("(cache, out) returned; the output comes first", lambda *args: reference(*args)[::-1]),
        Mistake("no mask: of several new positions the first sees the last", variant(keep=_everyone)),
        Mistake("a triangle at the top left: the new positions are taken for the first of the text, where they are its last",
                variant(keep=lambda T_new, T: torch.ones(T_new, T, dtype=torch.bool).tril())),
        Mistake("a mask that hides each position from itself",
                variant(keep=lambda T_new, T: torch.ones(T_new, T, dtype=torch.bool).tril(T - T_new - 1))),
        Mistake("no division by √E", variant(score=lambda q, k: q @ k.mT)),
        Mistake("a division by √T, the number of keys; it is the width of a head that is meant",
                variant(score=lambda q, k: q @ k.mT / k.size(2) ** 0.5)),
        Mistake("a division of q in place: the caller's q is afterwards another", variant(score=_scaled_in_place)),
    ),
    hints=(
        "Three steps: put the new keys and values behind the old ones, attend with the new queries to all of them, return the output "
        "and what you have put together. Which axis is that of positions?",
        "Positions are axis 2. There are T_new queries and T keys, and query i is position T − T_new + i of the text: that is where "
        "the triangle must sit. With one query it hides nothing.",
        "`torch.cat([old, new], dim=2)` for both; `keep = torch.ones(T_new, T, dtype=torch.bool).tril(T - T_new)`; scores over √E, "
        "−inf where keep is False, softmax, times v; return `out, (k, v)`.",
    ),
    explanation=(
        "Under a causal mask nothing that comes later can change a key or a value, in this layer or in any before it. So each is "
        "computed once and kept. A step then costs one row of scores in place of T rows; what it costs instead is memory, two vectors "
        "for every position of every layer."
    ),
    better=(
        "`torch.cat` copies the whole past at every step. Servers set memory aside, in blocks of a few positions, and write into it; "
        "with T_new = 1 they need no mask either. For a prompt, `scaled_dot_product_attention(is_causal=True)` is right; behind a "
        "past it is the triangle at the top left."
    ),
)
