"""inference.speculative: guesses of a small model, checked so that the large one's distribution comes out."""

import torch
from torch import Tensor

from mtlib.grading.draw import Draw
from mtlib.grading.exercise import Exercise, Mistake, Property
from mtlib.grading.judge import agree, agree_in_form, equals, leaves_inputs, value_of
from mtlib.grading.subject import Subject

NAMES = ("n", "residual")
Verdict = tuple[int, Tensor]


def reference(draft_probs: Tensor, target_probs: Tensor, tokens: Tensor, uniforms: Tensor) -> Verdict:
    return variant()(draft_probs, target_probs, tokens, uniforms)


def target_over_draft(p: Tensor, q: Tensor) -> Tensor:
    return p / q


def up_to_the_first(stands: list[bool]) -> int:
    return stands.index(False) if False in stands else len(stands)


def what_is_missing(p: Tensor, q: Tensor) -> Tensor:
    """What the draft gives too little of."""
    rest = (p - q).clamp(min=0)
    return rest / rest.sum()


def variant(ratio=target_over_draft, count=up_to_the_first, rest=what_is_missing, row=lambda n: n, free=lambda target, G: target[G]):
    """Acceptance with a step changed: the ratio, how many stand, what is drawn from after a rejection, or after none."""

    def accept(draft_probs: Tensor, target_probs: Tensor, tokens: Tensor, uniforms: Tensor) -> Verdict:
        G = len(tokens)
        chance = [float(ratio(p[token], q[token])) for p, q, token in zip(target_probs, draft_probs, tokens)]
        n = count([u < c for u, c in zip(uniforms.tolist(), chance, strict=True)])
        if n == G:
            return n, free(target_probs, G)
        at = row(n) % G
        return n, rest(target_probs[at], draft_probs[at])

    return accept


def _distributions(d: Draw, rows: int, V: int) -> Tensor:
    """Rows that add up to 1; simple fractions when plain, some entries 0."""
    if d.rough:
        return (1.5 * torch.randn(rows, V, generator=d.generator(), dtype=torch.float64)).softmax(-1)
    counts = d.integers(rows, V, high=3)
    counts[:, 0] += counts.sum(-1) == 0
    return counts.double() / counts.sum(-1, keepdim=True)


def _drawn(d: Draw, probs: Tensor) -> Tensor:
    """For each row a token that can be drawn from it."""
    options = [row.nonzero()[:, 0] for row in probs]
    return torch.stack([each[d.whole(0, len(each) - 1)] for each in options])


def _uniform(d: Draw, chance: float) -> float:
    """A number in [0, 1) that is not near the chance."""
    u = d.pick(0.5, 0.0, 0.9, 0.3, 0.99, 0.1)
    if abs(u - chance) > 1e-3:
        return u
    return chance / 2 if chance > 0.01 else 0.5


def _case(d: Draw, G: int, alike: bool = False) -> dict:
    V = d.size(low=2, high=4, rough=8)
    draft, target = _distributions(d, G, V), _distributions(d, G + 1, V)
    if alike:  # half of the target is the draft: every guess has a chance of a half or more
        target[:G] = (target[:G] + draft) / 2
    tokens = _drawn(d, draft)
    at = torch.arange(G)
    chances = (target[at, tokens] / draft[at, tokens]).clamp(max=1).tolist()
    uniforms = [d.pick(0.0, 0.25, 0.4) if alike else _uniform(d, chance) for chance in chances]
    return {
        "draft_probs": draft,
        "target_probs": target,
        "tokens": tokens,
        "uniforms": torch.tensor(uniforms, dtype=torch.float64),
    }


def any_guesses(d: Draw) -> dict:
    return _case(d, d.size(high=3, rough=6))


def one_guess(d: Draw) -> dict:
    return _case(d, 1)


def all_good(d: Draw) -> dict:
    return _case(d, d.size(high=3, rough=6), alike=True)


def some_after(d: Draw) -> dict:
    """A first guess that falls, and others after it that would stand."""
    G = d.size(low=2, high=3, rough=6)
    case = _case(d, G, alike=True)
    p, q, token = case["target_probs"], case["draft_probs"], int(case["tokens"][0])
    other = (token + 1) % p.size(-1)
    q[0] = (q[0] + torch.eye(p.size(-1), dtype=q.dtype)[token]) / 2  # the draft overrates its guess
    p[0] = (q[0] + 3 * torch.eye(p.size(-1), dtype=p.dtype)[other]) / 4  # so that its chance is a quarter
    case["uniforms"][0] = d.pick(0.5, 0.75, 0.9)
    return case


def one_place(d: Draw) -> dict:
    """The two models at one place of the text, and the target at the next."""
    V = d.size(low=2, high=4, rough=6)
    return {"draft_probs": _distributions(d, 1, V), "target_probs": _distributions(d, 2, V)}


