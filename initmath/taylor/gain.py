"""Kumar's gain from the linearised activation, with the steps of his equations (8) to (12)."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from sympy import Add, Expr, Mul, Pow, Rational, Symbol, sympify

from initmath.derivation import Declined, Derivation, Status, Step
from initmath.errors import InputError
from initmath.integral import GaussianIntegral, q
from initmath.piecewise import sign_of
from initmath.taylor.series import NotAnalytic, taylor_coefficients

__all__ = ["exact_number", "gain2", "two_sided_slope"]

_KUMAR = "Kumar 2017, arXiv:1704.08863"


def exact_number(value: Any, name: str) -> Any:
    """Return an argument as an exact SymPy number; a float stands for its decimal ``repr``."""
    if isinstance(value, bool) or value is None:
        raise InputError(f"{name} must be a number")
    if isinstance(value, float):
        try:
            return Rational(repr(value))
        except (TypeError, ValueError):
            raise InputError(f"{name} must be finite, got {value}") from None
    if isinstance(value, int | Fraction):
        return Rational(value)
    if isinstance(value, Expr):
        return value
    try:
        return Rational(str(value))
    except (TypeError, ValueError, ZeroDivisionError):
        raise InputError(f"{name} must be a number, got {value!r}") from None


def two_sided_slope(activation: Any) -> tuple[Any, Any] | Declined:
    """g(0) and g'(0), exact, or the reason why g has no derivative at 0.

    Parameters
    ----------
    activation : Activation

    Returns
    -------
    (g0, g1) : tuple of Expr, or Declined

    Examples
    --------
    >>> from initmath.activation import resolve
    >>> two_sided_slope(resolve("sigmoid"))
    (1/2, 1/4)
    >>> two_sided_slope(resolve("relu")).reason
    'g has a kink at 0: slope 0 on the left, 1 on the right'
    """
    if activation.expr is None:
        return Declined(
            "taylor", "the activation could not be traced to an expression, so it has no exact derivative"
        )
    pieces = activation.pieces
    x = pieces.variable
    left = right = None
    for piece in pieces.pieces:
        starts, ends = sign_of(piece.lower), sign_of(piece.upper)
        if starts is None or ends is None:
            return Declined("taylor", "it is not known on which side of 0 a breakpoint lies")
        if starts < 0 <= ends:
            left = piece.expr
        if starts <= 0 < ends:
            right = piece.expr
    try:
        before = taylor_coefficients(left, x, 1)
        after = before if right == left else taylor_coefficients(right, x, 1)
    except NotAnalytic as reason:
        return Declined("taylor", f"g has no Taylor series at 0: {reason}")
    for k, what in ((0, "jump"), (1, "kink")):
        if sign_of(before[k] - after[k]) != 0:
            kind = "value" if k == 0 else "slope"
            return Declined(
                "taylor", f"g has a {what} at 0: {kind} {before[k]} on the left, {after[k]} on the right"
            )
    return before[0], before[1]


def gain2(activation: Any, target_variance: Any = 1, bias_variance: Any = 0) -> Derivation:
    r"""σ_w² = N v² from g(y) ≈ g(0) + g'(0) y, Kumar's rule.

    .. math:: \sigma_w^2 = \frac{s^2/g'(0)^2 - \sigma_b^2}{s^2 + g(0)^2}

    It keeps Var x = s² only as far as the activation is linear, and takes the input of the layer to have
    mean g(0).

    Parameters
    ----------
    activation : Activation
    target_variance : int, Fraction, float, str or Expr
        s² > 0.
    bias_variance : int, Fraction, float, str or Expr
        σ_b² ≥ 0.

    Returns
    -------
    Derivation
        Status TRUNCATED (order 1) with the exact value of the truncated rule, or NOT_DERIVED with the
        reason: g has a kink or jump at 0, g'(0) = 0, or the bias alone exceeds what the layer may have.

    References
    ----------
    .. [1] S. K. Kumar, On weight initialization in deep neural networks, 2017, arXiv:1704.08863,
       eq. (8)-(12).

    Examples
    --------
    >>> from initmath.activation import resolve
    >>> gain2(resolve("tanh")).value, gain2(resolve("sigmoid")).value
    (1, 64/5)
    """
    s2 = exact_number(target_variance, "the target variance")
    b2 = exact_number(bias_variance, "the bias variance")
    if sign_of(s2) in (0, -1):
        raise InputError(f"the target variance must be positive, got {s2}")
    if sign_of(b2) == -1:
        raise InputError(f"the bias variance must not be negative, got {b2}")
    slope = two_sided_slope(activation)
    x = Symbol("x", real=True) if activation.expr is None else activation.pieces.variable
    g = sympify(activation.expr) if activation.expr is not None else Symbol("g")
    problem = (q - b2) / (s2 + GaussianIntegral(g, x, 0, q) ** 2)
    if isinstance(slope, Declined):
        return Derivation(problem, (), None, Status.NOT_DERIVED, (slope,))
    g0, g1 = slope
    if sign_of(g1) == 0:
        declined = Declined(
            "taylor", "g'(0) = 0: to first order the activation is constant and no gain gives it a variance"
        )
        return Derivation(problem, (), None, Status.NOT_DERIVED, (declined,))
    variance = s2 / g1**2
    if sign_of(variance - b2) in (0, -1):
        declined = Declined(
            "taylor",
            f"no solution: the bias variance {b2} is not below s²/g'(0)² = {variance}, all a layer may have",
        )
        return Derivation(problem, (), None, Status.NOT_DERIVED, (declined,))
    linear = g0 + g1 * x
    steps = (
        Step(
            "taylor",
            GaussianIntegral(g, x, 0, q),
            GaussianIntegral(linear, x, 0, q),
            "expand g at 0 and keep the constant and the linear term: g(y) ≈ g(0) + g'(0) y",
            ("y is small: the terms from y² on are dropped, so this is an approximation",),
            (f"{_KUMAR}, eq. (8)",),
        ),
        Step(
            "mean",
            GaussianIntegral(linear, x, 0, q),
            g0,
            "E y = 0, so the mean of the linearised activation is μ = g(0)",
            (),
            (f"{_KUMAR}, eq. (10)",),
        ),
        Step(
            "variance",
            q,
            variance,
            "the linearised activation has the variance g'(0)² u²; asked to be s², it needs u² = s²/g'(0)²",
            ("g'(0) != 0",),
            (f"{_KUMAR}, eq. (9), (11)",),
        ),
        Step(
            "layer",
            _unevaluated(variance, b2, s2, g0),
            _tidy((variance - b2) / (s2 + g0**2)),
            "u² = N v² (s² + μ²) + σ_b², solved for N v² = σ_w²",
            (),
            (f"{_KUMAR}, eq. (6), (12)",),
        ),
    )
    return Derivation(problem, steps, steps[-1].after, Status.TRUNCATED)


def _unevaluated(variance: Any, b2: Any, s2: Any, g0: Any) -> Any:
    """Write (u² − σ_b²)/(s² + μ²) with its numbers still visible."""
    above = Add(variance, -b2, evaluate=False) if b2 != 0 else variance
    below = Add(s2, Pow(g0, 2, evaluate=False), evaluate=False)
    return Mul(above, Pow(below, -1, evaluate=False), evaluate=False)


def _tidy(value: Any) -> Any:
    """One fraction, without trying to be clever."""
    from sympy import factor_terms, together

    return value if value.is_Rational else factor_terms(together(value))
