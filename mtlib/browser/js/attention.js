// Attention(Q, K, V) = softmax(Q Kᵀ / √E + bias) V, H times side by side: mtlib's attention.py, cores.py and cache.py.

import { linear, softmax } from "./ops.js";
import { Position } from "./position.js";
import { parametersOf } from "./safetensors.js";

// Keys and values kept from one step of writing to the next, a row a position.
export class KVCache {
  constructor() { this.k = []; this.v = []; }

  get length() { return this.k.length; }

  append({ k, v }) { this.k.push(...k); this.v.push(...v); }

  // Cross-attention: what is attended to does not grow, so it is projected once.
  once(project) { if (!this.length) this.append(project()); }
}

const NOWHERE = new Position(); // across, the distance between query and key means nothing

export class MultiHeadAttention {
  constructor(tensors, path, { n_heads: nHeads, n_kv_heads: nKVHeads }, { causal = false } = {}) {
    Object.assign(this, { path, nHeads, causal, share: nHeads / (nKVHeads ?? nHeads) }); // so many heads share keys and values
    for (const name of ["q_proj", "k_proj", "v_proj", "o_proj"]) this[name] = parametersOf(tensors, `${path}.${name}`);
  }

  // Queries come from x; keys and values from x too, or from context, where `keep` is true. `tap` sees what passes, and may replace it.
  forward(x, { context, cache = new KVCache(), position = NOWHERE, tap, keep }) {
    const start = cache.length, project = (source) => ({ k: linear(source, this.k_proj), v: linear(source, this.v_proj) });
    let q = linear(x, this.q_proj);
    if (context) cache.once(() => project(context));
    else {
      const { k, v } = project(x);
      q = position.turn(q, start);
      cache.append({ k: position.turn(k, start), v });
    }
    const heads = this.core(q, cache, position, tap, keep);
    return linear(tap(`${this.path}.core`, heads, this.nHeads), this.o_proj);
  }

  // Head h asks with columns hE … (h+1)E-1; query i is position T_k - T_q + i, and if causal sees nothing later.
  core(q, { k, v }, position, tap, keep) {
    const D = q[0].length, E = D / this.nHeads, before = k.length - q.length;
    const shift = (h) => (Math.floor(h / this.share) - h) * E; // from the columns of a head's queries to those of its keys
    const shares = Array.from({ length: this.nHeads }, (_, h) => q.map((query, i) => {
      const to = shift(h);
      const scores = k.map((key, j) => {
        if ((this.causal && j > before + i) || (keep && !keep[j])) return -Infinity;
        let product = 0;
        for (let e = h * E; e < (h + 1) * E; e++) product += query[e] * key[e + to];
        return product / Math.sqrt(E) + position.bias(h, j - before - i);
      });
      return softmax(scores);
    }));
    const weights = tap(`${this.path}.core.weights`, shares); // (H, T_q, T_k)
    return q.map((_, i) => {
      const out = new Float32Array(D); // the heads side by side again
      for (let c = 0; c < D; c++) {
        const h = Math.floor(c / E), row = weights[h][i], from = c + shift(h);
        let sum = 0;
        for (let j = 0; j < k.length; j++) sum += row[j] * v[j][from];
        out[c] = sum;
      }
      return out;
    });
  }
}
