// A model looked into at work, a translator, a language model or a classifier: all heads as a grid, one head over the text, heads taken out, places hidden.

import { newestOnly } from "./client.js";
import { accent, freshId, h, named, onTheme, paint, percent, quoted, shown, table } from "./elements.js";
import { largest, lettersOf } from "./letters.js";
import { dateTrouble, readingTrouble, textTrouble } from "./odd_text.js";

const source = (config) => config, target = (config) => config.target ?? config; // a translator's sides may differ
const READING = { op: "read", one: "token", many: "tokens", trouble: (text, _, { tokenizer }) => readingTrouble(text, tokenizer.model.alphabet) };
const TOKENS = { size: source, who: "The token", line: "tokens that look", asks: (seen) => seen.source, asked: (seen) => seen.source };

// Of each kind of model: where it attends, of what size that is, and of each place who looks, at whom, and how a sentence about it begins.
const KINDS = {
  "encoder-decoder": {
    op: "translate", first: 0, shown: (answer) => answer || "nothing at all", one: "letter", many: "letters of the source", hidable: () => true,
    trouble: (text, { example }, { tokenizer, config }) => textTrouble(text, example, tokenizer.model.alphabet, config.max_len),
    sides: [
      { size: source, module: (l) => `encoder.blocks.${l}.attn`, title: "Encoder", says: "letters of the source look at each other",
        who: "The letter", line: "letters that look", asks: (seen) => seen.source, asked: (seen) => seen.source },
      { size: target, module: (l) => `decoder.blocks.${l}.attn`, title: "Decoder", says: "what is being written looks back at what was written",
        who: "Writing", line: "letters being written", asks: (seen) => seen.pieces, asked: (seen) => ["begin", ...seen.pieces.slice(0, -1)] },
      { size: target, module: (l) => `decoder.blocks.${l}.cross_attn`, title: "Cross-attention", says: "what is being written looks at the source",
        who: "Writing", line: "letters being written", asks: (seen) => seen.pieces, asked: (seen) => seen.source },
    ],
  },
  "decoder-lm": {
    ...READING, first: Infinity, shown: quoted, hidable: (j) => j > 0, // the first has nothing but itself to look at
    sides: [{ ...TOKENS, module: (l) => `blocks.${l}.attn`, title: "Decoder", says: "each token looks at itself and at those before it" }],
  },
  transformer: {
    ...READING, first: 0, shown: (answer) => answer, hidable: () => true,
    sides: [{ ...TOKENS, module: (l) => `encoder.blocks.${l}.attn`, title: "Encoder", says: "each token looks at all tokens" }],
  },
};

