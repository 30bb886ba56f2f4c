"""The checks' own integrals: plain sums over Gauss-Legendre nodes, none of the package's quadrature.

A check that recomputes what a figure draws by the way that drew it would prove nothing.  Here are normal
expectations from scratch, for one variable and for two, and what follows from them: fixed points, slopes, and
the edge of the spectrum of a product of layers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["length", "normal_mean", "pair_mean", "settle", "spectrum_edge", "spectrum_variance"]

Real = NDArray[np.float64]
Function = Callable[[Any], Any]
NEAR, FAR = 12.0, 30.0  # where bounded functions end to count, and fast growing ones
ORDER = 12


def _nodes(step: float, reach: float, cuts: Sequence[float] = ()) -> tuple[Real, Real]:
    """Return nodes and weights for E f(z), z ~ N(0, 1), with panels that end at the cuts."""
    edges = np.arange(-reach, reach + step / 2, step)
    edges = np.unique(np.concatenate([edges, [c for c in cuts if abs(c) < reach]]))
    x, w = np.polynomial.legendre.leggauss(ORDER)
    half, middle = np.diff(edges) / 2, (edges[1:] + edges[:-1]) / 2
    z = (middle[:, None] + half[:, None] * x).ravel()
    return z, (half[:, None] * w).ravel() * np.exp(-z * z / 2) / np.sqrt(2 * np.pi)


def normal_mean(f: Function, q: float, cuts: Sequence[float] = ()) -> float:
    """Return E f(√q z).

    Examples
    --------
    >>> round(normal_mean(lambda y: y**4, 2.0), 9)
    12.0
    """
    z, w = _nodes(min(0.25, 0.5 / q**0.5), FAR, [c / q**0.5 for c in cuts])
    with np.errstate(all="ignore"):
        return float(w @ np.broadcast_to(f(q**0.5 * z), z.shape))


def pair_mean(f: Function, q: float, c: float) -> float:
    """Return E f(y₁) f(y₂), both of variance q and with correlation c, for a smooth f.

    Examples
    --------
    >>> round(pair_mean(lambda y: y, 2.0, 0.25), 9)
    0.5
    """
    z, w = _nodes(1.0, NEAR)
    other = f(q**0.5 * (c * z[:, None] + (1 - c * c) ** 0.5 * z))
    return float((w * f(q**0.5 * z)) @ (other @ w))


def length(g: Function, sigma_w2: float, sigma_b2: float, cuts: Sequence[float] = ()) -> Function:
    """Return the length map, q to σ_w² E g² + σ_b²."""
    return lambda q: sigma_w2 * normal_mean(lambda y: g(y) ** 2, q, cuts) + sigma_b2


def settle(step: Function, start: float, tolerance: float = 1e-13, most: int = 100_000) -> float:
    """Return where repeated steps end."""
    for _ in range(most):
        after = step(start)
        if abs(after - start) < tolerance:
            return float(after)
        start = float(after)
    raise AssertionError(f"no end after {most} steps")


def spectrum_variance(slope: Function, q: float, depth: int, gaussian: bool, cuts: Sequence[float]) -> float:
    """Return Var λ/(E λ)²: L (E g'⁴/(E g'²)² − 1), and L more for Gaussian weights."""
    second, fourth = (normal_mean(lambda y, k=k: slope(y) ** k, q, cuts) for k in (2, 4))
    return depth * (fourth / second**2 - 1 + gaussian)


def spectrum_edge(slope: Function, q: float, depth: int, gaussian: bool) -> float:
    """Return the largest λ of a product of layers with E λ = 1, for a slope g'² that is largest at 0.

    A layer's D² has the moment transform m(w) = E h/(w − h), h = g'²/E g'², and S = (1 + m)/(m w).  S is
    multiplied over the layers, with 1/(1 + m) for Gaussian weights, and z = (1 + m)/(m S): the edge is the
    least z over all w beyond the largest h.
    """
    from scipy.optimize import minimize_scalar

    z = np.linspace(-NEAR, NEAR, 200_001)
    density = np.exp(-z * z / 2) * (z[1] - z[0]) / np.sqrt(2 * np.pi)
    h = slope(q**0.5 * z) ** 2
    h = h / (density @ h)

    def log_z(log_gap: float) -> float:
        w = h.max() + np.exp(log_gap)
        m = density @ (h / (w - h))
        layer = np.log(m * w / (1 + m)) + gaussian * np.log1p(m)
        return float(np.log1p(1 / m) + depth * layer)

    found = minimize_scalar(log_z, bounds=(-16, 12), method="bounded", options={"xatol": 1e-9})
    return float(np.exp(found.fun))
