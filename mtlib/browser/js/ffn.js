// The position-wise network, the same for every position: mtlib's ffn.py, and the curves that bend in it.

import { linear } from "./ops.js";
import { parametersOf } from "./safetensors.js";

// act(x W_in + b_in) W_out + b_out
export class FeedForward {
  constructor(tensors, path, activation) {
    this.wIn = parametersOf(tensors, `${path}.w_in`);
    this.wOut = parametersOf(tensors, `${path}.w_out`);
    this.activation = activation;
  }

  forward(x) { return linear(this.hidden(x), this.wOut); }

  hidden(x) { return linear(x, this.wIn).map((row) => row.map(this.activation)); }
}

// (act(x W_gate) ⊙ x W_in) W_out
export class GatedFeedForward extends FeedForward {
  constructor(tensors, path, activation) {
    super(tensors, path, activation);
    this.wGate = parametersOf(tensors, `${path}.w_gate`);
  }

  hidden(x) {
    const gate = linear(x, this.wGate);
    return linear(x, this.wIn).map((row, t) => row.map((v, i) => this.activation(gate[t][i]) * v));
  }
}

export const relu = (x) => Math.max(0, x);
export const sigmoid = (x) => 1 / (1 + Math.exp(-x));
export const silu = (x) => x * sigmoid(x);

// x Φ(x), the exact GELU. erf by its series e^(-x²) · 2/√π · Σ 2ⁿ x^(2n+1) / (2n+1)!!, whose terms have one sign.
export const gelu = (x) => 0.5 * x * (1 + erf(x / Math.SQRT2));

function erf(x) {
  if (Math.abs(x) > 5) return Math.sign(x); // off by less than 2e-12
  let term = x, sum = x;
  for (let n = 1; Math.abs(term) > 1e-12 * Math.abs(sum); n++) sum += term *= (2 * x * x) / (2 * n + 1);
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

// GPT-2's formula for nearly the same curve.
export const geluTanh = (x) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));
