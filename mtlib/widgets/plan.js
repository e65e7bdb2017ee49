// The ticks of the sixty days: kept in this browser, sent nowhere. The list itself is there without a script.
const KEY = "mtlib-plan";

// A browser that keeps nothing (private, or over its limit) still ticks, for as long as the page is open.
function kept() {
  try {
    const days = JSON.parse(localStorage.getItem(KEY));
    return new Set(Array.isArray(days) ? days : []);
  } catch { return new Set(); }
}

function keep(days) {
  try { localStorage.setItem(KEY, JSON.stringify([...days].sort((a, b) => a - b))); return true; } catch { return false; }
}

function render({ model, el }) {
  const boxes = [...el.querySelectorAll("input")], sum = el.querySelector(".mt-plan-sum");
  const days = kept();
  let safe = true;

  function show() {
    const next = boxes.find((box) => !days.has(Number(box.value)));
    const done = boxes.length - boxes.filter((box) => !days.has(Number(box.value))).length;
    boxes.forEach((box) => { box.checked = days.has(Number(box.value)); });
    boxes.forEach((box) => box.closest("li").classList.toggle("mt-next", box === next && done > 0));
    sum.textContent = (done === 0 ? "Tick a day when it is done: this page keeps your ticks in this browser, and tells nobody."
      : `${done} of ${model.get("days")} days done. ` + (next ? `Next: day ${next.value}.` : "All of them. Congratulations."))
      + (safe ? "" : " This browser does not let the page keep your ticks beyond today.");
  }

  function onInput(event) {
    const day = Number(event.target.value);
    if (event.target.checked) days.add(day); else days.delete(day);
    safe = keep(days);
    show();
  }

  boxes.forEach((box) => box.addEventListener("input", onInput));
  show();
  return () => boxes.forEach((box) => box.removeEventListener("input", onInput));
}

export default { render };
