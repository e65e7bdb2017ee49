// Starts every live view of a page when the reader comes near it.

import { modelFile, Thread } from "./client.js";
import { attentionView } from "./attention_view.js";
import { layersView } from "./layers_view.js";
import { nextView } from "./next_view.js";
import { translationView } from "./translation_view.js";

const VIEWS = { attention: attentionView, reading: attentionView, layers: layersView, next: nextView, translation: translationView };

async function start(el) {
  const note = el.querySelector(".mt-live-note");
  try {
    const state = JSON.parse(el.querySelector("script[type='application/json']").textContent);
    const model = typeof state.model === "string" ? await modelFile(state.model) : state.model, thread = new Thread(model);
    await thread.loaded;
    await VIEWS[el.dataset.live](el, thread, state, model);
    el.querySelectorAll("fieldset").forEach((fields) => { fields.disabled = false; });
    el.dataset.ready = "";
  } catch (error) { note.textContent = `The live model did not start: ${error.message}.`; }
}

export function startAll() {
  const near = new IntersectionObserver((entries) => entries.filter((entry) => entry.isIntersecting).forEach(({ target }) => {
    near.unobserve(target);
    start(target);
  }), { rootMargin: "200px" });
  const all = () => document.querySelectorAll("[data-live]").forEach((el) => near.observe(el));
  if (location.href === "about:srcdoc" && window.frameElement) fit(window.frameElement);
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", all); else all();
}

// A notebook's frame is as high as what it shows: a view has as many rows as its model has layers.
function fit(frame) {
  new ResizeObserver(() => { frame.style.height = `${document.documentElement.offsetHeight}px`; }).observe(document.documentElement);
}
