// A translator in two lines: what it writes, and where it looks while it writes each letter.

import { newestOnly } from "./client.js";
import { named } from "./elements.js";
import { largest, lettersOf } from "./letters.js";
import { dateTrouble, textTrouble } from "./odd_text.js";

const WRITTEN = { line: "letters being written", says: "from the first line to the second" };

export function translationView(el, thread, state, { config, tokenizer }) {
  const box = el.querySelector("input"), stage = el.querySelector(".mt-live-stage");
  const answer = el.querySelector(".mt-live-answer"), note = el.querySelector(".mt-live-note");
  const last = `decoder.blocks.${(config.target ?? config).n_layers - 1}.cross_attn`;
  let seen = null, looks = [], place = 0; // looks[t]: the shares of the source's letters, the mean over the layer's heads

  const letters = lettersOf((t) => { place = t; showPlace(t); }, (t) => showPlace(t ?? place));

  const run = newestOnly(async () => {
    const text = box.value, trouble = textTrouble(text, state.example, tokenizer.model.alphabet, config.max_len);
    if (trouble) { note.textContent = trouble + (seen ? ` What is shown is still “${seen.text}”.` : ""); return; }
    seen = { text, ...(await thread.ask("translate", { text })) };
    looks = seen.pieces.map((_, t) => seen.source.map((_, j) => mean(seen.weights[last].map((head) => head[t][j]))));
    place = Math.min(place, seen.pieces.length - 1);
    answer.textContent = seen.answer || "nothing at all";
    note.textContent = (seen.ended ? "" : "It did not come to an end, and was stopped. ") + (state.reads === "date" ? dateTrouble(text) : "");
    letters.show(seen.pieces, seen.source, place, WRITTEN, "Where it looks");
    showPlace(place);
    if (letters.element.parentElement !== stage) stage.replaceChildren(letters.element); // filled first, so that nothing moves
  });

  function showPlace(t) {
    letters.shade(looks[t], t, `Writing ${named(seen.pieces[t])} (place ${t + 1}), the last layer looks at ${largest(looks[t], seen.source, 2).join(", ")}.`);
  }

  box.addEventListener("input", run);
  return run();
}

const mean = (values) => values.reduce((a, b) => a + b) / values.length;
