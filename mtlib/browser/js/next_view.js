// A language model's next token: the whole distribution, what the rules leave of it, and a draw, step by step.

import { newestOnly } from "./client.js";
import { h, percent, quoted, table } from "./elements.js";

const SHOWN = 12; // rows of the table
const LONGEST = 5000; // letters; the model reads the last tokens only, and cutting them takes time

// Of each slider, its stops and what it hands to the rules.
const STOPS = {
  temperature: Array.from({ length: 31 }, (_, i) => i / 10),
  top_k: [null, 1, 2, 3, 5, 10, 20, 50, 100, 200, 500],
  top_p: Array.from({ length: 20 }, (_, i) => (i + 1) / 20),
  min_p: [0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1],
};
const written = (name, value) => (value === null || (name === "top_p" && value === 1) || (name === "min_p" && value === 0) ? "off" : String(value));

export function nextView(el, thread) {
  const prompt = el.querySelector("textarea"), seed = el.querySelector("input[type=number]"), note = el.querySelector(".mt-live-note");
  const sliders = [...el.querySelectorAll("input[type=range]")], stage = el.querySelector(".mt-live-stage");
  let added = [], seen = null;

  const text = h("p", { class: "mt-live-written" }), chart = h("div", { class: "mt-live-chart" });
  const says = h("p", { class: "mt-live-sentence", "aria-live": "polite" }), numbers = h("div", { class: "mt-live-table" });
  const [one, ten, again] = [["Draw one token", () => draw(1)], ["Draw ten", () => draw(10)], ["Take them back", () => { added = []; run(); }]]
    .map(([label, onclick]) => h("button", { type: "button", onclick }, label));
  const parts = [h("div", { class: "mt-live-out" }, one, ten, again), text, says, chart, numbers];

  const rules = () => Object.fromEntries(sliders.map((slider) => [slider.name, STOPS[slider.name][slider.value]]));
  const ask = () => thread.ask("next", { text: prompt.value, rules: rules(), seed: Number(seed.value) || 0, step: added.length, added });

  const run = newestOnly(async () => {
    for (const slider of sliders) {
      const value = written(slider.name, STOPS[slider.name][slider.value]);
      slider.setAttribute("aria-valuetext", value);
      slider.nextElementSibling.textContent = value;
    }
    const trouble = prompt.value.length === 0 ? "There is nothing to go on with yet: type the beginning of a text."
      : prompt.value.length > LONGEST ? `These are ${prompt.value.length.toLocaleString("en")} letters; more than ${LONGEST.toLocaleString("en")} are not read. Shorten the text.` : "";
    for (const button of [one, ten]) button.disabled = trouble !== "";
    if (trouble) { note.textContent = trouble; return; }
    seen = await ask();
    note.textContent = seen.left ? `The model sees the last ${seen.ids.length} tokens; ${seen.left} before them are out of its sight.` : `The model sees ${seen.ids.length} tokens.`;
    show();
  });

  async function draw(count) {
    for (let step = 0; step < count && seen; step++) {
      added = [...added, seen.id];
      await run.now();
    }
  }
  run.now = async () => { seen = await ask(); show(); };

  function show() {
    const { plain, shares, pieces, u, id } = seen, order = [...plain.keys()].sort((a, b) => plain[b] - plain[a] || a - b);
    const left = shares.filter((share) => share > 0).length;
    text.replaceChildren(prompt.value, h("mark", {}, seen.text));
    says.textContent = `The rules leave ${left.toLocaleString("en")} of ${shares.length.toLocaleString("en")} tokens. `
      + `Draw ${added.length + 1} of seed ${Number(seed.value) || 0} is ${u.toFixed(4)}, which falls on ${quoted(pieces[id])} (${percent(shares[id])}).`;
    chart.replaceChildren(drawn(plain, shares, order));
    again.disabled = added.length === 0;
    numbers.replaceChildren(table(["token", "the model's own", "after the rules"],
      order.slice(0, SHOWN).map((i) => [quoted(pieces[i]), percent(plain[i]), shares[i] > 0 ? percent(shares[i]) : "out"])));
    if (text.parentElement !== stage) stage.replaceChildren(...parts); // filled first, so that nothing moves
  }

  for (const field of [prompt, seed, ...sliders]) field.addEventListener("input", () => { if (field === prompt) added = []; run(); });
  return run();
}

// All tokens from the likeliest to the last, both axes by powers of ten: the model's own as a line, what the rules leave as bars.
function drawn(plain, shares, order) {
  const [W, H, LEFT, LOW] = [560, 240, 46, 1e-6], SVG = "http://www.w3.org/2000/svg";
  const x = (rank) => LEFT + ((W - LEFT - 8) * Math.log(rank)) / Math.log(order.length);
  const y = (share) => 10 + ((H - 40) * Math.log(Math.max(share, LOW))) / Math.log(LOW);
  const make = (tag, attributes, text = "") => {
    const node = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    node.textContent = text;
    return node;
  };
  const svg = make("svg", { viewBox: `0 0 ${W} ${H}`, role: "img", "aria-label": "Probability of every token by its rank; the table below gives the first ones in numbers." });
  for (const share of [1, 1e-2, 1e-4, 1e-6]) {
    svg.append(make("line", { class: "mt-live-rule", x1: LEFT, x2: W - 8, y1: y(share), y2: y(share) }),
      make("text", { x: LEFT - 6, y: y(share) + 4, "text-anchor": "end" }, share >= 0.01 ? `${100 * share} %` : `10⁻${share === 1e-4 ? "⁴" : "⁶"}`.replace("⁻⁻", "⁻")));
  }
  for (const rank of [1, 10, 100, 1000].filter((rank) => rank <= order.length)) {
    svg.append(make("text", { x: x(rank), y: H - 8, "text-anchor": rank === 1000 ? "end" : "middle" }, rank.toLocaleString("en")));
  }
  const kept = order.map((id, n) => [n + 1, shares[id]]).filter(([, share]) => share > LOW);
  svg.append(make("path", { class: "mt-live-kept", d: kept.map(([rank, share]) => `M${x(rank).toFixed(1)} ${y(LOW)}V${y(share).toFixed(1)}`).join("") }));
  svg.append(make("path", { class: "mt-live-plain", d: order.map((id, n) => `${n ? "L" : "M"}${x(n + 1).toFixed(1)} ${y(plain[id]).toFixed(1)}`).join("") }));
  return svg;
}
