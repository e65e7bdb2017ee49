"""The first use of a glossary word in each chapter leads to the glossary; nobody has to write the link."""

import re

from docutils import nodes
from sphinx.transforms.post_transforms import SphinxPostTransform

PAGE, CHAPTER = "book/glossary", re.compile(r"book/\d\d_")
# Words that the text also uses in their everyday sense: they stand in the glossary and are not sought in the text.
EVERYDAY = {"activation", "head", "key", "query", "value"}
NOT_HERE = (nodes.reference, nodes.literal, nodes.title, nodes.caption, nodes.raw, nodes.block_quote, nodes.math, nodes.literal_block)


class LinkFirstUse(SphinxPostTransform):
    """After every other post-transform that makes text, before the page is written."""

    default_priority = 900

    def run(self, **kwargs):
        if not CHAPTER.match(self.env.docname):
            return
        address = self.app.builder.get_relative_uri(self.env.docname, PAGE) if PAGE in self.env.found_docs else None
        places = {term: label for (kind, term), (page, label) in terms(self.env) if kind == "term" and page == PAGE}
        waiting = {term: label for term, label in places.items() if term.casefold() not in EVERYDAY}
        for text in list(self.document.findall(nodes.Text)):
            if not waiting:
                return
            if within(text, nodes.paragraph) and not within(text, *NOT_HERE):
                text.parent.replace(text, linked(text.astext(), waiting, address))


def terms(env):
    """((kind, name), (page, label)) of everything that the standard domain holds."""
    return env.get_domain("std").objects.items()


def within(node, *kinds) -> bool:
    """Whether a node lies inside one of these."""
    while (node := node.parent) is not None:
        if isinstance(node, kinds):
            return True
    return False


def linked(text: str, waiting: dict[str, str], address: str) -> list[nodes.Node]:
    """The text in pieces, with a link at the first use of each word of `waiting`, which is then taken off it."""
    words = "|".join(re.escape(term) for term in sorted(waiting, key=len, reverse=True))
    found, at = [], 0
    by_name = {term.casefold(): term for term in waiting}
    for match in re.finditer(rf"(?<![\w-])({words})(s|es)?(?![\w-])", text, re.IGNORECASE):
        term = by_name[match[1].casefold()]
        if term in waiting:
            found += [nodes.Text(text[at : match.start()])] if match.start() > at else []
            found.append(nodes.reference("", match[0], internal=True, refuri=f"{address}#{waiting.pop(term)}", classes=["mt-term"]))
            at = match.end()
    return [*found, nodes.Text(text[at:])] if at < len(text) else found


def chapters_too(app, env, added, changed, removed):
    """env-get-outdated: when the glossary has changed, its links in the chapters may have."""
    return [name for name in env.found_docs if CHAPTER.match(name)] if PAGE in added | changed else []


def setup(app):
    app.add_post_transform(LinkFirstUse)
    app.connect("env-get-outdated", chapters_too)
