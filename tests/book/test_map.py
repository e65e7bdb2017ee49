"""The map of the course: every chapter is on it, none is a dead link, and it can be read without seeing it."""

import re
from pathlib import Path
from xml.etree import ElementTree

import yaml
from mtbook import map

ROOT = Path(__file__).parents[2]
TOC = yaml.safe_load((ROOT / "_toc.yml").read_text())
CHAPTERS = [c["file"].removeprefix("book/") for part in TOC["parts"] if part["caption"] == "Chapters" for c in part["chapters"]]


def drawn(known):
    return ElementTree.fromstring(map.drawing(lambda name: f"{name}.html" if name in known else None))


def links(tree):
    return {link.get("href") for link in tree.iter("a")}


def test_every_chapter_of_the_book_but_this_one_stands_on_the_map():
    assert set(CHAPTERS) - {"01_transformers"} <= set(map.CHAPTERS)
    assert {block.number for block in map.BLOCKS} | {frame[1] for frame in map.FRAMES} == set(map.NAMES)


def test_what_exists_is_a_link_in_drawing_and_words_and_what_does_not_is_none():
    tree = drawn({"06_attention", "08_ffn"})
    assert links(tree.find("svg")) == links(tree.find("details")) == {"06_attention.html", "08_ffn.html"}
    to_come = [g for g in tree.iter("g") if g.get("class") == "mt-to-come"]
    assert len(to_come) == len(map.BLOCKS) + len(map.FRAMES) - 4  # attention stands twice, and FFN
    assert "Algebra, to come" in "".join(tree.find("details").itertext())


def test_every_link_says_where_it_leads():
    for link in drawn(map.CHAPTERS).find("svg").iter("a"):
        assert re.fullmatch(r".+: chapter \d+, .+", link.get("aria-label"))


def test_no_block_lies_on_another_or_beyond_the_edge():
    for i, a in enumerate(map.BLOCKS):
        assert 0 <= a.x and a.x + a.w <= map.WIDTH and map.TOP <= a.y and a.y + a.h <= map.TOP + map.HEIGHT
        for b in map.BLOCKS[i + 1 :]:
            assert a.x + a.w <= b.x or b.x + b.w <= a.x or a.y + a.h <= b.y or b.y + b.h <= a.y, (a, b)


def test_a_notebook_gets_the_map_in_words(tmp_path):
    (tmp_path / "06_attention.md").touch()
    said = map.in_words(tmp_path)
    assert "- 6. [Attention](06_attention.md)" in said and "- 7. Residuals, to come" in said
