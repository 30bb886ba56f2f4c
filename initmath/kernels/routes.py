"""One number for each kernel: the confirmed closed form, else the enclosure, else an honest estimate."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from math import isfinite
from typing import Any

from flint import arb

from initmath import enclosure
from initmath.balls import accurate, bits, evaluate_to, relative_error, to_arb, working_precision
from initmath.derivation import Declined, Derivation, Number, Status
from initmath.errors import Disagreement, Divergent, InputError, NotEnclosed
from initmath.kernels import budget
from initmath.kernels.closed_form import LEAST_POINTS, checked, conditions_hold
from initmath.kernels.enclosed import Enclosed, enclose
from initmath.kernels.pair import KINDS, Pair, function
from initmath.moments import parameter_values

__all__ = ["Kernel", "kernel"]

GUARD_DIGITS = 3

COMPARED = 30
"""Most digits to which closed form and enclosure are compared; more say nothing new."""

SHARP = 1e-12
"""An enclosure this narrow, relative to √(E f² E f²), is shown even if more digits were asked."""

EXACT_METHOD = "closed form, evaluated in ball arithmetic; confirmed by the independent enclosure"


@dataclass(frozen=True, slots=True)
class Kernel:
    """A kernel of an activation at one pair.

    Attributes
    ----------
    kind : str
        ``"kernel"`` or ``"derivative_kernel"``.
    pair : Pair
    number : Number
    derivation : Derivation
        Of the closed form in the symbols q_1, q_2 and c; its value is None where there is none.
    warnings : tuple of str
    """

    kind: str
    pair: Pair
    number: Number
    derivation: Derivation
    warnings: tuple[str, ...] = ()


def kernel(activation: Any, kind: str, pair: Pair, digits: int = 15, timeout: float | None = None) -> Kernel:
    r"""Compute E g(y₁) g(y₂) or E g′(y₁) g′(y₂) by two routes that must agree.

    Parameters
    ----------
    activation : Activation
    kind : str
        ``"kernel"`` or ``"derivative_kernel"`` (the almost-everywhere part).
    pair : Pair
        q₁, q₂ > 0 and −1 ≤ c ≤ 1.
    digits : int
        Significant digits.
    timeout : float, optional
        Seconds for the closed form, for its confirmation, and for the enclosure; by default 4, 10 and 10.

    Returns
    -------
    Kernel
        ``number.error_bound`` is rigorous where ``number.certified``; else it is the error that two rules
        in double precision admit, and ``number.method`` says so.

    Raises
    ------
    Divergent
        If E g(y₁)g(y₂) does not exist (E g′g′ alone gives infinity instead).
    Disagreement
        If two routes contradict each other.

    Examples
    --------
    >>> from sympy import Rational
    >>> from initmath.activation import resolve
    >>> k = kernel(resolve("relu"), "kernel", Pair(Rational(1), Rational(1), Rational(1, 2)))
    >>> k.number.status.value, k.number.value
    ('exact', '0.304498890522115')
    """
    if kind not in KINDS:
        raise InputError(f"unknown kernel {kind!r}: choose one of {', '.join(KINDS)}")
    if activation.expr is None:
        number = _estimate(activation, kind, pair, digits)
        warning = "the function could not be traced to an expression: an estimate, not certified"
        return Kernel(kind, pair, number, checked(activation, kind).derivation, (warning,))
    values = parameter_values(activation)
    warnings = _warnings(activation, kind, values)
    independent: Enclosed | None = None
    missing = ""
    # The enclosure comes first: a divergent integral must be refused before any rule is believed.
    try:
        with budget.allowance(timeout):
            independent = enclose(activation, kind, pair, min(digits + GUARD_DIGITS, COMPARED), values)
    except NotEnclosed as error:
        missing = str(error)
    except Divergent as error:
        return _divergent(activation, kind, pair, digits, error, warnings)
    found = checked(activation, kind, pair, timeout)
    if found.derivation.value is not None and found.confirmed >= LEAST_POINTS:
        if conditions_hold(found.derivation, pair, values):
            number = _closed(activation, kind, pair, found.derivation, independent, digits, values)
            return Kernel(kind, pair, number, found.derivation, warnings)
        only = " and ".join(f"{condition} > 0" for condition in found.derivation.domain)
        warnings = (*warnings, f"{kind}: the closed form holds for {only} only, not here")
    if found.out_of_time:
        warnings = (*warnings, f"{kind}: {found.reason}; the number stands alone")
    number = _numeric(activation, kind, pair, independent, missing, digits, values, timeout)
    if not number.certified:
        warnings = (*warnings, f"{kind}: {number.method}")
    derivation = found.derivation
    if derivation.value is not None:
        declined = (Declined("confirmation", found.reason or warnings[-1]), *derivation.declined)
        derivation = replace(derivation, value=None, status=Status.NOT_DERIVED, declined=declined)
    return Kernel(kind, pair, number, derivation, warnings)


def _closed(
    activation: Any,
    kind: str,
    pair: Pair,
    derivation: Derivation,
    independent: Enclosed | None,
    digits: int,
    values: dict[Any, Any],
) -> Number:
    """Return the closed form's ball after it has met the enclosure at this very pair."""
    value: Any = derivation.value
    try:
        formula = evaluate_to(value, {**pair.values, **values}, digits + GUARD_DIGITS)
    except NotEnclosed:
        if independent is None or not independent.tight:
            raise
        return Number(Status.NUMERIC, independent.ball, None, independent.method, digits)
    if independent is None:
        method = "closed form, evaluated in ball arithmetic; confirmed by the enclosure at other q1, q2, c"
        return Number(derivation.status, formula, value, method, digits)
    if not formula.overlaps(independent.ball):
        raise Disagreement(
            f"{kind} of {activation.name} at {pair}: the closed form gives {formula.str(30)}, "
            f"the enclosure {independent.ball.str(30)}"
        )
    method = EXACT_METHOD
    if not independent.tight:
        method = (
            "closed form, evaluated in ball arithmetic; confirmed by the enclosure at other q1, q2, c, "
            f"here to {float(independent.ball.rad()):.1e}"
        )
    best = formula if relative_error(formula) <= relative_error(independent.ball) else independent.ball
    return Number(derivation.status, best, value, method, digits)


