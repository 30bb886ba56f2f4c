r"""E f(√q z) for all q of two octaves at once: a polynomial in log q with a proven error.

M(q) = E f(√q z) is analytic wherever Re 1/q > 0, whatever kinks and jumps f has: in s = log q on the strip
|Im s| < π/2.  With q = e^{u + iv} and q_e = e^u/cos v the density's modulus is that of another Gaussian,

.. math:: |M(q)| \le \sqrt{q_e/|q|}\; E|f(\sqrt{q_e}\,z)|,

and √q_e E|f(√q_e z)| increases with q_e.  One real integral so bounds M on an ellipse around the two octaves,
and that bounds the error of the interpolation at Chebyshev points.  A search for roots, which asks for M and
M' on dozens of boxes, then costs one quadrature for two octaves instead of three for each box.

References
----------
.. [1] L. N. Trefethen, Approximation Theory and Approximation Practice, 2013, theorems 8.1 and 8.2.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, reduce
from typing import Any

from flint import arb, arb_poly

from initmath.balls import working_precision
from initmath.enclosure.expectation import expectation
from initmath.enclosure.together import expectations
from initmath.errors import Divergent, NotEnclosed
from initmath.piecewise import PiecewiseSmooth

__all__ = ["Term", "expectation_over", "slope_of", "slope_over", "value_of", "value_over"]

DEGREE = 20
RHO = 4
"""Sum of the half axes of the ellipse, in units of half its real interval."""

DIGITS, BITS = 6, 64
"""Relative accuracy of the values between which is interpolated."""

SECONDS = 1.0
"""For the bound; without one there is no interpolation."""

PATIENCE = 8.0
"""Seconds for the moments of two octaves, one by one."""

TERMS = 8
"""Of the exponential series on a ball of log q."""

USEFUL = 1e-3
"""A larger error, relative to the largest value, is of no use to a search."""

SHARE = 0.5
"""The part of a ball's width that the interpolation may be; more, and one integral of its own says more."""


@dataclass(frozen=True)
class Term:
    """coefficient · (d/ds)^order [q^power E f(√q z)], s = log q: a part of a sum that is interpolated as one.

    Attributes
    ----------
    f : PiecewiseSmooth
    coefficient : int
    power : int
        ≥ 0.
    order : int
        0 or 1.
    at : callable (arb) -> arb, optional
        Another way to enclose E f(√q z) at an exact q; hashable.
    """

    f: PiecewiseSmooth
    coefficient: int = 1
    power: int = 0
    order: int = 0
    at: Callable[[arb], arb] | None = None


@dataclass(frozen=True)
class _Panel:
    """A function on [4^k, 4^(k+1)] as a polynomial in t = (log q − centre)/half, t ∈ [−1, 1].

    Attributes
    ----------
    polynomial : arb_poly
    errors : tuple of arb
        Bounds of the errors of the function and of its derivatives in t.
    """

    polynomial: Any
    errors: tuple[Any, ...]

    def derivative(self) -> _Panel:
        """Return the derivative in s = log q."""
        half = _half()
        return _Panel(self.polynomial.derivative() * (1 / half), tuple(e / half for e in self.errors[1:]))

    def times(self, number: int) -> _Panel:
        """Return a multiple."""
        return _Panel(self.polynomial * number, tuple(e * abs(number) for e in self.errors))

    def plus(self, other: _Panel) -> _Panel:
        """Return a sum."""
        errors = tuple(a + b for a, b in zip(self.errors, other.errors, strict=False))
        return _Panel(self.polynomial + other.polynomial, errors)


def expectation_over(f: PiecewiseSmooth, q: arb, digits: int = DIGITS) -> arb:
    """Enclose E f(√q z) for all q in a ball as a search needs it: interpolated if that says enough.

    Parameters, raises
    ------------------
    As `expectation`.
    """
    found = value_over(f, q, digits)
    return expectation(f, q, digits) if found is None else found


