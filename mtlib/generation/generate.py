"""Text after text, token after token.

    token_t ~ rules(model(token_0 … token_{t-1}))

A batch of prompts of different lengths starts at the length of the shortest, and at each step
every row takes one token: its own prompt's while it has one, then the model's. No padding is
ever made, so that every token stands at its own position, the same for a table of positions,
for rotary and for a state that is carried along; and a row gets what it would get alone. The
price: what the longer prompts have more is read one by one, beside the shorter's writing.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any

import torch
from torch import Tensor, nn

from .rules import GREEDY, Rules
from .swift import Swift, swift
from .writer import Prompts, asked, device_of, fits, is_writer, rows_of


def generate(
    model: nn.Module,
    prompts: Prompts,
    *,
    max_new: int,
    rules: Rules = GREEDY,
    stop: Collection[int] = (),
    generator: torch.Generator | None = None,
) -> list[list[int]]:
    """What the model writes after each prompt: at most max_new tokens, the one that ended it included.

    Args:
        model: a writer in eval mode: DecoderLM, RecurrentLM, Given(translator, source), Window.
        prompts: (B, T), or B lists of ids of any lengths.
        max_new: tokens to write for each.
        rules: how a token is drawn; GREEDY takes the likeliest.
        stop: ids after any of which a text is done.
        generator: of all that is drawn; needed unless the rules are greedy.

    Raises ValueError or TypeError, in one line, before anything is computed: an empty prompt, a
    table of positions too short, a draw without a generator, a model in training mode.

    >>> import mtlib as mt
    >>> model = mt.DecoderLM(mt.ModelConfig(vocab=9, max_len=8, d_model=8, n_heads=2, n_layers=1))
    >>> [len(new) for new in generate(model, [[3, 1, 4], [5]], max_new=2)]
    [2, 2]
    """
    rows = _checked(model, prompts, max_new, rules, stop, generator)
    columns = zip(*_steps(model, rows, max_new, rules, stop, generator))
    return [[token for token in column if token is not None] for column in columns]


def stream(
    model: nn.Module,
    prompt: Iterable[int],
    *,
    max_new: int,
    rules: Rules = GREEDY,
    stop: Collection[int] = (),
    generator: torch.Generator | None = None,
) -> Iterator[int]:
    """The tokens that generate gives for one prompt, each as soon as it is there. Arguments and errors as there.

    >>> import mtlib as mt
    >>> model = mt.DecoderLM(mt.ModelConfig(vocab=9, max_len=8, d_model=8, n_heads=2, n_layers=1))
    >>> list(stream(model, [3, 1], max_new=3)) == generate(model, [[3, 1]], max_new=3)[0]
    True
    """
    rows = _checked(model, [list(prompt)], max_new, rules, stop, generator)
    return (token for (token,) in _steps(model, rows, max_new, rules, stop, generator) if token is not None)


def spell(tokens: Iterable[int], decode: Callable[[list[int]], str]) -> Iterator[str]:
    """Tokens as pieces of text: a letter whose bytes are spread over tokens waits until it is whole.

    >>> pieces = {(1,): "\\ufffd", (1, 2): "é", (1, 2, 3): "é!"}
    >>> list(spell([1, 2, 3], lambda ids: pieces[tuple(ids)]))
    ['é', '!']
    """
    ids, said = [], ""
    for token in tokens:
        ids.append(token)
        text = decode(ids)  # all of it: a token alone may lose the space before it
        if text.endswith("\ufffd"):
            continue
        if text != said:
            yield text[len(said) :]
        said = text
    if ids and (rest := decode(ids)[len(said) :]):
        yield rest


def _checked(
    model: nn.Module,
    prompts: Prompts,
    max_new: int,
    rules: Rules,
    stop: Collection[int],
    generator: torch.Generator | None,
) -> list[list[int]]:
    """The prompts, when all is well."""
    is_writer(model, "model")
    asked(max_new, rules, stop, generator)
    rows = rows_of(prompts)
    fits(model, "model", max(map(len, rows)), max_new)
    return rows


def _steps(
    model: nn.Module,
    rows: list[list[int]],
    max_new: int,
    rules: Rules,
    stop: Collection[int],
    generator: torch.Generator | None,
) -> Iterator[list[int | None]]:
    """At each step, what every row wrote: None while it reads its prompt, and when it is done."""
    shortest, longest, device = min(map(len, rows)), max(map(len, rows)), device_of(model)
    text = new = torch.tensor([row[:shortest] for row in rows], device=device)
    writer = swift(model)
    left, cache = [max_new] * len(rows), writer.new_cache()
    while any(left):
        at = text.size(1)
        wrote: list[int | None] = [None] * len(rows)
        picked = _next(writer, new, cache, rules, text, generator)
        tokens = picked.tolist()
        for b, row in enumerate(rows):
            if at < len(row):
                tokens[b] = row[at]  # what the model would have said does not matter yet
            elif left[b]:
                wrote[b] = tokens[b]
                left[b] = 0 if tokens[b] in stop else left[b] - 1
        yield wrote
        new = (torch.tensor(tokens, device=device) if at < longest else picked)[:, None]
        text = torch.cat([text, new], dim=1)


@torch.inference_mode()  # here, and not around a generator, whose caller would be in it too
def _next(
    model: nn.Module | Swift, new: Tensor, cache: Any, rules: Rules, text: Tensor, generator: torch.Generator | None
) -> Tensor:
    """The model reads what is new, and one token is picked for each row, (B,)."""
    return rules.pick(model(new, cache=cache)[:, -1], text, generator)
