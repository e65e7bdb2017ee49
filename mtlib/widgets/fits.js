// What sizes cannot be: mtlib's own line about it, or nothing. The order is that in which Python would notice.
export function problem(s) {
  const whole = (...names) => names.find((name) => !Number.isInteger(s[name]) || s[name] < 1);
  const odd = (name, n) => n % 2 && `${name}=${n} must be even: columns come in pairs, a sin and a cos`;
  const kinds = { Transformer: ["n_classes", "batch", "length"], DecoderLM: ["batch", "length"], EncoderDecoder: ["batch", "source_length", "length"] };

  const wrong = whole("vocab", "max_len", "d_model", "n_heads", "n_layers", "n_kv_heads", "d_ff");
  if (wrong) return positive(wrong, s[wrong]);
  if (s.d_model % s.n_heads) return `d_model=${s.d_model} does not split into n_heads=${s.n_heads} equal heads`;
  if (s.n_heads % s.n_kv_heads) return `n_heads=${s.n_heads} query heads cannot share n_kv_heads=${s.n_kv_heads} evenly`;
  const of_scheme = {
    grid: () => grid(s), sinusoidal: () => odd("d_model", s.d_model), alibi: () => alibi(s),
    rotary: () => odd("d_head", s.d_model / s.n_heads), "rotary-halves": () => odd("d_head", s.d_model / s.n_heads),
  }[s.position];
  const scheme = of_scheme && of_scheme();
  if (scheme) return scheme;
  const given = whole(...kinds[s.kind]);
  if (given) return positive(LETTERS[given] ?? given, s[given]);
  return kinds[s.kind].filter((name) => name.endsWith("length")).map((name) => too_long(s, s[name])).find(Boolean) ?? "";
}

const LETTERS = { batch: "B", length: "T", source_length: "S" };

const positive = (name, n) => `${name}${Number.isNaN(n) ? " is empty; it" : `=${n}`} must be a whole number of at least 1`;

function grid(s) {
  if (!Number.isInteger(Math.sqrt(s.max_len))) return `max_len=${s.max_len} cells make no square grid; 'grid' needs 64 or another square`;
  return s.d_model % 4 && `d_model=${s.d_model} must be a multiple of 4 for the position 'grid': sin and cos, of row and column`;
}

function alibi(s) {
  const power = Number.isInteger(Math.log2(s.n_heads));
  return !power && `n_heads=${s.n_heads} must be a power of two: ALiBi's slopes halve from head to head`;
}

// Only a table of rows ends: a learned one, or that of a grid.
function too_long(s, length) {
  const side = Math.sqrt(s.max_len);
  if (length <= s.max_len || !["learned", "grid"].includes(s.position)) return "";
  return s.position === "grid" ? `x holds ${length} patches; the grid has ${side} × ${side}`
    : `ids holds ${length} positions; this model's table ends at max_len=${s.max_len}`;
}
