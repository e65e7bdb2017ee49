// The walk's words: what a part is called, what it costs and where that comes from, and all parts as a table.
const NAMES = {
  tok: "token table", norm: "norm", norm1: "norm", norm_cross: "norm", norm2: "norm", q_proj: "W_Q", k_proj: "W_K", v_proj: "W_V",
  q: "cut", k: "cut", v: "cut", "core.weights": "softmax", core: "weights @ v", merged: "heads side by side", o_proj: "W_O",
  resid_mid: "+", resid_cross: "+", resid_post: "+", "ffn.w_gate": "W_gate", "ffn.w_in": "W_in", "ffn.w_out": "W_out",
  pool: "mean over positions", memory: "memory, for all layers",
};
const PLACES = {
  none: "no position", learned: "position table", sinusoidal: "times √D, plus waves", grid: "times √D, plus waves of row and column",
  rotary: "position: rotary, at q and k", "rotary-halves": "position: rotary, at q and k", t5: "position: T5, at the scores",
  alibi: "position: ALiBi, at the scores",
};
const BENDS = {
  relu: "ReLU", gelu: "GELU", "gelu-tanh": "GELU (tanh)", silu: "SiLU", tanh: "tanh", sigmoid: "sigmoid",
  swiglu: "SiLU(gate) × in", geglu: "GELU(gate) × in", "geglu-tanh": "GELU(gate) × in", reglu: "ReLU(gate) × in",
};

export function title(p, s) {
  if (p.at === "pos") return PLACES[s.position];
  if (p.at === "ffn.hidden") return BENDS[s.ffn];
  if (p.at === "core.scores") return ["t5", "alibi"].includes(s.position) && p.sub === "attn" ? "q · k / √E + distance" : "q · k / √E";
  if (p.at === "head") return p.weights.length ? "head" : "head: the token table again";
  return ["q", "k"].includes(p.at) && p.formula.kept ? "cut, turn" : NAMES[p.at];
}

const V17 = "Vaswani et al. 2017, section ";
const SCHEMES = {
  none: "none", learned: `${V17}3.5, which compares it`, sinusoidal: `${V17}3.5`, grid: `${V17}3.5, for rows and columns`, rotary: "Su et al. 2021",
  "rotary-halves": "Su et al. 2021", t5: "Raffel et al. 2020, section 2.1", alibi: "Press, Smith and Lewis 2022",
};

// Where a part comes from; its numbers are those of mtlib's count.py and memory.py.
function source(p, s) {
  if (p.at === "pos") return SCHEMES[s.position];
  if (p.at === "pool") return "mtlib's heads.py";
  if (p.at === "head") return s.kind !== "Transformer" && s.tied ? "Press and Wolf 2017: one table serves twice" : `${V17}3.4`;
  if (p.family === "norms") return s.norm === "layer" ? "Ba, Kiros and Hinton 2016" : "Zhang and Sennrich 2019";
  if (p.family === "ffn") return s.ffn.includes("glu") ? "Shazeer 2020, GLU variants" : `${V17}3.3`;
  if (p.family === "embedding") return `${V17}3.4`;
  if (p.family === "stream") return p.at === "memory" ? `${V17}3.2.3` : `He et al. 2016; ${V17}3.1`;
  const grouped = ["k_proj", "v_proj", "k", "v"].includes(p.at) && s.n_kv_heads < s.n_heads;
  if (grouped) return "Ainslie et al. 2023: heads share keys and values";
  return p.sub === "cross_attn" ? `${V17}3.2.3` : `${V17}${p.at.startsWith("core") ? "3.2.1" : "3.2.2"}`;
}

export const exact = (n) => n.toLocaleString("en-US");

// Three digits and a sign for the thousands: 124 M.
export function written(n, unit = "") {
  const [big, sign] = [[1e18, "E"], [1e15, "P"], [1e12, "T"], [1e9, "G"], [1e6, "M"], [1e3, "k"]].find(([b]) => Number(n) >= b) ?? [1, ""];
  const digits = Number(n) / big, short = sign ? digits.toPrecision(digits < 999.5 ? 3 : 4) : String(n);
  return `${short} ${sign}${unit}`.trim();
}

