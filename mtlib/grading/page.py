"""A report in one HTML file: a table of all submissions that sorts by a click, and each submission in full below.

It needs nothing but itself: no network, no other file, and without scripts it is the same table unsorted.
"""

from html import escape
from pathlib import Path

from .grade import Mark, Sheet

_STYLE = """
:root { color-scheme: light dark; --line: #8888; --bad: #b3261e; --good: #1b6e3a }
@media (prefers-color-scheme: dark) { :root { --bad: #ff9a92; --good: #7ddb9f } }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem }
.wide { overflow-x: auto } table { border-collapse: collapse; width: 100% }
th, td { text-align: left; padding: .3rem .6rem; border-bottom: 1px solid var(--line); vertical-align: top }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums }
th button { font: inherit; font-weight: bold; background: none; border: 0; padding: 0; cursor: pointer; color: inherit }
[aria-sort=ascending] button::after { content: " \\2191" } [aria-sort=descending] button::after { content: " \\2193" }
pre { overflow-x: auto; border-left: 3px solid var(--line); padding-left: .8rem } .bad { color: var(--bad) }
.good { color: var(--good) } summary { cursor: pointer; padding: .3rem 0 } a { color: inherit }
"""
_SCRIPT = """
for (const head of document.querySelectorAll("#all th")) {
  const button = document.createElement("button");
  button.append(...head.childNodes); head.append(button);
  button.onclick = () => {
    const body = document.querySelector("#all tbody"), column = head.cellIndex;
    const down = head.getAttribute("aria-sort") === "ascending" ? -1 : 1;
    const key = row => row.cells[column].dataset.n ?? row.cells[column].textContent;
    const rows = [...body.rows].sort((a, b) => down * key(a).localeCompare(key(b), undefined, { numeric: true }));
    for (const other of document.querySelectorAll("#all th")) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", down === 1 ? "ascending" : "descending");
    body.append(...rows);
  };
}
for (const link of document.querySelectorAll("#all a"))
  link.onclick = () => document.querySelector(link.hash).open = true;
"""


def page(sheets: list[Sheet]) -> str:
    """The report, whole."""
    ids = list(dict.fromkeys(mark.id for sheet in sheets for mark in sheet.marks))
    heads = "".join(f'<th scope="col" class="n">{escape(id)}</th>' for id in ids)
    rows = "".join(_row(number, sheet, ids) for number, sheet in enumerate(sheets))
    full = "".join(_full(number, sheet) for number, sheet in enumerate(sheets))
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Grades of {len(sheets)} submissions</title><style>{_STYLE}</style></head><body>
<main><h1>Grades of {len(sheets)} submissions</h1>
<div class="wide" tabindex="0" role="region" aria-label="All submissions"><table id="all">
<thead><tr><th scope="col">file</th><th scope="col" class="n">points</th><th scope="col" class="n">percent</th>{heads}</tr></thead>
<tbody>{rows}</tbody></table></div>
<h2>Each in full</h2>{full}</main>
<script>{_SCRIPT}</script></body></html>
"""


def _row(number: int, sheet: Sheet, ids: list[str]) -> str:
    marks = {mark.id: mark for mark in sheet.marks}
    cells = "".join(_number(marks[id].earned, marks[id].points) if id in marks else '<td class="n">–</td>' for id in ids)
    name = f'<a href="#s{number}">{escape(sheet.file)}</a>'
    percent = f'<td class="n" data-n="{sheet.percent:.1f}">{sheet.percent:.0f}%</td>'
    return f"<tr><td>{name}</td>{_number(sheet.earned, sheet.points)}{percent}{cells}</tr>"


def _number(earned: int, points: int) -> str:
    return f'<td class="n {"good" if earned == points else "bad"}" data-n="{earned}">{earned}/{points}</td>'


def _full(number: int, sheet: Sheet) -> str:
    notes = "".join(f"<li>{escape(note)}</li>" for note in sheet.notes)
    marks = "".join(map(_mark, sheet.marks))
    return f"""<details id="s{number}"><summary>{escape(Path(sheet.file).name)}: {sheet.earned} of {sheet.points}</summary>
<p>Chapter {escape(sheet.chapter) or "unknown"}; seed {sheet.seed} draws the same cases again.</p>
{f"<ul>{notes}</ul>" if notes else ""}{marks}</details>"""


def _mark(mark: Mark) -> str:
    rows = "".join(
        f"<tr><td>{escape(row['name'])}</td>{_number(row['earned'], row['points'])}"
        f'<td class="n">{row["tried"]}</td><td>{escape(row["wrong"])}</td></tr>'
        for row in mark.properties
    )
    said = f"<pre>{escape(mark.message)}</pre>" if mark.message else ""
    return f"""<h3>{escape(mark.id)}: {mark.earned} of {mark.points}</h3><table>
<thead><tr><th scope="col">promise</th><th scope="col" class="n">points</th><th scope="col" class="n">cases</th>
<th scope="col">what is wrong</th></tr></thead><tbody>{rows}</tbody></table>{said}"""
