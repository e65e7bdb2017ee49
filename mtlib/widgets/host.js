// Runs a page's controls with no kernel and no network, over http and file://.
// The book's extension writes the text of every front-end module in place of the word below.
(() => {
  "use strict";
  const SOURCES = __MODULES__;
  const loaded = {};

  // A module script cannot be fetched over file://, so its text is imported from a blob.
  function load(name) {
    if (!loaded[name]) {
      const url = URL.createObjectURL(new Blob([SOURCES[name]], { type: "text/javascript" }));
      loaded[name] = import(url).then((module) => module.default);
    }
    return loaded[name];
  }

  // The part of anywidget's model that a module may use, over plain JSON.
  function makeModel(state) {
    const heard = {}, changed = new Set();
    const fire = (event) => (heard[event] || []).forEach((f) => f());
    return {
      get: (key) => state[key],
      set(key, value) {
        if (JSON.stringify(state[key]) === JSON.stringify(value)) return;
        state[key] = value;
        changed.add(key);
        fire(`change:${key}`);
      },
      save_changes() { if (changed.size) { changed.clear(); fire("change"); } },
      on(event, f) { (heard[event] ||= []).push(f); },
      off(event, f) { heard[event] = f ? (heard[event] || []).filter((g) => g !== f) : []; },
    };
  }

  async function start(el) {
    const state = JSON.parse(el.querySelector("script[type='application/json']").textContent);
    const widget = await load(el.dataset.module);
    await widget.render({ model: makeModel(state), el });
    el.querySelector("fieldset").disabled = false;
    el.dataset.ready = "";
  }

  const all = () => document.querySelectorAll("[data-module]").forEach(start);
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", all); else all();
})();
