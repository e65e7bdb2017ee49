"""The theme's icons, the dozen and a half that it shows of its two thousand: 3 kB instead of 156.

They are cut at build time from the font that the theme's wheel ships, and declared as a face of the
same family for just their characters. A browser asks that face first; any other icon still comes from
the theme's own file, so a name missing below costs weight and nothing else.
"""

from pathlib import Path

import pydata_sphinx_theme
from fontTools import subset
from fontTools.ttLib import TTFont

_FONT = Path(pydata_sphinx_theme.__file__).parent.joinpath(
    "theme", "pydata_sphinx_theme", "static", "vendor", "fontawesome", "webfonts", "fa-solid-900.ttf")  # fmt: skip
_SHOWN = (
    "angle-left", "angle-right", "arrow-up", "arrow-up-right-from-square", "bars", "chevron-down", "chevron-right",
    "chevron-up", "circle-exclamation", "circle-half-stroke", "circle-info", "code", "download", "expand", "file",
    "file-pdf", "lightbulb", "list", "magnifying-glass", "moon", "rocket", "sun", "triangle-exclamation", "xmark",
)  # fmt: skip
_LICENCE = [0, 13, 14]  # what the font's name table says of its authors and terms; a changed font goes by another name


def write_icons(folder: Path) -> str:
    """Write icons.woff there; returns the CSS that declares it, for a sheet in the same folder."""
    if not _FONT.is_file():  # another theme, another place: its own file serves
        return ""
    font = TTFont(_FONT, recalcTimestamp=False)  # the same bytes from every build
    family = font["name"].getBestFamilyName()
    cutter = subset.Subsetter(subset.Options(name_IDs=_LICENCE, ignore_missing_glyphs=True, notdef_outline=False))
    cutter.populate(glyphs=_SHOWN)
    cutter.subset(font)
    for name_id in (1, 4, 6):
        font["name"].setName("mtbook-icons", name_id, 3, 1, 0x409)
    font.flavor = "woff"  # woff2 would need one more package, to save a few hundred bytes
    font.save(folder / "icons.woff")
    places = ",".join(f"U+{code:X}" for code in sorted(font.getBestCmap()))
    return (
        f'@font-face{{font-family:"{family}";font-weight:900;font-display:block;'
        f'src:url(icons.woff) format("woff");unicode-range:{places}}}\n'
    )
