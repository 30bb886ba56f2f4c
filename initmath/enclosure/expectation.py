"""Certified E f(√q z): ball integration on a finite interval, a growth bound for the two tails."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property, lru_cache
from itertools import pairwise
from typing import Any

from flint import acb, arb
from sympy import Dummy, Mul, Poly, S, Symbol, exp, expand

from initmath.balls import accurate, bits, evaluate, program, to_arb, working_precision
from initmath.enclosure.bound import Bound
from initmath.enclosure.growth import Growth
from initmath.enclosure.plan import Plan, plan
from initmath.enclosure.tails import cut, log_peak, peak, tail, width
from initmath.errors import Divergent, InputError, NotEnclosed
from initmath.piecewise import Piece, PiecewiseSmooth

__all__ = ["expectation"]

_ATTEMPTS = 5
_STEERING_BITS = 64
_EVALUATIONS = 600_000
_SECONDS = 4.0
_RATE = Dummy("rate", positive=True)
#: A value below E|f|·10^-(digits + ZERO_DIGITS) is not told from zero.
_ZERO_DIGITS = 15


@dataclass(frozen=True)
class _Singular:
    """An end of a piece where f is unbounded: |f(p ± t)| ≤ bound(1/t), with what remains below ``t``."""

    bound: Bound
    start: float
    #: f(p ± s) as an expression in the variable, which now stands for s: nothing cancels near p.
    local: Any


@dataclass(frozen=True)
class _Problem:
    """Everything about the integral that does not depend on the precision."""

    plan: Plan
    q: Any
    values: dict[Any, Any]
    sides: dict[int, tuple[list[Bound], float]]
    pieces: tuple[Piece, ...]
    singular: dict[tuple[int, int], _Singular]
    budget: _Budget


@dataclass
class _Budget:
    """Evaluations and time that are left: what does not converge must not take minutes.

    An integrand must not raise inside ``acb.integral``: it notes the reason here, is 0 from then on, so that
    the integration ends at once and not after all its bisections, and `check` raises afterwards: what was
    integrated is never used.
    """

    seconds: float = _SECONDS
    left: int = _EVALUATIONS
    reason: str | None = None
    #: `spent` looks at the clock when ``left`` falls below this.
    look: int = _EVALUATIONS
    ends: float = field(init=False)

    def __post_init__(self) -> None:
        self.ends = time.monotonic() + self.seconds

    def spent(self) -> bool:
        """Whether to stop; asked again after 64 evaluations, or at once when it said yes."""
        if self.reason is not None:
            return True
        if self.left < 0:
            self.stop(f"{_EVALUATIONS} evaluations of the integrand did not suffice")
        elif time.monotonic() > self.ends:
            self.stop(f"{self.seconds:g} seconds did not suffice for the integral")
        else:
            self.look = self.left - 64
        return self.reason is not None

    def stop(self, reason: str) -> None:
        """Note why the integration is given up; every later evaluation sees it."""
        self.reason, self.look = reason, _EVALUATIONS + 1

    def check(self) -> None:
        """Raise what an evaluation could not."""
        if self.reason is not None:
            raise NotEnclosed(self.reason)


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
    >>> from sympy import Max, tanh
    >>> from initmath.integral import x
    >>> expectation(PiecewiseSmooth.from_expr(tanh(x) ** 2, x), 1, 15).str(12, radius=False)
    '0.394294490398'
    >>> expectation(PiecewiseSmooth.from_expr(Max(x, 0) ** 2, x), Fraction(1, 4), 30).str(12, radius=False)
    '0.125000000000'
    """
    if isinstance(q, (float, str)):
        raise InputError("q must be an exact number or a ball: int, Fraction, SymPy Rational or arb")
    with working_precision(_STEERING_BITS):
        ball = to_arb(q)
        if not ball > 0:
            raise InputError(f"the pre-activation variance q must be positive, got {q}")
        if not (ball > 1e-300 and ball < 1e300):
            raise NotEnclosed("q is outside the range 1e-300 to 1e300 of this route")
        problem = _pose(
            plan(f), q, dict(parameters or {}), _Budget(seconds or _SECONDS * max(1.0, digits / 50))
        )
    if not isinstance(q, arb) or q.is_exact():
        return _value(problem, digits)
    return _mean_value_form(problem, q, digits)


