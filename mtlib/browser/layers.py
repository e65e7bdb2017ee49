"""The view of a residual stream, layer by layer: see layers."""

from html import escape

import torch

from ..data.letters import Letters
from ..data.vocabulary import Subwords
from ..interp import logit_lens
from ..transformer import DecoderLM
from .next_token import shown
from .scripts import payload
from .view import View, fresh_id, ready


def layers(
    model: str | DecoderLM,
    text: str,
    *,
    tokenizer: Letters | Subwords | None = None,
    ask: str = "After which block does the stream name the model's answer for the first time?",
) -> View:
    """The residual stream by the logit lens: for every position and every block, the token that it already names.

    Args:
        model: the name of a shipped model, such as "documentation", or a language model of your own with its tokenizer.
        text: what is read first.
        ask: the question to answer before touching anything.

    Raises ValueError or TypeError, in one line, for a model that the page cannot compute or a text it cannot read.
    Source: nostalgebraist 2020, "interpreting GPT: the logit lens".

    >>> layers("documentation", "If the file")
    <a live view: layers>
    """
    running, reader = ready(model, tokenizer, DecoderLM)
    ids = reader.encode(text)[-running.config.max_len :]
    if not ids:
        raise ValueError("text is empty; give the view a text to start with")
    best = logit_lens(running, torch.tensor([ids]))[:, 0].softmax(-1).max(-1)  # values and indices (L+1, T)
    state = {"model": model if isinstance(model, str) else payload(model, tokenizer)}
    uid = fresh_id()
    fields = (
        f"<fieldset disabled><legend><span>Guess first</span> {escape(ask, quote=False)}</legend>"
        f'<div class="mt-live-text"><label for="{uid}">A text to read</label>'
        f'<textarea id="{uid}" rows="2" autocomplete="off" spellcheck="false">{escape(text, quote=False)}</textarea></div></fieldset>'
    )
    named = [[reader.decode([token]) for token in row] for row in best.indices.tolist()]
    first = _first([reader.decode([token]) for token in ids], named, best.values.tolist())
    return View("layers", state, fields, '<p class="mt-live-note" aria-live="polite"></p>', first, 1000)


def _first(read: list[str], named: list[list[str]], shares: list[list[float]]) -> str:
    """The table that stands there first: a column a position, a row a depth."""
    head = "".join(f'<th scope="col"><span>{_escaped(piece)}</span></th>' for piece in read)
    rows = "".join(
        f'<tr><th scope="row">{f"block {depth - 1}" if depth else "embedding"}</th>'
        + "".join(f'<td><span style="--share: {100 * p:.1f}%">{_escaped(piece)}<small>{100 * p:.0f} %</small></span></td>' for piece, p in zip(*row, strict=True))
        + "</tr>"
        for depth, row in enumerate(zip(named, shares, strict=True))
    )
    return (
        '<div class="mt-live-depths" tabindex="0" role="group" aria-label="What the stream names, by block and position">'
        f'<table><thead><tr><th scope="col">after</th>{head}</tr></thead><tbody>{rows}</tbody></table></div>'
    )


def _escaped(piece: str) -> str:
    return escape(shown(piece), quote=False)
