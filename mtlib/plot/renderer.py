"""A matplotlib renderer that writes small SVG.

matplotlib's own SVG backend writes about ten times the bytes and takes twice the time: it gives each
clip, glyph and marker an id and each element a style. Here an element is one line with the attributes
it needs, numbers are tenths of a pixel, colours are themable, and text stays text.

Left out: hatches, gradients (Gouraud triangles), TeX; each says so.
"""

from functools import lru_cache
from html import escape

import numpy as np
from matplotlib.backend_bases import RendererBase
from matplotlib.colors import to_hex

from . import style
from .shapes import number, png, rect, shape

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
_MOST_CELLS = 2048  # above this an image is cheaper as a PNG


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

    def get_text_width_height_descent(self, s, prop, ismath):
        return _measure(s, prop, ismath, self.dpi)

    # --- drawing ----------------------------------------------------------------------------------
    def draw_path(self, gc, path, transform, rgbFace=None):
        if gc.get_hatch():
            raise NotImplementedError("hatches are not drawn here: use a colour, or draw the lines")
        paint = self._fill(gc, rgbFace) + self._stroke(gc)
        if paint == ' fill="none"':
            return
        outline = path.cleaned(transform, remove_nans=True, curves=True, simplify=path.should_simplify)
        points = outline.vertices[:-1] * (1, -1) + (0, self.height)  # the last one is STOP
        if len(points):
            self._put(gc, f"<{shape(points, outline.codes[:-1].tolist())}{paint}/>")

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
                f'<{rect(xs[j], ys[i], xs[j + 1], ys[i + 1])} fill="{_color(im[i, j, :3] / 255)}"{_opacity("fill", im[i, j, 3] / 255)}/>'
                for i in range(rows) for j in range(cols)) + "</g>")  # fmt: skip
            return
        if top > bottom:  # the first row is at the top: a picture of negative height would not be drawn
            top, bottom, im = bottom, top, im[::-1]
        self._put(gc, f'<image x="{number(left)}" y="{number(top)}" width="{number(right - left)}" '
                      f'height="{number(bottom - top)}" preserveAspectRatio="none" href="{png(im)}"'
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


@lru_cache(8192)  # the same few words stand in every frame, and measuring is the slow part of a text
def _measure(s, prop, ismath, dpi):
    return RendererBase.get_text_width_height_descent(SmallSVG(1, 1, dpi), s, prop, ismath)


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
