"""``edge_of_chaos()``: where gradients neither grow nor fade, and what the length does there."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from sympy import Rational

from initmath.activation import resolve
from initmath.answers import signs
from initmath.answers.exact import digits_asked, exact_number
from initmath.answers.facts import ActivationFacts, facts_of
from initmath.answers.kept import kept_rows
from initmath.criteria.critical import CRITERION
from initmath.criteria.result import Question
from initmath.derivation import Number
from initmath.display.document import Block, Caution, Facts, Heading
from initmath.display.inline import Inline, Label
from initmath.display.naming import explained
from initmath.display.shown import Shown
from initmath.errors import Divergent, InputError, NotEnclosed
from initmath.integral import q as Q
from initmath.meanfield.both_kept import BothKept, both_kept
from initmath.meanfield.doubly_critical import DoublyCritical, DoublyCriticalPoints, doubly_critical
from initmath.meanfield.edge import EdgeCurve, EdgePoint, Interval, edge_at, edge_curve, no_edge
from initmath.meanfield.phases import FixedPoint, fixed_point_at, phases
from initmath.meanfield.universality import UniversalityClass, universality
from initmath.moments import parameter_values, variance_at
from initmath.solving.arithmetic import exact, for_one_value

__all__ = ["EdgeOfChaos", "edge_of_chaos"]

SCHEMA = "initmath.edge/1"

EXTRA_DIGITS = 25
"""Digits of σ_w² and σ_b² beyond the asked ones: fixed points near the edge amplify an error of theirs."""

CURVATURE = Label("V″", "V''", "V''")


@dataclass(frozen=True)
class EdgeOfChaos(Shown):
    """The edge of chaos of an activation: one point of it, the curve, and its doubly critical points.

    Attributes
    ----------
    schema : str
    activation : ActivationFacts
    q : str or None
        As it was asked; None when a bias variance was given instead.
    sigma_w2, sigma_b2 : Number or None
        The point asked for; None if there is none, or (given σ_b²) several: then see ``points``.
    points : tuple of EdgePoint
        The points of the edge that were asked for.
    fixed_points : tuple of FixedPoint
        All fixed points of the length map at (σ_w², σ_b²); given a bias variance, those on the edge only.
    continuum : str or None
    universality_class : str
    reason : str or None
        Why there is no such point, or what is not proven.
    curve : EdgeCurve
    doubly_critical : tuple of DoublyCritical
    both_kept : tuple of EdgePoint
        Where the edge has σ_b² = 0 at q > 0: there the gain that keeps signals keeps gradients, too; see
        `initmath.trade_off`.
    universality : UniversalityClass
    warnings : tuple of str
    """

    schema: str
    activation: ActivationFacts
    q: str | None
    sigma_w2: Number | None
    sigma_b2: Number | None
    points: tuple[EdgePoint, ...]
    fixed_points: tuple[FixedPoint, ...]
    continuum: str | None
    universality_class: str
    reason: str | None
    curve: EdgeCurve
    doubly_critical: tuple[DoublyCritical, ...]
    universality: UniversalityClass
    warnings: tuple[str, ...]
    both_kept: tuple[EdgePoint, ...] = field(default=(), kw_only=True)
    kept: BothKept | None = field(default=None, repr=False, metadata={"json": False}, kw_only=True)
    doubly_critical_reason: str = field(default="", repr=False, metadata={"json": False}, kw_only=True)

    def __hash__(self) -> int:
        return hash((self.activation, self.q, self.sigma_w2, self.sigma_b2, self.points))

    def blocks(self) -> tuple[Block, ...]:
        """Title, the point, the curve, the doubly critical points."""
        return explained(_page(self))


@dataclass(frozen=True, slots=True)
class _Asked:
    """What was found at the q, or the σ_b², that was asked about."""

    points: tuple[EdgePoint, ...]
    fixed_points: tuple[FixedPoint, ...]
    continuum: str | None
    reason: str | None


def edge_of_chaos(
    act: Any,
    q: Any = None,
    sigma_b2: Any = None,
    digits: int = 15,
    params: dict[str, Any] | None = None,
    timeout: float | None = None,
) -> EdgeOfChaos:
    r"""Return the edge of chaos at q (1 unless given), or at a bias variance, and the whole curve.

    .. math:: \sigma_w^2(q) = \frac{1}{E g'(\sqrt q z)^2},\qquad
              \sigma_b^2(q) = q - \sigma_w^2(q)\,E g(\sqrt q z)^2 \ge 0

    Parameters
    ----------
    act : str, Expr, callable or Activation
    q : number or text, optional
        Pre-activation variance, > 0.
    sigma_b2 : number or text, optional
        Bias variance, ≥ 0: every q on the edge with it is found.  Not together with q.
    digits : int
        Significant digits.
    params : dict, optional
        Parameters of the activation.
    timeout : float, optional
        Seconds for each closed form and each search.

    Returns
    -------
    EdgeOfChaos
        Error bounds are rigorous; ``curve.complete`` and ``universality.proven`` say whether the lists are
        proven to be all.

    Raises
    ------
    InputError
        If the input is wrong; the message is one line.

    References
    ----------
    .. [1] Poole et al. 2016, arXiv:1606.05340.  .. [2] Schoenholz et al. 2017, arXiv:1611.01232, eq. (5).
    .. [3] Roberts, Yaida, Hanin 2022, arXiv:2106.10165, chapter 5.

    Examples
    --------
    >>> from initmath import edge_of_chaos
    >>> edge = edge_of_chaos("sin", q=2)
    >>> edge.sigma_w2.value, edge.sigma_b2.value, edge.universality_class
    ('1.96402758007582', '1.03597241992418', 'K*=0')
    >>> edge_of_chaos("gelu").doubly_critical[0].q_star.closed_form
    3/2 + sqrt(17)/2
    """
    digits = digits_asked(digits)
    if q is not None and sigma_b2 is not None:
        raise InputError("edge_of_chaos takes q or sigma_b2, not both: each gives the other")
    activation = resolve(act, dict(params) if params else None)
    if sigma_b2 is None:
        asked = _at_q(activation, variance_at(_rational(1 if q is None else q, "q")), digits, timeout)
    else:
        asked = _at_bias(activation, _rational(sigma_b2, "sigma_b2", zero=True), digits, timeout)
    only = asked.points[0] if len(asked.points) == 1 else None
    curve = edge_curve(activation, digits, timeout)
    doubly = doubly_critical(activation, digits, timeout)
    kind = universality(activation, digits, timeout, others=doubly)
    kept = both_kept(activation, digits, timeout, shape=curve, search=False)
    return EdgeOfChaos(
        schema=SCHEMA,
        activation=facts_of(activation),
        q=None if sigma_b2 is not None else str(1 if q is None else q),
        sigma_w2=only.sigma_w2 if only is not None and only.exists else None,
        sigma_b2=only.sigma_b2 if only is not None and only.exists else None,
        points=asked.points,
        fixed_points=asked.fixed_points,
        continuum=asked.continuum,
        universality_class=kind.name,
        reason=asked.reason,
        curve=curve,
        doubly_critical=doubly.points,
        universality=kind,
        warnings=_warnings(activation),
        both_kept=kept.points,
        kept=kept,
        doubly_critical_reason=_said(doubly),
    )


def _rational(value: Any, name: str, *, zero: bool = False) -> Any:
    number = exact_number(value, name, zero=zero)
    return Rational(number.numerator, number.denominator)


def _warnings(activation: Any) -> tuple[str, ...]:
    if activation.expr is None:
        return (
            "the function could not be traced to an expression: numbers are estimates, nothing is proven",
        )
    return (for_one_value(activation),) if parameter_values(activation) else ()


def _at_q(activation: Any, at: Any, digits: int, timeout: float | None) -> _Asked:
    point = edge_at(activation, at, digits, timeout)
    if not point.exists:
        return _Asked((point,), (), None, point.reason)
    where = exact(at, digits + EXTRA_DIGITS)
    try:
        deep = edge_at(activation, at, digits + EXTRA_DIGITS, timeout)
        weight, bias = (_here(number, at) for number in (deep.sigma_w2, deep.sigma_b2))
        found = phases(activation, weight, bias, digits, timeout)
        ours = fixed_point_at(activation, weight, bias, where, digits, critical=True)
    except (InputError, NotEnclosed, Divergent) as error:
        return _Asked((point,), (), None, f"its fixed points were not found: {error}")
    if found.continuum is not None:
        return _Asked((point,), (ours,), found.continuum, found.reason)
    others = [other for other in found.fixed_points if not other.q_star.ball.overlaps(where.ball)]
    together = tuple(sorted([*others, ours], key=lambda one: float(one.q_star)))
    return _Asked((point,), together, None, None if found.complete else found.reason)


def _here(number: Number | None, at: Any) -> Number:
    """Put q into a closed form: at (σ_w², σ_b²) itself it is no longer a variable."""
    if number is None:
        raise NotEnclosed("χ₁ = 1 has no solution with more digits")
    closed = number.closed_form
    if closed is None or Q not in closed.free_symbols:
        return number
    return replace(number, closed_form=closed.xreplace({Q: at}))


def _at_bias(activation: Any, bias: Any, digits: int, timeout: float | None) -> _Asked:
    if activation.expr is not None and (nothing := no_edge(activation)) is not None:
        return _Asked((), (), None, nothing)
    found = CRITERION.solve(Question(activation, None, bias, digits=digits, timeout=timeout))
    points, fixed = [], []
    for solution in found.solutions:
        at = solution.q
        number = exact(bias, digits)
        points.append(EdgePoint(at, _free(solution.sigma_w2, at), number, solution.chi_parallel, True, None))
        fixed.append(
            fixed_point_at(activation, _free(solution.sigma_w2, at), number, at, digits, critical=True)
        )
    reason = found.reason
    if len(points) > 1:
        several = "several q have this bias variance: see points"
        reason = several if reason is None else f"{several}; {reason}"
    return _Asked(tuple(points), tuple(fixed), found.continuum, reason)


def _free(number: Number, at: Number) -> Number:
    closed = number.closed_form
    if closed is None or Q not in closed.free_symbols:
        return number
    return replace(
        number, closed_form=None if at.closed_form is None else closed.xreplace({Q: at.closed_form})
    )


def _said(found: DoublyCriticalPoints) -> str:
    if found.continuum:
        return "every q"
    if found.points:
        return "" if found.complete else "perhaps not all: see why"
    return "none" if found.complete else "none found: see why"


# ------------------------------------------------------------------------------------------------- the page


def _page(result: EdgeOfChaos) -> tuple[Block, ...]:
    blocks: list[Block] = [Heading(result.activation.title(), 1), result.activation.block()]
    blocks += [Caution(warning) for warning in result.warnings]
    blocks.append(Heading("Edge of chaos"))
    rows: list[tuple[Inline, Inline]] = []
    for point in result.points:
        rows += _point(point)
    if result.continuum is not None:
        rows.append(("continuum", result.continuum))
    if result.reason is not None:
        rows.append(("note", result.reason))
    for fixed in result.fixed_points:
        rows += _deep(fixed, several=len(result.fixed_points) > 1)
    blocks.append(Facts(tuple(rows)))
    blocks += [Heading("The curve"), Facts(_curve(result.curve))]
    if result.kept is not None:
        blocks += [Heading("Choosing q, without biases"), kept_rows(result.kept, result.curve.reason)]
    blocks += [Heading("Criticality"), Facts(_criticality(result))]
    return tuple(blocks)


def _point(point: EdgePoint) -> list[tuple[Inline, Inline]]:
    rows: list[tuple[Inline, Inline]] = [("at", (signs.Q, " = ", point.q))]
    if point.sigma_w2 is not None:
        rows.append(("weights", (signs.WEIGHT_VARIANCE, " = ", replace(point.sigma_w2, closed_form=None))))
    if point.sigma_b2 is not None:
        rows.append(("biases", (signs.BIAS_VARIANCE, " = ", replace(point.sigma_b2, closed_form=None))))
    if point.chi_parallel is not None:
        rows.append(("length", (signs.CHI_PARALLEL, " = ", replace(point.chi_parallel, closed_form=None))))
    return rows


def _deep(fixed: FixedPoint, *, several: bool) -> list[tuple[Inline, Inline]]:
    """Say how a fixed point at these variances is approached with depth."""
    where = replace(fixed.q_star, closed_form=None)
    rows: list[tuple[Inline, Inline]] = []
    if several or fixed.phase != "critical":
        rows.append(
            ("fixed point", (signs.Q_STAR, " = ", where, f": {fixed.phase}, length {fixed.stability}"))
        )
    rows += [("in depth", law.law) for law in fixed.power_laws]
    return rows


SHORT = 25
"""Longer closed forms of the curve are left to the JSON."""


def _curve(curve: EdgeCurve) -> tuple[tuple[Inline, Inline], ...]:
    rows: list[tuple[Inline, Inline]] = []
    for label, form in ((signs.WEIGHT_VARIANCE, curve.sigma_w2), (signs.BIAS_VARIANCE, curve.sigma_b2)):
        if form is not None and form.count_ops() <= SHORT:
            rows.append((label, form))
    text = " and ".join(map(_interval, curve.domain))
    rows.append(("domain", text or ("empty" if curve.complete else "not found")))
    rows.append(("proof" if curve.complete else "note", curve.reason))
    return tuple(rows)


def _interval(part: Interval) -> str:
    """Write an interval of q; an end with σ_b² = 0 belongs to it."""
    low, high = (_whole(end) for end in (part.low, part.high))
    if part.high.ball.is_finite():
        return f"0 < q ≤ {high}" if part.low.ball.is_zero() else f"{low} ≤ q ≤ {high}"
    return "every q > 0" if part.low.ball.is_zero() else f"q ≥ {low}"


def _whole(number: Number) -> str:
    closed = number.closed_form
    return str(closed) if closed is not None and closed.is_Integer else number.value


def _criticality(result: EdgeOfChaos) -> tuple[tuple[Inline, Inline], ...]:
    kind = result.universality
    rows: list[tuple[Inline, Inline]] = [("universality class", kind.name), ("why", kind.reason)]
    for point in kind.points:
        if point.decay is not None:
            rows.append((point.kind, (point.stability, ": ", point.decay)))
    for one in result.doubly_critical:
        where, weight, bias = (replace(n, closed_form=None) for n in (one.q_star, one.sigma_w2, one.sigma_b2))
        rows.append(("doubly critical", (signs.Q_STAR, " = ", where)))
        rows.append(("there, weights", (signs.WEIGHT_VARIANCE, " = ", weight)))
        rows.append(("there, biases", (signs.BIAS_VARIANCE, " = ", bias)))
        rows.append(("curvature", (CURVATURE, " = ", one.curvature, f", stable from {one.stable_side}")))
    if result.doubly_critical_reason:
        rows.append(("doubly critical", result.doubly_critical_reason))
    return tuple(rows)
