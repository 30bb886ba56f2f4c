r"""Circular convolution as a linear map: its singular values, one small matrix a frequency.

The layer of kernel K, shape (n_out, n_in, k₁, …), on images of shape (n_in, m₁, …) with circular padding is

.. math:: y_{o, i} = \sum_{c, t} K_{o, c, t}\; x_{c,\, i + t - \lfloor (k-1)/2 \rfloor},

indices modulo the image size (a cross-correlation, as in deep learning).  Shifts commute with the discrete
Fourier transform F, so F y(ω) = A(ω) F x(ω) with A(ω) = Σ_t K_t e^{2πi ω·(t − ⌊(k−1)/2⌋)/m}: the layer is
unitarily equivalent to the block-diagonal matrix of all A(ω), and its singular values are those of the A(ω)
together [1]_.  The centre contributes a phase only and changes none of them.

References
----------
.. [1] Sedghi, Gupta & Long, The singular values of convolutional layers, 2019, arXiv:1805.10408 (two
   dimensions; here any number).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from initmath.architectures.inputs import count, reals
from initmath.errors import InputError

__all__ = ["block_circulant", "circular_convolution", "convolution_singular_values"]

Real = NDArray[np.floating[Any]]

LARGEST_EXPLICIT = 4096
"""Rows or columns of an explicit matrix."""


def _kernel(kernel: ArrayLike) -> Real:
    array = reals(kernel, "a kernel")
    if array.ndim < 3 or not array.size:
        raise InputError(f"a kernel has the shape (n_out, n_in, sizes…), got {array.shape}")
    return array


def _tap(kernel: Real, at: tuple[int, ...]) -> Real:
    """Return the (n_out, n_in) matrix of one tap."""
    where: tuple[Any, ...] = (slice(None), slice(None), *at)
    return np.asarray(kernel[where])


def _sizes(kernel: Real, size: int | Sequence[int]) -> tuple[int, ...]:
    wanted = kernel.ndim - 2
    sizes = (size,) if isinstance(size, int | np.integer) else tuple(size)
    if len(sizes) != wanted:
        raise InputError(f"a kernel of shape {kernel.shape} acts on images of {wanted} sizes, got {size!r}")
    return tuple(count(m, "each size of the image") for m in sizes)


def circular_convolution(image: ArrayLike, kernel: ArrayLike) -> Real:
    """Apply the layer to one image, tap by tap, in the precision of its arguments.

    Parameters
    ----------
    image : ndarray, shape (n_in, m₁, …)
    kernel : ndarray, shape (n_out, n_in, k₁, …)
        Kernels longer than the image wrap around.

    Returns
    -------
    ndarray, shape (n_out, m₁, …)
        float32 if both are, else float64.

    Examples
    --------
    >>> import numpy as np
    >>> circular_convolution([[1.0, 2.0, 3.0]], [[[1.0, 0.0, 0.0]]])  # the tap before the centre
    array([[3., 1., 2.]])
    """
    taps, x = _kernel(kernel), reals(image, "an image")
    if x.ndim != taps.ndim - 1 or x.shape[0] != taps.shape[1] or not x.size:
        raise InputError(f"a kernel of shape {taps.shape} does not act on an image of shape {x.shape}")
    kind = np.float32 if x.dtype == taps.dtype == np.float32 else np.float64
    x = x.astype(kind, copy=False)
    axes = tuple(range(1, x.ndim))
    out = np.zeros((taps.shape[0], *x.shape[1:]), kind)
    for at in product(*(range(k) for k in taps.shape[2:])):
        weight = _tap(taps, at).astype(kind, copy=False)
        if not weight.any():
            continue
        shift = tuple((k - 1) // 2 - t for t, k in zip(at, taps.shape[2:], strict=True))
        moved = np.roll(x, shift, axes)
        out += (weight @ moved.reshape(len(moved), -1)).reshape(out.shape)
    return out


def convolution_singular_values(kernel: ArrayLike, size: int | Sequence[int]) -> NDArray[np.float64]:
    """Singular values of the layer on images of the given size, largest first.

    Parameters
    ----------
    kernel : ndarray, shape (n_out, n_in, k₁, …)
    size : int or tuple of int
        m₁, …

    Returns
    -------
    ndarray, shape (m₁⋯ × min(n_out, n_in),)
        To rounding: the error of each is about 1e-16 times the largest.

    Examples
    --------
    >>> convolution_singular_values([[[0.0, 1.0, -1.0]]], 4).round(12)  # a difference: |1 − e^{iω}|
    array([2.        , 1.41421356, 1.41421356, 0.        ])
    """
    taps = np.asarray(_kernel(kernel), np.float64)
    sizes = _sizes(taps, size)
    folded = np.zeros((*sizes, *taps.shape[:2]))
    for at in product(*(range(k) for k in taps.shape[2:])):
        folded[tuple(t % m for t, m in zip(at, sizes, strict=True))] += _tap(taps, at)
    blocks = np.fft.fftn(folded, axes=range(len(sizes)))
    values = np.linalg.svd(blocks, compute_uv=False)
    return np.sort(np.asarray(values, np.float64), axis=None)[::-1]


def block_circulant(kernel: ArrayLike, size: int | Sequence[int]) -> NDArray[np.float64]:
    """Return the layer as an explicit matrix: rows (channel out, place), columns (channel in, place).

    Examples
    --------
    >>> block_circulant([[[0.0, 1.0, -1.0]]], 3)
    array([[ 1., -1.,  0.],
           [ 0.,  1., -1.],
           [-1.,  0.,  1.]])
    """
    taps = np.asarray(_kernel(kernel), np.float64)
    sizes = _sizes(taps, size)
    places = int(np.prod(sizes))
    if places * max(taps.shape[:2]) > LARGEST_EXPLICIT:
        raise InputError(
            f"an explicit matrix may have at most {LARGEST_EXPLICIT} rows and columns, not"
            f" {places * max(taps.shape[:2])}: its singular values come from the Fourier transform"
        )
    matrix = np.zeros((taps.shape[0], places, taps.shape[1], places))
    grid = np.indices(sizes).reshape(len(sizes), -1)
    for at in product(*(range(k) for k in taps.shape[2:])):
        source = [
            (g + t - (k - 1) // 2) % m for g, t, k, m in zip(grid, at, taps.shape[2:], sizes, strict=True)
        ]
        column = np.ravel_multi_index(source, sizes)
        # += over distinct (row, column) pairs: one tap meets each row once
        matrix[:, np.arange(places), :, column] += _tap(taps, at)
    return matrix.reshape(taps.shape[0] * places, taps.shape[1] * places)
