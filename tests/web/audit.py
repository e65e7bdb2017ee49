"""`make audit`: every built page in a real browser, and a row for each; exit status 1 where anything is found.

    elsewhere   requests to another origin       console   errors, warnings, failed requests
    axe         rules broken, in both looks      dead      controls that change nothing when moved
    links       files and places that are not    sideways  beyond 375 pixels, or cut off there
    paper       controls that print without their picture, or with fields
"""

import sys
from typing import NamedTuple

from playwright.sync_api import sync_playwright

from . import looks, site


class Row(NamedTuple):
    page: str
    elsewhere: int
    console: int
    axe: int
    dead: int
    links: int
    sideways: int
    paper: int


def audit(browser, address: str, name: str, read: dict) -> tuple[Row, list[str]]:
    """A page's row, and every finding in words."""
    told, found = [], {look: looks.visit(browser, address, look, name) for look in looks.LOOKS}
    trouble = [line for seen in found.values() for line in seen["trouble"]]
    elsewhere = [line for line in trouble if line.startswith("another origin")]
    axe = [f"{look}: {v['id']} {v['nodes'][0]['target']}" for look, seen in found.items() for v in seen["violations"]]
    context = browser.new_context(viewport={"width": 1200, "height": 900})
    page = site.watch(context, address)
    site.open_ready(page, f"{address}/{name}")
    dead = looks.dead_controls(page)
    context.close()
    links = looks.broken_links(name, read)
    phone = found["phone"]
    sideways = [f"{phone['width']} pixels wide"] if phone["width"] > 375 else []
    sideways += phone["beyond"]
    paper = found["desk"]["on_paper"]
    for findings in (trouble, axe, dead, links, sideways, paper):
        told += findings
    quiet = len(trouble) - len(elsewhere)
    return Row(name, len(elsewhere), quiet, len(axe), len(dead), len(links), len(sideways), len(paper)), told


def main() -> int:
    """Print the table while it grows; what was found comes after it."""
    assert site.HTML.is_dir(), "no built book: run `make book` first"
    names, told, read = site.pages(), [], {}
    wide = max(map(len, names)) + 2
    print("page".ljust(wide) + "".join(f"{column:>11}" for column in Row._fields[1:]), flush=True)
    with sync_playwright() as playwright, site.served(site.HTML) as address:
        browser = playwright.chromium.launch(executable_path=site.chromium(), args=site.ARGS)
        for name in names:
            row, findings = audit(browser, address, name, read)
            print(row.page.ljust(wide) + "".join(f"{count:>11}" for count in row[1:]), flush=True)
            told += [f"{name}: {finding}" for finding in findings]
        browser.close()
    print(*["", *told] if told else ["", f"{len(names)} pages, nothing found"], sep="\n")
    return 1 if told else 0


if __name__ == "__main__":
    sys.exit(main())
