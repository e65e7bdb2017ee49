"""decoder.teacher_forcing: the loss of a translator that is always told the right past."""

from collections.abc import Callable

import torch
from torch import Tensor

from mtlib.grading.draw import Draw
from mtlib.grading.exercise import Exercise, Mistake, Property
from mtlib.grading.judge import Wrong, agree, value_of
from mtlib.grading.kit import Kit, made
from mtlib.grading.subject import Subject

from ..statistics.dot_variance import essence, number
from .shift_right import reference as shifted

PAD, BOS = 0, 1


def mean_of_tokens(surprise: Tensor, asked: Tensor) -> Tensor:
    return (surprise * asked).sum() / asked.sum().clamp(min=1)


def not_padding(targets: Tensor, pad: int) -> Tensor:
    return targets != pad


def variant(shown: Callable = shifted, asked: Callable = not_padding, mean: Callable = mean_of_tokens, wanted: Callable | None = None):
    """The loss with a step changed: what is shown, what is asked, how it is averaged, which target counts where."""

    def teacher_forced_loss(model: Callable, source: Tensor, targets: Tensor, pad: int, bos: int) -> float:
        inputs = shown(targets, bos)
        shares = model(source, inputs).log_softmax(dim=-1)
        came = targets if wanted is None else wanted(targets, inputs)
        surprise = -shares.gather(-1, came[..., None]).squeeze(-1)
        return float(mean(surprise, asked(targets, pad)))

    return teacher_forced_loss


reference = variant()


def _case(d: Draw, B: int, T: int) -> dict:
    """A model whose logits hang on every id, and rows without padding."""
    model = Kit("table", d.whole(0, 999), {"vocab": 6, "source_vocab": 5})
    source, targets = d.integers(B, d.size(), high=4), d.integers(B, T, low=2, high=5)
    return {"model": model, "source": source, "targets": targets, "pad": PAD, "bos": BOS}


def full(d: Draw) -> dict:
    """Rows of one length."""
    return _case(d, d.size(), d.size())