const tuple = (axes) => `(${axes.join(", ")})`;
const times = (p, n, unit) => (p.times > 1n && n > 0n ? `${exact(n)}${unit}, in ${p.times} layers ${exact(p.times * n)}${unit}` : `${exact(n)}${unit}`);

// What a screen reader hears of a box.
export const heard = (p, s) => `${p.sub === "cross_attn" ? "across: " : ""}${title(p, s).replace("+", "plus")}`
  + (p.value ? `, puts out ${p.value.letters}, ${tuple(p.value.shape)}` : "") + (p.params ? `, ${exact(p.params)} parameters` : "");

function rows(p, s) {
  const bytes = [p.formula.kept && `(${p.formula.kept}) · ${s.itemsize}`, p.formula.bytes].filter(Boolean).join(" + ");
  return [
    p.value && ["puts out", `<b>${p.value.letters}</b> = ${tuple(p.value.shape)}: ${p.value.meaning}`],
    ...p.weights.map((w) => [w.path.split(".").at(-1), `<b>${w.letters}</b> = ${tuple(w.shape)}, ${exact(w.params)}`]),
    ["parameters", times(p, p.params, "")],
    ["operations", (p.formula.flops && `<b>${p.formula.flops}</b> = `) + times(p, p.flops, "")],
    ["kept for backward", (bytes && `<b>${bytes}</b> = `) + times(p, p.kept, " bytes")],
    s.kind !== "Transformer" && ["in the cache", (p.formula.cache && `<b>(${p.formula.cache}) · ${s.itemsize}</b> = `) + times(p, p.cache, " bytes")],
    ["from", source(p, s)],
    ["in the model", `<code>${p.path}</code>`],
  ].filter(Boolean);
}

export const told = (p, s) =>
  `<p class="mt-told-name">${p.sub === "cross_attn" ? "across: " : ""}${title(p, s)}</p><dl>`
  + rows(p, s).map(([what, text]) => `<div><dt>${what}</dt><dd>${text}</dd></div>`).join("") + "</dl>";

export function summed(sum, s) {
  const figures = [
    ["parameters", exact(sum.params)], ["operations, forward", written(sum.flops)], ["kept for backward", written(sum.kept, "B")],
    ["held in training", written(sum.training, "B")], ...(s.kind === "Transformer" ? [] : [["in the cache", written(sum.cache, "B")]]),
  ];
  return figures.map(([what, text]) => `<div><dt>${what}</dt><dd>${text}</dd></div>`).join("");
}

const COLUMNS = ["part", "puts out", "as numbers", "weight", "parameters", "operations", "bytes kept", "bytes in the cache"];

export function table(list, sum, s) {
  const cells = (p) => [
    p.value ? p.value.letters : "", p.value ? tuple(p.value.shape) : "", p.weights[0] ? tuple(p.weights[0].shape) : "",
    ...["params", "flops", "kept", "cache"].map((what) => exact(p.times * p[what])),
  ];
  const line = (name, rest) => `<tr><th scope="row">${name}</th>${rest.map((cell, i) => `<td${i > 2 ? ' class="mt-n"' : ""}>${cell}</td>`).join("")}</tr>`;
  return `<table><caption>All parts, in the order of the run; numbers are those of all ${s.n_layers} layers together</caption>`
    + `<thead><tr>${COLUMNS.map((name) => `<th scope="col">${name}</th>`).join("")}</tr></thead><tbody>`
    + list.map((p) => line(`${[p.side, p.sub === "cross_attn" ? "across" : ""].filter(Boolean).join(" ")} ${title(p, s)}`.trim(), cells(p))).join("")
    + `</tbody><tfoot>${line("all", ["", "", "", ...["params", "flops", "kept", "cache"].map((what) => exact(sum[what]))])}</tfoot></table>`;
}
