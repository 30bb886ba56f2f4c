"""What is proven of E f(√q z) before it is integrated: its growth on both sides, the ends of its pieces."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache
from typing import Any

from flint import acb, arb
from sympy import S, Symbol, expand

from initmath.balls import evaluate, program, to_arb
from initmath.enclosure.bound import Bound
from initmath.enclosure.growth import Growth
from initmath.enclosure.plan import Plan
from initmath.enclosure.tails import cut, peak, width
from initmath.errors import Divergent, NotEnclosed
from initmath.piecewise import Piece

__all__ = [
    "SECONDS",
    "STEERING_BITS",
    "Budget",
    "Problem",
    "Sides",
    "Singular",
    "choose_cuts",
    "choose_marks",
    "decay_marks",
    "ends_of",
    "pose",
]

_EVALUATIONS = 600_000
SECONDS = 4.0
STEERING_BITS = 64
"""Precision of what decides where to integrate."""

Sides = dict[int, tuple[list[Bound], float]]
"""For −1 and 1: bounds that add up to one of |f| on that side, and from which |x| on they hold."""


@dataclass(frozen=True)
class Singular:
    """An end of a piece where f is unbounded: |f(p ± t)| ≤ bound(1/t), with what remains below ``t``."""

    bound: Bound
    start: float
    #: f(p ± s) as an expression in the variable, which now stands for s: nothing cancels near p.
    local: Any


@dataclass(frozen=True)
class Problem:
    """Everything about the integral that does not depend on the precision."""

    plan: Plan
    q: Any
    values: dict[Any, Any]
    sides: Sides
    pieces: tuple[Piece, ...]
    singular: dict[tuple[int, int], Singular]
    budget: Budget


@dataclass
class Budget:
    """Evaluations and time that are left: what does not converge must not take minutes.

    An integrand must not raise inside ``acb.integral``: it notes the reason here, is 0 from then on, so that
    the integration ends at once and not after all its bisections, and `check` raises afterwards: what was
    integrated is never used.
    """

    seconds: float = SECONDS
    left: int = _EVALUATIONS
    reason: str | None = None
    #: `spent` looks at the clock when ``left`` falls below this.
    look: int = _EVALUATIONS
    ends: float = field(init=False)

    def __post_init__(self) -> None:
        self.ends = time.monotonic() + self.seconds

    def spent(self) -> bool:
        """Whether to stop; asked again after 64 evaluations, or at once when it said yes."""
        if self.reason is not None:
            return True
        if self.left < 0:
            self.stop(f"{_EVALUATIONS} evaluations of the integrand did not suffice")
        elif time.monotonic() > self.ends:
            self.stop(f"{self.seconds:g} seconds did not suffice for the integral")
        else:
            self.look = self.left - 64
        return self.reason is not None

    def stop(self, reason: str) -> None:
        """Note why the integration is given up; every later evaluation sees it."""
        self.reason, self.look = reason, _EVALUATIONS + 1

    def check(self) -> None:
        """Raise what an evaluation could not."""
        if self.reason is not None:
            raise NotEnclosed(self.reason)


def pose(ready: Plan, q: Any, values: dict[Any, Any], budget: Budget) -> Problem:
    """Prove the growth on both sides, and the integrability at the ends of the pieces."""
    x, ball = ready.variable, to_arb(q)
    missing = set().union(*(p.expr.free_symbols for p in ready.pieces)) - {x} - set(values)
    if missing:
        raise NotEnclosed(f"no value for the symbol {min(map(str, missing))}")
    sides = {}
    for side, piece in ((-1, ready.pieces[0]), (1, ready.pieces[-1])):
        if side == -1 and ready.parity:
            continue
        start = 0.0
        for point in (p.lower for p in ready.pieces[1:]):
            start = max(start, float(evaluate(abs(point), values, STEERING_BITS).upper()))
        bounds, reached = _known_growth(piece.expr, x, side, start) if not values else (None, start)
        if bounds is None or not all(bound.quadratic * ball * 2 < 1 for bound in bounds):
            bounds, reached = _slow_enough(Growth(x, side, values, start), piece.expr, ball)
        sides[side] = (bounds, reached)
    pieces = ready.pieces
    if ready.parity:
        pieces = _right_half(pieces)
        sides[-1] = sides[1]
    return Problem(ready, q, values, sides, pieces, _singular_ends(pieces, x, values), budget)


@lru_cache(maxsize=256)
def _known_growth(expr: Any, x: Any, side: int, start: float) -> tuple[list[Bound] | None, float]:
    """Bound a function without free symbols, once for all q: the bounds, and from where on they hold."""
    growth = Growth(x, side, {}, start)
    return growth.upper_terms(expr), growth.start


def _slow_enough(growth: Growth, expr: Any, q: arb) -> tuple[list[Bound], float]:
    """Bound a function that the density at this q outweighs, or raise."""
    bounds = growth.upper_terms(expr)
    if bounds is None or not all(bound.quadratic * q * 2 < 1 for bound in bounds):
        bound = growth.upper(expr)
        if bound is None or not (bound.quadratic * q * 2 < 1):
            _refuse(growth, expr, q, bound)
        assert bound is not None
        bounds = [bound]
    return bounds, growth.start


def _right_half(pieces: tuple[Piece, ...]) -> tuple[Piece, ...]:
    """Return the pieces on (0, ∞)."""
    count = len(pieces)
    if count % 2 == 0:
        return pieces[count // 2 :]
    middle = pieces[count // 2]
    return (Piece(S.Zero, middle.upper, middle.expr), *pieces[count // 2 + 1 :])


def _refuse(growth: Growth, expr: Any, q: arb, bound: Bound | None) -> None:
    lower = growth.lower(expr)
    if lower is not None:
        rate = lower.quadratic
        excess = 2 * rate * q - 1
        slow = lower.linear > 0 or (lower.linear >= 0 and lower.power >= -1)
        if lower.unbounded:
            raise Divergent(f"E {expr} diverges for every q > 0: it grows faster than a Gaussian falls")
        if excess > 0 or (excess.is_zero() and slow):
            raise Divergent(f"E {expr} diverges for q {'>=' if slow else '>'} {_threshold(rate)}")
    if bound is None:
        raise NotEnclosed(f"no bound of the growth of {expr} at infinity was found")
    raise NotEnclosed(f"the growth of {expr} at infinity is not known to be slow enough at this q")


def _threshold(rate: arb) -> str:
    """1/(2c) as a short fraction if it is one."""
    value = 1 / (2 * rate)
    guess = Fraction(float(value.mid())).limit_denominator(1000)
    return str(guess) if value.contains(to_arb(guess)) else value.str(8, radius=False)


def _singular_ends(
    pieces: tuple[Piece, ...], x: Any, values: dict[Any, Any]
) -> dict[tuple[int, int], Singular]:
    """Bound f near the finite ends of the pieces where it is not finite; prove or refute integrability."""
    found = {}
    for index, piece in enumerate(pieces):
        for end, point in ((1, piece.lower), (-1, piece.upper)):
            if not point.is_finite:
                continue
            call = program(piece.expr, x).bind(values, STEERING_BITS)
            try:
                finite = acb(call(acb(evaluate(point, values, STEERING_BITS)), False)).is_finite()
            except (ZeroDivisionError, ValueError):
                finite = False
            if finite:
                continue
            # x = p ± 1/t: near p the growth class in t bounds |f| by A·(1 + 1/|x − p|)^n.
            t = Symbol("t", positive=True)
            local = _centred(piece.expr, x, point + end / t)
            growth = Growth(t, 1, values, 1.0)
            lower = growth.lower(local)
            if lower is not None and lower.power >= 1 and lower.grows:
                raise Divergent(f"E {piece.expr} diverges: it is not integrable at {x} = {point}")
            bound = growth.upper(local)
            if bound is None or not (bound.linear <= 0 and bound.quadratic <= 0 and bound.power < 1):
                raise NotEnclosed(
                    f"{piece.expr} is unbounded at {x} = {point}: no integrable bound was found"
                )
            found[index, end] = Singular(bound, 1 / growth.start, _centred(piece.expr, x, point + end * x))
    return found


def _centred(expr: Any, x: Any, place: Any) -> Any:
    """Put p ± s for x and multiply out inside, so that p cancels exactly and not in rounding."""
    return expr.subs(x, place).replace(lambda e: e.is_Add, expand)


def choose_cuts(sides: Sides, q: arb, log_size: float, digits: int) -> dict[int, float]:
    """Where the tails may begin for an integral of about the size exp(log_size)."""
    tolerance = log_size - (digits + 3) * math.log(10)
    return {s: max(cut(b, q, start, tolerance) for b in bounds) for s, (bounds, start) in sides.items()}


def choose_marks(scale: float, sides: Sides, q: arb) -> list[float]:
    """Choose interior panel ends: zero, ±2√q for the mass, ±4 for features of g, and bumps of the bound."""
    marks = {0.0, 2 * scale, -2 * scale}
    if scale > 4:
        marks |= {4.0, -4.0}
    for side, (bounds, _) in sides.items():
        for bound in bounds:
            place, spread = peak(bound, q), width(bound, q)
            if place > 3 * scale or (place > 0 and spread < scale / 10):
                marks |= {side * max(place + step * spread, 0.0) for step in (-6, -2, 2, 6)}
    return sorted(marks)


def ends_of(piece: Piece, cuts: dict[int, float], values: dict[Any, Any], prec: int) -> tuple[arb, arb]:
    """Enclose the ends of a piece; the cuts where it reaches to infinity."""
    lower = arb(-cuts[-1]) if piece.lower is S.NegativeInfinity else evaluate(piece.lower, values, prec)
    upper = arb(cuts[1]) if piece.upper is S.Infinity else evaluate(piece.upper, values, prec)
    return lower, upper


def decay_marks(lower: arb, upper: arb, q: float) -> list[float]:
    """Place marks in a piece that begins far out, p ≫ √q, where the density falls within a length q/p."""
    if lower > 0:
        side, point = 1, float(lower.mid())
    elif upper < 0:
        side, point = -1, -float(upper.mid())
    else:
        return []
    if point * point < 9 * q:
        return []
    return [side * (point + step * q / point) for step in (1, 4, 16, 64)]
