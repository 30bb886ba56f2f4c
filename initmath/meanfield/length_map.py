r"""All fixed points of the length map q' = V(q) = σ_w² E g(√q z)² + σ_b², with their basins.

The search covers the half-line: two proven ends (`initmath.meanfield.ends`), and balls in between
(`initmath.solving.roots`), so "none" and "these three" are statements, not impressions.  The slope
χ_∥ = V'(q*) is taken from the integral with its kink and jump terms, never from E[g g'' + g'²].
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import Any

from flint import arb
from sympy import S

from initmath import moments
from initmath.balls import bits, evaluate, working_precision
from initmath.derivation import Number, Status
from initmath.errors import Divergent, NotEnclosed
from initmath.integral import q as Q
from initmath.integral import x
from initmath.meanfield.ends import End, at_infinity, at_zero, next_to_zero, slope_at_zero
from initmath.meanfield.points import against_one, infinite, moment_at, product
from initmath.moments.algebra import is_zero, power_terms, solve_for_q, tidy
from initmath.solving.arithmetic import combine, exact, proven_positive, small_rational
from initmath.solving.finite import finite_up_to
from initmath.solving.roots import Enclosed, isolate

__all__ = ["Basin", "LengthMap", "LengthPoint", "length_map"]

LOW, HIGH = "1.0037e-8", "1.0213e4"
"""Where roots are looked for when nothing is proven about an end (odd numbers: no root on the edge)."""

OCTAVE, BOXES = 4, 1500
"""The range of q is cut at factors of 4, and each part may cost so many boxes."""

SECONDS = 8.0
SLOW = 0.5

EXTRA_DIGITS = 14
"""Digits of q* beyond the asked ones: what is computed there loses some of them."""

INCREASING_DEPTH = 9

BELOW = "V(q) < q on it, so every orbit falls"

METHOD = "root of a certified function, isolated by the interval Newton method"


@dataclass(frozen=True, slots=True)
class Basin:
    """The lengths that flow to a fixed point.

    Attributes
    ----------
    low, high : Number
        Every q strictly between them converges to q*; 0 and "inf" are open ends.
    reason : str
        The proof in a clause; and, if the true basin may be larger, that it may.
    """

    low: Number
    high: Number
    reason: str


@dataclass(frozen=True, slots=True)
class LengthPoint:
    """A fixed point of the length map.

    Attributes
    ----------
    q : Number
        q*; 0 is one if g(0) = 0 and there are no biases.
    chi_parallel : Number
        V'(q*); at q* = 0 the limit σ_w² (g'(0+)² + g'(0−)²)/2.
    stability : str
        ``"stable"``, ``"unstable"``, ``"marginal"`` (proven: |χ_∥| = 1) or ``"undecided"``.
    basin : Basin or None
        For a point that attracts; None where none was proven.
    sides : tuple of int
        Signs of V(q) − q just below and just above q*; 0 where unknown.
    """

    q: Number
    chi_parallel: Number
    stability: str
    basin: Basin | None
    sides: tuple[int, int] = (0, 0)

    @property
    def at_zero(self) -> bool:
        """Whether this is q* = 0."""
        return bool(self.q.ball.is_zero())


@dataclass(frozen=True, slots=True)
class LengthMap:
    """The fixed points, in increasing order, and what is known besides.

    Attributes
    ----------
    points : tuple of LengthPoint
    continuum : str or None
        Set when every q > 0 is a fixed point; the one shown is then q = 1.
    complete : bool
        Whether there are provably no others.
    reason : str or None
        Why there is none, or what is not proven.
    grows : bool
        Whether q grows without end from large q.
    """

    points: tuple[LengthPoint, ...]
    continuum: str | None = None
    complete: bool = True
    reason: str | None = None
    grows: bool = False


@dataclass(frozen=True)
class _Map:
    """V and V' as balls."""

    activation: Any
    sigma_w2: Number
    sigma_b2: Number
    digits: int

    def excess(self, t: arb, asked: int) -> arb:
        """V(t) − t."""
        return self.value(t, asked) - t

    def value(self, t: arb, asked: int) -> arb:
        second = moments.ball(self.activation, "second_moment", t, asked)
        return self.sigma_w2.ball * second + self.sigma_b2.ball

    def bend(self, t: arb, asked: int) -> arb:
        """V'(t) − 1."""
        return self.sigma_w2.ball * moments.slope_ball(self.activation, "second_moment", t, asked) - 1

    @cached_property
    def quick_bend(self) -> Enclosed:
        """``bend`` on boxes that may be halved: it gives up sooner on wide ones."""
        return _impatient(self.bend)


