r"""The certified route to E f(y₁) f(y₂): no integration rule, every error proven.

Mehler's expansion f(√q z) = Σ a_n(q) he_n(z) gives

.. math:: E f(y_1) f(y_2) = \sum_n a_n(q_1)\,a_n(q_2)\,c^n,

and what is left after N terms is at most \|c\|^{N+1} √(r_N(q₁) r_N(q₂)), r_N = E f² − Σ_{n≤N} a_n² (Parseval,
Cauchy–Schwarz).  For \|c\| near 1 there is Taylor's expansion about s = sign c = ±1, by Price's theorem in
powers of c − s = −s (1 − \|c\|), without cancellation:

.. math:: E f(y_1) f(y_2) =
   \sum_{m<M} \frac{(c-s)^m}{m!} (q_1q_2)^{m/2}\, E f^{(m)}(y_1) f^{(m)}(y_2)\Big|_{c=s} + R,
   \quad |R| \le \frac{(1-|c|)^M}{M!} (q_1q_2)^{M/2} \sqrt{E f^{(M)}(y_1)^2\, E f^{(M)}(y_2)^2},

whose remainder holds by Cauchy–Schwarz at every correlation between s and c, where f^{(M−1)} is continuous.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from flint import arb
from sympy import S, sign, sqrt

from initmath.balls import accurate, bits, to_arb, working_precision
from initmath.errors import Divergent, InputError, NotEnclosed
from initmath.kernels import budget
from initmath.kernels.coefficients import coefficients
from initmath.kernels.pair import Pair, function
from initmath.piecewise import PiecewiseSmooth

__all__ = ["Enclosed", "enclose"]

LEVELS = (60, 160, 400, 1000, 2400)
"""Lengths of the Hermite series: few, so that many correlations share one set of coefficients."""

NEAR = 0.05
"""Taylor's expansion about |c| = 1 is tried for 1 − |c| up to this."""

ORDERS = 6
"""Most terms of Taylor's expansion: derivatives get long."""

MAX_OPERATIONS = 1500
"""A longer derivative is not integrated."""

_GUARD = 4


@dataclass(frozen=True, slots=True)
class Enclosed:
    """A ball that contains the kernel, and how it was made.

    Attributes
    ----------
    ball : arb
    method : str
    tight : bool
        Whether the asked digits were reached, relative to the value or to √(E f(y₁)² E f(y₂)²).
    """

    ball: arb
    method: str
    tight: bool


def enclose(
    activation: Any, kind: str, pair: Pair, digits: int, values: dict[Any, Any] | None = None
) -> Enclosed:
    """Enclose E f(y₁) f(y₂), f = g or g′, without any closed form.

    Parameters
    ----------
    activation : Activation
    kind : str
        ``"kernel"`` or ``"derivative_kernel"``.
    pair : Pair
    digits : int
    values : dict, optional
        Numbers for the symbolic parameters.

    Returns
    -------
    Enclosed
        If it is not ``tight``, its ball is the narrowest that was proven, in the time that `budget` allows.

    Raises
    ------
    Divergent, NotEnclosed
    """
    fixed = tuple(sorted((values or {}).items(), key=lambda item: str(item[0])))
    try:
        return _enclose(activation, kind, pair, digits, fixed)
    except _CutShort as error:
        return error.best


class _CutShort(Exception):
    """What there was when the time ran out: not remembered, since more time might bring more."""

    def __init__(self, best: Enclosed) -> None:
        super().__init__()
        self.best = best


@lru_cache(maxsize=1024)
def _enclose(activation: Any, kind: str, pair: Pair, digits: int, fixed: tuple[Any, ...]) -> Enclosed:
    f = function(activation, kind)
    f = f.subs(dict(fixed)) if fixed else f
    if pair.proportional:
        return Enclosed(
            _proportional(f, pair, digits), "one variable, since |c| = 1: certified quadrature", True
        )
    if pair.c == 0:
        return _independent(f, pair, digits)
    found: list[Enclosed] = []
    reasons: list[str] = []
    heavy = False
    near = 1 - abs(pair.c) <= NEAR
    for route in (_taylor, _mehler) if near else (_mehler,):
        try:
            found.append(route(f, pair, digits))
        except NotEnclosed as error:
            reasons.append(str(error))
        except Divergent as error:
            # The kernel may exist all the same: what diverges is E f², without which there is no series.
            reasons.append(f"E f² is infinite ({error}), so that there is no Hermite series")
            heavy = True
            break
        if found and found[-1].tight:
            return found[-1]
    if heavy and kind == "derivative_kernel" and not activation.jumps:
        g = activation.pieces.subs(dict(fixed)) if fixed else activation.pieces
        try:
            return _slope(g, pair, digits)
        except Divergent as error:
            reasons.append(str(error))
    if not found:
        raise (budget.OutOfTime if budget.spent() else NotEnclosed)("; ".join(reasons))
    best = min(found, key=lambda e: float(e.ball.rad().log()) if e.ball.rad() > 0 else -math.inf)
    if budget.spent():
        raise _CutShort(best)
    return best


