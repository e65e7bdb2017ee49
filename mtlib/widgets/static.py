"""The built page's host, Python's half: every frame drawn now, one block of HTML.

Without JavaScript the block shows the first setting's picture and what it says. The other half is
frames.js, which host.js starts.
"""

import itertools
import json
from html import escape

from .controls import Field
from .pack import pack

_ids = itertools.count(1)  # a page is one kernel, so these are unique on it


class StaticControl:
    """Shown as HTML only: no widget state is left in the notebook."""

    def __init__(self, frame, fields: list[Field], ask: str):
        uid = f"mt-explore-{next(_ids)}"
        names = [field.name for field in fields]
        settings = itertools.product(*(field.values for field in fields))
        drawn = [frame(dict(zip(names, setting)), labelled_by=f"{uid}-says") for setting in settings]
        pictures, says = (list(column) for column in zip(*drawn))
        first = 0
        for field in fields:  # the last control turns fastest
            first = first * len(field.values) + field.at
        state = {
            "at": [field.at for field in fields],
            "stops": [field.texts for field in fields],
            "pictures": pack(pictures),
            "says": pack(says),
        }
        # "<" would let a text end the script element.
        data = json.dumps(state, separators=(",", ":"), ensure_ascii=False).replace("<", "\\u003c")
        rows = "".join(_row(f"{uid}-{field.name}", field) for field in fields)
        self.html = (
            f'<div class="mt-explore" id="{uid}" data-module="frames"><fieldset disabled>'
            f"<legend><span>Guess first</span> {escape(ask, quote=False)}</legend>{rows}</fieldset>"
            f'<div class="mt-picture">{pictures[first]}</div>'
            f'<p class="mt-says" data-longest="{escape(max(says, key=len))}">'  # keeps its height free
            f'<span id="{uid}-says" aria-live="polite">{escape(says[first], quote=False)}</span></p>'
            "<noscript><p>This picture shows one setting; moving the controls needs JavaScript.</p></noscript>"
            f'<script type="application/json">{data}</script></div>'
        )

    def _repr_html_(self):
        return self.html

    def __repr__(self):
        return "<a control of the built page>"


def _row(uid, field):
    label, text = escape(field.label, quote=False), escape(field.texts[field.at])
    if field.kind == "check":
        checked = " checked" if field.at else ""
        return f'<div class="mt-check"><input id="{uid}" type="checkbox"{checked} autocomplete="off"><label for="{uid}">{label}</label></div>'
    if field.kind == "range":
        box = (
            f'<input id="{uid}" type="range" min="0" max="{len(field.values) - 1}" value="{field.at}"'
            f' aria-valuetext="{text}" autocomplete="off"><output for="{uid}">{text}</output>'
        )
    else:
        options = "".join(
            f"<option{' selected' if i == field.at else ''}>{escape(word, quote=False)}</option>"
            for i, word in enumerate(field.texts)
        )
        box = f'<select id="{uid}" autocomplete="off">{options}</select>'
    return f'<div><label for="{uid}">{label}</label>{box}</div>'
