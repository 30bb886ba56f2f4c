r"""Where the length map V(q) = σ_w² m₂(q) + σ_b² lies above or below q for all small and for all large q.

Between the two ends every fixed point is isolated by balls; an end closes the list.  Neither end is a limit:
each is an inequality on (0, q₀] or on [q₁, ∞), with the q₀ or q₁ from which it holds.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from flint import arb
from sympy import Rational, oo

from initmath import enclosure, moments
from initmath.balls import evaluate, to_arb, working_precision
from initmath.derivation import Number
from initmath.enclosure.growth import Growth
from initmath.errors import Divergent, InputError, NotEnclosed
from initmath.integral import x
from initmath.meanfield.balanced import excess_beyond, never_above
from initmath.moments.algebra import is_zero
from initmath.piecewise import PiecewiseSmooth
from initmath.solving.asymptotics import Bound, Form, NoForm, form_at_infinity, largest
from initmath.solving.tails import clip, outermost, range_on

__all__ = ["End", "at_infinity", "at_zero", "next_to_zero", "slope_at_zero"]

PREC = 80

BOXES = 16
"""Into how many boxes an interval next to 0 is cut to bound a derivative on it."""

DEVIATIONS = 8
"""The interval next to 0 reaches this many standard deviations √q₀."""

HIGHEST_ORDER = 6


@dataclass(frozen=True, slots=True)
class End:
    """One end of the half-line of q.

    Attributes
    ----------
    q : arb
        The inequality holds up to here (at 0), or from here on (at infinity).
    sign : int
        +1 if V(q) > q there, −1 if V(q) < q.
    bound : arb or None
        At 0: nowhere there is V larger.  At infinity: nowhere there is V smaller.
    how : str
        The argument.
    """

    q: arb
    sign: int
    bound: arb | None
    how: str


# ------------------------------------------------------------------------------------------------- q → 0


def next_to_zero(activation: Any) -> tuple[Any, Any]:
    """Return g just left and just right of 0, as expressions."""
    values = moments.parameter_values(activation)
    left = right = None
    for piece in activation.pieces.pieces:
        low = -1 if piece.lower == -oo else _sign_at(piece.lower, values)
        high = 1 if piece.upper == oo else _sign_at(piece.upper, values)
        expr = piece.expr.subs(values) if values else piece.expr
        if low < 0 <= high:
            left = expr
        if low <= 0 < high:
            right = expr
    return left, right


def _sign_at(end: Any, values: dict[Any, Any]) -> int:
    ball = evaluate(end, values, PREC)
    return 0 if ball.contains(0) else 1 if ball > 0 else -1


def slope_at_zero(activation: Any) -> Any | None:
    """Return (g'(0+)² + g'(0−)²)/2 for a g with g(0±) = 0; None where g(0±) ≠ 0 or no slope is finite.

    It is the limit of E g'², and of E g²/q, for q → 0.

    Examples
    --------
    >>> from initmath.activation import resolve
    >>> slope_at_zero(resolve("elu")), slope_at_zero(resolve("relu")), slope_at_zero(resolve("softplus"))
    (1, 1/2, None)
    """
    left, right = next_to_zero(activation)
    if left is None or right is None or left.subs(x, 0) != 0 or right.subs(x, 0) != 0:
        return None
    slopes = [side.diff(x).subs(x, 0) for side in (left, right)]
    if not all(slope.is_finite for slope in slopes):
        return None
    return sum(slope**2 for slope in slopes) / 2


def at_zero(activation: Any, sigma_w2: Number, sigma_b2: Number) -> End | None:
    """Compare V with the identity on (0, q₀]; None where no argument applies.

    With biases V ≥ σ_b².  Where g(0±) does not vanish, V ≥ σ_w² E[g²; |x| ≤ R].  Otherwise g² is expanded at
    0 to the order n that decides, with its n-th derivative bounded on both sides of 0, and (V(t) − t)/t^{n/2}
    keeps its sign; what lies beyond R, divided by t^{n/2}, grows with t up to R²/(n+1).

    Notes
    -----
    That settles marginal cases too: tanh at σ_w² = 1 by n = 4, ELU by n = 3.
    """
    if sigma_b2.ball > 0:
        return End(
            sigma_b2.ball.lower(), 1, None, "V(q) ≥ σ_b², so no fixed point lies below the bias variance"
        )
    if not sigma_b2.ball.is_zero():
        return None
    if never_above(activation, sigma_w2):
        return End(
            arb(1), -1, arb(1), "g never leaves the line that it follows at 0, so V(q) < q for every q"
        )
    try:
        left, right = next_to_zero(activation)
        if left is None or right is None:
            return None
        with working_precision(PREC):
            return _positive_at_zero(activation, left, right, sigma_w2) or _expanded(
                activation, left, right, sigma_w2
            )
    except (NotEnclosed, Divergent, InputError, ValueError, TypeError, ZeroDivisionError):
        return None


def _positive_at_zero(activation: Any, left: Any, right: Any, sigma_w2: Number) -> End | None:
    for exponent in range(1, 8):
        radius = _ball(Rational(1, 4**exponent))
        if not _only_kink_at_zero(activation, radius):
            continue
        lowest = sum(
            abs(_range(side, sign * radius)).lower().max(arb(0)) ** 2
            for side, sign in ((left, -1), (right, 1))
        )
        t = (radius / DEVIATIONS) ** 2
        floor = sigma_w2.ball * lowest / 2 * (radius / (2 * t).sqrt()).erf()
        if floor > 0:
            q = t.min(floor.lower() * arb("0.9")).lower()
            return End(q, 1, None, "g(0) ≠ 0, so V(q) stays above a positive number as q → 0")
    return None


def _only_kink_at_zero(activation: Any, radius: arb) -> bool:
    """Whether [−R, R] has no breakpoint but 0."""
    values = moments.parameter_values(activation)
    points = [abs(evaluate(point, values, PREC)) for point in activation.pieces.breakpoints]
    return all(point > radius or point.is_zero() for point in points)


def _ball(value: Any) -> arb:
    return to_arb(value)


def _range(expr: Any, end: arb, boxes: int = BOXES) -> arb:
    """Return a ball that contains an expression between 0 and ``end``."""
    total: arb | None = None
    for k in range(boxes):
        value = evaluate(expr, {x: (end * k / boxes).union(end * (k + 1) / boxes)}, PREC)
        if not value.is_finite():
            raise NotEnclosed("no bound next to 0")
        total = value if total is None else total.union(value)
    assert total is not None
    return total


def _expanded(activation: Any, left: Any, right: Any, sigma_w2: Number) -> End | None:
    sides = [left**2, right**2]
    if any(side.subs(x, 0) != 0 for side in sides):
        return None
    for order in range(1, HIGHEST_ORDER + 1):
        sides = [side.diff(x) for side in sides]
        found = _at_order(activation, sides, order, sigma_w2)
        if found is not None:
            return found
        below, above = (side.subs(x, 0) for side in sides)
        if not (below.is_finite and above.is_finite):
            return None
        coefficient = (above + (-1) ** order * below) / 2
        if order == 2:
            closed = sigma_w2.closed_form
            if closed is None or not is_zero(closed * coefficient / 2 - 1):
                return None
        elif not is_zero(coefficient):
            return None
    return None


def _at_order(activation: Any, sides: list[Any], order: int, sigma_w2: Number) -> End | None:
    squared = activation.pieces.map(lambda e: e**2).subs(moments.parameter_values(activation))
    for exponent in range(1, 9):
        t = arb(10) ** -exponent
        reach = Rational(math.ceil(float((t.sqrt() * DEVIATIONS).upper()) * 2**20), 2**20)
        radius = to_arb(reach)
        if not _only_kink_at_zero(activation, radius):
            continue
        try:
            below, above = _range(sides[0], -radius), _range(sides[1], radius)
            outside = _outside(squared, reach, t)
        except (NotEnclosed, Divergent):
            continue
        whole = _absolute_moment(order)
        inner = (whole - _absolute_moment_beyond(order)).union(whole)
        factor = t ** (arb(order) / 2)
        gained = sigma_w2.ball * ((above + (-1) ** order * below) / 2 * inner / math.factorial(order))
        gained += sigma_w2.ball * arb(0).union(outside / factor)
        if order == 1:
            gained -= arb(0).union(t.sqrt())
        elif order == 2:
            gained -= 1
        else:
            # σ_w² E[s² x²; |x| ≤ R] = t − E[x²; |x| > R], since s² σ_w² = 1
            gained -= arb(0).union(t * _absolute_moment_beyond(2) / factor)
        if gained.contains(0) or not gained.is_finite():
            continue
        top = (t + abs(gained).upper() * factor) if gained > 0 else t
        how = f"g² expanded at 0 to order {order}, its derivative bounded by balls"
        return End(t.lower(), 1 if gained > 0 else -1, top.upper(), how)
    return None


def _outside(squared: PiecewiseSmooth, reach: Any, t: arb) -> arb:
    return abs(enclosure.expectation(clip(squared, reach, keep_inside=False), t, 4)).upper()


def _absolute_moment(power: arb | int) -> arb:
    """E|z|^p = 2^{p/2} Γ((p+1)/2)/√π."""
    p = arb(power)
    return (arb(2).log() * p / 2).exp() * ((p + 1) / 2).gamma() / arb.pi().sqrt()


def _absolute_moment_beyond(power: int) -> arb:
    """E[|z|^p; |z| > 8] ≤ √(E z^{2p} P(|z| > 8))."""
    return (_absolute_moment(2 * power) * (arb(DEVIATIONS) / arb(2).sqrt()).erfc()).sqrt().upper()


# ------------------------------------------------------------------------------------------------- q → ∞


def at_infinity(activation: Any, sigma_w2: Number, sigma_b2: Number) -> End | None:
    """Compare V with the identity on [q₁, ∞); None where no argument applies.

    On |x| ≥ R, g = c_± |x|^k + δ with δ of lower order.  Then |√m₂ − q^{k/2} √(½(c₊² + c₋²) E|z|^{2k})| ≤
    √E δ², which relative to q^{k/2} falls with q.  Where g grows exponentially, g² ≥ κ² x⁴ beyond some R, and
    m₂ ≥ κ² q² E[z⁴; √q z > R].
    """
    values = moments.parameter_values(activation)
    pieces = activation.pieces.pieces
    reach = outermost(activation)
    starts = sorted({max(reach, s) for s in (3.0, 6.0, 12.0, 24.0, 48.0)} | {2 * max(reach, 24.0)})
    for start in starts:
        try:
            with working_precision(PREC):
                forms = [
                    form_at_infinity(pieces[-1].expr.subs(values), x, 1, start, {}),
                    form_at_infinity(pieces[0].expr.subs(values), x, -1, start, {}),
                ]
                found = _from_forms(activation, forms, arb(start), sigma_w2, sigma_b2)
        except (NoForm, NotEnclosed, ValueError):
            continue
        if found is not None:
            return found
    parallel = excess_beyond(activation, sigma_w2, sigma_b2)
    if parallel is not None:
        q, sign, how = parallel
        return End(q, sign, None, how)
    return _by_growth(activation, sigma_w2, sigma_b2)


def _by_growth(activation: Any, sigma_w2: Number, sigma_b2: Number) -> End | None:
    """Use |g| ≤ A (1 + |x|)^n, n ≤ 1, beyond R: E g² ≤ sup_{|x| ≤ R} g² + A² (1 + √q)^{2n} by Jensen."""
    values = moments.parameter_values(activation)
    pieces = activation.pieces.pieces
    scale, power, start = arb(0), arb(0), outermost(activation)
    try:
        with working_precision(PREC):
            for piece, side in ((pieces[-1], 1), (pieces[0], -1)):
                growth = Growth(x, side, values, outermost(activation))
                bound = growth.upper(piece.expr)
                if bound is None or not (bound.linear <= 0 and bound.quadratic <= 0 and bound.power <= 1):
                    return None
                scale, power = scale.max(bound.scale), power.max(bound.power)
                start = max(start, growth.start)
            inside = abs(range_on(activation, arb(-start), arb(start))).upper() if start > 0 else arb(0)
            for exponent in range(60):
                q = arb(10) * 2**exponent
                top = inside**2 + scale**2 * ((1 + q.sqrt()).log() * 2 * power).exp()
                if sigma_w2.ball * top + sigma_b2.ball < q:
                    return End(q, -1, None, "|g| is bounded by a power that grows too slowly")
    except (NotEnclosed, InputError, ValueError):
        return None
    return None


def _from_forms(
    activation: Any, forms: list[Form], start: arb, sigma_w2: Number, sigma_b2: Number
) -> End | None:
    rising = [form for form in forms if form.rate > 0]
    if rising:
        return _exponential(rising[0], start, sigma_w2)
    degree = max((f.terms[-1][0] for f in forms if f.terms and not f.rate < 0), default=Fraction(0))
    degree = max(degree, Fraction(0))
    heads, rests = [], []
    for form in forms:
        flat = not form.rate < 0
        heads.append(dict(form.terms).get(degree, arb(0)) if flat else arb(0))
        others = tuple(term for term in form.terms if term[0] != degree)
        rests.append(Form(form.start, form.rate, others, form.rest).bound() if flat else form.bound())
    if any(not r.decay > 0 and not r.size.is_zero() and r.power >= degree for r in rests):
        return None
    inner = _inner(activation, heads, degree, start)
    if not inner.is_finite():
        return None
    k = arb(degree.numerator) / degree.denominator
    typical = ((heads[0] ** 2 + heads[1] ** 2) / 2 * _absolute_moment(2 * k)).sqrt()
    for exponent in range(60):
        q = arb(10) * 2**exponent
        found = _settled(q, k, typical, _error(rests, inner, start, k, q), sigma_w2, sigma_b2)
        if found is not None:
            return found
    return None


def _settled(q: arb, k: arb, typical: arb, error: arb, sigma_w2: Number, sigma_b2: Number) -> End | None:
    """Decide the sign from q on; ``error`` bounds |√m₂ − q^{k/2}·typical|/q^{k/2} there."""
    grown = (q.log() * (k - 1)).exp()
    floor = (typical - error).max(arb(0))
    lowest = (sigma_b2.ball + sigma_w2.ball * floor**2 * grown * q).lower()
    if k <= 1 and sigma_w2.ball * (typical + error) ** 2 * grown + sigma_b2.ball / q < 1:
        return End(q, -1, lowest, "g grows more slowly than it would have to, by its form at infinity")
    if k >= 1 and sigma_w2.ball * floor**2 * grown > 1:
        return End(q, 1, None, "g grows so fast that V(q) > q for all large q, by its form at infinity")
    return None


def _inner(activation: Any, heads: list[arb], degree: Fraction, start: arb) -> arb:
    """Bound |g − c_± |x|^k| on [−R, R]."""
    k = arb(degree.numerator) / degree.denominator

    def head(coefficient: arb) -> Any:
        if degree.denominator == 1:
            return lambda box: coefficient * abs(box) ** int(degree)
        # |x|^k for x down to 0: increasing, so its values at the ends of the box are its range.
        return lambda box: coefficient * _raised(abs(box).lower(), k).union(_raised(abs(box).upper(), k))

    right = range_on(activation, arb(0), start, less=head(heads[0]))
    left = range_on(activation, -start, arb(0), less=head(heads[1]))
    return abs(right).upper().max(abs(left).upper())


def _raised(value: arb, k: arb) -> arb:
    return (k * value.log()).exp() if value > 0 else arb(0)


def _error(rests: list[Bound], inner: arb, start: arb, k: arb, q: arb) -> arb:
    """Bound √E δ² relative to q^{k/2}; it falls with q."""
    inside = 2 * start / (2 * arb.pi() * q).sqrt()
    error = inner * inside.sqrt()
    for rest in rests:
        if rest.power > 0 and not rest.size.is_zero() and not rest.decay > 0:
            p = arb(rest.power.numerator) / rest.power.denominator
            error += rest.size * ((q.log() * p).exp() * _absolute_moment(2 * p)).sqrt()
        else:
            # Beyond a wider radius the rest is smaller, and the inner part still rarely visited.
            wider = start.max((q.log() / 4).exp())
            near = largest(rest, start)
            far = largest(rest, wider) + near * (2 * wider / (2 * arb.pi() * q).sqrt()).sqrt()
            error += near.min(far)
    return (error / (q.log() * k / 2).exp()).upper()


def _exponential(form: Form, start: arb, sigma_w2: Number) -> End | None:
    power, coefficient = form.lead()
    others = Form(form.start, arb(0), form.terms[:-1], form.rest).bound()
    p = arb(power.numerator) / power.denominator
    rate = form.rate
    for exponent in range(8):
        radius = start * 2**exponent
        if not (radius * rate >= 2 - p and radius >= 1):
            continue
        if not others.size.is_zero():
            if not (others.power <= power or others.decay * radius >= others.power):
                continue
            if not others.at(radius) * 2 <= abs(coefficient) * _raised(radius, p):
                continue
        least = abs(coefficient) / 2 * (rate * radius).exp() * _raised(radius, p - 2)
        for step in range(40):
            q = arb(10) * 2**step
            a = radius / q.sqrt()
            fourth = (-a * a / 2).exp() / (2 * arb.pi()).sqrt() * (a**3 + 3 * a)
            fourth += 3 * (a / arb(2).sqrt()).erfc() / 2
            if sigma_w2.ball * q * least**2 * fourth > 1:
                return End(q, 1, None, "g grows exponentially, so V(q) > q for all large q")
    return None
