// The arithmetic of the dimension walk, free of any page: every part of a model in the order of the run, with its
// shapes and what it costs. What mtlib's letters.py, layout.py, count.py, memory.py and config.py say, in one place.
//
// A size is written once, in letters: "2 B T D F" is the formula that is shown and the number that is computed.
// Numbers are BigInt, for the operations of a large model pass 2^53. `tables` are letters.py's own, as walk.py hands
// them over. Left out, as in count.py and memory.py: what is no matrix product, dropout, the loss.

// "3 B T D + B T" in numbers; factors stand side by side, or as H·E where they share an axis. Nothing is nought.
export const count = (formula, size) =>
  formula.split(" + ").reduce((sum, term) => sum + term.split(/[ ·]/).reduce((n, f) => n * BigInt(size[f] ?? f), 1n), 0n);

export const shape = (letters, size) => letters.split(" ").map((axis) => count(axis, size));

export const sizes = (s) => ({
  B: s.batch, T: s.length, S: s.source_length, D: s.d_model, H: s.n_heads, G: s.n_kv_heads,
  E: s.d_model / s.n_heads, F: s.d_ff, V: s.vocab, C: s.n_classes, L: s.n_layers, M: s.max_len,
});

// Numbers kept for backward by the FFN's bend, in tensors as wide as F; w_out keeps one more (memory.py, WIDE).
const BENT = {
  relu: 0, tanh: 0, sigmoid: 0, gelu: 1, "gelu-tanh": 1, silu: 1, reglu: 2, swiglu: 3, geglu: 3, "geglu-tanh": 3,
};
export const gated = (s) => s.ffn.endsWith("glu") || s.ffn.startsWith("geglu");

// A part: `at` is the place of its module, as WEIGHTS names it; `puts` what it puts out, as VALUES names it. What it
// computes (flops), keeps for backward (numbers in kept, bytes in bytes) and leaves in the cache are formulas.
const part = (at, more) => ({ at, puts: at, family: "attention", adds: [], flops: "", kept: "", bytes: "", cache: "", ...more });

const norm = (at, s) => part(at, {
  family: "norms", adds: s.norm === "layer" ? ["weight", "bias"] : ["weight"], // LayerNorm shifts too, and subtracts a mean
  kept: s.norm === "layer" ? "3 B T D + B T" : "2 B T D + B T",
});

const linear = (at, s, more) => part(at, { adds: s.bias ? ["weight", "bias"] : ["weight"], ...more });

function attention(s, { causal = false, cross = false }) {
  const turned = s.position.startsWith("rotary") && !cross ? "2 T E" : ""; // a cos and a sin for each of E columns
  const masked = causal && s.length > 1; // one position alone sees all there is
  const cache = causal || cross ? "B G T_k E" : ""; // of an encoder nothing is asked again
  // Groups are read as H heads, by copies; a single group of a single text can be read in place.
  const keys = s.batch === 1 && s.n_kv_heads === 1 ? "B T_k E" : "B T_k H·E";
  return [
    linear("q_proj", s, { flops: "2 B T D H·E", kept: "B T D" }), // what q, k and v are made from is kept once
    linear("k_proj", s, { flops: "2 B T_k D G·E" }),
    linear("v_proj", s, { flops: "2 B T_k D G·E" }),
    part("q", { kept: turned }),
    part("k", { kept: turned, cache }),
    part("v", { cache }),
    part("core.scores", { flops: "2 B H T E T_k", kept: `B T H·E + ${keys}`, bytes: s.position === "t5" && !cross ? "8 T T" : "" }),
    part("core.weights", { kept: masked ? "2 B H T T_k" : "B H T T_k", bytes: masked ? "2 T T" : "" }),
    part("core", { flops: "2 B H T T_k E", kept: keys }),
    part("merged"),
    linear("o_proj", s, { puts: cross ? "cross_attn" : "attn", flops: "2 B T H·E D", kept: "B T H·E" }),
  ].map((each) => ({ ...each, sub: cross ? "cross_attn" : "attn" }));
}

function ffn(s) {
  const bend = BENT[s.ffn] ? `${BENT[s.ffn]} B T F` : "", family = "ffn";
  const widen = (at, kept) => linear(at, s, { family, flops: "2 B T D F", kept });
  return [
    ...(gated(s) ? [widen("ffn.w_gate", "")] : []),
    widen("ffn.w_in", "B T D"),
    part("ffn.hidden", { family, kept: bend }),
    linear("ffn.w_out", s, { puts: "ffn", family, flops: "2 B T F D", kept: "B T F" }),
  ];
}

// A sublayer in its residual: the norm before it, or after it.
const residual = (s, inner, normed, sum) =>
  [...(s.placement === "pre" ? [normed, ...inner] : [...inner, normed]), part(sum, { family: "stream" })];