def _independent(f: PiecewiseSmooth, pair: Pair, digits: int) -> Enclosed:
    """Return the product of the two means: c = 0."""
    first = budget.expectation(f, pair.q1, digits + 1)
    second = first if pair.q1 == pair.q2 else budget.expectation(f, pair.q2, digits + 1)
    with working_precision(bits(digits + _GUARD)):
        return Enclosed(first * second, "two independent variables, since c = 0: certified quadrature", True)


def _product(first: PiecewiseSmooth, second: PiecewiseSmooth, ratio: Any) -> PiecewiseSmooth:
    """Return first(x)·second(ratio·x), piece by piece."""
    x = first.variable
    if first == second and ratio == 1:
        return first.map(lambda e: e**2)
    scaled = second.as_expr().subs(x, ratio * x)
    try:
        return PiecewiseSmooth.from_expr(first.as_expr() * scaled, x)
    except InputError as error:
        raise NotEnclosed(str(error)) from None


def _proportional(f: PiecewiseSmooth, pair: Pair, digits: int, order: int = 0) -> arb:
    """E f^{(m)}(y) f^{(m)}(±√(q₂/q₁) y), y ~ N(0, q₁), with the sign of c."""
    for _ in range(order):
        f = f.derivative()
    ratio = sign(pair.c) * sqrt(S(pair.q2) / S(pair.q1))
    return budget.expectation(_product(f, f, ratio), pair.q1, digits)


def _size(f: PiecewiseSmooth, pair: Pair) -> arb:
    """√(E f(y₁)² E f(y₂)²), which |E f(y₁) f(y₂)| never exceeds."""
    square = f.map(lambda e: e**2)
    first = budget.expectation(square, pair.q1, 5)
    second = first if pair.q1 == pair.q2 else budget.expectation(square, pair.q2, 5)
    return (first * second).sqrt()


def _tight(ball: arb, size: arb, digits: int) -> bool:
    return accurate(ball, digits) or bool(ball.rad() * arb(10) ** digits <= size)


def _mehler(f: PiecewiseSmooth, pair: Pair, digits: int) -> Enclosed:
    """Sum the Hermite series until the rest is small enough."""
    parity = _parity(f)
    size = _size(f, pair)
    # So many terms are enough whatever the coefficients are; fewer are if these fall fast themselves.
    rate = -math.log(float(abs(pair.c))) if abs(pair.c) < 1 else 0.0
    needed = (digits + 1) * math.log(10) / max(rate, 1e-300)
    smooth = len(f.pieces) == 1
    best: Enclosed | None = None
    for level in LEVELS:
        if level < needed / 8 and not smooth:
            continue
        try:
            ball, count = _sum(f, pair, level, digits + 5, parity, size, digits)
        except budget.OutOfTime:
            if best is None:
                raise
            break
        method = f"Hermite (Mehler) series, {count} terms, the rest bounded by Parseval's identity"
        best = Enclosed(ball, method, _tight(ball, size, digits))
        if best.tight or level >= needed:
            break
        if smooth and level >= LEVELS[2] and best.ball.rad() > size * 1e-3 ** (level / LEVELS[-1]):
            break  # it falls too slowly for the longest one, too
    if best is None:
        raise NotEnclosed(f"the Hermite series would need {needed:.0f} terms at this correlation")
    return best


