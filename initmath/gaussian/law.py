"""The Gaussian law of a node: its moments, its density at a point, and the laws that rules pass to."""

from __future__ import annotations

from typing import Any

from sympy import Add, Matrix, Mul, S, exp, expand, eye, factorial, pi, sqrt

__all__ = ["bilinear", "complex_moment", "condition", "conditioned", "density", "moment", "tilted"]


def bilinear(left: tuple[Any, ...], covariance: Any, right: tuple[Any, ...]) -> Any:
    """Return leftᵀ S right.

    Examples
    --------
    >>> from initmath.integral import q
    >>> from initmath.gaussian.law import bilinear
    >>> bilinear((2,), ((q,),), (3,))
    6*q
    """
    return Add(
        *(
            Mul(a, covariance[i][j], b)
            for i, a in enumerate(left)
            if a != 0
            for j, b in enumerate(right)
            if b != 0
        )
    )


def moment(monomial: tuple[int, ...], mean: Any, covariance: Any) -> Any:
    """Return E of a monomial by Isserlis' theorem: its sum for a centred pair, else Stein's recursion."""
    if len(monomial) == 2 and not any(mean):
        return _paired(monomial, covariance)
    return complex_moment(monomial, mean, (S.Zero,) * len(monomial), covariance)[0]


def _paired(monomial: tuple[int, ...], covariance: Any) -> Any:
    """Σ_k a! b!/(k! i! j! 2^{i+j}) S₁₁^i S₂₂^j S₁₂^k, a = k + 2i, b = k + 2j: k pairs are mixed."""
    a, b = monomial
    if (a + b) % 2:
        return S.Zero
    terms = []
    for k in range(a % 2, min(a, b) + 1, 2):
        i, j = (a - k) // 2, (b - k) // 2
        count = factorial(a) * factorial(b) / (factorial(k) * factorial(i) * factorial(j) * 2 ** (i + j))
        terms.append(count * covariance[0][0] ** i * covariance[1][1] ** j * covariance[0][1] ** k)
    return expand(Add(*terms))


def complex_moment(
    monomial: tuple[int, ...], mean: Any, imaginary: tuple[Any, ...], covariance: Any
) -> tuple[Any, Any]:
    """Return real and imaginary part of E of a monomial of X + i·imaginary.

    Parameters
    ----------
    monomial : tuple of int
        Exponents.
    mean, imaginary : tuple of Expr
        The mean m and the imaginary shift t: X ~ N(m + it, S).
    covariance : matrix as nested tuples

    Examples
    --------
    >>> from initmath.integral import q
    >>> from initmath.gaussian.law import complex_moment
    >>> complex_moment((2,), (0,), (q,), ((q,),))
    (-q**2 + q, 0)
    """
    known: dict[tuple[int, ...], tuple[Any, Any]] = {}

    def value(m: tuple[int, ...]) -> tuple[Any, Any]:
        if not any(m):
            return S.One, S.Zero
        if m in known:
            return known[m]
        i = next(k for k, p in enumerate(m) if p)
        lower = tuple(p - (k == i) for k, p in enumerate(m))
        re, im = value(lower)
        real = [mean[i] * re, -imaginary[i] * im]
        unreal = [mean[i] * im, imaginary[i] * re]
        for j, p in enumerate(lower):
            if p and covariance[i][j] != 0:
                a, b = value(tuple(e - (k == j) for k, e in enumerate(lower)))
                real.append(p * covariance[i][j] * a)
                unreal.append(p * covariance[i][j] * b)
        known[m] = (expand(Add(*real)), expand(Add(*unreal)))
        return known[m]

    return value(monomial)


def density(point: Any, mean: Any, variance: Any) -> Any:
    """Return the normal density at a point."""
    return exp(-((point - mean) ** 2) / (2 * variance)) / sqrt(2 * pi * variance)


