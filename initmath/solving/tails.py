"""What Var g(√q z) does for all small and for all large q: the two ends that no scan reaches."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from math import inf, nextafter
from typing import Any

from flint import arb
from sympy import Rational, S, cosh, erfc, exp, oo, sech, tanh, together

from initmath import enclosure, moments
from initmath.balls import evaluate, working_precision
from initmath.errors import Divergent, InputError, NotEnclosed
from initmath.integral import Phi, x
from initmath.moments.algebra import is_zero
from initmath.piecewise import Piece, PiecewiseSmooth
from initmath.solving.asymptotics import PREC, Bound, Form, NoForm, form_at_infinity, largest

__all__ = [
    "Band",
    "clip",
    "concave_near_zero",
    "linear_near_zero",
    "monotone_limits",
    "near_infinity",
    "near_zero",
    "outermost",
    "range_bound",
]

BOXES = 256


@dataclass(frozen=True, slots=True)
class Band:
    """sd g(√q z) lies in [low, high] for every q beyond ``q``; high may be infinite.

    Attributes
    ----------
    q : arb
    low, high : arb
    limit : arb or None
        The limit of the standard deviation, where there is one.
    """

    q: arb
    low: arb
    high: arb
    limit: arb | None

    def excludes(self, deviation: arb) -> bool:
        """Whether a standard deviation cannot occur beyond ``q``."""
        return bool(self.low > deviation) or bool(self.high < deviation)


def _values(activation: Any) -> dict[Any, Any]:
    return moments.parameter_values(activation)


def _concrete(activation: Any) -> list[tuple[arb, arb, Any]]:
    """Return the pieces with numbers for the parameters and balls for the breakpoints."""
    values = _values(activation)
    found = []
    for piece in activation.pieces.pieces:
        low = arb.neg_inf() if piece.lower == -oo else evaluate(piece.lower, values, PREC)
        high = arb.pos_inf() if piece.upper == oo else evaluate(piece.upper, values, PREC)
        found.append((low, high, piece.expr.subs(values) if values else piece.expr))
    return found


def outermost(activation: Any) -> float:
    """Return a radius beyond which there is no finite breakpoint; 0 if there is none at all."""
    with working_precision(PREC):
        ends = [abs(end) for low, high, _ in _concrete(activation) for end in (low, high) if end.is_finite()]
        return max((nextafter(float(end.upper()), inf) for end in ends if end != 0), default=0.0)


def _starts(activation: Any) -> list[float]:
    """Return radii from which to look outwards; beyond each of them g is its first or its last piece."""
    reach = outermost(activation)
    starts = {max(reach, start) for start in (3.0, 6.0, 12.0, 24.0, 48.0)}
    return sorted(starts | {2 * max(reach, 24.0), 4 * max(reach, 24.0)})


def range_on(
    activation: Any, low: arb, high: arb, boxes: int = BOXES, less: Callable[[arb], arb] | None = None
) -> arb:
    """Return a ball that contains g(x) (less a given function of x) for every x in [low, high]."""
    with working_precision(PREC):
        total: arb | None = None
        for left, right, expr in _concrete(activation):
            a, b = low.max(left), high.min(right)
            if b <= a:
                continue
            width = (b - a) / boxes
            for k in range(boxes):
                box = (a + width * k).union(a + width * (k + 1))
                value = evaluate(expr, {x: box}, PREC)
                if less is not None:
                    value -= less(box)
                if not value.is_finite():
                    return value
                total = value if total is None else total.union(value)
        return arb.nan() if total is None else total


# ----------------------------------------------------------------------------------- q → 0


def near_zero(activation: Any, deviation: arb) -> Band | None:
    """Bound sd g(√q z) for all small q, tightly enough to exclude ``deviation`` if that can be.

    With l, r the one-sided limits of g at 0, the step that jumps from l to r has standard deviation |r −
    l|/2, and |sd g − |r − l|/2| ≤ √E(g − step)².  On |x| ≤ R the difference is at most D; beyond R it is
    bounded by a function that increases in |x|, so its expectation increases with q: what holds at q₀ holds
    for all q ≤ q₀.
    """
    band = None
    for exponent in range(1, 8):
        try:
            band = _near_zero(activation, arb(10) ** -exponent)
        except (NotEnclosed, Divergent, InputError, ValueError):
            continue
        if band is not None and band.excludes(deviation):
            return band
    return band


def _near_zero(activation: Any, q: arb) -> Band | None:
    with working_precision(PREC):
        radius = arb(float((q * 256).sqrt()))
        left, right = _limits_at_zero(activation)
        below = range_on(activation, -radius, arb(0), 16) - left
        above = range_on(activation, arb(0), radius, 16) - right
        if not (below.is_finite() and above.is_finite()):
            return None
        inside = abs(below).upper().max(abs(above).upper())
        outside = _far(activation, q, radius)
        if outside is None:
            return None
        step = left.abs_upper().max(right.abs_upper())
        mass = (-(radius * radius) / (2 * q)).exp()
        error = (inside * inside + 2 * outside + 2 * step * step * mass).sqrt().upper()
        limit = abs(right - left) / 2
        return Band(q, (limit - error).lower(), (limit + error).upper(), limit)


def _limits_at_zero(activation: Any) -> tuple[arb, arb]:
    sides = []
    for low, high, expr in _concrete(activation):
        for touches in (low < 0 and not high < 0, high > 0 and not low > 0):
            if touches:
                value = expr.subs(x, 0)
                if not value.is_finite:
                    raise NotEnclosed("no finite limit at 0")
                sides.append((touches, evaluate(value, {}, PREC)))
        if low < 0 and high > 0:
            return sides[0][1], sides[0][1]
    values = [value for _, value in sides]
    return values[0], values[-1]


def _far(activation: Any, q: arb, radius: arb) -> arb | None:
    """Bound E[g²; |x| > R] for every variance ≤ q.

    The density of N(0, q') at |x| ≥ R is at most that of N(0, q) for q' ≤ q ≤ R², so the expectation over the
    tail increases with the variance, whatever g is.
    """
    values = _values(activation)
    return _beyond(activation.pieces.map(lambda e: e**2).subs(values), q, radius)


def _beyond(function: PiecewiseSmooth, q: arb, radius: arb) -> arb | None:
    """Bound E[f; |x| > R] for f ≥ 0 and every variance ≤ q."""
    try:
        return abs(enclosure.expectation(clip(function, _rational(radius), keep_inside=False), q, 4)).upper()
    except NotEnclosed:
        return None


def _rational(value: arb) -> Any:
    return Rational(float(value))


def clip(function: PiecewiseSmooth, cut: Any, *, keep_inside: bool) -> PiecewiseSmooth:
    """Return the function on [−cut, cut] only, or outside of it only; zero elsewhere."""
    found: list[Piece] = []
    for piece in function.pieces:
        bounds = [piece.lower]
        bounds += [point for point in (-cut, cut) if _less(piece.lower, point) and _less(point, piece.upper)]
        bounds.append(piece.upper)
        for low, high in pairwise(bounds):
            inside = not _less(low, -cut) and not _less(cut, high)
            found.append(Piece(low, high, piece.expr if inside is keep_inside else S.Zero))
    return PiecewiseSmooth(x, tuple(found))


def _less(a: Any, b: Any) -> bool:
    if a == -oo or b == oo:
        return bool(a != b)
    if a == oo or b == -oo:
        return False
    return bool(evaluate(b - a, {}, PREC) > 0)


def concave_near_zero(activation: Any, sigma_w2: Any) -> arb | None:
    """Return t₀ such that V(t) = σ_w² m₂(t) < t on (0, t₀], for a smooth g with g(0) = 0 and σ_w² g'(0)² ≤ 1.

    V'' = ¼ σ_w² E (g²)(√t z).  If (g²) < 0 on [−R, R] outweighs what lies beyond, V is strictly concave, and
    V(t) < V(0) + V'(0) t ≤ t.  That is what settles tanh at N·v² = 1, where q decays only like 1/(2ℓ).

    Returns
    -------
    arb or None
        None where this argument does not apply.
    """
    values = _values(activation)
    if len(activation.pieces.pieces) != 1:
        return None
    expr = activation.pieces.pieces[0].expr.subs(values)
    slope = expr.diff(x).subs(x, 0)
    try:
        start = evaluate(slope, {}, PREC) ** 2 * sigma_w2.ball
        if expr.subs(x, 0) != 0 or not (start < 1 or _is_one(start, sigma_w2, slope)):
            return None
        bend = (expr**2).diff(x, 4)
        function = PiecewiseSmooth(x, (Piece(-oo, oo, bend),))
        for exponent in (2, 3, 4):
            t = arb(10) ** -exponent
            radius = (t * 64).sqrt()
            inside = _range_of(bend, radius)
            outside = _beyond(function.map(lambda e: e**2), t, radius)
            if inside < 0 and outside is not None:
                # E|f|·1(far) ≤ (E f²·1(far))^{1/2} P(far)^{1/2}
                mass = (radius / t.sqrt() / arb(2).sqrt()).erfc()
                if inside.upper() * (1 - mass) + (outside * mass).sqrt() < 0:
                    return t
    except (NotEnclosed, Divergent, ValueError):
        return None
    return None


def _is_one(ball: arb, sigma_w2: Any, slope: Any) -> bool:
    closed = sigma_w2.closed_form
    return bool(ball.contains(1)) and closed is not None and is_zero(closed * slope**2 - 1)


def linear_near_zero(activation: Any, sigma_w2: Any) -> arb | None:
    """Return t₀ such that σ_w² m₂(t) ≤ r t with one r < 1 for all t in (0, t₀]: every such q shrinks to 0.

    On |x| ≤ R, |g(x)| ≤ K|x| with K = sup |g'|, where g is continuous and g(0) = 0.  Beyond, E[g²; |x| > R]/t
    increases with t up to R²/3, since t^{-3/2} e^{-x²/2t} does; so its value at t₀ bounds it below t₀ too.

    Returns
    -------
    arb or None
        None where this argument does not apply.
    """
    values = _values(activation)
    try:
        left, right = _limits_at_zero(activation)
        if not (left.is_zero() and right.is_zero()):
            return None
        steps = [evaluate(abs(point), values, PREC) for point, _ in activation.pieces.jumps()]
        for exponent in range(1, 8):
            with working_precision(PREC):
                t = arb(10) ** -exponent
                radius = arb(float((t * 256).sqrt()))
                if not all(step > radius for step in steps):
                    continue
                slope = _steepest(activation, radius)
                outside = _far(activation, t, radius)
                if outside is None or not slope.is_finite():
                    continue
                if sigma_w2.ball * (slope * slope + outside / t) < 1:
                    return t
    except (NotEnclosed, Divergent, InputError, ValueError):
        return None
    return None


def _steepest(activation: Any, radius: arb, boxes: int = 16) -> arb:
    """Bound |g'| on [−R, R] between the kinks."""
    top = arb(0)
    for left, right, expr in _concrete(activation):
        a, b = (-radius).max(left), radius.min(right)
        if b <= a:
            continue
        slope, width = expr.diff(x), (b - a) / boxes
        for k in range(boxes):
            value = evaluate(slope, {x: (a + width * k).union(a + width * (k + 1))}, PREC)
            if not value.is_finite():
                return value
            top = top.max(abs(value).upper())
    return top


def _range_of(expr: Any, radius: arb, boxes: int = 64) -> arb:
    """Return a ball that contains an expression on [−R, R]."""
    with working_precision(PREC):
        width = 2 * radius / boxes
        total: arb | None = None
        for k in range(boxes):
            value = evaluate(expr, {x: (width * k - radius).union(width * (k + 1) - radius)}, PREC)
            total = value if total is None else total.union(value)
    return total


# ----------------------------------------------------------------------------------- q → ∞


def near_infinity(activation: Any, deviation: arb) -> Band | None:
    """Bound sd g(√q z) for all large q, from q as small as excludes ``deviation``.

    On |x| ≥ R, g = h + δ with h = c_± |x|^k and |δ| ≤ M |x|^n e^{-b|x|}.  Then |sd g − q^{k/2} sd h(z)| ≤ √E
    δ², and E δ² ≤ D² P(|√q z| < R) + E[M² |x|^{2n}]: relative to q^k it falls with q, so a bound at q₁ holds
    beyond.

    Returns
    -------
    Band or None
        None when g has no such form; then nothing is claimed.
    """
    values = _values(activation)
    pieces = activation.pieces.pieces
    best = None
    for start in _starts(activation):
        try:
            with working_precision(PREC):
                forms = [
                    form_at_infinity(pieces[-1].expr.subs(values), x, 1, start, {}),
                    form_at_infinity(pieces[0].expr.subs(values), x, -1, start, {}),
                ]
                best = _band(activation, forms, arb(start), deviation)
        except NoForm:
            continue
        if best is not None and best.excludes(deviation):
            return best
    return best


def _band(activation: Any, forms: list[Form], start: arb, deviation: arb) -> Band | None:
    if any(form.rate > 0 for form in forms):
        return None
    degree = max(
        (form.terms[-1][0] for form in forms if form.terms and not form.rate < 0), default=Fraction(0)
    )
    degree = max(degree, Fraction(0))
    heads, rests = [], []
    for form in forms:
        head = dict(form.terms).get(degree, arb(0)) if not form.rate < 0 else arb(0)
        others = tuple(term for term in form.terms if term[0] != degree)
        rest = Form(form.start, form.rate, others, form.rest).bound() if not form.rate < 0 else form.bound()
        heads.append(head)
        rests.append(rest)
    for rest in rests:
        if not rest.decay > 0 and not rest.size.is_zero() and rest.power >= degree and degree > 0:
            return None
        if degree == 0 and not rest.decay > 0 and not rest.size.is_zero() and rest.power >= 0:
            return None
    inner = _inner_difference(activation, heads, degree, start)
    if not inner.is_finite():
        return None
    spread = _spread(heads, degree)
    candidates = [arb(10) * 2**e for e in range(37)]
    best = None
    for q in candidates:
        band = _flat(heads, rests, inner, start, spread, q) if degree == 0 else _growing(
            heads, rests, inner, start, spread, degree, q
        )  # fmt: skip
        if band is not None:
            best = band
            if band.excludes(deviation):
                return band
    return best


def _inner_difference(activation: Any, heads: list[arb], degree: Fraction, start: arb) -> arb:
    """Bound |g − h| on [−R, R]."""

    def head(coefficient: arb) -> Callable[[arb], arb]:
        return lambda box: coefficient * abs(box) ** int(degree)

    if degree.denominator != 1:
        return arb.nan()
    right = range_on(activation, arb(0), start, less=head(heads[0]))
    left = range_on(activation, -start, arb(0), less=head(heads[1]))
    return abs(right).upper().max(abs(left).upper())


def _absolute_moment(power: arb) -> arb:
    """E|z|^p = 2^{p/2} Γ((p+1)/2)/√π."""
    return (arb(2).log() * power / 2).exp() * ((power + 1) / 2).gamma() / arb.pi().sqrt()


def _spread(heads: list[arb], degree: Fraction) -> arb:
    """Return sd of h(z), h = c_± |z|^k."""
    k = arb(degree.numerator) / degree.denominator
    second = (heads[0] ** 2 + heads[1] ** 2) / 2 * _absolute_moment(2 * k)
    first = (heads[0] + heads[1]) / 2 * _absolute_moment(k)
    return (second - first * first).nonnegative_part().sqrt()


def _close(radius: arb, q: arb) -> arb:
    """Bound P(|√q z| < R)."""
    return 2 * radius / (2 * arb.pi() * q).sqrt()


def _flat(heads: list[arb], rests: list[Bound], inner: arb, start: arb, spread: arb, q: arb) -> Band | None:
    """Bound the standard deviation of a g with limits at both ends."""
    # Beyond a wider radius the rest is smaller, and the inner part still rarely visited.
    inside = inner.max(largest(rests[0], start)).max(largest(rests[1], start))
    errors = []
    for radius in (start, 2 * start, start.max((q.log() / 4).exp())):
        beyond = largest(rests[0], radius).max(largest(rests[1], radius))
        errors.append((inside**2 * _close(radius, q) + beyond**2).sqrt().upper())
    error = min(errors, key=float)
    return Band(q, (spread - error).lower(), (spread + error).upper(), spread)


def _growing(
    heads: list[arb], rests: list[Bound], inner: arb, start: arb, spread: arb, degree: Fraction, q: arb
) -> Band | None:
    k = arb(degree.numerator) / degree.denominator
    grown = (q.log() * k / 2).exp()
    error = inner * _close(start, q).sqrt()
    for rest in rests:
        if rest.power > 0 and not rest.size.is_zero() and not rest.decay > 0:
            p = arb(rest.power.numerator) / rest.power.denominator
            error += rest.size * ((q.log() * p).exp() * _absolute_moment(2 * p)).sqrt()
        else:
            error += largest(rest, start)
    low = grown * spread - error
    # (grown·spread − error)/grown increases with q, so once it is positive the bound itself increases.
    return Band(q, low.lower(), arb.pos_inf(), None) if low > 0 else None


# ------------------------------------------------------------------------------------------------ bounded g


def monotone_limits(activation: Any) -> tuple[Any, Any] | None:
    """Return the limits at ∓∞ of a bounded g proven monotone: they are its infimum and supremum."""
    low, high = activation.limits
    if low is None or high is None or not (low.is_finite and high.is_finite):
        return None
    if activation.is_symbolic:
        return None
    signs = {_slope_sign(piece) for piece in activation.pieces.pieces}
    for _, size in activation.pieces.jumps():
        ball = evaluate(size, {}, PREC)
        signs.add(1 if ball > 0 else -1 if ball < 0 else None)
    signs.discard(0)
    if None in signs or len(signs) != 1:
        return None
    return low, high


def _slope_sign(piece: Piece) -> int | None:
    slope = piece.expr.diff(x)
    if slope == 0:
        return 0
    slope = slope.replace(_is_sech_squared, lambda e: e.args[0] * sech(_argument(e)) ** 2)
    numerator, denominator = together(slope).as_numer_denom()
    top, bottom = _sign(numerator.expand(), piece), _sign(denominator, piece)
    if top is None:
        top = _sign(numerator, piece)
    return None if top is None or bottom is None else top * bottom


def _is_sech_squared(expr: Any) -> bool:
    """Whether an expression is c − c·tanh²u = c·sech²u."""
    if not (expr.is_Add and len(expr.args) == 2 and expr.args[0].is_number):
        return False
    square = -expr.args[1] / expr.args[0]
    return bool(square.is_Pow and square.exp == 2 and isinstance(square.base, tanh))


def _argument(expr: Any) -> Any:
    return (-expr.args[1] / expr.args[0]).base.args[0]


def _sign(expr: Any, piece: Piece) -> int | None:  # noqa: C901  (one case a kind of node)
    """Return the sign that an expression has on the whole piece; None if the structure does not tell."""
    if expr.is_number:
        ball = evaluate(expr, {}, PREC)
        return 1 if ball > 0 else -1 if ball < 0 else None
    if expr == x:
        if piece.lower == 0 or (piece.lower != -oo and piece.lower.is_positive):
            return 1
        if piece.upper == 0 or (piece.upper != oo and piece.upper.is_negative):
            return -1
        return None
    if expr.func in _POSITIVE_FUNCTIONS:
        return 1
    if (linear := _linear_sign(expr, piece)) is not None:
        return linear
    if expr.is_Mul:
        product = 1
        for argument in expr.args:
            sign = _sign(argument, piece)
            if sign is None:
                return None
            product *= sign
        return product
    if expr.is_Add:
        signs = {_sign(argument, piece) if not _square(argument) else 0 for argument in expr.args}
        signs.discard(0)
        return signs.pop() if len(signs) == 1 else None
    if expr.is_Pow and expr.exp.is_number:
        sign = _sign(expr.base, piece)
        if sign == 1:
            return 1
        if expr.exp.is_Integer and sign is not None:
            return 1 if expr.exp.is_even else -1
    return None


def _linear_sign(expr: Any, piece: Piece) -> int | None:
    """Return the sign of a + b·x on a piece where it does not change."""
    slope = expr.diff(x)
    if not slope.is_number:
        return None
    signs = set()
    for end in (piece.lower, piece.upper):
        value = slope * end if end in (oo, -oo) else expr.subs(x, end)
        signs.add(0 if value == 0 else 1 if value.is_positive else -1 if value.is_negative else 2)
    signs.discard(0)
    return signs.pop() if len(signs) == 1 and 2 not in signs else None


def _square(expr: Any) -> bool:
    """Whether a term is an even power times a positive number: it does not change a sum's sign."""
    number, rest = expr.as_coeff_Mul()
    return bool(number > 0 and rest.is_Pow and rest.exp.is_Integer and rest.exp.is_even and rest.exp > 0)


_POSITIVE_FUNCTIONS = (exp, cosh, sech, erfc, Phi)


def range_bound(activation: Any) -> arb | None:
    """Return a ball that contains every value of a bounded g, or None."""
    values = _values(activation)
    pieces = activation.pieces.pieces
    for start in _starts(activation):
        try:
            with working_precision(PREC):
                ends = [
                    form_at_infinity(pieces[index].expr.subs(values), x, side, start, {}).bound()
                    for index, side in ((-1, 1), (0, -1))
                ]
                if any(end.power > 0 and not end.decay > 0 for end in ends):
                    return None
                total = range_on(activation, arb(-start), arb(start))
                for end in ends:
                    top = largest(end, arb(start)).upper()
                    total = total.union(top).union(-top)
                return total if total.is_finite() else None
        except NoForm:
            continue
    return None