def gives_the_target(case: dict, subject: Subject) -> None:
    """Each token that the draft can draw, accepted and rejected: what comes out, weighed by how often, is the target."""
    q, p = case["draft_probs"], case["target_probs"]
    out = torch.zeros_like(p[0])
    for token in q[0].nonzero()[:, 0].tolist():
        chance = min(1.0, float(p[0, token] / q[0, token]))
        for share, u, stands in ((chance, chance / 2, True), (1 - chance, (1 + chance) / 2, False)):
            if share < 1e-3:
                continue
            asked = (q, p, torch.tensor([token]), torch.tensor([u], dtype=q.dtype))
            found = value_of(subject.call(*asked))
            agree_in_form(found, reference(*asked), NAMES)
            what_comes = torch.eye(len(out), dtype=out.dtype)[token] if stands else found[1]
            out += q[0, token] * share * what_comes
    if (out - p[0]).abs().max() > 5e-3:
        agree(out, p[0], why="over all guesses and all uniforms, what comes out is not distributed as the target")


def _rescaled(rest: Tensor) -> Tensor:
    return rest / rest.sum()


def _tensor(verdict: Verdict) -> tuple[Tensor, Tensor]:
    return torch.tensor(verdict[0]), verdict[1]


EXERCISE = Exercise(
    id="inference.speculative",
    title="Guesses that cost nothing but time",
    answers=("accept",),
    minutes=25,
    read=("speculative",),
    properties=(
        Property("one guess", 2, "it stands while the uniform is below target over draft", one_guess, equals(reference, names=NAMES), 45),
        Property("values", 3, "guesses stand up to the first that falls; then comes what the draft gave too little of", any_guesses,
                 equals(reference, names=NAMES), 60),
        Property("after the first", 2, "behind a guess that falls none counts", some_after, equals(reference, names=NAMES), 40),
        Property("all stand", 2, "then the target's own distribution after the last guess is given", all_good,
                 equals(reference, names=NAMES), 40),
        Property("the target's", 3, "over all draws, what comes out has the target's distribution", one_place, gives_the_target, 30),
        Property("inputs unchanged", 1, "all four arguments are afterwards what they were", any_guesses, leaves_inputs(reference), 20),
    ),
    mistakes=(
        Mistake("draft over target: the guess would stand the surer, the less the target thinks of it",
                variant(ratio=lambda p, q: q / p)),
        Mistake("the target's probability as the chance, without the division: good guesses fall too often", variant(ratio=lambda p, q: p)),
        Mistake("all that stand counted, those behind a fallen one too: they were guesses about another text",
                variant(count=sum)),
        Mistake("after a rejection the target's own distribution: what was accepted already is then counted twice",
                variant(rest=lambda p, q: p)),
        Mistake("after a rejection the draft's distribution, which has just been found wanting", variant(rest=lambda p, q: q)),
        Mistake("a residual that does not add up to 1", variant(rest=lambda p, q: (p - q).clamp(min=0))),
        Mistake("|p − q| for the residual: where the draft gave too much there is nothing to make up",
                variant(rest=lambda p, q: _rescaled((p - q).abs()))),
        Mistake("q − p for the residual: that is what the draft gave too much of",
                variant(rest=lambda p, q: what_is_missing(q, p))),
        Mistake("the residual of the last guess, where it is that of the first rejected",
                variant(row=lambda n: -1)),
        Mistake("when all stand, the target at the last guess: it is the row after it that is still free",
                variant(free=lambda target, G: target[G - 1])),
        Mistake("a tensor in place of the number n", lambda *args: _tensor(reference(*args))),
        Mistake("(residual, n) in place of (n, residual)", lambda *args: reference(*args)[::-1]),
    ),
    hints=(
        "Go through the guesses in order. Each has two numbers, what the target gives it and what the draft gave it, and falls when its "
        "uniform is not below their ratio. What is returned then, and what if none falls?",
        "At the first that falls, with p and q the two whole rows there: keep what is positive of p − q and divide by its sum. If all G "
        "stand, the target has one row left over.",
        "`if uniforms[i] >= p[tokens[i]] / q[tokens[i]]: rest = (p - q).clamp(min=0); return i, rest / rest.sum()`, and after the loop "
        "`return G, target_probs[G]`.",
    ),
    explanation=(
        "With p the target's probability and q the draft's: a token comes out either as an accepted guess, min(p, q) of the time, or from the residual, which is made of max(p − q, 0). "
        "Together that is p, whatever q was. So a bad draft costs speed and never changes what is written."
    ),
    better=(
        "All G ratios at once, `stands = uniforms < p / q`, and `n = int(stands.long().cumprod(0).sum())` counts up to the first that "
        "falls: no loop, one transfer from the GPU. With greedy decoding both rows have a single 1, and a guess stands if it is the same."
    ),
)
