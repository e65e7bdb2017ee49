// What a transformer computes with. A text is a list of rows, one Float32Array (D) a position.
// Sums run in double precision and are kept as float32.

// x Wᵀ + b: each of the D_out rows of W is one question put to the vector.
export function linear(x, { weight, bias }) {
  const [dOut, dIn] = weight.shape, w = weight.data;
  return x.map((row) => {
    const out = new Float32Array(dOut);
    for (let o = 0, at = 0; o < dOut; o++) {
      let sum = bias ? bias.data[o] : 0;
      for (let i = 0; i < dIn; i++, at++) sum += row[i] * w[at];
      out[o] = sum;
    }
    return out;
  });
}

// (x - mean) / √(var + eps) · weight + bias, position by position.
export function layerNorm(x, { weight, bias }, eps) {
  return x.map((row) => {
    let mean = 0, variance = 0;
    for (const v of row) mean += v / row.length;
    for (const v of row) variance += (v - mean) ** 2 / row.length;
    const scale = 1 / Math.sqrt(variance + eps);
    return row.map((v, i) => (v - mean) * scale * weight.data[i] + bias.data[i]);
  });
}

export const add = (x, y) => x.map((row, t) => row.map((v, i) => v + y[t][i]));

// exp(s - largest) / sum; -Infinity becomes 0.
export function softmax(scores) {
  let largest = -Infinity, sum = 0;
  for (const s of scores) largest = Math.max(largest, s);
  const shares = Float64Array.from(scores, (s) => Math.exp(s - largest));
  for (const share of shares) sum += share;
  return Float32Array.from(shares, (share) => share / sum);
}

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

// x + p_t of a learned table.
export const learned = ({ weight }) => (x, start) =>
  x.map((row, t) => row.map((v, i) => v + weight.data[(start + t) * row.length + i]));

// √D · x + waves: column 2i is sin(t / 10000^(2i/D)), column 2i+1 the cos.
export const sinusoidal = () => (x, start) =>
  x.map((row, t) => row.map((v, i) => {
    const angle = (start + t) / 10000 ** ((i - (i % 2)) / row.length);
    return Math.sqrt(row.length) * v + (i % 2 ? Math.cos(angle) : Math.sin(angle));
  }));
