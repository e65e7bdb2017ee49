"""training.loop: a training loop, whole."""

import copy
import statistics
from dataclasses import replace

import torch
import torch.nn.functional as F

from mtlib.grading.draw import Draw
from mtlib.grading.exercise import Exercise, Mistake, Property
from mtlib.grading.judge import Wrong, agree, value_of
from mtlib.grading.kit import Kit, made
from mtlib.grading.plain import describe_type
from mtlib.grading.subject import Reply, Subject

from . import loops
from .loops import essence, surprise, updated, variant

NOISE, V, STEPS, EXCESS = 0.5, 6, 120, 0.05  # of the noisy task; EXCESS is in nats above the best there is
DECODER = {"vocab": 8, "max_len": 6, "d_model": 16, "n_heads": 2, "n_layers": 1}
DECODER_STEPS, DECODER_LOSS = 40, 0.5
HELD_OUT = 7_654_321  # far from the seeds that are drawn


def _table(d: Draw, size: int) -> Kit:
    """The smallest model there is: a row of logits for each id."""
    return Kit("torch.nn.Embedding", d.whole(0, 999), {"num_embeddings": size, "embedding_dim": size})


def short(d: Draw) -> dict:
    """A few steps on a few small batches."""
    size, shape = d.size(low=2, rough=6), {"length": d.size(low=2), "size": d.size()}
    return {"model": _table(d, size), "batches": Kit("batches", d.whole(0, 999), {"vocab": size, **shape}), "steps": d.whole(1, 6)}


def some(d: Draw) -> dict:
    """Steps enough to see a loss fall."""
    size = d.size(low=2, rough=6)
    batches = Kit("batches", d.whole(0, 999), {"vocab": size, "length": 4, "size": 16})
    return {"model": _table(d, size), "batches": batches, "steps": d.whole(4, 9)}


def noisy(d: Draw) -> dict:
    """Every second target is drawn at random, so that the best loss is not 0 and can be overshot; the table starts at 0."""
    batches = Kit("batches", d.whole(0, 999), {"vocab": V, "length": 4, "size": 32, "noise": NOISE})
    return {"model": replace(_table(d, V), state={"weight": torch.zeros(V, V)}), "batches": batches, "steps": STEPS}


def decoder(d: Draw) -> dict:
    batches = Kit("batches", d.whole(0, 999), {"vocab": DECODER["vocab"], "length": 6, "size": 16})
    return {"model": Kit("mtlib.DecoderLM", d.whole(0, 999), DECODER), "batches": batches, "steps": DECODER_STEPS}


def _losses(case: dict, subject: Subject) -> tuple[list[float], Reply]:
    reply = subject.call(*case.values())
    losses = value_of(reply)
    if type(losses) is not list:
        agree(losses, [])
    return losses, reply


def a_float_a_step(case: dict, subject: Subject) -> None:
    losses, _ = _losses(case, subject)
    if len(losses) != case["steps"]:
        raise Wrong(f"{len(losses)} losses for {case['steps']} steps; expected one a step", losses, "one a step")
    other = next((loss for loss in losses if type(loss) is not float), None)
    if other is not None:
        raise Wrong(f"the list holds {describe_type(other)}; expected Python floats", losses, "Python floats")


def first_of_the_untrained(case: dict, subject: Subject) -> None:
    model, batches = made((case["model"], case["batches"]))
    with torch.no_grad():
        inputs, targets = next(batches)
        expected = surprise(model(inputs), inputs, targets).item()
    losses, _ = _losses(case, subject)
    first = float(losses[0])
    if not abs(first - expected) <= 1e-4:
        raise Wrong(f"the first loss is {first:.5g}; expected {expected:.5g}, the untrained model's mean cross-entropy", first, expected)


def a_batch_a_step(case: dict, subject: Subject) -> None:
    _, reply = _losses(case, subject)
    if (taken := reply.after[1]["taken"]) != (steps := case["steps"]):
        raise Wrong(f"{taken} batches were taken for {steps} steps; expected one a step: there may be no more", taken, steps)


def improves(case: dict, subject: Subject) -> None:
    _, reply = _losses(case, subject)
    before, after = _held_out(case["model"], case), _held_out(_left(case, reply), case)
    if not after < before:
        raise Wrong(f"the loss on a fresh batch was {before:.4g} and is {after:.4g}; expected less: this very model should learn", after, before)


def settles(case: dict, subject: Subject) -> None:
    _, reply = _losses(case, subject)
    best = torch.full((V, V), NOISE / V)
    best[range(V), [(i + 1) % V for i in range(V)]] += 1 - NOISE
    know_all = _held_out(Kit("torch.nn.Embedding", 0, case["model"].options, {"weight": best.log()}), case)
    after = _held_out(_left(case, reply), case)
    if not after < (limit := know_all + EXCESS):
        told = f"the loss on a fresh batch is {after:.4g} after {STEPS} steps; expected less than {limit:.4g}"
        raise Wrong(f"{told}: each step should use its own gradient alone, at a rate that suits", after, limit)


