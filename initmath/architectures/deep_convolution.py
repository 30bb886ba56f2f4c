"""Norms through many circular convolutions: what delta-orthogonal kernels keep (Xiao et al. 2018)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from initmath.architectures.convolution import circular_convolution
from initmath.architectures.inputs import count, reals
from initmath.errors import InputError
from initmath.sampling import delta_orthogonal

Real = NDArray[np.floating[Any]]

__all__ = ["NormKept", "delta_orthogonal_kernels", "norm_kept"]


@dataclass(frozen=True)
class NormKept:
    """How far a linear convolutional network moved the norms of its signal.

    Attributes
    ----------
    depth : int
    whole : float
        |‖output‖/‖input‖ − 1|.
    per_place : float
        Largest |‖y_i‖/‖x_i‖ − 1| of the channel vectors at the places i: delta-orthogonal layers keep each of
        them, an orthogonal convolution in general only the whole.
    """

    depth: int
    whole: float
    per_place: float


def delta_orthogonal_kernels(
    depth: int,
    channels: int,
    taps: Sequence[int],
    rng: np.random.Generator,
    *,
    gain: float = 1.0,
    dtype: DTypeLike = np.float64,
) -> Iterable[Real]:
    """Draw one delta-orthogonal kernel after the other, (channels, channels, taps…).

    Its circular convolution multiplies the channel vector of each place by gain × the same orthogonal matrix:
    all its singular values are |gain|, and at gain 1 the norm of each of these vectors is kept [1]_.

    References
    ----------
    .. [1] Xiao et al., Dynamical isometry and a mean field theory of CNNs, 2018, arXiv:1806.05393,
       algorithm 1.
    """
    wide = count(channels, "channels")
    for _ in range(count(depth, "depth")):
        yield delta_orthogonal((wide, wide, *taps), gain, rng, dtype)


def norm_kept(image: ArrayLike, kernels: Iterable[ArrayLike]) -> NormKept:
    """Send an image through linear circular convolutions and compare norms.

    Parameters
    ----------
    image : ndarray, shape (channels, m₁, …)
        No channel vector may be zero.  Norms are taken in float64, the layers in the arguments' precision.
    kernels : iterable of ndarray

    Returns
    -------
    NormKept

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> image = rng.standard_normal((8, 5))
    >>> norm_kept(image, delta_orthogonal_kernels(100, 8, (3,), rng)).per_place < 1e-12
    True
    """
    first = now = reals(image, "the image")
    depth = 0
    for kernel in kernels:
        now = circular_convolution(now, kernel)
        depth += 1
    if depth == 0:
        raise InputError("need at least one layer")
    before, after = (np.linalg.norm(np.asarray(x, np.float64), axis=0) for x in (first, now))
    if not np.all(before > 0):
        raise InputError("a channel vector of the image is zero: it has no relative change of norm")
    whole = abs(float(np.linalg.norm(after) / np.linalg.norm(before)) - 1)
    return NormKept(depth, whole, float(np.max(np.abs(after / before - 1))))
