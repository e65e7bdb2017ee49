"""A front-end module and the files it imports, as one text: over file:// a page can load no second file."""

import re
from functools import cache
from pathlib import Path

HERE = Path(__file__).parent
_EXPORT = re.compile(r"^export (?=(?:async )?(?:const|function|class) (\w+))", re.M)
_IMPORT = re.compile(r'^import \{[^}]*\} from "\./([a-z_]+)\.js";\n', re.M)


@cache
def bundle(name: str) -> str:
    """The module `name`.js with what it imports in front, each file once and in a scope of its own.

    >>> bundle("plan").count("export default")
    1
    """
    texts: dict[str, str] = {}

    def take(stem: str) -> None:
        text = (HERE / f"{stem}.js").read_text("utf8")
        for other in _IMPORT.findall(text):
            if other not in texts:
                take(other)
        texts[stem] = _IMPORT.sub("", text)

    take(name)
    own = texts.pop(name)
    return "".join(map(_scope, texts.values())) + own


def _scope(text: str) -> str:
    """A module's text as an expression that gives what it exports; what it imports stands before it already."""
    names = ", ".join(_EXPORT.findall(text))
    return f"const {{ {names} }} = (() => {{\n{_EXPORT.sub('', text)}return {{ {names} }};\n}})();\n"


def bundles() -> dict[str, str]:
    """Every module that a page's host can start, by name: those that export a default."""
    starts = [path.stem for path in sorted(HERE.glob("*.js")) if re.search(r"^export default", path.read_text("utf8"), re.M)]
    return {name: bundle(name) for name in starts}
