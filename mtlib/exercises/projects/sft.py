"""projects.sft: the loss of fine-tuning, on the answer's tokens only."""

from collections.abc import Callable

import torch
from torch import Tensor

from mtlib.grading.draw import DTYPES, Draw
from mtlib.grading.exercise import Exercise, Mistake, Property
from mtlib.grading.judge import Wrong, agree, differentiates, leaves_inputs, value_of
from mtlib.grading.plain import describe_type
from mtlib.grading.subject import Subject


def mean_of_tokens(surprise: Tensor, asked: Tensor) -> Tensor:
    return (surprise * asked).sum() / asked.sum().clamp(min=1)


def surprises(logits: Tensor, ids: Tensor) -> Tensor:
    """(B, T−1): how surprising ids[:, t+1] is after logits[:, t]."""
    return -logits[:, :-1].log_softmax(-1).gather(-1, ids[:, 1:, None]).squeeze(-1)


def of_the_next(answer_keep: Tensor) -> Tensor:
    return answer_keep[:, 1:]


def variant(surprise: Callable = surprises, asked: Callable = of_the_next, mean: Callable = mean_of_tokens) -> Callable:
    """The loss with a step changed: which token is asked where, which count, how they are averaged."""
    return lambda logits, ids, answer_keep: mean(surprise(logits, ids), asked(answer_keep))


def reference(logits: Tensor, ids: Tensor, answer_keep: Tensor) -> Tensor:
    return variant()(logits, ids, answer_keep)


def _case(d: Draw, keep: Callable, dtype: torch.dtype | None = None) -> dict:
    B, T, V = d.size(high=3), d.size(low=2, rough=7), d.size(low=2, high=3, rough=6)
    dtype = dtype or d.pick(*DTYPES)
    return {"logits": d.floats(B, T, V, dtype=dtype, spread=2.0), "ids": d.integers(B, T, high=V - 1), "answer_keep": keep(d, B, T)}


def _behind_a_prompt(d: Draw, B: int, T: int) -> Tensor:
    """A prompt of one token or more, the answer, and behind it perhaps padding."""
    keep = torch.zeros(B, T, dtype=torch.bool)
    for row in keep:
        begin = d.whole(1, T - 1)
        row[begin : d.whole(begin + 1, T)] = True
    return keep


def _anywhere(d: Draw, B: int, T: int) -> Tensor:
    """Several turns: answers anywhere, even from position 0 on; something is asked."""
    keep = d.keep(B, T)
    keep[0, 1] = True
    return keep


def talk(d: Draw) -> dict:
    """Prompt, answer, padding, in rows of unlike lengths."""
    return _case(d, _behind_a_prompt)


def turns(d: Draw) -> dict:
    return _case(d, _anywhere)


def nothing(d: Draw) -> dict:
    """No answer, or none but at position 0, which nothing stands before."""
    case = _case(d, _anywhere)
    case["answer_keep"][:, 1:] = False
    return case


def huge(d: Draw) -> dict:
    """Logits of ten thousand and more."""
    case = _case(d, _behind_a_prompt, torch.float64)
    return case | {"logits": case["logits"] * 10_000}


def gradient(d: Draw) -> dict:
    case = _case(d, _anywhere if d.flag() else _behind_a_prompt, torch.float64)
    return case | {"cotangent": torch.tensor(float(d.whole(1, 3)), dtype=torch.float64)}


def largest(logits: Tensor, **_: Tensor) -> float:
    return float(logits.abs().max()) + 1.0


def is_the_loss(case: dict, subject: Subject) -> None:
    agree(value_of(subject.call(*case.values())), reference(*case.values()), largest(**case))


def is_zero(case: dict, subject: Subject) -> None:
    """0 as a tensor or as a number."""
    yours = value_of(subject.call(*case.values()))
    if type(yours) not in (int, float, Tensor) or (type(yours) is Tensor and yours.ndim):
        raise Wrong(f"the loss is {describe_type(yours)}; expected a number or a tensor without axes", yours, 0.0)
    if not float(yours) == 0:
        raise Wrong(f"no answer is asked for and the loss is {float(yours):g}; expected 0", yours, 0.0)


def silent_elsewhere(case: dict, subject: Subject) -> None:
    """Zero gradient where the next token is no answer, and some where it is."""
    args = (case["logits"], case["ids"], case["answer_keep"])
    expected = torch.zeros_like(case["answer_keep"])
    expected[:, :-1] = case["answer_keep"][:, 1:]
    yours = value_of(subject.grad(args, torch.ones((), dtype=torch.float64)))[0]
    agree((yours != 0).any(-1), expected, why="which places have a gradient (True)")


def _of_rows(surprise: Tensor, asked: Tensor) -> Tensor:
    return ((surprise * asked).sum(1) / asked.sum(1).clamp(min=1)).mean()


def _rolled(logits: Tensor, ids: Tensor) -> Tensor:
    """The last place asked for the first token."""
    return -logits.log_softmax(-1).gather(-1, ids.roll(-1, 1)[..., None]).squeeze(-1)


