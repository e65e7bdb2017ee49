"""Where _config.yml names the repository: buttons that open a page's notebook in Colab or Binder. Without it, none.

Colab opens notebooks of a repository only, so the build leaves them in _build/notebooks, each with a cell that
installs the course's package where it is missing; CONTRIBUTING.md says how they get to the branch `notebooks`.
Binder has the whole repository, where .binder/ makes a chapter's text open as a notebook.
"""

from pathlib import Path

import jupytext
from nbformat.v4 import new_code_cell

BRANCH = "notebooks"
_INSTALL = """# Colab has no mtlib yet. Where it is there already, nothing happens here.
from importlib.util import find_spec

if find_spec("mtlib") is None:
    %pip install --quiet "mastering-transformers[train] @ git+{url}@{branch}\""""
_WEIGHTS = "\n    !mtlib fetch minilm smollm2"


def repository(app) -> tuple[str, str]:
    """Address and branch, both without a slash at their end; ("", …) where none is named."""
    options = app.config.html_theme_options
    return (options.get("repository_url") or "").rstrip("/"), options.get("repository_branch") or "main"


def is_notebook(app, name) -> bool:
    return "kernelspec" in app.env.metadata.get(name, {}) and name != app.config.root_doc


def offer_launch(app, pagename, templatename, context, doctree):
    """html-page-context, after the theme has begun its list of buttons."""
    url, branch = repository(app)
    if not url.startswith("https://github.com/") or pagename not in app.env.found_docs or not is_notebook(app, pagename):
        return
    project, file = url.removeprefix("https://github.com/"), Path(app.env.doc2path(pagename)).relative_to(app.srcdir).as_posix()
    targets = {"Colab": f"https://colab.research.google.com/github/{project}/blob/{BRANCH}/{pagename}.ipynb",
               "Binder": f"https://mybinder.org/v2/gh/{project}/{branch}?urlpath=lab/tree/{file}"}  # fmt: skip
    context["header_buttons"].append({
        "type": "group", "tooltip": "Run this page", "icon": "fas fa-rocket", "label": "launch-buttons",
        "buttons": [{"type": "link", "text": name, "tooltip": f"Open it in {name}", "icon": "fas fa-code", "url": target}
                    for name, target in targets.items()],
    })  # fmt: skip


def write_launched(app, error):
    """build-finished: what Colab is to open."""
    url, branch = repository(app)
    if error or app.builder.format != "html" or not url:
        return
    folder = Path(app.outdir).parent / BRANCH
    for name in filter(lambda name: is_notebook(app, name), app.env.found_docs):
        offered, source = Path(app.outdir, "_sources", f"{name}.ipynb"), Path(app.env.doc2path(name))
        clean = jupytext.read(offered if offered.is_file() else source)
        reads_weights = any("pretrained" in cell.source for cell in clean.cells if cell.cell_type == "code")
        install = _INSTALL.format(url=url, branch=branch) + (_WEIGHTS if reads_weights else "")
        clean.cells.insert(1, new_code_cell(install, id="install"))
        out = folder / f"{name}.ipynb"
        out.parent.mkdir(parents=True, exist_ok=True)
        jupytext.write(clean, out, fmt="ipynb")


def setup(app):
    app.connect("html-page-context", offer_launch, priority=502)
    app.connect("build-finished", write_launched, priority=600)  # after the notebooks of the download button