def uneven(d: Draw) -> dict:
    """Rows of unlike lengths, filled up with padding at the end; at least one whole, and one shorter by half."""
    B, T = d.size(low=2), d.size(low=2, high=5)
    case = _case(d, B, T)
    lengths = [T, d.whole(1, T // 2), *(d.whole(1, T) for _ in range(B - 2))]
    beyond = torch.arange(T) >= torch.tensor(lengths)[:, None]
    return case | {"targets": case["targets"].masked_fill(beyond, PAD)}


def other_signs(d: Draw) -> dict:
    """pad and bos are other ids."""
    case = uneven(d)
    pad, bos = d.pick((5, 0), (1, 0))
    targets = case["targets"]
    moved = torch.where(targets == PAD, pad, targets.clamp(max=4))
    return case | {"targets": moved, "pad": pad, "bos": bos}


def nothing(d: Draw) -> dict:
    """Padding everywhere."""
    case = full(d)
    return case | {"targets": torch.full_like(case["targets"], PAD)}


def is_the_loss(case: dict, subject: Subject) -> None:
    expected = reference(*made(case.values()))
    yours = number(value_of(subject.call(*case.values())))
    if not abs(yours - expected) <= 1e-6 * max(1.0, abs(expected)):  # a model's logits may have passed through float32
        agree(yours, expected)


def changes_nothing(case: dict, subject: Subject) -> None:
    reply = subject.call(*case.values())
    number(value_of(reply))
    for (name, was), now in zip(case.items(), reply.after, strict=True):
        if type(was) is Tensor and not torch.equal(was, now):
            raise Wrong(f"{name} is changed in place", now, was, f"{name} after the call")


def _mean_of_rows(surprise: Tensor, asked: Tensor) -> Tensor:
    of_row = (surprise * asked).sum(dim=1) / asked.sum(dim=1).clamp(min=1)
    return of_row.mean()


def _by_places(surprise: Tensor, asked: Tensor) -> Tensor:
    return (surprise * asked).sum() / asked.numel()


def _by_rows(surprise: Tensor, asked: Tensor) -> Tensor:
    return (surprise * asked).sum() / len(asked)


def _in_place(model: Callable, source: Tensor, targets: Tensor, pad: int, bos: int) -> float:
    loss = reference(model, source, targets, pad, bos)
    targets[targets == pad] = -100
    return loss


EXERCISE = Exercise(
    id="decoder.teacher_forcing",
    title="The loss, with the right past",
    answers=("teacher_forced_loss",),
    minutes=20,
    read=("decoder-loss",),
    properties=(
        Property("full rows", 4, "the model sees the shifted targets and is asked for the targets", full, is_the_loss, 45, essence),
        Property("uneven rows", 4, "the mean is over tokens; padding counts for nothing", uneven, is_the_loss, 60, essence),
        Property("other signs", 1, "pad and bos are whatever the caller says", other_signs, is_the_loss, 45, essence),
        Property("nothing asked", 2, "a batch of padding has a loss of 0", nothing, is_the_loss, 20, essence),
        Property("inputs unchanged", 1, "source and targets are afterwards what they were", uneven, changes_nothing, 20, essence),
    ),
    mistakes=(
        Mistake("the targets shown unshifted: place t sees the very token it is asked for", variant(shown=lambda targets, bos: targets)),
        Mistake("asked for the inputs: each place should name the next token, not the one it was shown",
                variant(wanted=lambda targets, inputs: inputs)),
        Mistake("a start sign at every place: a model that is told nothing of its past",
                variant(shown=lambda targets, bos: torch.full_like(targets, bos))),
        Mistake("the last target first, where the start sign belongs", variant(shown=lambda targets, bos: targets.roll(1, dims=1))),
        Mistake("padding asked for like any token: it is easy, and makes the loss look small",
                variant(asked=lambda targets, pad: torch.ones_like(targets, dtype=torch.bool))),
        Mistake("the mean over rows of each row's mean: a token in a short row then weighs more", variant(mean=_mean_of_rows)),
        Mistake("divided by all places, padding too: the more padding, the smaller the loss", variant(mean=_by_places)),
        Mistake("divided by the number of rows: that is a loss for each text, and a mean over tokens is asked for",
                variant(mean=_by_rows)),
        Mistake("the sum, not the mean", variant(mean=lambda surprise, asked: (surprise * asked).sum())),
        Mistake("0 divided by 0 where all is padding: a loss of 0 is asked for",
                variant(mean=lambda surprise, asked: (surprise * asked).sum() / asked.sum())),
        Mistake("the first target left out: it is asked for too, after the start sign",
                variant(asked=lambda targets, pad: (targets != pad) & (torch.arange(targets.shape[1]) > 0))),
        Mistake("0 taken for padding whatever `pad` says", variant(asked=lambda targets, pad: targets != 0)),
        Mistake("1 taken for the start sign whatever `bos` says", variant(shown=lambda targets, bos: shifted(targets, 1))),
        Mistake("padding written over in the caller's targets", _in_place),
    ),
    hints=(
        "Three steps: what the model is shown, what it says at each place, how surprised one is by what came there. Only then the mean.",
        "`model(source, shift_right(targets, bos))` gives (B, T, V). A place counts where its target is no padding; divide by how many "
        "such places the whole batch has, or by 1 if it has none.",
        "`shares = logits.log_softmax(dim=-1)`; `surprise = -shares.gather(-1, targets[..., None]).squeeze(-1)`; "
        "`asked = targets != pad`; `(surprise * asked).sum() / asked.sum().clamp(min=1)`.",
    ),
    explanation=(
        "One forward pass answers every question of every text at once: that is what the shift and the triangle were for. The model "
        "never sees its own mistakes here. When it writes, its own words take the place of the targets, and that is the only difference."
    ),
    better=(
        "`F.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=pad)` does the last three lines in one, faster and with less "
        "memory; but for a batch of nothing but padding it gives NaN. `mtlib.training.cross_entropy` gives 0."
    ),
)
