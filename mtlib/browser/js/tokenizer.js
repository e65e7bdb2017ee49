// Text to ids and back, from the same tokenizer.json that Python reads: an alphabet, or byte-level pairs.

const PAD = 0, BOS = 1, EOS = 2, FIRST = 3;

// mtlib/data/letters.py: every letter is a token, after PAD, BOS and EOS.
class Letters {
  constructor({ alphabet }) { this.alphabet = [...alphabet]; }

  get size() { return FIRST + this.alphabet.length; }

  strangers(text) { return [...new Set(text)].filter((letter) => !this.alphabet.includes(letter)); }

  encode(text) {
    const strangers = this.strangers(text);
    if (strangers.length) throw new Error(`the alphabet has no ${strangers.join(" ")}`);
    return [...text].map((letter) => FIRST + this.alphabet.indexOf(letter));
  }

  piece(id) { return id >= FIRST ? this.alphabet[id - FIRST] : ["pad", "begin", "end"][id]; }

  decode(ids) { return ids.filter((id) => id >= FIRST).map((id) => this.piece(id)).join(""); }
}

// A printable letter for each byte, as vocabularies are written down: a space is Ġ. See mtlib/data/bpe.py.
function byteLetters() {
  const prints = (b) => (b >= 33 && b <= 126) || (b >= 161 && b <= 172) || b >= 174;
  let next = 256;
  return Array.from({ length: 256 }, (_, b) => String.fromCharCode(prints(b) ? b : next++));
}

// GPT-2's cut: no token spans two words; a space belongs to the word after it.
const CUT = /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\p{White_Space}\p{L}\p{N}]+|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+/gu;

// mtlib/data/bpe.py: bytes first, then the pairs that were learned, first learned first joined.
class BytePairs {
  constructor({ vocab, merges }, signs) {
    this.ids = vocab;
    this.rank = new Map(merges.map((pair, i) => [Array.isArray(pair) ? pair.join(" ") : pair, i]));
    this.signs = new Set(signs.map((sign) => sign.id));
    this.letters = byteLetters();
    this.byte = Object.fromEntries(this.letters.map((letter, b) => [letter, b]));
    this.tokens = [];
    for (const [token, id] of Object.entries(vocab)) this.tokens[id] = token;
    this.known = new Map();
  }

  get size() { return this.tokens.length; }

  encode(text) {
    return (text.match(CUT) || []).flatMap((word) => {
      if (!this.known.has(word)) this.known.set(word, this.join(word).map((token) => this.ids[token]));
      return this.known.get(word);
    });
  }

  join(word) {
    const parts = Array.from(new TextEncoder().encode(word), (b) => this.letters[b]);
    for (;;) {
      let best = Infinity, at = -1;
      for (let i = 0; i + 1 < parts.length; i++) {
        const rank = this.rank.get(`${parts[i]} ${parts[i + 1]}`) ?? Infinity;
        if (rank < best) [best, at] = [rank, i];
      }
      if (at < 0) return parts;
      parts.splice(at, 2, parts[at] + parts[at + 1]);
    }
  }

  piece(id) { return this.signs.has(id) ? this.tokens[id] : this.decode([id]); }

  decode(ids) {
    const bytes = ids.filter((id) => !this.signs.has(id)).flatMap((id) => [...this.tokens[id]].map((letter) => this.byte[letter]));
    return new TextDecoder().decode(Uint8Array.from(bytes));
  }
}

export function makeTokenizer(spec) {
  return spec.model.type === "Letters" ? new Letters(spec.model) : new BytePairs(spec.model, spec.added_tokens);
}

export { BOS, EOS };
