"""``mean_field()``: what a deep network does at given weight and bias variances."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from sympy import Rational

from initmath.activation import resolve
from initmath.answers import signs
from initmath.answers.exact import digits_asked, exact_number
from initmath.answers.facts import ActivationFacts, facts_of
from initmath.derivation import Number
from initmath.display.document import Block, Caution, Facts, Heading, Items, Paragraph
from initmath.display.inline import Inline, Label
from initmath.display.naming import explained
from initmath.display.shown import Shown
from initmath.errors import InputError
from initmath.meanfield.phases import FixedPoint, Phases, phases
from initmath.meanfield.universality import universality
from initmath.moments import parameter_values
from initmath.solving.arithmetic import GUARD_DIGITS, exact, for_one_value

__all__ = ["MeanField", "mean_field", "mean_field_of"]

SCHEMA = "initmath.phase/1"

EXTRA_DIGITS = 25
"""Digits of σ_w² and σ_b² beyond the asked ones: fixed points near the edge amplify an error of theirs."""

CLASS_SECONDS = 2.0
"""For the universality class, which is beside the point here: `edge_of_chaos` takes longer for it."""

C_STAR = Label("c*", "c*", "c^*")
XI_Q = Label("ξ_q", "xi_q", r"\xi_q")
XI_C = Label("ξ_c", "xi_c", r"\xi_c")
XI_GRADIENT = Label("ξ_∇", "xi_grad", r"\xi_\nabla")


@dataclass(frozen=True)
class MeanField(Shown):
    """The fixed points of an infinitely wide network at (σ_w², σ_b²), and its depth scales.

    Attributes
    ----------
    schema : str
    activation : ActivationFacts
    sigma_w2, sigma_b2 : Number
    fixed_points : tuple of FixedPoint
        In increasing order of q*.
    continuum : str or None
        Set when every q > 0 is a fixed point; the one shown is then q = 1.
    universality_class : str or None
    reason : str or None
        Why there is no fixed point, or what is not proven.
    complete : bool
        Whether there are provably no other fixed points.
    warnings : tuple of str
    """

    schema: str
    activation: ActivationFacts
    sigma_w2: Number
    sigma_b2: Number
    fixed_points: tuple[FixedPoint, ...]
    continuum: str | None
    universality_class: str | None
    reason: str | None
    complete: bool
    warnings: tuple[str, ...]
    why_class: str | None = field(default=None, repr=False, metadata={"json": False}, kw_only=True)

    def __hash__(self) -> int:
        return hash((self.activation, self.sigma_w2, self.sigma_b2, self.fixed_points))

    def blocks(self) -> tuple[Block, ...]:
        """Title, facts, the fixed points one by one, what is not proven."""
        return explained(_page(self))


def mean_field(
    act: Any,
    sigma_w2: Any = None,
    sigma_b2: Any = 0,
    digits: int = 15,
    params: dict[str, Any] | None = None,
    timeout: float | None = None,
) -> MeanField:
    r"""Return every fixed point of the length map at (σ_w², σ_b²), its correlation map and depth scales.

    .. math:: q' = \sigma_w^2\,E g(\sqrt q z)^2 + \sigma_b^2,\qquad
              c' = \frac{\sigma_w^2 k(q^*, q^*, c) + \sigma_b^2}{q^*}

    Parameters
    ----------
    act : str, Expr, callable or Activation
    sigma_w2 : number, text or Number
        Weight variance times fan-in, > 0.
    sigma_b2 : number, text or Number
        Bias variance, ≥ 0.
    digits : int
        Significant digits.
    params : dict, optional
        Parameters of the activation.
    timeout : float, optional
        Seconds for the search of fixed points; what is left then is named in ``reason``.

    Returns
    -------
    MeanField
        Error bounds are rigorous.  ``complete`` says whether the list of fixed points is proven to be all.

    Raises
    ------
    InputError
        If the input is wrong; the message is one line.

    Notes
    -----
    The theory of wide layers with independent Gaussian weights: pre-activations are Gaussian.

    References
    ----------
    .. [1] Poole, Lahiri, Raghu, Sohl-Dickstein, Ganguli 2016, arXiv:1606.05340, eqs. (3) and (5).
    .. [2] Schoenholz, Gilmer, Ganguli, Sohl-Dickstein 2017, arXiv:1611.01232, §3.

    Examples
    --------
    >>> from initmath import mean_field
    >>> (point,) = mean_field("tanh", sigma_w2=2, sigma_b2="0.05").fixed_points
    >>> point.phase, point.q_star.value, point.c_star.value
    ('chaotic', '0.721761872652071', '0.744082419501184')
    """
    digits = digits_asked(digits)
    if sigma_w2 is None:
        raise InputError("mean_field needs sigma_w2, the weight variance times fan-in, such as sigma_w2=2")
    weight = _variance(sigma_w2, "sigma_w2", digits)
    bias = _variance(sigma_b2, "sigma_b2", digits, zero=True)
    activation = resolve(act, dict(params) if params else None)
    return mean_field_of(activation, phases(activation, weight, bias, digits, timeout), digits, timeout)


def mean_field_of(
    activation: Any, found: Phases, digits: int = 15, timeout: float | None = None
) -> MeanField:
    """Put fixed points that were found into an answer; for points on the edge of chaos, too."""
    kind = universality(activation, digits, CLASS_SECONDS if timeout is None else timeout)
    warnings = []
    if activation.expr is not None and parameter_values(activation):
        warnings.append(for_one_value(activation))
    return MeanField(
        schema=SCHEMA,
        activation=facts_of(activation),
        sigma_w2=found.sigma_w2,
        sigma_b2=found.sigma_b2,
        fixed_points=found.fixed_points,
        continuum=found.continuum,
        universality_class=kind.name,
        reason=found.reason,
        complete=found.complete and not activation.is_symbolic,
        warnings=tuple(warnings),
        why_class=kind.reason,
    )


def _variance(value: Any, name: str, digits: int, *, zero: bool = False) -> Number:
    if isinstance(value, Number):
        if not (value.ball > 0 or (zero and value.ball >= 0)):
            raise InputError(f"{name} = {value.value}: must {'not be negative' if zero else 'be positive'}")
        return value
    number = exact_number(value, name, zero=zero)
    return exact(Rational(number.numerator, number.denominator), digits + EXTRA_DIGITS + GUARD_DIGITS)


# ------------------------------------------------------------------------------------------------- the page


def _page(result: MeanField) -> tuple[Block, ...]:
    blocks: list[Block] = [Heading(result.activation.title(), 1), result.activation.block()]
    blocks += [Caution(warning) for warning in result.warnings]
    rows: list[tuple[Inline, Inline]] = [
        ("weights", (signs.WEIGHT_VARIANCE, " = ", _valued(result.sigma_w2))),
        ("biases", (signs.BIAS_VARIANCE, " = ", _valued(result.sigma_b2))),
    ]
    if result.continuum is not None:
        rows.append(("continuum", result.continuum))
    if not result.fixed_points:
        rows.append(("fixed points", "none" if result.complete else "none found"))
    if result.reason is not None:
        rows.append(("note", result.reason))
    if result.universality_class is not None:
        rows.append(("universality class", (result.universality_class, ": ", result.why_class or "")))
    blocks += [Heading("Mean field"), Facts(tuple(rows))]
    for point in result.fixed_points:
        blocks += _point(point)
    if result.fixed_points:
        blocks.append(Paragraph("ξ = −1/ln χ: layers for a factor e; a negative scale is one of growth."))
    return tuple(blocks)


def _point(point: FixedPoint) -> list[Block]:
    rows: list[tuple[Inline, Inline]] = [
        ("phase", point.phase),
        ("length", (signs.Q_STAR, " = ", _valued(point.q_star), f", {point.stability}")),
        ("", (signs.CHI_PARALLEL, " = ", _valued(point.chi_parallel))),
        ("gradients", (signs.CHI_1, " = ", _valued(point.chi_1))),
    ]
    if point.c_star is not None:
        rows.append(("correlation", (C_STAR, " = ", _valued(point.c_star))))
    scales = ((XI_Q, point.xi_q), (XI_C, point.xi_c), (XI_GRADIENT, point.xi_gradient))
    rows += [("depth scale", (label, " = ", _valued(scale))) for label, scale in scales if scale is not None]
    rows += [("power law", law.law) for law in point.power_laws]
    if point.basin is not None:
        basin = point.basin
        rows.append(("basin", ("(", _plain(basin.low), ", ", _plain(basin.high), f"): {basin.reason}")))
    title: Inline = ("Fixed point ", signs.Q_STAR, f" = {float(point.q_star):.6g}")
    blocks: list[Block] = [Heading(title), Facts(tuple(rows))]
    if point.warnings:
        blocks.append(Items(point.warnings))
    return blocks


SHORT = 12


def _valued(number: Number) -> Inline:
    """Show a short closed form and the decimals, or the decimals alone."""
    form = number.closed_form
    if form is None or form.free_symbols or form.count_ops() > SHORT:
        return number
    if form.is_Rational and Fraction(repr(float(number))) == Fraction(int(form.p), int(form.q)):
        return repr(float(number)).removesuffix(".0")
    return (form, " = ", number)


def _plain(number: Number) -> Inline:
    if not number.ball.is_finite():
        return "∞"
    return "0" if number.ball.is_zero() else f"{float(number):.6g}"
