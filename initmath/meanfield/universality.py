r"""Universality classes of criticality: what q does with depth where gradients neither grow nor fade.

A network is critical at q* if χ_∥ = χ_⊥ = 1 there: then both q and the gradients move slower than any
exponential.  Three kinds of point can be, and an activation may have several:

- *scale-invariant*: g homogeneous of degree 1; every q stays, at σ_w² = 2/(C₊² + C₋²), σ_b² = 0;
- *q\* = 0*: g(0) = 0, slopes a± at 0 not both 0; σ_w² = 2/(a₊² + a₋²), σ_b² = 0, and
  q' = q (1 + a q^p + …) near 0.  For g smooth at 0, p = 1 and a = a₁ = g'''/g' + ¾ (g''/g')²; if 0 is a kink
  of g'', p = ½.  With a < 0 it attracts: q ~ (−a p ℓ)^{-1/p};
- *half-stable*: q* > 0, attracting from one side only (`doubly_critical`).

References
----------
.. [1] Roberts, Yaida, Hanin, The Principles of Deep Learning Theory, 2022, sections 5.2-5.4,
   arXiv:2106.10165.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sympy import Poly, PolynomialError, Rational, S, Symbol, expand, oo

from initmath import moments
from initmath.balls import bits, evaluate
from initmath.derivation import Number, Status
from initmath.display.formula import formula
from initmath.errors import InitmathError
from initmath.integral import x
from initmath.meanfield.doubly_critical import DoublyCriticalPoints, doubly_critical
from initmath.meanfield.edge import no_edge
from initmath.meanfield.origin import absolute_moment, coefficients_at_zero, reach, sides, sign_of_constant
from initmath.moments.algebra import is_zero, tidy
from initmath.solving.arithmetic import GUARD_DIGITS, exact, for_one_value

__all__ = ["CriticalPoint", "UniversalityClass", "universality"]

ORDER = 8
"""Powers of |x| at 0 that are looked at."""

SCALE_INVARIANT, ZERO, ZERO_UNSTABLE = "scale_invariant", "K*=0", "K*=0 unstable"
HALF_STABLE, NONE, UNDECIDED = "half_stable", "none", "undecided"


@dataclass(frozen=True, slots=True)
class CriticalPoint:
    """One point with χ_∥ = χ_⊥ = 1.

    Attributes
    ----------
    kind : str
        ``"scale_invariant"``, ``"K*=0"``, ``"K*=0 unstable"`` or ``"half_stable"``.
    q_star : Number or None
        None where every q is one.
    sigma_w2, sigma_b2 : Number
    coefficient : Number or None
        a in q' = q (1 + a q^p + …) at q* = 0; V'' in q' − q* = (q − q*) + ½ V'' (q − q*)² + … at q* > 0.
    exponent : Rational or None
        p; None where no power of q moves it.
    stability : str
        ``"stable"``, ``"unstable"``, ``"marginal"``, ``"stable from above"`` or ``"stable from below"``.
    decay : str or None
        What q_ℓ approaches for deep ℓ, where it is stable.
    """

    kind: str
    q_star: Number | None
    sigma_w2: Number
    sigma_b2: Number
    coefficient: Number | None
    exponent: Any | None
    stability: str
    decay: str | None


@dataclass(frozen=True, slots=True)
class UniversalityClass:
    """The class of an activation, and all of its critical points.

    Attributes
    ----------
    name : str
        ``"scale_invariant"``, ``"K*=0"``, ``"half_stable"``, ``"K*=0 unstable"`` (where that is all there
        is), ``"none"`` or ``"undecided"``.
    reason : str
    proven : bool
        Whether there are provably no other critical points.
    points : tuple of CriticalPoint
        The one that gives the name comes first.
    """

    name: str
    reason: str
    proven: bool
    points: tuple[CriticalPoint, ...]

    @property
    def principal(self) -> CriticalPoint | None:
        """The point that gives the class its name."""
        return self.points[0] if self.points else None

    @property
    def sigma_w2(self) -> Number | None:
        """σ_w² of the principal point."""
        return None if self.principal is None else self.principal.sigma_w2

    @property
    def sigma_b2(self) -> Number | None:
        """σ_b² of the principal point."""
        return None if self.principal is None else self.principal.sigma_b2

    @property
    def q_star(self) -> Number | None:
        """q* of the principal point."""
        return None if self.principal is None else self.principal.q_star

    @property
    def decay(self) -> str | None:
        """How q approaches q* there."""
        return None if self.principal is None else self.principal.decay

    @property
    def a1(self) -> Number | None:
        """a₁ of q' = q (1 + a₁ q + …) at the critical point q* = 0; None if there is no such expansion."""
        for point in self.points:
            if point.kind in (ZERO, ZERO_UNSTABLE) and point.exponent == 1:
                return point.coefficient
        return None


