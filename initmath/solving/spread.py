r"""The relative variance of a = g'(√q z)² over q: what orthogonal layers add to the spread of the Jacobian.

.. math:: h(q) = \frac{\operatorname{Var} a}{(E a)^2} = \frac{μ_2}{μ_1^2} - 1,\quad μ_k = E g'(\sqrt q z)^{2k}

with its derivative in balls, and what it does for all small and for all large q.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import ceil, log10
from typing import Any

from flint import arb
from sympy import Rational, S, oo

from initmath import enclosure, moments
from initmath.balls import bits, evaluate, to_arb, working_precision
from initmath.errors import Divergent, InputError, NotEnclosed
from initmath.integral import x
from initmath.piecewise import PiecewiseSmooth
from initmath.solving.asymptotics import PREC, NoForm, form_at_infinity
from initmath.solving.tails import clip, near_infinity, range_on

__all__ = ["SlopeSpread"]

_SMALLEST, _LARGEST = 40, 40  # decades of q in which an end is looked for
_RADIUS = 16  # standard deviations that count as near
_STARTS = (3, 6, 12, 24, 48)

OneSided = tuple[arb, arb]


@dataclass(frozen=True)
class _Function:
    """A function as the bounds of `initmath.solving.tails` want it: pieces with numbers only."""

    pieces: PiecewiseSmooth
    expr: Any = S.Zero
    parameters: tuple[Any, ...] = ()


@dataclass(frozen=True)
class SlopeSpread:
    """h(q) of one activation, with numbers for its parameters.

    Attributes
    ----------
    activation : Activation
    """

    activation: Any

    @cached_property
    def square(self) -> PiecewiseSmooth:
        """The a.e. g'², piece by piece."""
        values = moments.parameter_values(self.activation)
        found: PiecewiseSmooth = moments.integrand(self.activation, "derivative_second_moment")
        return found.subs(values) if values else found

    @cached_property
    def _fourth(self) -> PiecewiseSmooth:
        return self.square.map(lambda e: e**2)

    @cached_property
    def at_zero(self) -> tuple[Any, Any] | None:
        """The limits of a from the left and from the right of 0."""
        sides: list[Any] = [None, None]
        for piece in self.square.pieces:
            value = piece.expr.subs(x, 0)
            if _below(piece.lower, 0) and not _below(piece.upper, 0):
                sides[0] = value
            if _below(0, piece.upper) and not _below(0, piece.lower):
                sides[1] = value
        if any(side is None or not side.is_finite for side in sides):
            return None
        return sides[0], sides[1]

    @cached_property
    def constant(self) -> Any | None:
        """The value of h where a depends on the sign of x only: then it is the same at every q; else None."""
        pieces = self.square.pieces
        if any(x in piece.expr.free_symbols for piece in pieces) or self.at_zero is None:
            return None
        if any(point != 0 for point in self.square.breakpoints):
            return None
        left, right = self.at_zero
        mean = (left + right) / 2
        return None if mean == 0 else ((left - right) / 2) ** 2 / mean**2

    # -- values in balls

    def value(self, q: arb, digits: int) -> arb:
        """Enclose h over a ball of q."""
        first, second = self._moments(q, digits)
        with working_precision(bits(digits + 10)):
            return second / first**2 - 1

    def _moments(self, q: arb, digits: int) -> tuple[arb, arb]:
        _away_from_zero(q)
        first = enclosure.expectation(self.square, q, digits)
        second = enclosure.expectation(self._fourth, q, digits)
        return first, second

    @cached_property
    def _centre(self) -> Any:
        """A constant near a at small q: subtracting it keeps the digits there."""
        sides = self.at_zero
        if sides is None:
            return S.Zero
        return sides[0] if sides[0] == sides[1] else (sides[0] + sides[1]) / 2

    @cached_property
    def _slopes(self) -> tuple[PiecewiseSmooth, PiecewiseSmooth, PiecewiseSmooth]:
        """X a′, x a′ (a − a₀) and a (a − a₀)."""
        centre = self._centre
        slope = self.square.derivative()
        steep = slope.map(lambda e: x * e)
        pairs = zip(slope.pieces, self.square.pieces, strict=True)
        product = tuple(type(p)(p.lower, p.upper, x * p.expr * (a.expr - centre)) for p, a in pairs)
        return steep, PiecewiseSmooth(x, product), self.square.map(lambda e: e * (e - centre))

    def slope(self, q: arb, digits: int) -> arb:
        r"""Enclose h'(q) over a ball of q.

        With c = μ₂/μ₁, μ₁² h' = μ₂' − 2c μ₁', and by parts q μ₁² h' = E[x a' (a − c)] plus what jumps of a
        add.  a − c is split at a₀ = a(0): each part is then small where q is.
        """
        _away_from_zero(q)
        steep, product, excess = self._slopes
        first = enclosure.expectation(self.square, q, digits)
        lean = enclosure.expectation(product, q, digits)
        drift = enclosure.expectation(steep, q, digits)
        gap = enclosure.expectation(excess, q, digits)
        with working_precision(bits(digits + 10)):
            gap = gap / first  # c − a₀
            c = gap + evaluate(self._centre, {}, bits(digits + 10))
            total = 2 * (lean - gap * drift)
            for point, size, size_of_square in self._steps:
                at = evaluate(point, {}, bits(digits + 10))
                weight = at * (-at * at / (2 * q)).exp() / (2 * arb.pi() * q).sqrt()
                jump = evaluate(size, {}, bits(digits + 10))
                total += weight * (evaluate(size_of_square, {}, bits(digits + 10)) - 2 * c * jump)
            return total / (2 * q * first**2)

    @cached_property
    def _steps(self) -> tuple[tuple[Any, Any, Any], ...]:
        squares = dict(self._fourth.jumps())
        sizes = dict(self.square.jumps())
        points = sorted({*squares, *sizes}, key=float)
        return tuple((p, sizes.get(p, S.Zero), squares.get(p, S.Zero)) for p in points)

    # -- the two ends

    def below(self, target: Any) -> arb | None:
        """Return q₀ such that h(q) ≠ target for every q ≤ q₀; None where that was not shown.

        On |x| ≤ R a differs from the step between its limits at 0 by at most K|x|, K = sup |a'|; beyond, its
        square has an expectation that increases with q.  So E(a − step)² ≤ K² q + … for every q ≤ q₀.
        """
        sides = self.at_zero
        if sides is None:
            return None
        with working_precision(PREC):
            left, right = (evaluate(side, {}, PREC) for side in sides)
            goal = to_arb(target).sqrt()
            if sides == (0, 0):
                return self._silent(goal**2)
            if not left + right > 0:
                return None
            for exponent in range(1, _SMALLEST):
                q = arb(10) ** -exponent
                try:
                    error = self._from_step(q, left, right)
                except (NotEnclosed, Divergent, InputError, ValueError):
                    continue
                if error is not None and _excludes(abs(right - left) / 2, (left + right) / 2, error, goal):
                    return q
        return None

    def _silent(self, goal: arb) -> arb | None:
        """Treat an a that is 0 on |x| < r: (E a)² ≤ E a² P(|y| > r), so h + 1 ≥ 1/P, which falls with q."""
        radius = arb.pos_inf()
        for piece in self.square.pieces:
            if piece.expr == 0:
                continue
            if _below(piece.lower, 0) and _below(0, piece.upper):
                return None
            near = piece.lower if _below(0, piece.upper) else piece.upper
            radius = radius.min(abs(evaluate(near, {}, PREC)))
        if not (radius > 0 and radius.is_finite()):
            return None
        for exponent in range(-2, _SMALLEST):
            q = radius**2 * arb(2) ** -exponent
            if 1 / (radius / (2 * q).sqrt()).erfc() > 1 + goal:
                return q.lower()
        return None

    def _from_step(self, q: arb, left: arb, right: arb) -> arb | None:
        """Bound √E(a − step)² for all variances ≤ q."""
        radius = arb(float((q * _RADIUS**2).sqrt()))
        for point, _, _ in self._steps:
            at = abs(evaluate(point, {}, PREC))
            if not (at.is_zero() or at > radius):
                return None
        steepest = range_on(_Function(self.square.derivative()), -radius, radius, 16).abs_upper()
        if not steepest.is_finite():
            return None
        outside = clip(self._fourth, Rational(float(radius)), keep_inside=False)
        far = abs(enclosure.expectation(outside, q, 4)).upper()
        step = left.abs_upper().max(right.abs_upper())
        mass = (-(radius * radius) / (2 * q)).exp()
        return (steepest**2 * q + 2 * far + 2 * step**2 * mass).sqrt().upper()

    def beyond(self, target: Any) -> arb | None:
        """Return q₁ such that h(q) ≠ target for every q ≥ q₁; None where that was not shown."""
        with working_precision(PREC):
            goal = to_arb(target)
            for start in _STARTS:
                try:
                    heads, rest = self._far(start)
                except (NoForm, NotEnclosed, Divergent, ValueError):
                    continue
                if heads[0].is_zero() and heads[1].is_zero():
                    found = self._fading(goal, start, rest)
                else:
                    found = self._flat(goal, heads)
                if found is not None:
                    return found
        return None

    def _far(self, start: int) -> tuple[OneSided, arb]:
        """Limits of a at ±∞, and a bound of ∫ a beyond ±start (infinite where a has a limit other than 0)."""
        heads, total = [], arb(0)
        for index, side in ((0, -1), (-1, 1)):
            expr = self.square.pieces[index].expr
            form = form_at_infinity(expr, x, side, float(start), {})
            if form.rate > 0 or (form.rate.is_zero() and form.terms and form.terms[-1][0] > 0):
                raise NoForm("a grows")
            heads.append(dict(form.terms).get(Fraction(0), arb(0)) if form.rate.is_zero() else arb(0))
            bound = form.bound()
            total += _integral(bound.size, bound.power, bound.decay, arb(start))
        return (heads[0], heads[1]), total

    def _fading(self, goal: arb, start: int, rest: arb) -> arb | None:
        """Treat an integrable a: h + 1 ≥ √(2πq) e^{−R²/2q} ∫_{−R}^{R} a² / (∫ a)², which increases with q."""
        if not rest.is_finite():
            return None
        radius, wide = arb(start), arb(4 * start)
        inside = enclosure.expectation(clip(self.square, Rational(start), keep_inside=True), wide**2, 8)
        # the density of N(0, wide²) is at least e^{-1/32} of its peak within the radius
        whole = (inside * (arb(1) / 32).exp() * (2 * arb.pi()).sqrt() * wide).upper() + rest.upper()
        squared = enclosure.expectation(clip(self._fourth, Rational(start), keep_inside=True), radius**2, 8)
        part = (squared * (2 * arb.pi()).sqrt() * radius).lower()
        if not (part > 0 and whole > 0):
            return None
        for exponent in range(-4, _LARGEST * 3):
            q = arb(2) ** exponent * radius**2
            low = (2 * arb.pi() * q).sqrt() * (-(radius**2) / (2 * q)).exp() * part / whole**2
            if low > 1 + goal:
                return q
        return None

    def _flat(self, goal: arb, heads: OneSided) -> arb | None:
        """Treat an a with limits at both ends, not both 0: h tends to that of the step between them."""
        limit, mean = abs(heads[1] - heads[0]) / 2, (heads[0] + heads[1]) / 2
        asked = goal.sqrt() * mean
        room = abs(limit - asked) / 3
        if not room > 0:
            return None
        room = room.lower().min(mean.lower() / 2)
        wanted = (limit - room).union(asked) if limit > asked else asked.union(limit + room)
        band = near_infinity(_Function(self.square), wanted)
        if band is None or not band.excludes(wanted):
            return None
        error = (band.high - limit).max(limit - band.low).upper()
        return band.q if _excludes(limit, mean, error, goal.sqrt()) else None


