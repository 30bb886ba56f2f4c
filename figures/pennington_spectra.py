"""Pennington et al. 2017 and 2018: spectra of input–output Jacobians, theory over sampled networks.

Critical networks (E λ = 1 for the squared singular values λ of J).  Gaussian weights spread them ever
wider with depth, and so do ReLU, or tanh at q = 1, with orthogonal ones; tanh with orthogonal weights and a
small q ∝ 1/√L keeps them near 1: dynamical isometry.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from figures.second_route import spectrum_edge, spectrum_variance
from figures.sheet import SERIES, letters, panels, upper

DEPTHS = (2, 8, 32)
Q_ISOMETRIC = 0.25
"""q √L of the last panel: a slope of 1 − y² + … gives Var λ → 8 L q² = 1/2."""

REACH = 12
"""Decades below 1 that are drawn."""

CASES = (
    ("tanh", "gaussian", "tanh, Gaussian, $q = 1$"),
    ("relu", "orthogonal", "ReLU, orthogonal"),
    ("tanh", "orthogonal", r"tanh, orthogonal, $q = 1$"),
    ("tanh", "orthogonal", r"tanh, orthogonal, $q = 1/(4\sqrt{L})$"),
)
SEED = 2018

Real = NDArray[np.float64]


@dataclass(frozen=True)
class Case:
    """One activation, law of weights and depth.

    Attributes
    ----------
    panel : int
    depth : int
    q : float
    log_lambda, density : ndarray, shape (n,)
        Density of ln λ at infinite width.
    share : float
        Of all λ that lie there, by the distribution function.
    edges, sampled : ndarray, shape (m + 1,) and (m,)
        Histogram of ln λ of sampled networks, over all λ.
    zeros, atom : float
        Share of λ = 0 in the samples and at infinite width.
    distance : float
        Bound on the distance of the two distribution functions, λ = 0 included (Kolmogorov–Smirnov).
    variance : float
        Var λ/(E λ)² at infinite width.
    top : float
        Upper edge of the support in λ.
    mean, mean_error : float
        Mean λ of the samples, with its standard error.
    """

    panel: int
    depth: int
    q: float
    log_lambda: Real
    density: Real
    share: float
    edges: Real
    sampled: Real
    zeros: float
    atom: float
    distance: float
    variance: float
    top: float
    mean: float
    mean_error: float


@dataclass(frozen=True)
class Data:
    """All cases.

    Attributes
    ----------
    cases : tuple of Case
    width, networks : int
    """

    cases: tuple[Case, ...]
    width: int
    networks: int


def cdf_distance(cdf: Any, values: Real, total: int, atom: float = 0.0) -> float:
    """Return a bound on sup |F − F_n|, F at some 300 of the values: between two of them both only rise.

    Parameters
    ----------
    cdf : callable
        F, of an array.
    values : ndarray
        Those of the sample that are not at the atom below all others.
    total : int
        All.
    atom : float
        Its weight in F.
    """
    picked = np.unique(np.linspace(0, values.size - 1, 300).astype(int))
    law = np.concatenate([[atom], cdf(np.sort(values)[picked]), [1.0]])
    rank = total - values.size + np.concatenate([[-1], picked, [values.size]])
    return float(np.max(np.maximum(law[1:] - (rank[:-1] + 1) / total, rank[1:] / total - law[:-1])))


def _closed_share(depth: int, width: int) -> tuple[float, float]:
    """Return mean and variance of the share of λ = 0: the largest share of closed units of a layer."""
    from scipy.stats import binom

    least = binom.sf(np.arange(width), width, 0.5) ** depth  # chance that all layers have more open units
    mean = least.sum()
    square = ((2 * np.arange(width) + 1) * least).sum()
    return float(1 - mean / width), float((square - mean**2) / width**2)


def _case(panel: int, depth: int, width: int, networks: int) -> Case:
    from initmath.activation import resolve
    from initmath.quadrature import expectation
    from initmath.simulate import Experiment, InputGram, sample_spectra
    from initmath.spectra import spectral_law

    name, weights, _ = CASES[panel]
    q = Q_ISOMETRIC / depth**0.5 if panel == 3 else 1.0
    law = spectral_law(name, depth, weights, q=q)
    g = resolve(name).numpy(0)
    second = float(expectation(lambda y: g(y) ** 2, [q], [0.0]).value[0])
    bias = 0.0 if name == "relu" else q - law.sigma_w2 * second  # keeps q; ReLU's q is kept at σ_b = 0
    inputs = InputGram.single(q, law.sigma_w2, bias)
    experiment = Experiment(
        name, width, depth, networks, law.sigma_w2, bias, inputs, weights=weights, seed=SEED + panel
    )
    found = sample_spectra(experiment)
    values = found.log_lambda[np.isfinite(found.log_lambda)]
    zeros = 1 - values.size / found.log_lambda.size
    atom = sum(p for s, p in law.log_atoms if np.isneginf(s))
    last = law.log_support[-1][1]
    first = max(float(law.log_quantile(atom + 0.003 * (1 - atom))), -REACH * np.log(10))
    inner = first + (last - first) * np.sin(np.linspace(0, np.pi / 2, 300)) ** 2
    log_lambda = inner[1:-1]
    edges = np.linspace(first, last, 26)
    edges = np.append(edges, 2 * edges[-1] - edges[-2])
    sampled = np.histogram(values, edges)[0] / found.log_lambda.size / np.diff(edges)
    traces = np.where(np.isfinite(found.log_lambda), np.exp(found.log_lambda), 0).mean(axis=1)
    low, high = law.log_cdf(log_lambda[[0, -1]])
    return Case(
        panel, depth, q, log_lambda, np.asarray(law.log_density(log_lambda)), float(high - low), edges,
        sampled, zeros, atom, cdf_distance(law.log_cdf, values, found.log_lambda.size, atom),
        law.sigma2_jjt, float(np.exp(last)), float(traces.mean()),
        float(traces.std(ddof=1) / np.sqrt(networks)),
    )  # fmt: skip


def data(quick: bool = False) -> Data:
    """Solve for the laws, and sample networks."""
    width, networks = (64, 6) if quick else (256, 12)
    depths = DEPTHS[:2] if quick else DEPTHS
    cases = [_case(panel, depth, width, networks) for panel in range(len(CASES)) for depth in depths]
    return Data(tuple(cases), width, networks)


def draw(found: Data) -> Any:
    """Draw the density of log₁₀ λ over histograms."""
    figure, axes = panels(2, 2, height=2.5)
    ten = np.log(10)
    for case in found.cases:
        axis, colour = axes.ravel()[case.panel], SERIES[DEPTHS.index(case.depth)]
        axis.stairs(case.sampled * ten, case.edges / ten, fill=True, color=colour, alpha=0.25, lw=0)
        axis.plot(case.log_lambda / ten, case.density * ten, color=colour, label=f"$L = {case.depth}$")
    for axis, (_, _, title) in zip(axes.ravel(), CASES, strict=True):
        axis.set_title(title)
        axis.axvline(0, color="black", lw=0.6, ls=":")
        axis.set_xlabel(r"$\log_{10}\lambda$")
    for axis in axes.ravel()[:3]:
        axis.set(xlim=(-REACH, 2.6), yscale="log", ylim=(4e-3, 4))
    inside = [c for c in found.cases if c.panel == 3]
    axes[1, 1].set_xlim(-1, 0.5)
    axes[1, 1].set_ylim(0, 1.15 * max(c.density.max() for c in inside) * ten)
    for axis in axes[:, 0]:
        axis.set_ylabel(r"density of $\log_{10}\lambda$")
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(DEPTHS))
    letters(axes.ravel())
    return figure


def caption(found: Data) -> str:
    """Say what is seen, with the numbers."""
    rows = []
    for panel, letter in enumerate("abcd"):
        inside = [c for c in found.cases if c.panel == panel]
        spreads = ", ".join(f"{c.variance:.3g}" for c in inside)
        tops = ", ".join(f"{c.top:.3g}" for c in inside)
        rows.append(f"({letter}) {spreads}, edge at {tops}")
    depths = ", ".join(str(c.depth) for c in found.cases if c.panel == 0)
    relu = [c for c in found.cases if c.panel == 1]
    worst = upper(max(c.distance for c in found.cases if c.panel != 1), 2)
    most = upper(max(c.distance for c in relu), 2)
    lost = ", ".join(f"{100 * c.zeros:.0f} %" for c in relu)
    return (
        f"Squared singular values of the Jacobian of critical networks of depth L = {depths}: law at "
        "infinite "
        f"width (lines) and {found.networks} sampled networks of width {found.width} (areas). Variance "
        "of λ by "
        f"depth and upper edge: {'; '.join(rows)}. In wide networks half of ReLU's λ are 0; they are not "
        "shown, nor are those below 10⁻¹². With q = 1/(4√L) the variance of λ stays below its limit 1/2. "
        "Distribution functions of samples and law differ by "
        f"at most {worst} for tanh and {most} for ReLU, where at this width "
        f"{lost} of the λ are 0: the layer with the fewest open units decides."
    )


def check(found: Data) -> None:
    """Assert variances and edges by a second route, the curves' areas, isometry in one panel, the samples."""

    def slope(y: Real) -> Real:
        return np.asarray(1 - np.tanh(y) ** 2)

    for case in found.cases:
        # shares of N eigenvalues that repel each other: rigid to O(1/N); q itself moves like √(L/N)
        lost, spread = _closed_share(case.depth, found.width) if case.panel == 1 else (0.0, 0.0)
        allowed = 4 / found.width + 0.2 * np.sqrt(case.depth / found.width / found.networks)
        assert case.distance < allowed + max(lost - case.atom, 0.0), case
        assert abs(case.zeros - lost) <= 5 * np.sqrt(spread / found.networks), case
        # the histogram's sums from the right, at the edges of its bins, are no further apart than that
        right = np.cumsum((case.sampled * np.diff(case.edges))[::-1])[::-1][1:]
        area = np.diff(case.log_lambda) * (case.density[1:] + case.density[:-1]) / 2
        law = np.append(np.cumsum(area[::-1])[::-1], 0.0)
        apart = np.abs(right - np.interp(case.edges[1:-1], case.log_lambda, law, right=0.0))
        assert apart.max() < case.distance + 2e-3, case
        assert abs(case.mean - 1) < 5 * case.mean_error + 10 * case.depth / found.width**2 + 0.02, case
        assert abs(np.trapezoid(case.density, case.log_lambda) - case.share) < 2e-3, case
        span = np.diff(case.edges) @ case.sampled  # the histogram goes on beyond the edge
        assert abs(span - case.share) < case.distance + 0.02, case
        if case.panel != 1:
            gaussian = CASES[case.panel][1] == "gaussian"
            variance = spectrum_variance(slope, case.q, case.depth, gaussian, ())
            assert abs(case.variance / variance - 1) < 1e-9, case
            assert abs(case.top / spectrum_edge(slope, case.q, case.depth, gaussian) - 1) < 1e-6, case
        else:
            assert abs(case.variance - case.depth) < 1e-9  # ReLU: σ² = L at best
            assert case.atom == 0.5
            edge = case.depth**case.depth / (case.depth - 1.0) ** (case.depth - 1)
            assert abs(case.top / edge - 1) < 1e-6
    for panel in range(3):
        rows = [(c.depth, c.variance) for c in found.cases if c.panel == panel]
        assert all(abs(v / rows[0][1] / (d / rows[0][0]) - 1) < 1e-9 for d, v in rows)
    last = [c.variance for c in found.cases if c.panel == 3]
    assert np.all(np.diff(last) > 0) and 0.1 < last[0] and last[-1] < 0.5