def _pose(ready: Plan, q: Any, values: dict[Any, Any], budget: _Budget) -> _Problem:
    """Prove the growth on both sides, and the integrability at the ends of the pieces."""
    x, ball = ready.variable, to_arb(q)
    missing = set().union(*(p.expr.free_symbols for p in ready.pieces)) - {x} - set(values)
    if missing:
        raise NotEnclosed(f"no value for the symbol {min(map(str, missing))}")
    sides = {}
    for side, piece in ((-1, ready.pieces[0]), (1, ready.pieces[-1])):
        if side == -1 and ready.parity:
            continue
        start = 0.0
        for point in (p.lower for p in ready.pieces[1:]):
            start = max(start, float(evaluate(abs(point), values, _STEERING_BITS).upper()))
        bounds, reached = _known_growth(piece.expr, x, side, start) if not values else (None, start)
        if bounds is None or not all(bound.quadratic * ball * 2 < 1 for bound in bounds):
            bounds, reached = _slow_enough(Growth(x, side, values, start), piece.expr, ball)
        sides[side] = (bounds, reached)
    pieces = ready.pieces
    if ready.parity:
        pieces = _right_half(pieces)
        sides[-1] = sides[1]
    return _Problem(ready, q, values, sides, pieces, _singular_ends(pieces, x, values), budget)


@lru_cache(maxsize=256)
def _known_growth(expr: Any, x: Any, side: int, start: float) -> tuple[list[Bound] | None, float]:
    """Bound a function without free symbols, once for all q: the bounds, and from where on they hold."""
    growth = Growth(x, side, {}, start)
    return growth.upper_terms(expr), growth.start


def _slow_enough(growth: Growth, expr: Any, q: arb) -> tuple[list[Bound], float]:
    """Bound a function that the density at this q outweighs, or raise."""
    bounds = growth.upper_terms(expr)
    if bounds is None or not all(bound.quadratic * q * 2 < 1 for bound in bounds):
        bound = growth.upper(expr)
        if bound is None or not (bound.quadratic * q * 2 < 1):
            _refuse(growth, expr, q, bound)
        assert bound is not None
        bounds = [bound]
    return bounds, growth.start


