"""The sixty days, from mtlib/plan.toml: a list with a box to tick for each day, kept on the reader's machine by plan.js.

    :::{plan}
    :::

What belongs to a chapter that the book does not have yet is named and not linked.
"""

import json
from html import escape

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from mtlib.exercises import chapter_of, find
from mtlib.plan import Day, days

from .map import CHAPTERS

TITLES = {"01_transformers": "The map", **CHAPTERS}


class sixty_days(nodes.General, nodes.Element):
    """The place of the list."""


class Plan(SphinxDirective):
    def run(self):
        self.env.note_reread()  # chapters may have come while this page stayed as it is
        return [sixty_days()]


def listed(link) -> str:
    """The days as HTML; `link(docname)` is an address, or None for a page that is to come."""
    rows = "".join(_row(day, link) for day in days())
    state = json.dumps({"days": len(days())})
    return (
        '<div class="mt-plan" data-module="plan"><fieldset disabled><legend>Your days</legend>'
        '<p class="mt-plan-sum" aria-live="polite">Tick a day when it is done: this page keeps your ticks in this browser, and tells nobody.</p>'
        f'<ol class="mt-days">{rows}</ol></fieldset>'
        "<noscript><p>Keeping ticks needs JavaScript; the plan itself does not.</p></noscript>"
        f'<script type="application/json">{state}</script></div>\n'
    )


def _row(day: Day, link) -> str:
    told = [part for part in (_reading(day, link), _writing(day, link), _doing(day)) if part]
    box = f'<input type="checkbox" id="mt-day-{day.number}" value="{day.number}" autocomplete="off">'
    title = f'<label for="mt-day-{day.number}"><b>Day {day.number}</b> {escape(day.title)}</label>'
    return f'<li id="day-{day.number}">{box}{title}<span>{" · ".join(told)}</span></li>'


def _reading(day: Day, link) -> str:
    if not day.read:
        return ""
    chapter, _, place = day.read.partition("#")
    address, on = link(f"book/{chapter}"), ", on from here" if place else ""
    words = f"chapter {int(chapter[:2])}, {TITLES[chapter]}{on}, {day.minutes} minutes"
    return f"{escape(words)}, to come" if address is None else f'<a href="{escape(address + "#" * bool(place) + place)}">{escape(words)}</a>'


def _writing(day: Day, link) -> str:
    if not day.exercises:
        return ""
    names, known = ", ".join(f"<code>{id}</code>" for id in day.exercises), [find(id) for id in day.exercises]
    if None in known:
        return f"{names}, to come"
    address = link(f"exercises/{chapter_of(day.exercises[0].partition('.')[0])}")
    return f'<a href="{escape(address)}">{len(known)} exercise{"s" * (len(known) > 1)}</a>, {sum(e.minutes for e in known)} minutes: {names}'


def _doing(day: Day) -> str:
    return day.do and f"{escape(day.do)} ({day.do_minutes} minutes)"


def visit(self, node):
    """Write the list, with addresses as seen from this page."""
    here, known = self.builder.current_docname, self.builder.env.found_docs
    self.body.append(listed(lambda page: self.builder.get_relative_uri(here, page) if page in known else None))
    raise nodes.SkipNode


def setup(app):
    app.add_directive("plan", Plan)
    app.add_node(sixty_days, html=(visit, None))