function block(s, causal, cross) {
  return [
    ...residual(s, attention(s, { causal }), norm("norm1", s), "resid_mid"),
    ...(cross ? residual(s, attention(s, { cross }), norm("norm_cross", s), "resid_cross") : []),
    ...residual(s, ffn(s), norm("norm2", s), "resid_post"),
  ].map((each) => ({ ...each, inside: true }));
}

function stack(s, { causal = false, cross = false, shared = false }) {
  const learns = ["learned", "t5"].includes(s.position) ? ["weight"] : [], last = norm("norm", s);
  const tok = part("tok", { family: "embedding", adds: shared ? [] : ["weight"], bytes: "8 B T" }); // the ids, int64
  const begin = [tok, part("pos", { family: "positions", adds: learns })], blocks = block(s, causal, cross);
  return s.placement === "pre" ? [...begin, ...blocks, last] : [...begin, last, ...blocks];
}

const CLASSES = [part("pool", { family: "pool" }), part("head", { family: "head", adds: ["weight", "bias"], flops: "2 B D C", kept: "B D" })];
const tokens = (s) => part("head", { puts: "logits", family: "head", adds: s.tied ? [] : ["weight"], flops: "2 B T D V", kept: "B T D" });

// The three models of transformer.py: side, letter of its positions, parts. Translating, both sides share a token table.
const MODELS = {
  Transformer: (s) => [["encoder", "T", stack(s, {})], ["", "T", CLASSES]],
  DecoderLM: (s) => [["", "T", [...stack(s, { causal: true }), tokens(s)]]],
  EncoderDecoder: (s) => [
    ["encoder", "S", stack(s, {})],
    ["", "S", [part("memory", { puts: "", family: "stream", kept: "B T D" })]], // for all layers once
    ["decoder", "T", [...stack(s, { causal: true, cross: true, shared: true }), tokens(s)]],
  ],
};

// Every part, spelled out: path, times (in how many layers), value, weights, and of each layer params, flops, kept, cache.
export function parts(s, tables) {
  return MODELS[s.kind](s).flatMap(([side, own, list]) => list.map((each) => spelled(each, side, own, s, tables)));
}

function spelled(p, side, own, s, tables) {
  const size = sizes(s), letter = { T: own, T_k: p.sub === "cross_attn" ? "S" : own, ...(s.n_heads === s.n_kv_heads && { G: "H" }) };
  const spell = (letters) => letters.replace(/T_k|T|G/g, (axis) => letter[axis] ?? axis);
  const path = [side, p.inside && "blocks.0", p.sub, p.at].filter(Boolean).join(".");
  const weights = p.adds.map((kind) => weight(kind, p, path, spell, s, tables));
  const formula = { flops: spell(p.flops), kept: spell(p.kept), bytes: spell(p.bytes), cache: spell(p.cache) };
  const n = Object.fromEntries(Object.entries(formula).map(([what, text]) => [what, count(text, size)]));
  const bytes = BigInt(s.itemsize);
  return {
    ...p, side, path, times: BigInt(p.inside ? s.n_layers : 1), value: value(p, spell, s, tables), weights, formula,
    params: weights.reduce((sum, w) => sum + w.params, 0n), flops: n.flops, kept: n.kept * bytes + n.bytes, cache: n.cache * bytes,
  };
}

function weight(kind, p, path, spell, s, tables) {
  let letters = tables.weights[p.at];
  if (p.at === "head" && s.kind === "Transformer") letters = "C D";
  if (p.at === "pos" && s.position === "t5") letters = `${tables.buckets} H`;
  letters = spell(kind === "bias" ? letters.split(" ")[0] : letters);
  const axes = shape(letters, sizes(s));
  return { path: `${path}.${kind}`, letters, shape: axes, params: axes.reduce((n, axis) => n * axis, 1n) };
}

function value(p, spell, s, tables) {
  const known = p.puts === "head" ? tables.classes : tables.values[p.puts];
  if (!known) return null;
  const [name, letters, meaning] = known, spelled = spell(letters);
  return {
    name: p.sub === "cross_attn" && p.puts !== "cross_attn" ? `cross_${name}` : name, letters: spelled,
    shape: shape(spelled, sizes(s)), meaning: p.puts === "pos" ? tables.positioned[s.position] : meaning,
  };
}

// The whole model: of all layers together, and what training holds from step to step (a gradient, AdamW's two averages).
export function totals(list, s) {
  const sum = (what) => list.reduce((n, p) => n + p.times * p[what], 0n);
  const params = sum("params");
  return { params, flops: sum("flops"), kept: sum("kept"), cache: sum("cache"), training: 4n * params * BigInt(s.itemsize) };
}