export function attentionView(el, thread, state, model) {
  const { config } = model, kind = KINDS[config.kind], { sides } = kind;
  const headName = ({ side, layer, head }) => `${sides[side].title.toLowerCase()}, layer ${layer}, head ${head}`;
  const box = el.querySelector("input"), stage = el.querySelector(".mt-live-stage");
  const answer = el.querySelector(".mt-live-answer"), note = el.querySelector(".mt-live-note");
  const heads = sides.flatMap(({ size }, side) => { const { n_layers, n_heads } = size(config);
    return Array.from({ length: n_layers * n_heads }, (_, n) => ({ side, layer: Math.floor(n / n_heads), head: n % n_heads })); });
  let chosen = heads.length - 1, place = kind.first, out = new Set(), hidden = new Set(), seen = null, first = null;

  const grid = gridOf(heads, sides, headName, config, (n) => { chosen = n; showHead(); });
  const letters = lettersOf((t) => { place = t; showPlace(t); }, (t) => showPlace(t ?? place));
  const removal = h("input", { type: "checkbox", id: freshId(), autocomplete: "off", oninput: remove });
  const layer = h("button", { type: "button", onclick: removeLayer }, "The whole layer");
  const back = h("button", { type: "button", onclick: () => { out.clear(); hidden.clear(); run(); } }, "Put everything back");
  const mask = h("div", { class: "mt-live-letters mt-live-mask", role: "group", "aria-label": `${kind.many}; hide some` });
  const effect = h("p", { class: "mt-live-effect", "aria-live": "polite" });
  const numbers = h("div", { class: "mt-live-table" });
  const parts = [grid.element, letters.element,
    h("div", { class: "mt-live-out" }, removal, h("label", { for: removal.id }), layer, back),
    h("p", {}, `Hide ${kind.many}; no head may look at them then:`), mask, effect,
    h("details", {}, h("summary", {}, "The same in numbers"), numbers)];

  const run = newestOnly(async () => {
    const text = box.value, trouble = kind.trouble(text, state, model);
    if (trouble) {
      note.textContent = trouble + (seen ? ` What is shown is still “${seen.text}”.` : "");
      return;
    }
    if (first?.text !== text) {
      hidden.clear();
      first = { text, ...(await thread.ask(kind.op, { text })) };
    }
    const silent = [...out].map((n) => [sides[heads[n].side].module(heads[n].layer), heads[n].head]);
    seen = { text, ...(out.size + hidden.size ? await thread.ask(kind.op, { text, silent, hidden: [...hidden], first: first.written }) : first) };
    show();
  });

  function remove() {
    if (removal.checked) out.add(chosen); else out.delete(chosen);
    run();
  }

  function removeLayer() {
    heads.forEach(({ side, layer }, n) => { if (side === heads[chosen].side && layer === heads[chosen].layer) out.add(n); });
    run();
  }

  function hide(j) {
    if (!hidden.delete(j)) hidden.add(j);
    showMask();
    run();
  }

  // A button a letter; the last one that can be seen stays.
  function showMask() {
    if (mask.children.length !== first.source.length || mask.textContent !== first.source.map(shown).join("")) {
      mask.replaceChildren(...first.source.map((piece, j) => h("button", { type: "button", onclick: () => hide(j) }, shown(piece))));
    }
    [...mask.children].forEach((button, j) => {
      button.setAttribute("aria-label", `hide ${named(first.source[j])}, place ${j + 1}`);
      button.setAttribute("aria-pressed", hidden.has(j));
      button.disabled = !kind.hidable(j) || (!hidden.has(j) && hidden.size === first.source.length - 1);
    });
  }

  // What was taken from the model, in words.
  function changes() {
    const letters = [...hidden].sort((a, b) => a - b).map((j) => `${named(first.source[j])} (place ${j + 1})`);
    return [out.size && `without ${[...out].map((n) => headName(heads[n])).join("; ")}`, letters.length && `with ${letters.join(", ")} hidden`]
      .filter(Boolean).join(", and ").replace(/^w/, "W");
  }

  function show() {
    const [before, after] = [first.shares.reduce((a, b) => a * b, 1), seen.firstShare];
    answer.textContent = kind.shown(seen.answer);
    note.textContent = (seen.left ? `The model sees the last ${seen.source.length} tokens. ` : "") + (seen.ended ? "" : "It did not come to an end, and was stopped. ") + (state.reads === "date" ? dateTrouble(seen.text) : "");
    effect.textContent = out.size + hidden.size === 0 ? `With all heads and ${kind.one}s, the model gives this answer a probability of ${percent(before)}.`
      : `${changes()}: ${seen.answer === first.answer ? "the same answer" : `“${shown(seen.answer)}” instead of “${shown(first.answer)}”`}. `
        + `The probability of the first answer went from ${percent(before)} to ${percent(after)}.`;
    back.disabled = out.size + hidden.size === 0;
    showMask();
    grid.show(weightsOf, out, accent(stage));
    showHead();
    if (parts[0].parentElement !== stage) stage.replaceChildren(...parts); // filled first, so that nothing moves
  }

  const weightsOf = (n) => seen.weights[sides[heads[n].side].module(heads[n].layer)][heads[n].head];
  const side = () => sides[heads[chosen].side], asks = () => side().asks(seen), asked = () => side().asked(seen);

  function showHead() {
    if (!seen) return;
    place = Math.min(place, asks().length - 1);
    removal.checked = out.has(chosen);
    removal.nextElementSibling.textContent = `Take out ${headName(heads[chosen])}`;
    grid.choose(chosen);
    letters.show(asks(), asked(), place, side(), headName(heads[chosen]));
    numbers.replaceChildren(table([side().line, "looks most at", "then at", "then at"],
      asks().map((piece, t) => [`${t + 1}. ${shown(piece)}`, ...largest(weightsOf(chosen)[t], asked(), 3)])));
    showPlace(place);
  }

  function showPlace(t) {
    const row = weightsOf(chosen)[t], piece = named(asks()[t]), who = `${side().who} ${piece}`;
    letters.shade(row, t, `${who} (place ${t + 1}), this head looks at ${largest(row, asked(), 3).join(", ")}.`);
  }

  box.addEventListener("input", run);
  onTheme(() => seen && grid.show(weightsOf, out, accent(stage)));
  return run();
}

// A row of little pictures a side, a picture a head; which one is looked at is a choice among radio buttons.
function gridOf(heads, sides, headName, config, onChoose) {
  const name = freshId();
  const cells = heads.map((head, n) => ({
    input: h("input", { type: "radio", name, "aria-label": headName(head), autocomplete: "off", oninput: () => onChoose(n) }),
    canvas: h("canvas", { "aria-hidden": "true" }), head }));
  const columns = ({ n_layers, n_heads }) => Math.max(4, n_heads * Math.min(n_layers, Math.floor(8 / n_heads) || 1)); // whole layers, wide enough for a finger
  const rows = sides.map(({ title, says, size }, side) => h("div", { class: "mt-live-side" }, h("p", {}, h("b", {}, title), ` ${says}`),
    h("div", { class: "mt-live-heads", style: `--columns: ${columns(size(config))}` },
      ...cells.filter((cell) => cell.head.side === side).map(({ input, canvas, head }) =>
        h("label", { title: `layer ${head.layer}, head ${head.head}` }, input, canvas, h("span", { "aria-hidden": "true" }, `${head.layer}.${head.head}`))))));
  return {
    element: h("div", { class: "mt-live-grid", role: "group", "aria-label": "All heads; choose one" }, ...rows),
    choose(n) { cells[n].input.checked = true; },
    show(weightsOf, out, color) {
      cells.forEach(({ input, canvas, head }, n) => {
        paint(canvas, weightsOf(n), color);
        input.setAttribute("aria-label", headName(head) + (out.has(n) ? ", taken out" : ""));
        canvas.parentElement.classList.toggle("mt-live-gone", out.has(n));
      });
    },
  };
}
