// Attention(Q, K, V) = softmax(Q Kᵀ / √E) V, H times side by side: mtlib's attention.py, cores.py and cache.py.

import { linear, softmax } from "./ops.js";
import { parametersOf } from "./safetensors.js";

// Keys and values kept from one step of writing to the next, a row a position.
export class KVCache {
  constructor() { this.k = []; this.v = []; }

  get length() { return this.k.length; }

  append({ k, v }) { this.k.push(...k); this.v.push(...v); }

  // Cross-attention: what is attended to does not grow, so it is projected once.
  once(project) { if (!this.length) this.append(project()); }
}

export class MultiHeadAttention {
  constructor(tensors, path, nHeads, { causal = false } = {}) {
    Object.assign(this, { path, nHeads, causal });
    for (const name of ["q_proj", "k_proj", "v_proj", "o_proj"]) this[name] = parametersOf(tensors, `${path}.${name}`);
  }

  // Queries come from x; keys and values from x too, or from context, where `keep` is true. `tap` sees what passes, and may replace it.
  forward(x, { context, cache = new KVCache(), tap, keep }) {
    const project = (source) => ({ k: linear(source, this.k_proj), v: linear(source, this.v_proj) });
    if (context) cache.once(() => project(context));
    else cache.append(project(x));
    const heads = this.core(linear(x, this.q_proj), cache, tap, keep);
    return linear(tap(`${this.path}.core`, heads, this.nHeads), this.o_proj);
  }

  // Head h reads columns hE … (h+1)E-1; query i is position T_k - T_q + i, and if causal sees nothing later.
  core(q, { k, v }, tap, keep) {
    const D = q[0].length, E = D / this.nHeads, before = k.length - q.length;
    const shares = Array.from({ length: this.nHeads }, (_, h) => q.map((query, i) => {
      const scores = k.map((key, j) => {
        if ((this.causal && j > before + i) || (keep && !keep[j])) return -Infinity;
        let product = 0;
        for (let e = h * E; e < (h + 1) * E; e++) product += query[e] * key[e];
        return product / Math.sqrt(E);
      });
      return softmax(scores);
    }));
    const weights = tap(`${this.path}.core.weights`, shares); // (H, T_q, T_k)
    return q.map((_, i) => {
      const out = new Float32Array(D); // the heads side by side again
      for (let c = 0; c < D; c++) {
        const row = weights[Math.floor(c / E)][i];
        let sum = 0;
        for (let j = 0; j < k.length; j++) sum += row[j] * v[j][c];
        out[c] = sum;
      }
      return out;
    });
  }
}
