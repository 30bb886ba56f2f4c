r"""The length map for large q where it is parallel to the identity: σ_w² (c₊² + c₋²)/2 = 1, g ~ c_± x.

That is GELU, SiLU, Mish or ELU with He's weights.  Then V(q) − q = σ_b² + σ_w² E f with f = g² − c_±² x²,
and the leading powers say nothing.  If f decays on both sides, √(2πq) E f = ∫ f e^{-x²/2q} dx lies between
sums over boxes; if f ≥ 0 by its form (g² itself where c = 0), V(q) > q for every q.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from flint import arb
from sympy import Rational, expand, oo

from initmath import moments
from initmath.balls import evaluate, to_arb, working_precision
from initmath.derivation import Number
from initmath.errors import NotEnclosed
from initmath.integral import x
from initmath.moments.algebra import is_zero
from initmath.solving.arithmetic import small_rational
from initmath.solving.asymptotics import Bound, NoForm, form_at_infinity, largest
from initmath.solving.tails import outermost

__all__ = ["excess_beyond"]

PREC = 80
WIDTH = 32
"""Boxes for a unit length of x."""

STARTS = (6.0, 12.0, 24.0, 48.0)


def excess_beyond(activation: Any, sigma_w2: Number, sigma_b2: Number) -> tuple[arb, int, str] | None:
    """Return (q₁, sign of V − id on [q₁, ∞), why), or None where this argument does not apply."""
    with working_precision(PREC):
        reach = outermost(activation)
        for start in STARTS:
            start = max(start, 2 * reach)
            try:
                found = _from(activation, sigma_w2, sigma_b2, start)
            except (NoForm, NotEnclosed, ValueError):
                continue
            if found is not None:
                return found
    return None


def _from(activation: Any, sigma_w2: Number, sigma_b2: Number, start: float) -> tuple[arb, int, str] | None:
    values = moments.parameter_values(activation)
    pieces = activation.pieces.pieces
    ends = [(pieces[-1].expr.subs(values), 1), (pieces[0].expr.subs(values), -1)]
    slopes, rests = [], []
    for expr, side in ends:
        slope, rest = _slope(expr, side, start)
        slopes.append(slope)
        rests.append(rest)
    weight = sigma_w2.closed_form
    if weight is None or not is_zero(weight * (slopes[0] ** 2 + slopes[1] ** 2) / 2 - 1):
        return None
    if not sigma_b2.ball >= 0:
        return None
    if _nowhere_negative(activation, slopes, values):
        return arb(1), 1, "g² ≥ c_±² x² everywhere, so V(q) > q for every q"
    if not all(rest.size.is_zero() or rest.decay > 0 for rest in rests):
        return None
    tail = sum(
        (_integral_beyond(rest, to_arb(c), arb(start)) for rest, c in zip(rests, slopes, strict=True)), arb(0)
    )
    boxes = list(_differences(activation, slopes, values, start))
    for exponent in range(2, 40):
        q = arb(4) ** exponent
        total = arb(0, tail.upper())
        for box, value, width in boxes:
            # e^{-x²/2q'} for every q' ≥ q
            weightings = (-(box * box).upper() / (2 * q)).exp().union(arb(1))
            total += value * width * weightings
        root = (2 * arb.pi() * q).sqrt()
        if sigma_b2.ball > 0:
            if sigma_b2.ball * root + sigma_w2.ball * total > 0:
                return q, 1, "E g² differs from q/σ_w² by less than the bias variance"
        elif total > 0 or total < 0:
            return q, 1 if total > 0 else -1, "the integral of g² − c_±² x² decides"
    return None


def _slope(expr: Any, side: int, start: float) -> tuple[Any, Bound]:
    """Return the exact c with g(x) − c|x| bounded for side·x → ∞, and a bound of the difference."""
    form = form_at_infinity(expr, x, side, start, {})
    if form.rate > 0 or form.rate < 0:
        lead = arb(0)
        if form.rate > 0:
            raise NoForm("g grows exponentially")
    else:
        lead = dict(form.terms).get(Fraction(1), arb(0))
    slope = Rational(0) if lead.is_zero() else small_rational(lead)
    if slope is None:
        raise NoForm("no rational slope")
    difference = expand(expr - slope * side * x) if slope else expr
    if difference == 0:
        return slope, Bound(arb(0), Fraction(0), arb(0))
    rest = form_at_infinity(difference, x, side, start, {}).bound()
    if rest.power > 0 and not rest.decay > 0:
        raise NoForm("not asymptotic to a line")
    return slope, rest


def _nowhere_negative(activation: Any, slopes: list[Any], values: dict[Any, Any]) -> bool:
    """Whether g² − c_±² x² is a square, or zero, on every piece, and not zero on all of them."""
    positive = False
    for piece in activation.pieces.pieces:
        low = -1 if piece.lower == -oo else _sign(piece.lower, values)
        high = 1 if piece.upper == oo else _sign(piece.upper, values)
        expr = piece.expr.subs(values)
        for slope, here in ((slopes[0], high > 0), (slopes[1], low < 0)):
            if not here:
                continue
            if slope == 0:
                positive = positive or expr != 0
            elif expand(expr**2 - slope**2 * x**2) != 0:
                return False
    return positive


def _sign(end: Any, values: dict[Any, Any]) -> int:
    ball = evaluate(end, values, PREC)
    return 0 if ball.contains(0) else 1 if ball > 0 else -1


def _integral_beyond(rest: Bound, slope: arb, start: arb) -> arb:
    """Bound ∫_R^∞ δ(δ + 2cx) dx for |δ| ≤ size x^p e^{-bx}: at most K e^{-bx/2}, integrated."""
    if rest.size.is_zero():
        return arb(0)
    half = rest.decay / 2
    squared = Bound(rest.size**2, 2 * rest.power, 2 * rest.decay - half)
    mixed = Bound(2 * abs(slope) * rest.size, rest.power + 1, rest.decay - half)
    top = largest(squared, start) + largest(mixed, start)
    return top * (-half * start).exp() / half


def _differences(
    activation: Any, slopes: list[Any], values: dict[Any, Any], start: float
) -> Iterator[tuple[arb, arb, arb]]:
    """Yield boxes of [−R, R] with the range of g² − c_±² x² there, and their widths."""
    for piece in activation.pieces.pieces:
        low = arb(-start) if piece.lower == -oo else evaluate(piece.lower, values, PREC)
        high = arb(start) if piece.upper == oo else evaluate(piece.upper, values, PREC)
        expr = piece.expr.subs(values)
        for side, slope in ((1, slopes[0]), (-1, slopes[1])):
            a, b = (low.max(arb(0)), high) if side > 0 else (low, high.min(arb(0)))
            if not b > a:
                continue
            function = expand(expr**2 - slope**2 * x**2) if slope else expr**2
            if function == 0:
                continue
            count = max(1, int(float((b - a).upper()) * WIDTH))
            width = (b - a) / count
            slope_of = function.diff(x)
            for k in range(count):
                left = a + width * k
                box, middle = left.union(left + width), left + width / 2
                value = evaluate(function, {x: box}, PREC)
                bend = evaluate(slope_of, {x: box}, PREC)
                if bend.is_finite():
                    centred = evaluate(function, {x: middle}, PREC) + bend * (box - middle)
                    value = value.intersection(centred) if value.is_finite() else centred
                if not value.is_finite():
                    raise NotEnclosed("no bound of g² − c² x²")
                yield box, value, width


def never_above(activation: Any, sigma_w2: Number) -> bool:
    """Whether V(q) = σ_w² E g² < q for every q, because σ_w g saturates a line: g² ≤ c_±² x².

    Around 0, g = c_± x with σ_w² (c₊² + c₋²)/2 = 1; every other piece continues as a constant.  (Hard tanh at
    σ_w² = 1 or ReLU6 at 2: near q = 0 the difference is smaller than any power of q.)
    """
    values = moments.parameter_values(activation)
    weight = sigma_w2.closed_form
    if weight is None or activation.jumps:
        return False
    slopes: dict[int, Any] = {}
    bends = False
    for piece in activation.pieces.pieces:
        low = -1 if piece.lower == -oo else _sign(piece.lower, values)
        high = 1 if piece.upper == oo else _sign(piece.upper, values)
        slope = piece.expr.subs(values).diff(x)
        touches = [side for side, here in ((1, low <= 0 < high), (-1, low < 0 <= high)) if here]
        if touches:
            if slope.free_symbols or piece.expr.subs(values).subs(x, 0) != 0:
                return False
            slopes |= dict.fromkeys(touches, slope)
        elif slope != 0:
            return False
        else:
            bends = True
    return (
        bends
        and set(slopes) == {1, -1}
        and bool(is_zero(weight * (slopes[1] ** 2 + slopes[-1] ** 2) / 2 - 1))
    )
