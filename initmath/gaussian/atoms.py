r"""Read an integrand as a sum of atoms, the form on which the rules work, and write it back.

An atom is a polynomial times a kernel; the kernel is a product of

- exp(½ xᵀQx + bᵀx), the part that TILT absorbs into the Gaussian,
- at most one wave cos(ω·x + φ) or sin(ω·x + φ),
- normal distribution functions Φ(l·x + d) and indicators 1(±(xᵢ − c) > 0), the part that ORTHANT integrates,
- a rest, any other factor (a power of b + x², asinh x, …).

Everything is written for n variables; the moments of one layer are n = 1 and the two-point kernels n = 2.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from sympy import (
    Add,
    Function,
    Heaviside,
    Mul,
    Pow,
    Rational,
    S,
    acosh,
    asin,
    asinh,
    atan,
    cos,
    cosh,
    erf,
    erfc,
    exp,
    expand,
    log,
    sin,
    sinh,
    sqrt,
)

from initmath.integral import GaussianIntegral, Phi

__all__ = [
    "UNIT",
    "Atom",
    "Factor",
    "Kernel",
    "Polynomial",
    "atoms_of",
    "even_part",
    "integral_of",
    "linear_form",
    "mirrored",
    "only_atom",
    "polynomial_expr",
]

Polynomial = dict[tuple[int, ...], Any]
"""Monomial exponents → coefficient."""

HALF = Rational(1, 2)
_TAME = (log, asinh, acosh, atan, asin)


@dataclass(frozen=True, slots=True)
class Factor:
    """Φ(slope·x + offset), or the indicator of slope·x + offset > 0 when ``hard``.

    Both are P(W < slope·x + offset) with W normal of variance 1 or 0, which is why one rule integrates them.
    """

    slope: tuple[Any, ...]
    offset: Any
    hard: bool

    def as_expr(self, variables: tuple[Any, ...]) -> Any:
        """Return the factor as an expression in the variables."""
        argument = Add(self.offset, *(s * v for s, v in zip(self.slope, variables, strict=True)))
        return Heaviside(argument) if self.hard else Phi(argument)


@dataclass(frozen=True, slots=True)
class Kernel:
    """What multiplies the polynomial of an atom.

    Attributes
    ----------
    quadratic, linear :
        Q (tuple of rows) and b of exp(½ xᵀQx + bᵀx); None when that is 1.
    wave :
        (cos or sin, ω, φ), or None.
    factors : tuple of Factor
        Normal distribution functions and indicators, repeated when they are powers.
    rest : Expr
        Every other factor; 1 for a core atom.
    """

    quadratic: tuple[tuple[Any, ...], ...] | None = None
    linear: tuple[Any, ...] | None = None
    wave: tuple[Any, tuple[Any, ...], Any] | None = None
    factors: tuple[Factor, ...] = ()
    rest: Any = S.One

    @property
    def tilts(self) -> bool:
        """Whether there is an exponential for TILT to absorb."""
        return self.quadratic is not None or self.linear is not None

    def as_expr(self, variables: tuple[Any, ...]) -> Any:
        """Return the kernel as an expression in the variables."""
        parts = [self.rest, *(f.as_expr(variables) for f in self.factors)]
        exponent = S.Zero
        if self.quadratic is not None:
            exponent += Add(
                *(
                    self.quadratic[i][j] * u * v / 2
                    for i, u in enumerate(variables)
                    for j, v in enumerate(variables)
                )
            )
        if self.linear is not None:
            exponent += Add(*(b * v for b, v in zip(self.linear, variables, strict=True)))
        if exponent != 0:
            parts.append(exp(exponent))
        if self.wave is not None:
            function, frequency, phase = self.wave
            parts.append(function(Add(phase, *(w * v for w, v in zip(frequency, variables, strict=True)))))
        return Mul(*parts)


UNIT = Kernel()
"""The kernel of a plain polynomial."""


@dataclass(frozen=True, slots=True)
class Atom:
    """A polynomial times a kernel."""

    polynomial: Polynomial
    kernel: Kernel
    understood: bool = True
    """False for the terms that no rule of the core knows; they are kept together."""

    @property
    def degree(self) -> int:
        """Total degree of the polynomial."""
        return max((sum(m) for m in self.polynomial), default=0)

    def as_expr(self, variables: tuple[Any, ...]) -> Any:
        """Return the atom as an expression in the variables."""
        return polynomial_expr(self.polynomial, variables) * self.kernel.as_expr(variables)


def polynomial_expr(polynomial: Polynomial, variables: tuple[Any, ...]) -> Any:
    """Write a monomial dictionary as an expression."""
    return Add(
        *(
            Mul(c, *(Pow(v, e) for v, e in zip(variables, monomial, strict=True)))
            for monomial, c in polynomial.items()
        )
    )


def integral_of(node: Any, polynomial: Polynomial, kernel: Kernel) -> Any:
    """Return E[polynomial · kernel] under the law of ``node``, with a common constant taken out."""
    if not polynomial:
        return S.Zero
    variables = tuple(node.variables)
    constant: Any = S.One
    if len(polynomial) == 1:
        ((monomial, constant),) = polynomial.items()
        polynomial = {monomial: S.One}
        if kernel == UNIT and not any(monomial):
            return constant
    integrand = polynomial_expr(polynomial, variables) * kernel.as_expr(variables)
    return constant * node.func(integrand, node.variables, node.mean, node.covariance)


def linear_form(argument: Any, variables: tuple[Any, ...]) -> tuple[tuple[Any, ...], Any] | None:
    """Return (slopes, offset) of an expression linear in the variables, else None.

    Examples
    --------
    >>> from initmath.gaussian.atoms import linear_form
    >>> from initmath.integral import x
    >>> linear_form(3 - 2 * x, (x,))
    ((-2,), 3)
    """
    read = _quadratic_form(argument, variables)
    if read is None or any(c != 0 for row in read[0] for c in row):
        return None
    return read[1], read[2]


def _quadratic_form(argument: Any, variables: tuple[Any, ...]) -> tuple[Any, tuple[Any, ...], Any] | None:
    """Q, b, c with argument = ½ xᵀQx + bᵀx + c, else None."""
    n = len(variables)
    quadratic = [[S.Zero] * n for _ in range(n)]
    linear = [S.Zero] * n
    constant = S.Zero
    for term in Add.make_args(_expanded(argument, deep=True)):
        read = _monomial(term, variables)
        if read is None:
            return None
        coefficient, powers = read
        degree = sum(powers)
        if degree == 0:
            constant += coefficient
        elif degree == 1:
            linear[powers.index(1)] += coefficient
        elif degree == 2:
            involved = [i for i, p in enumerate(powers) for _ in range(p)]
            i, j = involved
            quadratic[i][j] += coefficient
            quadratic[j][i] += coefficient
        else:
            return None
    return tuple(tuple(row) for row in quadratic), tuple(linear), constant


def _monomial(term: Any, variables: tuple[Any, ...]) -> tuple[Any, list[int]] | None:
    powers = [0] * len(variables)
    coefficient = []
    for factor in Mul.make_args(term):
        base, exponent = factor.as_base_exp()
        if base in variables and exponent.is_Integer and exponent > 0:
            powers[variables.index(base)] += int(exponent)
        elif factor.free_symbols.isdisjoint(variables):
            coefficient.append(factor)
        else:
            return None
    return Mul(*coefficient), powers


def _expanded(expr: Any, deep: bool = False) -> Any:
    if isinstance(expr, Add | Mul | Pow):
        return expand(expr, deep=deep, power_base=False, power_exp=False, log=False, basic=False)
    return expr


def _exponentials(expr: Any) -> Any:
    """Write erf of algebraic arguments by Φ, and sinh, cosh by exponentials."""
    if not expr.has(erf, erfc, sinh, cosh):
        return expr
    return expr.replace(lambda e: isinstance(e, erf | erfc | sinh | cosh), _exponential)


def _exponential(function: Any) -> Any:
    u = function.args[0]
    if isinstance(function, sinh):
        return (exp(u) - exp(-u)) / 2
    if isinstance(function, cosh):
        return (exp(u) + exp(-u)) / 2
    if u.has(Function):
        return function
    return 2 * Phi(sqrt(2) * u) - 1 if isinstance(function, erf) else 2 * Phi(-sqrt(2) * u)


@lru_cache(maxsize=512)
def atoms_of(integrand: Any, variables: tuple[Any, ...]) -> tuple[Atom, ...]:
    """Expand the integrand and group the terms by kernel.

    Terms with a pole at 0 (x⁻ⁿ) are put into one atom, because only their sum is integrable; so
    are the terms whose rest is not understood, which are left for the rules of special functions.

    Examples
    --------
    >>> from sympy import exp
    >>> from initmath.gaussian.atoms import atoms_of
    >>> from initmath.integral import x
    >>> [atom.as_expr((x,)) for atom in atoms_of((x + exp(x)) ** 2, (x,))]
    [x**2, 2*x*exp(x), exp(2*x)]
    """
    groups: dict[Kernel, Polynomial] = {}
    singular: list[Any] = []
    wild: list[Any] = []
    for term in Add.make_args(_deep(_exponentials(integrand), variables)):
        for coefficient, powers, kernel in _read_term(term, variables):
            rest = kernel.rest
            if rest is not S.One and _has_pole(rest, variables):
                singular.append(Mul(coefficient, _written(powers, kernel, variables)))
            elif rest is not S.One and not _tame(kernel, variables):
                wild.append(Mul(coefficient, _written(powers, kernel, variables)))
            else:
                polynomial = groups.setdefault(kernel, {})
                monomial = tuple(powers)
                polynomial[monomial] = polynomial.get(monomial, S.Zero) + coefficient
    out: list[Atom] = []
    zero = (0,) * len(variables)
    for kernel, polynomial in groups.items():
        kept = {m: c for m, c in polynomial.items() if c != 0}
        if kept:
            out.append(Atom(kept, kernel))
    for terms, understood in ((singular, True), (wild, False)):
        total = Add(*terms)
        if total != 0:
            out.append(Atom({zero: S.One}, Kernel(rest=total), understood))
    return tuple(out)


def _written(powers: Iterable[int], kernel: Kernel, variables: tuple[Any, ...]) -> Any:
    return Mul(kernel.as_expr(variables), *(Pow(v, p) for v, p in zip(variables, powers, strict=True)))


def _deep(expr: Any, variables: tuple[Any, ...]) -> Any:
    """Expand products and integer powers of sums, but not inside functions and not in denominators."""
    if isinstance(expr, Add):
        return Add(*(_deep(a, variables) for a in expr.args))
    if isinstance(expr, Pow) and expr.exp.is_Integer and expr.exp > 0:
        base = _deep(expr.base, variables)
        if isinstance(base, Add | Mul):
            return _expanded(Pow(base, expr.exp))
        return Pow(base, expr.exp)
    if isinstance(expr, Mul):
        if not any(isinstance(b, Add) for f in expr.args for b in [f.as_base_exp()[0]]):
            return expr
        product = Mul(*(_deep(a, variables) for a in expr.args))
        expanded = _expanded(product)
        if isinstance(expanded, Add) and expanded != expr:
            return Add(*(_deep(a, variables) if _still_open(a) else a for a in expanded.args))
        return expanded
    return expr


def _still_open(term: Any) -> bool:
    for factor in Mul.make_args(term):
        base, exponent = factor.as_base_exp()
        if isinstance(base, Add) and exponent.is_Integer and exponent > 0:
            return True
    return False


def _read_term(term: Any, variables: tuple[Any, ...]) -> list[tuple[Any, list[int], Kernel]]:
    """One product as (coefficient, powers, kernel); several of them when waves are multiplied."""
    n = len(variables)
    powers = [0] * n
    coefficient: list[Any] = []
    exponents: list[Any] = []
    waves: list[Any] = []
    factors: list[Factor] = []
    rest: list[Any] = []
    for factor in Mul.make_args(term):
        if factor.free_symbols.isdisjoint(variables):
            coefficient.append(factor)
            continue
        base, exponent = (factor, S.One) if isinstance(factor, exp) else factor.as_base_exp()
        times = int(exponent) if exponent.is_Integer and exponent > 0 else 0
        if base in variables and times:
            powers[variables.index(base)] += times
        elif isinstance(base, exp) and exponent is S.One:
            exponents.append(base.args[0])
        elif isinstance(base, sin | cos) and times and linear_form(base.args[0], variables) is not None:
            waves += [base] * times
        elif isinstance(base, Phi | Heaviside) and times and linear_form(base.args[0], variables) is not None:
            slope, offset = linear_form(base.args[0], variables)  # type: ignore[misc]
            hard = isinstance(base, Heaviside)
            factors += [Factor(slope, offset, hard)] * (1 if hard else times)
        else:
            rest.append(factor)
    quadratic: Any = None
    linear: Any = None
    if exponents:
        read = _quadratic_form(Add(*exponents), variables)
        if read is None:
            rest.append(exp(Add(*exponents)))
        else:
            quadratic, linear, constant = read
            coefficient.append(exp(constant))
            quadratic = quadratic if any(c != 0 for row in quadratic for c in row) else None
            linear = linear if any(c != 0 for c in linear) else None
    factors.sort(key=lambda f: (f.hard, str(f.slope), str(f.offset)))
    kernel = Kernel(quadratic, linear, None, tuple(factors), Mul(*rest))
    base_coefficient = Mul(*coefficient)
    if not waves:
        return [(base_coefficient, powers, kernel)]
    out = []
    for scale, wave in _product_to_sum(waves):
        if wave.free_symbols.isdisjoint(variables):
            out.append((base_coefficient * scale * wave, powers, kernel))
            continue
        sign, body = wave.as_coeff_Mul()
        frequency, phase = linear_form(body.args[0], variables)  # type: ignore[misc]
        out.append(
            (base_coefficient * scale * sign, powers, replace(kernel, wave=(body.func, frequency, phase)))
        )
    return out


def _product_to_sum(waves: list[Any]) -> list[tuple[Any, Any]]:
    """Write a product of sines and cosines as Σ scale·wave."""
    terms: list[tuple[Any, Any]] = [(S.One, waves[0])]
    for other in waves[1:]:
        new: list[tuple[Any, Any]] = []
        for scale, wave in terms:
            sign, body = wave.as_coeff_Mul()
            scale = scale * sign
            if not isinstance(body, sin | cos):  # an earlier product gave the constant 1
                new.append((scale * body, other))
                continue
            a, b = body.args[0], other.args[0]
            minus, plus = _expanded(a - b), _expanded(a + b)
            if isinstance(body, cos) and isinstance(other, cos):
                new += [(scale / 2, cos(minus)), (scale / 2, cos(plus))]
            elif isinstance(body, sin) and isinstance(other, sin):
                new += [(scale / 2, cos(minus)), (-scale / 2, cos(plus))]
            elif isinstance(body, sin):
                new += [(scale / 2, sin(minus)), (scale / 2, sin(plus))]
            else:
                new += [(-scale / 2, sin(minus)), (scale / 2, sin(plus))]
        terms = [(s, w) for s, w in new if w != 0]
    return terms


def _has_pole(rest: Any, variables: tuple[Any, ...]) -> bool:
    return any(
        b in variables and e.is_Integer and e < 0 for f in Mul.make_args(rest) for b, e in [f.as_base_exp()]
    )


def _tame(kernel: Kernel, variables: tuple[Any, ...]) -> bool:
    """Whether the rest is a product of powers of polynomials, logarithms and inverse functions."""
    return all(_tame_factor(f, kernel, variables) for f in Mul.make_args(kernel.rest))


def _tame_factor(factor: Any, kernel: Kernel, variables: tuple[Any, ...]) -> bool:
    base, exponent = factor.as_base_exp()
    if isinstance(base, exp) or not exponent.free_symbols.isdisjoint(variables):
        return False
    if isinstance(base, _TAME):
        argument = base.args[0]
        finite = _bounded_away(argument, kernel, variables) if isinstance(base, log) else True
        return bool(finite and exponent.is_Integer and exponent > 0 and argument.is_polynomial(*variables))
    if not base.is_polynomial(*variables):
        return False
    return bool(
        (exponent.is_Integer and exponent > 0) or _bounded_away(base, kernel, variables) or base in variables
    )


def _bounded_away(base: Any, kernel: Kernel, variables: tuple[Any, ...]) -> bool:
    """Whether a base is positive (where the kernel's indicator is not 0)."""
    read = _quadratic_form(base, variables)
    if read is None or len(variables) != 1:
        return bool(base.is_positive)
    ((curvature,),), (slope,), constant = read
    if curvature != 0:
        return bool(slope == 0 and (constant / curvature).is_positive)
    hard = [f for f in kernel.factors if f.hard]
    # slope·x + constant on the half-line side·x > 0
    return bool(
        hard and hard[0].offset == 0 and constant.is_positive and (slope * hard[0].slope[0]).is_positive
    )


def even_part(polynomial: Polynomial) -> Polynomial:
    """Keep the monomials of even total degree."""
    return {m: c for m, c in polynomial.items() if sum(m) % 2 == 0}


def mirrored(expr: Any, variables: tuple[Any, ...]) -> Any:
    """Return f(−x)."""
    return expr.xreplace({v: -v for v in variables})


def only_atom(node: GaussianIntegral) -> Atom | None:
    """Return the integrand as one atom, or None if it is a sum of several."""
    found = atoms_of(node.integrand, tuple(node.variables))
    return found[0] if len(found) == 1 else None
