// Who looks at whom, letter by letter: two lines of them, and a sentence.

import { freshId, h, named, percent, shown } from "./elements.js";

// Two lines of letters: who asks, a choice among radio buttons, and who is asked, shaded by the weights.
export function lettersOf(onChoose, onHover) {
  const asks = h("div", { class: "mt-live-letters", role: "group" }), asked = h("div", { class: "mt-live-letters mt-live-keys", "aria-hidden": "true" });
  const title = h("p", { class: "mt-live-head" }), sentence = h("p", { class: "mt-live-sentence", "aria-live": "polite" });
  return {
    element: h("div", { class: "mt-live-one" }, title, asks, asked, sentence),
    show(from, to, place, side, name) {
      const group = freshId();
      title.replaceChildren(h("b", {}, name), `: ${side.says}. Choose one of the upper line.`);
      asks.setAttribute("aria-label", side.line);
      asks.replaceChildren(...from.map((piece, t) => h("label", { onmouseenter: () => onHover(t), onmouseleave: () => onHover(null) },
        h("input", { type: "radio", name: group, "aria-label": `${t + 1}: ${named(piece)}`, autocomplete: "off", oninput: () => onChoose(t) }), h("span", {}, shown(piece)))));
      asks.querySelectorAll("input")[place].checked = true;
      asked.replaceChildren(...to.map((piece) => h("span", {}, shown(piece))));
    },
    shade(row, t, says) {
      [...asked.children].forEach((letter, j) => { letter.style.setProperty("--weight", `${100 * row[j]}%`); letter.title = percent(row[j]); });
      [...asks.children].forEach((letter, i) => letter.classList.toggle("mt-live-asks", i === t));
      sentence.textContent = says;
    },
  };
}

// "J" at place 1 with 43 %: the largest of a row of weights, in words.
export function largest(row, pieces, n) {
  const order = [...row.keys()].sort((a, b) => row[b] - row[a] || a - b).slice(0, n);
  return order.map((j) => `${named(pieces[j])} (place ${j + 1}) ${percent(row[j])}`);
}
