"""LOGISTIC: polynomials in x, tanh κx (sigmoid, sech² …), log cosh κx (softplus), by L(q) = E sech²(√q z)."""

from __future__ import annotations

from math import comb
from typing import Any

from sympy import Add, Integer, Mul, Pow, S, cosh, exp, expand, log, sech, tanh

from initmath.derivation import Declined, Step
from initmath.gaussian.logistic_form import LogisticForm, logistic_form
from initmath.gaussian.logistic_numerics import derivative_polynomial
from initmath.gaussian.special import logistic_L
from initmath.integral import GaussianIntegral

__all__ = ["apply"]

NAME = "logistic"
_HEAT = "heat equation dE f/dq = ½E f″, e.g. Evans, Partial differential equations (2010), §2.3.1"
_STEIN = (
    "Stein, Estimation of the mean of a multivariate normal distribution, Ann. Statist. 9 (1981), lemma 1"
)
_DLMF = "DLMF 4.28 (hyperbolic functions by exponentials), 4.34.5, 4.34.6"


def apply(node: GaussianIntegral) -> Step | Declined:
    """Reduce E p(x, tanh κx, log cosh κx) to L(κ²q) = E sech²(κ√q z) and its derivatives.

    Examples
    --------
    >>> from initmath.integral import GaussianIntegral, q, x
    >>> apply(GaussianIntegral(tanh(x) ** 2, x, 0, q)).after
    1 - logistic_L(q)
    >>> apply(GaussianIntegral(1 / (1 + exp(-x)), x, 0, q)).after
    1/2
    """
    if len(node.variables) != 1 or node.mean[0] != 0:
        return Declined(NAME, "only about mean zero in one dimension")
    x, f = node.variables[0], node.integrand
    if not _mentions(f, x):
        return Declined(NAME, "no logistic function")
    atom = _atom(f, x)
    if atom is not None:
        return _reduce_atom(node, *atom)
    forms, rest = _read(f, x)
    if not forms:
        return Declined(NAME, "not a polynomial in x, tanh κx and log cosh κx with a single κ in each term")
    after = Add(*(_written(node, form) for form in forms))
    if rest != 0:
        after += GaussianIntegral(rest, node.variables, node.mean, node.covariance)
    if after == node:
        return Declined(NAME, "powers of log cosh beyond the first, or multiplied by tanh")
    kappas = sorted({form.kappa for form in forms}, key=str)
    where = ", ".join(f"T = tanh({kappa * x})" for kappa in kappas)
    return Step(
        NAME,
        node,
        after,
        f"With {where}: e^(2κx) = (1 + T)/(1 − T), hence 1/(1 + e^(−2κx)) = (1 + T)/2 and sech² = 1 − T², "
        "and log(1 + e^(2κx)) = log 2 + κx + log cosh κx; multiply out, the expectation is linear and odd "
        "terms vanish",
        (),
        (_DLMF,),
    )


def _mentions(f: Any, x: Any) -> bool:
    """Whether a logistic function occurs: tanh, sech, 1/(… e^{cx} …) or a logarithm of such."""
    if f.has(tanh, sech):
        return True
    # sinh/cosh, 1/(1 + e^{cx}), log(1 + e^{cx}), log cosh
    for part in f.atoms(Pow, log):
        base = part.args[0]
        if (isinstance(part, log) or part.exp.is_negative) and base.has(exp, cosh) and base.has(x):
            return True
    return False


def _atom(f: Any, x: Any) -> tuple[int, int, int, Any] | None:
    """Match xⁿ·tanh(κx)^m·log(cosh κx)^l exactly, as (n, m, l, κ)."""
    powers = {"x": 0, "tanh": 0, "log": 0}
    kappa = None
    for factor in Mul.make_args(f):
        base, exponent = factor.as_base_exp()
        if not exponent.is_Integer or exponent < 0:
            return None
        if base == x:
            powers["x"] += int(exponent)
            continue
        if isinstance(base, tanh):
            kind, u = "tanh", base.args[0]
        elif isinstance(base, log) and isinstance(base.args[0], cosh):
            kind, u = "log", base.args[0].args[0]
        else:
            return None
        slope = u / x
        if slope.has(x) or kappa not in (None, slope):
            return None
        kappa = slope
        powers[kind] += int(exponent)
    return None if kappa is None else (powers["x"], powers["tanh"], powers["log"], kappa)


