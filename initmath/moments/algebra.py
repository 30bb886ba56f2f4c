"""Exact algebra on closed forms: zero tests, tidying, solvable equations; no `simplify`, no `solve`.

A closed form is a rational function of a few transcendental atoms (π, e^{1/2}, erfc(1/√2), q, a, …).  Each
atom becomes an independent variable, roots keep their defining relation, and then polynomial arithmetic
decides.
"""

from __future__ import annotations

from collections.abc import Callable
from math import lcm
from typing import Any

from sympy import (
    Dummy,
    E,
    Integer,
    Pow,
    Rational,
    S,
    Symbol,
    cancel,
    erf,
    erfc,
    exp,
    expand,
    factor_list,
    factorint,
    log,
    rem,
    sqrt,
    together,
)
from sympy.core.numbers import NumberSymbol

from initmath.integral import Phi, q

__all__ = ["exponential_polynomial", "is_zero", "power_terms", "solve_for_q", "square_root", "tidy"]

MAX_OPERATIONS = 200
"""Longer expressions are left as they are: cancelling them would take longer than it helps."""

ASKED_OF_SYMPY = 30
"""Operations up to which SymPy decides alone whether a closed form vanishes."""


class _Atoms:
    """The replacement of transcendental atoms by variables, and the relations that roots obey."""

    def __init__(self, expr: Any) -> None:
        self.back: dict[Any, Any] = {}
        self.relations: list[tuple[Any, Any, Any]] = []
        self._variables: dict[Any, Any] = {}
        self._degrees: dict[Any, int] = {}
        self._rates: dict[Any, int] = {}
        expr = _one_error_function(expr)
        self._survey(expr)
        self.expr = self._replace(expr)

    def _survey(self, expr: Any) -> None:
        """Collect the denominators of the exponents of each base, and of the rates of each exponential."""
        if isinstance(expr, exp):
            for term in _terms(expr.args[0]):
                number, rest = term.as_coeff_Mul()
                self._rates[rest] = lcm(self._rates.get(rest, 1), int(number.q))
            return
        if isinstance(expr, Pow) and expr.exp.is_Rational:
            for base in _bases(expr.base):
                self._degrees[base] = lcm(self._degrees.get(base, 1), int(expr.exp.q))
            if not expr.base.is_Integer:
                self._survey(expr.base)
            return
        if expr.is_Add or expr.is_Mul:
            for argument in expr.args:
                self._survey(argument)

    def _replace(self, expr: Any) -> Any:
        if expr.is_Rational:
            return expr
        if isinstance(expr, exp):
            return self._exponential(expr.args[0])
        if expr is E:
            return self._exponential(S.One)
        if expr.is_Add or expr.is_Mul:
            return expr.func(*(self._replace(argument) for argument in expr.args))
        if isinstance(expr, Pow) and expr.exp.is_Rational:
            return self._power(expr)
        if isinstance(expr, Symbol | NumberSymbol) and expr in self._degrees:
            return self._root(expr) ** self._degrees[expr]
        return self._variable(expr)

    def _exponential(self, argument: Any) -> Any:
        product = S.One
        for term in _terms(argument):
            number, rest = term.as_coeff_Mul()
            parts = self._rates.get(rest, 1)
            product *= self._variable(exp(rest / parts)) ** (number * parts)
        return product

    def _power(self, expr: Any) -> Any:
        base, exponent = expr.base, expr.exp
        if exponent.is_Integer:
            return self._replace(base) ** exponent
        if base.is_Rational and base > 0:
            product = S.One
            for prime, multiplicity in _factors(base):
                product *= self._root(prime) ** (exponent * multiplicity * self._degrees[prime])
            return product
        return self._root(base) ** (exponent * self._degrees[base])

    def _root(self, base: Any) -> Any:
        """Return the variable r with r^d = base."""
        degree = self._degrees[base]
        atom = Pow(base, Rational(1, degree))
        fresh = atom not in self._variables
        variable = self._variable(atom)
        if fresh and not isinstance(base, Symbol | NumberSymbol):
            self.relations.append((variable, degree, self._replace(base)))
        return variable

    def _variable(self, atom: Any) -> Any:
        if isinstance(atom, Symbol):
            return atom
        if atom not in self._variables:
            self._variables[atom] = Dummy(f"t{len(self._variables)}", positive=True)
            self.back[self._variables[atom]] = atom
        return self._variables[atom]


def _terms(expr: Any) -> tuple[Any, ...]:
    expanded = expand(expr)
    return tuple(expanded.args) if expanded.is_Add else (expanded,)


def _factors(number: Any) -> list[tuple[Any, int]]:
    factors = {**factorint(int(number.p))}
    for prime, multiplicity in factorint(int(number.q)).items():
        factors[prime] = -multiplicity
    return [(Integer(prime), multiplicity) for prime, multiplicity in factors.items() if prime != 1]


