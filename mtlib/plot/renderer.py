"""A matplotlib renderer that writes small SVG.

matplotlib's own SVG backend writes about ten times the bytes and takes twice the time: it gives each
clip, glyph and marker an id and each element a style. Here an element is one line with the attributes
it needs, numbers are tenths of a pixel, colours are themable, and text stays text.

Left out: hatches, gradients (Gouraud triangles), TeX; each says so.
"""

import base64
import io
from html import escape

import numpy as np
from matplotlib.backend_bases import RendererBase
from matplotlib.colors import to_hex
from matplotlib.path import Path

from . import style

# Colours that are roles. Everything else is data and stays what it is.
_ROLES = {
    style.INK: "currentColor",
    "#000000": "currentColor",
    "#ffffff": "var(--mt-paper,#fff)",
    style.FAINT: f"var(--mt-faint,{style.FAINT})",
    style.BLUE: f"var(--mt-blue,{style.BLUE})",
    style.ORANGE: f"var(--mt-orange,{style.ORANGE})",
    style.GREEN: f"var(--mt-green,{style.GREEN})",
    style.RED: f"var(--mt-red,{style.RED})",
    style.PURPLE: f"var(--mt-purple,{style.PURPLE})",
    style.GREY: f"var(--mt-grey,{style.GREY})",
}
_LETTERS = {Path.MOVETO: ("M", 1), Path.LINETO: ("L", 1), Path.CURVE3: ("Q", 2), Path.CURVE4: ("C", 3)}
_CIRCLE = Path.unit_circle().codes.tolist()
_BOX = [Path.MOVETO, Path.LINETO, Path.LINETO, Path.LINETO, Path.CLOSEPOLY]
_MOST_CELLS = 2048  # above this an image is cheaper as a PNG


def number(x, digits=1):
    """Shortest decimal of x: 3.04 -> "3", -0.02 -> "0"."""
    text = f"{x:.{digits}f}".rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


