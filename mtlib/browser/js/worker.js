// The model's own thread: typing never waits for it. Asked by {id, op, …}, answers {id, result} or {id, error}.

import { argmax, chance, draw, probabilities } from "./rules.js";
import { build } from "./models.js";
import { fromBase64, readSafetensors } from "./safetensors.js";
import { softmax } from "./ops.js";
import { BOS, EOS, makeTokenizer } from "./tokenizer.js";

export class Live {
  constructor({ config, tokenizer, weights }) {
    this.config = config;
    this.tokenizer = makeTokenizer(tokenizer);
    this.model = build(config, readSafetensors(fromBase64(weights)));
  }

  // What the translator writes, greedily, one letter at a time over its cache; with `silent` heads at zero and `hidden` places unseen.
  answer(source, { silent = [], hidden = [] } = {}) {
    const { max_len } = this.config.target ?? this.config, longest = Math.min(max_len + 12, this.model.decoder.pos.end);
    const cache = this.model.newCache(), written = [], tap = silencer(silent), keep = kept(source, hidden);
    let next = BOS;
    do {
      next = argmax(this.model.forward(source, [next], { cache, tap, keep })[0]);
      written.push(next);
    } while (next !== EOS && written.length < longest);
    return written;
  }

  // Logits and all attention weights of one pass over source and inputs: weights[path] is (H, T_q, T_k).
  look(source, inputs, { silent = [], hidden = [] } = {}) {
    const { weights, tap } = watching(silent);
    return { logits: this.model.forward(source, inputs, { tap, keep: kept(source, hidden) }), weights };
  }

  // All that the attention view shows of one text. `first` is another answer to judge: how probable is it now?
  translate({ text, first = null, ...changes }) {
    const source = this.tokenizer.encode(text), written = this.answer(source, changes);
    const { logits, weights } = this.look(source, [BOS, ...written.slice(0, -1)], changes);
    const shares = logits.map((row, t) => softmax(row)[written[t]]);
    return {
      source: source.map((id) => this.tokenizer.piece(id)), written, weights, shares,
      pieces: written.map((id) => this.tokenizer.piece(id)), answer: this.tokenizer.decode(written),
      ended: written.at(-1) === EOS, firstShare: first && this.judge(source, first, changes),
    };
  }

  // The same of a language model or a classifier: all attention weights over a text, and the likeliest next token or class. `first` is another one to judge.
  read({ text, first = null, silent = [], hidden = [] }) {
    const all = this.tokenizer.encode(text), source = all.slice(-this.config.max_len), { weights, tap } = watching(silent);
    const shares = softmax(this.model.forward(source, { tap, keep: kept(source, hidden) }).at(-1)), id = argmax(shares);
    return { source: source.map((token) => this.tokenizer.piece(token)), written: [id], weights, shares: [shares[id]],
      answer: this.config.kind === "transformer" ? `class ${id}` : this.tokenizer.piece(id), ended: true, left: all.length - source.length, firstShare: first && shares[first[0]] };
  }

  judge(source, written, changes) {
    const { logits } = this.look(source, [BOS, ...written.slice(0, -1)], changes);
    return logits.reduce((product, row, t) => product * softmax(row)[written[t]], 1);
  }

  // The whole distribution of what follows a text: before the rules and after them, and what step n of the seed draws.
  next({ text, rules, seed, step, added = [] }) {
    const all = [...this.tokenizer.encode(text), ...added], ids = all.slice(-this.config.max_len);
    const logits = this.model.forward(ids).at(-1), shares = probabilities(logits, rules), u = chance(seed, step);
    const id = draw(shares, u);
    return { ids, left: all.length - ids.length, plain: softmax(logits), shares, u, id,
      pieces: Array.from(shares, (_, i) => this.tokenizer.piece(i)), text: this.tokenizer.decode(added) };
  }

  // The logit lens, as mtlib.interp has it: lens[l] is unembed(norm(stream)) after l blocks, (L+1, T, V); with "post" there is no last norm.
  lens(ids) {
    const { model } = this, stream = [];
    model.forward(ids, { tap: (path, value) => { if (/embedding$|resid_post$/.test(path)) stream.push(value); return value; } });
    return stream.map((x) => model.unembed(model.normLast(x)));
  }

  // All that the layers view shows of one text: at every depth and position the likeliest tokens, and how the answer fares.
  layers({ text, count = 5 }) {
    const all = this.tokenizer.encode(text), ids = all.slice(-this.config.max_len);
    const shares = this.lens(ids).map((rows) => rows.map(softmax)), answer = shares.at(-1);
    const cell = (row, t) => {
      const best = argmax(answer[t]), top = largestPlaces(row, count);
      return {
        top: top.map((id) => ({ id, piece: this.tokenizer.piece(id), share: row[id], inTheEnd: answer[t][id] })),
        final: { piece: this.tokenizer.piece(best), share: row[best], rank: 1 + row.filter((share) => share > row[best]).length },
      };
    };
    return { read: ids.map((id) => this.tokenizer.piece(id)), left: all.length - ids.length, size: this.tokenizer.size,
      depths: shares.map((rows) => rows.map(cell)) };
  }

  // The model's tokens after a prompt: one pass over the prompt, then one token a step over the cache.
  write(ids, { count, rules, seed = 0 }) {
    const cache = this.model.newCache(), written = [];
    let logits = this.model.forward(ids, { cache }).at(-1);
    for (let step = 0; step < count; step++) {
      written.push(draw(probabilities(logits, rules), chance(seed, step)));
      if (step + 1 < count) logits = this.model.forward([written.at(-1)], { cache })[0];
    }
    return written;
  }
}

// The places of the n largest of a row, the largest first; of equals the first.
function largestPlaces(row, n) {
  const places = [];
  row.forEach((value, i) => {
    let at = places.length;
    while (at > 0 && row[places[at - 1]] < value) at--;
    if (at < n) places.splice(at, 0, i);
    if (places.length > n) places.pop();
  });
  return places;
}

// A tap that puts heads [module, head] to zero before they are mixed, as mtlib.interp's set_head does.
function silencer(silent) {
  return (path, value, nHeads) => {
    for (const [module, head] of silent) {
      if (path !== `${module}.core`) continue;
      value = value.map((row) => row.map((v, c) => (Math.floor((c * nHeads) / row.length) === head ? 0 : v)));
    }
    return value;
  };
}

// The same tap, and the attention weights of every module that it comes by, in `weights`.
function watching(silent) {
  const weights = {}, silence = silencer(silent);
  const tap = (path, value, nHeads) => {
    if (path.endsWith(".weights")) weights[path.replace(".core.weights", "")] = value;
    return silence(path, value, nHeads);
  };
  return { weights, tap };
}

// Of each place of the source, whether it may be looked at: what the mask of mtlib's models is.
const kept = (source, hidden) => source.map((_, j) => !hidden.includes(j));

let live = null;

export function serve({ data: { id, op, ...asked } }) {
  try {
    if (op === "load") { live = new Live(asked.model); postMessage({ id, result: live.config }); }
    else postMessage({ id, result: live[op](asked) });
  } catch (error) { postMessage({ id, error: error.message }); }
}
