"""The notebook's host: ipywidgets that call Python."""

from html import escape

from .controls import Field


def live_control(frame, fields: list[Field], ask: str):
    """A VBox: the question, one widget per field, the picture, what it says. Every move redraws."""
    import ipywidgets as w

    inputs = [_input(w, field) for field in fields]
    picture, says = w.HTML(), w.HTML()

    def redraw(_=None):
        values = {field.name: box.value for field, box in zip(fields, inputs, strict=True)}
        try:
            svg, text = frame(values)
        except Exception as error:
            # A widget's callback fails without a word: say it where the reader looks.
            picture.value, says.value = "", f"<b>{type(error).__name__}</b>: {escape(str(error))}"
            raise
        picture.value, says.value = svg, f'<span aria-live="polite">{escape(text, quote=False)}</span>'

    redraw()
    for box in inputs:
        box.observe(redraw, "value")
    row = w.HBox(inputs, layout=w.Layout(flex_flow="row wrap"))
    return w.VBox([w.HTML(f"<b>Guess first.</b> {escape(ask, quote=False)}"), row, picture, says])


def _input(w, field):
    first = field.values[field.at]
    if field.kind == "check":
        return w.Checkbox(value=first, description=field.label, indent=False)
    kind = w.SelectionSlider if field.kind == "range" else w.Dropdown
    options = list(zip(field.texts, field.values, strict=True))
    return kind(options=options, value=first, description=field.label, style={"description_width": "initial"})
