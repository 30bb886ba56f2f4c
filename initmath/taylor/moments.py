"""The moments as power series in q, how wrong they are at a given q, and where they stop improving."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import inf
from typing import Any

from sympy import Add, Mul, Poly, Pow, Rational, cos, cosh, exp, factorial2, sin, sinh

from initmath.derivation import Declined, Number, Status
from initmath.errors import InputError
from initmath.integral import q as q_symbol
from initmath.piecewise import sign_of
from initmath.taylor.gain import exact_number
from initmath.taylor.series import DECIMALS, NotAnalytic, Series, derivative, expand_at_zero, square

__all__ = ["MeasuredSeries", "MomentSeries", "moment_series"]

_NAMES = ("mean", "second_moment", "variance", "derivative_second_moment")


@dataclass(frozen=True)
class MomentSeries:
    """E f(√q z) = Σ a_k q^k from the Taylor series of f at 0, cut behind q^n.

    Attributes
    ----------
    moment : str
        ``"mean"``, ``"second_moment"``, ``"variance"`` or ``"derivative_second_moment"``.
    order : int
        2n, the last power of x that was kept.
    piece, variable : Expr, Symbol
        The analytic expression that is g around 0.
    convergence : str
        ``"exact"`` (the series ends: a polynomial), ``"everywhere"`` (proven: f is of exponential type) or
        ``"unknown"``. For a g with a pole or branch point in the complex plane it is an asymptotic series
        and diverges at every q.
    ignored_kinks : tuple of Expr
        Breakpoints away from 0 that the series at 0 knows nothing about: where there are any it is not even
        asymptotically the truth beyond terms of the size exp(−c²/2q).
    """

    moment: str
    order: int
    piece: Any
    variable: Any
    convergence: str
    ignored_kinks: tuple[Any, ...] = ()

    status = Status.TRUNCATED

    @cached_property
    def coefficients(self) -> tuple[Any, ...]:
        """The a_k = f^(2k)(0) / (2^k k!), k = 0 … n, as exact expressions."""
        series = _moment(
            expand_at_zero(self.piece, self.variable, self.order + 1), self.moment, self.order // 2
        )
        return tuple(series.field.to_sympy(a) for a in series.terms)

    @property
    def polynomial(self) -> Any:
        """The truncated series as an expression in q."""
        return Add(*(a * q_symbol**k for k, a in enumerate(self.coefficients)))

    @property
    def caveats(self) -> tuple[str, ...]:
        """What a reader must be told before using a value."""
        notes = []
        if self.ignored_kinks:
            points = ", ".join(str(c) for c in self.ignored_kinks)
            notes.append(f"the Taylor series at 0 ignores the kinks of g at {points}")
        if self.convergence == "unknown":
            notes.append("the series is not proven to converge; with a complex singularity of g it diverges")
        return tuple(notes)

    @cached_property
    def _numbers(self) -> tuple[Fraction, ...]:
        if self.piece.free_symbols - {self.variable}:
            raise InputError("the activation has symbolic parameters: a number needs their values")
        decimal = expand_at_zero(self.piece, self.variable, self.order + 1, DECIMALS)
        series = _moment(decimal, self.moment, self.order // 2)
        return tuple(_fraction(series.field.to_sympy(a)) for a in series.terms)

    def partial_sums(self, q: Any) -> tuple[Fraction, ...]:
        """Return the value at q after the terms q^0, q^1, …, q^n.

        The coefficients are computed to 150 digits; nothing else is rounded.
        """
        at = Fraction(str(exact_number(q, "q")))
        total, power, sums = Fraction(0), Fraction(1), []
        for a in self._numbers:
            total += a * power
            power *= at
            sums.append(total)
        return tuple(sums)

    def measured(self, q: Any, exact: Any) -> MeasuredSeries:
        """Hold every partial sum against the true value.

        Parameters
        ----------
        q : number
        exact : float, Fraction, str or arb
            The value from another route; a ball's radius counts against the series.

        Returns
        -------
        MeasuredSeries
        """
        centre, radius = _centre_and_radius(exact)
        sums = self.partial_sums(q)
        errors = tuple(_upper(abs(s - centre) + radius) for s in sums)
        return MeasuredSeries(self, q, sums, errors, self._still_growing(q))

    def _still_growing(self, q: Any) -> bool:
        at = Fraction(str(exact_number(q, "q")))
        sizes = [abs(a) * at**k for k, a in enumerate(self._numbers)]
        sizes = [s for s in sizes if s]
        return len(sizes) > 2 and sizes[-1] > min(sizes)


@dataclass(frozen=True)
class MeasuredSeries:
    """A moment series at one q beside the truth.

    Attributes
    ----------
    series : MomentSeries
    q : number
    values : tuple of Fraction
        Partial sums; entry k uses the Taylor series of f to order 2k.
    errors : tuple of float
        |value − true|, rounded up.
    growing : bool
        The last term is larger than the smallest one: more terms make it worse (an asymptotic series past
        its best order).  Observed up to this order, not proven for all.
    """

    series: MomentSeries
    q: Any
    values: tuple[Fraction, ...]
    errors: tuple[float, ...]
    growing: bool

    @property
    def best(self) -> int:
        """Index of the partial sum with the smallest error (the earliest, if several)."""
        return min(range(len(self.errors)), key=lambda k: self.errors[k])

    @property
    def best_order(self) -> int:
        """Order 2k in x at which the series is best."""
        return 2 * self.best

    @property
    def best_error(self) -> float:
        """The smallest error that any order reaches."""
        return self.errors[self.best]

    def number(self, k: int | None = None, digits: int = 15) -> Number:
        """Return a partial sum (the best by default) as a `Number` that carries its measured error."""
        from flint import arb, fmpq

        index = self.best if k is None else k
        value = self.values[index]
        centre = arb(fmpq(value.numerator, value.denominator))
        return Number(
            Status.TRUNCATED,
            arb(centre.mid(), centre.rad() + arb(self.errors[index])),
            None,
            f"Taylor series at 0 to order {2 * index}, error measured against another route",
            digits,
        )


def moment_series(activation: Any, moment: str = "second_moment", order: int = 20) -> MomentSeries | Declined:
    """Moment of an activation as a power series in q.

    Parameters
    ----------
    activation : Activation
    moment : {"mean", "second_moment", "variance", "derivative_second_moment"}
    order : int
        Last power 2n of x to keep, even, at most 200.

    Returns
    -------
    MomentSeries, or Declined
        Declined if g is not analytic at 0.

    References
    ----------
    .. [1] S. K. Kumar, On weight initialization in deep neural networks, 2017, arXiv:1704.08863, eq. (8).

    Examples
    --------
    >>> from initmath.activation import resolve
    >>> series = moment_series(resolve("tanh"), "second_moment", 8)
    >>> [round(float(s), 3) for s in series.partial_sums(1)]
    [0.0, 1.0, -1.0, 4.667, -16.0]
    """
    if moment not in _NAMES:
        raise InputError(f"moment must be one of {', '.join(_NAMES)}, got {moment!r}")
    if order < 0 or order % 2 or order > 200:
        raise InputError(f"order must be even and between 0 and 200, got {order}")
    if activation.expr is None:
        return Declined(
            "taylor", "the activation could not be traced to an expression, so it has no Taylor series"
        )
    pieces = activation.pieces
    own = next(
        (p for p in pieces.pieces if sign_of(p.lower) == -1 and sign_of(p.upper) == 1),
        None,
    )
    if own is None:
        return Declined("taylor", "g is not analytic at 0: two different pieces meet there")
    x = pieces.variable
    try:
        expand_at_zero(own.expr, x, 1)
    except NotAnalytic as reason:
        return Declined("taylor", f"g has no Taylor series at 0: {reason}")
    ignored = tuple(pieces.breakpoints)
    degree = _degree(own.expr, x)
    convergence = "unknown"
    if not ignored and degree is not None and _needed(moment, degree) <= order:
        convergence = "exact"
    elif not ignored and _exponential_type(own.expr, x):
        convergence = "everywhere"
    return MomentSeries(moment, order, own.expr, x, convergence, ignored)


def _moment(g: Series, moment: str, n: int) -> Series:
    """Turn the series of g in x into that of a moment in q."""
    if moment == "mean":
        return _averaged(g, n)
    if moment == "second_moment":
        return _averaged(square(g), n)
    if moment == "derivative_second_moment":
        return _averaged(square(derivative(g)), n)
    second, mean = _averaged(square(g), n), square(_averaged(g, n))
    return Series(g.field, 0, [s - m for s, m in zip(second.terms, mean.terms, strict=True)])


def _averaged(f: Series, n: int) -> Series:
    """Σ f_{2k} E z^{2k} q^k: E z^{2k} = (2k − 1)!!."""
    field = f.field
    terms = [f.coefficient(2 * k) * field(int(factorial2(2 * k - 1))) for k in range(n + 1)]
    return Series(field, 0, terms)


def _degree(expr: Any, x: Any) -> int | None:
    if not expr.is_polynomial(x):
        return None
    return max((power for (power,) in Poly(expr, x).monoms()), default=0)


def _needed(moment: str, degree: int) -> int:
    """Power of x up to which the moment of a polynomial of this degree must be known."""
    return {"mean": degree, "derivative_second_moment": 2 * max(degree - 1, 0)}.get(moment, 2 * degree)


def _exponential_type(expr: Any, x: Any) -> bool:
    """Whether f is built so that |f(z)| ≤ A exp(B|z|) in the whole complex plane.

    Then Σ f_{2k} (2k − 1)!! q^k converges for every q.  Sufficient, read off the tree: polynomials, exp,
    sin, cos, sinh and cosh of linear functions, their sums, products and whole powers.
    """
    if expr.is_polynomial(x):
        return True
    if isinstance(expr, Add | Mul):
        return all(_exponential_type(arg, x) for arg in expr.args)
    if isinstance(expr, exp | sin | cos | sinh | cosh):
        degree = _degree(expr.args[0], x)
        return degree is not None and degree <= 1
    if isinstance(expr, Pow):
        return bool(expr.exp.is_Integer and expr.exp >= 0 and _exponential_type(expr.base, x))
    return False


def _fraction(value: Any) -> Fraction:
    number = Rational(value)
    return Fraction(int(number.p), int(number.q))


def _centre_and_radius(exact: Any) -> tuple[Fraction, Fraction]:
    """Return a supplied value as a rational interval."""
    if hasattr(exact, "mid") and hasattr(exact, "rad"):
        if not exact.is_finite():
            raise InputError("the exact value must be finite")
        return _dyadic(exact.mid()), _dyadic(exact.rad())
    number = exact_number(exact, "the exact value")
    return _fraction(number), Fraction(0)


def _dyadic(point: Any) -> Fraction:
    mantissa, exponent = point.man_exp()
    return Fraction(int(mantissa)) * Fraction(2) ** int(exponent)


def _upper(value: Fraction) -> float:
    """Return the smallest double that is not below, or inf."""
    from math import nextafter

    try:
        rounded = float(value)
    except OverflowError:
        return inf
    return rounded if Fraction(rounded) >= value else nextafter(rounded, inf)
