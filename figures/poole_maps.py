"""Poole et al. 2016, Figures 1 and 2: the length and the correlation map of tanh networks, simulated too.

Left: the length map V(q) = σ_w² E g² + σ_b² at σ_b = 0.3 for three σ_w, and its fixed points.  Right: the
correlation map at those fixed points.  Dots: one layer of random networks of finite width.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from figures.second_route import length, normal_mean, pair_mean
from figures.sheet import GREY, SERIES, letters, panels, upper

SIGMA_W = (1.3, 2.5, 4.0)
SIGMA_B = 0.3
SEED = 2016


@dataclass(frozen=True)
class Data:
    """Theory on a grid, and simulated layers.

    Attributes
    ----------
    q, c : ndarray
        Where the maps are drawn.
    length, correlation : ndarray, shape (3, n)
        The maps.
    q_star, c_star, chi_1 : ndarray, shape (3,)
    q_at, c_at : ndarray
        Where they are simulated.
    simulated_length, simulated_correlation : ndarray, shape (3, m)
        Means over networks.
    error_length, error_correlation : ndarray, shape (3, m)
        Standard errors.
    width, networks : int
    """

    q: NDArray[np.float64]
    c: NDArray[np.float64]
    length: NDArray[np.float64]
    correlation: NDArray[np.float64]
    q_star: NDArray[np.float64]
    c_star: NDArray[np.float64]
    chi_1: NDArray[np.float64]
    q_at: NDArray[np.float64]
    c_at: NDArray[np.float64]
    simulated_length: NDArray[np.float64]
    simulated_correlation: NDArray[np.float64]
    error_length: NDArray[np.float64]
    error_correlation: NDArray[np.float64]
    width: int
    networks: int


def data(quick: bool = False) -> Data:
    """Evaluate both maps, and simulate one layer at some of their points."""
    import initmath
    from initmath.activation import resolve
    from initmath.kernels import kernels
    from initmath.quadrature import expectation

    width, networks = (400, 40) if quick else (1000, 200)
    tanh = resolve("tanh")
    q, c = np.linspace(1e-6, 15, 151), np.linspace(-1, 1, 81)
    q_at, c_at = np.linspace(1, 14, 8), np.linspace(-0.9, 0.95, 8)
    points = [initmath.mean_field("tanh", f"{w * w:.4f}", "0.09").fixed_points[0] for w in SIGMA_W]
    q_star = np.array([float(p.q_star) for p in points])
    second = expectation(lambda y: np.tanh(y) ** 2, q).value
    bias, weight = SIGMA_B**2, np.array(SIGMA_W) ** 2
    length = weight[:, None] * second + bias
    pairs = [kernels(tanh, star, star, c).kernel for star in q_star]
    correlation = (weight[:, None] * np.array(pairs) + bias) / q_star[:, None]
    lengths, correlations = [], []
    for case, (w, star) in enumerate(zip(weight, q_star, strict=True)):
        rng = np.random.default_rng([SEED, case])
        z = rng.standard_normal((2, networks, width))
        x = np.tanh(np.sqrt(q_at)[:, None, None] * z[0])
        lengths.append(w * np.mean(x * x, axis=2) + bias)
        first = np.tanh(np.sqrt(star) * z[0])
        mixed = c_at[:, None, None] * z[0] + np.sqrt(1 - c_at**2)[:, None, None] * z[1]
        other = np.tanh(np.sqrt(star) * mixed)
        correlations.append((w * np.mean(first * other, axis=2) + bias) / star)
    both = [np.array(lengths), np.array(correlations)]
    means, errors = zip(
        *((b.mean(axis=2), b.std(axis=2, ddof=1) / np.sqrt(networks)) for b in both), strict=True
    )
    return Data(
        q, c, length, correlation, q_star,
        np.array([float(p.c_star) for p in points]), np.array([float(p.chi_1) for p in points]),
        q_at, c_at, *means, *errors, width, networks,
    )  # fmt: skip


def draw(found: Data) -> Any:
    """Two panels; the diagonal is where the maps have their fixed points."""
    figure, axes = panels(1, 2, height=3.1)
    for case, sigma in enumerate(SIGMA_W):
        colour, label = SERIES[case], rf"$\sigma_w = {sigma:g}$"
        axes[0].plot(found.q, found.length[case], color=colour, label=label)
        axes[0].plot(found.q_at, found.simulated_length[case], "o", ms=3.5, color=colour)
        axes[0].plot(found.q_star[case], found.q_star[case], "D", ms=6, mfc="none", color=colour)
        axes[1].plot(found.c, found.correlation[case], color=colour, label=label)
        axes[1].plot(found.c_at, found.simulated_correlation[case], "o", ms=3.5, color=colour)
        axes[1].plot(
            found.c_star[case], found.c_star[case], "D", ms=6, mfc="none", color=colour, clip_on=False
        )
    for axis, low, high in ((axes[0], 0, 15), (axes[1], -1, 1)):
        axis.plot([low, high], [low, high], color=GREY, lw=0.8, ls="--")
        axis.set_xlim(low, high)
    axes[0].set_ylim(0, 15)
    axes[0].set(xlabel=r"length $q_{\ell}$", ylabel=r"length $q_{\ell+1}$")
    for axis in (axes[0].xaxis, axes[0].yaxis):
        axis.set_ticks(range(0, 16, 5))
    axes[1].set(xlabel=r"correlation $c_{\ell}$", ylabel=r"correlation $c_{\ell+1}$")
    for axis in (axes[1].xaxis, axes[1].yaxis):
        axis.set_ticks([-1, -0.5, 0, 0.5, 1])
    axes[0].legend(loc="upper left")
    letters(axes)
    return figure


def caption(found: Data) -> str:
    """Say what is seen, with the numbers."""
    stars = ", ".join(f"{q:.3f}" for q in found.q_star)
    ends = ", ".join(f"{c:.3f}" for c in found.c_star)
    chis = ", ".join(f"{x:.3f}" for x in found.chi_1)
    return (
        f"tanh with σ_b = {SIGMA_B}: (a) the length map and (b) the correlation map for σ_w = "
        f"{', '.join(f'{s:g}' for s in SIGMA_W)}. Diamonds: the fixed points q* = {stars} and c* = {ends}; "
        f"the slopes at c = 1 are χ₁ = {chis}: ordered, then chaotic twice. Dots: one layer of "
        f"{found.networks} networks of width {found.width}; their standard errors are below "
        f"{upper(found.error_length.max(), 2)} and {upper(found.error_correlation.max(), 2)}."
    )


def check(found: Data) -> None:
    """Assert the fixed points, both maps by a second route, and that simulation is where theory is."""
    for values, at, grid, simulated, error in (
        (found.length, found.q_at, found.q, found.simulated_length, found.error_length),
        (found.correlation, found.c_at, found.c, found.simulated_correlation, found.error_correlation),
    ):
        theory = np.array([np.interp(at, grid, row) for row in values])
        step = np.max(np.abs(np.diff(values, 2, axis=1)))  # what linear interpolation may miss
        assert np.all(np.abs(simulated - theory) < 5 * error + step)
    np.testing.assert_allclose(found.q_star, [0.607046791909, 4.079123875282, 12.604149497844], rtol=1e-11)
    np.testing.assert_allclose(found.chi_1, [0.939807, 1.585225, 2.367261], rtol=1e-6)
    np.testing.assert_allclose(found.c_star, [1, 0.122104, 0.029696], atol=1e-6)
    for case, (sigma, star) in enumerate(zip(SIGMA_W, found.q_star, strict=True)):
        bias, weight = SIGMA_B**2, sigma**2
        step = length(np.tanh, weight, bias)
        assert abs(step(star) - star) < 1e-9
        np.testing.assert_allclose(found.length[case], [step(q) for q in found.q], rtol=1e-9)
        steep = weight * normal_mean(lambda y: (1 - np.tanh(y) ** 2) ** 2, star)
        assert abs(found.chi_1[case] - steep) < 1e-9
        pairs = np.array([pair_mean(np.tanh, star, c) for c in [*found.c, found.c_star[case]]])
        correlation = (weight * pairs + bias) / star
        np.testing.assert_allclose(found.correlation[case], correlation[:-1], atol=1e-6)
        assert abs(correlation[-1] - found.c_star[case]) < 1e-6
