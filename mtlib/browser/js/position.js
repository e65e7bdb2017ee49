// Where a position can enter, and the schemes that enter at the embedding: mtlib's position.py.

// No position at all, and the three places where one could be put; a scheme overrides one of them.
export class Position {
  // How many positions there are.
  get end() { return Infinity; }

  // The embedding, whose first row stands at position `start`.
  forward(x, start) { return x; }

  // Queries and keys, all heads of a position in a row.
  turn(x, start) { return x; }

  // What is added to the score of a key that stands `offset` after the query.
  bias(head, offset) { return 0; }
}

// x + p_t, where a scheme has a table of so many rows and no more.
class Table extends Position {
  forward(x, start) {
    if (start + x.length > this.end) throw new Error(`${start + x.length} positions are asked for; this model has ${this.end}`);
    return x.map((row, t) => this.placed(row, start + t));
  }
}

// A learned row for every position.
export class Learned extends Table {
  constructor(weight) { super(); this.weight = weight; }

  get end() { return this.weight.shape[0]; }

  placed(row, t) { return row.map((v, i) => v + this.weight.data[t * row.length + i]); }
}

// √D · x + waves: column 2i is sin(t / 10000^(2i/D)), column 2i+1 the cos.
export class Sinusoidal extends Position {
  forward(x, start) {
    return x.map((row, t) => row.map((v, i) => Math.sqrt(row.length) * v + wave(start + t, i, row.length)));
  }
}

// √D · x + waves: one half of the columns tells the row of an image's patch, the other its column.
export class Grid extends Table {
  constructor(side) { super(); this.side = side; }

  get end() { return this.side ** 2; }

  placed(row, t) {
    const half = row.length / 2, at = [Math.floor(t / this.side), t % this.side];
    return row.map((v, i) => Math.sqrt(row.length) * v + wave(at[Math.floor(i / half)], i % half, half));
  }
}

function wave(t, i, columns) {
  const angle = t / 10000 ** ((i - (i % 2)) / columns);
  return i % 2 ? Math.cos(angle) : Math.sin(angle);
}
