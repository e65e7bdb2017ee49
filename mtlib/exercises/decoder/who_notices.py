"""Who notices? Cases in which tokens are changed, and judges of which rows then differ.

The names and weights inside a learner's block are the learner's own, so nothing is compared with numbers of ours. All
changes of one text go through together, as a batch whose first row is the text as it was.
"""

import torch
from torch import Tensor

from mtlib.grading.draw import Draw
from mtlib.grading.judge import Wrong, agree, agree_in_form, refuses, value_of
from mtlib.grading.subject import Subject

NOTICED = 1e-5  # less than this is rounding


def _sizes(d: Draw, cross: bool) -> dict:
    """Four numbers a token at least: of two, a norm leaves only the sign."""
    d_model, n_heads = d.pick((4, 1), (4, 2), (6, 3), (6, 2), (8, 2), (8, 4), (12, 3))
    return {"d_model": d_model, "n_heads": n_heads, "d_ff": d.whole(8, 20), "cross": cross}


def _numbers(d: Draw, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=d.generator())


def each_changed(d: Draw, T: int, D: int) -> Tensor:
    """(1 + T, T, D): a text, then it again with token j changed, for every j."""
    x, other = _numbers(d, 2, T, D)
    changed = x.repeat(T + 1, 1, 1)
    changed[range(1, T + 1), range(T)] = other
    return changed


def _case(sizes: dict, x: Tensor, memory=None, keep=None, memory_keep=None, notices=None) -> dict:
    """notices (n, T): which rows of the text notice each of the n changes; where they are not compared, False."""
    return sizes | {"x": x, "memory": memory, "keep": keep, "memory_keep": memory_keep, "notices": notices}


def alone(d: Draw) -> dict:
    """A text, no memory: a change is noticed by its own row and the later ones."""
    sizes, T = _sizes(d, cross=False), d.size(high=4, rough=6)
    x = each_changed(d, T, sizes["d_model"])
    return _case(sizes, x, notices=torch.ones(T, T, dtype=torch.bool).triu())


def beside(d: Draw) -> dict:
    """The same of a block that looks across."""
    sizes, T = _sizes(d, cross=True), d.size(low=2, high=4, rough=6)
    x = each_changed(d, T, sizes["d_model"])
    memory = _numbers(d, 1, _another(d, T), sizes["d_model"]).repeat(T + 1, 1, 1)
    return _case(sizes, x, memory, notices=torch.ones(T, T, dtype=torch.bool).triu())


def padded(d: Draw) -> dict:
    """Some tokens are padding: no other row notices what stands there."""
    case = (beside if d.flag() else alone)(d)
    keep = d.keep(T := case["x"].size(1))
    notices = case["notices"] & keep[:, None] & keep
    return case | {"keep": keep.repeat(T + 1, 1), "notices": notices}


def _another(d: Draw, T: int) -> int:
    """A length of the memory that is not T."""
    return T + d.whole(1, 3) if T == 1 or d.flag() else d.whole(1, T - 1)


def across(d: Draw) -> dict:
    """The memory changes, place by place: every row notices."""
    sizes, T = _sizes(d, cross=True), d.size(high=4, rough=6)
    S = _another(d, T)
    memory = each_changed(d, S, sizes["d_model"])
    x = _numbers(d, 1, T, sizes["d_model"]).repeat(S + 1, 1, 1)
    return _case(sizes, x, memory, notices=torch.ones(S, T, dtype=torch.bool))


def across_padded(d: Draw) -> dict:
    """Some of the memory is padding, and not all."""
    case = across(d)
    S = case["memory"].size(1)
    keep = d.keep(S)
    return case | {"memory_keep": keep.repeat(S + 1, 1), "notices": case["notices"] & keep[:, None]}


def nothing_across(d: Draw) -> dict:
    """All of the memory is padding: nobody notices it."""
    case = across(d)
    S = case["memory"].size(1)
    return case | {"memory_keep": torch.zeros(S + 1, S, dtype=torch.bool), "notices": torch.zeros_like(case["notices"])}


def long_tokens(d: Draw) -> dict:
    """A text of tokens of length 1e4, and again ten times longer."""
    sizes = _sizes(d, cross=d.flag())
    T, D = d.size(), sizes["d_model"]
    x = _numbers(d, 1, T, D)
    x = 1e4 * x / x.norm(dim=-1, keepdim=True)
    memory = _numbers(d, 1, _another(d, T), D).repeat(2, 1, 1) if sizes["cross"] else None
    return _case(sizes, torch.cat([x, 10 * x]), memory)


