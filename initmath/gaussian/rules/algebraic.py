"""ALGEBRAIC: powers of b + x², on the line (erfc, Bessel K) and on a half-line (incomplete gamma)."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Any

from sympy import (
    Add,
    Pow,
    Rational,
    S,
    besselk,
    binomial,
    erfc,
    exp,
    expand,
    expint,
    gamma,
    pi,
    sqrt,
    sstr,
    uppergamma,
)

from initmath.derivation import Declined, Step
from initmath.errors import Divergent
from initmath.gaussian.atoms import Kernel, only_atom
from initmath.gaussian.references import DLMF_BESSEL, DLMF_ERFC, DLMF_GAMMA, DLMF_U, STEIN
from initmath.integral import GaussianIntegral

__all__ = ["apply"]

NAME = "algebraic"
_HALF = Rational(1, 2)


def apply(node: GaussianIntegral) -> Step | Declined:
    """E[xⁿ (b + x²)^s] for integer and half-integer s, E[xⁿ (b + x²)^s θ(x)] for odd n, and E|x|^s.

    Examples
    --------
    >>> from initmath.integral import GaussianIntegral, q, x
    >>> from initmath.gaussian.rules.algebraic import apply
    >>> apply(GaussianIntegral(1 / (1 + x**2), x, 0, q)).after
    sqrt(2)*sqrt(pi)*exp(1/(2*q))*erfc(sqrt(2)/(2*sqrt(q)))/(2*sqrt(q))
    """
    if len(node.variables) != 1 or node.mean[0] != 0:
        return Declined(NAME, "only about mean zero in one dimension")
    atom = only_atom(node)
    if atom is None or atom.kernel.rest == 1:
        return Declined(NAME, "there is no power of b + x²")
    (x,), s = node.variables, node.covariance[0][0]
    kernel = atom.kernel
    if kernel != replace(kernel, quadratic=None, linear=None, wave=None) or len(kernel.factors) > 1:
        return Declined(NAME, "a power of b + x² beside an exponential, a wave or two indicators")
    power = _power(kernel.rest, x)
    if power is None:
        return Declined(NAME, "the other factor is not a power of b + x²")
    scale, b, exponent = power
    if b == 0:
        return _monomial(node, atom, scale, exponent, x, s)
    polynomial = {p: c * scale for (p,), c in atom.polynomial.items()}
    if kernel.factors:
        return _half_line(node, polynomial, kernel, b, exponent, s)
    if any(p % 2 for p in polynomial):
        return Declined(NAME, "odd powers were to vanish by parity")
    base = _base(exponent)
    if base is None:
        return Declined(NAME, f"(b + x²)^s is known for 2s integer; here s = {exponent}")
    if len(polynomial) == 1 and 0 in polynomial and exponent in base:
        return _known(node, polynomial[0], b, exponent, s)
    return _reduce(node, polynomial, b, exponent, base, x, s)


def _power(rest: Any, x: Any) -> tuple[Any, Any, Any] | None:
    """(scale, b, s) with rest = scale·(b + x²)^s; b = 0 and s the power of |x| for a power of x."""
    base, exponent = rest.as_base_exp()
    if x in exponent.free_symbols:
        return None
    if base == x:
        return S.One, S.Zero, exponent
    coefficients = dict.fromkeys((0, 2), S.Zero)
    for term in Add.make_args(base):
        c, rest_of_term = term.as_independent(x, as_Add=False)
        degree = {S.One: 0, x**2: 2}.get(rest_of_term)
        if degree is None:
            return None
        coefficients[degree] += c
    if coefficients[2] == 0 or coefficients[0] == 0:
        return None
    return coefficients[2] ** exponent, coefficients[0] / coefficients[2], exponent


def _base(exponent: Any) -> tuple[Any, ...] | None:
    """Return the powers to which the recurrence leads."""
    if exponent.is_Integer:
        return (S.NegativeOne,) if exponent < 0 else (S.Zero,)
    if (2 * exponent).is_Integer:
        return (-_HALF, _HALF)
    return None


@lru_cache(maxsize=512)
def _ladder(exponent: Any, b: Any, s: Any) -> dict[Any, Any]:
    """A(s) = E(b + x²)^s as a combination of the base cases: A(k+1) = (b + q + 2qk) A(k) − 2kbq A(k−1)."""
    half = not exponent.is_Integer
    if exponent in ((-_HALF, _HALF) if half else (S.NegativeOne, S.Zero)):
        return {exponent: S.One}
    if exponent > 0:
        k = exponent - 1
        terms = [(b + s + 2 * s * k, k), (-2 * k * b * s, k - 1)]
        divisor: Any = S.One
    else:
        k = exponent + 1
        terms = [(b + s + 2 * s * k, k), (S.NegativeOne, k + 1)]
        divisor = 2 * k * b * s
    out: dict[Any, Any] = {}
    for weight, lower in terms:
        if weight == 0:
            continue
        for key, c in _ladder(lower, b, s).items():
            out[key] = out.get(key, S.Zero) + weight * c / divisor
    return {key: expand(c) for key, c in out.items()}


def _reduce(
    node: GaussianIntegral, polynomial: dict[int, Any], b: Any, exponent: Any, base: Any, x: Any, s: Any
) -> Step:
    totals: dict[Any, Any] = {}
    for p, c in polynomial.items():
        n = p // 2
        for j in range(n + 1):  # x² = (b + x²) − b
            weight = c * binomial(n, j) * (-b) ** (n - j)
            for key, value in _ladder(exponent + j, b, s).items():
                totals[key] = totals.get(key, S.Zero) + weight * value
    terms = []
    for key, c in totals.items():
        f = Pow(b + x**2, key)
        terms.append(
            expand(c) * (S.One if key == 0 else node.func(f, node.variables, node.mean, node.covariance))
        )
    return Step(
        NAME,
        node,
        Add(*terms),
        "Write x² = (b + x²) − b, then lower the power by Stein's lemma: with A(s) = E(b + x²)^s, "
        "A(s+1) = (b + (1 + 2s)q) A(s) − 2sbq A(s−1)",
        (),
        (STEIN, DLMF_U),
    )


def _known(node: GaussianIntegral, c: Any, b: Any, exponent: Any, s: Any) -> Step:
    if exponent == -1:
        value = sqrt(pi) * exp(b / (2 * s)) * erfc(sqrt(b) / sqrt(2 * s)) / (sqrt(2) * sqrt(b) * sqrt(s))
        reason = (
            "Write 1/(b + x²) as ∫ e^(−t(b + x²)) dt and do x first: the complementary error function is left"
        )
        return Step(NAME, node, c * value, reason, (), (DLMF_ERFC,))
    a = b / (4 * s)
    if exponent == -_HALF:
        value = exp(a) * besselk(0, a) / sqrt(2 * pi * s)
    else:
        value = b * exp(a) * (besselk(0, a) + besselk(1, a)) / (2 * sqrt(2 * pi * s))
    reason = (
        "Put x = √b sinh t: x² + b = b cosh² t, and ∫ e^(−a cosh 2t) cosh(2νt) dt is the "
        "Bessel function K_ν(a)"
    )
    return Step(NAME, node, c * value, reason, (), (DLMF_BESSEL,))


def _half_line(
    node: GaussianIntegral, polynomial: dict[int, Any], kernel: Kernel, b: Any, exponent: Any, s: Any
) -> Step | Declined:
    (factor,) = kernel.factors
    if not factor.hard or factor.offset != 0:
        return Declined(NAME, "a half-line that does not start at the centre")
    if any(p % 2 == 0 for p in polynomial):
        return Declined(NAME, "even powers were to be halved by parity")
    sign = 1 if factor.slope[0].is_positive else -1
    total = S.Zero
    for p, c in polynomial.items():
        n = (p - 1) // 2
        for j in range(n + 1):
            total += sign * c * binomial(n, j) * (-b) ** (n - j) * _half_power(exponent + j, b, s)
    reason = (
        "x dx = ½ d(b + x²), so ∫₀^∞ x (b + x²)^s e^(−x²/2q) dx is an incomplete gamma function of b/(2q) "
        "(erfc or the exponential integral for half-integer and integer s)"
    )
    return Step(NAME, node, expand(total, deep=False), reason, (), (DLMF_GAMMA,))


@lru_cache(maxsize=256)
def _half_power(exponent: Any, b: Any, s: Any) -> Any:
    """E[x (b + x²)^s θ(x)] = (2q)^{s+½} e^z Γ(s+1, z)/(2√π), z = b/(2q)."""
    z = b / (2 * s)
    if exponent == -1:
        return exp(z) * expint(1, z) / (2 * sqrt(2 * pi * s))
    if exponent == -_HALF:
        return exp(z) * erfc(sqrt(b) / sqrt(2 * s)) / 2
    if exponent == 0:
        return sqrt(s) / sqrt(2 * pi)
    # by parts: E[x r^s θ] = q (b^s φ(0) + 2s E[x r^{s−1} θ])
    if exponent > 0 and (2 * exponent).is_Integer:
        return expand(
            s * (b**exponent / sqrt(2 * pi * s) + 2 * exponent * _half_power(exponent - 1, b, s)), deep=False
        )
    if (2 * exponent).is_Integer:
        upper = _half_power(exponent + 1, b, s)
        k = exponent + 1
        return expand((upper / s - b**k / sqrt(2 * pi * s)) / (2 * k), deep=False)
    return (2 * s) ** (exponent + _HALF) * exp(z) * uppergamma(exponent + 1, z) / (2 * sqrt(pi))


def _monomial(
    node: GaussianIntegral, atom: Any, scale: Any, exponent: Any, x: Any, s: Any
) -> Step | Declined:
    """E[x^p θ(±x)] for any real p > −1 on the half-line."""
    (factor, *more) = atom.kernel.factors or (None,)
    if more or factor is None or not factor.hard or factor.offset != 0 or not factor.slope[0].is_positive:
        return Declined(NAME, "a power of x that is not an integer needs the half-line x > 0")
    total = S.Zero
    for (p,), c in atom.polynomial.items():
        power = exponent + p
        if (power + 1).is_nonpositive:
            raise Divergent(f"E[{sstr(node.integrand)}] diverges: x^({sstr(power)}) is not integrable at 0")
        if not (power + 1).is_positive:
            return Declined(NAME, f"it is not known whether x^({sstr(power)}) is integrable at 0")
        total += c * scale * (2 * s) ** (power / 2) * gamma((power + 1) / 2) / (2 * sqrt(pi))
    return Step(
        NAME,
        node,
        total,
        "Put t = x²/(2q): the half-line moment of a real power is a gamma function",
        (),
        (DLMF_GAMMA,),
    )
