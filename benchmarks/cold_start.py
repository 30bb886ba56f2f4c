"""How long ``initmath derive relu`` takes from nothing, beside ``import sympy`` alone.

Run ``python benchmarks/cold_start.py``; the target is a ratio of at most 2.5.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

RUNS = 11
TARGET = 2.5


def seconds(*arguments: str) -> float:
    start = time.perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def measure(runs: int = RUNS) -> dict[str, float]:
    """Median seconds of both, taken alternately so that a busy machine burdens both alike."""
    cases = {
        "import sympy": ("-c", "import sympy"),
        "import initmath": ("-c", "import initmath"),
        "initmath derive relu": ("-m", "initmath", "derive", "relu"),
    }
    times: dict[str, list[float]] = {name: [] for name in cases}
    for _ in range(runs):
        for name, arguments in cases.items():
            times[name].append(seconds(*arguments))
    return {name: statistics.median(values) for name, values in times.items()}


def main() -> int:
    found = measure()
    for name, value in found.items():
        print(f"{name:24} {value:6.3f} s")
    ratio = found["initmath derive relu"] / found["import sympy"]
    print(f"{'ratio':24} {ratio:6.2f}   (target ≤ {TARGET})")
    return 0 if ratio <= TARGET else 1


if __name__ == "__main__":
    sys.exit(main())
