r"""Say whether a missing closed form is proven not to exist in a named class, or merely was not found.

The class: D-finite functions of q (solutions of linear differential equations with polynomial
coefficients).  It is closed under +, ×, ∫ and contains the algebraic functions, exp, erf, asin,
Ei, the Bessel and the hypergeometric functions and Meijer G of algebraic arguments.

The argument: M(q) = E f(√q z) has the asymptotic series Σ f⁽²ᵏ⁾(0) qᵏ/(2ᵏ k!) at q → 0, and so
have its derivatives. If M were D-finite, the coefficients would satisfy a linear recurrence with
polynomial coefficients, and so would the Taylor coefficients of the even part of f; it would be
D-finite, and a D-finite function has finitely many singularities.  So an even part with
infinitely many poles is a proof.

Here f is a rational function of x and w = e^{κP(x)} with P(−x) = ±P(x) and a denominator in w
alone.  If the even part in lowest terms keeps a denominator with a root w₀ ≠ 0, every solution of
κP(x) = log w₀ + 2πik is a pole, but for the finitely many zeros of the numerator.

References
----------
.. [1] Stanley, Differentiably finite power series, European J. Combin. 1 (1980), theorems 1.5, 2.1.
"""

from __future__ import annotations

from typing import Any

from flint import acb, acb_poly
from sympy import (
    QQ,
    Dummy,
    Integer,
    Mul,
    NumberSymbol,
    Poly,
    Pow,
    Rational,
    S,
    Symbol,
    cancel,
    cosh,
    exp,
    field,
    fraction,
    sinh,
    tanh,
    together,
)

from initmath.balls import evaluate, working_precision
from initmath.derivation import Declined
from initmath.errors import NotEnclosed

__all__ = ["absence"]

RULE = "class"
_MAX_OPERATIONS = 150
_SAMPLE = Rational(3, 7)
_PARAMETER = Rational(13, 11)
_PREC = 300


def absence(f: Any, x: Any) -> Declined:
    """Return the verdict on a function f without a closed form for E f(√q z).

    Examples
    --------
    >>> from sympy import tanh
    >>> from initmath.gaussian.absence import absence
    >>> from initmath.integral import x
    >>> absence(tanh(x) ** 2, x).reason[:46]
    'proven not to exist: E f(√q z) is no D-finite '
    """
    denominator = _even_denominator(f, x)
    if denominator is None:
        return Declined(RULE, "no closed form was found (it is not proven that there is none)")
    return Declined(
        RULE,
        "proven not to exist: E f(√q z) is no D-finite function of q (so no combination "
        "of algebraic functions, exp, "
        "erf, asin, Ei, Bessel, pFq, Meijer G by +, ×, ∫), because the even part of f "
        "has infinitely many poles "
        f"(zeros of {denominator})"
        + ("" if f.free_symbols <= {x} else "; for all but finitely many values of each parameter"),
    )


def _even_denominator(f: Any, x: Any) -> Any:
    """Return what vanishes at the infinitely many poles of the even part, or None if they are not proven."""
    if f.count_ops() > _MAX_OPERATIONS:
        return None
    plain = f.rewrite(exp) if f.has(tanh, sinh, cosh) else f
    exponentials = [e for e in plain.atoms(exp) if x in e.free_symbols]
    if not exponentials:
        return None
    unit = _unit(exponentials, x)
    if unit is None:
        return None
    generator, powers = unit
    parity = _parity(generator, x)
    if parity is None:
        return None
    w = Dummy("w")
    rational = plain.xreplace({e: Pow(w, k) for e, k in powers.items()})
    if rational.has(exp) or not rational.is_rational_function(x, w):
        return None
    if any(e.exp.is_negative and e.base.has(x) for e in rational.atoms(Pow)):
        return None
    poly = _denominator(rational, x, w, parity)
    if len(poly.terms()) < 2:  # a power of w has no root but 0
        return None
    return poly.sqf_part().as_expr().xreplace({w: exp(generator)})


def _denominator(rational: Any, x: Any, w: Any, parity: int) -> Any:
    """Return the reduced denominator of f(x, w) + f(−x, w^±1) at one x, as a polynomial in w.

    A pole (x₀, w₀) of the even part at one x₀ shows that the denominator, free of x, keeps its root w₀.
    """
    if rational.free_symbols <= {x, w} and not rational.has(NumberSymbol) and _rational_numbers(rational):
        ring, generator = field("w", QQ)
        at = ring(QQ(_SAMPLE.p, _SAMPLE.q))
        even = _value(rational, {x: at, w: generator}, ring)
        even += _value(rational, {x: -at, w: 1 / generator if parity < 0 else generator}, ring)
        return Poly(even.denom.as_expr().subs(Symbol("w"), w), w)
    mirrored = rational.subs({x: -x, w: 1 / w if parity < 0 else w}, simultaneous=True)
    numerator, denominator = fraction(cancel(together((rational + mirrored).subs(x, _SAMPLE))))
    poly = Poly(denominator, w)
    # Over Q(√2, π, a, …) the fraction may not be in lowest terms: a root must be seen to be a pole.
    return poly if _coprime(Poly(numerator, w), poly.sqf_part(), w) else Poly(1, w)


def _coprime(numerator: Any, denominator: Any, w: Any) -> bool:
    """Prove by balls that the numerator vanishes at no root of the denominator, w = 0 left out.

    Parameters are set to one value: a common root that is not there at one value is there at finitely many.
    """
    values = {s: _PARAMETER for s in (numerator.free_symbols | denominator.free_symbols) - {w}}
    try:
        with working_precision(_PREC):
            over, under = (
                acb_poly([acb(evaluate(c, values, _PREC)) for c in reversed(poly.all_coeffs())])
                for poly in (numerator, denominator)
            )
            roots = under.roots()
            return all(0 in root or not over(root).contains(0) for root in roots)
    except (NotEnclosed, ValueError, ZeroDivisionError):
        return False


def _rational_numbers(expr: Any) -> bool:
    return all(e.exp.is_Integer for e in expr.atoms(Pow))


def _value(expr: Any, generators: dict[Any, Any], ring: Any) -> Any:
    """Evaluate in the field of rational functions of w, without ever expanding an expression."""
    if expr in generators:
        return generators[expr]
    if expr.is_Rational:
        return ring(QQ(int(expr.p), int(expr.q)))
    parts = [_value(a, generators, ring) for a in (expr.args if not expr.is_Pow else expr.args[:1])]
    if expr.is_Pow:
        return parts[0] ** int(expr.exp)
    total = parts[0]
    for part in parts[1:]:
        total = total + part if expr.is_Add else total * part
    return total


def _unit(exponentials: list[Any], x: Any) -> tuple[Any, dict[Any, int]] | None:
    """Return a generator u(x) without constant term with every exponential an integer power of e^u."""
    first = exponentials[0].args[0]
    ratios = []
    for e in exponentials:
        ratio = cancel(e.args[0] / first)
        if not ratio.is_Rational:
            return None
        ratios.append(ratio)
    scale = Integer(1)
    for r in ratios:
        scale = scale * r.q // scale.gcd(Integer(r.q))
    generator = Mul(first, S.One / scale).expand()
    if not generator.is_polynomial(x):
        return None
    return generator, {e: int(r * scale) for e, r in zip(exponentials, ratios, strict=True)}


def _parity(generator: Any, x: Any) -> int | None:
    reflected = generator.xreplace({x: -x}).expand()
    if reflected == -generator:
        return -1
    return 1 if reflected == generator else None