def length_map(
    activation: Any, sigma_w2: Number, sigma_b2: Number, digits: int = 15, timeout: float | None = None
) -> LengthMap:
    """Find every fixed point of q' = σ_w² E g(√q z)² + σ_b².

    Parameters
    ----------
    activation : Activation
    sigma_w2, sigma_b2 : Number
        Weight variance times fan-in (> 0), bias variance (≥ 0), with some fifteen digits more than asked.
    digits : int
    timeout : float, optional
        Seconds for the search by balls; what is left then is named in ``reason``.

    Returns
    -------
    LengthMap

    References
    ----------
    .. [1] Poole et al. 2016, arXiv:1606.05340, eq. (3).
    .. [2] Schoenholz et al. 2017, arXiv:1611.01232, eq. (3) and §3.1 (the rate χ_∥ of the length map).

    Examples
    --------
    >>> from initmath.activation import resolve
    >>> from initmath.solving.arithmetic import exact
    >>> found = length_map(resolve("tanh"), exact(2, 30), exact("1/20", 30))
    >>> [f"{float(point.q):.12f}" for point in found.points], found.complete
    (['0.721761872652'], True)
    """
    if activation.expr is None:
        return LengthMap((), None, False, "the function could not be traced: fixed points cannot be isolated")
    curve = _Map(activation, sigma_w2, sigma_b2, digits)
    value = moments.closed_value(activation, "second_moment", timeout)
    if value is not None:
        found = _constant(curve, value) or _proportional(curve, value) or _solved(curve, value)
        if found is not None:
            return found
    return _searched(curve, timeout)


# --------------------------------------------------------------------------------------------- in closed form


def _constant(curve: _Map, value: Any) -> LengthMap | None:
    """Settle an E g² that does not depend on q (sign): one layer, and q is there."""
    if value.free_symbols:
        return None
    second = exact(value, curve.digits + EXTRA_DIGITS)
    q = combine(lambda w, m, b: w * m + b, curve.sigma_w2, second, curve.sigma_b2, digits=second.digits)
    basin = Basin(_zero(curve.digits), infinite(curve.digits), "V does not depend on q: one layer suffices")
    return LengthMap((LengthPoint(q, _zero(curve.digits), "stable", basin, (1, -1)),))


def _proportional(curve: _Map, value: Any) -> LengthMap | None:
    """Settle m₂ = C·q, where the length map is a straight line."""
    terms = power_terms(value)
    if terms is None or set(terms) != {S.One}:
        return None
    digits, bias = curve.digits, curve.sigma_b2
    coefficient = moments.moment(curve.activation, "second_moment", 1, digits + EXTRA_DIGITS).number
    if coefficient.closed_form is not None:
        coefficient = replace(coefficient, closed_form=coefficient.closed_form.xreplace({Q: S.One}))
    ratio = product(curve.sigma_w2, coefficient, digits)
    order = against_one(ratio)
    if order is None:
        return LengthMap((), None, False, f"the length map multiplies q by {ratio.value}: not told from 1")
    if bias.ball.is_zero():
        return _through_origin(curve, ratio, order)
    if not bias.ball > 0:
        return None
    if order < 0:
        q = combine(lambda b, r: b / (1 - r), bias, ratio, digits=digits + EXTRA_DIGITS)
        how = Basin(_zero(digits), infinite(digits), "the length map is a line of slope < 1")
        return LengthMap((LengthPoint(q, ratio, "stable", how, (1, -1)),))
    why = "q grows without end: the length map is a line of slope " + ("1" if order == 0 else "> 1")
    return LengthMap((), None, True, f"no fixed point: {why} above the identity", True)