def learns(case: dict, subject: Subject) -> None:
    """The median of three seeds."""
    scores = []
    for more in range(3):
        seeded = case | {name: replace(case[name], seed=case[name].seed + more) for name in ("model", "batches")}
        _, reply = _losses(seeded, subject)
        scores.append(_held_out(_left(seeded, reply), seeded))
    median = statistics.median(scores)
    if not median < DECODER_LOSS:
        told = f"the loss on fresh batches is {median:.4g} after {DECODER_STEPS} steps, the median of three runs"
        raise Wrong(f"{told}; expected less than {DECODER_LOSS}: another rate or optimiser may do", median, DECODER_LOSS)


def _left(case: dict, reply: Reply) -> Kit:
    """The model as training has left it."""
    return replace(case["model"], state=reply.after[0]["state"])


@torch.no_grad()
def _held_out(recipe: Kit, case: dict) -> float:
    """A model's loss on a batch that training has not seen."""
    fresh = replace(case["batches"], seed=HELD_OUT, options=case["batches"].options | {"size": 256})
    model, batches = made((recipe, fresh))
    inputs, targets = next(batches)
    return surprise(model(inputs), inputs, targets).item()


UNMOVED = "a loop in which no weight moves: clear the gradients, go backward, then step, in this order and all three"

EXERCISE = Exercise(
    id="training.loop",
    title="The loop",
    answers=("fit",),
    minutes=30,
    read=("q-one-loss",),
    properties=(
        Property("a float a step", 2, "a list of Python floats, one for each step", short, a_float_a_step, 15, essence),
        Property("first loss", 2, "the first is the untrained model's: mean cross-entropy, in nats",
                 short, first_of_the_untrained, 15, essence),
        Property("a batch a step", 1, "each step takes one fresh batch, and none is taken in vain", short, a_batch_a_step, 12),
        Property("improves", 3, "after a few steps this very model does better on a batch it has not seen", some, improves, 12),
        Property("settles", 3, f"with noise in the targets it comes near the best there is, in {STEPS} steps",
                 noisy, settles, 1, patience=40),
        Property("a decoder", 4, f"a small decoder has learnt its task after {DECODER_STEPS} steps, the median of three runs",
                 decoder, learns, 1,
                 patience=60),
    ),
    mistakes=(
        Mistake("a list of tensors: each holds on to all that its loss was computed from",
                variant(note=lambda loss: loss.detach())),
        Mistake("the last loss alone; a list is asked for, one a step", loops.the_last_alone),
        Mistake("losses taken after each update, so that the first is not the untrained model's", loops.after_the_update),
        Mistake("losses summed over all tokens, where the mean is meant: a larger batch would look like a worse model",
                variant(score=lambda z, x, y: F.cross_entropy(z.flatten(0, 1), y.flatten(), reduction="sum"))),
        Mistake("a softmax before cross-entropy, which has one in it: it wants logits",
                variant(score=lambda z, x, y: surprise(z.softmax(-1), x, y))),
        Mistake("targets shifted once more: they are already what should come at each place",
                variant(score=lambda z, x, y: surprise(z[:, :-1], x, y[:, 1:]))),
        Mistake("inputs asked for in place of targets: copying is soon learnt",
                variant(score=lambda z, x, y: surprise(z, y, x))),
        Mistake("one batch for all steps: a fresh one each step is there to be taken", loops.one_batch),
        Mistake("one batch too many taken, as `zip(batches, range(steps))` does: there may be no more", loops.one_too_many),
        Mistake(UNMOVED, variant(update=lambda optimiser, loss: loss.backward())),
        Mistake(UNMOVED, variant(update=loops.cleared_too_soon)),
        Mistake(UNMOVED, variant(update=loops.no_backward)),
        Mistake("a copy of the model trained: the caller's has learnt nothing", variant(trained=copy.deepcopy)),
        Mistake("uphill: the loss is made larger", variant(update=lambda optimiser, loss: updated(optimiser, -loss))),
        Mistake("gradients never cleared: `backward` adds to what is there, and every step takes all earlier ones again",
                variant(update=loops.never_cleared)),
    ),
    hints=(
        "One optimiser, made before the loop. In the loop: a batch, the logits, the loss, the gradients, a step. What must happen to the "
        "last step's gradients, and when is the loss noted?",
        "`F.cross_entropy` wants (N, V) and (N): flatten batch and positions into one. `loss.item()` is a float and holds on to nothing. "
        "`next(batches)` gives one batch.",
        "`torch.optim.AdamW(model.parameters(), lr=0.03)`; then, `steps` times: `next`, loss, `optimiser.zero_grad()`, "
        "`loss.backward()`, `optimiser.step()`, append `loss.item()`.",
    ),
    explanation=(
        "This is all there is: what takes a month on a thousand machines is these few lines. Warm-up, clipping, checkpoints and mixed "
        "precision are guards around them. The forgotten `zero_grad` is the loop's classic: nothing fails, the loss falls for a while, and "
        "then it overshoots, since every step still pushes where all earlier ones pushed."
    ),
    better=(
        "`mt.fit` adds those guards. On a GPU `loss.item()` waits for the step to end: keep `loss.detach()` and ask for the numbers every "
        "hundred steps. Your optimiser was your choice; try SGD with the same rate."
    ),
)
