"""What whole models are asked: who notices a change, do they stand alone, do they grow, can they learn.

Names and weights inside a learner's model are the learner's own, so nothing is compared with numbers of ours. All changes
of one text go through together, as a batch whose first row is the text as it was; in float64, where what is no change at
all differs by less than 1e-12 and the least of changes by more than 1e-8.
"""

from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Tensor

from mtlib.grading.draw import Draw
from mtlib.grading.judge import Wrong, agree, agree_in_form, value_of
from mtlib.grading.subject import Reply, Subject

NOTICED = 1e-8


def widths(d: Draw) -> dict:
    """Four numbers a token at least: of two, a norm leaves only the sign."""
    d_model, n_heads = d.pick((4, 1), (4, 2), (6, 3), (6, 2), (8, 2), (8, 4), (12, 3))
    return {"d_model": d_model, "n_heads": n_heads, "n_layers": d.pick(1, 1, 1, 2)}


def uneven(d: Draw) -> dict:
    """Heads that do not divide the width."""
    D = d.size(low=3, high=7)
    return {"d_model": D, "n_heads": d.pick(*(H for H in range(2, 9) if D % H)), "n_layers": 1}


def built(sizes: tuple, subject: Subject, double: bool = True) -> Subject:
    """The learner's model, ready to be asked."""
    model = value_of(subject.build(*sizes))
    if double:
        value_of(model.exchange("double"))
    value_of(model.exchange("eval"))
    return model


def each_other(ids: Tensor, vocab: int, places: list[int]) -> Tensor:
    """(1 + n, T): a text of ids (T,), then it again with another id at each of n places."""
    changed = ids.repeat(len(places) + 1, 1)
    for row, place in enumerate(places, start=1):
        changed[row, place] = (ids[place] + 1 + row % (vocab - 1)) % vocab
    return changed


def each_swapped(ids: Tensor) -> Tensor:
    """(T, T): a text of different ids, then it again with the tokens at j and j + 1 changing places."""
    changed = ids.repeat(len(ids), 1)
    for j in range(len(ids) - 1):
        changed[j + 1, [j, j + 1]] = ids[[j + 1, j]]
    return changed


def different(d: Draw, T: int, vocab: int) -> Tensor:
    return torch.randperm(vocab, generator=d.generator())[:T]


def any_ids(d: Draw, *shape: int, vocab: int) -> Tensor:
    return torch.randint(vocab, shape, generator=d.generator())


def at_the_front(lengths: list[int], T: int) -> Tensor:
    """keep (B, T): so many real tokens, and padding behind them."""
    return torch.arange(T) < torch.tensor(lengths)[:, None]


def noticed(case: dict, value: object) -> object:
    """What of an answer counts: where each row of the batch differs from the first, or why that cannot be said."""
    shape, dtype = case["form"]
    if type(value) is not Tensor or value.shape != shape or value.dtype != dtype:
        return f"another form: {tuple(getattr(value, 'shape', ()))}, {getattr(value, 'dtype', '')}"
    if not value.isfinite().all():
        return "not finite"
    return (value[1:] - value[:1]).abs().amax(-1) > NOTICED


def who_notices(sizes_of: Callable, inputs_of: Callable, what: str) -> Callable:
    """A judge: the rows that notice a change are those of case["notices"]."""

    def judge(case: dict, subject: Subject) -> None:
        found = in_form(case, value_of(built(sizes_of(case), subject).call(*inputs_of(case))))
        agree(found, case["notices"], why=what)

    return judge


def in_form(case: dict, value: object) -> object:
    """Who noticed, of an answer of the right form."""
    shape, dtype = case["form"]
    agree_in_form(value, torch.zeros(shape, dtype=dtype))
    found = noticed(case, value)
    if found == "not finite":
        raise Wrong("the answer is not finite: somewhere NaN or ∞ stands", found, "numbers")
    return found


