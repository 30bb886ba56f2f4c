"""How often a true claim is refuted, how often one that is 1 % wrong is, and how long it takes.

    python benchmarks/verification.py                 1000 true statements and 100 wrong ones
    python benchmarks/verification.py --statements 200 --wrong 20

The true statements are spread over 20 activations, widths 64 to 4096, depths 1 to 100, four laws of weights
and three bias variances, with seeds of their own; each is judged at the 1 % level.  The wrong ones are the
default settings at N = 1024, L = 30 with σ_w² off by 1 %.
"""

from __future__ import annotations

import argparse
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import numpy as np

ACTIVATIONS = (
    "relu", "leaky_relu", "elu", "selu", "celu", "gelu", "silu", "mish", "softplus", "tanh", "sigmoid",
    "hardtanh", "erf", "sin", "arctan", "softsign", "abs", "sign", "identity", "hardswish",
)  # fmt: skip
WIDTHS = (64, 128, 256, 512, 1024, 2048, 4096)
DEPTHS = (1, 2, 3, 5, 10, 20, 30, 50, 100)
LARGEST = 3e8  # neurons × networks × layers that one statement may cost


def statement(number: int, level: float = 0.01) -> dict[str, Any]:
    """Judge one true statement."""
    from initmath.answers.verification import verify
    from initmath.errors import InputError

    rng = np.random.default_rng([20, number])
    act = ACTIVATIONS[number % len(ACTIVATIONS)]
    width, depth = int(rng.choice(WIDTHS)), int(rng.choice(DEPTHS))
    networks = int(rng.choice([20, 50, 100, 200]))
    weights = (
        "gaussian" if rng.random() < 0.85 else str(rng.choice(["uniform", "truncated_normal", "orthogonal"]))
    )
    if weights != "gaussian":
        width, depth, networks = min(width, 256), min(depth, 10), min(networks, 50)
    bias = str(rng.choice(["0", "0.05", "0.3"]))
    q = str(rng.choice(["1/2", "1", "2"]))
    while width * depth * networks > LARGEST / 30:
        networks = max(10, networks // 2)
        if networks == 10:
            depth = max(1, depth // 2)
    start = time.perf_counter()
    setting = {
        "act": act, "q": q, "width": width, "depth": depth, "networks": networks, "weights": weights,
        "bias_variance": bias, "seed": 1000 + number, "level": level,
    }  # fmt: skip
    try:
        found = verify(**setting)
    except InputError as error:
        return {**setting, "verdict": f"error: {error}", "p": None, "seconds": time.perf_counter() - start}
    extreme = [abs(c.z) for c in found.checks if c.z is not None]
    return {
        **setting, "verdict": found.verdict.value, "p": found.p_value, "reason": found.reason,
        "power": found.power, "seconds": time.perf_counter() - start, "rows": len(extreme),
        "beyond_3": sum(z > 3 for z in extreme),
    }  # fmt: skip


def wrong(seed: int) -> dict[str, Any]:
    """One verdict on N v² that is 1 % wrong, at N = 1024 and L = 30."""
    from initmath.answers.verification import verify

    act = ("relu", "tanh", "gelu", "selu", "sigmoid")[seed % 5]
    start = time.perf_counter()
    right = verify(act, width=2, depth=1, networks=1).sigma_w2
    factor = 1.01 if seed % 2 else 0.99
    found = verify(act, width=1024, depth=30, simulated_sigma_w2=repr(right * factor), seed=seed)
    return {
        "act": act,
        "verdict": found.verdict.value,
        "p": found.p_value,
        "seconds": time.perf_counter() - start,
    }


def main() -> int:
    """Print the rates; exit 1 if they are outside what is stated."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--statements", type=int, default=1000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--wrong", type=int, default=100)
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    with ProcessPoolExecutor(arguments.workers) as pool:
        true = list(pool.map(statement, range(arguments.first, arguments.first + arguments.statements)))
        false = list(pool.map(wrong, range(arguments.wrong)))
    refuted = [row for row in true if row["verdict"] == "refuted"]
    failed = [row for row in true if row["verdict"].startswith("error")]
    for row in (*refuted, *failed):
        print(row)
    judged = len(true) - len(failed)
    size = len(refuted) / max(judged, 1)
    print(f"true statements: {judged}, refuted: {len(refuted)} ({size:.2%} at the 1 % level)")
    for kind in ("confirmed", "unknown"):
        print(f"  {kind}: {sum(row['verdict'] == kind for row in true)}")
    p = np.array([row["p"] for row in true if row["p"] is not None])
    shares = [float(np.mean(p < level).round(4)) for level in (0.01, 0.05, 0.1, 0.5)]
    print("  share of p-values below 0.01, 0.05, 0.1, 0.5:", shares)
    rows, beyond = (sum(row.get(name, 0) for row in true) for name in ("rows", "beyond_3"))
    print(f"  layer table: {beyond} of {rows} z-scores beyond 3 (normal: {0.0027 * rows:.0f})")
    seconds = [row["seconds"] for row in true]
    print(f"  seconds: median {np.median(seconds):.2f}, longest {max(seconds):.1f}")
    caught = sum(row["verdict"] == "refuted" for row in false)
    if false:
        longest = max(row["seconds"] for row in false)
        print(f"1 % wrong at N = 1024, L = 30: {caught} of {len(false)} refuted, longest {longest:.1f} s")
    spread = 3 * np.sqrt(0.01 * 0.99 / max(judged, 1))
    right_size = size <= 0.01 + spread
    return 0 if right_size and caught >= 0.99 * len(false) - 1 else 1


if __name__ == "__main__":
    sys.exit(main())