def _right_half(pieces: tuple[Piece, ...]) -> tuple[Piece, ...]:
    """Return the pieces on (0, ∞)."""
    count = len(pieces)
    if count % 2 == 0:
        return pieces[count // 2 :]
    middle = pieces[count // 2]
    return (Piece(S.Zero, middle.upper, middle.expr), *pieces[count // 2 + 1 :])


def _refuse(growth: Growth, expr: Any, q: arb, bound: Bound | None) -> None:
    lower = growth.lower(expr)
    if lower is not None:
        rate = lower.quadratic
        excess = 2 * rate * q - 1
        slow = lower.linear > 0 or (lower.linear >= 0 and lower.power >= -1)
        if lower.unbounded:
            raise Divergent(f"E {expr} diverges for every q > 0: it grows faster than a Gaussian falls")
        if excess > 0 or (excess.is_zero() and slow):
            raise Divergent(f"E {expr} diverges for q {'>=' if slow else '>'} {_threshold(rate)}")
    if bound is None:
        raise NotEnclosed(f"no bound of the growth of {expr} at infinity was found")
    raise NotEnclosed(f"the growth of {expr} at infinity is not known to be slow enough at this q")


def _threshold(rate: arb) -> str:
    """1/(2c) as a short fraction if it is one."""
    value = 1 / (2 * rate)
    guess = Fraction(float(value.mid())).limit_denominator(1000)
    return str(guess) if value.contains(to_arb(guess)) else value.str(8, radius=False)


def _singular_ends(
    pieces: tuple[Piece, ...], x: Any, values: dict[Any, Any]
) -> dict[tuple[int, int], _Singular]:
    """Bound f near the finite ends of the pieces where it is not finite; prove or refute integrability."""
    found = {}
    for index, piece in enumerate(pieces):
        for end, point in ((1, piece.lower), (-1, piece.upper)):
            if not point.is_finite:
                continue
            call = program(piece.expr, x).bind(values, _STEERING_BITS)
            try:
                finite = acb(call(acb(evaluate(point, values, _STEERING_BITS)), False)).is_finite()
            except (ZeroDivisionError, ValueError):
                finite = False
            if finite:
                continue
            # x = p ± 1/t: near p the growth class in t bounds |f| by A·(1 + 1/|x − p|)^n.
            t = Symbol("t", positive=True)
            local = _centred(piece.expr, x, point + end / t)
            growth = Growth(t, 1, values, 1.0)
            lower = growth.lower(local)
            if lower is not None and lower.power >= 1 and lower.grows:
                raise Divergent(f"E {piece.expr} diverges: it is not integrable at {x} = {point}")
            bound = growth.upper(local)
            if bound is None or not (bound.linear <= 0 and bound.quadratic <= 0 and bound.power < 1):
                raise NotEnclosed(
                    f"{piece.expr} is unbounded at {x} = {point}: no integrable bound was found"
                )
            found[index, end] = _Singular(bound, 1 / growth.start, _centred(piece.expr, x, point + end * x))
    return found


def _centred(expr: Any, x: Any, place: Any) -> Any:
    """Put p ± s for x and multiply out inside, so that p cancels exactly and not in rounding."""
    return expr.subs(x, place).replace(lambda e: e.is_Add, expand)


def _value(problem: _Problem, digits: int) -> arb:
    """Repeat with more precision and a wider interval until the relative accuracy holds."""
    if problem.plan.parity == -1:
        _integrate(problem, problem.q, digits=4, prec=_STEERING_BITS, log_size=None, weight=0)
        return arb(0)
    prec, log_size = bits(digits) + 8, None
    typical = arb(0)
    for _ in range(_ATTEMPTS):
        ball, sampled = _integrate(problem, problem.q, digits, prec, log_size, weight=0)
        if not ball.is_finite():
            raise NotEnclosed("the integral did not converge: a singularity on or near the real line")
        if accurate(ball, digits):
            return ball
        with working_precision(_STEERING_BITS):
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


def _mean_value_form(problem: _Problem, q: arb, digits: int, finest: int = 1) -> arb:
    """Enclose all values on a wide q; a q wider than 1/``finest`` of its lower end is split first."""
    if problem.plan.parity == -1:
        return _value(problem, digits)
    with working_precision(_STEERING_BITS):
        if q.rad() * finest > q.abs_lower() and problem.budget.left > 0:
            # A slope over a wide range of q says little: the hull of the values on two halves says more.
            middle_q = arb((q.abs_lower() * q.abs_upper()).sqrt().mid())
            halves = [q.abs_lower().union(middle_q), middle_q.union(q.abs_upper())]
            low, high = (_mean_value_form(replace(problem, q=half), half, digits, 10) for half in halves)
            return low.union(high)
    # Digits far below the width of q itself would be lost in it.
    with working_precision(_STEERING_BITS):
        width_digits = -(q.rad() / q.abs_lower()).log() / arb(10).log()
        digits = min(digits, 4 + max(0, math.ceil(float(width_digits.upper()))))
    middle = _value(replace(problem, q=arb(q.mid())), digits)
    slope, _ = _integrate(problem, q, digits=3, prec=_STEERING_BITS, log_size=None, weight=1)
    with working_precision(bits(digits)):
        ball = middle + (q - q.mid()) * slope
        if ball.is_finite():
            return ball
    raise NotEnclosed("the derivative in q could not be enclosed on this range of q")


def _integrate(
    problem: _Problem, q: Any, digits: int, prec: int, log_size: float | None, weight: int
) -> tuple[arb, arb]:
    """One pass: ∫ f(x)·w(x)·exp(−x²/2q) dx/√(2πq) with w = 1, or w = (x²/q − 1)/(2q) for the slope in q.

    ``log_size`` is the logarithm of the size that the accuracy refers to, when an earlier pass has found it.
    Returned with an estimate of ∫ |f·w|·(density) from samples, which proves nothing.
    """
    with working_precision(_STEERING_BITS):
        wide = to_arb(q)
        sides = {
            s: ([_weighted(b, wide, weight) for b in bounds], start)
            for s, (bounds, start) in problem.sides.items()
        }
        scale = float(wide.mid()) ** 0.5
        log_norm = 0.5 * math.log(2 * math.pi) + math.log(scale)
        highest = max(log_peak(b, wide, start) for bounds, start in sides.values() for b in bounds)
        cuts = _cuts(sides, wide, (highest - 15 if log_size is None else log_size + log_norm), digits)
        marks = _marks(scale, sides, wide)
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
            with working_precision(_STEERING_BITS):
                cuts = _cuts(sides, wide, float(sampled.log().mid()), digits)
        with working_precision(_STEERING_BITS):
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


def _cuts(
    sides: dict[int, tuple[list[Bound], float]], q: arb, log_size: float, digits: int
) -> dict[int, float]:
    """Where the tails may begin for an integral of about the size exp(log_size)."""
    tolerance = log_size - (digits + 3) * math.log(10)
    return {s: max(cut(b, q, start, tolerance) for b in bounds) for s, (bounds, start) in sides.items()}


def _weighted(bound: Bound, q: arb, weight: int) -> Bound:
    """Growth of f·w: |x²/q − 1|/(2q) ≤ (1 + 1/q)·(1 + t)²/(2q)."""
    return bound if weight == 0 else bound * Bound((1 + 1 / q) / (2 * q), arb(2))


def _marks(scale: float, sides: dict[int, tuple[list[Bound], float]], q: arb) -> list[float]:
    """Choose interior panel ends: zero, ±2√q for the mass, ±4 for features of g, and bumps of the bound."""
    marks = {0.0, 2 * scale, -2 * scale}
    if scale > 4:
        marks |= {4.0, -4.0}
    for side, (bounds, _) in sides.items():
        for bound in bounds:
            place, spread = peak(bound, q), width(bound, q)
            if place > 3 * scale or (place > 0 and spread < scale / 10):
                marks |= {side * max(place + step * spread, 0.0) for step in (-6, -2, 2, 6)}
    return sorted(marks)


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
    problem: _Problem,
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

    problem: _Problem
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
        piece, values = self.problem.pieces[self.index], self.problem.values
        lower = (
            arb(-cuts[-1]) if piece.lower is S.NegativeInfinity else evaluate(piece.lower, values, self.prec)
        )
        upper = arb(cuts[1]) if piece.upper is S.Infinity else evaluate(piece.upper, values, self.prec)
        return lower, upper

    def _decay(self, lower: arb, upper: arb) -> list[float]:
        """Place marks in a piece that begins far out, p ≫ √q, where the density falls within a length q/p."""
        q = float(to_arb(self.problem.q).mid())
        if lower > 0:
            side, point = 1, float(lower.mid())
        elif upper < 0:
            side, point = -1, -float(upper.mid())
        else:
            return []
        if point * point < 9 * q:
            return []
        return [side * (point + step * q / point) for step in (1, 4, 16, 64)]

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

    def _hole(self, singular: _Singular, point: arb) -> tuple[arb, arb]:
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
