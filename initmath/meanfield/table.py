"""Functions of q, and of q and a correlation, as Chebyshev panels: any q for the price of a polynomial."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["Panels", "in_s"]

Real = NDArray[np.float64]


@dataclass(frozen=True)
class Panels:
    r"""f(q) or f(q, s), 0 ≤ s ≤ 1, as Chebyshev polynomials in log q (and s) on panels in log q.

    Attributes
    ----------
    start : float
        log q at the left end of the first panel.
    width : float
        Of a panel, in log q.
    coefficients : ndarray, shape (m, panels, degree + 1) or (m, panels, degree + 1, degree in s + 1)
        For m functions at once.
    """

    start: float
    width: float
    coefficients: Real

    @classmethod
    def fit(
        cls,
        function: Callable[[Real], Real],
        low: float,
        high: float,
        *,
        width: float,
        degree: int,
        degree_s: int | None = None,
    ) -> Panels:
        """Sample and transform.

        Parameters
        ----------
        function : callable
            From q, shape (n,), to values, shape (m, n); with ``degree_s`` from (q, s) to the same shape.
        low, high : float
            The range of q, 0 < low < high.
        width : float
            Largest width of a panel in log q.
        degree, degree_s : int
        """
        count = max(1, int(np.ceil(np.log(high / low) / width)))
        start, step = float(np.log(low)), float(np.log(high / low)) / count
        nodes, transform = _chebyshev(degree)
        t = start + step * (np.arange(count)[:, None] + (nodes + 1) / 2)
        if degree_s is None:
            values = np.asarray(function(np.exp(t).ravel())).reshape(-1, *t.shape)
            return cls(start, step, np.einsum("ij,mpj->mpi", transform, values))
        nodes_s, transform_s = _chebyshev(degree_s)
        q, s = np.broadcast_arrays(np.exp(t)[:, :, None], (nodes_s + 1) / 2)
        values = np.asarray(function(q.ravel(), s.ravel())).reshape(-1, *q.shape)  # type: ignore[call-arg]
        return cls(start, step, np.einsum("ij,kl,mpjl->mpik", transform, transform_s, values))

    @property
    def low(self) -> float:
        """Smallest q."""
        return float(np.exp(self.start))

    @property
    def high(self) -> float:
        """Largest q."""
        return float(np.exp(self.start + self.width * self.coefficients.shape[1]))

    def at(self, q: ArrayLike) -> Real:
        """Return the functions of q, shape (m, n); of (q, s) their coefficients in s, (m, n, degree + 1).

        A q outside the range is taken at its end.

        Examples
        --------
        >>> import numpy as np
        >>> table = Panels.fit(lambda q: np.stack([np.sqrt(q)]), 0.1, 10.0, width=1.5, degree=14)
        >>> bool(np.allclose(table.at([0.5, 2.0])[0], np.sqrt([0.5, 2.0]), rtol=1e-14))
        True
        """
        t = (np.log(np.asarray(q, np.float64).ravel()) - self.start) / self.width
        t = np.clip(t, 0, self.coefficients.shape[1])
        panel = np.minimum(t.astype(np.intp), self.coefficients.shape[1] - 1)
        u = 2 * (t - panel) - 1
        if self.coefficients.ndim == 4:
            basis = np.polynomial.chebyshev.chebvander(u, self.coefficients.shape[2] - 1)
            found = np.empty((self.coefficients.shape[0], u.size, self.coefficients.shape[3]))
            for k in np.unique(panel):
                here = panel == k
                found[:, here] = basis[here] @ self.coefficients[:, k]
            return found
        moved = self.coefficients.transpose(2, 0, 1)
        upper = np.zeros((self.coefficients.shape[0], u.size))
        lower = np.zeros_like(upper)
        for k in range(len(moved) - 1, 0, -1):  # Clenshaw
            upper, lower = moved[k][:, panel] + 2 * u * upper - lower, upper
        return np.asarray(moved[0][:, panel] + u * upper - lower)


def in_s(coefficients: Real, s: Real) -> tuple[Real, Real]:
    """Evaluate polynomials in s, one a row, and their derivatives: coefficients (n, k), s (n,)."""
    u = 2 * s - 1
    b, b1, d, d1 = (np.zeros_like(s) for _ in range(4))
    for k in range(coefficients.shape[1] - 1, 0, -1):  # Clenshaw, and its derivative
        d, d1 = 2 * b + 2 * u * d - d1, d
        b, b1 = coefficients[:, k] + 2 * u * b - b1, b
    return np.asarray(coefficients[:, 0] + u * b - b1), np.asarray(2 * (b + u * d - d1))


def _chebyshev(degree: int) -> tuple[Real, Real]:
    """Lobatto points on [−1, 1] and the matrix from values there to coefficients."""
    nodes = np.asarray(np.polynomial.chebyshev.chebpts2(degree + 1), np.float64)
    transform = np.linalg.inv(np.polynomial.chebyshev.chebvander(nodes, degree))
    return nodes, np.asarray(transform, np.float64)
