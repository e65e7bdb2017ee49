"""The questions page: every row of the ledger with its answer, collected from the chapters.

It also holds the book to its promise. A row of a chapter that is in the book and has no target of its
name, or no answer, is a warning, and warnings end the build.
"""

from docutils import nodes
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

from . import ledger

log = logging.getLogger(__name__)


class collected(nodes.General, nodes.Element):
    """Stands where the rows will be, until every chapter is read."""


def answers(env) -> dict:
    """Row id -> (docname, the answer's nodes)."""
    if not hasattr(env, "mt_answers"):
        env.mt_answers = {}
    return env.mt_answers


def pages(env) -> set[str]:
    """Those that list the rows."""
    if not hasattr(env, "mt_question_pages"):
        env.mt_question_pages = set()
    return env.mt_question_pages


def forget(app, env, docname):
    """env-purge-doc: a page that is gone, or about to be read again."""
    pages(env).discard(docname)
    for row in [row for row, (name, _) in answers(env).items() if name == docname]:
        del answers(env)[row]


def merge(app, env, docnames, other):
    """env-merge-info: what a parallel reader collected."""
    pages(env).update(pages(other) & set(docnames))
    answers(env).update({row: kept for row, kept in answers(other).items() if kept[0] in docnames})


def pages_to_write(app, env):
    """env-updated: the questions pages, since any answer may have changed."""
    return sorted(pages(env))


class Questions(SphinxDirective):
    """Where the rows are listed."""

    def run(self):
        pages(self.env).add(self.env.docname)
        return [collected()]


def chapters(env) -> dict[str, str]:
    """Chapter -> docname, for those that are in the book."""
    return {row.chapter: f"book/{row.chapter}" for row in ledger.rows(env.app).values()
            if f"book/{row.chapter}" in env.found_docs}  # fmt: skip


def check(app, env):
    """env-check-consistency: every row of every chapter of the book has its target and its answer there."""
    if not pages(env):
        return
    here, targets = chapters(env), env.get_domain("std").anonlabels
    for row in ledger.rows(app).values():
        if row.chapter not in here:
            continue
        page = here[row.chapter]
        if targets.get(row.id, ("",))[0] != page:
            log.warning("row %s has no target (%s)= in its chapter", row.id, row.id, location=page)
        if answers(env).get(row.id, ("",))[0] != page:
            log.warning("row %s has no answer in its chapter", row.id, location=page)


class FillQuestions(SphinxPostTransform):
    """Puts the rows in before myst-nb chooses what a glued value looks like (4) and links resolve (10)."""

    default_priority = 3

    def run(self, **kwargs):
        for place in list(self.document.findall(collected)):
            place.replace_self(list(self.sections()))

    def sections(self):
        here, rows = chapters(self.env), ledger.rows(self.app).values()
        for chapter, page in here.items():
            title = nodes.title("", "", *[node.deepcopy() for node in self.env.titles[page].children])
            section = nodes.section("", title, ids=[f"chapter-{chapter}"])
            for row in rows:
                if row.chapter == chapter and row.id in answers(self.env):
                    section += self.entry(row, page)
            yield section
        waiting = sum(row.chapter not in here for row in rows)
        if waiting:
            yield nodes.paragraph("", f"{waiting} more rows wait for chapters that are still to come.")

    def entry(self, row, page):
        link = nodes.reference("", row.says, internal=True, refuri=f"{self.app.builder.get_relative_uri(self.env.docname, page)}#{row.id}")
        asked = nodes.paragraph("", "", nodes.inline("", row.kind, classes=["mt-kind"]), nodes.Text(" "), link, classes=["mt-row"])
        return [asked, nodes.container("", *[node.deepcopy() for node in answers(self.env)[row.id][1]], classes=["mt-row-answer"])]


def setup(app):
    app.add_node(collected)
    app.add_directive("questions", Questions)
    app.add_post_transform(FillQuestions)
    app.connect("env-purge-doc", forget)
    app.connect("env-merge-info", merge)
    app.connect("env-updated", pages_to_write)
    app.connect("env-check-consistency", check)
