"""A chapter's text for a plain notebook: Jupyter knows Markdown, and none of the book's directives.

What the page shows as a box becomes a quotation, a listing becomes the code itself, a citation
names author and year, a link to another page becomes a link to the file it is made from.
"""

import ast
import re
from pathlib import Path

from .map import in_words
from .source import Directive, directives

_TARGET = re.compile(r"^\([\w-]+\)=\n", re.M)
_CITE = re.compile(r"\{cite(?::(?P<kind>[tp]))?\}`(?P<keys>[^`]+)`")
_ENTRY = re.compile(r"@\w+\{(?P<key>[^,]+),(?P<fields>.*?)^\}", re.S | re.M)
_HERE = re.compile(r"\[(?P<text>[^\]]+)\]\(#[\w-]+\)")


def plain(text: str, folder: Path, bibliography: Path) -> str:
    """The Markdown of one cell, its directives and roles put into words; `folder` is the chapter's."""
    text = _worded(text, folder)
    text = _CITE.sub(lambda found: _cited(found, _authors(bibliography)), text)
    return _HERE.sub(lambda found: found["text"], _TARGET.sub("", text))


def _worded(text: str, folder: Path) -> str:
    """Every directive put into words, those inside a box as well."""
    lines = text.split("\n")
    for found in reversed(list(directives(text))):  # from the end, so that the lines before keep their numbers
        said = _said(found, folder)
        if said is not None:
            lines[found.start : found.end] = said.split("\n")
    return "\n".join(lines)


def _said(found: Directive, folder: Path) -> str | None:
    if found.name == "answer":
        return _quoted(f"**In short.** {_worded(found.body, folder)}")
    if found.name == "claim":
        return _quoted(f"**The notes say** {found.options['says']}\n\n**Measured here.** {_worded(found.body, folder)}")
    if found.name == "quiz":
        return f"**{found.argument}**\n\n{_choices(found.body)}"
    if found.name == "literalinclude":
        return f"```python\n{_listing(folder / found.argument, found.options.get('pyobject'))}\n```"
    if found.name == "map":
        return in_words(folder)
    if found.name == "bibliography":
        return ""
    return None


def _quoted(text: str) -> str:
    return "\n".join(f"> {line}".rstrip() for line in text.split("\n"))


def _choices(body: str) -> str:
    """Each option a <details>, which Jupyter folds as the page does."""
    made = []
    for item in re.split(r"^- (?=\[[ xX]\])", body, flags=re.M)[1:]:
        mark, offered, why = re.match(r"\[([ xX])\] ([^\n]*)\n(.*)", item, re.S).groups()
        verdict = "Right." if mark in "xX" else "Not this one."
        made.append(f"<details><summary>{offered}</summary>\n\n**{verdict}** {' '.join(why.split())}\n\n</details>")
    return "\n".join(made)


def _listing(path: Path, name: str | None) -> str:
    """A file, or one class, function or method of it, `Class.method`."""
    source = path.read_text("utf8")
    if name is None:
        return source.rstrip("\n")
    node = ast.parse(source)
    for part in name.split("."):
        node = next(child for child in ast.iter_child_nodes(node) if getattr(child, "name", None) == part)
    first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
    return "\n".join(line[node.col_offset :] for line in source.split("\n")[first - 1 : node.end_lineno])


def _authors(bibliography: Path) -> dict[str, str]:
    """Key of each entry -> "Vaswani et al. 2017"."""
    names = {}
    for entry in _ENTRY.finditer(bibliography.read_text("utf8")):
        year = re.search(r"year = \{(\d+)\}", entry["fields"])[1]
        people = re.search(r"author = \{(.*)\}", entry["fields"])[1].split(" and ")
        family = [person.split(",")[0].strip("{}") for person in people]
        names[entry["key"]] = f"{family[0] + ' et al.' if len(family) > 2 else ' and '.join(family)} {year}"
    return names


def _cited(found: re.Match, names: dict[str, str]) -> str:
    words = "; ".join(names[key.strip()] for key in found["keys"].split(","))
    return words if found["kind"] == "t" else f"({words})"