def _bases(base: Any) -> list[Any]:
    if base.is_Rational and base > 0:
        return [prime for prime, _ in _factors(base)]
    return [base]


def _one_error_function(expr: Any) -> Any:
    """Write erf and Φ by erfc of an argument without a leading minus sign, so that equal atoms look equal."""

    def complementary(argument: Any) -> Any:
        return 2 - erfc(-argument) if argument.could_extract_minus_sign() else erfc(argument)

    table: dict[Any, Any] = {}
    for node in expr.atoms(erf):
        table[node] = 1 - complementary(node.args[0])
    for node in expr.atoms(erfc):
        table[node] = complementary(node.args[0])
    for node in expr.atoms(Phi):
        table[node] = complementary(-node.args[0] / sqrt(2)) / 2
    return expr.xreplace(table) if table else expr


def is_zero(expr: Any) -> bool:
    """Prove that a closed form vanishes identically; False means "not proven", never "not zero".

    Examples
    --------
    >>> from sympy import erf, erfc, exp, pi, sqrt
    >>> is_zero(sqrt(2) * exp(2) - sqrt(8) * exp(2) / 2 + erf(1) + erfc(1) - 1)
    True
    >>> is_zero(pi - 3)
    False
    """
    # SymPy's own answer takes seconds for a long constant that vanishes: it looks for a digit that is not 0.
    if expr.count_ops() <= ASKED_OF_SYMPY and expr.is_zero:
        return True
    if expr.count_ops() > 20 * MAX_OPERATIONS:
        return False
    atoms = _Atoms(expr)
    numerator = together(atoms.expr).as_numer_denom()[0].expand()
    # The relation found last lies outermost: reduce by it first.
    for variable, degree, base in sorted(atoms.relations, key=lambda r: -r[2].count_ops()):
        if numerator == 0:
            return True
        if variable in numerator.free_symbols:
            relation = together(variable**degree - base).as_numer_denom()[0].expand()
            numerator = together(rem(numerator, relation, variable)).as_numer_denom()[0].expand()
    return bool(numerator == 0)


def tidy(expr: Any) -> Any:
    """Return an equal, shorter expression: common factors cancelled, atoms kept as they are.

    Examples
    --------
    >>> from sympy import Symbol
    >>> a = Symbol("a", positive=True)
    >>> tidy(q / (q / 2 + a**2 * q / 2))
    2/(a**2 + 1)
    """
    if expr.is_Atom or expr.count_ops() > MAX_OPERATIONS:
        return expr
    atoms = _Atoms(expr)
    if any(len(base.args) > 0 for _, _, base in atoms.relations):
        return expr  # nested roots: cancelling them as independent variables rarely shortens anything
    short = cancel(atoms.expr)
    if short.has(S.NaN, S.ComplexInfinity):
        return expr
    back = short.xreplace(atoms.back)
    return back if back.count_ops() < expr.count_ops() else expr


