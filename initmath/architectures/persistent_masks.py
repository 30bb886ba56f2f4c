r"""Second moment of a residual network's squared singular values, with masks that persist through the layers.

In x_{l+1} = x_l + α W_l g(x_l) a coordinate keeps most of its value from layer to layer, so D_l = diag
g'(x_l) and the Jacobian J below it are *not* free: both know the same coordinates.  The wide limit is exact
all the same.  Let A = J Jᵀ and B_l = g'(x_l)².  Conditionally on the coordinates' paths,

- A_ii = m₁ for every i, since (W X Wᵀ)_ii → σ_w² tr X whatever X;
- for i ≠ j, N E A_ij² = F_i + F_j + K, where F_i depends on the path of i only:

.. math::
    F_i' &= F_i + \alpha^2\sigma_w^2 \left(B_i m_1^2 + \mu_1 F_i + E[B F] + \mu_1 K\right), \\
    K' &= K + \alpha^4\sigma_w^4 \left(\mu_2 m_1^2 + 2 \mu_1 E[B F] + \mu_1^2 K
          - (1 + s_1)\, \mu_1^2 m_1^2\right), \\
    m_2 &= m_1^2 + 2 E[F] + K,

with s₁ = −1 for Gaussian and 0 for orthogonal W.  *Derivation*: in A' = A + α(GA + AGᵀ) + α²GAGᵀ, G =
WB^{1/2}, rows i and j of W are uncorrelated and odd powers vanish, so E A'_ij² = A_ij² + α²E[(GA)_ij² +
(AGᵀ)_ij²] + α⁴E(GAGᵀ)_ij²; here E(GA)_ij² = (σ_w²/N)(B_j m₁² + Σ_{k≠j} B_k A_kj²), and E(GAGᵀ)_ij² =
(σ_w⁴/N) tr X², less (tr X)² for orthogonal W, with X = B^{1/2} A B^{1/2}.

F_i is a linear combination of B at the earlier layers of the same coordinate, and (x_k, x_l), k ≤ l, are
Gaussian with variances q_k, q_l and covariance q_k (the branches are independent increments).  So all that is
needed are the pair expectations E g'(x_k)² g'(x_l)².  If these factorised, the law would be that of free
factors (`ResidualPath.free_spread`).  It is no small difference: for ReLU, σ_w² = 2 and α = 1/√L the spread
tends to 2.515 as L → ∞, that of free factors to 2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from initmath.activation import Activation
from initmath.architectures.inputs import count
from initmath.architectures.residual import residual_path
from initmath.errors import Divergent
from initmath.finite_width.law import breaks
from initmath.quadrature.curve import Family, curve
from initmath.quadrature.kernel import pair_expectation

__all__ = ["ResidualSpread", "residual_spread"]

Real = NDArray[np.float64]

MOST_LAYERS = 300
"""The pairs of layers grow with the square of the depth."""


@dataclass(frozen=True)
class ResidualSpread:
    """Relative variance of the squared singular values of the Jacobian from x₀ to x_l, in the wide limit.

    Attributes
    ----------
    spread : ndarray, shape (L + 1,)
        m₂/m₁² − 1.
    error : ndarray, shape (L + 1,)
        Quadrature errors, carried through.
    free_spread : ndarray, shape (L + 1,)
        What it would be if the layers were free.
    """

    spread: Real
    error: Real
    free_spread: Real


def residual_spread(
    activation: Activation,
    depth: int,
    alpha: float,
    *,
    sigma_w2: float,
    sigma_b2: float = 0.0,
    q0: float = 1.0,
    weights: str = "gaussian",
) -> ResidualSpread:
    """Follow the spread of the squared singular values of a residual network through the layers.

    Parameters
    ----------
    activation, alpha, sigma_w2, sigma_b2, q0, weights
        As in `residual_path`.
    depth : int
        At most 300.

    Returns
    -------
    ResidualSpread

    Examples
    --------
    >>> from initmath.activation import resolve
    >>> found = residual_spread(resolve("relu"), 6, 0.5, sigma_w2=2.0)
    >>> found.spread[1:3].round(6), found.free_spread[1:3].round(6)
    (array([0.4     , 0.845109]), array([0.4, 0.8]))
    """
    depth = count(depth, "depth", most=MOST_LAYERS)
    path = residual_path(
        activation, depth, alpha, sigma_w2=sigma_w2, sigma_b2=sigma_b2, q0=q0, weights=weights
    )
    if alpha == 0:
        return ResidualSpread(path.free_spread, np.zeros(depth + 1), path.free_spread)
    pairs, error = _pairs(activation, path.q[:-1])
    scale = alpha * alpha * sigma_w2
    lost = 0.0 if weights == "gaussian" else 1.0
    spread = _recursion(pairs, path.epsilon / scale, scale, lost)
    # every step increases with every pair expectation
    upper = _recursion(pairs + error, path.epsilon / scale, scale, lost)
    return ResidualSpread(spread, upper - spread + 1e-15 * np.arange(depth + 1), path.free_spread)


def _pairs(activation: Activation, q: Real) -> tuple[Real, Real]:
    """E g'(x_k)² g'(x_l)² for all k, l, with errors."""
    slope, layers = activation.numpy(1), len(q)
    low, high = np.tril_indices(layers, -1)[::-1]
    cuts = breaks(activation)

    def squares(a: Any, b: Any) -> Any:
        return (slope(a) ** 2 * slope(b) ** 2)[None]

    # 1 − √(q_k/q_l), without cancellation
    gap = (q[high] - q[low]) / (np.sqrt(q[high]) * (np.sqrt(q[high]) + np.sqrt(q[low])))
    with np.errstate(all="ignore"):
        once = curve(Family.of(lambda y: slope(y) ** 4), q, cuts)
        if layers > 1:
            twice = pair_expectation(squares, q[low], q[high], q[low], cuts, gap=gap)
    value, error = np.diag(once.value[0]), np.diag(once.error[0])
    if layers > 1:
        for full, part in ((value, twice.value[0]), (error, twice.error[0])):
            full[low, high] = full[high, low] = part
    if not np.all(np.isfinite(value)):
        raise Divergent(
            f"no finite E g'(x)^2 g'(x')^2 was found for {activation.name}: the spread may be infinite"
        )
    return value, error


def _recursion(pairs: Real, mu1: Real, scale: float, lost: float) -> Real:
    """Return m₂/m₁² − 1 after 0, 1, …, L layers; everything is divided by m₁² as it goes.

    F = Σ_k w_k B_k + d.
    """
    depth = len(mu1)
    w, d, k = np.zeros(depth), 0.0, 0.0
    out = np.zeros(depth + 1)
    for layer in range(depth):
        mu, shrink = mu1[layer], 1 / (1 + scale * mu1[layer])
        part = scale * shrink  # α²σ_w²/(1 + ε)
        with_b = float(w[:layer] @ pairs[:layer, layer]) + d * mu
        d, k = (
            d * shrink + part * shrink * (with_b + mu * k),
            k * shrink**2 + part**2 * (pairs[layer, layer] + 2 * mu * with_b + mu**2 * (k - lost)),
        )
        w *= shrink
        w[layer] = part * shrink
        out[layer + 1] = 2 * (float(w @ mu1) + d) + k
    return out
