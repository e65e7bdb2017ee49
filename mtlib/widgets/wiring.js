// The walk's picture: a model as boxes on wires, from ids to logits, every wire with its shape in letters and numbers.
// SVG as text, 400 units wide. The stream runs down the left; each sublayer branches off and comes back at a plus.
import { title } from "./words.js";

const WIDE = 400, STREAM = 24, LEFT = 50, RIGHT = 388, GAP = 6;
const LANE = (RIGHT - LEFT - 2 * GAP) / 3;
const LANES = [0, 1, 2].map((i) => LEFT + i * (LANE + GAP));
const RUN = LANES.map((x) => x + 12); // where a lane's wire runs: its label stands to the right

const escaped = (text) => String(text).replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);

// A pencil: y goes down as things are drawn; `look` says what a part's share is and which wires moved.
class Pencil {
  constructor(s, look) { Object.assign(this, { s, look, y: 6, behind: [], out: [] }); }

  box(p, x, width, height = 28) {
    const share = this.look.share(p), name = title(p, this.s), two = height > 30, middle = x + width / 2;
    const shown = share >= 0.005 ? `${Math.round(100 * share)}%` : "", drop = shown ? 1 : 0;
    const weight = p.weights[0] ? `${p.weights[0].letters.replaceAll(" ", " × ")} = ${p.weights[0].shape.join(" × ")}` : "";
    const lines = two ? [[name, 16], [p.weights[0].shape.join(" × "), 31]] : [[weight ? `${name}: ${weight}` : name, height / 2 + 4]];
    const room = width - (shown ? 62 : 10);
    this.out.push(
      `<g class="mt-part mt-${p.family}" role="radio" aria-checked="false" tabindex="-1" data-path="${p.path}" aria-label="${escaped(this.look.says(p))}">`
      + `<rect x="${x}" y="${this.y}" width="${width}" height="${height}" rx="6"/>`
      + (shown ? `<rect class="mt-share" x="${x + 4}" y="${this.y + height - 5}" width="${(share * (width - 8)).toFixed(1)}" height="3" rx="1.5"/>` : "")
      + lines.map(([text, dy], i) => this.text(text, middle, this.y + dy - drop, { room: i ? width - 8 : room, anchor: "middle" })).join("")
      + (shown ? this.text(shown, x + width - 5, this.y + (two ? 16 : height / 2 + 4) - 1, { room: 30, anchor: "end", kind: "mt-percent" }) : "") + "</g>");
    this.y += height;
  }

  // Shrunk where there is no room; the first `bold` letters bold.
  text(words, x, y, { room, anchor = "start", kind = "", bold = 0 }) {
    const lead = bold ? `<tspan class="mt-letters">${words.slice(0, bold)}</tspan>` : "", size = Math.min(12, room / (0.56 * words.length));
    return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" font-size="${size.toFixed(1)}" text-anchor="${anchor}"${kind && ` class="${kind}"`}>${lead}${escaped(words.slice(bold))}</text>`;
  }

  line(path) { this.behind.push(`<path d="${path}"/>`); }

  // What a wire carries: in one line beside it, or in two.
  label(value, x, y, room, two = false) {
    const numbers = `(${value.shape.join(", ")})`, moved = this.look.moved(value) ? " mt-moved" : "";
    const put = (words, bold, dy) => this.out.push(this.text(words, x, y + dy, { room, bold, kind: `mt-wire${moved}` }));
    if (!two) return put(`${value.letters} ${numbers}`, value.letters.length, 0);
    put(value.letters, value.letters.length, -7);
    put(numbers, 0, 6);
  }

  down(value, x, room, height = 24) {
    this.line(`M${x} ${this.y}v${height}`);
    this.label(value, x + 6, this.y + height / 2 + 4, room);
    this.y += height;
  }

  // A row of boxes side by side, then what they put out on wires below them.
  row(boxes, height, wires = 34) {
    const top = this.y;
    boxes.forEach(([p, i]) => { this.y = top; this.box(p, LANES[i], LANE, height); });
    boxes.forEach(([p, i]) => {
      this.line(`M${RUN[i]} ${this.y}v${wires}`);
      this.label(p.value, RUN[i] + 6, this.y + wires / 2 + 3, LANE - 20, true);
    });
    this.y += wires;
  }
}

const full = (g, p) => g.box(p, 8, WIDE - 20);

function attention(g, a, entry) {
  entry([0, 1, 2]);
  g.row([[a.q_proj, 0], [a.k_proj, 1], [a.v_proj, 2]], 40);
  g.row([[a.q, 0], [a.k, 1], [a.v, 2]], 28);
  const top = g.y, pair = 2 * LANE + GAP;
  for (const p of [a["core.scores"], a["core.weights"]]) {
    g.box(p, LEFT, pair);
    g.down(p.value, RUN[0], pair - 20);
  }
  g.line(`M${RUN[2]} ${top}V${g.y}`); // the values wait for their weights
  g.box(a.core, LEFT, RIGHT - LEFT);
  for (const [p, next] of [[a.core, a.merged], [a.merged, a.o_proj]]) {
    g.down(p.value, RUN[0], RIGHT - RUN[0] - 8);
    g.box(next, LEFT, RIGHT - LEFT);
  }
  return a.o_proj;
}