def one_token(d: Draw) -> dict:
    """Texts of one token: a, -a, b, -b and between a and b, where a straight map would say what lies between; long, then short.

    To long ones a sublayer adds next to nothing, so that the second norm sees what the first saw.
    """
    sizes = _sizes(d, cross=False) | {"d_model": 8, "n_heads": d.pick(1, 2, 4), "d_ff": d.whole(16, 32)}
    ways = _numbers(d, 2, 8)
    a, b = torch.linalg.qr((ways - ways.mean(dim=-1, keepdim=True)).T)[0].T  # at right angles, of mean 0
    x = torch.stack([a, -a, b, -b, (a + b) / 2**0.5])
    return _case(sizes, torch.cat([1e3 * x, x])[:, None])


def unlike(d: Draw) -> dict:
    """A memory for a block without cross, or none for a block with it."""
    sizes, B, T = _sizes(d, cross=d.flag()), d.size(), d.size()
    memory = None if sizes["cross"] else _numbers(d, B, _another(d, T), sizes["d_model"])
    return _case(sizes, _numbers(d, B, T, sizes["d_model"]), memory)


def uneven(d: Draw) -> dict:
    D = d.size(low=3, high=7)
    return {"d_model": D, "n_heads": d.pick(*(H for H in range(2, 9) if D % H)), "d_ff": d.whole(8, 20), "cross": d.flag()}


def _built(case: dict, subject: Subject) -> Subject:
    sizes = [case[name] for name in ("d_model", "n_heads", "d_ff")]
    return value_of(subject.build(*sizes, True) if case["cross"] else subject.build(*sizes))


def _asked(case: dict, subject: Subject) -> Tensor:
    """What the learner's block makes of the case, of the right form."""
    reply = _built(case, subject).call(case["x"], case["memory"], case["keep"], case["memory_keep"])
    yours = value_of(reply)
    agree_in_form(yours, case["x"])
    return yours


def noticed(case: dict, value: object) -> object:
    """(n, T) who noticed which change, or why that cannot be said."""
    if type(value) is not Tensor or value.shape != case["x"].shape:
        return f"no (B, T, D): {tuple(getattr(value, 'shape', ()))}"
    compared = value if case["keep"] is None else value[:, case["keep"][0]]
    if not compared.isfinite().all():
        return "not finite"
    moved = (value[1:] - value[:1]).abs().amax(-1) > NOTICED
    return moved if case["keep"] is None else moved & case["keep"][0]


def rows_notice(case: dict, subject: Subject) -> None:
    found = noticed(case, _asked(case, subject))
    if found == "not finite":
        raise Wrong("the answer is not finite: somewhere NaN or ∞ stands", found, "numbers")
    what = "memory" if case["memory"] is not None and not torch.equal(case["memory"][0], case["memory"][-1]) else "x"
    agree(found, case["notices"], why=f"rows (columns) that notice when token j (row) of {what} is changed")


def stays_small(case: dict, value: object) -> object:
    """Whether less than 0.3 was added, whether no more for longer tokens, whether all came out of length √D, whether x is gone."""
    if type(value) is not Tensor or value.shape != case["x"].shape:
        return "no (B, T, D)"
    x = case["x"]
    added, length = (value - x).norm(dim=-1), x.norm(dim=-1)
    small, same = added < 0.3 * length, added[1] < 3 * added[0] + NOTICED
    normed = (value.norm(dim=-1) / x.size(-1) ** 0.5 - 1).abs() < 0.1
    gone = (added / length - 1).abs() < 0.02
    return tuple(bool(each.all()) for each in (small, same, normed, gone))


def adds_little(case: dict, subject: Subject) -> None:
    small, same, *_ = stays_small(case, _asked(case, subject))
    if not small:
        raise Wrong("the output is far from x for long tokens: with a norm before each sublayer, little is added", small, True)
    if not same:
        raise Wrong("what is added grows with x: a sublayer is fed x itself, and not its norm", same, True)


def bend(case: dict, value: object) -> object:
    """Whether what is added between a and b is other than a straight map would say: for long tokens, for short ones."""
    if type(value) is not Tensor or value.shape != case["x"].shape:
        return "no (B, T, D)"
    added = (value - case["x"])[:, 0]
    return _bent(*added[:5]), _bent(*added[5:])


def _bent(a: Tensor, minus_a: Tensor, b: Tensor, minus_b: Tensor, between: Tensor) -> bool:
    centre = (a + minus_a) / 2
    straight = centre + (a + b - 2 * centre) / 2**0.5
    off = max((between - straight).abs().max(), ((b + minus_b) / 2 - centre).abs().max())
    return bool(off > 1e-2 * torch.stack([a, b]).abs().max())


def is_bent(case: dict, subject: Subject) -> None:
    if not bend(case, _asked(case, subject))[0]:
        raise Wrong("a token alone is mapped by a straight map: where is the FFN, and its activation?", False, True)


def refuses_memory(case: dict, subject: Subject) -> None:
    refuses({"x": case["x"], "memory": case["memory"]}, _built(case, subject))

