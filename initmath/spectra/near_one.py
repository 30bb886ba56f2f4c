"""eᵗ − 1 and log(1 + z) of complex arrays, without cancellation."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["expm1", "log1p"]

Complex = NDArray[np.complex128]


def expm1(t: Complex) -> Complex:
    """Return eᵗ − 1 for complex t without cancellation."""
    s, theta = np.real(t), np.imag(t)
    return np.asarray(
        np.expm1(s) * np.cos(theta) - 2 * np.sin(theta / 2) ** 2 + 1j * np.exp(s) * np.sin(theta)
    )


def log1p(z: Complex) -> Complex:
    """Return log(1 + z) for complex z without cancellation."""
    x, y = np.real(z), np.imag(z)
    near = 0.5 * np.log1p(np.maximum(x * (2 + x) + y * y, -1 + 1e-300))
    return np.asarray(near + 1j * np.arctan2(y, 1 + x))
