r"""The edge of chaos as a curve: σ_w²(q) = 1/χ̂(q), σ_b²(q) = q − m₂(q)/χ̂(q), where that is not negative.

On it q is a fixed point of the length map and χ₁ = 1: squared gradients neither grow nor fade, and two inputs
come together slower than any exponential.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flint import arb
from sympy import Rational, S

from initmath import enclosure, moments
from initmath.derivation import Number, Status
from initmath.errors import Divergent, InputError, NotEnclosed
from initmath.integral import q as Q
from initmath.meanfield.balance import BIAS, Root, signs
from initmath.moments.algebra import is_zero, tidy
from initmath.solving.arithmetic import GUARD_DIGITS, combine, exact, for_one_value, given, settle
from initmath.solving.tails import clip, outermost

__all__ = [
    "ROOT_METHOD",
    "EdgeCurve",
    "EdgePoint",
    "Interval",
    "edge_at",
    "edge_curve",
    "moment_at",
    "no_edge",
    "root_number",
]

ROOT_METHOD = "root of a certified function, isolated by the interval Newton method"
SOLVED_METHOD = "the equation solved in closed form"


@dataclass(frozen=True, slots=True)
class EdgePoint:
    """The edge at one q.

    Attributes
    ----------
    q : Number
    sigma_w2, sigma_b2 : Number or None
        None where E g'² is 0 or infinite.  A negative σ_b² is shown, but is not on the edge.
    chi_parallel : Number or None
        Slope of the length map there: below 1 the fixed point is stable.
    exists : bool or None
        Whether σ_b² ≥ 0; None if its sign was not decided.
    reason : str or None
        Why there is no such point.
    """

    q: Number
    sigma_w2: Number | None
    sigma_b2: Number | None
    chi_parallel: Number | None
    exists: bool | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class Interval:
    """The values of q between two numbers; a finite end other than 0 is itself on the edge, with σ_b² = 0."""

    low: Number
    high: Number


@dataclass(frozen=True, slots=True)
class EdgeCurve:
    """The whole edge of chaos.

    Attributes
    ----------
    sigma_w2, sigma_b2 : Expr or None
        Closed forms in q, where the moments have them.
    domain : tuple of Interval
        The q with σ_b² ≥ 0, in increasing order; empty if there is no edge.
    single_point : bool
        Whether every q gives the same (σ_w², σ_b²), as for ReLU.
    complete : bool
        Whether the ends of the domain are proven and there are provably no others.
    reason : str
        The argument; why the edge is empty; or what was not shown.
    """

    sigma_w2: Any | None
    sigma_b2: Any | None
    domain: tuple[Interval, ...]
    single_point: bool
    complete: bool
    reason: str


def no_edge(activation: Any) -> str | None:
    """Say why χ₁ = 1 is impossible at every q; None if it is not.

    Where g jumps, 1 − c' is of the order √(1 − c): the slope χ₁ of the correlation map at 1 is infinite.
    """
    if activation.is_constant:
        return "g is constant: E g'² = 0, no gradient passes"
    if activation.jumps:
        points = ", ".join(str(point) for point in activation.jumps)
        return (
            f"g jumps at x = {points}: the correlation map has infinite slope at c = 1 (1 − c' falls like "
            "√(1 − c) only), so χ₁ = ∞ for every σ_w² > 0"
        )
    if _steep_inside(activation):
        return "g'² is not integrable at a singular point of g: E g'² = ∞ and χ₁ = ∞, at every q and σ_w² > 0"
    return None


def _steep_inside(activation: Any) -> bool:
    """Whether ∫ g'² diverges on a bounded interval; then it does so under every normal law."""
    values = moments.parameter_values(activation)
    square = moments.integrand(activation, "derivative_second_moment").subs(values)
    cut = Rational(outermost(activation)) + 1
    try:
        enclosure.expectation(clip(square, cut, keep_inside=True), 1, 3)
    except Divergent:
        return True
    except NotEnclosed:
        return False
    return False