def _ratio(value: Any, scale: Any) -> tuple[Any, Any]:
    """Numerator and denominator of value/(1 − scale·value), with no fraction inside a fraction."""
    numerator, denominator = value.as_numer_denom()
    scale_n, scale_d = scale.as_numer_denom()
    return numerator * scale_d, expand(denominator * scale_d - scale_n * numerator)


def condition(expr: Any) -> Any | None:
    """Return a short expression that is positive exactly where this one is; None where that is everywhere.

    Examples
    --------
    >>> from initmath.gaussian.law import condition
    >>> from initmath.integral import q
    >>> condition(4 * q / (2 - q) + 1), condition(1 + q)
    (2 - q, None)
    """
    numerator, denominator = expr.as_numer_denom()
    factors = [
        f for f in (*Mul.make_args(expand(numerator)), *Mul.make_args(denominator)) if not f.is_positive
    ]
    return Mul(*factors) if factors else None


def tilted(quadratic: Any, linear: Any, mean: Any, covariance: Any) -> tuple[Any, Any, Any, Any]:
    """Complete the square: E_{N(m,S)}[exp(½xᵀQx + bᵀx) F] = factor · E_{N(m',S')}[F].

    S' = (1 − SQ)⁻¹ S and m' = (1 − SQ)⁻¹ (m + S b).

    Returns
    -------
    tuple
        factor, m', S', and det(1 − SQ), which must be positive.
    """
    n = len(mean)
    b = linear if linear is not None else (S.Zero,) * n
    if quadratic is None:
        shift = tuple(
            mean[i] + bilinear(tuple(S(int(k == i)) for k in range(n)), covariance, b) for i in range(n)
        )
        factor = exp(
            expand(bilinear(b, covariance, b) / 2 + Add(*(u * v for u, v in zip(b, mean, strict=True))))
        )
        return factor, shift, covariance, S.One
    if n == 1:
        m, s, k, c = mean[0], covariance[0][0], quadratic[0][0], b[0]
        numerator, denominator = _ratio(s, k)
        s_new = numerator / denominator
        lost = s.as_numer_denom()[1] * k.as_numer_denom()[1]
        determinant = denominator / lost
        m_new = (m + s * c) * lost / denominator if (m != 0 or c != 0) else S.Zero
        exponent = (c**2 * s / 2 + c * m + k * m**2 / 2) * lost / denominator
        return sqrt(lost) / sqrt(denominator) * exp(exponent), (m_new,), ((s_new,),), determinant
    cov, quad = (
        Matrix(covariance.tolist() if hasattr(covariance, "tolist") else [list(r) for r in covariance]),
        Matrix([list(r) for r in quadratic]),
    )
    system = eye(n) - cov * quad
    determinant = system.det().cancel()
    inverse = system.adjugate() / determinant
    mu, slope = Matrix(list(mean)), Matrix(list(b))
    cov_new = (inverse * cov).applyfunc(lambda e: e.cancel())
    mean_new = (inverse * (mu + cov * slope)).applyfunc(lambda e: e.cancel())
    tilt = quad * mu + slope
    exponent = ((tilt.T * cov_new * tilt)[0] / 2 + (mu.T * quad * mu)[0] / 2 + (slope.T * mu)[0]).cancel()
    rows = tuple(tuple(cov_new[i, j] for j in range(n)) for i in range(n))
    return exp(exponent) / sqrt(determinant), tuple(mean_new), rows, determinant


def conditioned(index: int, point: Any, mean: Any, covariance: Any) -> tuple[Any, Any]:
    """Return the law of the other variables given that one of them equals a point (a Kalman update)."""
    n = len(mean)
    others = [k for k in range(n) if k != index]
    pivot = covariance[index][index]
    gain = {k: covariance[k][index] / pivot for k in others}
    new_mean = tuple(mean[k] + gain[k] * (point - mean[index]) for k in others)
    rows = tuple(tuple(covariance[i][j] - gain[i] * covariance[index][j] for j in others) for i in others)
    return new_mean, rows
