"""How long grading takes: one right notebook of six exercises, and forty of them two at a time.

    python benchmarks/grading.py [--few]

The bounds are 8 s and 100 s on two cores, everything counted: starting Python, loading torch here and once in the
fork server. `--few` grades eight in place of forty, and says what forty would take.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SOLVED = Path(__file__).parents[1] / "solutions" / "06_attention.ipynb"
SIX = """
import sys
from mtlib import cli, exercises
six = exercises.of_chapter("06_attention")[:6]
exercises.of_chapter = lambda chapter: six
sys.exit(cli.main(["grade", *sys.argv[1:]]))
"""


def seconds(*arguments: str) -> float:
    """The wall time of one `mtlib grade` of six exercises; it must pass."""
    began = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", SIX, *arguments], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"grading failed:\n{done.stdout}{done.stderr}")
    return time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--few", action="store_true", help="grade 8 notebooks in place of 40")
    count = 8 if parser.parse_args().few else 40
    with tempfile.TemporaryDirectory() as folder:
        notebook = json.loads(SOLVED.read_text(encoding="utf-8"))
        for number in range(count):
            Path(folder, f"{number:02}.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
        one = min(seconds(str(Path(folder, "00.ipynb"))) for _ in range(3))
        many = seconds(folder, "-j", "2")
    each = (many - one) / (count - 1)
    print(f"one right notebook of six exercises: {one:.1f} s (at most 8)")
    print(f"{count} of them with -j 2: {many:.1f} s, {each:.2f} s for each further one; forty: {one + 39 * each:.0f} s (at most 100)")


if __name__ == "__main__":
    main()