def root_number(root: Root, digits: int) -> Number:
    """Return a root as a number."""
    if root.closed_form is None:
        return Number(Status.NUMERIC, root.ball, None, ROOT_METHOD, digits)
    return Number(Status.EXACT, root.ball, root.closed_form, SOLVED_METHOD, digits)


def moment_at(
    activation: Any,
    name: str,
    q: Number,
    at: Any | None,
    *,
    slope: bool = False,
    timeout: float | None = None,
) -> Number:
    """Return a moment, or its slope in q, at an asked rational or at a root.

    Parameters
    ----------
    activation : Activation
    name : str
    q : Number
    at : Rational or None
        The asked q; None at a root, whose ball (and closed form, if any) is then used.
    slope : bool
    timeout : float, optional
    """
    digits = q.digits
    deep = digits + GUARD_DIGITS
    if at is not None:
        found = (
            moments.slope(activation, name, at, deep, timeout)
            if slope
            else moments.moment(activation, name, at, deep, timeout).number
        )
        return Number(
            found.status, found.ball, found.closed_form, found.method, digits, certified=found.certified
        )
    confirm = moments.slope_ball_confirmed if slope else moments.ball_confirmed
    closed = (moments.closed_slope if slope else moments.closed_value)(activation, name)
    ball = confirm(activation, name, q.ball, deep)
    if closed is None or q.closed_form is None:
        return Number(Status.NUMERIC, ball, None, q.method, digits)
    return Number(Status.EXACT, ball, tidy(closed.subs(Q, q.closed_form)), q.method, digits)


def edge_at(
    activation: Any,
    q: Any,
    digits: int = 15,
    timeout: float | None = None,
    *,
    number: Number | None = None,
    unbiased: bool = False,
) -> EdgePoint:
    """Return the point of the edge of chaos at q.

    Parameters
    ----------
    activation : Activation
    q : Rational, int, str or None
        None: at ``number``, a root.
    digits : int
    timeout : float, optional
    number : Number, optional
    unbiased : bool
        Whether ``number`` is a root of σ_b²(q), so that σ_b² = 0 there by definition.

    Examples
    --------
    >>> from initmath.activation import resolve
    >>> point = edge_at(resolve("sin"), 1)
    >>> point.sigma_w2.closed_form, point.sigma_b2.value, point.exists
    (1/(1/2 + exp(-2*q)/2), '0.238405844044235', True)
    """
    at = None if number is not None else moments.variance_at(q)
    where = given(at, digits) if number is None else number
    shown = exact(at, digits) if number is None else number
    reason = None if activation.expr is None else no_edge(activation)
    if reason is not None:
        return EdgePoint(shown, None, None, None, False, reason)
    slope = moment_at(activation, "derivative_second_moment", where, at, timeout=timeout)
    if not slope.ball.is_finite():
        return EdgePoint(shown, None, None, None, False, "E g'² is infinite: χ₁ = ∞ for every σ_w² > 0")
    if not slope.ball > 0:
        return EdgePoint(shown, None, None, None, None, f"E g'² = {slope.value} was not told from 0")
    sigma_w2 = combine(lambda c: 1 / c, slope, digits=digits)
    second = moment_at(activation, "second_moment", where, at, timeout=timeout)
    sigma_b2 = combine(lambda t, m, c: t - m / c, where, second, slope, digits=digits)
    if unbiased or _is_zero(sigma_b2, at):
        sigma_b2 = exact(S.Zero, digits)
    rate = moment_at(activation, "second_moment", where, at, slope=True, timeout=timeout)
    chi_parallel = combine(lambda w, m: w * m, sigma_w2, rate, digits=digits)
    if at is not None:
        sigma_w2, chi_parallel = settle(sigma_w2, at), settle(chi_parallel, at)
    if sigma_b2.ball < 0:
        place = shown.value if at is None else at
        reason = (
            f"χ₁ = 1 at q = {place} needs σ_w² = {sigma_w2.value} and σ_b² = {sigma_b2.value} < 0: "
            "already without biases the layer would raise q"
        )
        return EdgePoint(shown, sigma_w2, sigma_b2, chi_parallel, False, reason)
    if not sigma_b2.ball >= 0:
        reason = f"the sign of σ_b² = {sigma_b2.value} ± {sigma_b2.error_bound} was not decided"
        return EdgePoint(shown, sigma_w2, sigma_b2, chi_parallel, None, reason)
    return EdgePoint(shown, sigma_w2, sigma_b2, chi_parallel, True, None)


