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

export const add = (x, y) => x.map((row, t) => row.map((v, i) => v + y[t][i]));

// exp(s - largest) / sum; -Infinity becomes 0.
export function softmax(scores) {
  let largest = -Infinity, sum = 0;
  for (const s of scores) largest = Math.max(largest, s);
  const shares = Float64Array.from(scores, (s) => Math.exp(s - largest));
  for (const share of shares) sum += share;
  return Float32Array.from(shares, (share) => share / sum);
}