def _through_origin(curve: _Map, ratio: Number, order: int) -> LengthMap:
    digits = curve.digits
    if order == 0:
        one = exact(S.One, digits + EXTRA_DIGITS)
        text = f"every q > 0 is a fixed point: σ_w² = {curve.sigma_w2.closed_form}, σ_b² = 0; shown at q = 1"
        return LengthMap((LengthPoint(one, ratio, "marginal", None),), text)
    if order < 0:
        basin = Basin(_zero(digits), infinite(digits), "every layer multiplies q by the same factor < 1")
        return LengthMap((LengthPoint(_zero(digits), ratio, "stable", basin, (0, -1)),))
    reason = "only q* = 0: every layer multiplies q by the same factor > 1, so q grows without end"
    point = LengthPoint(_zero(digits), ratio, "unstable", None, (0, 1))
    return LengthMap((point,), None, True, reason, True)


def _zero(digits: int) -> Number:
    return exact(S.Zero, digits)


def _solved(curve: _Map, value: Any) -> LengthMap | None:
    """Solve V(q) = q in closed form; None where it is of no solvable kind, or where signs stay open."""
    weight, bias = curve.sigma_w2.closed_form, curve.sigma_b2.closed_form
    if weight is None or bias is None or value.free_symbols - {Q}:
        return None
    if weight.free_symbols or bias.free_symbols:
        return None
    balance = tidy(weight * value + bias - Q)
    if balance.is_zero:
        return None
    values = moments.parameter_values(curve.activation)
    try:
        roots = solve_for_q(balance, lambda e: proven_positive(e, values))
    except NotEnclosed:
        return None
    if roots is None:
        return None
    deep = curve.digits + EXTRA_DIGITS
    balls = [evaluate(root, values, bits(deep + 20)) for root in roots]
    order = sorted(range(len(roots)), key=lambda k: float(balls[k].mid()))
    found = [
        Number(Status.EXACT, balls[k], roots[k], "the equation solved in closed form", deep) for k in order
    ]
    return _assembled(curve, found, _Range(None, None, (), ()))


# --------------------------------------------------------------------------------------------------- by balls


@dataclass(frozen=True)
class _Range:
    """Where the search took place.

    Attributes
    ----------
    zero, infinity : End or None
    unresolved : tuple of (arb, arb)
    gaps : tuple of str
    """

    zero: End | None
    infinity: End | None
    unresolved: tuple[tuple[arb, arb], ...]
    gaps: tuple[str, ...]
    low: arb | None = None
    high: arb | None = None


def _searched(curve: _Map, timeout: float | None) -> LengthMap:
    activation, digits = curve.activation, curve.digits
    deep = digits + EXTRA_DIGITS
    deadline = time.monotonic() + (SECONDS if timeout is None else max(1.0, timeout))
    zero = at_zero(activation, curve.sigma_w2, curve.sigma_b2)
    infinity = at_infinity(activation, curve.sigma_w2, curve.sigma_b2)
    with working_precision(bits(deep)):
        low = arb(LOW).mid() if zero is None else zero.q.lower().mid()
        high = arb(HIGH).mid() if infinity is None else infinity.q.upper().mid()
        if not low < high:
            high = (4 * low).mid()
    gaps = [] if zero is not None else [f"below q = {float(low):.3g}"]
    if infinity is None:
        gaps.append(f"beyond q = {float(high):.3g}")
    try:
        high, edge = finite_up_to(
            lambda t: moments.ball(activation, "second_moment", t, 6), "E g²", low, high
        )
    except Divergent as error:
        return LengthMap((), None, True, f"no fixed point: {error}", True)
    if edge is not None:
        gaps = [gap for gap in gaps if not gap.startswith("beyond")] + [edge]
    found, unresolved = _isolated(curve, low, high, deadline)
    gaps += [f"between q = {float(a):.10g} and {float(b):.10g}" for a, b in unresolved]
    numbers = [_root(curve, root, deep) for root in found]
    return _assembled(curve, numbers, _Range(zero, infinity, unresolved, tuple(gaps), low, high))