def _is_zero(number: Number, at: Any | None) -> bool:
    closed = number.closed_form
    if closed is None or not number.ball.contains(0):
        return False
    if at is not None and Q in closed.free_symbols:
        closed = closed.xreplace({Q: at})
    return bool(is_zero(closed))


def edge_curve(activation: Any, digits: int = 15, timeout: float | None = None) -> EdgeCurve:
    """Return the edge of chaos as a curve parametrised by q, with its domain.

    Examples
    --------
    >>> from initmath.activation import resolve
    >>> curve = edge_curve(resolve("exp"))
    >>> curve.sigma_w2, curve.sigma_b2, [(i.low.closed_form, i.high.value) for i in curve.domain]
    (exp(-2*q), q - 1, [(1, 'inf')])
    >>> edge_curve(resolve("softplus")).domain
    ()
    """
    if activation.expr is None:
        return EdgeCurve(
            None, None, (), False, False, "the function could not be traced: nothing is proven about all q"
        )
    nothing = no_edge(activation)
    if nothing is not None:
        return EdgeCurve(None, None, (), False, True, nothing)
    sigma_w2, sigma_b2 = _closed_curve(activation, timeout)
    try:
        found = signs(activation, BIAS, digits, timeout)
    except (NotEnclosed, Divergent, InputError) as error:
        return EdgeCurve(sigma_w2, sigma_b2, (), False, False, f"the domain was not found: {error}")
    notes = [found.how]
    if found.vanishes:
        notes = [f"every q > 0 is critical with σ_b² = 0: {found.how}"]
    gaps = list(found.gaps)
    ends = [exact(S.Zero, digits), *(root_number(root, digits) for root in found.roots), _infinity(digits)]
    domain = []
    for low, high, sign in zip(ends[:-1], ends[1:], found.at, strict=True):
        if sign == 2:
            gaps.append(f"between q = {low.value} and {high.value} (sign not decided)")
        elif sign >= 0:
            domain.append(Interval(low, high))
    if not domain and not gaps:
        notes.insert(0, "no edge of chaos: χ₁ = 1 would need σ_b² < 0 at every q")
    if gaps:
        notes.append(f"not shown: {', '.join(gaps)}")
    if activation.is_symbolic and not found.vanishes:
        notes.append(for_one_value(activation))
    complete = not gaps and (found.vanishes or not activation.is_symbolic)
    return EdgeCurve(sigma_w2, sigma_b2, tuple(_joined(domain)), found.vanishes, complete, "; ".join(notes))


def _joined(intervals: list[Interval]) -> list[Interval]:
    """Join intervals that touch: σ_b² only touches 0 there."""
    joined: list[Interval] = []
    for part in intervals:
        if joined and joined[-1].high is part.low:
            joined[-1] = Interval(joined[-1].low, part.high)
        else:
            joined.append(part)
    return joined


def _infinity(digits: int) -> Number:
    return Number(Status.EXACT, arb.pos_inf(), None, "no upper end", digits)


def _closed_curve(activation: Any, timeout: float | None) -> tuple[Any | None, Any | None]:
    second = moments.closed_value(activation, "second_moment", timeout)
    slope = moments.closed_value(activation, "derivative_second_moment", timeout)
    if slope is None or slope == 0:
        return None, None
    return tidy(1 / slope), None if second is None else tidy(Q - tidy(second / slope))
