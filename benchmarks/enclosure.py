"""Cost of certified expectations and of one integrand evaluation, one line a case.

Run ``python benchmarks/enclosure.py``.  The times are processor times, best of five.
"""

from __future__ import annotations

import time
from fractions import Fraction
from typing import Any

from flint import acb, arb

from initmath.activation import resolve
from initmath.balls import program, working_precision
from initmath.enclosure import expectation

CASES: list[tuple[str, Any, int]] = [
    ("q = 1, 15 digits", 1, 15),
    ("q = 1, 30 digits", 1, 30),
    ("q = 1/100, 15 digits", Fraction(1, 100), 15),
    ("q = 100, 15 digits", 100, 15),
    ("q = 1 ± 1e-3", arb(1, 1e-3), 3),
    ("q = 1 ± 1e-10", arb(1, 1e-10), 15),
]


def best(action: Any, repeat: int = 5) -> float:
    """Return the least processor time of one call in milliseconds."""
    times = []
    for _ in range(repeat):
        begin = time.process_time()
        action()
        times.append(time.process_time() - begin)
    return min(times) * 1e3


def main() -> None:
    """Print the table."""
    for name in ("tanh", "silu", "mish"):
        f = resolve(name).pieces.map(lambda e: e**2)
        for label, q, digits in CASES:
            spent = best(lambda f=f, q=q, digits=digits: expectation(f, q, digits))
            print(f"{name + '²':8} {label:24} {spent:8.2f} ms")
        with working_precision(82):
            call = program(f.pieces[0].expr, f.variable).bind({}, 82)
            disc = acb(arb(0.7, 0.1), arb(0, 0.1))
            spent = best(lambda call=call, disc=disc: [call(disc, True) for _ in range(1000)])
        print(f"{name + '²':8} {'one evaluation':24} {spent:8.2f} µs")


if __name__ == "__main__":
    main()
