r"""Singular values of long products, each to its own relative precision.

The singular values of A = D_L W_L ⋯ D_1 W_1 spread over hundreds of orders of magnitude, and those of the
computed product are lost below eps times the largest.  So the product is never formed.  It is kept as

.. math:: A = U \,\mathrm{diag}(e^{d})\, T,

U with orthonormal columns, T well conditioned, and the scales d as logarithms.  One more factor B costs a
QR decomposition of B U, whose columns are first sorted by what they carry.  At the end, QR and LQ
decompositions of the small factors in turn drive together what is of equal size, until the matrix couples
only rows of comparable scale and can be cut into pieces in which plain singular value decomposition is
accurate.  Every step multiplies A by I + O(eps) from a side; none adds eps‖A‖.

References
----------
.. [1] G. W. Stewart, On graded QR decompositions of products of matrices, ETNA 3 (1995) 39–49.
.. [2] J. Demmel, M. Gu, S. Eisenstat, I. Slapničar, K. Veselić, Z. Drmač, Computing the singular value
   decomposition with high relative accuracy, Linear Algebra Appl. 299 (1999) 21–80.
.. [3] A. J. Cox, N. J. Higham, Stability of Householder QR factorization for weighted least squares problems
   (1998): rows sorted by size make the error small row by row.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import qr, svdvals

from initmath.errors import InputError

__all__ = ["GradedProduct", "log_singular_values"]

Array = NDArray[np.float64]

_CORE = 4.0
"""Logarithmic range of the singular values that one piece settles."""
_MARGIN = 4.0
"""Logarithmic range that a piece takes along on either side."""
_NEGLIGIBLE = 1e-13
_FAR = 300.0  # where rows are not sorted, ratios of scales are kept from overflow
_ROUNDS = 40


class GradedProduct:
    r"""A product B_n ⋯ B_1 that grows to the left, kept as U diag(eᵈ) T.

    Parameters
    ----------
    width : int
        Number of columns of B_1.

    Attributes
    ----------
    rank : int
        Rank so far.  It drops only where a factor has rows that are exactly zero (dead units), or fewer rows.

    Notes
    -----
    Of a factor that is singular without a zero row (two equal rows), rounding leaves singular values of
    relative size eps.

    Examples
    --------
    A product of 400 equal diagonal matrices: singular values 1 and 10⁻⁴⁰⁰⁰.

    >>> product = GradedProduct(2)
    >>> for _ in range(400):
    ...     product.multiply(np.diag([1.0, 1e-10]))
    >>> [round(float(v / np.log(10)), 9) + 0.0 for v in product.log_singular_values()]
    [0.0, -4000.0]
    """

    def __init__(self, width: int) -> None:
        self.width = width
        self.rows = width
        self.rank = width
        self._frame: Array | None = None  # U; None: the identity
        self._scale: Array = np.zeros(width)  # d
        self._shape: Array = np.eye(width)  # T

    def multiply(self, matrix: ArrayLike, slope: ArrayLike | None = None) -> None:
        """Replace A by diag(slope) B A.

        Parameters
        ----------
        matrix : array_like, shape (n_out, n_in)
        slope : array_like, shape (n_out,), optional
            Rows with slope 0 are exact zeros.

        Raises
        ------
        InputError
            If the shapes do not fit or an entry is not finite.
        """
        factor = np.asarray(matrix, np.float64)
        if factor.ndim != 2 or factor.shape[1] != self.rows:
            raise InputError(f"a factor with {self.rows} columns is needed, got shape {factor.shape}")
        size = np.abs(factor).max(axis=1, initial=0.0)
        if slope is not None:
            slopes = np.asarray(slope, np.float64)
            if slopes.shape != size.shape:
                raise InputError(f"{size.shape[0]} slopes are needed, got shape {slopes.shape}")
            size = np.where(size > 0, np.abs(slopes), 0.0)
        if not np.isfinite(size).all():
            raise InputError("the factors of a product must be finite")
        live = np.flatnonzero(size)
        live = live[np.argsort(-size[live], kind="stable")]
        rows = factor[live]
        applied = rows if self._frame is None else rows @ self._frame
        if slope is not None:
            applied = slopes[live, None] * applied
        self.rows = factor.shape[0]
        self._absorb(applied, live)

    def _absorb(self, applied: Array, live: NDArray[np.intp]) -> None:
        with np.errstate(divide="ignore"):
            carried = self._scale + np.log(_norms(applied))
        order = np.argsort(-carried, kind="stable")
        order = order[np.isfinite(carried[order])]
        if not len(order):
            self.rank, self._scale, self._shape = 0, np.empty(0), np.empty((0, self.width))
            self._frame = np.zeros((self.rows, 0))
            return
        q, r = qr(applied[:, order], mode="economic", overwrite_a=True, check_finite=False)
        self._scale, factor = _normalise(r, self._scale[order])
        keep = np.isfinite(self._scale)
        self._scale, factor = self._scale[keep], factor[keep]
        self._shape = factor @ self._shape[order]
        self.rank = len(self._scale)
        self._frame = np.zeros((self.rows, self.rank))
        self._frame[live] = q[:, keep]

    def log_singular_values(self) -> Array:
        """Return log σ, decreasing, min(rows, columns) of them; −inf where σ = 0 exactly."""
        found = np.full(min(self.rows, self.width), -np.inf)
        found[: self.rank] = _graded_values(self._scale, self._shape)
        return found


def log_singular_values(factors: Iterable[ArrayLike]) -> Array:
    r"""Return the logarithms of the singular values of B_n ⋯ B_1, given B_1 first.

    Parameters
    ----------
    factors : iterable of array_like
        B_1, …, B_n; consumed one at a time.

    Returns
    -------
    ndarray, shape (min(rows, columns),)
        Decreasing; −inf where a singular value is exactly 0.  The error is about eps · N · κ absolute, with κ
        the condition number of T, not of the product.

    Raises
    ------
    InputError

    Examples
    --------
    >>> rotation = np.array([[0.6, -0.8], [0.8, 0.6]])
    >>> values = log_singular_values([np.diag([1e-200, 1.0]), rotation, np.diag([1.0, 1e-300])])
    >>> [round(float(v / np.log(10)), 6) for v in values]
    [-0.09691, -499.90309]
    """
    product: GradedProduct | None = None
    for each in factors:
        matrix = np.asarray(each, np.float64)
        if matrix.ndim != 2:
            raise InputError(f"a factor must be a matrix, got shape {matrix.shape}")
        product = GradedProduct(matrix.shape[1]) if product is None else product
        product.multiply(matrix)
    if product is None:
        raise InputError("a product needs at least one factor")
    return product.log_singular_values()


def _norms(columns: Array) -> Array:
    """Lengths of columns, without underflow."""
    largest = np.abs(columns).max(axis=0, initial=0.0)
    safe = np.where(largest > 0, largest, 1.0)
    return np.asarray(largest * np.sqrt(np.sum((columns / safe) ** 2, axis=0)))


def _normalise(r: Array, scale: Array) -> tuple[Array, Array]:
    """Write R diag(eᵈ) = diag(eᵈ′) F with 1 on the diagonal of F; d′ = −inf where R has a zero row."""
    rows = len(r)
    diagonal = np.abs(np.diagonal(r))
    with np.errstate(divide="ignore"):
        new = scale[:rows] + np.log(diagonal)
    safe = np.where(diagonal > 0, diagonal, 1.0)
    return new, (r / safe[:, None]) * np.exp(np.minimum(scale[None, :] - scale[:rows, None], _FAR))


def _graded_values(scale: Array, shape: Array) -> Array:
    """Logarithms of the singular values of diag(eᵈ) T."""
    for _ in range(_ROUNDS):
        order = np.argsort(-scale, kind="stable")
        scale, shape = scale[order], shape[order]
        if shape.shape[0] == shape.shape[1]:
            shape = shape[:, order]  # each row stays with its own column
        if not len(scale) or scale[0] - scale[-1] <= _CORE + _MARGIN:
            return _values(scale, shape)
        if shape.shape[0] == shape.shape[1] and _coupling(scale, shape) <= _NEGLIGIBLE:
            return _in_pieces(scale, shape)
        scale, shape = _round(scale, shape)
    raise ArithmeticError(f"rows of different scale are still coupled after {_ROUNDS} rounds")


def _round(scale: Array, shape: Array) -> tuple[Array, Array]:
    """One LQ and one QR decomposition: rows far apart in scale decouple by the square of their ratio."""
    lower = qr(shape.T, mode="r", check_finite=False)[0][: len(shape)].T
    ratio = np.exp(np.minimum(scale[:, None] - scale[None, :], 0.0))
    upper = qr(np.tril(lower) * ratio, mode="r", check_finite=False)[0]
    return _normalise(upper, scale)


def _coupling(scale: Array, shape: Array) -> float:
    """Largest entry of T between rows and columns that are a margin or more apart."""
    apart = np.abs(scale[:, None] - scale[None, :]) > _MARGIN
    return float(np.max(np.abs(shape), where=apart, initial=0.0))


def _values(scale: Array, shape: Array) -> Array:
    """Logarithms of the singular values where the scales are not far apart."""
    if not len(scale):
        return scale
    rows = np.exp(scale - scale[0])[:, None] * shape
    return np.asarray(scale[0] + np.log(svdvals(rows, check_finite=False)))


def _in_pieces(scale: Array, shape: Array) -> Array:
    """Window by window down the scales: what lies a margin away does not count."""
    found = np.empty(len(scale))
    start = 0
    while start < len(scale):
        stop = int(np.searchsorted(-scale, -(scale[start] - _CORE), side="right"))
        low = int(np.searchsorted(-scale, -(scale[start] + _MARGIN), side="left"))
        high = int(np.searchsorted(-scale, -(scale[stop - 1] - _MARGIN), side="right"))
        values = _values(scale[low:high], shape[low:high, low:high])
        found[start:stop] = values[start - low : stop - low]
        start = stop
    return np.sort(found)[::-1]
