"""Orthonormal frames of a few long vectors, for many networks at once.

Every sum runs along the last axis, one vector at a time: with one thread for the linear algebra library (see
`blas`) the bits do not depend on how many networks share a block.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["Array", "combine", "gram", "inner", "orthonormalise"]

Array: TypeAlias = NDArray[Any]


def inner(a: Array, b: Array) -> Array:
    """Σᵢ aᵢ bᵢ along the last axis."""
    return np.asarray(np.vecdot(a, b))


def gram(x: Array) -> Array:
    """(1/N) Σᵢ xᵢᵃ xᵢᵇ, shape (n, B, B), of x with shape (n, B, N)."""
    n, inputs, width = x.shape
    found = np.empty((n, inputs, inputs), np.float64)
    for a in range(inputs):
        for b in range(a + 1):
            found[:, a, b] = found[:, b, a] = inner(x[:, a], x[:, b])
    return np.asarray(found / width)


def orthonormalise(x: Array) -> tuple[Array, Array, Array]:
    r"""Write xᵃ = √N Σ_k r[k, a] qᵏ with orthonormal qᵏ, by modified Gram–Schmidt.

    A second pass where vectors nearly coincide.

    r is the Cholesky factor of the Gram matrix xᵀx/N, computed without forming it: a correlation 1 − ε costs
    a relative error of eps/√ε in r, not eps/ε.

    Parameters
    ----------
    x : ndarray, shape (n, B, N)

    Returns
    -------
    q : ndarray, shape (n, B, N)
        A direction that is dependent on the earlier ones to rounding is a zero vector.
    r : ndarray, shape (n, B, B)
        Upper triangular.
    rank : ndarray of int, shape (n,)

    Examples
    --------
    >>> import numpy as np
    >>> q, r, rank = orthonormalise(np.array([[[1.0, 1.0, 1.0], [1.0, 1.0, 1.0 + 1e-9]]]))
    >>> int(rank[0]), bool(abs(r[0, 1, 1] / (1e-9 * 2**0.5 / 3) - 1) < 1e-6)
    (2, True)
    """
    n, inputs, width = x.shape
    q = x.copy()
    r = np.zeros((n, inputs, inputs), x.dtype)
    rounding = 8 * np.finfo(x.dtype).eps
    for k in range(inputs):
        v = q[:, k]
        square = inner(v, v)
        length = np.sqrt(square)
        if k:
            whole = np.sqrt(inner(x[:, k], x[:, k]))
            near = np.flatnonzero(length < 0.1 * whole)
            if near.size:
                square[near] = _again(q, r, k, near)
                length = np.sqrt(square)
            length[length <= rounding * whole] = 0
        r[:, k, k] = length
        # Projected before it is normalised: the ratio of equal vectors is exactly 1, so they stay equal.
        inverse = np.divide(1, length, out=np.zeros_like(length), where=length > 0)
        for a in range(k + 1, inputs):
            ratio = np.divide(inner(v, q[:, a]), square, out=np.zeros_like(length), where=length > 0)
            r[:, k, a] = ratio * length
            q[:, a] -= ratio[:, None] * v
        v *= inverse[:, None]
    rank = np.count_nonzero(np.diagonal(r, axis1=1, axis2=2) > 0, axis=1)
    return q, r / np.sqrt(x.dtype.type(width)), rank


def _again(q: Array, r: Array, k: int, which: Array) -> Array:
    """Project vector k off the frame once more, in some networks: cancellation left part of it behind."""
    v = q[which, k]
    for j in range(k):
        left = inner(q[which, j], v)
        r[which, j, k] += left
        v -= left[:, None] * q[which, j]
    q[which, k] = v
    return inner(v, v)


def combine(coefficients: Array, vectors: Array) -> Array:
    """Σ_k c[k, a] vᵏ for upper triangular or full c of shape (n, K, A), v of shape (n, K, N)."""
    n, terms, count = coefficients.shape
    coefficients = coefficients.astype(vectors.dtype, copy=False)
    result = np.empty((n, count, vectors.shape[-1]), vectors.dtype)
    for a in range(count):
        np.multiply(coefficients[:, 0, a, None], vectors[:, 0], out=result[:, a])
        for k in range(1, terms):
            if coefficients[:, k, a].any():
                result[:, a] += coefficients[:, k, a, None] * vectors[:, k]
    return result