def universality(
    activation: Any,
    digits: int = 15,
    timeout: float | None = None,
    others: DoublyCriticalPoints | None = None,
) -> UniversalityClass:
    """Classify an activation by its critical points.

    Parameters
    ----------
    activation : Activation
    digits : int
    timeout : float, optional
        Seconds for the search of critical points q* > 0.
    others : DoublyCriticalPoints, optional
        These, where they are known already.

    Examples
    --------
    >>> from initmath.activation import resolve
    >>> tanh = universality(resolve("tanh"))
    >>> tanh.name, tanh.a1.closed_form, tanh.decay, tanh.proven
    ('K*=0', -2, 'q ~ 1/(2 l)', True)
    >>> gelu = universality(resolve("gelu"))
    >>> gelu.name, [point.kind for point in gelu.points]
    ('half_stable', ['half_stable', 'K*=0 unstable'])
    >>> universality(resolve("sigmoid")).name
    'none'
    """
    if activation.expr is None:
        return UniversalityClass(UNDECIDED, "the function could not be traced: nothing is proven", False, ())
    nothing = no_edge(activation)
    if nothing is not None:
        return UniversalityClass(NONE, nothing, True, ())
    if activation.homogeneity_degree == 1:
        return _scale_invariant(activation, digits)
    try:
        origin = _at_zero(activation, digits)
    except InitmathError as error:
        origin = None, f"the expansion of g at 0 was not settled: {error}", False
    if others is None:
        others = doubly_critical(activation, digits, timeout)
    return _together(activation, origin, others)


def _number(expr: Any, values: dict[Any, Any], digits: int) -> Number:
    closed = tidy(expand(expr))
    ball = evaluate(closed, values, bits(digits + GUARD_DIGITS))
    return Number(Status.EXACT, ball, closed, "Taylor coefficients of g at 0", digits)


def _scale_invariant(activation: Any, digits: int) -> UniversalityClass:
    values = moments.parameter_values(activation)
    right, left = coefficients_at_zero(activation, 1) or ([0, 0], [0, 0])
    sigma_w2 = _number(2 / (S(right[1]) ** 2 + S(left[1]) ** 2), values, digits)
    zero = exact(S.Zero, digits)
    point = CriticalPoint(SCALE_INVARIANT, None, sigma_w2, zero, None, None, "marginal", "q stays as it is")
    where = f"σ_w² = {formula(sigma_w2.closed_form)}, σ_b² = 0"
    reason = f"g is homogeneous of degree 1: every q is critical at {where}"
    return UniversalityClass(SCALE_INVARIANT, reason, True, (point,))


Origin = tuple[CriticalPoint | None, str, bool]
"""The critical point q* = 0 if there is one, what is to be said about it, and whether that is proven."""


def _at_zero(activation: Any, digits: int) -> Origin:
    values = moments.parameter_values(activation)
    degree = activation.homogeneity_degree
    if degree is not None:
        return None, f"q* = 0 is not critical: E g'² is proportional to {_shown(degree - 1)}", True
    found = coefficients_at_zero(activation, ORDER)
    if found is None:
        return None, "g has no one-sided Taylor series at 0", False
    right, left = found
    start = sign_of_constant(S(right[0]), values)
    if start != 0:
        if start is None:
            return None, f"whether g(0) = {right[0]} vanishes was not decided", False
        return None, f"q* = 0 is no fixed point without biases, since g(0) = {right[0]} ≠ 0", True
    steep = tidy(expand((S(right[1]) ** 2 + S(left[1]) ** 2) / 2))
    if is_zero(steep):
        return None, "q* = 0 is not critical: g'(0) = 0 on both sides, so χ̂ → 0 as q → 0", True
    zero = exact(S.Zero, digits)
    sigma_w2 = _number(1 / steep, values, digits)
    for k in range(3, ORDER + 1):
        both = sum(sum(S(side[i]) * side[k - i] for i in range(1, k)) for side in (right, left))
        if is_zero(both):
            continue
        coefficient = _number(both * absolute_moment(k) / 2 / steep, values, digits)
        sign = sign_of_constant(both, values)
        if sign is None:
            return None, f"the sign of {coefficient.value} in the expansion at 0 was not decided", False
        power = Rational(k - 2, 2)
        how = "stable" if sign < 0 else "unstable"
        decay = _decay(coefficient, power) if sign < 0 else None
        point = CriticalPoint(
            ZERO if sign < 0 else ZERO_UNSTABLE, zero, sigma_w2, zero, coefficient, power, how, decay
        )
        law = f"q' = q (1 + a {_shown(power)} + …), a = {_brief(coefficient)}"
        says = f"at q* = 0, σ_w² = {_brief(sigma_w2)}: {law}: {how}"
        return point, says, True
    return _flat_at_zero(activation, values, sigma_w2, digits)


