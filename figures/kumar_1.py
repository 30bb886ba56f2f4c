"""Kumar 2017, Figure 1: the density of tanh of a Gaussian, and where it splits into two peaks.

The paper plots its eq. (16) for several u and says that there is one peak for u near 0 and two for u near 1.
With y = tanh t the slope of the log density in t is 2 tanh t − t/u²: there are two peaks if and only if
u² > ½, and they are at the roots of t/tanh t = 2u².
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from figures.sheet import GREY, SERIES, VERMILION, letters, panels

DEVIATIONS = (0.25, 0.5, 0.5**0.5, 1.0, 1.5)
LABELS = ("1/4", "1/2", r"1/\sqrt{2}", "1", "3/2")
SEED = 201705


@dataclass(frozen=True)
class Data:
    """Densities, sampled ones, and the peaks.

    Attributes
    ----------
    y : ndarray, shape (n,)
    density : ndarray, shape (5, n)
    edges : ndarray, shape (m + 1,)
    sampled : ndarray, shape (5, m)
        Histogram of tanh of normal numbers.
    expected : ndarray, shape (5, m)
        Mean of the density in each bin.
    samples : int
    u2, mode : ndarray, shape (k,)
        The upper peak against u².
    """

    y: NDArray[np.float64]
    density: NDArray[np.float64]
    edges: NDArray[np.float64]
    sampled: NDArray[np.float64]
    expected: NDArray[np.float64]
    samples: int
    u2: NDArray[np.float64]
    mode: NDArray[np.float64]


def density(y: NDArray[np.float64], u: float) -> NDArray[np.float64]:
    """Evaluate the density of tanh(u z), eq. (16)."""
    t = np.arctanh(y)
    return np.asarray(np.exp(-0.5 * (t / u) ** 2) / ((1 - y * y) * np.sqrt(2 * np.pi) * u))


def peak(u2: float) -> float:
    """Return tanh t at the root t > 0 of t/tanh t = 2u²; 0 for u² ≤ ½."""
    from scipy.optimize import brentq

    if u2 <= 0.5:
        return 0.0
    root = brentq(lambda t: 2 * u2 * np.tanh(t) / t - 1, 1e-9, 2 * u2 + 1, xtol=1e-14)
    return float(np.tanh(root))


def data(quick: bool = False) -> Data:
    """Evaluate the density and its peaks; draw samples."""
    from scipy.special import ndtr

    samples = 20_000 if quick else 1_000_000
    y = np.tanh(np.linspace(-5, 5, 2001))
    edges = np.linspace(-1, 1, 41)
    normals = np.random.default_rng(SEED).standard_normal(samples)
    step = edges[1] - edges[0]
    with np.errstate(divide="ignore"):
        cuts = np.arctanh(edges)
    sampled = [np.histogram(np.tanh(u * normals), edges)[0] / samples / step for u in DEVIATIONS]
    expected = [np.diff(ndtr(cuts / u)) / step for u in DEVIATIONS]
    u2 = np.unique(np.concatenate([np.linspace(0, 2, 101), 0.5 + np.geomspace(1e-6, 0.1, 60)]))
    return Data(
        y, np.array([density(y, u) for u in DEVIATIONS]), edges, np.array(sampled), np.array(expected),
        samples, u2, np.array([peak(float(at)) for at in u2]),
    )  # fmt: skip


def draw(found: Data) -> Any:
    """Draw the densities over samples, and the peaks against u²."""
    figure, axes = panels(1, 2, height=3.0)
    middle = 0.5 * (found.edges[1:] + found.edges[:-1])
    for row, colour, label in zip(range(len(DEVIATIONS)), SERIES, LABELS, strict=False):
        axes[0].plot(found.y, found.density[row], color=colour, label=f"$u = {label}$")
        axes[0].plot(middle[1:-1], found.sampled[row, 1:-1], "o", ms=2.2, color=colour)
    axes[0].set(xlabel=r"$x = \tanh(y)$, $y \sim N(0, u^2)$", ylabel="density", xlim=(-1, 1), ylim=(0, 2.6))
    axes[0].legend(loc="upper left", labelspacing=0.25, handlelength=1.3)
    one, two = found.u2 <= 0.5, found.u2 >= 0.5
    axes[1].plot(found.u2[one], found.mode[one], color=SERIES[0])
    for sign in (1, -1):
        axes[1].plot(found.u2[two], sign * found.mode[two], color=SERIES[0])
    axes[1].plot([0.5, 2], [0, 0], color=GREY, ls="--", lw=1)
    axes[1].axvline(0.5, color=VERMILION, lw=1, ls=":")
    axes[1].text(0.47, -0.93, r"$u^2 = 1/2$", color=VERMILION, va="center", ha="right")
    axes[1].text(1.3, 0.83, "peaks", color=SERIES[0], ha="center", va="top")
    axes[1].text(1.3, 0.04, "trough", color=GREY, ha="center", va="bottom")
    axes[1].set(xlabel="pre-activation variance $u^2$", ylabel="where the density peaks", xlim=(0, 2))
    axes[1].set_ylim(-1.05, 1.05)
    letters(axes)
    return figure


def caption(found: Data) -> str:
    """Say what is seen, with the numbers."""
    at_one, height = peak(1.0), float(density(np.array([peak(1.0)]), 1.0)[0] * np.sqrt(2 * np.pi))
    return (
        "(a) Density of tanh of a Gaussian of standard deviation u (eq. 16); dots: "
        f"{found.samples} samples in bins. (b) Its peaks: one for u² ≤ 1/2, two beyond, at tanh t with "
        f"t/tanh t = 2u². At u = 1 they are at ±{at_one:.6f}, {height:.4f} times as high as the "
        "middle. “Close "
        "to 0” and “close to 1” in the paper are u < 0.7071 and u > 0.7071."
    )


def check(found: Data) -> None:
    """Assert the threshold by counting peaks, the mass, the samples, and the numbers of the caption."""
    for row, u in zip(found.density, DEVIATIONS, strict=True):
        peaks = np.sum((row[1:-1] > row[:-2]) & (row[1:-1] >= row[2:]))
        assert peaks == (2 if u * u > 0.5 + 1e-12 else 1), u
    inside = np.linspace(-0.6, 0.6, 4001)
    for u2, peaks in ((0.49, 1), (0.51, 2)):
        row = density(inside, u2**0.5)
        assert np.sum((row[1:-1] > row[:-2]) & (row[1:-1] > row[2:])) == peaks
    t = np.arctanh(found.y)  # dy = (1 − y²) dt
    mass = np.trapezoid(found.density[:4] * (1 - found.y**2), t, axis=1)
    assert np.all(np.abs(mass - 1) < 1e-5)
    # the same densities from the normal one: p(tanh t) (1 − tanh² t) is that of t ~ N(0, u²)
    for row, u in zip(found.density, DEVIATIONS, strict=True):
        normal = np.exp(-(t**2) / (2 * u**2)) / (np.sqrt(2 * np.pi) * u)
        np.testing.assert_allclose(row * (1 - found.y**2), normal, rtol=1e-6, atol=1e-300)
    two = found.u2 > 0.5 + 1e-4  # nearer to the threshold artanh x/x − 1 is rounding
    np.testing.assert_allclose(np.arctanh(found.mode[two]) / found.mode[two], 2 * found.u2[two], rtol=1e-6)
    near = (found.u2 > 0.5) & ~two  # t/tanh t = 1 + t²/3 − …
    np.testing.assert_allclose(found.mode[near], np.sqrt(3 * (2 * found.u2[near] - 1)), rtol=1e-3)
    share = found.expected * (found.edges[1] - found.edges[0])
    assert np.allclose(share.sum(axis=1), 1)
    error = np.sqrt(share * (1 - share) / found.samples) / (found.edges[1] - found.edges[0])
    assert np.all(np.abs(found.sampled - found.expected) <= 5 * error + 40 / found.samples)
    assert abs(peak(1.0) - 0.957504024077) < 1e-11
    assert abs(density(np.array([peak(1.0)]), 1.0)[0] * np.sqrt(2 * np.pi) - 1.92138787189) < 1e-10
    assert np.all(found.mode[found.u2 <= 0.5] == 0) and np.all(found.mode[found.u2 > 0.5] > 0)