def value_over(f: PiecewiseSmooth, q: arb, digits: int = DIGITS) -> arb | None:
    """Enclose E f(√q z) for all q in a ball: `value_of` one term.

    Examples
    --------
    >>> from sympy import tanh
    >>> from initmath.integral import x
    >>> f = PiecewiseSmooth.from_expr(tanh(x) ** 2, x)
    >>> wide = value_over(f, arb(1, 0.25))
    >>> bool(wide.contains(arb("0.394294490397841"))), float(wide.rad()) < 0.07
    (True, True)
    """
    return value_of((Term(f),), q, digits)


def slope_over(f: PiecewiseSmooth, q: arb, digits: int = DIGITS) -> arb | None:
    """Enclose d/dq E f(√q z) for all q in a ball, what the jumps of f bring included.

    Examples
    --------
    >>> from sympy import Max
    >>> from initmath.integral import x
    >>> wide = slope_over(PiecewiseSmooth.from_expr(Max(x, 0) ** 2, x), arb(1, 0.25))
    >>> bool(wide.contains(0.5)), float(wide.rad()) < 1e-5
    (True, True)
    """
    return slope_of((Term(f),), q, digits)


def value_of(terms: tuple[Term, ...], q: arb, digits: int = DIGITS) -> arb | None:
    """Enclose a sum of terms for all q in a ball.

    Parameters
    ----------
    terms : tuple of Term
    q : arb
    digits : int
        Relative accuracy asked.

    Returns
    -------
    arb or None
        None where the interpolation has no useful bound: E|f| does not exist at the five times larger q, the
        ball is wider than two octaves, the error is more than 10^-digits of the value and more than a half
        of what the width of q makes of it, or more than six digits are asked.
    """
    return _over(terms, q, digits, _value_on)


def slope_of(terms: tuple[Term, ...], q: arb, digits: int = DIGITS) -> arb | None:
    """Enclose the derivative in q of a sum of terms for all q in a ball; None as in `value_of`."""
    return _over(terms, q, digits, _slope_on)


def _over(
    terms: tuple[Term, ...], q: arb, digits: int, on: Callable[[_Panel, int, arb], tuple[arb, arb]]
) -> arb | None:
    if digits > DIGITS:
        return None
    with working_precision(BITS):
        low, high = q.lower(), q.upper()
        if not (low > 1e-100 and high < 1e100):
            return None
        first, last = _octaves(low)[0], _octaves(high)[1]
        if last - first > 1:
            return None
        allowed = (arb(10) ** -digits).max(SHARE * arb(q.rad()) / low)
        found = None
        for k in range(first, last + 1):
            panel = _sum(terms, k)
            if panel is None:
                return None
            part = low.max(arb(4) ** k).union(high.min(arb(4) ** (k + 1)))
            value, error = on(panel, k, (part.log() - _centre(k)) / _half())
            value = value + arb(0, error.upper())
            if not (error <= allowed * abs(value) or error <= SHARE * value.rad()):
                return None
            found = value if found is None else found.union(value)
        return found


def _octaves(q: arb) -> tuple[int, int]:
    """Return the first and the last k with q ∈ [4^k, 4^(k+1)], as far as the ball of log q tells."""
    place = q.log() / arb(4).log()
    first, last = (int(end.floor().unique_fmpz()) for end in (place.lower(), place.upper()))
    return first, last


def _half() -> arb:
    return arb(2).log()


def _centre(k: int) -> arb:
    return (2 * k + 1) * arb(2).log()


def _value_on(panel: _Panel, k: int, t: arb) -> tuple[arb, arb]:
    """Return the polynomial on a ball of t, by its expansion about the middle, and the error."""
    return panel.polynomial(arb_poly([t.mid(), 1]))(arb(0, t.rad())), panel.errors[0]


