"""python -m mtlib.training.prove: all moments; the exit status is the number of those that failed."""

import sys
import tempfile
from pathlib import Path

from . import MOMENTS, Proof


def main() -> int:
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        proof = Proof(Path(folder))
        for moment in range(MOMENTS):
            trouble = proof.killed(moment)
            failed += bool(trouble)
            print(trouble or f"moment {moment}: killed twice, resumed twice, the same bits", flush=True)
    return failed


if __name__ == "__main__":
    sys.exit(main())
