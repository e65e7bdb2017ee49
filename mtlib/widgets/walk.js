// The dimension walk, a front-end module in anywidget's form: sizes on sliders, and all of a model's numbers follow.
// sizes.js computes, fits.js refuses, wiring.js draws, words.js tells; here are the controls and what moves what.
import { parts, totals } from "./sizes.js";
import { problem } from "./fits.js";
import { picture } from "./wiring.js";
import { exact, heard, summed, table, told, written } from "./words.js";

const OWN = "sizes of your own";
const lengths = [1, 2, 5, 10, 20, 50, 100, 128, 200, 256, 512, 1000, 1024, 2048, 4096, 8192, 16384, 32768, 65536, 131072];
const heads = [1, 2, 3, 4, 6, 8, 9, 12, 16, 20, 24, 25, 32, 40, 48, 64, 96, 128];
// name, label, stops of the slider, and where it counts
const SIZES = [
  ["batch", "batch B", [1, 2, 4, 8, 16, 32, 64, 128, 256]],
  ["length", "length T", lengths],
  ["source_length", "source length S", lengths, (s) => s.kind === "EncoderDecoder"],
  ["vocab", "vocabulary V", [100, 256, 1000, 5000, 10000, 20000, 30000, 30522, 32000, 32128, 37000, 49152, 50257, 65536, 100000, 128256, 200000, 262144]],
  ["d_model", "width D", [8, 16, 32, 64, 96, 128, 192, 256, 384, 512, 576, 640, 768, 1024, 1280, 1536, 1600, 2048, 2560, 3072, 4096, 5120, 6144, 8192, 12288, 16384]],
  ["n_heads", "heads H", heads],
  ["n_kv_heads", "heads of keys G", heads],
  ["n_layers", "layers L", [1, 2, 3, 4, 6, 8, 12, 16, 24, 30, 32, 36, 48, 64, 80, 96, 128]],
  ["d_ff", "FFN width F", [32, 64, 128, 256, 512, 768, 1024, 1536, 2048, 3072, 4096, 5120, 6400, 8192, 11008, 14336, 16384, 20480, 28672, 49152, 65536]],
  ["max_len", "position rows M", [16, 64, 100, 256, 512, 1024, 2048, 4096, 8192, 16384, 65536], (s) => ["learned", "grid"].includes(s.position)],
  ["n_classes", "classes C", [1, 2, 3, 5, 10, 20, 50, 100, 1000], (s) => s.kind === "Transformer"],
];
const words = (...all) => all.map((word) => [word, word]);
const CHOICES = [
  ["kind", "what it does", [["Transformer", "reads and decides (encoder)"], ["DecoderLM", "writes on (decoder)"], ["EncoderDecoder", "translates (both)"]]],
  ["norm", "norm", [["layer", "LayerNorm"], ["rms", "RMSNorm"]]],
  ["ffn", "FFN", words("relu", "gelu", "gelu-tanh", "silu", "tanh", "sigmoid", "swiglu", "geglu", "geglu-tanh", "reglu")],
  ["position", "positions", words("none", "learned", "sinusoidal", "grid", "rotary", "rotary-halves", "t5", "alibi")],
  ["placement", "norm stands", [["pre", "before the sublayer"], ["post", "after the sum"]]],
  ["itemsize", "a number takes", [["4", "4 bytes (float32)"], ["2", "2 bytes (bfloat16)"]]],
];
const FLAGS = [["bias", "biases"], ["tied", "head tied to the token table"]];
const SHARES = [["params", "parameters"], ["flops", "operations"], ["kept", "bytes kept for backward"], ["cache", "bytes in the cache"]];
const ASKS = "Which shapes will turn orange, and which sums will grow? Then move a size.";

function controls(uid, presets) {
  const options = (pairs) => pairs.map(([value, text]) => `<option value="${value}">${text}</option>`).join("");
  const select = (name, label, pairs) =>
    `<div><label for="${uid}-${name}">${label}</label><select id="${uid}-${name}" data-name="${name}" autocomplete="off">${options(pairs)}</select></div>`;
  const size = ([name, label, stops]) => `<div data-row="${name}"><label for="${uid}-${name}" id="${uid}-${name}-l">${label}</label>`
    + `<input type="number" id="${uid}-${name}" data-name="${name}" min="1" step="1" autocomplete="off">`
    + `<input type="range" data-slides="${name}" aria-labelledby="${uid}-${name}-l" min="0" max="${stops.length - 1}" autocomplete="off"></div>`;
  const flag = ([name, label]) =>
    `<div class="mt-check"><input type="checkbox" id="${uid}-${name}" data-name="${name}" autocomplete="off"><label for="${uid}-${name}">${label}</label></div>`;
  const models = [...Object.keys(presets), OWN].map((name) => [name, name]);
  return `<fieldset disabled><legend><span>Guess first</span> ${ASKS}</legend>${select("model", "model", models)}${select("shares", "bars in the boxes show", SHARES)}`
    + `${SIZES.map(size).join("")}<details class="mt-made"><summary>What it is made of</summary><div>`
    + `${CHOICES.map((choice) => select(...choice)).join("")}${FLAGS.map(flag).join("")}</div></details></fieldset>`;
}

const frame = (uid, presets) => controls(uid, presets)
  + '<p class="mt-walk-says" aria-live="polite"></p><dl class="mt-sums"></dl>'
  + '<div class="mt-walk-both"><div class="mt-walk-picture"></div><div class="mt-told" role="group" aria-label="What the chosen part costs" tabindex="0"></div></div>'
  + `<details class="mt-all"><summary>All of it as a table</summary><div role="group" aria-label="All parts as a table" tabindex="0"></div></details>`;

