"""interpretability.logit_lens: what each layer would say if it were the last."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from mtlib.grading.draw import Draw
from mtlib.grading.exercise import Exercise, Mistake, Property
from mtlib.grading.judge import agree, agree_in_form, value_of
from mtlib.grading.subject import Subject

from .models import decoder, equals_and_leaves, equals_in_logits, ids_for, ours


def reference(model: nn.Module, ids: Tensor) -> Tensor:
    return variant()(model, ids)


def stream(model: nn.Module, ids: Tensor) -> list[Tensor]:
    """The embedding, and what each layer left."""
    depths = [model.pos(model.tok(ids))]
    for block in model.blocks:
        depths.append(block(depths[-1]))
    return depths


def normed(x: Tensor, model: nn.Module) -> Tensor:
    return model.norm(x)


def variant(depths: Callable = stream, norm: Callable = normed, lay=lambda rows: torch.stack(rows)):
    """The lens with a step changed: the depths, the norm, how they are laid out."""

    @torch.no_grad()
    def logit_lens(model: nn.Module, ids: Tensor) -> Tensor:
        return lay([norm(x, model) @ model.tok.weight.T for x in depths(model, ids)])

    return logit_lens


def any_text(d: Draw) -> dict:
    model = decoder(d, d.whole(1, 2))
    return {"model": model, "ids": ids_for(d, model)}


def is_the_model_at_its_end(case: dict, subject: Subject) -> None:
    model, ids = ours(case)
    with torch.no_grad():
        expected = model(ids)
    found = value_of(subject.call(*case.values()))
    agree_in_form(found, reference(model, ids))
    agree(found[-1], expected, float(expected.abs().max()), why="the last depth should be what the model itself says")


def begins_with_the_embedding(case: dict, subject: Subject) -> None:
    """Depth 0 knows nothing of other tokens: another text with the same last token scores the same there."""
    model, ids = ours(case)
    other = ids.flip(0, 1)
    other[:, -1] = ids[:, -1]
    expected = reference(model, ids)
    for text in (ids, other):
        found = value_of(subject.call(case["model"], text))
        agree_in_form(found, expected)
        agree(found[0, :, -1], expected[0, :, -1], float(expected[0].abs().max()), why="depth 0 is the embedding alone, positions included")


def _without_positions(model: nn.Module, ids: Tensor) -> list[Tensor]:
    return [model.tok(ids), *stream(model, ids)[1:]]


def _between(model: nn.Module, ids: Tensor) -> list[Tensor]:
    """After each layer's attention, before its FFN."""
    depths = stream(model, ids)
    mids = [x + block.attn(block.norm1(x)) for x, block in zip(depths, model.blocks)]
    return [depths[0], *mids]


def _plain_norm(x: Tensor, model: nn.Module) -> Tensor:
    return torch.nn.functional.layer_norm(x, x.shape[-1:])


def _fed_on(model: nn.Module, ids: Tensor) -> list[Tensor]:
    """The normed vectors go into the next layer."""
    depths = [model.pos(model.tok(ids))]
    for block in model.blocks:
        depths.append(block(model.norm(depths[-1])))
    return depths


def _bare(x: Tensor, model: nn.Module) -> Tensor:
    return x


EXERCISE = Exercise(
    id="interpretability.logit_lens",
    title="What would this layer say?",
    answers=("logit_lens",),
    minutes=20,
    read=("answer-there",),
    allow=("mtlib.trace",),
    properties=(
        Property("values", 4, "final norm and head, at the embedding and behind each layer", any_text, equals_in_logits(reference), 18),
        Property("its end", 2, "the last depth is the model itself", any_text, is_the_model_at_its_end, 12),
        Property("its beginning", 2, "depth 0 is the embedding, positions included, and knows no other token", any_text,
                 begins_with_the_embedding, 12),
        Property("left as found", 2, "afterwards no hook is on the model and no weight another", any_text,
                 equals_and_leaves(reference), 12),
    ),
    mistakes=(
        Mistake("no final norm: the head was trained on normed vectors only", variant(norm=_bare)),
        Mistake("a norm without its learned gain and shift: the model's own `norm` is meant", variant(norm=_plain_norm)),
        Mistake("normed vectors fed on into the next layer: the lens looks, and the stream goes on as it was", variant(depths=_fed_on)),
        Mistake("depth 0 without positions: the embedding is tokens and positions", variant(depths=_without_positions)),
        Mistake("the stream between attention and FFN: a layer ends behind both", variant(depths=_between)),
        Mistake("no depth 0: the embedding is one of L + 1", variant(depths=lambda model, ids: stream(model, ids)[1:])),
        Mistake("(B, L+1, T, V), where the depths come first", variant(lay=lambda rows: torch.stack(rows, dim=1))),
    ),
    hints=(
        "Run the model by its parts and keep what you pass: the embedding first, then a call of each block on what the last one left. "
        "How does the model go from there to logits?",
        "`x = model.pos(model.tok(ids))`, `x = block(x)`. At the end the model takes `model.norm` and multiplies by its own token table, "
        "turned. Do that at every depth, and do not feed it on.",
        "Collect `model.norm(x) @ model.tok.weight.T` before the first block and behind each of them; `torch.stack` makes "
        "(L+1, B, T, V) of the list.",
    ),
    explanation=(
        "The stream keeps one basis from the embedding to the end, since every layer only adds to it; that is why the last layer's head "
        "can be tried on any. A layer that scores badly need not be ignorant: it may hold the answer in a form that later layers translate. "
        "The lens shows what is already written so that this one head can read it."
    ),
    better=(
        "With a trace no part has to be known: `blocks.N` puts out the stream behind layer N, `pos` the embedding. A tuned lens learns a "
        "small linear map for each layer before the head, and so tells \"not known yet\" from \"written otherwise\"."
    ),
)