def _sum(
    f: PiecewiseSmooth, pair: Pair, level: int, digits: int, parity: int, size: arb, asked: int
) -> tuple[arb, int]:
    first = coefficients(f, pair.q1, level, digits, parity)
    second = first if pair.q1 == pair.q2 else coefficients(f, pair.q2, level, digits, parity)
    with working_precision(bits(digits)):
        ratio, power, total = to_arb(pair.c), arb(1), arb(0)
        left1, left2 = first.second_moment, second.second_moment
        goal = size * arb(10) ** -(asked + 1)
        count = 0
        for n, (a, b) in enumerate(zip(first.values, second.values, strict=True)):
            total += a * b * power
            power = power * ratio
            left1, left2 = left1 - a * a, left2 - b * b
            count = n + 1
            if n % 8 == 7 and (abs(power) * size <= goal):
                break
        rest = left1.upper().max(arb(0)) * left2.upper().max(arb(0))
        tail = (abs(power) * rest.sqrt()).upper()
        return total + arb(0, tail), count


def _slope(g: PiecewiseSmooth, pair: Pair, digits: int) -> Enclosed:
    r"""E g′(y₁) g′(y₂) = Σ n a_n(q₁) a_n(q₂) c^{n−1}/√(q₁q₂), by Price's theorem, of a g without jumps.

    It needs E g² only: E g′² may be infinite, as for √|x|.
    """
    parity, size = _parity(g), _size(g, pair)
    best: Enclosed | None = None
    for level in LEVELS[:-1]:
        if best is not None and budget.spent():
            break
        first = coefficients(g, pair.q1, level, digits + 5, parity)
        second = first if pair.q1 == pair.q2 else coefficients(g, pair.q2, level, digits + 5, parity)
        with working_precision(bits(digits + 5)):
            ratio, power, total = to_arb(pair.c), arb(1), arb(0)
            for n, (a, b) in enumerate(zip(first.values[1:], second.values[1:], strict=True), 1):
                total += n * a * b * power
                power = power * ratio
            scale = (to_arb(pair.q1) * to_arb(pair.q2)).sqrt()
            # n |c|^{n−1} falls from n = 1/(1 − |c|) on.
            if (level + 1) * (1 - abs(pair.c)) < 1:
                continue
            rest = (first.rest(level + 1) * second.rest(level + 1)).sqrt()
            tail = ((level + 1) * abs(power) * rest).upper()
            ball = (total + arb(0, tail)) / scale
        method = (
            f"Hermite (Mehler) series differentiated, {level} terms, the rest bounded by Parseval's identity"
        )
        best = Enclosed(ball, method, _tight(ball, size / scale, digits))
        if best.tight:
            return best
    if best is None:
        raise NotEnclosed("the differentiated Hermite series converges too slowly at this correlation")
    return best


def _parity(f: PiecewiseSmooth) -> int:
    from initmath.activation.analysis import parity

    return {"even": 1, "odd": -1}.get(parity(f), 0)


def _taylor(f: PiecewiseSmooth, pair: Pair, digits: int) -> Enclosed:
    """Sum Taylor's expansion about sign(c), while f has continuous derivatives."""
    size = _size(f, pair)
    with working_precision(bits(digits + _GUARD)):
        step = to_arb(pair.c - sign(pair.c))
        scale = (to_arb(pair.q1) * to_arb(pair.q2)).sqrt()
    total, factor = arb(0), arb(1)
    current, best = f, None
    for order in range(ORDERS):
        if any(p.expr.count_ops() > MAX_OPERATIONS for p in current.pieces):
            break
        if best is not None and budget.spent():
            break
        term = _proportional(current, pair, digits + _GUARD)
        if current.jumps():
            if order == 0:
                raise NotEnclosed("the function jumps: no expansion about |c| = 1")
            break
        with working_precision(bits(digits + _GUARD)):
            total += factor * term
            factor = factor * step * scale / (order + 1)
        current = current.derivative()
        try:
            slope = _size(current, pair)
        except (NotEnclosed, Divergent):
            break
        with working_precision(bits(digits + _GUARD)):
            remainder = (abs(factor) * slope).upper()
            ball = total + arb(0, remainder)
        if best is not None and not ball.rad() < best.ball.rad():
            break
        method = f"Taylor series about |c| = 1, {order + 1} terms, the rest bounded by the next derivative"
        best = Enclosed(ball, method, _tight(ball, size, digits))
        if best.tight:
            return best
    if best is None:
        raise NotEnclosed("no expansion about |c| = 1")
    return best