function render({ model, el }) {
  const presets = model.get("presets"), tables = model.get("tables");
  const root = el.querySelector(".mt-walk-all") ?? el.appendChild(document.createElement("div"));
  root.innerHTML = frame(model.get("uid"), presets);
  const one = (selector) => root.querySelector(selector), every = (selector) => [...root.querySelectorAll(selector)];
  let name = Object.keys(presets)[0], s = { ...presets[name] }, shares = "params", chosen = "", list = [], before = new Map();

  const fieldOf = (what) => one(`[data-name="${what}"]`), read = (text) => (text.trim() === "" ? NaN : Number(text));

  // As in mtlib, heads of keys follow the heads, and d_ff is four times d_model, for as long as they were so.
  function change(what, value) {
    const old = s;
    s = { ...s, [what]: value };
    if (what === "n_heads" && Object.is(old.n_kv_heads, old.n_heads)) s.n_kv_heads = value; // an emptied field is NaN
    if (what === "d_model" && Object.is(old.d_ff, 4 * old.d_model)) s.d_ff = 4 * value;
    name = Object.keys(presets).find((known) => Object.keys(s).every((key) => presets[known][key] === s[key])) ?? OWN;
  }

  function showControls(typing) {
    for (const [what, , stops, counts] of SIZES) {
      const slider = one(`[data-slides="${what}"]`), field = fieldOf(what);
      if (field !== typing) field.value = Number.isNaN(s[what]) ? "" : s[what];
      slider.value = Math.max(0, stops.findLastIndex((stop) => stop <= s[what]));
      slider.setAttribute("aria-valuetext", s[what]);
      one(`[data-row="${what}"]`).hidden = counts ? !counts(s) : false;
    }
    CHOICES.forEach(([what]) => { fieldOf(what).value = String(s[what]); });
    FLAGS.forEach(([what]) => { fieldOf(what).checked = s[what]; });
    fieldOf("model").value = name;
    fieldOf("shares").value = shares;
  }

  function showModel() {
    const wrong = problem(s), says = one(".mt-walk-says");
    says.classList.toggle("mt-refused", Boolean(wrong));
    if (wrong) { says.textContent = `${wrong}. What stands below is the last model that was possible.`; return; }
    list = parts(s, tables);
    const sum = totals(list, s), all = sum[shares];
    const wires = new Map(list.filter((p) => p.value).map((p) => [p.value, p.path]));
    const look = {
      share: (p) => (all ? Number(p.times * p[shares] * 10000n / all) / 10000 : 0),
      moved: (value) => { // ids are like what the table makes of them, less an axis
        const was = before.get(wires.get(value.like ?? value));
        return was !== undefined && was.split(",").slice(0, value.shape.length).join() !== String(value.shape);
      },
      says: (p) => heard(p, s),
    };
    says.textContent = `${name}: ${exact(sum.params)} parameters, ${written(sum.flops, " operations")} for one forward pass. `
      + (before.size ? `${list.filter((p) => p.value && look.moved(p.value)).length} of ${wires.size} shapes changed.` : "Click a box, or go there with Tab and the arrow keys.");
    one(".mt-sums").innerHTML = summed(sum, s);
    one(".mt-walk-picture").innerHTML = picture(s, list, look);
    before = new Map(list.filter((p) => p.value).map((p) => [p.path, String(p.value.shape)]));
    if (one(".mt-all").open || !one(".mt-all table")) one(".mt-all > div").innerHTML = table(list, sum, s);
    choose(list.some((p) => p.path === chosen) ? chosen : (list.find((p) => p.at === "q_proj")).path);
  }

  function choose(path, focus = false) {
    chosen = path;
    every(".mt-part").forEach((box) => {
      const on = box.dataset.path === path;
      box.setAttribute("aria-checked", on);
      box.setAttribute("tabindex", on ? 0 : -1);
      if (on && focus) box.focus();
    });
    one(".mt-told").innerHTML = told(list.find((p) => p.path === path), s);
  }

  function onInput({ target }) {
    const what = target.dataset.name ?? target.dataset.slides;
    if (what === undefined) return;
    if (what === "shares") shares = target.value;
    else if (what === "model") { if (target.value !== OWN) { name = target.value; s = { ...presets[name] }; before = new Map(); } }
    else if (target.dataset.slides) change(what, SIZES.find(([size]) => size === what)[2][Number(target.value)]);
    else if (target.type === "checkbox") change(what, target.checked);
    else change(what, target.type === "number" ? read(target.value) : what === "itemsize" ? Number(target.value) : target.value);
    showControls(target);
    showModel();
  }

  function onKey(event) {
    const box = event.target.closest(".mt-part"), step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
    if (!box || !step) return;
    event.preventDefault();
    const boxes = every(".mt-part");
    choose(boxes[(boxes.indexOf(box) + step + boxes.length) % boxes.length].dataset.path, true);
  }

  const onClick = ({ target }) => { const box = target.closest(".mt-part"); if (box) choose(box.dataset.path, true); };
  const onOpen = ({ target }) => { if (target.matches(".mt-all") && target.open && !problem(s)) one(".mt-all > div").innerHTML = table(list, totals(list, s), s); };
  const heardOf = [["input", onInput], ["keydown", onKey], ["click", onClick]];
  heardOf.forEach(([event, f]) => root.addEventListener(event, f));
  root.addEventListener("toggle", onOpen, true); // it does not bubble
  showControls();
  showModel();
  return () => {
    heardOf.forEach(([event, f]) => root.removeEventListener(event, f));
    root.removeEventListener("toggle", onOpen, true);
  };
}

export default { render };
