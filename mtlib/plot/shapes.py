"""Geometry as SVG text: tenths of a pixel, and a form that does not hang on the numbers.

The frames of a control share one template as long as their forms are equal, so no shorthand is used
where two numbers merely happen to be the same (no H and V for a line that is level in one frame).
"""

import base64
import io

import numpy as np
from matplotlib.path import Path

_LETTERS = {Path.MOVETO: ("M", 1), Path.LINETO: ("L", 1), Path.CURVE3: ("Q", 2), Path.CURVE4: ("C", 3)}
_CIRCLE = Path.unit_circle().codes.tolist()  # type: ignore[union-attr]  # an array
_BOX = [Path.MOVETO, Path.LINETO, Path.LINETO, Path.LINETO, Path.CLOSEPOLY]


def number(x, digits=1):
    """Shortest decimal of x: 3.04 -> "3", -0.02 -> "0"."""
    text = f"{x:.{digits}f}".rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def rect(x0, y0, x1, y1):
    """A rectangle between two corners, as element name and geometry; its edges are rounded, so that neighbours share theirs."""
    (x0, x1), (y0, y1) = sorted((round(x0, 1), round(x1, 1))), sorted((round(y0, 1), round(y1, 1)))
    return f'rect x="{number(x0)}" y="{number(y0)}" width="{number(x1 - x0)}" height="{number(y1 - y0)}"'


def shape(points, codes):
    """An outline as element name and geometry: a rectangle, a circle or a path."""
    if codes == _BOX:
        (x0, y0), (x1, y1), (x2, y2), (x3, y3) = points[:4].round(3).tolist()
        if (x0, y0, x2, y2) in ((x3, y1, x1, y3), (x1, y3, x3, y1)):
            return rect(x0, y0, x2, y2)
    if codes == _CIRCLE:
        centre = (points.min(0) + points.max(0)) / 2
        radii = np.hypot(*(points[:-1:3] - centre).T)
        if np.ptp(radii) < 0.01:
            return f'circle cx="{number(centre[0])}" cy="{number(centre[1])}" r="{number(radii[0], 2)}"'
    out, last, i = [], None, 0
    while i < len(codes):
        letter, n = _LETTERS.get(codes[i], ("Z", 1))
        if letter != last or letter == "M":
            out.append(letter)
        if letter != "Z":
            out.append(" ".join(f"{number(x)} {number(y)}" for x, y in points[i : i + n].tolist()))
        last, i = letter, i + n
    return f'path d="{_join(out)}"'


def _join(words):
    """Letters and runs of numbers to path data: a space only between two numbers."""
    text = " ".join(words)
    for letter in "MLQCZ":
        text = text.replace(f" {letter}", letter).replace(f"{letter} ", letter)
    return text


def png(im):
    """RGBA pixels, top row first, as a data URI."""
    from PIL import Image

    out = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(im)).save(out, "png", optimize=True)
    return "data:image/png;base64," + base64.b64encode(out.getvalue()).decode()
