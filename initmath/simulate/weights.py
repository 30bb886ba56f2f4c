"""One weight matrix with entries of variance σ_w²/N, by the name of its law or by a given sampler."""

from __future__ import annotations

from collections.abc import Callable
from math import sqrt
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from initmath import sampling
from initmath.errors import InputError

__all__ = ["WEIGHTS", "Weights", "check_sampler", "draw"]

WEIGHTS = ("gaussian", "uniform", "truncated_normal", "orthogonal", "weight_standardised")
Sampler: TypeAlias = Callable[..., Any]
Weights: TypeAlias = str | Sampler
Array: TypeAlias = NDArray[Any]

_ENTRYWISE = {
    "gaussian": sampling.normal,
    "uniform": sampling.uniform,
    "truncated_normal": sampling.truncated_normal,
}
_ALARM = 6.0  # standard errors: a right sampler is turned away once in 10⁹


def draw(weights: Weights, width: int, sigma_w2: float, rng: np.random.Generator, dtype: Any) -> Array:
    """Return one N × N weight matrix (n_out, n_in).

    Examples
    --------
    >>> import numpy as np
    >>> w = draw("weight_standardised", 8, 2.0, np.random.default_rng(0), np.float64)
    >>> bool(np.allclose(w.sum(1), 0)), bool(np.allclose((w * w).sum(1), 2))
    (True, True)
    """
    shape = (width, width)
    if callable(weights):
        return _given(weights, shape, sigma_w2 / width, rng, dtype)
    if weights == "orthogonal":
        return sampling.orthogonal(shape, sqrt(sigma_w2), rng, dtype)
    if weights == "weight_standardised":
        return _standardised(shape, sigma_w2, rng, dtype)
    return _ENTRYWISE[weights](shape, sigma_w2 / width, rng, dtype)


def _standardised(shape: tuple[int, int], sigma_w2: float, rng: np.random.Generator, dtype: Any) -> Array:
    matrix: Array = rng.standard_normal(shape, dtype=dtype)
    matrix -= matrix.mean(axis=1, keepdims=True)
    square = np.add.reduce(matrix * matrix, axis=1, keepdims=True)
    matrix *= np.sqrt(matrix.dtype.type(sigma_w2) / square)
    return matrix


def _given(
    sampler: Sampler, shape: tuple[int, int], variance: float, rng: np.random.Generator, dtype: Any
) -> Array:
    found = np.asarray(sampler(shape, variance, rng, dtype))
    if found.shape != shape or found.dtype.kind != "f":
        raise InputError(
            f"the sampler must return real numbers of shape {shape}, got {found.dtype} {found.shape}"
        )
    return np.ascontiguousarray(found, dtype=dtype)


def check_sampler(
    sampler: Sampler, width: int, sigma_w2: float, rng: np.random.Generator, dtype: Any
) -> None:
    """Refuse a sampler whose weights do not have mean 0 and variance σ_w²/N.

    Judged on one matrix, more if the matrix is small, by z-scores with the sample's own kurtosis.

    Raises
    ------
    InputError
        With what was measured and what was asked for.
    """
    variance = sigma_w2 / width
    count = max(1, -(-4096 // (width * width)))
    matrices = [_given(sampler, (width, width), variance, rng, np.dtype(dtype).type) for _ in range(count)]
    sample = np.stack(matrices).astype(np.float64).ravel()
    if not np.isfinite(sample).all():
        raise InputError("the sampler returned weights that are not finite")
    second = float(np.mean(sample**2))
    kurtosis = float(np.mean(sample**4)) / second**2 if second > 0 else 1.0
    check = sampling.variance_check(sample, variance, kurtosis)
    if abs(check.z) > _ALARM:
        raise InputError(
            f"the sampler's weights have variance {second:.4g} where {variance:.4g} = sigma_w2/N was asked"
        )
    mean = float(np.mean(sample))
    if abs(mean) > _ALARM * sqrt(second / sample.size):
        raise InputError(f"the sampler's weights have mean {mean:.3g} where 0 was asked for")
