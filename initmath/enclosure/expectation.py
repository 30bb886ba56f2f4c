"""Certified E f(√q z): ball integration on a finite interval, a growth bound for the two tails."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from itertools import pairwise
from typing import Any

from flint import acb, arb
from sympy import Dummy, Mul, Poly, exp

from initmath.balls import accurate, bits, program, to_arb, working_precision
from initmath.enclosure.bound import Bound
from initmath.enclosure.plan import plan
from initmath.enclosure.problem import (
    SECONDS,
    STEERING_BITS,
    Budget,
    Problem,
    Singular,
    choose_cuts,
    choose_marks,
    decay_marks,
    ends_of,
    pose,
)
from initmath.enclosure.tails import log_peak, tail
from initmath.errors import InputError, NotEnclosed
from initmath.piecewise import PiecewiseSmooth

__all__ = ["expectation"]

_ATTEMPTS = 5
_RATE = Dummy("rate", positive=True)
#: A value below E|f|·10^-(digits + ZERO_DIGITS) is not told from zero.
_ZERO_DIGITS = 15


def expectation(
    f: PiecewiseSmooth,
    q: Any,
    digits: int = 15,
    parameters: Mapping[Any, Any] | None = None,
    seconds: float | None = None,
) -> arb:
    r"""Enclose E f(√q z), z ~ N(0, 1), with a rigorous error that includes both tails.

    .. math:: E f(\sqrt q z) = \frac{1}{\sqrt{2\pi q}}\int_{-\infty}^{\infty} f(x)\,e^{-x^2/(2q)}\,dx

    Parameters
    ----------
    f : PiecewiseSmooth
    q : int, Fraction, Rational or arb
        Pre-activation variance, q > 0.  An `arb` with a radius stands for every variance in it.
    digits : int
        Relative accuracy asked, in decimal digits (absolute, against E|f|, for a value that is not told from
        zero).
    parameters : mapping of Symbol to number, optional
        Values of the symbols in f.
    seconds : float, optional
        Time after which the attempt is given up; 4 up to 50 digits, in proportion beyond.

    Returns
    -------
    arb
        A ball that contains the value.  For a wide q it contains the values at all of them, by the mean
        value form M(q₀) + (q − q₀)·M′(q), M′ = E f(x)·(x²/q − 1)/(2q), so that its width is first-order
        optimal.

    Raises
    ------
    Divergent
        The integral does not exist (proven by a lower bound of the growth, or by a pole).
    NotEnclosed
        No proof was found; the message is the reason.
    InputError
        q is not positive.

    References
    ----------
    .. [1] F. Johansson, "Numerical integration in arbitrary-precision ball arithmetic", 2018,
    arXiv:1802.07942.

    Examples
    --------
    >>> from fractions import Fraction
    >>> from sympy import Max, tanh
    >>> from initmath.integral import x
    >>> expectation(PiecewiseSmooth.from_expr(tanh(x) ** 2, x), 1, 15).str(12, radius=False)
    '0.394294490398'
    >>> expectation(PiecewiseSmooth.from_expr(Max(x, 0) ** 2, x), Fraction(1, 4), 30).str(12, radius=False)
    '0.125000000000'
    """
    if isinstance(q, (float, str)):
        raise InputError("q must be an exact number or a ball: int, Fraction, SymPy Rational or arb")
    with working_precision(STEERING_BITS):
        ball = to_arb(q)
        if not ball > 0:
            raise InputError(f"the pre-activation variance q must be positive, got {q}")
        if not (ball > 1e-300 and ball < 1e300):
            raise NotEnclosed("q is outside the range 1e-300 to 1e300 of this route")
        problem = pose(plan(f), q, dict(parameters or {}), Budget(seconds or SECONDS * max(1.0, digits / 50)))
    if not isinstance(q, arb) or q.is_exact():
        return _value(problem, digits)
    return _mean_value_form(problem, q, digits)


def _value(problem: Problem, digits: int) -> arb:
    """Repeat with more precision and a wider interval until the relative accuracy holds."""
    if problem.plan.parity == -1:
        _integrate(problem, problem.q, digits=4, prec=STEERING_BITS, log_size=None, weight=0)
        return arb(0)
    prec, log_size = bits(digits) + 8, None
    typical = arb(0)
    for _ in range(_ATTEMPTS):
        ball, sampled = _integrate(problem, problem.q, digits, prec, log_size, weight=0)
        if not ball.is_finite():
            raise NotEnclosed("the integral did not converge: a singularity on or near the real line")
        if accurate(ball, digits):
            return ball
        with working_precision(STEERING_BITS):
            typical = typical.max(sampled)
            nothing = ball.contains(0) and ball.rad() * arb(10) ** digits <= typical
            if nothing and log_size is not None and prec > 2 * bits(digits + _ZERO_DIGITS):
                return ball
            size = ball.abs_lower() if not ball.contains(0) else ball.abs_upper() * arb(10) ** -_ZERO_DIGITS
            if ball.contains(0) and typical > 0:
                size = size.min(typical * arb(10) ** -_ZERO_DIGITS)
            log_size = float(size.log().mid())
        prec = 2 * prec if ball.contains(0) else prec + bits(digits)
    raise NotEnclosed(f"{digits} digits were not reached: {ball.str(8)}")


def _mean_value_form(problem: Problem, q: arb, digits: int, finest: int = 1) -> arb:
    """Enclose all values on a wide q; a q wider than 1/``finest`` of its lower end is split first."""
    if problem.plan.parity == -1:
        return _value(problem, digits)
    with working_precision(STEERING_BITS):
        if q.rad() * finest > q.abs_lower() and problem.budget.left > 0:
            # A slope over a wide range of q says little: the hull of the values on two halves says more.
            middle_q = arb((q.abs_lower() * q.abs_upper()).sqrt().mid())
            halves = [q.abs_lower().union(middle_q), middle_q.union(q.abs_upper())]
            low, high = (_mean_value_form(replace(problem, q=half), half, digits, 10) for half in halves)
            return low.union(high)
    # Digits far below the width of q itself would be lost in it.
    with working_precision(STEERING_BITS):
        width_digits = -(q.rad() / q.abs_lower()).log() / arb(10).log()
        digits = min(digits, 4 + max(0, math.ceil(float(width_digits.upper()))))
    middle = _value(replace(problem, q=arb(q.mid())), digits)
    slope, _ = _integrate(problem, q, digits=3, prec=STEERING_BITS, log_size=None, weight=1)
    with working_precision(bits(digits)):
        ball = middle + (q - q.mid()) * slope
        if ball.is_finite():
            return ball
    raise NotEnclosed("the derivative in q could not be enclosed on this range of q")


def _integrate(
    problem: Problem, q: Any, digits: int, prec: int, log_size: float | None, weight: int
) -> tuple[arb, arb]:
    """One pass: ∫ f(x)·w(x)·exp(−x²/2q) dx/√(2πq) with w = 1, or w = (x²/q − 1)/(2q) for the slope in q.

    ``log_size`` is the logarithm of the size that the accuracy refers to, when an earlier pass has found it.
    Returned with an estimate of ∫ |f·w|·(density) from samples, which proves nothing.
    """
    with working_precision(STEERING_BITS):
        wide = to_arb(q)
        sides = {
            s: ([_weighted(b, wide, weight) for b in bounds], start)
            for s, (bounds, start) in problem.sides.items()
        }
        scale = float(wide.mid()) ** 0.5
        log_norm = 0.5 * math.log(2 * math.pi) + math.log(scale)
        highest = max(log_peak(b, wide, start) for bounds, start in sides.values() for b in bounds)
        cuts = choose_cuts(sides, wide, (highest - 15 if log_size is None else log_size + log_norm), digits)
        marks = choose_marks(scale, sides, wide)
    with working_precision(prec):
        ball = to_arb(q)
        parts = [
            _Part(problem, index, ball, weight, prec, digits)
            for index, piece in enumerate(problem.pieces)
            if piece.expr != 0
        ]
        sampled = sum((part.sample(marks, cuts) for part in parts), arb(0))
        size = sampled if log_size is None else arb(log_size + log_norm).exp()
        if log_size is None and sampled > 0 and sampled.is_finite():
            # What f is, not what its bound allows, sets the accuracy.
            with working_precision(STEERING_BITS):
                cuts = choose_cuts(sides, wide, float(sampled.log().mid()), digits)
        with working_precision(STEERING_BITS):
            rest = sum((tail(b, wide, cuts[s]) for s, (bounds, _) in sides.items() for b in bounds), arb(0))
        goal = arb(10) ** -(digits + 3)
        # Once the size is known it alone sets the accuracy: large contributions may cancel.
        relative = goal if log_size is None else arb(2) ** -prec
        total = arb(0)
        for part in parts:
            total += part.integrate(marks, cuts, relative, (size * goal).mid())
        if problem.plan.parity:
            total = 2 * total
        norm = (2 * arb.pi() * ball).sqrt()
        return (total + arb(0, rest.upper())) / norm, arb((sampled / norm).mid())


def _weighted(bound: Bound, q: arb, weight: int) -> Bound:
    """Growth of f·w: |x²/q − 1|/(2q) ≤ (1 + 1/q)·(1 + t)²/(2q)."""
    return bound if weight == 0 else bound * Bound((1 + 1 / q) / (2 * q), arb(2))


@lru_cache(maxsize=1024)
def _folded(expr: Any, x: Any, rate: Any) -> Any | None:
    """Return f·e^{−rate·x²} for f = h·e^{quadratic}, the square completed: one exponential."""
    factors = Mul.make_args(expr)
    exponents = [f.exp for f in factors if isinstance(f, exp)]
    if not exponents or not all(e.is_polynomial(x) for e in exponents):
        return None
    poly = Poly(sum(exponents), x)
    if poly.degree() != 2:
        return None
    a, b, c = poly.all_coeffs()
    a = a - rate
    rest = Mul(*(f for f in factors if not isinstance(f, exp)))
    return rest * exp(a * (x + b / (2 * a)) ** 2 + (c - b**2 / (4 * a)))


def _integrand(
    expr: Any,
    problem: Problem,
    q: arb,
    weight: int,
    prec: int,
    shift: tuple[arb, int] | None = None,
) -> Callable[[acb, bool], acb]:
    """Return f(x)·w(x)·e^{−x²/2q}; with ``shift`` = (p, ±1) the variable is s in x = p ± s."""
    x = problem.plan.variable
    folded = _folded(expr, x, _RATE) if shift is None else None
    if folded is not None:
        call = program(folded, x).bind({**problem.values, _RATE: 1 / (2 * q)}, prec)
    else:
        call = program(expr, x).bind(problem.values, prec)
    rate = acb(-1 / (2 * q))
    curvature, offset = acb(1 / (2 * q * q)), acb(1 / (2 * q))
    nowhere, nothing = acb(arb.nan(), arb.nan()), acb(0)
    budget = problem.budget

    def integrand(z: acb, analytic: bool) -> acb:
        budget.left -= 1
        if budget.left < budget.look and budget.spent():
            return nothing
        try:
            value = call(z, analytic)
        except (ZeroDivisionError, ValueError, OverflowError):
            return nowhere
        except NotEnclosed as error:
            budget.stop(str(error))
            return nowhere
        if not analytic:
            imaginary = value.imag
            if not imaginary.is_zero() and imaginary != 0 and value.is_finite() and z.imag.is_zero():
                budget.stop(f"{expr} is not real everywhere")
                return nowhere
        if shift is not None:
            z = shift[0] + shift[1] * z
        square = z * z
        if weight:
            value = value * (square * curvature - offset)
        return value if folded is not None else value * (square * rate).exp()

    return integrand


@dataclass(frozen=True)
class _Part:
    """One piece of the integral, at one precision."""

    problem: Problem
    index: int
    q: arb
    weight: int
    prec: int
    digits: int

    @cached_property
    def integrand(self) -> Callable[[acb, bool], acb]:
        piece = self.problem.pieces[self.index]
        return _integrand(piece.expr, self.problem, self.q, self.weight, self.prec)

    def _ends(self, cuts: dict[int, float]) -> tuple[arb, arb]:
        return ends_of(self.problem.pieces[self.index], cuts, self.problem.values, self.prec)

    def _decay(self, lower: arb, upper: arb) -> list[float]:
        return decay_marks(lower, upper, float(to_arb(self.problem.q).mid()))

    def sample(self, marks: list[float], cuts: dict[int, float]) -> arb:
        """Estimate ∫ |f|·weight from two places in each panel: it only steers."""
        total = arb(0)
        lower, upper = self._ends(cuts)
        inside = [arb(m) for m in sorted([*marks, *self._decay(lower, upper)]) if m > lower and m < upper]
        for left, right in pairwise([lower, *inside, upper]):
            largest = arb(0)
            for place in (0.25, 0.6):
                value = abs(self.integrand(acb((left + (right - left) * place).mid()), False))
                if value.is_finite() and value.mid() > largest:
                    largest = value.mid()
            total += largest * arb((right - left).mid())
        self.problem.budget.check()
        return total

    def integrate(self, marks: list[float], cuts: dict[int, float], goal: arb, absolute: arb) -> arb:
        """Integrate between the ends of the piece (or the cuts), panel by panel."""
        lower, upper = self._ends(cuts)
        total = arb(0)
        inner = [arb(m) for m in [*marks, *self._decay(lower, upper)]]
        half = (upper - lower) / 2
        for end in (1, -1):
            singular = self.problem.singular.get((self.index, end))
            if singular is None:
                continue
            # Near a singular end p, in s with x = p ± s; the parts meet at an exact point.
            point = lower if end == 1 else upper
            delta, missing = self._hole(singular, point)
            meet = arb((point + end * half.min(arb(1))).mid())
            reach = end * (meet - point)
            near = [arb((end * (m - point)).mid()) for m in inner]
            distance = delta * 4
            while distance < reach:
                near.append(distance)
                distance = distance * 4
            local = _integrand(
                singular.local, self.problem, self.q, self.weight, self.prec, shift=(point, end)
            )
            total += self._panels(local, delta, near, reach, goal, absolute) + arb(0, missing)
            lower, upper = (meet, upper) if end == 1 else (lower, meet)
        return total + self._panels(self.integrand, lower, inner, upper, goal, absolute)

    def _panels(
        self,
        integrand: Callable[[acb, bool], acb],
        lower: arb,
        marks: list[arb],
        upper: arb,
        goal: arb,
        absolute: arb,
    ) -> arb:
        inside = sorted((p for p in marks if p > lower and p < upper), key=lambda p: float(p.mid()))
        total = arb(0)
        for left, right in pairwise([lower, *inside, upper]):
            whole = acb.integral(integrand, acb(left), acb(right), rel_tol=goal, abs_tol=absolute)
            self.problem.budget.check()
            value = whole.real
            if whole.imag.is_finite() and not whole.imag.contains(0):
                raise NotEnclosed(f"{self.problem.pieces[self.index].expr} is not real everywhere")
            if not value.is_finite():
                expr = self.problem.pieces[self.index].expr
                where = f"[{left.str(5, radius=False)}, {right.str(5, radius=False)}]"
                raise NotEnclosed(f"the integral of {expr} did not converge on {where}")
            total += value
        return total

    def _hole(self, singular: Singular, point: arb) -> tuple[arb, arb]:
        """Return δ and a bound of ∫_0^δ |f·w|: A·2^n·δ^(1−n)/(1−n)·max|w| for |f| ≤ A·(1 + 1/t)^n."""
        power = singular.bound.power.max(arb(0))
        exponent = (self.digits + 6) * math.log2(10) / max(float((1 - power).mid()), 1e-3)
        delta = arb(
            ((arb(2) ** -int(exponent + 8)).min(arb(singular.start) / 2) * self.q.sqrt().min(arb(1))).mid()
        )
        bound = singular.bound.scale * arb(2) ** power * ((1 - power) * delta.log()).exp() / (1 - power)
        if self.weight:
            bound = bound * ((abs(point) + delta) ** 2 / self.q + 1) / (2 * self.q)
        return delta, bound.upper()
