r"""Exact moments of JJᵀ from the power series of its S-transform.

.. math:: S(m) = \prod_l S_{D_l^2}(m)\, S_{W_l W_l^T}(m), \qquad
    E λ^k = \frac{1}{k} [m^{k-1}] \left(\frac{1 + m}{S(m)}\right)^k .

The second formula is Lagrange's inversion of M(z) = m, z = (1 + m)/(m S(m)).  L equal layers give S₁ᴸ, whose
coefficients are polynomials in L, so L may stay a symbol.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sympy import Rational, S, expand, factor, sympify

from initmath.errors import InputError

__all__ = ["moments_series", "s_transform_series"]


def moments_series(
    mu: Sequence[Any], depth: Any = 1, weights: str = "gaussian", sigma_w2: Any = None, count: int = 4
) -> tuple[Any, ...]:
    r"""Moments E λ¹ … E λ^count of L equal square layers.

    Parameters
    ----------
    mu : sequence
        μ_k = E g'^{2k}, k = 1 … count: numbers or symbols.
    depth : Expr or int
        L; may be a symbol.
    weights : str
        ``"gaussian"`` or ``"orthogonal"``.
    sigma_w2 : Expr, optional
        σ_w²; 1/μ₁ (criticality) by default.

    Returns
    -------
    tuple of Expr

    References
    ----------
    .. [1] Pennington, Schoenholz, Ganguli, The emergence of spectral universality in deep networks, 2018,
       eq. (11)-(18), arXiv:1802.09979.

    Examples
    --------
    >>> from sympy import Symbol, Rational
    >>> half = [Rational(1, 2)] * 4
    >>> moments_series(half, 3)
    (1, 7, 67, 741)
    >>> moments_series(half, Symbol("L"), count=2)
    (1, 2*L + 1)
    """
    gaussian = _kind(weights)
    mu = [sympify(value) for value in mu][:count]
    if len(mu) < count or count < 1:
        raise InputError(f"{count} moments need mu_1 … mu_{count}, got {len(mu)}")
    scale = 1 / mu[0] if sigma_w2 is None else sympify(sigma_w2)
    L = sympify(depth)
    # log of (σ_w² S_layer)⁻¹ = log(μ₁ u-series): everything is a power L, so work with the logarithm
    layer = _inverse_series(s_transform_series(mu, count), count)
    if gaussian:
        layer = _product(layer, [S.One, S.One] + [S.Zero] * count, count)
    first = layer[0]
    logarithm = _log([value / first for value in layer], count)
    one_m = _log([S.One, S.One] + [S.Zero] * count, count)
    moments = []
    for k in range(1, count + 1):
        power = _exp([k * (L * a + b) for a, b in zip(logarithm, one_m, strict=True)], count)
        value = (scale * first) ** (L * k) * expand(power[k - 1]) / k
        moments.append(factor(value) if value.free_symbols and k > 2 else expand(value))
    return tuple(moments)


def s_transform_series(mu: Sequence[Any], count: int) -> list[Any]:
    """Return the coefficients of S(m) = (1 + m)/(m w(m)) up to m^{count − 1}, with M(w) = Σ μ_k/wᵏ = m.

    Examples
    --------
    >>> from sympy import Rational
    >>> s_transform_series([Rational(1, 2)] * 3, 3)
    [2, -2, 4]
    """
    # y = 1/w solves Σ μ_k yᵏ = m; S = (1 + m) y/m
    y = [S.One / mu[0]]  # coefficients of y/m
    for n in range(1, count):
        # coefficient of m^{n+1} in Σ_k μ_k yᵏ must vanish
        trial = [*y, S.Zero]
        total = S.Zero
        for k in range(1, n + 2):
            total += mu[k - 1] * _coefficient_of_power(trial, k, n + 1 - k)
        y.append(expand(-total / mu[0]))
    return [expand(y[n] + (y[n - 1] if n else 0)) for n in range(count)]


def _kind(weights: str) -> bool:
    if weights not in ("gaussian", "orthogonal"):
        raise InputError(f"weights must be gaussian or orthogonal, got {weights!r}")
    return weights == "gaussian"


def _coefficient_of_power(series: Sequence[Any], k: int, n: int) -> Any:
    if n < 0:
        return S.Zero
    power = [S.One] + [S.Zero] * n
    for _ in range(k):
        power = _product(power, series, n + 1)
    return power[n]


def _product(a: Sequence[Any], b: Sequence[Any], count: int) -> list[Any]:
    return [
        sum((a[i] * b[n - i] for i in range(n + 1) if i < len(a) and n - i < len(b)), S.Zero)
        for n in range(count)
    ]


def _inverse_series(a: Sequence[Any], count: int) -> list[Any]:
    found = [1 / a[0]]
    for n in range(1, count):
        found.append(expand(-sum((a[i] * found[n - i] for i in range(1, n + 1)), S.Zero) / a[0]))
    return found


def _log(a: Sequence[Any], count: int) -> list[Any]:
    """Logarithm of a series that begins with 1."""
    found = [S.Zero]
    for n in range(1, count):
        rest = sum((k * found[k] * a[n - k] for k in range(1, n)), S.Zero)
        found.append(expand(a[n] - rest * Rational(1, n)))
    return found


def _exp(a: Sequence[Any], count: int) -> list[Any]:
    """Exponential of a series that begins with 0."""
    found = [S.One]
    for n in range(1, count):
        found.append(expand(sum((k * a[k] * found[n - k] for k in range(1, n + 1)), S.Zero) * Rational(1, n)))
    return found
