// What pages are made of: elements, numbers as a reader reads them, letters that can be seen.

// h("p", { class: "note" }, "text", child)
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value !== false && value !== null) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children);
  return element;
}

let made = 0;
export const freshId = () => `mt-part-${++made}`;

// 0.4312 -> "43.1 %"
export function percent(share) {
  if (share > 0 && share < 0.001) return "under 0.1 %";
  if (share < 1 && share >= 0.9995) return "over 99.9 %";
  return `${share >= 0.9995 ? 100 : (100 * share).toFixed(1)} %`;
}

const SIGNS = { " ": "␣", "\n": "↵", "\t": "⇥", begin: "▸", end: "■" };
const NAMES = { " ": "a space", "\n": "a line break", begin: "the beginning", end: "the end" };

// A piece of text as it is drawn, and as it is named in a sentence.
export const shown = (piece) => SIGNS[piece] ?? piece.replace(/^ /, "␣").replaceAll("\n", "↵").replaceAll("\t", "⇥");
export const named = (piece) => NAMES[piece] ?? `“${shown(piece)}”`;
export const quoted = (piece) => (piece === "\ufffd" ? "a byte of a letter" : `“${shown(piece)}”`);

// A table of texts; `head` names the columns, the first cell of a row is its name.
export function table(head, rows) {
  return h("table", {},
    h("thead", {}, h("tr", {}, ...head.map((text) => h("th", { scope: "col" }, text)))),
    h("tbody", {}, ...rows.map(([name, ...cells]) =>
      h("tr", {}, h("th", { scope: "row" }, name), ...cells.map((text) => h("td", {}, text))))));
}

// The view's accent as [r, g, b], and a word when the reader changes between light and dark.
export function accent(el) {
  const probe = el.appendChild(h("i", { style: "color: var(--accent)" }));
  const [r, g, b] = getComputedStyle(probe).color.match(/[\d.]+/g).map(Number);
  probe.remove();
  return [r, g, b];
}

export function onTheme(f) {
  new MutationObserver(f).observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
}

// A matrix as a picture, one pixel an entry: the more, the fuller the colour.
export function paint(canvas, rows, [r, g, b]) {
  const image = new ImageData(rows[0].length, rows.length);
  rows.forEach((row, i) => row.forEach((weight, j) => image.data.set([r, g, b, 255 * Math.sqrt(weight)], 4 * (i * row.length + j))));
  [canvas.width, canvas.height] = [image.width, image.height];
  canvas.getContext("2d").putImageData(image, 0, 0);
}