function ffn(g, a, entry) {
  const widened = a["ffn.w_gate"] ? [[a["ffn.w_gate"], 0], [a["ffn.w_in"], 1]] : [[a["ffn.w_in"], 0]];
  entry(widened.map(([, i]) => i));
  g.row(widened, 40);
  g.box(a["ffn.hidden"], LEFT, widened.length * (LANE + GAP) - GAP);
  g.down(a["ffn.hidden"].value, RUN[0], RIGHT - RUN[0] - 8);
  g.box(a["ffn.w_out"], LEFT, RIGHT - LEFT);
  return a["ffn.w_out"];
}

// Off the stream, through the norm where it comes first, inside, and back to the stream at a plus.
function residual(g, { stream, normed, sum, memory }, inside) {
  const entry = (lanes) => {
    const own = memory ? [0] : lanes, top = g.y;
    if (g.s.placement === "pre") {
      g.line(`M${STREAM} ${g.y + 14}H${LEFT}`);
      g.box(normed, LEFT, memory ? LANE : RIGHT - LEFT);
    } else {
      g.line(`M${STREAM} ${g.y + 4}H${RUN[own.at(-1)]}`);
      g.y += 4;
    }
    const narrow = memory || own.length > 1, height = narrow ? 34 : 24;
    own.forEach((i) => g.line(`M${RUN[i]} ${g.y}v${height}`));
    g.label(stream, RUN[0] + 6, g.y + height / 2 + 4, narrow ? LANE - 20 : 240, narrow);
    if (memory) { // from the encoder, down the right edge
      [1, 2].forEach((i) => g.line(`M${RUN[i]} ${top + 14}V${g.y + height}`));
      g.line(`M${WIDE - 20} ${g.memory}H${WIDE - 1}V${top + 14}H${RUN[1]}`);
      g.out.push(g.text("memory", RUN[1] - 4, top + 9, { room: 60, kind: "mt-frame-name" }));
      g.label(memory, RUN[1] + 50, top + 9, RIGHT - RUN[1] - 52);
    }
    g.y += height;
  };
  g.label(stream, STREAM + 8, g.y + 13, 300);
  g.y += 20;
  const last = inside(entry);
  g.line(`M${RUN[0]} ${g.y}v16H${STREAM}`);
  g.label(last.value, RUN[0] + 8, g.y + 17, RIGHT - RUN[0] - 10);
  g.y += 2;
  g.box(sum, STREAM - 14, 28);
  if (g.s.placement === "post") {
    g.y += 10;
    g.box(normed, STREAM - 14, RIGHT - STREAM + 14);
  }
  g.y += 4;
  return sum.value;
}

function block(g, a, cross, stream, memory) {
  const top = g.y, times = a.q_proj.times;
  g.y += 6;
  g.out.push(g.text(times > 1n ? `block, ${times} times` : "block, once", RIGHT, g.y + 13, { room: 130, anchor: "end", kind: "mt-frame-name" }));
  stream = residual(g, { stream, normed: a.norm1, sum: a.resid_mid }, (entry) => attention(g, a, entry));
  if (memory) stream = residual(g, { stream, normed: a.norm_cross, sum: a.resid_cross, memory }, (entry) => attention(g, cross, entry));
  stream = residual(g, { stream, normed: a.norm2, sum: a.resid_post }, (entry) => ffn(g, a, entry));
  g.y += 4;
  g.line(`M${STREAM} ${top}V${g.y}`);
  g.behind.unshift(`<rect class="mt-frame" x="4" y="${top}" width="${WIDE - 10}" height="${g.y - top}" rx="10"/>`);
  return stream;
}

function stack(g, list, side, memory) {
  const of = (cross) => Object.fromEntries(list.filter((p) => p.side === side && (p.sub === "cross_attn") === cross).map((p) => [p.at, p]));
  const a = of(false), value = a.tok.value, room = WIDE - STREAM - 20;
  const ids = { letters: value.letters.replace(" D", ""), shape: value.shape.slice(0, 2), like: value };
  g.out.push(g.text({ encoder: g.s.kind === "Transformer" ? "ids" : "ids of the source", decoder: "ids written so far" }[side] ?? "ids", WIDE - 12, g.y + 14, { room: 160, anchor: "end", kind: "mt-frame-name" }));
  g.down(ids, STREAM, room);
  const around = g.s.placement === "pre" ? [[a.tok, a.pos], [a.norm]] : [[a.tok, a.pos, a.norm], []];
  around[0].forEach((p) => { full(g, p); g.down(p.value, STREAM, p === around[0].at(-1) ? 0.1 : room, p === around[0].at(-1) ? 10 : 24); });
  let stream = block(g, a, of(true), around[0].at(-1).value, memory);
  g.down(stream, STREAM, room);
  around[1].forEach((p) => { full(g, p); g.down(stream = p.value, STREAM, room); });
  return stream;
}

export function picture(s, list, look) {
  const g = new Pencil(s, look), at = (name) => list.find((p) => p.at === name);
  let hidden = stack(g, list, s.kind === "DecoderLM" ? "" : "encoder");
  if (s.kind === "EncoderDecoder") {
    g.memory = g.y + 14;
    full(g, at("memory"));
    g.y += 20;
    hidden = stack(g, list, "decoder", hidden);
  }
  for (const p of [at("pool"), at("head")].filter(Boolean)) {
    full(g, p);
    g.down(p.value, STREAM, WIDE - STREAM - 20);
  }
  return `<svg class="mt-svg" viewBox="0 0 ${WIDE} ${Math.ceil(g.y + 4)}" role="radiogroup" aria-label="The model, part by part">`
    + `<g class="mt-wires" aria-hidden="true">${g.behind.join("")}</g>${g.out.join("")}</svg>`;
}