def _isolated(
    curve: _Map, low: arb, high: arb, deadline: float
) -> tuple[list[arb], tuple[tuple[arb, arb], ...]]:
    """Isolate the roots octave by octave, each with boxes of its own: a double root must not take all."""
    deep = curve.digits + EXTRA_DIGITS
    roots: list[arb] = []
    unresolved: list[tuple[arb, arb]] = []
    with working_precision(bits(deep)):
        left = low
        while left < high:
            right = (OCTAVE * left).mid().min(high).mid()
            part = isolate(
                curve.excess, curve.quick_bend, left, right, deep, max_boxes=BOXES, deadline=deadline
            )
            roots += [root for root in part.roots if not (roots and root.overlaps(roots[-1]))]
            unresolved += part.unresolved
            left = right
    return roots, _joined(unresolved)


def _impatient(enclose: Enclosed) -> Enclosed:
    """Let a box go to be halved at once if one as wide took long in vain; that changes the time only."""
    widest = [float("inf")]

    def enclosed(box: arb, asked: int) -> arb:
        width = float(box.rad()) / max(float(box.mid()), 1e-300)
        if width >= widest[0]:
            return arb.nan()
        started = time.monotonic()
        try:
            value = enclose(box, asked)
        except NotEnclosed:
            value = arb.nan()
        if not value.is_finite() and time.monotonic() - started > SLOW:
            widest[0] = width / 2
        return value

    return enclosed


def _joined(intervals: list[tuple[arb, arb]]) -> tuple[tuple[arb, arb], ...]:
    joined: list[tuple[arb, arb]] = []
    for left, right in intervals:
        if joined and joined[-1][1] >= left:
            joined[-1] = (joined[-1][0], right)
        else:
            joined.append((left, right))
    return tuple(joined)


def _root(curve: _Map, root: arb, deep: int) -> Number:
    """Return the root as a number; a small rational is recognised and proven."""
    candidate = small_rational(root)
    value = moments.closed_value(curve.activation, "second_moment")
    weight, bias = curve.sigma_w2.closed_form, curve.sigma_b2.closed_form
    if candidate is None or value is None or weight is None or bias is None:
        return Number(Status.NUMERIC, root, None, METHOD, deep)
    if value.free_symbols == {Q} and not (weight.free_symbols or bias.free_symbols):
        if is_zero((weight * value + bias).xreplace({Q: candidate}) - candidate):
            return replace(exact(candidate, deep), method=METHOD + "; the identity proven")
    return Number(Status.NUMERIC, root, None, METHOD, deep)


# ---------------------------------------------------------------------------------------------- the answer


def _assembled(curve: _Map, roots: list[Number], span: _Range) -> LengthMap:
    """Put signs, slopes, stability and basins to the roots, and q* = 0 before them."""
    digits = curve.digits
    barriers = _barriers(roots, span)
    signs = [_sign_between(curve, a, b) for a, b in pairwise(barriers)]
    points = []
    bare = curve.sigma_b2.ball.is_zero()
    limit = slope_at_zero(curve.activation) if bare else None
    place = {id(entry): index for index, entry in enumerate(barriers)}
    if limit is not None:
        slope = product(curve.sigma_w2, exact(limit, digits + EXTRA_DIGITS), digits)
        above = span.zero.sign if span.zero is not None else signs[0]
        points.append(LengthPoint(_zero(digits), slope, _stability(slope), None, (0, above)))
    elif bare and _vanishes_at_zero(curve.activation):
        points.append(LengthPoint(_zero(digits), infinite(digits), "unstable", None, (0, 1)))
    for q in roots:
        slope = product(
            curve.sigma_w2, moment_at(curve.activation, "second_moment", q, digits, slope=True), digits
        )
        index = place[id(q)]
        points.append(LengthPoint(q, slope, _stability(slope), None, (signs[index - 1], signs[index])))
    grows = signs[-1] > 0 and not span.gaps
    basined = tuple(replace(point, basin=_basin(curve, point, points, span)) for point in points)
    return LengthMap(basined, None, not span.gaps, _reason(points, span, grows), grows)


def _stability(slope: Number) -> str:
    return {-1: "stable", 0: "marginal", 1: "unstable", None: "undecided"}[against_one(slope)]


