"""Certified kernels where two inputs are nearly the same or nearly opposite, on both sides of c = 0."""

from __future__ import annotations

from random import Random
from typing import Any

import numpy as np
import pytest
from sympy import Rational

from initmath.activation import resolve
from initmath.activation.analysis import parity
from initmath.activation.catalogue import names
from initmath.balls import working_precision
from initmath.errors import NotEnclosed
from initmath.kernels import KINDS, Pair, enclose
from initmath.kernels.pairs import cuts_of, pair_values
from initmath.quadrature.kernel import pair_expectation

NEAR = tuple(Rational(c) for c in ("-97/100", "-999/1000", "-9999999/10000000", "97/100", "999/1000"))
DIGITS = 15


def _variances(name: str) -> tuple[Rational, Rational]:
    chance = Random(name)
    return Rational(chance.randint(2, 30), 10), Rational(chance.randint(31, 60), 29)


def _reflected(act: Any, q1: float, q2: float, c: Rational) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """E g(y₁) g(y₂) at c as E g(y₁) h(y₂) at −c, h(x) = g(−x): values, errors and sizes for g and g′."""
    g, slope = act.numpy(0), act.numpy(1)
    cuts = sorted({0.0, *(s * t for t in cuts_of(act) for s in (1, -1))})

    def both(a, b):
        pairs = (g(a), g(-b)), (slope(a), slope(-b))
        return np.stack([f for u, v in pairs for f in (u * v, u * u, v * v)])

    found = pair_expectation(
        both, [q1], [q2], [-float(c) * np.sqrt(q1 * q2)], cuts, orders=(40, 30),
        base=(-11.0, -6.5, -4.0, -2.0, -1.0, 0.0, 1.0, 2.0, 4.0, 6.5, 11.0), gap=[float(1 + c)],
    )  # fmt: skip
    value, error = found.value[:, 0], found.error[:, 0]
    return value[::3], error[::3], np.sqrt(value[1::3] * value[2::3])


def _against_the_reflection(name: str, c: Rational, kinds: tuple[str, ...] = KINDS) -> int:
    """Compare the enclosures with two quadratures; return how many of them said something to 1e-12."""
    act = resolve(name, None)
    q1, q2 = _variances(name)
    value, error, size = _reflected(act, float(q1), float(q2), c)
    direct = pair_values(act, *(np.array([float(v)]) for v in (q1, q2, 1 - c)))
    other = np.array([direct.kernel[0], direct.derivative_kernel[0]])
    count = 0
    for kind, v, e, w, d, s in zip(KINDS, value, error, other, direct.error[[0, 2], 0], size, strict=True):
        if kind not in kinds or not np.isfinite(s):  # E g′² is infinite
            continue
        try:
            found = enclose(act, kind, Pair(q1, q2, c), DIGITS)
        except NotEnclosed:
            continue
        middle, radius = float(found.ball.mid()), float(found.ball.rad())
        assert abs(middle - v) <= radius + 1e-12 * s + e, (name, kind, c, middle, v)
        assert abs(middle - w) <= radius + 1e-12 * s + d, (name, kind, c, middle, w)
        count += bool(radius <= 1e-12 * s and e <= 1e-9 * s)
    return count


@pytest.mark.parametrize(("index", "name"), list(enumerate(names()[3::7])))
def test_a_spread_of_the_catalogue(index: int, name: str) -> None:
    """One correlation and one kernel of each; the slow test has all of them."""
    _against_the_reflection(name, NEAR[index % len(NEAR)], (KINDS[(index // 5) % 2],))


@pytest.mark.slow
def test_the_whole_catalogue() -> None:
    counts = {name: sum(_against_the_reflection(name, c) for c in NEAR) for name in names()}
    silent = {name for name, count in counts.items() if count == 0}
    assert len(silent) <= 2, silent
    assert sum(counts.values()) >= 0.7 * 2 * len(NEAR) * len(names())


@pytest.mark.parametrize(
    ("name", "q", "c", "value"),
    [
        ("tanh", "1", "-0.9999999", "-0.394294443957552"),
        ("squareplus", "0.0117", "-0.97", "1.00008749936806"),
        ("gelu", "1", "-0.999", "-0.0747342305124364"),
        ("silu", "1", "-0.999", "-0.144103890625861"),
        ("erf", "1", "-0.9999999", "-0.464558997456539"),
    ],
)
def test_nearly_opposite_inputs(name: str, q: str, c: str, value: str) -> None:
    """Taylor's expansion about c = −1 goes in powers of 1 + c: all its signs are +."""
    found = enclose(resolve(name, None), "kernel", Pair(Rational(q), Rational(q), Rational(c)), DIGITS)
    assert found.tight and "Taylor" in found.method
    assert abs(float(found.ball.mid()) - float(value)) <= 2e-15


def test_a_cubic() -> None:
    """E He₃(√q z₁) He₃(√q z₂) = 6 (qc)³ + 9 (q − 1)² qc."""
    c = Rational("-0.97")
    found = enclose(resolve("hermite3", None), "kernel", Pair(Rational(2), Rational(2), c), DIGITS)
    exact = 6 * (2 * c) ** 3 + 9 * 2 * c
    assert exact == Rational("-61.268304") and abs(float(found.ball.mid()) - float(exact)) <= 1e-13


@pytest.mark.parametrize("name", ["tanh", "erf", "atan", "cosine", "sin", "ricker"])
def test_odd_and_even_functions(name: str) -> None:
    act = resolve(name, None)
    q1, q2 = _variances(name)
    sign = {"odd": -1, "even": 1}[parity(act.pieces)]
    for c in NEAR[3:]:
        plus, minus = (enclose(act, "kernel", Pair(q1, q2, s), DIGITS).ball for s in (c, -c))
        with working_precision(80):
            assert plus.overlaps(sign * minus) and plus.rad() < 1e-14
