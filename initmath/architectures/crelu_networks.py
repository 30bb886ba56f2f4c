r"""Looks-linear networks: deep in ReLUs, and exactly linear at the start (Balduzzi et al. 2017).

CReLU doubles the features, ρ(y) = (max(0, y), max(0, −y)).  With the weights [W', −W'],

.. math:: [W', -W']\,\rho(y) = W' \max(0, y) - W' \max(0, -y) = W' y \quad \text{for every } y,

so the network *is* the product of its W' for every input, in real arithmetic without any error; and with
orthogonal W' all singular values of its Jacobian are 1.  The same holds channel by channel for convolutions.
Training breaks the two halves' symmetry, and with it the linearity.

Features are the first axis, as (N,) or (N, batch) in a dense network and (channels, sizes…) in a
convolutional one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from initmath.architectures.convolution import circular_convolution
from initmath.architectures.inputs import count, reals
from initmath.errors import InputError
from initmath.sampling import delta_orthogonal, orthogonal

__all__ = [
    "Linearity",
    "LooksLinear",
    "crelu",
    "looks_linear",
    "looks_linear_convolution",
    "looks_linear_dense",
]

Real = NDArray[np.floating[Any]]


def crelu(y: ArrayLike) -> Real:
    """Return (max(0, y), max(0, −y)) along the first axis.

    Examples
    --------
    >>> crelu([2.0, -3.0])
    array([2., 0., 0., 3.])
    """
    x = reals(y, "the features")
    return np.concatenate([np.maximum(x, 0), np.maximum(-x, 0)], axis=0)


def looks_linear(w: ArrayLike) -> Real:
    """Return the weights [W', −W'] that act on CReLU features; dense (n_out, n_in) or a kernel.

    Parameters
    ----------
    w : ndarray, shape (n_out, n_in, …)

    Returns
    -------
    ndarray, shape (n_out, 2 n_in, …)

    References
    ----------
    .. [1] Balduzzi et al., The shattered gradients problem, 2017, arXiv:1702.08591.

    Examples
    --------
    >>> looks_linear([[1.0, 2.0]])
    array([[ 1.,  2., -1., -2.]])
    """
    matrix = reals(w, "the weights")
    if matrix.ndim < 2:
        raise InputError(f"weights have the shape (n_out, n_in, …), got {matrix.shape}")
    return np.concatenate([matrix, -matrix], axis=1)


@dataclass(frozen=True)
class Linearity:
    """A looks-linear network beside the linear map that it should be.

    Attributes
    ----------
    depth : int
    deviation : float
        |f(x) − W'_L ⋯ W'_1 x|/|W'_L ⋯ W'_1 x|: rounding.
    singular_values : ndarray
        Of the Jacobian at x, taken through the network's own masks, largest first.
    """

    depth: int
    deviation: float
    singular_values: NDArray[np.float64]


@dataclass(frozen=True)
class LooksLinear:
    """A network y₁ = W'₁ x, y_{l+1} = [W'_{l+1}, −W'_{l+1}] ρ(y_l) with CReLU ρ.

    Attributes
    ----------
    factors : tuple of ndarray
        W'₁, …, W'_L: matrices, or kernels of circular convolutions.

    Examples
    --------
    >>> import numpy as np
    >>> network = looks_linear_dense(50, 8, np.random.default_rng(0))
    >>> found = network.check(np.random.default_rng(1).standard_normal(8))
    >>> found.deviation < 1e-13, bool(np.all(np.abs(found.singular_values - 1) < 1e-13))
    (True, True)
    """

    factors: tuple[Real, ...]

    def __post_init__(self) -> None:
        """Check that the factors multiply."""
        shapes = [reals(factor, "a factor").shape for factor in self.factors]
        fits = bool(shapes) and all(len(s) == len(shapes[0]) >= 2 for s in shapes)
        if not (fits and all(a[0] == b[1] for a, b in pairwise(shapes))):
            raise InputError(f"factors (n_out, n_in, …) that follow on each other are needed, got {shapes}")

    def forward(self, x: ArrayLike) -> Real:
        """Return the network's output, through all its CReLUs."""
        y = self._apply(self.factors[0], reals(x, "the input"))
        for factor in self.factors[1:]:
            y = self._apply(looks_linear(factor), crelu(y))
        return y

    def linear(self, x: ArrayLike) -> Real:
        """Return W'_L ⋯ W'_1 x."""
        y = reals(x, "the input")
        for factor in self.factors:
            y = self._apply(factor, y)
        return y

    def jacobian(self, x: ArrayLike) -> NDArray[np.float64]:
        """Return the derivative at one input as a matrix: the basis, pushed through the masks of that input.

        A feature that is exactly 0 has the derivative 0 in both halves, as in the frameworks.
        """
        y: Real = np.asarray(reals(x, "the input"), np.float64)
        if y.ndim != self.factors[0].ndim - 1:
            raise InputError(f"the Jacobian is taken at one input, got the shape {y.shape}")
        tangents: Real = np.eye(y.size).reshape(y.size, *y.shape)
        y, tangents = self._step(self.factors[0], y, tangents)
        for factor in self.factors[1:]:
            positive, negative = y > 0, y < 0
            doubled = np.concatenate([tangents * positive, -tangents * negative], axis=1)
            y, tangents = self._step(looks_linear(factor), crelu(y), doubled)
        return np.asarray(tangents.reshape(len(tangents), -1).T, np.float64)

    def check(self, x: ArrayLike) -> Linearity:
        """Compare with the linear map at one input, and take the Jacobian's singular values."""
        expected = self.linear(x)
        scale = float(np.linalg.norm(expected))
        gap = float(np.linalg.norm(self.forward(x) - expected))
        values = np.asarray(np.linalg.svd(self.jacobian(x), compute_uv=False), np.float64)
        return Linearity(len(self.factors), gap / scale if scale else gap, values)

    @staticmethod
    def _apply(weights: Real, x: Real) -> Real:
        if weights.ndim == 2:
            if x.ndim not in (1, 2) or len(x) != weights.shape[1]:
                raise InputError(
                    f"weights of shape {weights.shape} do not act on an input of shape {x.shape}"
                )
            return np.asarray(weights @ x)
        return circular_convolution(x, weights)

    def _step(self, weights: Real, y: Real, tangents: Real) -> tuple[Real, Real]:
        if weights.ndim == 2:
            return self._apply(weights, y), tangents @ weights.T
        return self._apply(weights, y), np.stack([self._apply(weights, t) for t in tangents])


def looks_linear_dense(depth: int, width: int, rng: np.random.Generator, gain: float = 1.0) -> LooksLinear:
    """Draw a dense looks-linear network with orthogonal W' × gain, of constant width."""
    wide, layers = count(width, "width"), count(depth, "depth")
    return LooksLinear(tuple(orthogonal((wide, wide), gain, rng) for _ in range(layers)))


def looks_linear_convolution(
    depth: int, channels: int, taps: Sequence[int], rng: np.random.Generator, gain: float = 1.0
) -> LooksLinear:
    """Draw a convolutional looks-linear network with delta-orthogonal W' × gain, circular padding.

    Examples
    --------
    >>> import numpy as np
    >>> network = looks_linear_convolution(10, 4, (3, 3), np.random.default_rng(0))
    >>> found = network.check(np.random.default_rng(1).standard_normal((4, 3, 3)))
    >>> found.deviation < 1e-14, bool(np.all(np.abs(found.singular_values - 1) < 1e-13))
    (True, True)
    """
    wide, layers = count(channels, "channels"), count(depth, "depth")
    return LooksLinear(tuple(delta_orthogonal((wide, wide, *taps), gain, rng) for _ in range(layers)))