def _slope_on(panel: _Panel, k: int, t: arb) -> tuple[arb, arb]:
    """Return d/dq = e^{-s} d/ds on a ball of t, and the error: both factors expanded about the middle."""
    half, radius = _half(), arb(t.rad())
    steep = panel.derivative()
    shifted = steep.polynomial(arb_poly([t.mid(), 1]))
    decay = arb_poly([(-half) ** j / arb(math.factorial(j)) for j in range(TERMS)])
    # e^{-half·τ}: what is left of its series is at most the next term times e^{half·|τ|}.
    left = (half * radius) ** TERMS / math.factorial(TERMS) * (half * radius).exp()
    value = (shifted * decay)(arb(0, radius)) + shifted(arb(0, radius)) * arb(0, left.upper())
    scale = (-_centre(k) - half * t.mid()).exp()
    return value * scale, steep.errors[0] * scale * (half * radius).exp()


@lru_cache(maxsize=1024)
def _sum(terms: tuple[Term, ...], k: int) -> _Panel | None:
    with working_precision(BITS):
        parts = []
        for term in terms:
            panel = _panel(term.f, term.power, term.at, k)
            if panel is None:
                return None
            parts.append((panel.derivative() if term.order else panel).times(term.coefficient))
        return reduce(_Panel.plus, parts)


@lru_cache(maxsize=1024)
def _panel(f: PiecewiseSmooth, power: int, at: Callable[[arb], arb] | None, k: int) -> _Panel | None:
    """Interpolate q^power E f(√q z) on [4^k, 4^(k+1)]."""
    with working_precision(BITS):
        try:
            bound = _bound(f, power, k)
            most = arb(4) ** (power * (k + 1)) * _absolute(f, arb(4) ** (k + 1))
            if not _rests()[0] * bound < USEFUL * most:
                return None  # of no use, whatever the moments are: they are not computed in vain
            moments = (_moments(f, k) if at is None else None) or _one_by_one(f, at, k)
            places = zip(_places(k), moments, strict=True)
            values = [_scaled(*place, moment, power, bound) for place, moment in places]
        except (NotEnclosed, Divergent):
            return None
        polynomial = arb_poly([])
        for value, basis in zip(values, _basis(), strict=True):
            polynomial += arb(value.mid()) * basis
        errors = _errors(bound, max(arb(value.rad()) for value in values))
        largest = max(abs(value).upper() for value in values)
        return _Panel(polynomial, errors) if errors[0] < USEFUL * largest else None


@lru_cache(maxsize=1024)
def _moments(f: PiecewiseSmooth, k: int) -> tuple[arb, ...] | None:
    return expectations(f, [middle for middle, _ in _places(k)], DIGITS)


def _one_by_one(f: PiecewiseSmooth, at: Callable[[arb], arb] | None, k: int) -> list[arb]:
    found, ends = [], time.monotonic() + PATIENCE
    for middle, _ in _places(k):
        found.append(_value(f, at, *middle.man_exp()))
        if time.monotonic() > ends:
            raise NotEnclosed(f"{PATIENCE:g} seconds did not suffice for the integrals of two octaves")
    return found


def _errors(bound: arb, inexact: arb) -> tuple[arb, ...]:
    """Bound the error of the interpolant, of its first and of its second derivative in t.

    What the values are off grows by Lebesgue's constant, and for the derivatives by Markov's inequality.
    """
    n = DEGREE
    off = inexact * (1 + 2 / arb.pi() * arb(n + 1).log())
    growth = (arb(1), arb(n**2), arb(n**4) / 3)
    return tuple(bound * rest + off * most for rest, most in zip(_rests(), growth, strict=True))


@lru_cache(maxsize=1)
def _rests() -> tuple[arb, ...]:
    r"""Bound the errors of what is bounded by 1 on the ellipse.

    Chebyshev coefficients are at most |a_m| ≤ 2ρ^−m, so those beyond n, and those that alias to them, add at
    most Σ_{m>n} 4ρ^−m max|T_m^{(i)}|, where |T_m| ≤ 1, |T_m'| ≤ m² and |T_m''| ≤ m²(m² − 1)/3 ≤ m⁴/3.
    """
    with working_precision(BITS):
        sums = []
        for power, scale in ((0, 1), (2, 1), (4, 3)):
            terms = [4 * arb(m) ** power / (scale * arb(RHO) ** m) for m in range(DEGREE + 1, 20 * DEGREE)]
            # From there on each is less than half the one before.
            sums.append(sum(terms, arb(0)) + terms[-1])
        return tuple(sums)


