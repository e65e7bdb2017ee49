"""Training loops for training.loop: the right one, and those with a step gone wrong."""

from collections.abc import Callable, Iterator

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mtlib.grading.plain import describe_type

RATE = 0.03


def surprise(logits: Tensor, inputs: Tensor, targets: Tensor) -> Tensor:
    return F.cross_entropy(logits.flatten(0, 1), targets.flatten())


def updated(optimiser: torch.optim.Optimizer, loss: Tensor) -> None:
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()


def itself(model: nn.Module) -> nn.Module:
    return model


def variant(
    trained: Callable = itself,
    fetch: Callable = next,
    score: Callable = surprise,
    update: Callable = updated,
    note: Callable = Tensor.item,
) -> Callable:
    """A loop with a step changed: what is trained, how a batch is had, the loss, the update, what is noted."""

    def fit(model: nn.Module, batches: Iterator, steps: int) -> list[float]:
        model = trained(model)
        optimiser = torch.optim.AdamW(model.parameters(), lr=RATE)
        losses = []
        for _ in range(steps):
            inputs, targets = fetch(batches)
            loss = score(model(inputs), inputs, targets)
            update(optimiser, loss)
            losses.append(note(loss))
        return losses

    return fit


def after_the_update(model: nn.Module, batches: Iterator, steps: int) -> list[float]:
    optimiser, losses = torch.optim.AdamW(model.parameters(), lr=RATE), []
    for _ in range(steps):
        inputs, targets = next(batches)
        updated(optimiser, surprise(model(inputs), inputs, targets))
        losses.append(surprise(model(inputs), inputs, targets).item())
    return losses


def one_batch(model: nn.Module, batches: Iterator, steps: int) -> list[float]:
    batch = next(batches)
    return variant(fetch=lambda _: batch)(model, batches, steps)


def one_too_many(model: nn.Module, batches: Iterator, steps: int) -> list[float]:
    losses = variant()(model, batches, steps)
    next(batches)
    return losses


def the_last_alone(model: nn.Module, batches: Iterator, steps: int) -> float:
    return variant()(model, batches, steps)[-1]


def never_cleared(optimiser: torch.optim.Optimizer, loss: Tensor) -> None:
    loss.backward()
    optimiser.step()


def cleared_too_soon(optimiser: torch.optim.Optimizer, loss: Tensor) -> None:
    loss.backward()
    optimiser.zero_grad()
    optimiser.step()


def no_backward(optimiser: torch.optim.Optimizer, loss: Tensor) -> None:
    optimiser.zero_grad()
    optimiser.step()


def essence(case: dict, value: object) -> object:
    """Which optimiser was taken is the learner's choice: what counts is the list's form, and where it begins."""
    if type(value) is not list:
        return describe_type(value)
    first = [value[0]] if value and type(value[0]) in (float, Tensor) else []
    kinds = [describe_type(loss) for loss in value]
    return {"kinds": kinds, "first": [torch.as_tensor(loss, dtype=torch.float32) for loss in first]}
