"""What stands beside the code: version, licence and citation say the same; commands end quietly."""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf8"))["project"]


def test_the_citation_names_this_version_and_licence():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf8"))
    assert citation["version"] == PROJECT["version"]
    assert citation["license"] in PROJECT["license"] and citation["license"] in (ROOT / "LICENSE").read_text("utf8")
    assert f"## {PROJECT['version']}" in (ROOT / "CHANGELOG.md").read_text("utf8")


def test_the_readme_names_every_make_target_and_no_other():
    rules = (ROOT / "Makefile").read_text("utf8")
    readme = (ROOT / "README.md").read_text("utf8")
    targets = set(rules.partition(".PHONY:")[2].partition("\n")[0].split()) - {"browser", "constraints"}
    assert {name for name in targets if f"make {name}" not in readme} == set()
    named = {line.split("make ")[1].split("`")[0].split()[0] for line in readme.splitlines() if line.startswith("| `make ")}
    assert named <= targets


def test_a_reader_who_has_seen_enough_ends_a_command_without_a_word():
    reads, writes = os.pipe()
    os.close(reads)
    done = subprocess.run([sys.executable, "-m", "mtlib", "progress"], stdout=writes, stderr=subprocess.PIPE, timeout=120)
    os.close(writes)
    assert done.returncode == 1 and done.stderr == b""