def _own(logits: Tensor, ids: Tensor) -> Tensor:
    return -logits[:, 1:].log_softmax(-1).gather(-1, ids[:, 1:, None]).squeeze(-1)


def _probabilities(logits: Tensor, ids: Tensor) -> Tensor:
    return surprises(logits.softmax(-1), ids)


def _two_steps(logits: Tensor, ids: Tensor) -> Tensor:
    return -logits[:, :-1].softmax(-1).log().gather(-1, ids[:, 1:, None]).squeeze(-1)


def _in_place(logits: Tensor, ids: Tensor, answer_keep: Tensor) -> Tensor:
    loss = reference(logits, ids, answer_keep)
    ids[~answer_keep] = -100
    return loss


M = Mistake
EXERCISE = Exercise(
    id="projects.sft",
    title="The answer only",
    answers=("sft_loss",),
    minutes=20,
    read=("t-sft",),
    properties=(
        Property("prompt, answer, padding", 4, "the mean cross-entropy of the answer's tokens, each from the place before it", talk, is_the_loss),
        Property("several turns", 2, "answers may stand anywhere; one at position 0 has nothing before it", turns, is_the_loss, 40),
        Property("inputs unchanged", 1, "everything handed in is afterwards what it was", talk, leaves_inputs(reference), 20),
        Property("silent elsewhere", 2, "a place whose next token is no answer has no gradient; the last of the prompt has one",
                 gradient, silent_elsewhere, 40),
        Property("gradients", 1, "as autograd through the formula gives them", gradient, differentiates(reference, largest), 25),
        Property("nothing asked", 1, "without an answer the loss is 0", nothing, is_zero, 20),
        Property("huge logits", 1, "logits of 10,000 give a finite, exact loss", huge, is_the_loss, 25),
    ),
    mistakes=(
        M("the loss on the prompt too: every token but the first is asked for", variant(asked=lambda keep: torch.ones_like(keep[:, 1:]))),
        M("no shift: place t is asked for the very token it was shown", variant(surprise=_own)),
        M("the mask not shifted: what counts is where the answer is shown, so its first token is never learnt and the one behind "
          "its last is", variant(asked=lambda keep: keep[:, :-1])),
        M("only places inside the answer: the last of the prompt, which must say its first word, learns nothing",
          variant(asked=lambda keep: keep[:, 1:] & keep[:, :-1])),
        M("the prompt asked for and not the answer: the mask is turned over", variant(asked=lambda keep: ~keep[:, 1:])),
        M("rolled round: the last place is asked for the first token", variant(surprise=_rolled, asked=lambda keep: keep.roll(-1, 1))),
        M("the mean over rows of each row's mean: a token of a short answer then weighs more", variant(mean=_of_rows)),
        M("divided by all places: the longer the prompt, the smaller the loss", variant(mean=lambda s, asked: (s * asked).sum() / asked.numel())),
        M("divided by the number of rows: that is a loss for each text, and a mean over tokens is asked for",
          variant(mean=lambda s, asked: (s * asked).sum() / len(asked))),
        M("the sum, not the mean", variant(mean=lambda s, asked: (s * asked).sum())),
        M("0 divided by 0 where no answer is: a loss of 0 is asked for", variant(mean=lambda s, asked: (s * asked).sum() / asked.sum())),
        M("a softmax before cross-entropy, which has one in it: it wants logits", variant(surprise=_probabilities)),
        M("a softmax and then its log, in two steps: a share too small for a float is 0, and its log −inf", variant(surprise=_two_steps)),
        M("a loss with an axis of size 1; a tensor without axes is asked for", lambda *case: reference(*case)[None]),
        M("−100 written into the caller's ids", _in_place),
    ),
    hints=(
        "Three questions, as for any decoder: what does place t have to say, which places count, by how many does one divide? Only the second "
        "is new.",
        "Place t is asked for the token at t + 1, so logits lose their last place, and ids their first. The mask speaks of tokens that are "
        "asked for: it is cut like ids, not like logits.",
        "`surprise = F.cross_entropy(logits[:, :-1].transpose(1, 2), ids[:, 1:], reduction=\"none\")`; `asked = answer_keep[:, 1:]`; "
        "`(surprise * asked).sum() / asked.sum().clamp(min=1)`.",
    ),
    explanation=(
        "The model still reads the prompt: its gradient flows through the prompt's keys and values. It is only never asked to have written "
        "it. The place that says the answer's first word is the last of the prompt; a mask cut like the inputs leaves just that one out, "
        "and teaches one behind the end instead."
    ),
    better=(
        "Set what is not asked to −100 in a copy of ids and let `F.cross_entropy`'s ignore_index do the rest; with nothing asked that is NaN. "
        "Better still, pick the asked places before the head, `hidden[:, :-1][asked]`: logits of the prompt are then never computed."
    ),
)
