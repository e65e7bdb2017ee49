// Encoder, decoder, and the two models made of them: mtlib's encoder.py, decoder.py and transformer.py.
// Pre-norm only: x + f(norm(x)). Left out: dropout, which a trained model does not use, and batches.

import { KVCache, MultiHeadAttention } from "./attention.js";
import { add, gelu, geluTanh, layerNorm, learned, linear, sinusoidal } from "./ops.js";
import { parametersOf } from "./safetensors.js";

const ACTIVATIONS = { gelu, "gelu-tanh": geluTanh };
const POSITIONS = { learned, sinusoidal };
const untouched = (path, value) => value;

class FeedForward {
  constructor(tensors, path, activation) {
    this.wIn = parametersOf(tensors, `${path}.w_in`);
    this.wOut = parametersOf(tensors, `${path}.w_out`);
    this.activation = activation;
  }

  forward(x) { return linear(linear(x, this.wIn).map((row) => row.map(this.activation)), this.wOut); }
}

class Block {
  constructor(tensors, path, config, { causal, cross }) {
    const norm = (name) => { const p = parametersOf(tensors, `${path}.${name}`); return (x) => layerNorm(x, p, config.norm_eps); };
    Object.assign(this, { path, cross, norm1: norm("norm1"), norm2: norm("norm2") });
    this.attn = new MultiHeadAttention(tensors, `${path}.attn`, config.n_heads, { causal });
    if (cross) {
      this.normCross = norm("norm_cross");
      this.crossAttn = new MultiHeadAttention(tensors, `${path}.cross_attn`, config.n_heads);
    }
    this.ffn = new FeedForward(tensors, `${path}.ffn`, ACTIVATIONS[config.parts.ffn]);
  }

  forward(x, { memory, caches: [own, ofMemory] = [], tap, keep }) { // keep: of the source, which a decoder looks at across
    x = add(x, this.attn.forward(this.norm1(x), { cache: own, tap, keep: this.cross ? null : keep }));
    if (this.cross) x = add(x, this.crossAttn.forward(this.normCross(x), { context: memory, cache: ofMemory, tap, keep }));
    return tap(`${this.path}.resid_post`, add(x, this.ffn.forward(this.norm2(x))));
  }
}

// Token table, positions, L blocks, a norm. `path` is "encoder.", "decoder.", or "" for a model that is all decoder.
class Stack {
  constructor(tensors, path, config, kind) {
    this.path = path;
    this.tok = tensors[`${path}tok.weight`];
    this.position = POSITIONS[config.parts.position](config.parts.position === "learned" ? parametersOf(tensors, `${path}pos`) : null);
    this.blocks = Array.from({ length: config.n_layers }, (_, i) => new Block(tensors, `${path}blocks.${i}`, config, kind));
    const last = parametersOf(tensors, `${path}norm`);
    this.norm = (x) => layerNorm(x, last, config.norm_eps);
  }

  forward(ids, { memory, cache = new ModelCache(this.blocks.length), tap = untouched, keep } = {}) {
    const D = this.tok.shape[1];
    let x = this.position(ids.map((id) => this.tok.data.slice(id * D, (id + 1) * D)), cache.length);
    x = tap(`${this.path}embedding`, x);
    this.blocks.forEach((block, i) => { x = block.forward(x, { memory, caches: cache.layers[i], tap, keep }); });
    return this.norm(x);
  }

  // The head is the token table again: a product with each token's vector.
  unembed(h) { return linear(h, { weight: this.tok }); }
}

// Of each layer, what it keeps of its own positions and of the memory; an encoder-decoder keeps its memory here.
export class ModelCache {
  constructor(nLayers) { this.layers = Array.from({ length: nLayers }, () => [new KVCache(), new KVCache()]); this.memory = null; }

  get length() { return this.layers[0][0].length; }
}

// Logits (T, V) for what follows each of the ids.
export class DecoderLM {
  constructor(tensors, config) { this.decoder = new Stack(tensors, "", config, { causal: true, cross: false }); }

  newCache() { return new ModelCache(this.decoder.blocks.length); }

  forward(ids, options) { return this.decoder.unembed(this.decoder.forward(ids, options)); }
}

// Logits (T, V) for what follows each of the inputs, which are the target so far, in view of the source: of its places where `keep` is true.
export class EncoderDecoder {
  constructor(tensors, config) {
    this.encoder = new Stack(tensors, "encoder.", config, { causal: false, cross: false });
    this.decoder = new Stack(tensors, "decoder.", config, { causal: true, cross: true });
  }

  newCache() { return new ModelCache(this.decoder.blocks.length); }

  forward(source, inputs, { cache = this.newCache(), tap, keep } = {}) {
    cache.memory ||= this.encoder.forward(source, { tap, keep });
    return this.decoder.unembed(this.decoder.forward(inputs, { memory: cache.memory, cache, tap, keep }));
  }
}

// The model of a config.json and its tensors; what this file does not know is refused by name.
export function build(config, tensors) {
  const { norm, ffn, position, placement, bias, tied } = config.parts;
  const known = { norm: norm === "layer", ffn: ffn in ACTIVATIONS, position: position in POSITIONS, placement: placement === "pre", bias, tied };
  for (const [name, fits] of Object.entries(known)) {
    if (!fits) throw new Error(`parts.${name} is ${JSON.stringify(config.parts[name])}, which the page cannot compute`);
  }
  return new { "encoder-decoder": EncoderDecoder, "decoder-lm": DecoderLM }[config.kind](tensors, config);
}
