// A residual stream layer by layer, by the logit lens: what it names after every block, at every position.

import { newestOnly } from "./client.js";
import { h, percent, quoted, shown, table } from "./elements.js";
import { readingTrouble } from "./odd_text.js";

const depthName = (depth) => (depth ? `block ${depth - 1}` : "embedding");

export function layersView(el, thread, state, { tokenizer }) {
  const box = el.querySelector("textarea"), stage = el.querySelector(".mt-live-stage"), note = el.querySelector(".mt-live-note");
  let seen = null, columns = [], depth = null, place = null; // a column a position; the cell that is chosen

  const grid = h("div", { class: "mt-live-depths", tabindex: "0", role: "group", onkeydown: step,
    "aria-label": "What the stream names, by block and position; choose a cell" });
  const says = h("p", { class: "mt-live-sentence", "aria-live": "polite" }), numbers = h("div", { class: "mt-live-table" });
  const parts = [grid, h("div", { class: "mt-live-one" }, says, numbers)];

  const run = newestOnly(async () => {
    const trouble = readingTrouble(box.value, tokenizer.model.alphabet);
    if (trouble) { note.textContent = trouble + (seen ? " What is shown is still the text before." : ""); return; }
    seen = await thread.ask("layers", { text: box.value });
    note.textContent = seen.left ? `The model sees the last ${seen.read.length} tokens; ${seen.left} before them are out of its sight.`
      : `The model sees ${seen.read.length} tokens.`;
    show();
  });

  function show() {
    const last = seen.depths.length - 1, end = seen.read.length - 1;
    if (place === null || place > end || place === columns.length - 1) [depth, place] = [depth ?? last, end]; // the end is followed
    if (!columns.length) grid.replaceChildren(h("table", {}, h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "after"))),
      h("tbody", {}, ...seen.depths.map((_, d) => h("tr", {}, h("th", { scope: "row" }, depthName(d)))))));
    const rows = [...grid.querySelectorAll("tr")];
    const drawn = seen.read.map((piece, t) => {
      const key = JSON.stringify([piece, seen.depths.map((row) => row[t].top[0])]);
      return columns[t]?.key === key ? columns[t] : { key, boxes: column(piece, t) }; // what a letter more left alone stays as it is
    });
    drawn.forEach(({ boxes }, t) => boxes !== columns[t]?.boxes && boxes.forEach((box, r) => {
      if (columns[t]) columns[t].boxes[r].replaceWith(box); else rows[r].append(box);
    }));
    columns.slice(drawn.length).forEach(({ boxes }) => boxes.forEach((box) => box.remove()));
    columns = drawn;
    choose(depth, place);
    if (grid.parentElement !== stage) stage.replaceChildren(...parts); // filled first, so that nothing moves
    if (place === end) grid.scrollLeft = grid.scrollWidth;
  }

  // The boxes of a position: its token, and below it what the stream names at every depth.
  function column(piece, t) {
    const answer = seen.depths.at(-1)[t].top[0].id;
    return [h("th", { scope: "col" }, h("span", {}, inCell(piece))), ...seen.depths.map((row, d) => {
      const { id, piece: name, share } = row[t].top[0];
      return h("td", {}, h("button", { type: "button", tabindex: "-1", "aria-pressed": "false", onclick: () => choose(d, t),
        style: `--share: ${100 * share}%`, class: id === answer && "mt-live-settled", "aria-label": `${quoted(name)} ${percent(share)}` },
        inCell(name), h("small", {}, short(share))));
    })];
  }

  function choose(d, t) {
    const { top, final } = seen.depths[d][t];
    for (const cell of grid.querySelectorAll("[aria-pressed=true]")) mark(cell, false);
    [depth, place] = [d, t];
    mark(cellAt(d, t), true);
    const answer = quoted(final.piece), where = `${d ? `After block ${d - 1}` : "Before any block"}, at ${quoted(seen.read[t])} (place ${t + 1})`;
    says.textContent = `${where}, the stream names ${quoted(top[0].piece)} with ${percent(top[0].share)}. `
      + (d === seen.depths.length - 1 ? "This is the model's answer."
        : `The model's answer is ${answer}; here it has ${percent(final.share)}, rank ${final.rank.toLocaleString("en")} of ${seen.size.toLocaleString("en")}.`);
    numbers.replaceChildren(table(["likeliest here", "here", "in the answer"],
      top.map(({ piece, share, inTheEnd }) => [quoted(piece), percent(share), percent(inTheEnd)])));
  }

  const cellAt = (d, t) => columns[t].boxes[d + 1].firstChild;

  function mark(cell, chosen) {
    cell.setAttribute("aria-pressed", chosen);
    cell.setAttribute("tabindex", chosen ? "0" : "-1");
  }

  // Arrow keys go from cell to cell, and stop at the edges.
  function step(event) {
    const by = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
    if (!by || event.target === grid) return;
    event.preventDefault();
    choose(Math.min(Math.max(depth + by[0], 0), seen.depths.length - 1), Math.min(Math.max(place + by[1], 0), seen.read.length - 1));
    cellAt(depth, place).focus();
  }

  box.addEventListener("input", run);
  return run();
}

const inCell = (piece) => (piece === "\ufffd" ? "byte" : shown(piece));
const short = (share) => `${Math.round(100 * share)} %`;