def _vanishes_at_zero(activation: Any) -> bool:
    """Whether g(0±) = 0 though g has no finite slope there."""
    return all(side is not None and side.subs(x, 0) == 0 for side in next_to_zero(activation))


def _barriers(roots: list[Number], span: _Range) -> list[Any]:
    """Return the low end, the roots, the unresolved intervals and the high end, in order."""
    first = arb(0) if span.low is None else span.low
    last = arb.pos_inf() if span.high is None else span.high
    inner: list[Any] = [*roots, *span.unresolved]
    inner.sort(key=lambda e: float(e[0] if isinstance(e, tuple) else e.ball.mid()))
    return [first, *inner, last]


def _edge(barrier: Any, side: int) -> arb:
    """Return the lower (−1) or upper (+1) edge of a barrier."""
    if isinstance(barrier, tuple):
        return barrier[0] if side < 0 else barrier[1]
    ball = barrier.ball if isinstance(barrier, Number) else barrier
    if not ball.is_finite():
        return ball
    return ball.lower() if side < 0 else ball.upper()


def _sign_between(curve: _Map, left: Any, right: Any) -> int:
    """Return the sign of V − id between two neighbouring barriers, where it does not change."""
    with working_precision(bits(curve.digits + EXTRA_DIGITS)):
        a, b = _edge(left, 1), _edge(right, -1)
        if not b.is_finite():
            b = 4 * a + 1
        places = [(a + b) / 2, a + (b - a) / 16, b - (b - a) / 16]
        for place in places:
            if not place > 0:
                continue
            try:
                value = curve.excess(place.mid(), curve.digits + EXTRA_DIGITS)
            except (NotEnclosed, Divergent):
                continue
            if value > 0 or value < 0:
                return 1 if value > 0 else -1
    return 0


def _reason(points: list[LengthPoint], span: _Range, grows: bool) -> str | None:
    notes = []
    if span.gaps:
        notes.append(f"not proven that there are no other fixed points {', '.join(span.gaps)}")
    if not points:
        notes.insert(0, "no fixed point" if not span.gaps else "no fixed point was found")
        if grows:
            notes.append("V(q) > q for every q, so q grows without end")
    elif grows:
        notes.append("from large q the length grows without end")
    return "; ".join(notes) or None


# -------------------------------------------------------------------------------------------------- basins


def _basin(curve: _Map, point: LengthPoint, points: list[LengthPoint], span: _Range) -> Basin | None:
    """Return an interval that is proven to flow to the point.

    Between two neighbouring fixed points V − id has one sign.  Where V also increases there, an orbit is
    monotone and cannot leave, so it converges to the point that it moves towards.
    """
    below, above = point.sides
    digits = curve.digits
    attracts_below, attracts_above = below > 0, above < 0
    if not (attracts_below or attracts_above) or point.stability == "unstable":
        return None
    with working_precision(bits(digits)):
        low, low_note = _reach_down(curve, point, points, span) if attracts_below else (point.q, None)
        high, high_note = _reach_up(curve, point, points, span) if attracts_above else (point.q, None)
        if low is None or high is None:
            return _local(curve, point)
    if high_note == BELOW:
        return Basin(low, high, BELOW)
    notes = ["the length map increases on it, so orbits are monotone"]
    notes += [note for note in (low_note, high_note) if note]
    return Basin(low, high, "; ".join(notes))


Reach = tuple[Number | None, str | None]


def _reach_down(curve: _Map, point: LengthPoint, points: list[LengthPoint], span: _Range) -> Reach:
    lower = [p.q for p in points if p.q.ball < point.q.ball and not p.at_zero]
    walls = [pair[1] for pair in span.unresolved if pair[1] <= point.q.ball]
    wall = max(walls, key=float, default=None)
    if lower and (wall is None or lower[-1].ball > wall):
        return (lower[-1] if _increases(curve, lower[-1].ball.lower(), point.q.ball.upper()) else None), None
    if wall is not None:
        note = f"below q = {float(wall):.6g} nothing is proven"
        good = _increases(curve, wall, point.q.ball.upper())
        return (_number(wall, curve) if good else None), note
    start = span.low if span.low is not None else (point.q.ball.lower() * arb("1e-6")).mid()
    if not _increases(curve, start, point.q.ball.upper()):
        return None, None
    if curve.sigma_b2.ball > 0:
        return curve.sigma_b2, "after one layer no q is below σ_b²"
    if span.zero is not None and span.zero.sign > 0 and span.zero.bound is not None:
        if span.zero.bound < point.q.ball:
            return _zero(curve.digits), None
    return _number(start, curve), f"below q = {float(start):.3g} nothing is proven"