@lru_cache(maxsize=64)
def _places(k: int) -> tuple[tuple[arb, arb], ...]:
    """Return exact q beside the Chebyshev points t_j = cos(jπ/n), and how far beside, relative to q."""
    found = [(arb(4) ** (k + 1), arb(0))]
    for j in range(1, DEGREE):
        q = (_centre(k) + _half() * _point(j)).exp()
        found.append((arb(q.mid()), (q - q.mid()).abs_upper() / q.mid()))
    return (*found, (arb(4) ** k, arb(0)))


def _scaled(q: arb, shift: arb, moment: arb, power: int, bound: arb) -> arb:
    """Return q^power E f at the point beside q: the mean value theorem."""
    return q**power * moment + arb(0, (2 * shift * _steepest(bound)).upper())


@lru_cache(maxsize=8192)
def _value(f: PiecewiseSmooth, at: Callable[[arb], arb] | None, mantissa: Any, exponent: Any) -> arb:
    q = arb(mantissa) * arb(2) ** int(exponent)
    return expectation(f, q, DIGITS) if at is None else at(q)


def _point(j: int) -> arb:
    return (arb.pi() * j / DEGREE).cos()


def _steepest(bound: arb) -> arb:
    """Bound the derivative in s on the interval by Cauchy: the ellipse is nowhere nearer than at its ends."""
    return bound / (_half() * ((RHO + arb(1) / RHO) / 2 - 1))


@lru_cache(maxsize=1024)
def _bound(f: PiecewiseSmooth, power: int, k: int) -> arb:
    r"""Bound \|q^power M\| on the ellipse, M's √(q_e/|q|)·E|f| with each factor at its largest."""
    farthest, nearest, widest = _reach()
    absolute = _absolute(f, arb((_centre(k).exp() * farthest).upper()))
    bound = (farthest / nearest).sqrt() * absolute * (_centre(k).exp() * widest) ** power
    return arb(bound.upper())


def _absolute(f: PiecewiseSmooth, q: arb) -> arb:
    """Bound E|f|."""
    if all(piece.expr.is_nonnegative for piece in f.pieces):
        return expectation(f, q, 1, seconds=SECONDS).upper()
    return expectation(f.map(lambda e: e**2), q, 1, seconds=SECONDS).sqrt().upper()


@lru_cache(maxsize=1)
def _reach() -> tuple[arb, arb, arb]:
    """Return the largest e^u/cos v, the smallest e^u and the largest e^u on the ellipse about s = 0."""
    with working_precision(BITS):
        across = _half() * (RHO + arb(1) / RHO) / 2
        up = _half() * (RHO - arb(1) / RHO) / 2
        largest = arb(0)
        arcs = 256
        for i in range(arcs):
            angle = arb.pi() / 2 * (arb(2 * i + 1, 1) / (2 * arcs))
            largest = largest.max(((across * angle.cos()).exp() / (up * angle.sin()).cos()).upper())
        return arb(largest.upper()), arb((-across).exp().lower()), arb(across.exp().upper())


@lru_cache(maxsize=1)
def _basis() -> tuple[Any, ...]:
    """Return Lagrange's polynomials of the Chebyshev points."""
    with working_precision(2 * BITS):
        points = [_point(j) for j in range(DEGREE + 1)]
        found = []
        for j, here in enumerate(points):
            product = arb_poly([1])
            for i, other in enumerate(points):
                if i != j:
                    product *= arb_poly([-other, 1]) * (1 / (here - other))
            found.append(product)
        return tuple(found)
