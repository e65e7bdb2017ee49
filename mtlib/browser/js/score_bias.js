// Position as a number added to the scores, by how far the key stands from the query: mtlib's score_bias.py.

import { Position } from "./position.js";

// T5's, learned: a number for every bucket of distances and every head.
export class RelativeBias extends Position {
  constructor(weight, bidirectional) {
    super();
    Object.assign(this, { weight, bidirectional });
  }

  bias(head, offset) {
    const [nBuckets, H] = this.weight.shape;
    return this.weight.data[relativeBucket(offset, nBuckets, this.bidirectional) * H + head];
  }
}

// -slope · distance, the slopes 2^(-8/H), 2^(-16/H), … 2^-8.
export class ALiBi extends Position {
  constructor(H) { super(); this.H = H; }

  bias(head, offset) { return -(2 ** ((-8 * (head + 1)) / this.H)) * Math.abs(offset); }
}

const FARTHEST = 128; // from here on all is one bucket

// Half of a direction's buckets hold one distance each; the rest widen logarithmically. Keys after the query have buckets of their own, or bucket 0.
export function relativeBucket(offset, nBuckets, bidirectional) {
  const perSide = bidirectional ? nBuckets / 2 : nBuckets, exact = perSide / 2;
  const distance = bidirectional ? Math.abs(offset) : Math.max(-offset, 0), side = bidirectional && offset > 0 ? perSide : 0;
  if (distance < exact) return side + distance;
  const { fround, log } = Math; // in float32, as T5 has it: on a bucket's edge the rounding decides
  const far = fround(fround(log(distance / exact)) / fround(log(FARTHEST / exact)));
  return side + Math.min(exact + Math.floor(fround(far * (perSide - exact))), perSide - 1);
}
