// Encoder, decoder, and the models made of them: mtlib's encoder.py, decoder.py and transformer.py.
// Left out: dropout, which a trained model does not use, and batches.

import { KVCache, MultiHeadAttention } from "./attention.js";
import { linear } from "./ops.js";
import { ffn, norm, pool, position, residual } from "./parts.js";
import { parametersOf } from "./safetensors.js";

const untouched = (path, value) => value;

class Block {
  constructor(tensors, path, config, { causal, cross }) {
    Object.assign(this, { path, cross, residual: residual(config) });
    [this.norm1, this.norm2] = ["norm1", "norm2"].map((name) => norm(config, tensors, `${path}.${name}`));
    this.attn = new MultiHeadAttention(tensors, `${path}.attn`, config, { causal });
    if (cross) {
      this.normCross = norm(config, tensors, `${path}.norm_cross`);
      this.crossAttn = new MultiHeadAttention(tensors, `${path}.cross_attn`, config);
    }
    this.ffn = ffn(config, tensors, `${path}.ffn`);
  }

  forward(x, { memory, caches: [own, ofMemory] = [], position, tap, keep }) { // keep: of the source, which a decoder looks at across
    x = this.residual(x, (h) => this.attn.forward(h, { cache: own, position, tap, keep: this.cross ? null : keep }), this.norm1);
    if (this.cross) x = this.residual(x, (h) => this.crossAttn.forward(h, { context: memory, cache: ofMemory, tap, keep }), this.normCross);
    return tap(`${this.path}.resid_post`, this.residual(x, (h) => this.ffn.forward(h), this.norm2));
  }
}

// Token table, positions, L blocks. One norm stands where the blocks have none of their own: after the last, or with "post" on the embedding.
class Stack {
  constructor(tensors, path, config, kind) { // path is "encoder.", "decoder.", or "" for a model that is all decoder
    this.path = path;
    this.tok = tensors[`${path}tok.weight`];
    this.pos = position(config, tensors, `${path}pos`, kind);
    this.blocks = Array.from({ length: config.n_layers }, (_, i) => new Block(tensors, `${path}blocks.${i}`, config, kind));
    const one = norm(config, tensors, `${path}norm`), none = (x) => x;
    [this.normFirst, this.normLast] = config.parts.placement === "post" ? [one, none] : [none, one];
  }

  forward(ids, { memory, cache = this.newCache(), tap = untouched, keep } = {}) {
    const D = this.tok.shape[1], rows = ids.map((id) => this.tok.data.slice(id * D, (id + 1) * D));
    let x = tap(`${this.path}embedding`, this.normFirst(this.pos.forward(rows, cache.length)));
    this.blocks.forEach((block, i) => { x = block.forward(x, { memory, caches: cache.layers[i], position: this.pos, tap, keep }); });
    return this.normLast(x);
  }

  newCache() { return new ModelCache(this.blocks.length); }
}

// Of each layer, what it keeps of its own positions and of the memory; an encoder-decoder keeps its memory here.
export class ModelCache {
  constructor(nLayers) { this.layers = Array.from({ length: nLayers }, () => [new KVCache(), new KVCache()]); this.memory = null; }

  get length() { return this.layers[0][0].length; }
}

// Logits (T, V) for what follows each of the ids, in view of a memory if `cross`.
export class DecoderLM extends Stack {
  constructor(tensors, config, path = "", cross = false) {
    super(tensors, path, config, { causal: true, cross });
    this.head = config.parts.tied ? this.tok : tensors[`${path}head.weight`];
  }

  forward(ids, options) { return this.unembed(super.forward(ids, options)); }

  // A product with each token's vector.
  unembed(h) { return linear(h, { weight: this.head }); }
}

// Logits (T, V) for what follows each of the inputs, which are the target so far, in view of the source: of its places where `keep` is true.
export class EncoderDecoder {
  constructor(tensors, config) {
    this.encoder = new Stack(tensors, "encoder.", config, { causal: false, cross: false });
    this.decoder = new DecoderLM(tensors, config.target ?? config, "decoder.", true);
  }

  newCache() { return this.decoder.newCache(); }

  forward(source, inputs, { cache = this.newCache(), tap, keep } = {}) {
    cache.memory ||= this.encoder.forward(source, { tap, keep });
    return this.decoder.forward(inputs, { memory: cache.memory, cache, tap, keep });
  }
}

// Logits (1, C): the text's class, one vector for all of it.
export class Transformer {
  constructor(tensors, config) {
    this.encoder = new Stack(tensors, "encoder.", config, { causal: false, cross: false });
    this.pool = pool(config, tensors);
    this.head = parametersOf(tensors, "head");
  }

  forward(ids, { tap, keep = ids.map(() => true) } = {}) {
    return linear([this.pool(this.encoder.forward(ids, { tap, keep }), keep)], this.head);
  }
}

const KINDS = { "encoder-decoder": EncoderDecoder, "decoder-lm": DecoderLM, transformer: Transformer };

// The model of a config.json and its tensors.
export const build = (config, tensors) => new KINDS[config.kind](tensors, config);
