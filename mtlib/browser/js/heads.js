// From a vector for every position to one for the whole text: mtlib's heads.py. Where `keep` is false, nothing counts.

import { softmax } from "./ops.js";

// The first position's vector; zeros where it is not kept.
export const firstPool = () => (hidden, keep) => hidden[0].map((v) => (keep[0] ? v : 0));

export const meanPool = () => (hidden, keep) => mixed(hidden, keep.map((kept) => kept / keep.filter(Boolean).length));

// In each column the largest.
export const maxPool = () => (hidden, keep) => hidden[0].map((_, i) => Math.max(...hidden.filter((_, t) => keep[t]).map((row) => row[i])));

// A learned query asks every position: softmax(hidden · w) weighs them.
export const attentionPool = (query) => (hidden, keep) =>
  mixed(hidden, softmax(hidden.map((row, t) => (keep[t] ? row.reduce((sum, v, i) => sum + v * query.data[i], 0) : -Infinity))));

const mixed = (hidden, weights) => hidden[0].map((_, i) => hidden.reduce((sum, row, t) => sum + weights[t] * row[i], 0));
