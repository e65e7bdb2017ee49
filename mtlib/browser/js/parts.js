// From the words of a config to what computes them: mtlib's parts.py. A word that is not here is refused by name.

import { FeedForward, GatedFeedForward, gelu, geluTanh, relu, sigmoid, silu } from "./ffn.js";
import { attentionPool, firstPool, maxPool, meanPool } from "./heads.js";
import { layerNorm, rmsNorm } from "./norm.js";
import { add } from "./ops.js";
import { Grid, Learned, Position, Sinusoidal } from "./position.js";
import { Rotary, RotaryHalves } from "./rotary.js";
import { parametersOf } from "./safetensors.js";
import { ALiBi, RelativeBias } from "./score_bias.js";

export const NORMS = { layer: layerNorm, rms: rmsNorm };

export const FFNS = {
  relu: [FeedForward, relu],
  gelu: [FeedForward, gelu],
  "gelu-tanh": [FeedForward, geluTanh],
  silu: [FeedForward, silu],
  tanh: [FeedForward, Math.tanh],
  sigmoid: [FeedForward, sigmoid],
  swiglu: [GatedFeedForward, silu],
  geglu: [GatedFeedForward, gelu],
  "geglu-tanh": [GatedFeedForward, geluTanh],
  reglu: [GatedFeedForward, relu],
};

// Of a config, the numbers that the scheme learned, and whether no key comes after its query.
export const POSITIONS = {
  none: () => new Position(),
  learned: (c, weight) => new Learned(weight),
  sinusoidal: () => new Sinusoidal(),
  grid: (c) => new Grid(Math.sqrt(c.max_len)),
  rotary: (c) => new Rotary(c.d_model / c.n_heads, c.parts.rotary_base),
  "rotary-halves": (c) => new RotaryHalves(c.d_model / c.n_heads, c.parts.rotary_base),
  t5: (c, weight, causal) => new RelativeBias(weight, !causal),
  alibi: (c) => new ALiBi(c.n_heads),
};

// Add and norm, mtlib's residual.py: the norm before the sublayer, or after the addition.
export const RESIDUALS = {
  pre: (x, sublayer, norm) => add(x, sublayer(norm(x))),
  post: (x, sublayer, norm) => norm(add(x, sublayer(x))),
};

export const POOLS = { first: firstPool, mean: meanPool, max: maxPool, attention: attentionPool };

export function norm(config, tensors, path) {
  const f = chosen(NORMS, config.parts, "norm"), learned = parametersOf(tensors, path);
  return (x) => f(x, learned, config.norm_eps);
}

export function ffn(config, tensors, path) {
  const [Network, activation] = chosen(FFNS, config.parts, "ffn");
  return new Network(tensors, path, activation);
}

export const position = (config, tensors, path, { causal }) =>
  chosen(POSITIONS, config.parts, "position")(config, tensors[`${path}.weight`], causal);

export const residual = (config) => chosen(RESIDUALS, config.parts, "placement");

export const pool = (config, tensors) => chosen(POOLS, config, "pool")(tensors["pool.query"]);

function chosen(known, words, part) {
  const word = words[part];
  if (!Object.hasOwn(known, word)) throw new Error(`${part} is ${JSON.stringify(word)}; the page computes ${Object.keys(known).join(", ")}`);
  return known[word];
}