def _numeric(
    activation: Any,
    kind: str,
    pair: Pair,
    independent: Enclosed | None,
    missing: str,
    digits: int,
    values: dict[Any, Any],
    timeout: float | None,
) -> Number:
    """Return the enclosure where it is narrow, else an estimate inside it."""
    if independent is None:
        _refuse_unless_integrable(activation, kind, pair, missing, values)
        return _estimate(activation, kind, pair, digits, values, None, missing)
    deep = digits + GUARD_DIGITS
    if independent.tight and deep > COMPARED:
        independent = _deeper(activation, kind, pair, deep, values, timeout, independent)
        if not accurate(independent.ball, digits):
            digits = COMPARED  # no digit is shown that was not reached
    if independent.tight or relative_error(independent.ball) <= SHARP:
        return Number(Status.NUMERIC, independent.ball, None, independent.method, digits)
    return _estimate(activation, kind, pair, digits, values, independent.ball, missing)


def _deeper(
    activation: Any,
    kind: str,
    pair: Pair,
    digits: int,
    values: dict[Any, Any],
    timeout: float | None,
    known: Enclosed,
) -> Enclosed:
    """Return an enclosure to many digits, or the known one where that takes too long."""
    try:
        with budget.allowance(timeout):
            found = enclose(activation, kind, pair, digits, values)
    except NotEnclosed as error:
        return replace(known, method=f"{known.method}; not to {digits - GUARD_DIGITS} digits: {error}")
    if found.tight:
        return found
    best = found if found.ball.rad() < known.ball.rad() else known
    return replace(best, method=f"{best.method}; not to {digits - GUARD_DIGITS} digits")


