"""Views of a running model: type a text, see what the model does with it.

In the book's build a view is a block of HTML, whose scripts the page loads beside it; its first
picture is drawn by Python, so that it is there without JavaScript too. In a notebook it is the same
block in a frame of its own, with scripts and weights inside: nothing is asked of the kernel.
"""

import copy
import itertools
import json
import os
from html import escape
from pathlib import Path
from typing import Any, TypeVar

from torch import nn

from .. import shipped
from ..cores import use_explicit
from ..data.letters import Letters
from ..data.vocabulary import Subwords
from .scripts import page_script, payload

CSS = Path(__file__).parent / "view.css"
_ids = itertools.count(1)
M = TypeVar("M", bound=nn.Module)


def fresh_id() -> str:
    """An id that no other part of the page has: a page is one kernel."""
    return f"mt-live-{next(_ids)}"


class View:
    """Shown as HTML only; `kind` is the view's name in js/page.js, `state` what it starts from."""

    def __init__(self, kind: str, state: dict[str, Any], fields: str, said: str, first: str, height: int):
        self.kind, self.state, self.fields, self.said, self.first, self.height = kind, state, fields, said, first, height

    def block(self) -> str:
        """The view's element, alive once live.js is on its page."""
        data = json.dumps(self.state, separators=(",", ":"), ensure_ascii=False).replace("<", "\\u003c")
        return (
            f'<div class="mt-live mt-live-{self.kind}" data-live="{self.kind}">{self.fields}{self.said}'
            f'<div class="mt-live-stage">{self.first}</div>'
            "<noscript><p>This is the first picture of many; typing a text of your own needs JavaScript.</p></noscript>"
            f'<script type="application/json">{data}</script></div>'
        )

    def _repr_html_(self) -> str:
        if os.environ.get("MTLIB_STATIC") == "1":
            return self.block()
        name = self.state["model"]
        inside = {**self.state, "model": payload(name) if isinstance(name, str) else name}
        whole = View(self.kind, inside, self.fields, self.said, self.first, self.height)
        script = page_script().replace("</script", "<\\/script")
        page = f"<!doctype html><meta charset=utf-8><style>{CSS.read_text('utf8')}</style><body>{whole.block()}<script>{script}</script>"
        return f'<iframe title="A live model" srcdoc="{escape(page)}" style="width:100%;height:{self.height}px;border:0"></iframe>'

    def __repr__(self) -> str:
        return f"<a live view: {self.kind}>"


def typed(label: str, text: str, ask: str, writes: str, answer: str) -> tuple[str, str]:
    """A line to type a text in, under its question; and where the answer stands, with room for a word on the text."""
    uid = fresh_id()
    fields = (
        f"<fieldset disabled><legend><span>Guess first</span> {escape(ask, quote=False)}</legend>"
        f'<div class="mt-live-text"><label for="{uid}">{label}</label>'
        f'<input id="{uid}" type="text" value="{escape(text)}" autocomplete="off" autocapitalize="off" spellcheck="false"></div></fieldset>'
    )
    said = f'<p class="mt-live-said">{writes} <output class="mt-live-answer" for="{uid}">{escape(answer)}</output></p>'
    return fields, f'{said}<p class="mt-live-note" aria-live="polite"></p>'


def ready(model: str | nn.Module, tokenizer: Letters | Subwords | None, *wanted: type[M]) -> tuple[M, Any]:
    """A model that can be looked into, and its tokenizer; a model of the caller's own is copied."""
    running: nn.Module
    if isinstance(model, str):
        running, tokenizer = shipped.load(model)
    else:
        payload(model, tokenizer)  # says what does not fit
        running = use_explicit(copy.deepcopy(model)).eval()
        for weight in running.parameters():
            weight.data = weight.data.half().float()  # as the page has them
    if not isinstance(running, wanted):
        kinds = " or ".join(kind.__name__ for kind in wanted)
        raise TypeError(f"{model if isinstance(model, str) else 'model'} is a {type(running).__name__}; this view shows a {kinds}")
    return running, tokenizer