def _reach_up(curve: _Map, point: LengthPoint, points: list[LengthPoint], span: _Range) -> Reach:
    upper = [p.q for p in points if p.q.ball > point.q.ball]
    walls = [pair[0] for pair in span.unresolved if pair[0] >= point.q.ball]
    wall = min(walls, key=float, default=None)
    bottom = point.q.ball.lower()
    if point.at_zero and span.zero is None and span.low is not None:
        return None, None
    if point.at_zero:
        # V < id as far as the next fixed point, so an orbit falls, and its limit can only be 0.
        if upper and (wall is None or upper[0].ball < wall):
            return upper[0], BELOW
        if wall is None and span.infinity is not None and span.infinity.sign < 0:
            return infinite(curve.digits), BELOW
        end = wall if wall is not None else span.high
        return (None if end is None else _number(end, curve)), BELOW
    if upper and (wall is None or upper[0].ball < wall):
        return (upper[0] if _increases(curve, bottom, upper[0].ball.upper()) else None), None
    if wall is not None:
        note = f"above q = {float(wall):.6g} nothing is proven"
        return (_number(wall, curve) if _increases(curve, bottom, wall) else None), note
    end = span.high if span.high is not None else (point.q.ball.upper() * arb("1e6") + 10).mid()
    if not _increases(curve, bottom, end):
        return None, None
    far = span.infinity
    if far is not None and far.sign < 0 and far.bound is not None and far.bound > _floor(point, points):
        return infinite(curve.digits), None
    return _number(end, curve), f"beyond q = {float(end):.3g} an orbit was not followed"


def _floor(point: LengthPoint, points: list[LengthPoint]) -> arb:
    """Return what an orbit from beyond must stay above to remain in the basin."""
    lower = [p.q.ball for p in points if p.q.ball < point.q.ball]
    return lower[-1].upper() if lower else arb(0)


def _number(ball: arb, curve: _Map) -> Number:
    return Number(Status.NUMERIC, ball, None, "end of the range that was examined", curve.digits)


def _increases(curve: _Map, low: arb, high: arb) -> bool:
    """Whether V' > 0 on [low, high]."""
    if not low > 0:
        return False
    stack: list[tuple[arb, arb, int]] = []
    left = low
    while left < high:
        right = (2 * left).mid().min(high)
        stack.append((left, right, 0))
        left = right
    while stack:
        a, b, depth = stack.pop()
        try:
            value = curve.quick_bend(a.union(b), 6)
            if value.is_finite() and value > -1:
                continue
        except (NotEnclosed, Divergent):
            pass
        if depth > INCREASING_DEPTH:
            return False
        middle = (a * b).sqrt().mid()
        stack += [(a, middle, depth + 1), (middle, b, depth + 1)]
    return True


def _local(curve: _Map, point: LengthPoint) -> Basin | None:
    """Return an interval around a stable point on which |V'| < 1: each layer brings q nearer to it."""
    if point.at_zero or point.stability != "stable":
        return None
    for factor in ("0.9", "0.5", "0.2", "0.05", "0.01", "0.001", "0.0001"):
        half = point.q.ball.mid() * arb(factor)
        low, high = (point.q.ball.mid() - half).mid(), (point.q.ball.mid() + half).mid()
        if _contracts(curve, low, high):
            note = "the length map is a contraction on it; the basin may be larger"
            return Basin(_number(low, curve), _number(high, curve), note)
    return None


def _contracts(curve: _Map, low: arb, high: arb) -> bool:
    step = (high - low) / 16
    for k in range(16):
        try:
            slope = curve.bend((low + step * k).union(low + step * (k + 1)), 6) + 1
        except (NotEnclosed, Divergent):
            return False
        if not (slope.is_finite() and abs(slope) < 1):
            return False
    return True