def _refuse_unless_integrable(
    activation: Any, kind: str, pair: Pair, missing: str, values: dict[Any, Any]
) -> None:
    """Refuse to estimate an integral that may not exist: a finite rule gives a number to any."""
    square = function(activation, kind).subs(values).map(lambda e: e**2)
    try:
        for variance in {pair.q1, pair.q2}:
            enclosure.expectation(square, variance, 3)
    except (Divergent, NotEnclosed):
        raise NotEnclosed(
            f"{kind} of {activation.name} at {pair}: no proof that the integral exists ({missing})"
        ) from None


def _estimate(
    activation: Any,
    kind: str,
    pair: Pair,
    digits: int,
    values: dict[Any, Any] | None = None,
    proven: arb | None = None,
    missing: str = "",
) -> Number:
    """Two double-precision rules, whose difference bounds the error in practice; or a proof, if better."""
    import numpy as np

    from initmath import quadrature
    from initmath.kernels.pairs import pair_values

    order = 0 if kind == "kernel" else 1
    if values:
        from initmath.activation import resolve

        activation = resolve(activation.expr.subs(values), None)
    g = activation.numpy(order)
    first, second = float(pair.q1), float(pair.q2)
    found = pair_values(
        activation, np.array([first]), np.array([second]), np.array([float(1 - pair.c)]), thorough=True
    )
    value = float((found.kernel, found.derivative_kernel)[order][0])
    error = float(found.error[2 * order, 0])
    squares = quadrature.expectation(lambda y: g(y) ** 2, np.array([first, second]))
    size = float(np.sqrt(np.prod(np.asarray(squares.value))))
    error = error + 1e-14 * size
    if order == 1 and activation.expr is None:
        error += 1e-9 * size  # the derivative is a difference quotient
    if not (isfinite(value) and isfinite(error)):
        raise NotEnclosed(
            f"{kind} of {activation.name} at {pair}: {missing or 'no finite estimate was found'}"
        )
    if pair.c != 0 and abs(pair.c) < 1:
        # The double nearest to c is another correlation.
        error += abs(float(pair.c) - float(Fraction(str(pair.c)))) * size
    ball = arb(value, error)
    method = "two double-precision rules that agree to the error shown: error-bounded, not proven"
    if proven is not None and not ball.overlaps(proven):
        raise Disagreement(
            f"{kind} of {activation.name} at {pair}: quadrature gives {ball.str(20)}, "
            f"the enclosure {proven.str(20)}"
        )
    if proven is not None and proven.rad() <= ball.rad():
        return Number(Status.NUMERIC, proven, None, "certified, but to fewer digits than asked", digits)
    if proven is not None:
        with working_precision(bits(6)):
            method += f"; proven to {float(to_arb(proven).rad()):.1e}"
    return Number(Status.NUMERIC, ball, None, method, digits, certified=False)


def _divergent(
    activation: Any, kind: str, pair: Pair, digits: int, error: Divergent, warnings: tuple[str, ...]
) -> Kernel:
    """E g′g′ that does not exist is infinity; E g g is refused."""
    if kind == "kernel":
        raise error
    derivation = checked(activation, kind).derivation
    if not pair.proportional or pair.c < 0:
        raise error
    number = Number(Status.NUMERIC, arb.pos_inf(), None, f"diverges: {error}", digits)
    return Kernel(kind, pair, number, derivation, (*warnings, f"E g′(y1) g′(y2) is infinite: {error}"))


def _warnings(activation: Any, kind: str, values: dict[Any, Any]) -> tuple[str, ...]:
    found = []
    if kind == "derivative_kernel" and activation.jumps:
        points = ", ".join(str(point) for point in activation.jumps)
        found.append(f"g jumps at x = {points}: E g′(y1) g′(y2) is the almost-everywhere part")
    if values and kind == "kernel":
        chosen = ", ".join(f"{symbol} = {number}" for symbol, number in values.items())
        found.append(f"the closed forms hold for every admissible parameter; the decimals are at {chosen}")
    return tuple(found)
