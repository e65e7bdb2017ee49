// A front-end module in anywidget's form: shows the frame that the controls ask for.
// Its element already holds the first frame and the controls, drawn by Python (static.py).

// The other half of pack.py: row -> text. A form's plain columns are split when first needed.
function unpack({ words, letters, forms, at }) {
  const word = Object.fromEntries([...letters].map((letter, i) => [letter, words[i]]));
  const columns = forms.map(() => null);
  const open = (form) => [
    ...form.coded.map((column) => (row) => word[column[row]]),
    ...form.plain.map((column) => { const lines = column.split("\n"); return (row) => lines[row]; }),
  ];
  return (index) => {
    const [k, row] = at[index], { text, slots } = forms[k];
    const entry = (columns[k] ||= open(forms[k]));
    let out = text[0];
    slots.forEach((slot, i) => { out += entry[slot](row) + text[i + 1]; });
    return out;
  };
}

function render({ model, el }) {
  const fields = [...el.querySelectorAll("input, select")];
  const picture = el.querySelector(".mt-picture"), says = el.querySelector(".mt-says > span");
  const stops = model.get("stops");
  const pictures = unpack(model.get("pictures")), sentences = unpack(model.get("says"));

  const place = (field) =>
    field.type === "checkbox" ? Number(field.checked) : field.tagName === "SELECT" ? field.selectedIndex : Number(field.value);

  function onInput() {
    model.set("at", fields.map(place));
    model.save_changes();
  }

  function show() {
    const at = model.get("at");
    const index = at.reduce((sum, i, k) => sum * stops[k].length + i, 0); // the last control turns fastest
    picture.innerHTML = pictures(index);
    says.textContent = sentences(index);
    fields.forEach((field, k) => {
      if (field.type === "checkbox") field.checked = Boolean(at[k]);
      else if (field.tagName === "SELECT") field.selectedIndex = at[k];
      else {
        field.value = at[k];
        field.setAttribute("aria-valuetext", stops[k][at[k]]);
        field.nextElementSibling.textContent = stops[k][at[k]];
      }
    });
  }

  fields.forEach((field) => field.addEventListener("input", onInput));
  model.on("change:at", show);
  return () => {
    fields.forEach((field) => field.removeEventListener("input", onInput));
    model.off("change:at", show);
  };
}

export default { render };