def square_root(expr: Any, positive: Callable[[Any], bool]) -> Any:
    """Return √expr of a positive closed form as a fraction with all squares taken out of the root.

    Numerator and denominator are cancelled and factored in the atoms, so that nothing is left nested.

    Parameters
    ----------
    expr : Expr
    positive : callable
        Decides the sign of a factor that comes out of the root.

    Examples
    --------
    >>> from sympy import pi
    >>> square_root((pi - 3) ** 2 / (2 * pi), lambda e: bool(e > 0))
    sqrt(2)*(-3 + pi)/(2*sqrt(pi))
    """
    half = Rational(1, 2)
    if expr.is_Atom or expr.count_ops() > MAX_OPERATIONS:
        return Pow(expr, half, evaluate=not expr.args)
    atoms = _Atoms(expr)
    if any(len(base.args) > 0 for _, _, base in atoms.relations):
        return Pow(expr, half, evaluate=False)
    outside, inside = S.One, S.One
    for part, power in zip(cancel(atoms.expr).as_numer_denom(), (1, -1), strict=True):
        number, factors = factor_list(part)
        inside *= number**power
        for factor, multiplicity in factors:
            back = factor.xreplace(atoms.back)
            if multiplicity > 1:
                outer = back if positive(back) else -back
                outside *= outer ** (power * (multiplicity // 2))
            if multiplicity % 2:
                inside *= back**power
    root = Pow(inside, half) if inside.count_ops() <= SHORT_ROOT else Pow(inside, half, evaluate=False)
    return outside * root


SHORT_ROOT = 12
"""SymPy decides the sign of every factor before it takes a root: seconds for a longer expression."""


def power_terms(expr: Any, variable: Any = q) -> dict[Any, Any] | None:
    """Return {exponent: coefficient} of a sum of powers of q with rational exponents, or None.

    Examples
    --------
    >>> power_terms(3 * q**2 / 2 - 1)
    {0: -1, 2: 3/2}
    """
    found: dict[Any, Any] = {}
    expanded = expand(expr)
    for term in expanded.args if expanded.is_Add else (expanded,):
        coefficient, power = term.as_independent(variable, as_Add=False)
        if power == 1:
            exponent = S.Zero
        elif power == variable:
            exponent = S.One
        elif isinstance(power, Pow) and power.base == variable and power.exp.is_Rational:
            exponent = power.exp
        else:
            return None
        found[exponent] = found.get(exponent, S.Zero) + coefficient
    return {exponent: found[exponent] for exponent in sorted(found)}


def exponential_polynomial(expr: Any) -> tuple[Any, dict[int, Any]] | None:
    """Return (rate, {k: c_k}) with expr = Σ c_k e^{k·rate·q}, or None.

    Examples
    --------
    >>> from sympy import exp
    >>> exponential_polynomial(exp(2 * q) - exp(q))
    (1, {1: -1, 2: 1})
    """
    rates: dict[Any, Any] = {}
    expanded = expand(expr)
    for term in expanded.args if expanded.is_Add else (expanded,):
        coefficient, rest = term.as_independent(q, as_Add=False)
        if rest == 1:
            rate = S.Zero
        elif isinstance(rest, exp) and (rest.args[0] / q).is_Rational:
            rate = rest.args[0] / q
        else:
            return None
        rates[rate] = rates.get(rate, S.Zero) + coefficient
    moving = [rate for rate in rates if rate != 0]
    if not moving:
        return None
    unit = abs(moving[0])
    for rate in moving[1:]:
        unit = Rational(_gcd(unit, abs(rate)))
    if all(rate < 0 for rate in moving):
        unit = -unit
    return unit, {int(rate / unit): c for rate, c in sorted(rates.items(), key=lambda item: item[0] / unit)}


def _gcd(a: Any, b: Any) -> Any:
    while b:
        a, b = b, a % b
    return a


def solve_for_q(expr: Any, positive: Callable[[Any], bool]) -> tuple[Any, ...] | None:
    """Return every positive solution of expr = 0 exactly, or None when the equation is of no solvable kind.

    Solvable are c₀ + c₁ q^k, quadratics in q^k and in e^{rate·q}; their coefficients may contain parameters.

    Parameters
    ----------
    expr : Expr
        In the symbol q.
    positive : callable
        Decides whether an expression free of q is a positive real number.

    Examples
    --------
    >>> from sympy import exp
    >>> solve_for_q(exp(2 * q) - exp(q) - 1, lambda e: bool(e.is_real and e > 0))
    (log(1/2 + sqrt(5)/2),)
    """
    terms = power_terms(expr)
    if terms is not None:
        return _solve_powers(terms, positive)
    exponential = exponential_polynomial(expr)
    if exponential is None:
        return None
    rate, coefficients = exponential
    roots = _polynomial_roots({Integer(k): c for k, c in coefficients.items()}, positive)
    if roots is None:
        return None
    solutions = [log(root) / rate for root in roots]
    return tuple(solution for solution in solutions if positive(solution))


def _solve_powers(terms: dict[Any, Any], positive: Callable[[Any], bool]) -> tuple[Any, ...] | None:
    lowest = min(terms)
    shifted = {
        exponent - lowest: c for exponent, c in terms.items()
    }  # divided by q^lowest, which is never zero
    exponents = [exponent for exponent in shifted if exponent != 0]
    if not exponents:
        return ()
    unit = exponents[0]
    for exponent in exponents[1:]:
        unit = Rational(_gcd(unit, exponent))
    roots = _polynomial_roots({exponent / unit: c for exponent, c in shifted.items()}, positive)
    return None if roots is None else tuple(root ** (1 / unit) for root in roots)


def _polynomial_roots(
    coefficients: dict[Any, Any], positive: Callable[[Any], bool]
) -> tuple[Any, ...] | None:
    """Return the positive roots of a polynomial of degree at most two, smallest first."""
    coefficients = {int(k): tidy(c) for k, c in coefficients.items()}
    lowest = min(coefficients)
    c = {k - lowest: value for k, value in coefficients.items() if value != 0}
    degree = max(c)
    if degree == 1:
        candidates = [tidy(-c.get(0, S.Zero) / c[1])]
    elif degree == 2:
        discriminant = expand(c.get(1, S.Zero) ** 2 - 4 * c[2] * c.get(0, S.Zero))
        if discriminant != 0 and not positive(discriminant):
            return () if positive(-discriminant) else None
        half = sqrt(discriminant) / (2 * c[2])
        centre = -c.get(1, S.Zero) / (2 * c[2])
        candidates = [centre] if discriminant == 0 else [centre - half, centre + half]
    elif set(c) == {0, degree}:
        candidates = [tidy(-c[0] / c[degree])]
        return tuple(root ** Rational(1, degree) for root in candidates if positive(root))
    else:
        return None
    return tuple(root for root in candidates if positive(root))
