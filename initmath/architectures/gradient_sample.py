"""Gradient correlations of simulated ReLU networks, with their own masks or with the model's."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from initmath.architectures.gradient_laws import ARCHITECTURES
from initmath.architectures.inputs import count, generator
from initmath.errors import InputError
from initmath.sampling import normal

__all__ = ["MASKS", "GradientSample", "sample_gradients"]

Real = NDArray[np.float64]

MASKS = ("network", "independent")


@dataclass(frozen=True)
class GradientSample:
    """Correlation of the gradients with respect to two inputs, over random networks.

    Attributes
    ----------
    correlation : ndarray, shape (L + 1,)
        E δ·δ' / E |δ|² of the gradients with respect to x₀, …, x_L (the last is 1: one output direction).
    standard_error : ndarray, shape (L + 1,)
        Of the ratio, by linearisation.
    signal : ndarray, shape (L + 1,)
        Mean correlation of the two signals x_l (with batch normalisation, after centring).
    """

    correlation: Real
    standard_error: Real
    signal: Real


def sample_gradients(
    architecture: str,
    depth: int,
    *,
    width: int = 256,
    networks: int = 50,
    correlation: float = 0.0,
    beta: float = 1.0,
    batch: int = 64,
    masks: str = "network",
    rng: np.random.Generator,
) -> GradientSample:
    """Backpropagate one random output direction to two inputs (or to a batch) of random ReLU networks.

    Parameters
    ----------
    architecture, depth, correlation, beta
        As in `gradient_law`.
    width, networks : int
        N; how many networks, at least 2.
    batch : int
        Inputs of a network with batch normalisation: independent Gaussian ones.  All pairs are averaged; the
        statistics are held fixed in the backward pass.
    masks : {"network", "independent"}
        The networks' own masks, or those of the paper's model: fair coins, independent for the two inputs
        (half of the units active, a quarter co-active), with the variances that the model gives to BN.
    rng : numpy.random.Generator

    Returns
    -------
    GradientSample

    Examples
    --------
    >>> import numpy as np
    >>> found = sample_gradients("plain", 3, width=64, masks="independent", rng=np.random.default_rng(0))
    >>> bool(abs(found.correlation[0] - 1 / 8) < 5 * found.standard_error[0])
    True
    """
    if architecture not in ARCHITECTURES:
        raise InputError(f"the architecture must be one of {', '.join(ARCHITECTURES)}, got {architecture!r}")
    if masks not in MASKS:
        raise InputError(f"masks must be one of {', '.join(MASKS)}, got {masks!r}")
    count(depth, "depth"), count(width, "width", 2), count(networks, "networks", 2)
    count(batch, "batch", 3), generator(rng)
    if not (-1 <= correlation <= 1 and np.isfinite(beta)):
        raise InputError(f"need a correlation from -1 to 1 and a finite beta, got {correlation} and {beta}")
    skip = 1.0 if architecture.endswith("residual") else 0.0
    scale = beta if skip else 1.0
    dots, squares, signal = (np.empty((networks, depth + 1)) for _ in range(3))
    for r in range(networks):
        weights = [np.asarray(normal((width, width), 2 / width, rng), np.float64) for _ in range(depth)]
        if masks == "independent":
            slopes, signal[r] = _coins(architecture, depth, width, scale, rng), np.nan
        else:
            x = _inputs(architecture, width, batch, correlation, rng)
            slopes, signal[r] = _forward(architecture, x, weights, skip, scale)
        back = np.broadcast_to(rng.standard_normal(width), slopes[0].shape)
        for layer in range(depth, -1, -1):
            dots[r, layer], squares[r, layer] = _pair_products(back)
            if layer:
                back = skip * back + scale * slopes[layer - 1] * (back @ weights[layer - 1])
    if not np.all(squares.mean(axis=0) > 0):
        raise InputError("the gradients died in every network: take a greater width, or more networks")
    ratio = dots.mean(axis=0) / squares.mean(axis=0)
    residual = dots - ratio * squares
    error = residual.std(axis=0, ddof=1) / np.sqrt(networks) / squares.mean(axis=0)
    return GradientSample(ratio, error, signal.mean(axis=0))


def _inputs(architecture: str, width: int, batch: int, c: float, rng: np.random.Generator) -> Real:
    """Return two inputs of length √N with correlation c exactly, or a Gaussian batch."""
    if architecture.startswith("batch_norm"):
        return rng.standard_normal((batch, width))
    frame, _ = np.linalg.qr(rng.standard_normal((width, 2)))
    first, second = frame.T
    return np.asarray(np.sqrt(width) * np.stack([first, c * first + np.sqrt((1 - c) * (1 + c)) * second]))


def _forward(
    architecture: str, x: Real, weights: list[Real], skip: float, scale: float
) -> tuple[list[Real], Real]:
    """Return ∂ρ/∂x of every layer and input (mask over BN's deviation), and the signals' correlations."""
    normalised = architecture.startswith("batch_norm")
    slopes, seen = [], []
    for w in weights:
        shown, deviation = (x - x.mean(axis=0), x.std(axis=0)) if normalised else (x, np.ones(x.shape[1]))
        seen.append(_correlation(shown))
        shown = shown / deviation
        slopes.append((shown > 0) / deviation)
        x = skip * x + scale * np.maximum(shown, 0) @ w.T
    seen.append(_correlation(x - x.mean(axis=0) if normalised else x))
    return slopes, np.asarray(seen)


def _coins(architecture: str, depth: int, width: int, scale: float, rng: np.random.Generator) -> list[Real]:
    """Independent fair masks of two inputs; BN divides a residual stream by √(1 + β² (l − 1))."""
    grows = scale**2 if architecture == "batch_norm_residual" else 0.0
    return [(rng.random((2, width)) < 0.5) / np.sqrt(1 + grows * layer) for layer in range(depth)]


def _pair_products(vectors: Real) -> tuple[float, float]:
    """Mean inner product over all pairs, and mean square."""
    count = len(vectors)
    square = float(np.sum(vectors * vectors))
    total = vectors.sum(axis=0)
    return (float(total @ total) - square) / (count * (count - 1)), square / count


def _correlation(vectors: Real) -> float:
    inner, square = _pair_products(vectors)
    return inner / square if square else 0.0
