r"""Moments of JJᵀ for unequal layers, exact and in doubles, by Lagrange inversion of the S-transforms.

.. math:: E λ^k = \frac1k [m^{k-1}] \big(m z(m)\big)^k, \qquad
    m z(m) \propto \Big(1 + \frac{m}{n_0}\Big) \prod_l \frac{1}{S_{a_l}(m/n_l)} \prod_v
    \Big(1 + \frac{m}{n_v}\Big)^{b_v},\quad n_l = N_l/N_L,

with the turns b_v that `initmath.spectra.chain_equation` counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from sympy import Integer, S, cancel, expand, nsimplify, sympify

from initmath.errors import InputError
from initmath.spectra import numeric_series as doubles
from initmath.spectra import series as exact
from initmath.spectra.chain_equation import ChainEquation

__all__ = ["layered_moments_series", "relative_chain_moment", "turns_of"]


def turns_of(widths: Sequence[Any], weights: Sequence[str]) -> tuple[tuple[Any, Any], ...]:
    """Powers of 1 + m_v from the weights: widths N₀ … N_L, one ensemble a layer.

    Examples
    --------
    >>> turns_of([2, 1, 1], ["orthogonal", "gaussian"])
    ((2, -1), (1, 2))
    """
    powers: dict[Any, Any] = {}
    for before, here, kind in zip(widths[:-1], widths[1:], weights, strict=True):
        if kind == "gaussian":
            powers[here] = powers.get(here, 0) + 1
        elif bool(here < before):
            powers[before] = powers.get(before, 0) - 1
            powers[here] = powers.get(here, 0) + 1
    return tuple((width, power) for width, power in powers.items() if power)


def relative_chain_moment(equation: ChainEquation, k: int) -> float:
    """E λᵏ/(E λ)ᵏ."""
    total = _scaled(doubles._log(doubles._one_plus(k)), equation.first)
    for group in equation.groups:
        if group.count:
            law = group.law
            mu = np.array([float(np.real(law.weights @ law.relative**j)) for j in range(1, k + 1)])
            total = total - group.count * _scaled(doubles._log(doubles._s_transform(mu)), group.width)
    for width, power in equation.turns:
        total = total + power * _scaled(doubles._log(doubles._one_plus(k)), width)
    return float(doubles._exp(k * total)[k - 1] / k)


def _scaled(series: Any, width: float) -> Any:
    return series / width ** np.arange(len(series))


def layered_moments_series(
    mu: Sequence[Sequence[Any]],
    weights: Sequence[str],
    ratios: Sequence[Any] | None = None,
    sigma_w2: Sequence[Any] | None = None,
    count: int = 4,
) -> tuple[Any, ...]:
    r"""Moments E λ¹ … E λ^count of unequal layers, exact.

    Parameters
    ----------
    mu : sequence of sequences
        μ_k = E g'^{2k}, k = 1 … count, of each layer from the input on: numbers or symbols.
    weights : sequence of str
        ``"gaussian"`` or ``"orthogonal"``.
    ratios : sequence, optional
        c_l = N_l/N_{l−1}, rational numbers (for Gaussian layers symbols, too); 1 by default.
    sigma_w2 : sequence, optional
        N_{l−1} times the variance of an entry; 1/μ₁ of the layer by default.

    Returns
    -------
    tuple of Expr
        Of JJᵀ, N_L × N_L.

    References
    ----------
    .. [1] Chhaibi, Daouda, Kahn, Free probability for predicting the performance of feed-forward fully
       connected neural networks, 2022, arXiv:2111.00841 (the S-transforms with the ratio as argument).

    Examples
    --------
    Marchenko-Pastur with twice as many rows as columns, and a bottleneck.

    >>> layered_moments_series([[1] * 3], ["gaussian"], [2], count=3)
    (1, 3, 11)
    >>> from sympy import Rational
    >>> layered_moments_series([[1] * 3] * 2, ["gaussian"] * 2, [Rational(1, 2), 2], count=3)
    (1, 4, 21)
    """
    depth = len(mu)
    ratios = [1] * depth if ratios is None else list(ratios)
    mu = [[sympify(value) for value in row][:count] for row in mu]
    if not depth or len(weights) != depth or len(ratios) != depth or min(len(row) for row in mu) < count:
        raise InputError(f"every layer needs its ensemble, its ratio and mu_1 … mu_{count}")
    for kind in weights:
        exact._kind(kind)
    scales = [1 / row[0] for row in mu] if sigma_w2 is None else [sympify(value) for value in sigma_w2]
    widths: list[Any] = [S.One]
    for ratio in ratios:
        c = nsimplify(ratio, rational=True) if isinstance(ratio, float) else sympify(ratio)
        widths.append(widths[-1] * c)
    widths = [width / widths[-1] for width in widths]
    one = exact._log([S.One, S.One] + [S.Zero] * count, count)
    total = _exactly(one, widths[0])
    mean = S.One
    for row, scale, width in zip(mu, scales, widths[1:], strict=True):
        inverse = exact._inverse_series(exact.s_transform_series(row, count), count)
        log = exact._log([value / inverse[0] for value in inverse], count)
        total = [a + b for a, b in zip(total, _exactly(log, width), strict=True)]
        mean *= scale * inverse[0]
    for width, power in turns_of(widths, weights):
        total = [a + power * b for a, b in zip(total, _exactly(one, width), strict=True)]
    found = []
    for k in range(1, count + 1):
        power = exact._exp([k * a for a in total], count)
        found.append(expand(cancel(mean**k * power[k - 1] / Integer(k))))
    return tuple(found)


def _exactly(series: Sequence[Any], width: Any) -> list[Any]:
    return [value / width**n for n, value in enumerate(series)]
