"""Taylor's series of E tanh² diverges: more terms help at first, and then harm, at every q.

The expansion at 0 that the textbook rule begins with, m₂ = q − 2q² + …, has radius of convergence zero,
because tanh has poles.  Left: partial sums beside the truth.  Right: their relative error against the
number of terms.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from figures.second_route import normal_mean
from figures.sheet import SERIES, letters, panels, signed

ORDERS = (1, 2, 3, 5)
AT = (0.1, 0.15, 0.2, 0.4, 1.0)


@dataclass(frozen=True)
class Data:
    """The truth and the partial sums.

    Attributes
    ----------
    q, truth : ndarray, shape (n,)
    sums : ndarray, shape (orders, n)
        With 1, 2, 3 … terms.
    at : ndarray, shape (5,)
    error : ndarray, shape (5, orders)
        Relative, of the partial sums there.
    best : ndarray of int, shape (5,)
        With how many terms it is smallest.
    """

    q: NDArray[np.float64]
    truth: NDArray[np.float64]
    sums: NDArray[np.float64]
    at: NDArray[np.float64]
    error: NDArray[np.float64]
    best: NDArray[np.intp]


def data(quick: bool = False) -> Data:
    """Sum the series Σ t_k E y^(2k), t_k the Taylor coefficients of tanh²."""
    from sympy import Symbol, factorial2, series, tanh

    from initmath.quadrature import expectation

    count = 16 if quick else 24
    x = Symbol("x")
    expansion = series(tanh(x) ** 2, x, 0, 2 * count + 2).removeO()
    terms = [float(expansion.coeff(x, 2 * k) * factorial2(2 * k - 1)) for k in range(1, count + 1)]
    powers = np.arange(1, count + 1)

    def sums(q: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.cumsum(np.array(terms)[:, None] * q ** powers[:, None], axis=0)

    def truth(q: NDArray[np.float64]) -> NDArray[np.float64]:
        return expectation(lambda y: np.tanh(y) ** 2, q).value

    q, at = np.linspace(0.002, 1, 400), np.array(AT)
    error = np.abs(sums(at) / truth(at) - 1).T
    return Data(q, truth(q), sums(q), at, error, 1 + np.argmin(error, axis=1))


def draw(found: Data) -> Any:
    """Draw the sums against q, and their errors against the number of terms."""
    figure, axes = panels(1, 2, height=3.0)
    axes[0].plot(found.q, found.truth, color="black", lw=2.2, label="exact")
    for order, colour in zip(ORDERS, SERIES, strict=False):
        label = "1 term (Kumar)" if order == 1 else f"{order} terms"
        axes[0].plot(found.q, found.sums[order - 1], color=colour, ls="--", label=label)
    axes[0].set(xlabel="pre-activation variance $q$", ylabel=r"$\mathrm{E}\,\tanh^2$", ylim=(-0.95, 1.0))
    axes[0].legend(loc="lower left")
    count = np.arange(1, found.error.shape[1] + 1)
    from matplotlib import colormaps

    shades = colormaps["cividis"](np.linspace(0, 0.9, len(found.at)))  # not the colours of (a)
    for row, (q, colour, marker) in enumerate(zip(found.at, shades, "osD^v", strict=True)):
        axes[1].plot(count, found.error[row], color=colour, marker=marker, ms=2.5, label=f"$q = {q:g}$")
        axes[1].plot(found.best[row], found.error[row].min(), "o", ms=8, mfc="none", color=colour)
    axes[1].set(yscale="log", ylim=(1e-7, 1e8), xlabel="terms", ylabel="relative error")
    axes[1].set_xticks(range(0, len(count) + 1, 4))
    axes[1].legend(loc="lower right", ncols=3, columnspacing=1.0, handlelength=1.4)
    letters(axes)
    return figure


def caption(found: Data) -> str:
    """Say what is seen, with the numbers."""
    smallest = ", ".join(
        f"{error.min():.2g} with {best} (q = {q:g})"
        for q, error, best in zip(found.at, found.error, found.best, strict=True)
    )
    return (
        "(a) E tanh² and its Taylor expansion at 0. (b) Relative error of the partial sums; circles: the "
        f"best that can be done, {smallest}. At q = 1 the first sums are "
        f"{', '.join(signed(s, '.3g') for s in found.sums[:4, -1])}; the truth is "
        f"{found.truth[-1]:.6f}."
    )


def check(found: Data) -> None:
    """Assert sums and truth by a second route, their errors, that each series diverges, where it is best."""
    # tanh² = Σ t_k y^(2k) from tanh' = 1 − tanh², tanh = Σ a_n y^(2n+1); then Σ t_k (2k − 1)!! q^k
    count = len(found.sums)
    square, odd = np.zeros(count + 1), np.zeros(count + 1)
    odd[0] = 1.0
    for n in range(1, count + 1):
        square[n] = odd[:n] @ odd[:n][::-1]
        odd[n] = -square[n] / (2 * n + 1)
    double = np.cumprod(2.0 * np.arange(1, count + 1) - 1)
    powers = np.arange(1, count + 1)

    def sums(q: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.cumsum((square[1:] * double)[:, None] * q ** powers[:, None], axis=0)

    def truth(q: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.array([normal_mean(lambda y: np.tanh(y) ** 2, at) for at in q])

    np.testing.assert_allclose(found.sums, sums(found.q), rtol=1e-6)
    np.testing.assert_allclose(found.truth, truth(found.q), rtol=1e-9)
    np.testing.assert_allclose(found.error.T, np.abs(sums(found.at) / truth(found.at) - 1), rtol=1e-6)
    assert np.array_equal(found.best, 1 + np.argmin(found.error, axis=1))
    np.testing.assert_allclose(found.sums[:5, -1], [1, -1, 14 / 3, -16, 1142 / 15], rtol=1e-12)
    assert abs(found.truth[-1] - 0.39429449039) < 1e-9
    assert np.all(found.error[:, -1] > found.error.min(axis=1))
    assert np.all(np.diff(found.best) <= 0) and found.best[-1] == 1
    assert np.all(np.diff(found.error[-1]) > 0)
