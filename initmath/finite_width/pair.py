r"""The correlation of two inputs in depth, with its shift and spread at width N.

The covariance matrix K of two inputs is a Markov chain too: K' = σ_w² (1/N) Σ x xᵀ + σ_b².  It is followed in
the
coordinates θ = (log q₁, log q₂, log d), d = q₁ + q₂ − 2p = E (y₁ − y₂)², in which nothing cancels as the
inputs merge:

.. math:: δ' = J δ + \tfrac12 \operatorname{tr}(H C) + b, \qquad C' = J C J^T + Σ/N,

J and H the first and second derivatives of the map θ → θ', Σ the covariance of the noise of one layer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from initmath.finite_width.law import ActivationLike
from initmath.quadrature.kernel import pair_expectation

__all__ = ["CorrelationPath", "correlation_path"]

Real = NDArray[np.float64]

_H = 0.03  # step of the numerical derivatives, in θ
_SMALL = 0.15  # relative shift of 1 − c up to which it is believed
_MERGED = 1e-13  # 1 − c from which the two inputs are one


@dataclass(frozen=True)
class CorrelationPath:
    """Correlation of the pre-activations of two inputs.

    Attributes
    ----------
    limit : ndarray, shape (L,)
        Of the infinitely wide network.
    mean, spread : ndarray, shape (L,)
        Of (Σ y₁y₂)/√(Σ y₁² Σ y₂²) over networks of width N, to first order in 1/N; NaN where that order is
        not small.
    """

    limit: Real
    mean: Real
    spread: Real


def correlation_path(
    activation: ActivationLike,
    sigma_w2: float,
    sigma_b2: float,
    q: float,
    correlation: float,
    depth: int,
    width: int,
) -> CorrelationPath:
    """Follow two inputs with q₁ = q₂ = q and the given correlation in layer 1.

    Examples
    --------
    >>> from initmath.activation import resolve
    >>> found = correlation_path(resolve("relu"), 2.0, 0.0, 1.0, 0.5, 3, 512)
    >>> found.limit.round(6)
    array([0.5     , 0.608998, 0.683729])
    """
    g = activation.numpy(0)
    cuts = [float(c) for c in activation.kinks]

    def images(a: Any, b: Any) -> Any:
        u, v = g(a), g(b)
        return np.stack([u * u, v * v, (u - v) ** 2])

    path, stop = _path(images, cuts, sigma_w2, sigma_b2, q, correlation, depth)
    limit = np.ones(depth)
    limit[:stop] = 1 - np.exp(path[:stop, 2] - path[:stop, 0]) / 2
    mean, spread = np.full(depth, np.nan), np.full(depth, np.nan)
    shift, covariance = np.zeros(3), np.zeros((3, 3))
    if stop > 1:
        jacobians, hessians = _derivatives(images, cuts, sigma_w2, sigma_b2, path[: stop - 1])
        noise = _noise(g, cuts, sigma_w2, path[: stop - 1], path[1:stop], width)
    for layer in range(stop):
        mean[layer], spread[layer] = _observed(path[layer], shift, covariance, width)
        relative = (limit[layer] - mean[layer]) / (1 - limit[layer])
        # 1 − c is log-normal in depth: its relative shift adds up in the exponent
        mean[layer] = 1 - (1 - limit[layer]) * np.exp(relative) if abs(relative) < _SMALL else np.nan
        if layer + 1 == stop:
            break
        j, h = jacobians[layer], hessians[layer]
        # log of a noisy average lies below the log of its mean
        shift = j @ shift + 0.5 * np.einsum("kij,ij->k", h, covariance) - 0.5 * np.diagonal(noise[layer])
        covariance = j @ covariance @ j.T + noise[layer]
        if not (np.isfinite(covariance).all() and np.all(np.diagonal(covariance) < 0.15)):
            break
    return CorrelationPath(limit, mean, spread)


def _matrix(theta: Real) -> tuple[Real, Real, Real]:
    q1, q2, d = np.exp(theta).T
    return q1, q2, (q1 + q2 - d) / 2


def _image(images: Any, cuts: list[float], sigma_w2: float, sigma_b2: float, theta: Real) -> Real:
    q1, q2, p = _matrix(theta)
    limit = np.sqrt(q1 * q2)
    found = pair_expectation(images, q1, q2, np.clip(p, -limit, limit), cuts).value
    with np.errstate(all="ignore"):
        image = sigma_w2 * found + np.array([[sigma_b2], [sigma_b2], [0.0]])
        return np.asarray(np.log(image.T))


def _path(
    images: Any, cuts: list[float], sigma_w2: float, sigma_b2: float, q: float, correlation: float, depth: int
) -> tuple[Real, int]:
    path = np.full((depth, 3), np.nan)
    if not 1 - correlation > _MERGED:
        return path, 0
    path[0] = np.log([q, q, 2 * q * (1 - correlation)])
    for layer in range(1, depth):
        after = _image(images, cuts, sigma_w2, sigma_b2, path[layer - 1 : layer])[0]
        usable = np.isfinite(after).all() and np.all(np.abs(after[:2]) < 57)
        if not usable or after[2] - after[0] < np.log(_MERGED):
            return path, layer
        path[layer] = after
        if np.max(np.abs(after - path[layer - 1])) < 1e-14:
            path[layer:] = after
            break
    return path, depth


def _derivatives(
    images: Any, cuts: list[float], sigma_w2: float, sigma_b2: float, path: Real
) -> tuple[Real, Real]:
    """Central differences of the map at every layer, all in one sweep of the quadrature."""
    distinct, where = np.unique(path.round(13), axis=0, return_inverse=True)
    where = where.ravel()
    unit = np.eye(3) * _H
    offsets = [np.zeros(3)]
    offsets += [s * unit[i] for i in range(3) for s in (1, -1)]
    pairs = [(i, j) for i in range(3) for j in range(i)]
    offsets += [s * unit[i] + t * unit[j] for i, j in pairs for s in (1, -1) for t in (1, -1)]
    points = (distinct[:, None, :] + np.array(offsets)).reshape(-1, 3)
    value = _image(images, cuts, sigma_w2, sigma_b2, points).reshape(len(distinct), len(offsets), 3)
    jacobian, hessian = np.empty((len(distinct), 3, 3)), np.empty((len(distinct), 3, 3, 3))
    for i in range(3):
        plus, minus = value[:, 1 + 2 * i], value[:, 2 + 2 * i]
        jacobian[:, :, i] = (plus - minus) / (2 * _H)
        hessian[:, :, i, i] = (plus - 2 * value[:, 0] + minus) / _H**2
    for number, (i, j) in enumerate(pairs):
        a, b, c, d = (value[:, 7 + 4 * number + k] for k in range(4))
        hessian[:, :, i, j] = hessian[:, :, j, i] = (a - b - c + d) / (4 * _H**2)
    return jacobian[where], hessian[where]


def _noise(g: Any, cuts: list[float], sigma_w2: float, path: Real, after: Real, width: int) -> Real:
    """Covariance of θ' given θ."""
    q1, q2, p = _matrix(path)

    def products(a: Any, b: Any) -> Any:
        u, v = g(a), g(b)
        f = (u * u, v * v, (u - v) ** 2)
        return np.stack([*f, *(f[i] * f[j] for i in range(3) for j in range(i + 1))])

    limit = np.sqrt(q1 * q2)
    found = pair_expectation(products, q1, q2, np.clip(p, -limit, limit), cuts).value
    noise = np.empty((len(path), 3, 3))
    row = 3
    for i in range(3):
        for j in range(i + 1):
            covariance = sigma_w2**2 * (found[row] - found[i] * found[j]) / width
            noise[:, i, j] = noise[:, j, i] = covariance / np.exp(after[:, i] + after[:, j])
            row += 1
    return noise


def _observed(theta: Real, shift: Real, covariance: Real, width: int) -> tuple[float, float]:
    """Mean and spread of the sample correlation, given mean and covariance of θ (symmetric point q₁ = q₂)."""

    def c_of(t: Real) -> float:
        q1, q2, d = np.exp(t)
        return float((q1 + q2 - d) / (2 * np.sqrt(q1 * q2)))

    h = 1e-4
    unit = np.eye(3) * h
    c = c_of(theta)
    slope = np.array([(c_of(theta + e) - c_of(theta - e)) / (2 * h) for e in unit])
    curvature = np.array(
        [
            [
                (c_of(theta + a + b) - c_of(theta + a - b) - c_of(theta - a + b) + c_of(theta - a - b))
                / (4 * h * h)
                for b in unit
            ]
            for a in unit
        ]
    )
    mean = c + slope @ shift + 0.5 * np.sum(curvature * covariance) - c * (1 - c * c) / (2 * width)
    variance = slope @ covariance @ slope + (1 - c * c) ** 2 / width
    return float(mean), float(np.sqrt(max(variance, 0.0)))