def _shown(power: Any) -> str:
    if power == 1:
        return "q"
    return f"q^{power}" if power.is_Integer else f"q^({power})"


def _brief(number: Number) -> str:
    """Write a short closed form, or else the decimals."""
    closed = number.closed_form
    if closed is None or closed.free_symbols or closed.count_ops() > 3:
        return number.value
    return formula(closed)


def _decay(coefficient: Number, power: Any) -> str:
    """Write (−a p ℓ)^{-1/p}, from dq/dℓ = a q^{1+p}."""
    closed: Any = coefficient.closed_form
    rate = tidy(-closed * power)
    short = rate.count_ops() <= 12
    if power == 1:
        text = formula(rate) if short else f"{-float(coefficient):.6g}"
        return f"q ~ 1/({text} l)" if rate != 1 else "q ~ 1/l"
    layers = Symbol("l") ** (1 / power)
    if short:
        return f"q ~ {formula(tidy(rate ** (-1 / power)) / layers)}"
    return f"q ~ {float(rate) ** float(-1 / power):.6g}/{formula(layers)}"


def _flat_at_zero(activation: Any, values: dict[Any, Any], sigma_w2: Number, digits: int) -> Origin:
    """Settle a g that is linear on both sides up to a kink: q' − q is smaller than any power of q.

    Just beyond its nearest kinks at distance c, g² − h² (h the straight lines) grows like 2 h(c) s (|x| − c),
    so V(q) − q has the sign of Σ h(c) s over them (s the jump of g'), and q ~ c²/(2 ln ℓ).
    """
    zero = exact(S.Zero, digits)
    nearest = reach(activation, values)
    lines = [_is_line(side) for side in sides(activation, values)]
    if nearest == oo or not all(lines):
        return None, f"the expansion at 0 has no term up to order {ORDER}: undecided", False
    weight = S.Zero
    g, slope = activation.pieces.subs(values), activation.derivative.subs(values)
    for point, size in slope.jumps():
        if abs(point) == nearest:
            piece = next(p for p in g.pieces if p.upper == point)
            weight += piece.expr.subs(x, point) * size
    sign = sign_of_constant(weight, {})
    if not sign:
        return None, f"g is linear up to |x| = {nearest}; which way q moves there was not decided", False
    how = "stable" if sign < 0 else "unstable"
    decay = f"q ~ {formula(tidy(nearest**2 / 2) / Symbol('log(l)'))}" if sign < 0 else None
    point = CriticalPoint(ZERO if sign < 0 else ZERO_UNSTABLE, zero, sigma_w2, zero, None, None, how, decay)
    says = f"at q* = 0, σ_w² = {_brief(sigma_w2)}: g is linear up to |x| = {nearest}"
    return point, f"{says}, so q moves slower than any power of it: {how}", True


def _is_line(expr: Any) -> bool:
    try:
        return bool(Poly(expr, x).degree() <= 1)
    except PolynomialError:
        return False


def _together(activation: Any, origin: Origin, others: DoublyCriticalPoints) -> UniversalityClass:
    at_zero, says, settled = origin
    points = [
        CriticalPoint(
            HALF_STABLE,
            point.q_star,
            point.sigma_w2,
            point.sigma_b2,
            point.curvature,
            Rational(1),
            "undecided" if point.stable_side is None else f"stable from {point.stable_side}",
            None if point.stable_side is None else _approach(point.curvature),
        )
        for point in others.points
    ]
    if at_zero is not None:
        points.append(at_zero)
    points.sort(key=lambda point: _RANK[point.kind])
    proven = settled and others.complete
    notes = [says]
    if others.points:
        shown = ", ".join(point.q_star.value for point in others.points)
        notes.append(f"χ_∥ = χ_⊥ = 1 at q* = {shown}")
    elif others.complete:
        notes.append("no q > 0 has χ_∥ = χ_⊥ = 1 with σ_b² ≥ 0")
    notes.append(others.reason)
    if activation.is_symbolic and for_one_value(activation) not in others.reason:
        notes.append(for_one_value(activation))
    if points:
        return UniversalityClass(points[0].kind, "; ".join(notes), proven, tuple(points))
    return UniversalityClass(NONE if proven else UNDECIDED, "; ".join(notes), proven, ())


_RANK = {SCALE_INVARIANT: 0, ZERO: 1, HALF_STABLE: 2, ZERO_UNSTABLE: 3}


def _approach(curvature: Number) -> str:
    """Write |q − q*| ~ 2/(|V''| ℓ), from dδ/dℓ = ½ V'' δ²."""
    return f"|q - q*| ~ {2 / abs(float(curvature)):.6g}/l from the stable side"