def _excludes(deviation: arb, mean: arb, error: arb, goal: arb) -> bool:
    """Whether sd/mean ≠ goal when both differ from their limits by at most ``error``."""
    low, high = (mean - error).lower(), (mean + error).upper()
    if not low > 0:
        return False
    return bool((deviation + error) / low < goal) or bool((deviation - error) / high > goal)


def _integral(size: arb, power: Fraction, decay: arb, start: arb) -> arb:
    """Bound ∫ size x^p e^{−bx} from start to ∞."""
    if size.is_zero():
        return arb(0)
    p = arb(power.numerator) / power.denominator
    if decay > 0:
        # x^p e^{-bx/2} falls from its peak at 2p/b on
        top = start.max(2 * p / decay) if power > 0 else start
        peak = (top.log() * p - decay * top / 2).exp()
        return size * peak * (-decay * start / 2).exp() * 2 / decay
    if power < -1:
        return -size * (start.log() * (p + 1)).exp() / (p + 1)
    return arb.pos_inf()


def _below(left: Any, right: Any) -> bool:
    if left == -oo or right == oo:
        return bool(left != right)
    if left == oo or right == -oo:
        return False
    return bool(evaluate(S(right) - left, {}, PREC) > 0)


def _away_from_zero(q: arb) -> None:
    if q.contains(0):
        raise NotEnclosed(f"the ball {q} of q reaches 0")


def digits_for(target: Any) -> int:
    """Return how many digits of μ₂/μ₁² are lost in h near a small target."""
    return max(0, ceil(-log10(float(target)))) + 1
