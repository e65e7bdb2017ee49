"""What `import mtlib` costs over `import torch`: medians of fresh processes, taken in turn."""

import json
import statistics
import subprocess
import sys

RUNS, BUDGET_MS = 9, 50
CODE = """
import json, time
start = time.perf_counter(); import torch
middle = time.perf_counter(); import mtlib
print(json.dumps([middle - start, time.perf_counter() - middle]))
"""


def main() -> int:
    times = [json.loads(subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True).stdout)
             for _ in range(RUNS + 1)][1:]  # the first fills the disk's cache
    torch_ms, mtlib_ms = (1000 * statistics.median(column) for column in zip(*times))
    print(f"import torch {torch_ms:.0f} ms; import mtlib on top {mtlib_ms:.0f} ms, "
          f"{mtlib_ms / torch_ms:.1%} of it (budget {BUDGET_MS} ms; median of {RUNS})")
    return int(mtlib_ms > BUDGET_MS)


if __name__ == "__main__":
    sys.exit(main())
