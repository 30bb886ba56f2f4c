"""What is to be seen of a layer in networks of width N: mean over networks, and the spread between them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from initmath.finite_width.chain import Chain
from initmath.finite_width.law import LayerLaw, layer_law

__all__ = ["Prediction", "predictions"]

Real = NDArray[np.float64]

_SMALL = 0.03  # relative correction of order 1/N, up to which its square is left out

QUANTITIES = ("q", "mean", "second_moment", "variance")


@dataclass(frozen=True)
class Prediction:
    """One quantity of every layer, over networks of width N.

    Attributes
    ----------
    quantity : str
    limit : ndarray, shape (L,)
        Of the infinitely wide network.
    mean : ndarray, shape (L,)
        Over networks of width N, the shift of order 1/N included; NaN where it could not be predicted.
    spread : ndarray, shape (L,)
        Standard deviation between networks.
    skewness : ndarray, shape (L,)
        Of what q does to it between networks: decides whether a few networks can estimate its mean.
    """

    quantity: str
    limit: Real
    mean: Real
    spread: Real
    skewness: Real


def predictions(chain: Chain) -> tuple[Prediction, ...]:
    r"""Predict q, the output's mean, second moment and variance, and the gradient's growth.

    The gradient quantity of layer l < L is |δ_l|²/|δ_{l+1}|², δ = ∂/∂y: χ₁ in the limit.  At width N it is

    .. math:: σ_w² \left[ E χ̂(q_l) + \frac{t_{l+1} - 1}{N} \frac{E g'^2 g^2}{E g^2} \right],

    t_l = (y_l·δ_l)²/(q_l |δ_l|²), because the part of Wᵀδ along the layer's input is fixed by the forward
    pass (THEORY §4) and is t_{l+1} times as large in the mean square as a fresh one.  With y·δ carried down
    the layers, t_l χ̂ = E z² g'² + (t_{l+1} − 1) q m₂'²/m₂ up to 1/N (and t replaced by 1 + (t − 1) σ_w² m₂/q
    where there are biases).

    Examples
    --------
    >>> from initmath.activation import resolve
    >>> found = predictions(Chain(resolve("relu"), 2.0, 0.0, 1.0, depth=3, width=500))
    >>> [p.quantity for p in found]
    ['q', 'mean', 'second_moment', 'variance', 'gradient_norm']
    >>> found[0].mean.round(6), (found[0].spread ** 2).round(5)
    (array([1., 1., 1.]), array([0.004  , 0.01404, 0.02418]))
    """
    path = chain.path
    usable = (path > 1e-25) & (path < 1e25)
    safe = np.where(usable, path, 1.0)
    law = layer_law(chain.activation, safe)
    limits, within = _conditional(law, chain)
    gradient, gradient_limit = _gradient(law, chain)
    limits = np.vstack([limits, gradient_limit])
    names = (*QUANTITIES, "gradient_norm")
    if chain.available:
        count = len(names)
        found = chain.expect(lambda at: _powers(at, chain))
        mean, second, third = found[:count], found[count : 2 * count], found[2 * count : 3 * count]
        inside = found[3 * count :]
        between = np.maximum(second - mean**2, 0)
        with np.errstate(all="ignore"):
            skew = (third - 3 * mean * second + 2 * mean**3) / np.maximum(between, 1e-12 * second) ** 1.5
            spread = np.sqrt(between + np.maximum(inside, 0))
            skew = (
                np.where(between > 1e-10 * second, skew, 0) * (between / np.maximum(spread**2, 1e-300)) ** 1.5
            )
        mean[-1] += gradient
    else:
        mean = np.full((len(names), chain.depth), np.nan)
        skew = np.full_like(mean, np.inf)
        spread = np.full_like(mean, np.nan)
        mean[:, 0] = limits[:, 0]
        mean[-1, 0] = np.nan
        spread[:-1, 0] = np.sqrt(np.maximum(within[:, 0], 0))
        skew[:, 0] = 0
    mean[-1, -1] = limits[-1, -1] = spread[-1, -1] = np.nan
    infinite = np.where(path >= 1e25, np.inf, np.where(path <= 1e-25, 0.0, 1.0))
    limits = np.where(usable, limits, infinite * np.ones_like(limits))
    return tuple(Prediction(name, limits[i], mean[i], spread[i], skew[i]) for i, name in enumerate(names))


def _conditional(law: LayerLaw, chain: Chain) -> tuple[Real, Real]:
    """Return expectation and variance of (1/N) Σ y² and of x's mean, second moment, variance, given q."""
    n, weights = chain.width, chain.weights
    q_h = law.q - chain.sigma_b2
    kappa = weights.expected_fourth_cumulant(chain.sigma_w2, q_h, law, n)
    m1, m2 = law.mean[1] + kappa * law.curvature[1] / 6, law.mean[2] + kappa * law.curvature[2] / 6
    c = law.covariance
    if weights.conserves_length:
        c = c - 2 * q_h**2 * law.slope[:, None] * law.slope[None, :]
    centred = c[2, 2] + 4 * m1**2 * c[1, 1] - 4 * m1 * c[1, 2]
    expected = np.array([law.q, m1, m2, m2 - m1**2 - c[1, 1] / n])
    variance = np.array([np.maximum(c[0, 0], 0), c[1, 1], c[2, 2], centred]) / n
    return expected, variance


def _powers(law: LayerLaw, chain: Chain) -> Real:
    expected, variance = _conditional(law, chain)
    growth = chain.sigma_w2 * law.mean[3]
    with np.errstate(invalid="ignore"):  # E g'² may be infinite
        fourth = law.covariance[3, 3] + law.mean[3] ** 2
        inside = chain.sigma_w2**2 * (3 * fourth - law.mean[3] ** 2) / chain.width
    expected, variance = np.vstack([expected, growth]), np.vstack([variance, inside])
    return np.concatenate([expected, expected**2, expected**3, variance])


def _gradient(law: LayerLaw, chain: Chain) -> tuple[Real, Real]:
    """Return what the forward pass adds to the gradient's growth at order 1/N, and χ₁."""
    depth = chain.depth
    chi, m2 = law.mean[3], law.mean[2]
    with np.errstate(all="ignore"):
        own = (law.covariance[0, 3] / law.q + chi) / chi  # E z² g'²/χ̂
        passed = law.q * law.slope[2] ** 2 / (m2 * chi)
        overlap = (law.covariance[2, 3] + m2 * chi) / m2
        share = (law.q - chain.sigma_b2) / law.q
    t = np.ones(depth)
    t[-1] = own[-1]
    added: Any = np.zeros(depth)
    for layer in range(depth - 2, -1, -1):
        excess = share[layer + 1] * (t[layer + 1] - 1)
        gained = excess * overlap[layer] / (chain.width * chi[layer])
        t[layer] = (own[layer] + excess * passed[layer]) / (1 + gained)
        # t scatters between networks as χ²₁ does: where its part is not small, first order is not enough
        added[layer] = chain.sigma_w2 * chi[layer] * gained if abs(gained) < _SMALL else np.nan
    return np.where(chi > 0, added, 0), chain.sigma_w2 * chi