def _read(f: Any, x: Any) -> tuple[list[LogisticForm], Any]:
    """Read the integrand as forms, each with its own κ, and what is left."""
    whole = logistic_form(f, x)
    if whole is not None:
        return [whole], S.Zero
    opened = f if isinstance(f, Add) else expand(f, power_exp=False, power_base=False, log=False)
    if not isinstance(opened, Add):
        return [], f
    forms, rest = [], []
    for term in opened.args:
        form = logistic_form(term, x) if _mentions(term, x) else None
        if form is None:
            rest.append(term)
        else:
            forms.append(form)
    return forms, Add(*rest)


def _written(node: GaussianIntegral, form: LogisticForm) -> Any:
    """Σ c·E[xⁿT^mℓ^l], without the odd terms."""
    x = node.variables[0]
    total: list[Any] = []
    for (n, m, level), c in form.terms:
        if (n + m) % 2:
            continue
        body = x**n * tanh(form.kappa * x) ** m * log(cosh(form.kappa * x)) ** level
        if body == 1:
            total.append(c)
        else:
            total.append(c * GaussianIntegral(body, node.variables, node.mean, node.covariance))
    return Add(*total)


def _reduce_atom(node: GaussianIntegral, n: int, m: int, level: int, kappa: Any) -> Step | Declined:
    """One step for E[xⁿ·tanh(κx)^m·log(cosh κx)^l]."""
    s = node.covariance[0][0]
    if level > 1 or (level and m):
        return Declined(NAME, "a power of log cosh beyond the first, or one multiplied by tanh")
    if (n + m) % 2:
        return Step(NAME, node, S.Zero, "The integrand is odd", (), (_DLMF,))
    if n:
        return _stein(node, n, m, level, kappa)
    if level:
        return Step(
            NAME,
            node,
            logistic_L(kappa**2 * s, -1) / 2,
            "(log cosh)″ = sech², so by the heat equation d/dt E log cosh(√t z) = ½L(t): integrate from 0",
            (),
            (_HEAT,),
        )
    value = _even_power(m // 2)
    after = Add(*(c * logistic_L(kappa**2 * s, k) if k >= 0 else c for k, c in value.items()))
    return Step(
        NAME,
        node,
        after,
        "tanh² = 1 − sech², and powers of sech² are combinations of its even derivatives "
        "((sech²)″ = 4 sech² − 6 sech⁴, …); by the heat equation E (sech²)^(2k)(√t z) = 2^k L^(k)(t)",
        (),
        (_HEAT,),
    )


def _stein(node: GaussianIntegral, n: int, m: int, level: int, kappa: Any) -> Step:
    """E[x·h(x)] = q·E h′(x) with h = x^{n−1}·T^m·ℓ^l; T′ = κ(1 − T²), ℓ′ = κT."""
    x, s = node.variables[0], node.covariance[0][0]
    tangent = tanh(kappa * x)
    factor = tangent**m * log(cosh(kappa * x)) ** level
    pieces = [((n - 1), x ** (n - 2) * factor)] if n > 1 else []
    if level:
        pieces.append((kappa * level, x ** (n - 1) * tangent))
    else:
        pieces.append((m * kappa, x ** (n - 1) * tangent ** (m - 1)))
        pieces.append((-m * kappa, x ** (n - 1) * tangent ** (m + 1)))
    total = [
        c * (S.One if body == 1 else GaussianIntegral(body, node.variables, node.mean, node.covariance))
        for c, body in pieces
    ]
    return Step(
        NAME,
        node,
        s * Add(*total),
        "Stein: E[x·h(x)] = q·E h′(x), with (tanh κx)′ = κ(1 − tanh² κx)",
        (),
        (_STEIN,),
    )


def _even_power(half: int) -> dict[int, Any]:
    """E tanh^{2·half} as {k: coefficient of L^{(k)}}, k = −1 standing for the constant."""
    # tanh^{2h} = (1 − S)^h in powers of S = sech²
    powers = {k: Integer((-1) ** k * comb(half, k)) for k in range(half + 1)}
    result: dict[int, Any] = {-1: powers.pop(0)}
    # Peel off the highest power: (sech²)^{(2k)} = p_k(S) has degree k + 1.
    for degree in range(half, 0, -1):
        coefficient = powers[degree]
        polynomial = derivative_polynomial(degree - 1)
        ratio = coefficient / polynomial[degree]
        result[degree - 1] = ratio * Integer(2) ** (degree - 1)
        for k in range(1, degree):
            powers[k] -= ratio * polynomial[k]
    return result