def of_the_right_form(sizes_of: Callable, inputs_of: Callable) -> Callable:
    """A judge: logits of the right shape, in float32 and, after `.double()`, in float64."""

    def judge(case: dict, subject: Subject) -> None:
        model = built(sizes_of(case), subject, double=False)
        for dtype in (torch.float32, torch.float64):
            if dtype == torch.float64:
                value_of(model.exchange("double"))
            yours = value_of(model.call(*inputs_of(case)))
            in_form(case | {"form": (case["form"][0], dtype)}, yours)
            if looks_like_shares(yours):
                raise Wrong("the answers add up to 1: these are probabilities; expected logits", yours)

    return judge


def looks_like_shares(logits: Tensor) -> bool:
    return bool((logits >= 0).all() and ((logits.sum(-1) - 1).abs() < 1e-4).all())


def form_of(case: dict, value: object) -> object:
    if type(value) is not Tensor:
        return "no tensor"
    return tuple(value.shape), str(value.dtype), bool(value.isfinite().all()), looks_like_shares(value)


def grows(sizes_of: Callable) -> Callable:
    """A judge: each further layer brings as many weights of its own as the last."""

    def judge(case: dict, subject: Subject) -> None:
        counts = []
        for n_layers in (1, 2, 3):
            state = value_of(value_of(subject.build(*sizes_of(case | {"n_layers": n_layers}))).state())
            counts.append(sum(weight.numel() for weight in state.values()))
        subject.log.append(Reply(counts))  # by which mistakes are told apart
        first, second = (b - a for a, b in pairwise(counts))
        if not first == second > 0:
            told = f"{', '.join(map(str, counts))} weights with 1, 2 and 3 layers"
            raise Wrong(f"{told}; expected each layer to bring as many of its own", counts, "even steps")

    return judge


def all_move(sizes: tuple, lesson: Callable) -> Callable:
    """A judge: no weight is idle. What another seed draws otherwise is a weight; a second step that leaves it as it was never used it."""

    def judge(case: dict, subject: Subject) -> None:
        examples, targets = lesson(torch.Generator().manual_seed(case["seed"]), 16)
        states = []
        for seed, n in ((0, 8), (0, 16), (1, 8)):
            model = subject.train(sizes, tuple(each[:n] for each in examples), targets[:n], seed=seed, size=8)
            states.append(value_of(value_of(model).state()))
        step, another, elsewhere = states
        idle = [name for name, w in step.items() if torch.equal(w, another[name]) and not torch.equal(w, elsewhere[name])]
        subject.log.append(Reply(bool(idle)))  # by which mistakes are told apart
        if idle:
            raise Wrong(f"training does not move {idle[0]}: what is asked never passes through it", idle, [])

    return judge


def learns(sizes: tuple, lesson: Callable, least: float, size: int, rate: float) -> Callable:
    """A judge: trained by us on a lesson, the model answers so large a share of fresh questions.

    lesson(generator, n) gives (inputs, targets), n rows of each; a target of -100 is not asked.
    """

    def judge(case: dict, subject: Subject) -> None:
        examples, targets = lesson(torch.Generator().manual_seed(case["seed"]), case["examples"])
        model = value_of(subject.train(sizes, examples, targets, seed=case["seed"], size=size, rate=rate))
        inputs, targets = lesson(torch.Generator().manual_seed(case["seed"] + 1_000_000), 300)
        yours = value_of(model.call(*inputs))
        found = share_right(yours, targets)
        if not found >= least:
            told = f"after {case['examples']} examples {found:.0%} of fresh questions are answered right"
            raise Wrong(f"{told}; expected {least:.0%} or more", found, least)

    return judge


def share_right(logits: object, targets: Tensor) -> float:
    """The share of right answers among the targets that are asked; 0 where the answer has no such form."""
    if type(logits) is not Tensor or logits.shape[:-1] != targets.shape:
        return 0.0
    asked = targets != -100
    return float((logits.argmax(-1) == targets)[asked].float().mean())
