// Queries and keys turned by an angle that grows with their position: mtlib's rotary.py.

import { Position } from "./position.js";

// Pair i of a head's E columns is (2i, 2i+1), turned by position · base^(-2i/E).
export class Rotary extends Position {
  constructor(E, base) {
    super();
    Object.assign(this, { E, base, angles: [] });
  }

  // The pair that column e belongs to, and the other column of it.
  pair(e) { return e >> 1; }

  other(e) { return e ^ 1; }

  // x · cos + x turned by a quarter · sin; the quarter makes (a, b) to (-b, a).
  turn(x, start) {
    return x.map((row, t) => {
      const { cos, sin } = (this.angles[start + t] ||= this.anglesAt(start + t));
      return row.map((v, c) => {
        const e = c % this.E, o = this.other(e);
        return v * cos[e] + (e < o ? -1 : 1) * row[c - e + o] * sin[e];
      });
    });
  }

  anglesAt(t) {
    const angles = Array.from({ length: this.E }, (_, e) => t * this.base ** ((-2 * this.pair(e)) / this.E));
    return { cos: angles.map(Math.cos), sin: angles.map(Math.sin) };
  }
}

// Pair i is (i, i + E/2): the pairing of Llama.
export class RotaryHalves extends Rotary {
  pair(e) { return e % (this.E / 2); }

  other(e) { return (e + this.E / 2) % this.E; }
}
