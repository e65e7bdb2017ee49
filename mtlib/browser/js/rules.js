// From logits to the next token: mtlib/generation/rules.py. A token that a rule takes out stands at -Infinity.

import { softmax } from "./ops.js";

export const argmax = (row) => row.reduce((best, v, i) => (v > row[best] ? i : best), 0);

// At temperature 0 all is on the largest.
function temper(logits, t) {
  if (t === 0) { const best = argmax(logits); return logits.map((_, i) => (i === best ? 0 : -Infinity)); }
  const largest = logits[argmax(logits)];
  return logits.map((z) => (z - largest) / t);
}

// The k largest, and all that equal the smallest of them.
function topK(logits, k) {
  const kth = [...logits].sort((a, b) => b - a)[Math.min(k, logits.length) - 1];
  return logits.map((z) => (z < kth ? -Infinity : z));
}

// From the likeliest down, a token stays while those before it weigh less than p; the first always.
function topP(logits, p) {
  if (p >= 1) return logits;
  const shares = softmax(logits), out = logits.slice();
  let before = 0;
  [...shares.keys()].sort((a, b) => shares[b] - shares[a] || a - b).forEach((id, place) => {
    if (place > 0 && before >= p) out[id] = -Infinity;
    before += shares[id];
  });
  return out;
}

// Those that weigh at least p times the likeliest.
function minP(logits, p) {
  if (p === 0) return logits;
  const least = logits[argmax(logits)] + Math.log(p);
  return logits.map((z) => (z < least ? -Infinity : z));
}

// The probabilities that the next token is drawn from, in the order of mtlib's Rules.
export function probabilities(logits, { temperature = 1, top_k = null, top_p = 1, min_p = 0 } = {}) {
  let z = temper(logits, temperature);
  if (top_k !== null) z = topK(z, top_k);
  return softmax(minP(topP(z, top_p), min_p));
}

// The token in whose piece of the line from 0 to 1 the number u falls.
export function draw(shares, u) {
  let sum = 0, last = 0;
  for (let id = 0; id < shares.length; id++) {
    if (shares[id] > 0) last = id;
    if ((sum += shares[id]) > u) return id;
  }
  return last; // the sum of rounded shares may end below 1
}

// The number that step n of seed s draws with, in [0, 1): a hash of both, so that any step can be taken again.
export function chance(seed, step) {
  let h = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(step + 1, 0xc2b2ae35);
  for (const [shift, factor] of [[16, 0x7feb352d], [15, 0x846ca68b], [16, 1]]) h = Math.imul(h ^ (h >>> shift), factor);
  return (h >>> 0) / 2 ** 32;
}
