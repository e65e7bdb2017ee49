"""The map of the course: the drawn architecture, each block a link to its chapter.

    :::{map}
    :::

A block is a link when the book has the page of its chapter, and drawn as to come when it has not: no link can be
dead, and a chapter that arrives need not be entered here. The same in words stands below the drawing.
"""

from html import escape
from typing import NamedTuple

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

CHAPTERS = {
    "02_sequential_data": "What came before", "03_encoder": "The encoder", "04_algebra": "Algebra", "05_statistics": "Statistics",
    "06_attention": "Attention", "07_residuals": "Residuals", "08_ffn": "The FFN", "09_positional_encoding": "Positional encoding",
    "10_dimensions": "Dimensions", "11_decoder": "The decoder", "12_training": "Training", "13_inference": "Inference",
    "14_interpretability": "Looking inside", "15_architecture": "Why this design", "16_projects": "Projects",
}  # fmt: skip
NAMES = {name[:2]: name for name in CHAPTERS}
TOP, WIDTH, HEIGHT = 38, 360, 604  # of the drawing, in units that are about pixels
WIDE, STEP = 142, 38  # a block's width; from a block to the next


class Block(NamedTuple):
    """A box: what stands in it, the number of its chapter, its upper left corner, its width."""

    words: str
    number: str
    x: int
    y: int
    w: int = WIDE
    h: int = 30


def past(x: int, side: int, *steps: int) -> list[str]:
    """Wires from before each step, whose block stands at y, past it to the "add & norm" above; `side` is an edge of the frame."""
    edge = x if side < x else x + WIDE
    return [f"M{x + WIDE / 2:g} {y + 34}H{side}V{y - STEP + 15}H{edge}" for y in steps]


def stack(x: int, bottom: int, *blocks: tuple[str, str]) -> list[Block]:
    """Blocks upon each other, the first at the bottom."""
    return [Block(words, number, x, bottom - i * STEP) for i, (words, number) in enumerate(blocks)]


def row(y: int, *blocks: tuple[str, str]) -> list[Block]:
    """Blocks side by side, as wide as the drawing together."""
    w = (WIDTH - 8 * (len(blocks) + 1)) // len(blocks)
    return [Block(words, number, 8 + i * (w + 8), y, w, 32) for i, (words, number) in enumerate(blocks)]


ATTENTION, NORM, FFN = ("attention", "06"), ("add & norm", "07"), ("FFN", "08")
BLOCKS = [
    Block("scores to shares", "05", 202, 46),
    *stack(16, 308, ATTENTION, NORM, FFN, NORM)[::-1],
    *stack(202, 308, ("causal attention", "06"), NORM, ("cross-attention", "11"), NORM, FFN, NORM)[::-1],
    Block("table + place", "09", 16, 364), Block("table + place", "09", 202, 364),
    Block("text to tokens", "03", 16, 402), Block("what is written", "13", 202, 402),
    *row(470, ("What came before", "02"), ("Algebra", "04")), *row(508, ("Statistics", "05"), ("Dimensions", "10")),
    *row(568, ("Training", "12"), ("Inference", "13"), ("Projects", "16")),
    *row(606, ("Looking inside", "14"), ("Why this design", "15")),
]  # fmt: skip
FRAMES = [("encoder", "03", 8, 168, 158, 180), ("decoder", "11", 194, 92, 158, 256)]  # words, chapter, x, y, w, h
WIRES = (
    "M87 402V394", "M273 402V394", "M87 364V338", "M273 364V338", "M273 92V76",
    "M87 168V152H180V247H202",  # from the encoder across
    *past(16, 12, 308, 232), *past(202, 348, 308, 232, 156),
    *(f"M87 {y}v-8" for y in (308, 270, 232)), *(f"M273 {y}v-8" for y in (308, 270, 232, 194, 156)),
)  # fmt: skip
LABELS = ((8, 462, "What it stands on"), (8, 561, "What one does with it"))


class course_map(nodes.General, nodes.Element):
    """The place of the map."""


class Map(SphinxDirective):
    def run(self):
        self.env.note_reread()  # chapters may have come while this page stayed as it is
        return [course_map()]


def drawing(link) -> str:
    """The map as SVG and as words; `link(chapter)` is an address, or None for one that is to come."""
    parts = [f'<path d="{wire}"/>' for wire in WIRES]
    parts += [f'<rect class="mt-frame" x="{x}" y="{y}" width="{w}" height="{h}" rx="10"/>' for _, _, x, y, w, h in FRAMES]
    parts += [f'<text class="mt-map-label" x="{x}" y="{y}">{words}</text>' for x, y, words in LABELS]
    for words, number, x, y, w, _ in FRAMES:
        parts.append(_linked(link, number, words, f'<text x="{x + w / 2:g}" y="{y + 18}">{words} <tspan>{int(number)}</tspan></text>'))
    for words, number, x, y, w, h in BLOCKS:
        box = f'<rect x="{x}" y="{y}" width="{w}" height="{h}" rx="7"/>'
        said = f'<text x="{x + w / 2:g}" y="{y + h / 2 + 4.5:g}">{escape(words)} <tspan>{int(number)}</tspan></text>'
        parts.append(_linked(link, number, words, box + said))
    items = "".join(f"<li>{_item(link, name)}</li>" for name in CHAPTERS)
    return (
        f'<div class="mt-map"><svg viewBox="0 {TOP} {WIDTH} {HEIGHT}" role="group" aria-label="The map: a transformer, each block a '
        f'link to its chapter. The same in words stands below.">{"".join(parts)}</svg>'
        f'<details><summary>The map in words</summary><ol start="2">{items}</ol></details></div>\n'
    )


def _linked(link, number: str, words: str, inner: str) -> str:
    name = NAMES[number]
    address = link(name)
    if address is None:
        return f'<g class="mt-to-come">{inner}</g>'
    label = f"{words}: chapter {int(number)}, {CHAPTERS[name]}"
    return f'<a href="{escape(address)}" aria-label="{escape(label)}">{inner}</a>'


def _item(link, name: str) -> str:
    address = link(name)
    return f"{CHAPTERS[name]}, to come" if address is None else f'<a href="{escape(address)}">{CHAPTERS[name]}</a>'


def in_words(folder) -> str:
    """For a plain notebook: the chapters that stand in `folder`, as links, and those to come."""
    here = {name: (folder / f"{name}.md").is_file() for name in CHAPTERS}
    return "\n".join(f"- {int(n[:2])}. " + (f"[{t}]({n}.md)" if here[n] else f"{t}, to come") for n, t in CHAPTERS.items())


def visit(self, node):
    """Write the map, with addresses as seen from this page."""
    here, known = self.builder.current_docname, self.builder.env.found_docs
    folder = here.rpartition("/")[0]

    def link(name):
        page = f"{folder}/{name}" if folder else name
        return self.builder.get_relative_uri(here, page) if page in known else None

    self.body.append(drawing(link))
    raise nodes.SkipNode


def setup(app):
    app.add_directive("map", Map)
    app.add_node(course_map, html=(visit, None))
