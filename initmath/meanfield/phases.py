"""Mean field at given (σ_w², σ_b²): every fixed point of the length map, and what deep layers do there."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from flint import arb
from sympy import S

from initmath.balls import bits, working_precision
from initmath.derivation import Number, Status
from initmath.errors import Divergent, NotEnclosed
from initmath.meanfield.correlation import CorrelationMap, correlation_map, fixed_correlation
from initmath.meanfield.hermite import coefficients
from initmath.meanfield.length_map import Basin, LengthPoint, length_map
from initmath.meanfield.points import against_one, moment_at, product, shown
from initmath.meanfield.scales import PowerLaw, correlation_law, depth_scale, half_stable_law, length_law
from initmath.moments.algebra import is_zero
from initmath.solving.arithmetic import exact

__all__ = ["FixedPoint", "Phases", "fixed_point_at", "phases"]

DEEPER = 25
"""Digits beyond the asked ones for q*, on which c* and its slope depend."""

HERMITE = "certified Hermite series, what it leaves out bounded by Parseval's sum"


@dataclass(frozen=True, slots=True)
class FixedPoint:
    """A fixed point of the length map with its correlation map and depth scales.

    Attributes
    ----------
    q_star : Number
    chi_1 : Number
        σ_w² E g'² (almost-everywhere part): slope of the correlation map at c = 1 unless g jumps, and growth
        of squared gradients per layer.
    chi_parallel : Number
        Slope of the length map.
    c_star : Number or None
        The attracting fixed point of the correlation map; None at q* = 0, and where every c is one.
    xi_q, xi_c, xi_gradient : Number or None
        −1/ln of |χ_∥|, of the slope at c*, of χ_1; infinite at criticality, negative for growth; None if the
        factor was not told from 1.
    phase : str
        ``"ordered"`` (χ₁ < 1, c* = 1), ``"chaotic"`` (χ₁ > 1), ``"critical"`` (χ₁ = 1, proven) or
        ``"undecided"``.
    stability : str
        Of the length: ``"stable"``, ``"unstable"``, ``"marginal"``, ``"undecided"``.
    chi_c : Number or None
        Slope of the correlation map at c*, σ_w² E g'(y₁) g'(y₂).
    basin : Basin or None
        The lengths proven to flow here.
    power_laws : tuple of PowerLaw
        What replaces an infinite depth scale.
    warnings : tuple of str
    """

    q_star: Number
    chi_1: Number
    chi_parallel: Number
    c_star: Number | None
    xi_q: Number | None
    xi_c: Number | None
    xi_gradient: Number | None
    phase: str
    stability: str = "undecided"
    chi_c: Number | None = None
    basin: Basin | None = None
    power_laws: tuple[PowerLaw, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Phases:
    """All fixed points, in increasing order of q*.

    Attributes
    ----------
    sigma_w2, sigma_b2 : Number
    fixed_points : tuple of FixedPoint
    continuum : str or None
        Set when every q > 0 is a fixed point.
    complete : bool
    reason : str or None
        Why there is none, or what is not proven.
    """

    sigma_w2: Number
    sigma_b2: Number
    fixed_points: tuple[FixedPoint, ...]
    continuum: str | None
    complete: bool
    reason: str | None


def phases(
    activation: Any, sigma_w2: Any, sigma_b2: Any = 0, digits: int = 15, timeout: float | None = None
) -> Phases:
    """Return the mean-field fixed points at a weight and a bias variance.

    Parameters
    ----------
    activation : Activation
    sigma_w2 : Rational or Number
        fan_in·Var W, > 0.
    sigma_b2 : Rational or Number
        Bias variance, ≥ 0.
    digits : int
    timeout : float, optional
        Seconds for the search of fixed points.

    Notes
    -----
    Wide layers, Gaussian pre-activations, independent weights in every layer.

    References
    ----------
    .. [1] Poole et al. 2016, arXiv:1606.05340.  .. [2] Schoenholz et al. 2017, arXiv:1611.01232.

    Examples
    --------
    >>> from initmath.activation import resolve
    >>> from sympy import Rational
    >>> (point,) = phases(resolve("tanh"), Rational(2), Rational(1, 20)).fixed_points
    >>> point.phase, point.c_star.value
    ('chaotic', '0.744082419501184')
    """
    weight, bias = _number(sigma_w2, digits + DEEPER), _number(sigma_b2, digits + DEEPER)
    found = length_map(activation, weight, bias, digits + DEEPER, timeout)
    points = tuple(fixed_point_at(activation, weight, bias, point, digits) for point in found.points)
    return Phases(
        shown(weight, digits), shown(bias, digits), points, found.continuum, found.complete, found.reason
    )


def _number(value: Any, digits: int) -> Number:
    return value if isinstance(value, Number) else exact(value, digits)


def fixed_point_at(
    activation: Any,
    sigma_w2: Number,
    sigma_b2: Number,
    point: LengthPoint | Number,
    digits: int = 15,
    *,
    critical: bool = False,
) -> FixedPoint:
    """Describe one fixed point of the length map.

    Parameters
    ----------
    activation : Activation
    sigma_w2, sigma_b2 : Number
    point : LengthPoint or Number
        The fixed point; a bare number is taken to be one (a point of the edge of chaos, say).
    digits : int
    critical : bool
        Whether χ₁ = 1 by construction, as on the edge of chaos, where σ_w² *is* 1/E g'².
    """
    if isinstance(point, Number):
        slope = product(
            sigma_w2, moment_at(activation, "second_moment", point, digits + DEEPER, slope=True), digits
        )
        order = against_one(slope)
        kind = {-1: "stable", 0: "marginal", 1: "unstable", None: "undecided"}[order]
        point = LengthPoint(point, slope, kind, None)
    if point.at_zero:
        return _at_zero(activation, sigma_w2, point, digits)
    deep = digits + DEEPER
    chi_1 = product(sigma_w2, moment_at(activation, "derivative_second_moment", point.q, deep), digits)
    order = 0 if critical else against_one(chi_1)
    if critical:
        chi_1 = exact(S.One, digits)
    warnings = list(_warnings(activation, chi_1, point))
    jumps = bool(activation.jumps)
    if jumps:
        order = 1
    phase = {-1: "ordered", 0: "critical", 1: "chaotic", None: "undecided"}[order]
    laws: tuple[PowerLaw, ...] = ()
    c_star: Number | None = exact(S.One, digits)
    chi_c: Number | None = chi_1
    if order is None:
        warnings.append("χ₁ cannot be told from 1: the phase is not decided")
        c_star = None
    elif order > 0:
        c_star, chi_c, more = _chaotic(activation, sigma_w2, sigma_b2, point.q, digits)
        warnings += more
    elif order == 0:
        if _affine(activation):
            c_star = None
            warnings.append("g is linear: every correlation is a fixed point")
        else:
            law = correlation_law(activation, point.q, sigma_w2, digits)
            laws = () if law is None else (law,)
    if point.stability == "marginal":
        half = half_stable_law(activation, point.q, sigma_w2, digits)
        laws = laws if half is None else (half, *laws)
    return FixedPoint(
        q_star=shown(point.q, digits),
        chi_1=chi_1,
        chi_parallel=shown(point.chi_parallel, digits),
        c_star=c_star,
        xi_q=depth_scale(point.chi_parallel, digits),
        xi_c=None if chi_c is None else depth_scale(chi_c, digits),
        xi_gradient=depth_scale(chi_1, digits),
        phase=phase,
        stability=point.stability,
        chi_c=chi_c,
        basin=_shown_basin(point.basin, digits),
        power_laws=laws,
        warnings=tuple(warnings),
    )


def _shown_basin(basin: Basin | None, digits: int) -> Basin | None:
    if basin is None:
        return None
    return replace(basin, low=shown(basin.low, digits), high=shown(basin.high, digits))


def _affine(activation: Any) -> bool:
    return all(
        piece.expr.diff(activation.pieces.variable, 2) == 0 for piece in activation.pieces.pieces
    ) and (not activation.kinks)


def _warnings(activation: Any, chi_1: Number, point: LengthPoint) -> tuple[str, ...]:
    found = []
    if activation.jumps:
        places = ", ".join(str(place) for place in activation.jumps)
        found.append(
            f"g jumps at x = {places}: χ₁ is the almost-everywhere part, the gradients' growth; the "
            "correlation map has an infinite slope at 1, so nearby inputs separate"
        )
    elif not chi_1.ball.is_finite():
        found.append("E g'² is infinite: the correlation map has an infinite slope at 1")
    if point.stability == "undecided":
        found.append("χ_∥ cannot be told from 1: the stability of the length is not decided")
    return tuple(found)


def _chaotic(
    activation: Any, sigma_w2: Number, sigma_b2: Number, q: Number, digits: int
) -> tuple[Number | None, Number | None, list[str]]:
    """Return c*, the slope there, and warnings."""
    jumps = bool(activation.jumps)
    deep = digits + 12
    with working_precision(bits(2 * deep)):
        weight = sigma_w2.ball / q.ball
    try:
        if sigma_b2.ball.is_zero() and _centred(activation, q, digits):
            # C(0) = σ_w² (E g)²/q* = 0, and it is the only fixed point in [0, 1).
            first = coefficients(activation, q.ball, 2, deep)[1]
            with working_precision(bits(deep)):
                slope = weight * first * first
            return exact(S.Zero, digits), Number(Status.NUMERIC, slope, None, HERMITE, digits), []

        def build(count: int) -> CorrelationMap:
            return correlation_map(activation, q.ball, weight, count, deep + 8, jumps=jumps)

        c, gap, slope = fixed_correlation(build, digits)
    except (NotEnclosed, Divergent) as error:
        return None, None, [f"c* was not found: {error}"]
    warnings = []
    if not gap.rad() * arb(10) ** digits <= gap.mid():
        known = max(0, int(gap.rel_accuracy_bits() * 0.30103))
        warnings.append(f"1 − c* is known to {known} digits only: its error bound says so")
    return (
        Number(Status.NUMERIC, c, None, HERMITE, digits),
        Number(Status.NUMERIC, slope, None, HERMITE, digits),
        warnings,
    )


def _centred(activation: Any, q: Number, digits: int) -> bool:
    """Whether E g(√q z) = 0 is proven."""
    if activation.parity == "odd":
        return True
    mean = moment_at(activation, "mean", q, digits)
    if not mean.ball.contains(0) or mean.closed_form is None or mean.closed_form.free_symbols:
        return False
    return bool(is_zero(mean.closed_form))


def _at_zero(activation: Any, sigma_w2: Number, point: LengthPoint, digits: int) -> FixedPoint:
    """Describe q* = 0, by limits: E g'² → (g'(0+)² + g'(0−)²)/2."""
    chi = shown(point.chi_parallel, digits)
    order = against_one(chi)
    law = length_law(activation, sigma_w2, digits) if order == 0 else None
    note = "q* = 0: χ₁ and χ_∥ are limits for q → 0; without length there is no correlation"
    scale = depth_scale(chi, digits)
    return FixedPoint(
        q_star=shown(point.q, digits),
        chi_1=chi,
        chi_parallel=chi,
        c_star=None,
        xi_q=scale,
        xi_c=None,
        xi_gradient=scale,
        phase={-1: "ordered", 0: "critical", 1: "chaotic", None: "undecided"}[order],
        stability=point.stability,
        basin=_shown_basin(point.basin, digits),
        power_laws=() if law is None else (law,),
        warnings=(note,),
    )
