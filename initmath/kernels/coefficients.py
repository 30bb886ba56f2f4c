r"""Hermite coefficients of a function with proven errors: composite Gauss–Legendre rules in ball arithmetic.

For f and z ~ N(0, 1) the coefficients are a_n = E f(√q z) he_n(z), he_n = He_n/√n! orthonormal.  Each
panel of the z-line carries the bound

.. math:: |I - I_p| \le \tfrac{64}{15}\,\frac{h M \rho^{-2p}}{1 - \rho^{-2}}

of the p-point rule for an integrand that is analytic in the ellipse of parameter ρ around the panel of
half-width h and at most M there: expand it in Chebyshev polynomials, |c_k| ≤ 2Mρ^{−k}; the rule is exact up
to degree 2p − 1, and errs by at most 2 + 2/(k² − 1) in T_k.  M is f on a rectangle around the ellipse, in
balls, times the density and the bound of `hermite_bound`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any

from flint import acb, arb
from sympy import Rational, S

from initmath.balls import bits, evaluate, program, to_arb, working_precision
from initmath.errors import NotEnclosed
from initmath.kernels import budget
from initmath.piecewise import Piece, PiecewiseSmooth

__all__ = ["Coefficients", "coefficients", "hermite_bound"]

_STEERING_BITS = 64
_RHO = (1.3, 1.7, 2.2, 3.0, 4.0, 6.0)
_PANELS = 600
_WIDER = 12
_TINY = 1e-9
_WORK = 20_000_000
_CRAMER = 1.0864349
"""|He_n(x)| ≤ K √n! e^{x²/4} with K = 1.0864344…, DLMF 18.14.9 (Cramér's inequality)."""


@dataclass(frozen=True)
class Coefficients:
    """The first Hermite coefficients of a function, and its norm.

    Attributes
    ----------
    values : tuple of arb
        a_0 … a_N, each containing the true value.
    second_moment : arb
        E f², so that Σ_{n>N} a_n² = E f² − Σ_{n≤N} a_n² (Parseval).
    prec : int
        Bits that the coefficients are worth.
    """

    values: tuple[arb, ...]
    second_moment: arb
    prec: int

    def rest(self, count: int) -> arb:
        """Upper bound of Σ_{n ≥ count} a_n²."""
        with working_precision(self.prec):
            left = self.second_moment - sum((a * a for a in self.values[:count]), arb(0))
            return left.upper().max(arb(0))


@dataclass(frozen=True)
class _Panel:
    """One panel of a piece, with a bound of its error in every coefficient."""

    lower: arb
    upper: arb
    index: int
    error: arb
    counts: bool
    """Whether it is summed; one beside a singular end is so small that its bound alone does."""


def hermite_bound(n: int, real: float, imaginary: float) -> arb:
    r"""Bound |he_n(z)| e^{−Re(z²)/2} for |Re z| ≥ ``real`` and |Im z| ≤ ``imaginary``.

    He_n(x + iy) = Σ_k C(n, k) He_{n−k}(x) (iy)^k and Cramér's inequality give
    |he_n(x + iy)| ≤ K e^{x²/4} Σ_k (√n |y|)^k/k! ≤ K e^{x²/4 + √n |y|}.

    References
    ----------
    .. [1] NIST Digital Library of Mathematical Functions, 18.14.9 and 18.18.10.

    Examples
    --------
    >>> from flint import arb
    >>> bool(hermite_bound(3, 0.0, 0.0) < 1.0865)
    True
    """
    x, y = arb(real), arb(imaginary)
    return arb(_CRAMER) * (-x * x / 4 + y * y / 2 + arb(n).sqrt() * y).exp()


@lru_cache(maxsize=64)
def coefficients(
    f: PiecewiseSmooth,
    q: Any,
    count: int,
    digits: int,
    parity: int = 0,
    fixed: tuple[tuple[Any, Any], ...] = (),
) -> Coefficients:
    """Enclose a_0 … a_count of f at pre-activation variance q, relative to √(E f²) about 10^-digits wide.

    Parameters
    ----------
    f : PiecewiseSmooth
    q : Rational
        Pre-activation variance, q > 0.
    count : int
        N, the highest order.
    digits : int
        Accuracy of each coefficient relative to the norm of f.
    parity : int
        +1 or −1 if f is known to be even or odd: then half of the coefficients are exactly 0.
    fixed : tuple of (Symbol, number)
        Values of the symbols in f.

    Raises
    ------
    Divergent
        E f² is infinite.
    NotEnclosed
        f is singular on or too near the real line.

    Examples
    --------
    >>> from sympy import Integer, Max
    >>> from initmath.integral import x
    >>> relu = PiecewiseSmooth.from_expr(Max(x, 0), x)
    >>> a = coefficients(relu, Integer(1), 3, 15)
    >>> a.values[1].str(12, radius=False), bool(a.values[3].contains(0))
    ('0.500000000000', True)
    """
    if fixed:
        f = f.subs(dict(fixed))
    second = budget.expectation(f.map(lambda e: e**2), q, digits + 4)
    if second.is_zero() or not second > 0:
        return Coefficients((arb(0),) * (count + 1), second, bits(digits + 4))
    with working_precision(_STEERING_BITS):
        goal = second.sqrt().lower() * arb(10) ** -(digits + 2)
    reach, missing = _reach(f, q, goal)
    order = int(1.3 * digits) + 12
    with working_precision(_STEERING_BITS):
        panels = _panels(f, q, reach, count, order, goal, parity)
        wrong = sum((p.error for p in panels), arb(0))
        if parity:
            wrong = 2 * wrong
        if len(panels) * order * count > _WORK:
            raise NotEnclosed(f"{count} Hermite coefficients to {digits} digits would take too long")
        error = (wrong + missing).upper()
    values = _summed(f, q, panels, count, order, digits, parity)
    prec = bits(digits + 4)
    with working_precision(prec):
        vanish = [parity != 0 and (n % 2 == 0) != (parity == 1) for n in range(count + 1)]
        enclosed = tuple(a if no else a + arb(0, error) for a, no in zip(values, vanish, strict=True))
    return Coefficients(enclosed, second, prec)


def _reach(f: PiecewiseSmooth, q: Any, goal: arb) -> tuple[Any, arb]:
    """Return a rational X and √E[f²; |y| > X] ≤ goal: by Cauchy–Schwarz more than any a_n misses."""
    scale = float(to_arb(q).mid()) ** 0.5
    reach = math.sqrt(-4 * float(goal.log().mid())) if goal < 0.5 else 4.0
    for _ in range(_WIDER):
        cut = Rational(math.ceil(reach * 1000), 1000) * Rational(scale)
        outside = _outside(f, cut)
        try:
            rest = budget.expectation(outside, q, 3) if outside.pieces[1:] else arb(0)
        except NotEnclosed:
            rest = arb.pos_inf()
        with working_precision(_STEERING_BITS):
            missing = rest.upper().max(arb(0)).sqrt().upper()
            if missing <= goal:
                return cut, missing
        reach *= 1.2
    raise NotEnclosed("the tails of the function are too heavy for its Hermite series")


def _outside(f: PiecewiseSmooth, cut: Any) -> PiecewiseSmooth:
    """Return f² where |x| > cut, and 0 elsewhere."""
    left, right = [], []
    for piece in f.pieces:
        square = piece.expr**2
        if _before(piece.lower, -cut):
            left.append(Piece(piece.lower, piece.upper if _before(piece.upper, -cut) else -cut, square))
        if _before(cut, piece.upper):
            right.append(Piece(piece.lower if _before(cut, piece.lower) else cut, piece.upper, square))
    if all(piece.expr == 0 for piece in (*left, *right)):
        return PiecewiseSmooth(f.variable, (Piece(-S.Infinity, S.Infinity, S.Zero),))
    return PiecewiseSmooth(f.variable, (*left, Piece(-cut, cut, S.Zero), *right))


def _before(a: Any, b: Any) -> bool:
    """Whether a < b, for exact numbers and infinities."""
    return bool((a - b).evalf() < 0)


def _panels(
    f: PiecewiseSmooth, q: Any, reach: Any, count: int, order: int, goal: arb, parity: int
) -> list[_Panel]:
    """Cut the z-line at the breakpoints and then in halves until every panel's bound is small."""
    root = to_arb(q).sqrt()
    found: list[_Panel] = []
    allowed = goal / 100
    for index, piece in enumerate(f.pieces):
        if piece.expr == 0:
            continue
        first = S.Zero if parity else -reach
        low = piece.lower if _before(first, piece.lower) else first
        high = piece.upper if _before(piece.upper, reach) else reach
        if not _before(low, high):
            continue
        call = program(piece.expr, f.variable).bind({}, _STEERING_BITS)
        lower, upper = evaluate(low) / root, evaluate(high) / root
        # The two outermost ends may lie further out than what the tail's bound leaves to the panels.
        lower = arb(lower.lower()) if low == -reach else lower
        upper = arb(upper.upper()) if high == reach else upper
        steps = max(1, math.ceil(float((upper - lower).mid())))
        inner = [arb(((lower * (steps - k) + upper * k) / steps).mid()) for k in range(1, steps)]
        stack = list(pairwise([lower, *inner, upper]))
        while stack:
            budget.check()
            a, b = stack.pop()
            error, counts = _error(call, a, b, root, count, order), True
            if not error <= allowed and b - a < _TINY:
                error, counts = _plain(call, a, b, root, count), False
            if error <= allowed:
                found.append(_Panel(a, b, index, error, counts))
            else:
                if len(found) + len(stack) > _PANELS or not (b - a) > _TINY**4:
                    raise NotEnclosed(f"{piece.expr} is singular on or too near the real line")
                middle = arb(((a + b) / 2).mid())
                stack += [(middle, b), (a, middle)]
    return found


def _error(call: Any, a: arb, b: arb, root: arb, count: int, order: int) -> arb:
    """Bound the rule's error by the best of a few ellipses; infinite where f is analytic in none."""
    best = arb.pos_inf()
    middle, half = (a + b) / 2, (b - a).upper() / 2
    for rho in map(arb, _RHO):
        wide, high = (half * (rho + 1 / rho) / 2).upper(), (half * (rho - 1 / rho) / 2).upper()
        box = acb(middle + arb(0, wide), arb(0, high)) * root
        try:
            value = acb(call(box, True))
        except (ZeroDivisionError, ValueError, OverflowError, NotEnclosed):
            break
        if not value.is_finite():
            break
        near = float(abs(middle + arb(0, wide)).lower()) * (1 - 1e-12)
        largest = value.abs_upper() * hermite_bound(count, near, float(high) * (1 + 1e-12))
        normal = (2 * arb.pi()).sqrt()
        bound = half * arb(64) / 15 * largest / normal * rho ** (-2 * order) / (1 - rho**-2)
        best = best.min(bound.upper())
    return best


def _plain(call: Any, a: arb, b: arb, root: arb, count: int) -> arb:
    """Bound the whole integral over a panel: its length times what |f he_n φ| reaches."""
    try:
        value = acb(call(acb(a.union(b)) * root, False))
    except (ZeroDivisionError, ValueError, OverflowError, NotEnclosed):
        return arb.pos_inf()
    if not value.is_finite():
        return arb.pos_inf()
    return ((b - a) * value.abs_upper() * hermite_bound(count, 0.0, 0.0)).upper()


def _summed(
    f: PiecewiseSmooth, q: Any, panels: list[_Panel], count: int, order: int, digits: int, parity: int
) -> list[arb]:
    """Σ w_i g(√q z_i) φ(z_i) he_n(z_i) for all n at once, by the three-term recurrence.

    In balls the recurrence loses √n·|z| nats where the polynomials oscillate; the density gives z²/2 back.
    """
    panels = [panel for panel in panels if panel.counts]
    far = max((abs(float(p.upper.mid())) for p in panels), default=1.0)
    far = max([far, *(abs(float(p.lower.mid())) for p in panels)])
    turning = min(far, math.sqrt(count))
    prec = bits(digits + 6) + 30 + int(1.45 * (math.sqrt(count) * turning - turning**2 / 2))
    with working_precision(prec):
        rule = _legendre(order, prec)
        root = to_arb(q).sqrt()
        calls: dict[int, Any] = {}
        nodes: list[arb] = []
        weights: list[arb] = []
        normal = 1 / (2 * arb.pi()).sqrt()
        for panel in panels:
            budget.check()
            piece = f.pieces[panel.index]
            call = calls.setdefault(panel.index, program(piece.expr, f.variable).bind({}, prec))
            lower, upper = (
                _exact_end(panel.lower, piece, root, prec),
                _exact_end(panel.upper, piece, root, prec),
            )
            middle, half = (lower + upper) / 2, (upper - lower) / 2
            for t, w in rule:
                z = middle + half * t
                value = acb(call(acb(root * z), False)).real
                nodes.append(z)
                weights.append(half * w * value * (-z * z / 2).exp() * normal)
        if any(not w.is_finite() for w in weights):
            raise NotEnclosed("the function is not finite at a node of the rule")
        return _recurrence(nodes, weights, count, parity)


def _exact_end(end: arb, piece: Piece, root: arb, prec: int) -> arb:
    """Return a panel's end at full precision: a breakpoint over √q anew, any other one as it is."""
    if end.is_exact():
        return end
    for point in (piece.lower, piece.upper):
        if point.is_finite:
            again = evaluate(point, {}, prec) / root
            if again.overlaps(end):
                return again
    return arb(end.mid())


def _recurrence(nodes: list[arb], weights: list[arb], count: int, parity: int) -> list[arb]:
    previous = [arb(0)] * len(nodes)
    current = list(weights)
    values = []
    for n in range(count + 1):
        if n % 16 == 0:
            budget.check()
        if parity and (n % 2 == 0) != (parity == 1):
            values.append(arb(0))
        else:
            total = sum(current, arb(0))
            values.append(2 * total if parity else total)
        back, scale = arb(n).sqrt(), 1 / arb(n + 1).sqrt()
        following = [(z * h - back * g) * scale for z, h, g in zip(nodes, current, previous, strict=True)]
        previous, current = current, following
    return values


@lru_cache(maxsize=8)
def _legendre(order: int, prec: int) -> tuple[tuple[arb, arb], ...]:
    """Nodes and weights on [−1, 1], each in a ball."""
    with working_precision(prec + 10):
        return tuple(_root(order, k) for k in range(order))


def _root(order: int, k: int) -> tuple[arb, arb]:
    budget.check()
    found: tuple[arb, arb] = arb.legendre_p_root(order, k, weight=True)
    return found
