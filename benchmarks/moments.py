"""Exact and certified moments, side by side with ``sympy.integrate`` on the same integrals.

Run ``python benchmarks/moments.py``; ``--limit SECONDS`` (default 60) bounds each ``sympy.integrate``,
``--no-sympy`` leaves it out, ``--only relu,gelu`` takes some activations.  The exit code is 1 if a target
is missed.  Times are processor times, so that other work on the machine does not count.
"""

from __future__ import annotations

import argparse
import multiprocessing as mp
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.symbolic53 import CASES, MOMENTS

TARGETS = {
    "median of an exact moment, warm": ("ms", 30.0, "≤"),
    "slowest exact moment": ("ms", 500.0, "≤"),
    "median of a 30-digit certified moment": ("ms", 15.0, "≤"),
    "1000 values of q in double precision": ("ms", 25.0, "≤"),
    "sympy.integrate / initmath, where both solve": ("×", 40.0, "≥"),
}


def _integrate(connection, expression, variance):  # type: ignore[no-untyped-def]
    """In a process of its own, so that it can be stopped."""
    from sympy import exp, integrate, oo, pi, sqrt
    from sympy.abc import z

    from initmath.integral import x

    connection.send("ready")
    start = time.process_time()
    integrand = expression.subs(x, sqrt(variance) * z) * exp(-(z**2) / 2) / sqrt(2 * pi)
    try:
        value = integrate(integrand, (z, -oo, oo))
        solved = not value.has(type(integrate(z, z).func)) and "Integral" not in str(value)
    except Exception:
        solved = False
    connection.send((solved, time.process_time() - start))


def sympy_seconds(expression, variance, limit: float) -> float | None:  # type: ignore[no-untyped-def]
    """Seconds that sympy.integrate took to a closed form; None where it gave none in time."""
    receive, send = mp.Pipe(duplex=False)
    process = mp.get_context("fork").Process(target=_integrate, args=(send, expression, variance))
    process.start()
    receive.recv()
    answer = receive.recv() if receive.poll(limit) else (False, limit)
    process.terminate()
    process.join()
    return answer[1] if answer[0] else None


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--limit", type=float, default=60.0)
    parser.add_argument("--no-sympy", action="store_true")
    parser.add_argument("--only", default="")
    options = parser.parse_args()

    import numpy as np

    from initmath import enclosure, gaussian, quadrature
    from initmath.activation import resolve
    from initmath.integral import q
    from initmath.moments import integrand, problem

    chosen = [case for case in CASES if not options.only or case[0] in options.only.split(",")]
    gaussian.derive(problem(resolve("gelu"), "mean"))  # warm: SymPy's caches, as in any second call
    exact, certified, ratios = [], [], []
    print(f"{'activation':14} {'moment':26} {'exact':>9} {'30 digits':>10} {'sympy':>9}")
    for name, text, parameters in chosen:
        symbolic = resolve(text, params=dict.fromkeys(parameters, "symbol"))
        numeric = resolve(text, params=parameters)
        for moment in MOMENTS:
            asked = problem(symbolic, moment)
            start = time.process_time()
            derived = gaussian.derive(asked).value is not None
            ours = time.process_time() - start
            function = integrand(numeric, moment)
            start = time.process_time()
            enclosure.expectation(function, 1, digits=30)
            ball = time.process_time() - start
            theirs = None if options.no_sympy else sympy_seconds(asked.integrand, q, options.limit)
            certified.append(ball)
            if derived:
                exact.append(ours)
                if theirs is not None:
                    ratios.append(theirs / ours)
            shown = f"{1e3 * ours:6.1f} ms" if derived else "–"
            sympy_shown = "–" if theirs is None else f"{theirs:7.2f} s"
            print(f"{name:14} {moment:26} {shown:>9} {1e3 * ball:7.1f} ms {sympy_shown:>9}", flush=True)

    grid = np.linspace(0.1, 10, 1000)
    gelu = resolve("gelu").numpy()
    doubles = []
    for _ in range(7):
        start = time.process_time()
        quadrature.expectation(lambda y: gelu(y) ** 2, grid)
        doubles.append(time.process_time() - start)
    measured = {
        "median of an exact moment, warm": 1e3 * statistics.median(exact),
        "slowest exact moment": 1e3 * max(exact),
        "median of a 30-digit certified moment": 1e3 * statistics.median(certified),
        "1000 values of q in double precision": 1e3 * min(doubles),
    }
    if ratios:
        measured["sympy.integrate / initmath, where both solve"] = statistics.median(ratios)
    print(f"\nexact: {len(exact)} of {3 * len(chosen)}; solved by sympy too: {len(ratios)}")
    missed = 0
    for what, value in measured.items():
        unit, target, relation = TARGETS[what]
        met = value <= target if relation == "≤" else value >= target
        missed += not met
        print(f"{what:46} {value:9.1f} {unit:2}  (target {relation} {target:g}){'' if met else '  MISSED'}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
