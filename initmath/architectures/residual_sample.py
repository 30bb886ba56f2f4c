"""Simulated residual networks: their lengths and the squared singular values of their Jacobians."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from initmath.activation import Activation
from initmath.architectures.inputs import count, differentiable, generator
from initmath.architectures.residual import WEIGHTS
from initmath.errors import InputError
from initmath.sampling import normal, orthogonal

__all__ = ["ResidualSample", "sample_residual"]

Real = NDArray[np.float64]


@dataclass(frozen=True)
class ResidualSample:
    """Residual networks with random weights.

    Attributes
    ----------
    q : ndarray, shape (networks,)
        Mean square of the output's coordinates.
    squared_singular_values : ndarray, shape (networks, N)
        Of the Jacobian from input to output, smallest first.
    resolved : float
        Squared singular values below this part of the largest are rounding: (N ε)².
    """

    q: Real
    squared_singular_values: Real
    resolved: float

    def estimate(self, quantity: str) -> tuple[float, float]:
        """Return mean and standard error over networks of ``"q"``, ``"gradient"`` (m₁) or ``"spread"``.

        The spread of each network is m₂/m₁² − 1 of its own spectrum.
        """
        values = self.squared_singular_values
        means = values.mean(axis=1)
        each: dict[str, Real] = {
            "q": self.q,
            "gradient": means,
            "spread": (values**2).mean(axis=1) / means**2 - 1,
        }
        if quantity not in each:
            raise InputError(f"the quantity must be one of {', '.join(each)}, got {quantity!r}")
        found = each[quantity]
        return float(found.mean()), float(found.std(ddof=1) / np.sqrt(len(found)))


def sample_residual(
    activation: Activation,
    depth: int,
    alpha: float,
    *,
    sigma_w2: float,
    sigma_b2: float = 0.0,
    q0: float = 1.0,
    weights: str = "gaussian",
    width: int = 256,
    networks: int = 10,
    rng: np.random.Generator,
) -> ResidualSample:
    """Draw residual networks and take the singular values of their Jacobians.

    Parameters
    ----------
    activation, depth, alpha, sigma_w2, sigma_b2, q0, weights
        As in `residual_path`; each input has the mean square q₀ exactly.
    width : int
        N.
    networks : int
        At least 2.
    rng : numpy.random.Generator

    Returns
    -------
    ResidualSample

    Examples
    --------
    >>> import numpy as np
    >>> from initmath.activation import resolve
    >>> found = sample_residual(resolve("tanh"), 4, 0.5, sigma_w2=1.0, width=20, rng=np.random.default_rng(0))
    >>> found.squared_singular_values.shape
    (10, 20)
    """
    if weights not in WEIGHTS:
        raise InputError(f"weights must be one of {', '.join(WEIGHTS)}, got {weights!r}")
    layers, wide = count(depth, "depth"), count(width, "width")
    several = count(networks, "networks", least=2)
    generator(rng), differentiable(activation)
    if not (np.inf > sigma_w2 > 0 and np.inf > sigma_b2 >= 0 and np.inf > q0 > 0 and np.isfinite(alpha)):
        raise InputError(
            f"need finite sigma_w2 > 0, sigma_b2 >= 0, q0 > 0 and alpha, got {sigma_w2}, {sigma_b2}, {q0},"
            f" {alpha}"
        )
    g, slope = activation.numpy(0), activation.numpy(1)
    lengths, values = np.empty(several), np.empty((several, wide))
    for r in range(several):
        x = rng.standard_normal(wide)
        x *= np.sqrt(q0 / np.mean(x * x))
        jacobian = np.eye(wide)
        with np.errstate(all="ignore"):
            for _ in range(layers):
                if weights == "gaussian":
                    w = normal((wide, wide), sigma_w2 / wide, rng)
                else:
                    w = orthogonal((wide, wide), np.sqrt(sigma_w2), rng)
                branch = alpha * w
                jacobian += branch @ (np.asarray(slope(x))[:, None] * jacobian)
                x = x + branch @ np.asarray(g(x))
                if sigma_b2 > 0:
                    x += alpha * normal(wide, sigma_b2, rng)
        if not (np.all(np.isfinite(x)) and np.all(np.isfinite(jacobian))):
            raise InputError("the network's signal is beyond the doubles: take a smaller alpha or depth")
        lengths[r] = np.mean(x * x)
        values[r] = np.sort(np.linalg.svd(jacobian, compute_uv=False) ** 2)
    return ResidualSample(lengths, values, float((wide * np.finfo(np.float64).eps) ** 2))
