"""Moments in double precision, side by side: this package, SciPy quad value by value, Gauss-Hermite 100.

Second moment for 1000 values of q in [0.1, 10]; the truth is the certified enclosure at ten of them.
Run: python benchmarks/quadrature.py
"""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
from scipy.integrate import quad

from initmath.activation import resolve
from initmath.enclosure import expectation as enclosure
from initmath.quadrature import expectation

NAMES = ("relu", "tanh", "gelu", "mish", "silu", "softplus", "selu", "hardtanh", "hardshrink", "sin")
Q = np.geomspace(0.1, 10, 1000)
CHECKED = np.linspace(0, 999, 10).astype(int)


def adaptive(f: Callable[[Any], Any], points: list[float]) -> Any:
    return expectation(f, Q, points).value


def scipy_quad(f: Callable[[Any], Any], points: list[float]) -> Any:
    out = []
    for q in Q:
        root = math.sqrt(q)
        cuts = sorted({-12.0, 12.0, *(b / root for b in points if abs(b) < 12 * root)})
        total = 0.0
        for a, b in pairwise(cuts):
            value, _ = quad(
                lambda z, root=root: f(root * z) * math.exp(-z * z / 2),
                a,
                b,
                epsabs=0,
                epsrel=1.2e-14,
                limit=200,
            )
            total += value
        out.append(total / math.sqrt(2 * math.pi))
    return np.array(out)


def gauss_hermite(f: Callable[[Any], Any], points: list[float]) -> Any:
    z, w = np.polynomial.hermite_e.hermegauss(100)
    return f(np.sqrt(Q)[:, None] * z) @ w / math.sqrt(2 * math.pi)


METHODS: dict[str, tuple[Callable[..., Any], int]] = {
    "initmath": (adaptive, 7),
    "scipy quad": (scipy_quad, 1),
    "Gauss-Hermite 100": (gauss_hermite, 7),
}


def measured(name: str) -> list[tuple[float, float]]:
    """Milliseconds (best of several) and worst relative error for each method."""
    act = resolve(name)
    g = act.numpy()
    points = [float(b) for b in act.pieces.breakpoints]
    squared = act.pieces.map(lambda e: e**2)
    truth = [float(enclosure(squared, Fraction(float(Q[i])), digits=20).mid()) for i in CHECKED]
    rows = []
    for method, repeats in METHODS.values():
        best = math.inf
        for _ in range(repeats):
            start = time.perf_counter()
            values = method(lambda x: g(x) ** 2, points)
            best = min(best, time.perf_counter() - start)
        rows.append((1e3 * best, float(np.max(np.abs(values[CHECKED] / truth - 1)))))
    return rows


def main() -> None:
    print(f"E g(√q z)², {len(Q)} values of q in [0.1, 10]: ms, worst relative error")
    print(f"{'':12}" + "".join(f"{m:>26}" for m in METHODS))
    for name in NAMES:
        cells = "".join(f"{ms:14.1f} ms {error:9.1e}" for ms, error in measured(name))
        print(f"{name:12}{cells}")


if __name__ == "__main__":
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # quad says that it cannot do better
        main()
