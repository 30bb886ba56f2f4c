r"""Random weight arrays with a given variance or gain.

The generator is always passed in; nothing is seeded behind the caller's back.  Shapes are (n_out, n_in, …)
as in PyTorch: everything behind the first axis is the receptive field, as frameworks flatten it.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any, SupportsFloat, TypeAlias

import numpy as np
from numpy.typing import DTypeLike, NDArray

from initmath.errors import InputError
from initmath.sampling.constants import TRUNCATION, normal_std, truncated_normal_std, uniform_half_width

__all__ = ["delta_orthogonal", "normal", "orthogonal", "truncated_normal", "uniform"]

Real: TypeAlias = NDArray[np.floating[Any]]


def _shape(shape: int | Sequence[int], at_least: int = 0) -> tuple[int, ...]:
    sizes = (int(shape),) if isinstance(shape, int | np.integer) else tuple(int(s) for s in shape)
    if any(s < 0 for s in sizes) or len(sizes) < at_least:
        raise InputError(f"need a shape of at least {at_least} non-negative sizes, got {shape}")
    return sizes


def _dtype(dtype: DTypeLike) -> Any:
    kind = np.dtype(dtype)
    if kind not in (np.dtype(np.float32), np.dtype(np.float64)):
        raise InputError(f"dtype must be float32 or float64, got {kind}")
    return kind.type


def _generator(rng: np.random.Generator) -> np.random.Generator:
    if not isinstance(rng, np.random.Generator):
        raise InputError("rng must be a numpy.random.Generator, e.g. numpy.random.default_rng(0)")
    return rng


def normal(
    shape: int | Sequence[int],
    variance: SupportsFloat,
    rng: np.random.Generator,
    dtype: DTypeLike = np.float64,
) -> Real:
    """Independent N(0, variance).

    Parameters
    ----------
    shape : tuple of int
    variance : float
        v² of one entry, e.g. σ_w²/fan_in.
    rng : numpy.random.Generator
    dtype : float64 or float32

    Returns
    -------
    ndarray

    Examples
    --------
    >>> import numpy as np
    >>> normal((2, 3), 0.5, np.random.default_rng(0)).shape
    (2, 3)
    """
    out: Real = _generator(rng).standard_normal(_shape(shape), dtype=_dtype(dtype))
    out *= out.dtype.type(normal_std(variance))
    return out


def uniform(
    shape: int | Sequence[int],
    variance: SupportsFloat,
    rng: np.random.Generator,
    dtype: DTypeLike = np.float64,
) -> Real:
    """Independent U(−√3 v, √3 v), v² = variance.

    Parameters and the returned array are those of `normal`.
    """
    out: Real = _generator(rng).random(_shape(shape), dtype=_dtype(dtype))
    # Centre first, exactly: 2u − 1 loses nothing, then one rounding for the scale.
    out *= 2
    out -= 1
    out *= out.dtype.type(uniform_half_width(variance))
    return out


def truncated_normal(
    shape: int | Sequence[int],
    variance: SupportsFloat,
    rng: np.random.Generator,
    dtype: DTypeLike = np.float64,
    bound: float = TRUNCATION,
) -> Real:
    """Draw a normal cut at ±bound·σ₀, σ₀ chosen so that the variance *after* the cut is the one asked for.

    Draws that fall outside are drawn again (4.6 % of them at bound 2), which is exact.

    Parameters
    ----------
    shape, variance, rng, dtype
        As in `normal`.
    bound : float
        In units of σ₀; at least 0.1.

    Returns
    -------
    ndarray
    """
    if not bound >= 0.1:
        raise InputError(f"bound must be at least 0.1, got {bound}")
    kind = _dtype(dtype)
    sizes = _shape(shape)
    out: Real = _generator(rng).standard_normal(sizes, dtype=kind)
    flat = out.reshape(-1)
    again = np.flatnonzero(np.abs(flat) > bound)
    while again.size:
        fresh = rng.standard_normal(again.size, dtype=kind)
        flat[again] = fresh
        again = again[np.abs(fresh) > bound]
    out *= kind(truncated_normal_std(variance, bound))
    return out


def orthogonal(
    shape: Sequence[int],
    gain: SupportsFloat,
    rng: np.random.Generator,
    dtype: DTypeLike = np.float64,
) -> Real:
    """Draw gain × a Haar-distributed orthogonal matrix; semi-orthogonal when not square.

    Q of the QR factorisation of a Gaussian matrix, each column times the sign of R's diagonal entry:
    without the signs the law is not Haar [1]_.  An array of more than two dimensions is the matrix
    (shape[0], rest).  The shorter side's vectors are orthonormal (rows if there are fewer rows than
    columns).

    Parameters
    ----------
    shape : tuple of int, length ≥ 2
    gain : float
        σ_w; every singular value is |gain|.
    rng : numpy.random.Generator
    dtype : float64 or float32
        Factorised in float64 either way.

    Returns
    -------
    ndarray

    References
    ----------
    .. [1] F. Mezzadri, How to generate random matrices from the classical compact groups, 2007,
       arXiv:math-ph/0609050.

    Examples
    --------
    >>> import numpy as np
    >>> w = orthogonal((3, 5), 1.0, np.random.default_rng(0))
    >>> bool(np.allclose(w @ w.T, np.eye(3), atol=1e-14))
    True
    """
    sizes = _shape(shape, 2)
    kind = _dtype(dtype)
    rows, columns = sizes[0], prod(sizes[1:])
    if rows == 0 or columns == 0:
        return np.zeros(sizes, kind)
    q = _haar(max(rows, columns), min(rows, columns), _generator(rng))
    q *= float(gain)
    matrix = q if rows >= columns else q.T
    return np.ascontiguousarray(matrix, dtype=kind).reshape(sizes)


def _haar(tall: int, thin: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Draw a (tall, thin) matrix with orthonormal columns, uniform on the Stiefel manifold."""
    q, r = np.linalg.qr(rng.standard_normal((tall, thin)))
    sign = np.where(np.diagonal(r) < 0, -1.0, 1.0)
    q *= sign
    return np.asarray(q)


