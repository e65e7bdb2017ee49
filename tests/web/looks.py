"""What is asked of every built page: tests hold each to it, `make audit` prints it as a table."""

from html.parser import HTMLParser
from urllib.parse import unquote, urlsplit

from axe_playwright_python.sync_playwright import Axe

from . import site

LOOKS = {"desk": ("http", "light", 1200, 900), "phone": ("file", "dark", 375, 740)}

# Whatever is asked of a page, asked in one visit.
_AROUND = """() => {
    const boxes = (selector) => [...document.querySelectorAll(selector)].filter((e) => e.getClientRects().length);
    const beyond = boxes('.bd-article svg.mt-svg, .bd-article :is(input, select, p, h1, h2)')
        .filter((e) => e.getBoundingClientRect().right > innerWidth + 0.5)
        .filter((e) => !e.closest('.pst-scrollable-table-container'))  // a wide table scrolls in its own box
        .map((e) => e.outerHTML.slice(0, 80));
    const pictures = boxes(':is(.mt-picture, .mt-figure) > svg').filter((e) => e.viewBox.baseVal.width >= 375)
        .map((e) => [e.getBoundingClientRect().left, e.getBoundingClientRect().right]);
    const paper = getComputedStyle(document.body).backgroundColor;
    const captions = [...document.querySelectorAll('.mt-figure figcaption')]
        .map((e) => [getComputedStyle(e).fontWeight, getComputedStyle(e).color, paper]);
    return {theme: document.documentElement.dataset.theme, width: document.scrollingElement.scrollWidth,
            icon: document.querySelectorAll('link[rel~=icon]').length, beyond, pictures, captions};
}"""

# On paper: a control without its picture, or with fields that nobody can move there.
_ON_PAPER = """() => [...document.querySelectorAll('[data-module=frames]')]
    .filter((e) => !e.querySelector('.mt-picture > svg').getClientRects().length
                || [...e.querySelectorAll('input, select')].some((f) => f.getClientRects().length))
    .map((e) => e.querySelector('legend').textContent.slice(0, 60))"""


def visit(browser, address: str, look: str, name: str) -> dict:
    """Go to a page in one of LOOKS, and say what is found there."""
    scheme, theme, width, height = LOOKS[look]
    base = address if scheme == "http" else site.HTML.as_uri()
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=theme)
    page, asked = site.watch(context, base), []
    page.on("request", lambda request: asked.append(request.url.rsplit("/", 1)[-1]))
    site.open_ready(page, f"{base}/{name}", wait_until="networkidle")
    page.evaluate("document.fonts.ready")
    page.wait_for_timeout(300)  # formulas are set after the page has loaded
    found = page.evaluate(_AROUND) | {"asked": asked, "trouble": list(page.trouble)}
    page.add_style_tag(content="* { animation: none !important; transition: none !important; }")  # no half-faded text
    page.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
    page.evaluate("""[...document.querySelectorAll('.highlight pre')].slice(4)
        .forEach((e) => { e.textContent = e.textContent; })""")  # thousands of words in the same few colours
    found["violations"] = Axe().run(page).response["violations"]
    page.emulate_media(media="print")
    found["on_paper"] = page.evaluate(_ON_PAPER)
    context.close()
    return found


class _Links(HTMLParser):
    """The places a page has, and the places it names."""

    def __init__(self):
        super().__init__()
        self.places, self.named = set(), []

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        self.places |= {given[key] for key in ("id", "name") if given.get(key)}
        self.named += [given[key] for key in ("href", "src") if given.get(key)]


def broken_links(name: str, read: dict) -> list[str]:
    """What a page names and the book has not: a file, or a place in a page. `read` keeps what was read of other pages."""

    def links(file):
        if file not in read:
            read[file] = _Links()
            read[file].feed(file.read_text("utf8"))
        return read[file]

    file, broken = (site.HTML / name).resolve(), []
    for link in links(file).named:
        parts = urlsplit(link)
        if parts.scheme or parts.netloc:
            continue  # elsewhere, or data
        target = (file.parent / unquote(parts.path)).resolve() if parts.path else file
        if not target.is_file() or (
            parts.fragment and target.suffix == ".html" and unquote(parts.fragment) not in links(target).places
        ):
            broken.append(link)
    return broken


def fields(page):
    return page.locator("[data-module=frames] :is(input, select)").all()


def shown(field):
    """What the control around a field shows: the picture, and the sentence under it."""
    return field.evaluate("""(field) => { const el = field.closest('[data-module=frames]');
        return [el.querySelector('.mt-picture').innerHTML, el.querySelector('.mt-says > span').textContent]; }""")


def press(page, field) -> str:
    """Press a key that must change this field; returns its name."""
    kind = field.evaluate("(f) => f.type")
    key = "Space"
    if kind != "checkbox":
        at, last = field.evaluate("(f) => f.type === 'range' ? [+f.value, +f.max] : [f.selectedIndex, f.length - 1]")
        key = ("ArrowRight" if kind == "range" else "ArrowDown") if at < last else ("ArrowLeft" if kind == "range" else "ArrowUp")
    field.focus()
    page.keyboard.press(key)
    return key


def dead_controls(page) -> list[str]:
    """Fields that change nothing when moved by key."""
    dead = []
    for field in fields(page):
        before = shown(field)
        key = press(page, field)
        if shown(field) == before:
            dead.append(f"{field.evaluate('(f) => f.labels[0].textContent')}: {key} changes nothing")
    return dead
