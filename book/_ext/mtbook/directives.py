"""answer, claim and quiz: what a chapter says in short, what it measured, what it asks.

    :::{answer} q-scaling-proof
    Dividing by $\\sqrt{d_k}$ …            (fifty words at most; questions.md collects it)
    :::

    :::{claim} c-attend-self
    :says: most tokens have low attention to themselves
    What was measured here …
    :::

    :::{quiz} Why is the score divided?
    - [ ] To save memory

      The shape is the same before and after.
    - [x] To keep its variance at 1

      As measured above.
    :::

A quiz is plain HTML: each option opens to say in words whether it is right, and why.
"""

import re

from docutils import nodes
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

from . import ledger, questions

log = logging.getLogger(__name__)
MOST_WORDS = 50
_OPTION = re.compile(r"\[([ xX])\]\s*")


class quiz(nodes.General, nodes.Element):
    """A question; its children are options."""


class quiz_option(nodes.General, nodes.Element):
    """Two containers: what is offered, why it is right or wrong."""


def label(text):
    """The small heading of a box."""
    return nodes.paragraph("", text, classes=["mt-label"])


def count_words(node) -> int:
    """Words a reader reads: a formula or a glued value is one."""
    if isinstance(node, nodes.Text):
        return len(node.split())
    if isinstance(node, (nodes.math, nodes.math_block)) or node.get("nb_element") == "mime_bundle":
        return 1
    return sum(count_words(child) for child in node.children)


class _Boxed(SphinxDirective):
    required_arguments = 1
    has_content = True

    def warn(self, *message):
        log.warning(*message, location=self.get_location())

    def row(self):
        """The ledger's row that the argument names."""
        row = ledger.rows(self.env.app).get(self.arguments[0])
        if row is None:
            self.warn("the ledger has no row %r", self.arguments[0])
        return row

    def body(self, *classes):
        box = nodes.container(classes=list(classes))
        self.state.nested_parse(self.content, self.content_offset, box)
        return box


class Answer(_Boxed):
    """A row's answer in fifty words at most, kept for the questions page."""

    def run(self):
        row, box = self.row(), self.body("mt-answer")
        if (words := count_words(box)) > MOST_WORDS:
            self.warn("answer %s has %d words, %d at most", self.arguments[0], words, MOST_WORDS)
        if row is not None:
            kept = questions.answers(self.env)
            if row.id in kept:
                self.warn("row %s is answered twice, first in %s", row.id, kept[row.id][0])
            kept[row.id] = (self.env.docname, [child.deepcopy() for child in box.children])
        box.insert(0, label("In short"))
        return [box]


class Claim(_Boxed):
    """What the notes say, beside what was measured here."""

    option_spec = {"says": str}

    def run(self):
        self.row()
        if "says" not in self.options:
            self.warn("claim %s lacks :says:, which quotes the notes", self.arguments[0])
        said, messages = self.parse_inline(self.options.get("says", ""), lineno=self.lineno)
        quoted = nodes.container("", label("The notes say"), nodes.paragraph("", "", *said), classes=["mt-says-so"])
        measured = self.body("mt-measured")
        measured.insert(0, label("Measured here"))
        return [nodes.container("", quoted, measured, classes=["mt-claim"]), *messages]


class Quiz(SphinxDirective):
    """A question with options, every one of them explained."""

    required_arguments = 1
    final_argument_whitespace = True
    has_content = True

    def run(self):
        asked, messages = self.parse_inline(self.arguments[0], lineno=self.lineno)
        number = self.env.new_serialno("mt-quiz") + 1
        box = quiz(ids=[f"quiz-{number}"])
        box += nodes.paragraph("", "", *asked, classes=["mt-question"], ids=[f"quiz-{number}-question"])
        parsed = nodes.container()
        self.state.nested_parse(self.content, self.content_offset, parsed)
        items = [item for bullets in parsed.findall(nodes.bullet_list) if bullets.parent is parsed for item in bullets]
        options = [self.option(item) for item in items]
        if sum(o["right"] for o in options) != 1 or len(options) < 2:
            log.warning("a quiz needs options, one of them right: - [ ] … and one - [x] …", location=self.get_location())
        return [box.__iadd__(options), *messages]

    def option(self, item):
        """A list item as an option: its first paragraph is offered, the rest explains."""
        first, *why = item.children
        mark = _OPTION.match(first.astext())
        if not mark or not why:
            log.warning("each option begins with [ ] or [x] and goes on with its explanation, indented: %s",
                        first.astext()[:60], location=self.get_location())  # fmt: skip
        text = next(first.findall(nodes.Text))
        text.parent.replace(text, nodes.Text(_OPTION.sub("", text, count=1)))
        made = quiz_option(right=bool(mark) and mark[1] in "xX")
        made += [first, *why]
        return made


def open_quiz(self, node):
    self.body.append(self.starttag(node, "div", CLASS="mt-quiz", role="group",
                                   **{"aria-labelledby": f"{node['ids'][0]}-question"}))  # fmt: skip


def open_option(self, node):
    self.body.append('<details class="mt-right">' if node["right"] else '<details class="mt-wrong">')
    offered, *why = node.children
    self.body.append("<summary>")
    offered.walkabout(self)
    verdict = "Right." if node["right"] else "Not this one."
    self.body.append(f'</summary><div><p class="mt-verdict">{verdict}</p>')
    for child in why:
        child.walkabout(self)
    self.body.append("</div></details>\n")
    raise nodes.SkipNode


def setup(app):
    app.add_directive("answer", Answer)
    app.add_directive("claim", Claim)
    app.add_directive("quiz", Quiz)
    app.add_node(quiz, html=(open_quiz, lambda self, node: self.body.append("</div>\n")))
    app.add_node(quiz_option, html=(open_option, None))
