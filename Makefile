# make book and make test are all there is to know; each makes .venv first when it is missing.
# TORCH_INDEX=URL, on the first call, takes torch from another index, for instance PyTorch's own for a CPU build.

PYTHON ?= python3
ifeq ($(OS),Windows_NT)
BIN := .venv/Scripts
else
BIN := .venv/bin
endif
PIP := $(BIN)/python -m pip --disable-pip-version-check
READY := .venv/ready
JOBS ?= 2

.PHONY: book test coverage browser lab serve exercises prove runs recipes models audit bench clean constraints

book: $(READY)
	$(BIN)/python -m mtlib fetch minilm smollm2
	$(BIN)/jupyter-book build . -W --keep-going

test: book browser
	$(BIN)/python -m pytest -n $(JOBS) --dist loadfile

coverage: book browser  # the lines of mtlib that no test reaches, by name; twice as long as make test
	$(BIN)/python -m pytest -n $(JOBS) --dist loadfile --cov --cov-report=term-missing:skip-covered --durations=10

# The browser tests drive a Chromium; where the machine has none, Playwright brings its own.
browser: $(READY)
	@command -v chromium || command -v chromium-browser || command -v google-chrome || test -n "$(CHROMIUM)" \
	  || $(BIN)/python -m playwright install chromium

lab: $(READY)  # chapters in notebooks/, yours to write into; a page's .md opens as a notebook too
	PYTHONPATH=book/_ext $(BIN)/python -m mtbook.lab
	mkdir -p .venv/share/jupyter/lab/settings
	cp book/assets/lab_overrides.json .venv/share/jupyter/lab/settings/overrides.json
	$(BIN)/jupyter lab --LabApp.default_url=/lab/tree/notebooks/01_transformers.ipynb

serve: book
	$(BIN)/python -m http.server --bind 127.0.0.1 --directory _build/html 8000

runs: $(READY)  # the long runs that chapters draw: only after the code they use has changed
	$(BIN)/python -m mtlib.experiments

recipes: $(READY)  # everything in configs/ that two cores can train, and what it came to: about an hour and a half
	$(BIN)/python -m mtlib.experiments.recipes

models: $(READY)  # the models that come with the course, from runs/ where they were trained, else trained anew
	$(BIN)/python -m mtlib.experiments.ship

prove: $(READY)  # the grader's own score, for what has changed since; ALL=1 proves everything again
	$(BIN)/python -m mtlib.grading.prove -j $(JOBS) $(if $(ALL),--all)
	$(BIN)/python -m mtlib.training.prove  # a run killed at twenty moments goes on to the same bits

exercises: $(READY)
	$(BIN)/python -m mtlib.grading.notebooks

audit: book browser  # every page in a browser: nothing asked elsewhere, nothing broken, dead, cut off
	$(BIN)/python -m tests.web.audit

bench: book
	$(BIN)/python benchmarks/page_weight.py
	$(BIN)/python benchmarks/import_time.py
	$(BIN)/python benchmarks/frame_time.py
	$(BIN)/python benchmarks/attention_speed.py
	$(BIN)/python benchmarks/grading.py
	$(BIN)/python benchmarks/model_speed.py
	$(BIN)/python benchmarks/training.py
	$(BIN)/python benchmarks/live_model.py
	$(BIN)/python benchmarks/walk_move.py

clean:
	rm -rf _build

constraints: $(READY)  # after a deliberate upgrade: keep what was tested
	{ echo "# What was tested, exactly. Made by: make constraints"; $(PIP) freeze --exclude-editable | sed 's/+cpu//'; } > constraints.txt

# torch first and alone: a package that asked for it before the pin is there would take gigabytes.
$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(PIP) install --quiet $(if $(TORCH_INDEX),--index-url $(TORCH_INDEX)) $(shell grep '^torch==' constraints.txt)
	$(PIP) install --quiet --constraint constraints.txt --editable '.[bench,book,lab,test,train]'
	$(BIN)/python -c "open('$(READY)', 'w').close()"