class SmallSVG(RendererBase):
    """Draws a figure into `self.parts`. Origin top left, y down, CSS pixels."""

    def __init__(self, width, height, dpi):
        super().__init__()
        self.width, self.height, self.dpi = width, height, dpi
        self.parts = []
        self._clip = None

    # --- what matplotlib asks about ---------------------------------------------------------------
    def get_canvas_width_height(self):
        return self.width, self.height

    def points_to_pixels(self, points):
        return points * self.dpi / 72

    def option_scale_image(self):
        return True  # we draw an image's own cells, not a resampled picture of them

    def get_image_magnification(self):
        return 2.0  # for the images that are resampled after all

    # --- drawing ----------------------------------------------------------------------------------
    def draw_path(self, gc, path, transform, rgbFace=None):
        if gc.get_hatch():
            raise NotImplementedError("hatches are not drawn here: use a colour, or draw the lines")
        paint = self._fill(gc, rgbFace) + self._stroke(gc)
        if paint == ' fill="none"':
            return
        shape = path.cleaned(transform, remove_nans=True, curves=True, simplify=path.should_simplify)
        points = shape.vertices[:-1] * (1, -1) + (0, self.height)  # the last one is STOP
        if len(points):
            self._put(gc, f"<{_shape(points, shape.codes[:-1].tolist())}{paint}/>")

    def draw_text(self, gc, x, y, s, prop, angle, ismath=False, mtext=None):
        if ismath:
            return self._draw_text_as_path(gc, x, y, s, prop, angle, ismath, mtext)
        # The reader's font is not the one matplotlib measured: hang the text on the point that its
        # author aligned, so that centred stays centred whatever the width of the letters.
        anchor = _anchor(mtext, angle)
        if anchor != "start":
            along = self.get_text_width_height_descent(s, prop, ismath)[0] * (0.5 if anchor == "middle" else 1)
            x, y = x + np.cos(np.deg2rad(angle)) * along, y - np.sin(np.deg2rad(angle)) * along
        weight = prop.get_weight()
        bold = weight in ("bold", "semibold", "heavy") or (not isinstance(weight, str) and weight >= 600)
        self._put(gc, "".join([
            f'<text x="{number(x)}" y="{number(y)}"',
            f' transform="rotate({number(-angle)} {number(x)} {number(y)})"' if angle else "",
            f' font-size="{number(self.points_to_pixels(prop.get_size_in_points()))}"',
            f' text-anchor="{anchor}"' if anchor != "start" else "",
            ' font-weight="600"' if bold else "",
            ' font-style="italic"' if prop.get_style() != "normal" else "",
            ' font-family="ui-monospace,monospace"' if "monospace" in prop.get_family() else "",
            f' fill="{_color(gc.get_rgb())}"', _opacity("fill", gc.get_alpha()), f">{escape(s, quote=False)}</text>",
        ]))  # fmt: skip

    def draw_image(self, gc, x, y, im, transform=None):
        rows, cols = im.shape[:2]  # row 0 is the lowest
        if transform is None:  # resampled by matplotlib, at our magnification
            scale = self.get_image_magnification()
            left, top, right, bottom = x, self.height - y - rows / scale, x + cols / scale, self.height - y
        else:  # from the unit square to the page, y up
            (left, bottom), (right, top) = transform.transform([(0, 0), (1, 1)]) + (x, y)
            top, bottom = self.height - top, self.height - bottom
        im = im[::-1]
        if transform is not None and rows * cols <= _MOST_CELLS:
            xs, ys = np.linspace(left, right, cols + 1), np.linspace(top, bottom, rows + 1)
            self._put(gc, '<g shape-rendering="crispEdges">' + "".join(
                f'<{_rect(xs[j], ys[i], xs[j + 1], ys[i + 1])} fill="{_color(im[i, j, :3] / 255)}"{_opacity("fill", im[i, j, 3] / 255)}/>'
                for i in range(rows) for j in range(cols)) + "</g>")  # fmt: skip
            return
        self._put(gc, f'<image x="{number(left)}" y="{number(top)}" width="{number(right - left)}" '
                      f'height="{number(bottom - top)}" preserveAspectRatio="none" href="{_png(im)}"'
                      f'{" style=image-rendering:pixelated" if transform is not None else ""}/>')  # fmt: skip

    def draw_gouraud_triangles(self, gc, triangles_array, colors_array, transform):
        raise NotImplementedError("smooth shading is not drawn here: use pcolormesh(shading='flat')")

    def draw_tex(self, gc, x, y, s, prop, angle, *, mtext=None):
        raise NotImplementedError("usetex is not drawn here: matplotlib's own $math$ is")

    def svg(self):
        """The finished picture's inside."""
        self._end_clip()
        return "".join(self.parts)

    # --- attributes -------------------------------------------------------------------------------
    def _fill(self, gc, rgb):
        if rgb is None or (len(rgb) == 4 and rgb[3] == 0):
            return ' fill="none"'
        alpha = gc.get_alpha() if gc.get_forced_alpha() else (rgb[3] if len(rgb) == 4 else 1)
        return f' fill="{_color(rgb)}"{_opacity("fill", alpha)}'

    def _stroke(self, gc):
        rgb, width = gc.get_rgb(), self.points_to_pixels(gc.get_linewidth())
        alpha = gc.get_alpha() if gc.get_forced_alpha() else rgb[3]
        if width == 0 or alpha == 0:
            return ""
        offset, dashes = gc.get_dashes()
        dash = "" if dashes is None else f' stroke-dasharray="{" ".join(number(self.points_to_pixels(d)) for d in dashes)}"'
        return f' stroke="{_color(rgb)}" stroke-width="{number(width, 2)}"{_opacity("stroke", alpha)}{dash}'

    def _put(self, gc, element):
        """Add an element under gc's clip. A nested <svg> clips without needing an id."""
        box = gc.get_clip_rectangle()
        clip = None
        if box is not None:
            x, y, w, h = (number(v) for v in (box.x0, self.height - box.y1, box.width, box.height))
            clip = f'<svg x="{x}" y="{y}" width="{w}" height="{h}" viewBox="{x} {y} {w} {h}">'
        if clip != self._clip:
            self._end_clip()
            if clip:
                self.parts.append(clip)
            self._clip = clip
        self.parts.append(element)

    def _end_clip(self):
        if self._clip:
            self.parts.append("</svg>")
        self._clip = None


def _color(rgb):
    hexed = to_hex(rgb[:3])
    return _ROLES.get(hexed, hexed)


def _opacity(kind, alpha):
    return "" if alpha is None or alpha >= 0.995 else f' {kind}-opacity="{number(alpha, 2)}"'


def _anchor(mtext, angle):
    """SVG's word for where along the text its anchor is."""
    if mtext is None:  # one line of several
        return "middle"
    if mtext.get_rotation_mode() == "anchor" or angle % 180 != 90:
        return {"left": "start", "center": "middle", "right": "end"}[mtext.get_ha()]
    words = {"bottom": "start", "center": "middle", "center_baseline": "middle", "top": "end"}
    word = words.get(mtext.get_va(), "start")  # a quarter turn: height runs along the text
    return word if angle % 360 == 90 else {"start": "end", "end": "start"}.get(word, word)


def _rect(x0, y0, x1, y1):
    (x0, x1), (y0, y1) = sorted((x0, x1)), sorted((y0, y1))
    return f'rect x="{number(x0)}" y="{number(y0)}" width="{number(x1 - x0)}" height="{number(y1 - y0)}"'


def _shape(points, codes):
    """Element name and geometry. The form must not hang on the numbers (no H and V where two happen
    to be equal): frames of one control share a template as long as their forms are equal."""
    if codes == _BOX:
        (x0, y0), (x1, y1), (x2, y2), (x3, y3) = points[:4].round(3).tolist()
        if (x0, y0, x2, y2) in ((x3, y1, x1, y3), (x1, y3, x3, y1)):
            return _rect(x0, y0, x2, y2)
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


def _png(im):
    from PIL import Image

    out = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(im)).save(out, "png", optimize=True)
    return "data:image/png;base64," + base64.b64encode(out.getvalue()).decode()