def delta_orthogonal(
    shape: Sequence[int],
    gain: SupportsFloat,
    rng: np.random.Generator,
    dtype: DTypeLike = np.float64,
) -> Real:
    """Convolution kernel that is zero but for gain × a semi-orthogonal matrix at the centre tap.

    Parameters
    ----------
    shape : tuple of int, length 3, 4 or 5
        (n_out, n_in, kernel sizes…), odd kernel sizes, n_out ≥ n_in: then the convolution with circular
        padding keeps norms (times gain).
    gain : float
    rng : numpy.random.Generator
    dtype : float64 or float32

    Returns
    -------
    ndarray

    Raises
    ------
    InputError
        If a kernel size is even (no centre) or n_out < n_in (no isometry).

    References
    ----------
    .. [1] L. Xiao et al., Dynamical isometry and a mean field theory of CNNs, 2018, arXiv:1806.05393,
       algorithm 1.

    Examples
    --------
    >>> import numpy as np
    >>> kernel = delta_orthogonal((4, 2, 3, 3), 1.0, np.random.default_rng(0))
    >>> int(np.count_nonzero(kernel))
    8
    """
    sizes = _shape(shape, 3)
    outputs, inputs, *taps = sizes
    if any(t % 2 == 0 for t in taps):
        raise InputError(f"a delta-orthogonal kernel needs odd kernel sizes, got {tuple(taps)}")
    if outputs < inputs:
        raise InputError(f"a delta-orthogonal kernel needs n_out >= n_in, got {outputs} < {inputs}")
    kernel: Real = np.zeros(sizes, _dtype(dtype))
    centre: tuple[Any, ...] = (slice(None), slice(None), *(t // 2 for t in taps))
    kernel[centre] = orthogonal((outputs, inputs), gain, rng, dtype)
    return kernel
