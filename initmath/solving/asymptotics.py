"""What a piece of g does for all x ≥ R: leading power, exponential rate and a rigorous bound of the rest.

A `Form` says that on [R, ∞)

    f(x) = e^{rate·x} (Σ c_k x^k + ρ(x)),   |ρ(x)| ≤ size · x^power · e^{-decay·x},

with balls for the constants.  Forms add, multiply and pass through exp, log, powers, tanh, erf, …; what has
no such form raises `NoForm`, and then nothing is claimed.  This is what turns "looks flat on the plot" into a
proof about the tails.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import sympy as sp
from flint import arb
from sympy import Add, Mul, Pow

from initmath.balls import evaluate
from initmath.integral import Phi

__all__ = ["Bound", "Form", "NoForm", "form_at_infinity", "largest"]

PREC = 80


class NoForm(Exception):
    """The expression has no form of this kind, or none was found."""


@dataclass(frozen=True, slots=True)
class Bound:
    """size · x^power · e^{-decay·x} on [R, ∞), size ≥ 0, decay ≥ 0."""

    size: arb
    power: Fraction
    decay: arb

    def at(self, x: arb) -> arb:
        """Return the value at x."""
        return self.size * _power(x, self.power) * (-self.decay * x).exp()


def largest(bound: Bound, start: arb) -> arb:
    """Return the supremum of a bound on [start, ∞): x^p e^{-bx} has its peak at p/b, which may lie beyond.

    Raises
    ------
    NoForm
        If it is not bounded.

    Examples
    --------
    >>> peaked = Bound(arb(1), Fraction(3), arb("0.25"))
    >>> abs(largest(peaked, arb(3)) - peaked.at(arb(12))) < 1e-10
    True
    """
    if bound.size.is_zero():
        return arb(0)
    if bound.power > 0:
        if not bound.decay > 0:
            raise NoForm("not bounded")
        peak = arb(bound.power.numerator) / bound.power.denominator / bound.decay
        return bound.at(start.max(peak))
    return bound.at(start)


NOTHING = Bound(arb(0), Fraction(0), arb(0))


@dataclass(frozen=True, slots=True)
class Form:
    """e^{rate·x}(Σ terms[k] x^k + rest) on [start, ∞)."""

    start: arb
    rate: arb
    terms: tuple[tuple[Fraction, arb], ...]
    rest: Bound

    def lead(self) -> tuple[Fraction, arb]:
        """Return the leading exponent and coefficient; the rest must be smaller."""
        if not self.terms:
            raise NoForm("only a bound is known")
        power, coefficient = self.terms[-1]
        if coefficient.contains(0):
            raise NoForm("the leading coefficient may vanish")
        if not self.rest.size.is_zero() and not (self.rest.decay > 0) and self.rest.power >= power:
            raise NoForm("the bound of the rest is not smaller than the leading term")
        return power, coefficient

    def without_lead(self) -> Bound:
        """Bound everything but the leading term (as a multiple of e^{rate·x})."""
        return _sum(_bound_terms(self.terms[:-1]), self.rest, self.start)

    def bound(self) -> Bound:
        """Bound |f|; needs rate ≤ 0."""
        if self.rate > 0:
            raise NoForm("grows exponentially")
        total = _sum(_bound_terms(self.terms), self.rest, self.start)
        return Bound(total.size, total.power, total.decay - self.rate)


def _power(x: arb, exponent: Fraction) -> arb:
    if exponent.denominator == 1:
        return x ** int(exponent)
    return (x.log() * exponent.numerator / exponent.denominator).exp()


def _bound_terms(terms: tuple[tuple[Fraction, arb], ...]) -> Bound:
    if not terms:
        return NOTHING
    # x ≥ 1, so every power is at most the largest one.
    return Bound(sum((abs(c) for _, c in terms), arb(0)), terms[-1][0], arb(0))


def _sum(first: Bound, second: Bound, start: arb) -> Bound:
    """Bound a sum of two bounds by one of the slower kind."""
    if first.size.is_zero():
        return second
    if second.size.is_zero():
        return first
    gap = second.decay - first.decay
    if gap < 0 or (gap.is_zero() and second.power > first.power):
        first, second, gap = second, first, -gap
    if not (gap >= 0):
        # Not comparable as balls: give up the faster decay.
        decay = first.decay.min(second.decay).lower()
        first = Bound(first.size, first.power, decay)
        second = Bound(second.size, second.power, decay)
        gap = arb(0)
        if second.power > first.power:
            first, second = second, first
    excess = second.power - first.power
    top = start
    if excess > 0:
        if gap.is_zero():
            raise NoForm("incomparable bounds")
        top = start.max(arb(excess.numerator) / excess.denominator / gap)
        if first.decay > 0 and not top <= start:
            # The slower one wins far out only: the larger power with the slower decay bounds both from here.
            size = first.size * _power(start, -excess) + second.size * (-gap * start).exp()
            return Bound(size, second.power, first.decay)
    factor = _power(top, excess) * (-gap * top).exp()
    return Bound(first.size + second.size * factor, first.power, first.decay)


def _product(first: Bound, second: Bound) -> Bound:
    return Bound(first.size * second.size, first.power + second.power, first.decay + second.decay)


def form_at_infinity(expr: Any, variable: Any, side: int, start: float, values: dict[Any, Any]) -> Form:
    """Return the form of ``expr`` at ``side·x``, x ≥ start ≥ 1.

    Raises
    ------
    NoForm

    Examples
    --------
    >>> from initmath.integral import x
    >>> form = form_at_infinity(sp.tanh(x), x, -1, 4.0, {})
    >>> form.lead()[1], form.rest.at(arb(4)) < 0.001
    (-1.00000000000000, True)
    """
    return _Builder(variable, side, arb(max(start, 1.0)), values).form(expr)


class _Builder:
    def __init__(self, variable: Any, side: int, start: arb, values: dict[Any, Any]) -> None:
        self.variable, self.side, self.start, self.values = variable, side, start, values

    def form(self, expr: Any) -> Form:
        if self.variable not in expr.free_symbols:
            return self.constant(evaluate(expr, self.values, PREC))
        if expr == self.variable:
            return self.make(arb(0), {Fraction(1): arb(self.side)}, NOTHING)
        if isinstance(expr, Add):
            total = self.form(expr.args[0])
            for argument in expr.args[1:]:
                total = self.add(total, self.form(argument))
            return total
        if isinstance(expr, Mul):
            product = self.form(expr.args[0])
            for argument in expr.args[1:]:
                product = self.multiply(product, self.form(argument))
            return product
        if isinstance(expr, sp.exp):
            return self.exponential(self.form(expr.args[0]))
        if isinstance(expr, Pow) and self.variable not in expr.exp.free_symbols and expr.exp.is_Rational:
            return self.power(self.form(expr.base), Fraction(int(expr.exp.p), int(expr.exp.q)))
        rule = _RULES.get(type(expr))
        if rule is None:
            raise NoForm(f"no rule for {type(expr).__name__}")
        result: Form = rule(self, self.form(expr.args[0]))
        return result

    # -- making ---------------------------------------------------------------

    def make(self, rate: arb, terms: dict[Fraction, arb], rest: Bound) -> Form:
        kept = tuple((k, terms[k]) for k in sorted(terms) if not terms[k].is_zero())
        return Form(self.start, rate, kept, rest)

    def constant(self, value: arb) -> Form:
        return self.make(arb(0), {Fraction(0): value}, NOTHING)

    def bounded(self, size: arb | int, power: Fraction = Fraction(0), decay: arb | int = 0) -> Form:
        return self.make(arb(0), {}, Bound(arb(size), power, arb(decay)))

    def around(self, value: arb, rest: Bound) -> Form:
        return self.make(arb(0), {Fraction(0): value}, rest)

    # -- arithmetic -----------------------------------------------------------

    def add(self, f: Form, g: Form) -> Form:
        gap = f.rate - g.rate
        if gap < 0:
            f, g, gap = g, f, -gap
        if gap.is_zero():
            terms = dict(f.terms)
            for k, c in g.terms:
                terms[k] = terms.get(k, arb(0)) + c
            return self.make(f.rate, terms, _sum(f.rest, g.rest, self.start))
        if not gap > 0:
            if f.rate < 0 and g.rate < 0:
                # Equal rates that are no dyadic numbers (1.702): a bound of the sum is still known.
                return self.make(arb(0), {}, _sum(f.bound(), g.bound(), self.start))
            raise NoForm("exponential rates cannot be compared")
        small = _sum(_bound_terms(g.terms), g.rest, self.start)
        small = Bound(small.size, small.power, small.decay + gap)
        return self.make(f.rate, dict(f.terms), _sum(f.rest, small, self.start))

    def multiply(self, f: Form, g: Form) -> Form:
        terms: dict[Fraction, arb] = {}
        for k, c in f.terms:
            for j, d in g.terms:
                terms[k + j] = terms.get(k + j, arb(0)) + c * d
        rest = _sum(
            _product(_bound_terms(f.terms), g.rest), _product(_bound_terms(g.terms), f.rest), self.start
        )
        rest = _sum(rest, _product(f.rest, g.rest), self.start)
        return self.make(f.rate + g.rate, terms, rest)

    def relative(self, f: Form) -> tuple[Fraction, arb, Bound, arb]:
        """Return k, c, a bound of u and its largest value in f = e^{rate x} c x^k (1 + u); |u| < 1/2."""
        k, c = f.lead()
        rest = f.without_lead()
        u = Bound(rest.size / abs(c), rest.power - k, rest.decay)
        top = self.largest(u)
        if not top < arb(1) / 2:
            raise NoForm("the leading term does not dominate yet: start further out")
        return k, c, u, top

    def largest(self, bound: Bound) -> arb:
        return largest(bound, self.start)

    def power(self, f: Form, exponent: Fraction) -> Form:
        if exponent.denominator == 1 and 0 < exponent <= 8:
            product = f
            for _ in range(int(exponent) - 1):
                product = self.multiply(product, f)
            return product
        k, c, u, top = self.relative(f)
        if exponent.denominator != 1 and not c > 0:
            raise NoForm("a root of a negative number")
        r = arb(exponent.numerator) / exponent.denominator
        value = c ** int(exponent) if exponent.denominator == 1 else (c.log() * r).exp()
        grow = abs(r) * ((1 + top).log() * (r - 1)).exp().max(((1 - top).log() * (r - 1)).exp())
        power = k * exponent
        rest = Bound(abs(value) * grow * u.size, u.power + power, u.decay)
        return self.make(f.rate * r, {power: value}, rest)

    # -- functions ------------------------------------------------------------

    def growth(self, f: Form) -> tuple[int, arb]:
        """Return (sign, κ) with sign·f(x) ≥ κ·x > 0 on [start, ∞)."""
        k, c, _, top = self.relative(f)
        slack = 1 - top
        # x^{k-1} e^{rate x} must not decrease.
        if not f.rate * self.start + (arb(k.numerator) / k.denominator - 1) >= 0:
            raise NoForm("does not grow linearly")
        kappa = abs(c) * slack * _power(self.start, k - 1) * (f.rate * self.start).exp()
        return (1 if c > 0 else -1), kappa.lower()

    def limit(self, f: Form) -> tuple[arb, Bound]:
        """Return c and a bound of f − c for a function with a finite limit."""
        if f.rate < 0:
            return arb(0), f.bound()
        if not f.rate.is_zero() or (f.terms and f.terms[-1][0] > 0):
            raise NoForm("no finite limit")
        value = dict(f.terms).get(Fraction(0), arb(0))
        smaller = tuple(term for term in f.terms if term[0] < 0)
        rest = _sum(_bound_terms(smaller), f.rest, self.start)
        self.largest(rest)
        return value, rest

    def exponential(self, f: Form) -> Form:
        try:
            value, rest = self.limit(f)
        except NoForm:
            pass
        else:
            return self._exponential_of(arb(0), value, rest)
        if f.rate.is_zero() and f.terms and f.terms[-1][0] == 1:
            slope = f.terms[-1][1]
            value, rest = self.limit(Form(self.start, arb(0), f.terms[:-1], f.rest))
            return self._exponential_of(slope, value, rest)
        sign, kappa = self.growth(f)
        if sign > 0:
            raise NoForm("grows faster than an exponential")
        return self.bounded(1, Fraction(0), kappa)

    def _exponential_of(self, slope: arb, value: arb, rest: Bound) -> Form:
        top = self.largest(rest)
        scale = value.exp()
        if not rest.size.is_zero() and not rest.decay > 0 and rest.power >= 0:
            return Form(self.start, slope, (), Bound(scale * top.exp(), Fraction(0), arb(0)))
        error = Bound(scale * top.exp() * rest.size, rest.power, rest.decay)
        return self.make(slope, {Fraction(0): scale}, error)

    def logarithm(self, f: Form) -> Form:
        k, c, u, _ = self.relative(f)
        if k != 0 or not c > 0:
            raise NoForm("a logarithm of x")
        return self._linear(f.rate, c.log(), u)

    def _linear(self, slope: arb, value: arb, u: Bound) -> Form:
        # |log(1 + u)| ≤ 2|u| for |u| ≤ 1/2.
        return self.make(
            arb(0), {Fraction(1): slope, Fraction(0): value}, Bound(2 * u.size, u.power, u.decay)
        )

    def saturating(self, f: Form, function: Any, lipschitz: arb, tail: Any) -> Form:
        """Form an increasing odd-like function with limits: ``tail(κ)`` bounds its distance from them."""
        try:
            value, rest = self.limit(f)
        except NoForm:
            sign, kappa = self.growth(f)
            low, high, bound = tail(kappa)
            return self.around(high if sign > 0 else low, bound)
        return self.around(function(value), Bound(lipschitz * rest.size, rest.power, rest.decay))

    def tanh(self, f: Form) -> Form:
        def tail(kappa: arb) -> tuple[arb, arb, Bound]:
            return arb(-1), arb(1), Bound(arb(2), Fraction(0), 2 * kappa)

        return self.saturating(f, arb.tanh, arb(1), tail)

    def erf(self, f: Form) -> Form:
        def tail(kappa: arb) -> tuple[arb, arb, Bound]:
            # 1 − erf t ≤ e^{-t²} ≤ e^{-κ² R x}
            return arb(-1), arb(1), Bound(arb(1), Fraction(0), kappa * kappa * self.start)

        return self.saturating(f, arb.erf, arb(2) / arb.pi().sqrt(), tail)

    def erfc(self, f: Form) -> Form:
        return self.add(self.constant(arb(1)), self.multiply(self.constant(arb(-1)), self.erf(f)))

    def phi(self, f: Form) -> Form:
        half = self.constant(arb(1) / 2)
        scaled = self.multiply(f, self.constant((arb(1) / 2).sqrt()))
        return self.add(half, self.multiply(half, self.erf(scaled)))

    def atan(self, f: Form) -> Form:
        try:
            value, rest = self.limit(f)
        except NoForm:
            pass
        else:
            return self.around(value.atan(), rest)
        k, c, _, top = self.relative(f)
        if not (k > 0 and f.rate >= 0):
            raise NoForm("atan of a small argument")
        # |π/2 − atan t| ≤ 1/t
        half = arb.pi() / 2
        return self.around(half if c > 0 else -half, Bound(1 / (abs(c) * (1 - top)), -k, f.rate))

    def oscillating(self, f: Form) -> Form:
        return self.bounded(1)

    def hyperbolic(self, f: Form, sign: int) -> Form:
        other = self.exponential(self.multiply(f, self.constant(arb(-1))))
        half = self.constant(arb(1) / 2)
        return self.multiply(
            half, self.add(self.exponential(f), self.multiply(self.constant(arb(sign)), other))
        )

    def inverse(self, f: Form) -> Form:
        return self.power(f, Fraction(-1))


_RULES: dict[type, Any] = {
    sp.log: _Builder.logarithm,
    sp.tanh: _Builder.tanh,
    sp.erf: _Builder.erf,
    sp.erfc: _Builder.erfc,
    Phi: _Builder.phi,
    sp.atan: _Builder.atan,
    sp.sin: _Builder.oscillating,
    sp.cos: _Builder.oscillating,
    sp.sinh: lambda builder, f: builder.hyperbolic(f, -1),
    sp.cosh: lambda builder, f: builder.hyperbolic(f, 1),
    sp.sech: lambda builder, f: builder.inverse(builder.hyperbolic(f, 1)),
}
