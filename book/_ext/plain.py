"""A chapter's text for a plain notebook: Jupyter knows Markdown, and none of the book's directives.

What the page shows as a box becomes a quotation, a listing becomes the code itself, a citation
names author and year, a link to another page becomes a link to the file it is made from.
"""

import ast
import re
from pathlib import Path

_DIRECTIVE = re.compile(r"^(:{3,}|`{3,})\{(?P<name>[\w-]+)\} ?(?P<argument>[^\n]*)\n(?P<body>.*?)^\1[ ]*$", re.S | re.M)
_OPTION = re.compile(r"^:(\w+):[ ]*(.*)$", re.M)
_TARGET = re.compile(r"^\([\w-]+\)=\n", re.M)
_CITE = re.compile(r"\{cite(?::(?P<kind>[tp]))?\}`(?P<keys>[^`]+)`")
_ENTRY = re.compile(r"@\w+\{(?P<key>[^,]+),(?P<fields>.*?)^\}", re.S | re.M)
_HERE = re.compile(r"\[(?P<text>[^\]]+)\]\(#[\w-]+\)")


def plain(text: str, folder: Path, bibliography: Path) -> str:
    """The Markdown of one cell, its directives and roles put into words; `folder` is the chapter's."""
    text = _DIRECTIVE.sub(lambda found: _said(found, folder), text)
    text = _CITE.sub(lambda found: _cited(found, _authors(bibliography)), text)
    return _HERE.sub(lambda found: found["text"], _TARGET.sub("", text))


def _said(found: re.Match, folder: Path) -> str:
    name, body = found["name"], found["body"]
    options = dict(_OPTION.findall(body))
    body = _OPTION.sub("", body).strip()
    if name == "answer":
        return _quoted(f"**In short.** {body}")
    if name == "claim":
        return _quoted(f"**The notes say** {options['says']}\n\n**Measured here.** {body}")
    if name == "quiz":
        return f"**{found['argument']}**\n\n{_choices(body)}"
    if name == "literalinclude":
        return f"```python\n{_listing(folder / found['argument'].strip(), options.get('pyobject'))}\n```"
    if name == "bibliography":
        return ""
    return found[0]


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
    """The source of one class, function or method, `Class.method`, of a file."""
    source = path.read_text("utf8")
    node = ast.parse(source)
    for part in (name or "").split("."):
        node = next(child for child in ast.iter_child_nodes(node) if getattr(child, "name", None) == part)
    lines = source.split("\n")[node.lineno - 1 : node.end_lineno]
    return "\n".join(line[node.col_offset :] for line in lines)


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
