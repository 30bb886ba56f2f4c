"""What goes into the first layer: only the second moments of the inputs matter, so only they are stated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import isfinite, sqrt
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from initmath.errors import InputError

__all__ = ["InputGram"]


@dataclass(frozen=True)
class InputGram:
    r"""Second moments of the layer-0 inputs, K₀[a, b] = (1/N) Σᵢ xᵢᵃ xᵢᵇ, kept as a triangular factor.

    K₀ = FᵀF with F upper triangular: two inputs whose correlation is 1 − 10⁻¹² stay two inputs, which the
    entries of K₀ itself could not say in double precision.

    Attributes
    ----------
    factor : tuple of tuples of float
        The rows of F.

    Examples
    --------
    >>> InputGram.pair(1.0, 0.5, sigma_w2=2.0).matrix
    array([[0.5 , 0.25],
           [0.25, 0.5 ]])
    """

    factor: tuple[tuple[float, ...], ...]

    @property
    def size(self) -> int:
        """B, the number of inputs."""
        return len(self.factor)

    @cached_property
    def upper(self) -> NDArray[np.float64]:
        """F as an array, shape (B, B), read-only and kept: every network asks for it."""
        found = np.array(self.factor, dtype=np.float64)
        found.flags.writeable = False
        return found

    @property
    def matrix(self) -> NDArray[np.float64]:
        """K₀, shape (B, B)."""
        upper = self.upper
        return np.asarray(upper.T @ upper)

    @classmethod
    def single(cls, q: float, sigma_w2: float, sigma_b2: float = 0.0) -> InputGram:
        """One input whose first pre-activation has variance q: K₀ = (q − σ_b²)/σ_w²."""
        return cls(((sqrt(_second_moment(q, sigma_w2, sigma_b2)),),))

    @classmethod
    def pair(
        cls,
        q: float,
        correlation: float = 0.5,
        *,
        sigma_w2: float,
        sigma_b2: float = 0.0,
        one_minus_correlation: float | None = None,
    ) -> InputGram:
        """Two inputs whose first pre-activations have variance q and the given correlation.

        Parameters
        ----------
        q : float
            Pre-activation variance in layer 1, q ≥ σ_b².
        correlation : float
            Of the two first pre-activations.
        sigma_w2, sigma_b2 : float
            σ_w² and σ_b² of the network that the inputs are meant for.
        one_minus_correlation : float, optional
            Given instead of the correlation where that is closer to 1 than a double can say.
        """
        gap = 1.0 - correlation if one_minus_correlation is None else one_minus_correlation
        if not 0 <= gap <= 2:
            raise InputError(f"a correlation lies between -1 and 1, got {1 - gap}")
        k = _second_moment(q, sigma_w2, sigma_b2)
        apart = q * gap / sigma_w2  # k − m
        m = k - apart
        if k + m < -1e-12 * k:
            raise InputError(
                f"no two inputs give pre-activations with correlation {1 - gap:g} at q = {q:g}: "
                f"the common bias alone brings them to {2 * sigma_b2 / q - 1:g}"
            )
        if k == 0:
            return cls(((0.0, 0.0), (0.0, 0.0)))
        return cls(((sqrt(k), m / sqrt(k)), (0.0, sqrt(max(apart * (k + m), 0.0) / k))))

    @classmethod
    def of(cls, matrix: ArrayLike) -> InputGram:
        """From K₀ itself, shape (B, B), symmetric and positive semidefinite."""
        try:
            gram = np.atleast_2d(np.asarray(matrix, dtype=np.float64))
        except (TypeError, ValueError):
            raise InputError("the inputs' second moments must be a B × B matrix of numbers") from None
        if gram.ndim != 2 or gram.shape[0] != gram.shape[1] or gram.size == 0:
            raise InputError(f"the inputs' second moments must be a B × B matrix, got shape {gram.shape}")
        if not np.isfinite(gram).all() or not np.allclose(gram, gram.T, rtol=1e-12, atol=0):
            raise InputError("the inputs' second moments must be finite and symmetric")
        values, vectors = np.linalg.eigh(gram)
        if values[0] < -1e-12 * max(values[-1], 0.0) or values[-1] < 0:
            raise InputError("the inputs' second moments must be positive semidefinite")
        root = np.sqrt(np.maximum(values, 0.0))[:, None] * vectors.T
        upper: NDArray[np.float64] = np.asarray(np.linalg.qr(root, mode="r"))
        upper *= np.where(np.diagonal(upper) < 0, -1.0, 1.0)[:, None]
        return cls(_rows(upper.tolist()))


def _rows(rows: Sequence[Sequence[Any]]) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(float(entry) for entry in row) for row in rows)


def _second_moment(q: float, sigma_w2: float, sigma_b2: float) -> float:
    if not (isfinite(sigma_w2) and sigma_w2 > 0):
        raise InputError(f"sigma_w2 must be positive and finite, got {sigma_w2}")
    if not (isfinite(q) and q >= sigma_b2 >= 0):
        raise InputError(f"q must be finite and at least sigma_b2 >= 0, got q = {q}, sigma_b2 = {sigma_b2}")
    return (q - sigma_b2) / sigma_w2
