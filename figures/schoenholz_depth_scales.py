"""Schoenholz et al. 2017: how fast lengths and correlations forget the input, theory over simulation.

tanh with σ_b² = 0.05.  Several inputs go through the same random networks: two pairs with different
correlations, and one input that is twice as long.  What is left of the difference after l layers falls like
e^(−l/ξ); averaged over networks it has no floor, since the fixed point itself drops out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from figures.second_route import length, normal_mean, pair_mean, settle
from figures.sheet import BLUE, GREY, SERIES, VERMILION, letters, panels, upper

SIGMA_B2 = 0.05
SHOWN = (0.8, 1.4, 1.76, 2.5, 4.0)
SEED = 2017
NOISE = 4.0  # standard errors above which a difference is used
FORGOTTEN = 0.5  # of the first difference: where the slope begins to be read
CRITICAL = 0.2  # so near to the edge the decay is a power of l
GROUPS = 10  # of networks, for the jackknife


@dataclass(frozen=True)
class Data:
    """Depth scales in theory, and what random networks do; the first axis is (correlation, length).

    Attributes
    ----------
    sigma_w2 : ndarray, shape (n,)
    xi : ndarray, shape (2, n)
        ξ_c and ξ_q in theory.
    edge : float
        σ_w² of the edge of chaos, interpolated.
    at : ndarray, shape (m,)
        Where networks were simulated.
    mean, error, wide : ndarray, shape (2, m, L)
        Mean difference between inputs, layer by layer, its standard error, and the recursion at infinite
        width.
    rates : ndarray, shape (2, m, 3)
        1/ξ read off simulation, its error, and read off the recursion; NaN where noise comes first.
    width, networks : int
    """

    sigma_w2: NDArray[np.float64]
    xi: NDArray[np.float64]
    edge: float
    at: NDArray[np.float64]
    mean: NDArray[np.float64]
    error: NDArray[np.float64]
    wide: NDArray[np.float64]
    rates: NDArray[np.float64]
    width: int
    networks: int


def _inputs(q: float, sigma_w2: float) -> Any:
    """Return inputs a, b, c, d: b and c have correlations 0.2 and 0.8 with a, d is 2a; q is that of a."""
    from initmath.simulate import InputGram

    bias = SIGMA_B2
    rows = np.array([[1, 0, 0], [0.2, 0.96**0.5, 0], [0.8, 0, 0.6], [2, 0, 0]])
    scale = (q - bias) / sigma_w2
    return InputGram.of(scale * rows @ rows.T)


def _recursion(g: Any, q: float, sigma_w2: float, depth: int) -> tuple[Any, Any]:
    """Follow both pairs and both lengths at infinite width."""
    from initmath.kernels.pairs import pair_values

    # pairs (a, b), (a, c), (a, a), (d, d): second moments of the layer below, first of a and then of d
    a, d, inner = q - SIGMA_B2, 4 * (q - SIGMA_B2), np.array([0.2, 0.8, 1, 4]) * (q - SIGMA_B2)
    gap, longer = np.empty(depth), np.empty(depth)
    for layer in range(depth):
        length = np.array([a, a, a, d]) + SIGMA_B2
        gap[layer] = (inner[1] - inner[0]) / length[0]
        longer[layer] = d - a
        one_minus_c = np.array([*(1 - (inner[:2] + SIGMA_B2) / length[0]), 0.0, 0.0])
        inner = sigma_w2 * pair_values(g, length, length, one_minus_c).kernel
        a, d = inner[2:]
    return gap, longer


def _rate(mean: Any, layers: Any, error: Any) -> float:
    """Return 1/ξ: how fast the logarithm falls over these layers."""
    return float(-np.polyfit(layers, np.log(np.abs(mean[layers])), 1, w=mean[layers] / error[layers])[0])


def _scales(groups: Any, error: Any, wide: Any) -> tuple[float, float, float]:
    """Read 1/ξ off simulation, its jackknife error, and off the recursion over the same layers.

    Layers count from where half of the first difference is forgotten to where noise comes up.
    """
    mean = groups.mean(axis=0)
    good = mean > NOISE * error
    last = len(mean) if good.all() else int(np.argmin(good))
    layers = np.arange(last)[mean[:last] < FORGOTTEN * mean[0]]
    if len(layers) < 3:
        return np.nan, np.nan, np.nan
    count = len(groups)
    left = [_rate((mean * count - group) / (count - 1), layers, error) for group in groups]
    off = np.sqrt((count - 1) * np.var(left))
    return _rate(mean, layers, error), float(off), _rate(wide, layers, error)


def data(quick: bool = False) -> Data:
    """Sweep theory; simulate without weights at some σ_w²."""
    from initmath.activation import resolve
    from initmath.meanfield.sweep import sweep
    from initmath.simulate import Experiment, run

    g = resolve("tanh")
    width, networks, depth = (400, 60, 16) if quick else (1000, 500, 40)
    at = np.array((0.8, 1.76, 4.0) if quick else (0.5, 0.8, 1.1, 1.4, 1.76, 2.1, 2.5, 3.0, 3.5, 4.0))
    grid = np.unique(np.concatenate([np.linspace(0.3, 4, 149), at]))
    theory = sweep(g, grid, [SIGMA_B2])
    here = np.searchsorted(grid, at)
    mean, error, wide, rates = (np.empty((2, len(at), n)) for n in (depth, depth, depth, 3))
    for case, (sigma_w2, start) in enumerate(zip(at, theory.q_star[0][here], strict=True)):
        inputs = _inputs(float(start), float(sigma_w2))
        found = run(
            Experiment(
                g, width, depth, networks, float(sigma_w2), SIGMA_B2, inputs, derivative=False,
                seed=SEED + case,
            )
        )  # fmt: skip
        gram = found.gram_y
        both = np.stack([(gram[:, :, 0, 2] - gram[:, :, 0, 1]) / start, gram[:, :, 3, 3] - gram[:, :, 0, 0]])
        mean[:, case] = both.mean(axis=1)
        error[:, case] = both.std(axis=1, ddof=1) / np.sqrt(networks)
        wide[:, case] = _recursion(g, float(start), float(sigma_w2), depth)
        groups = both.reshape(2, GROUPS, networks // GROUPS, depth).mean(axis=2)
        for kind in range(2):
            rates[kind, case] = _scales(groups[kind], error[kind, case], wide[kind, case])
    return Data(
        grid, np.stack([theory.xi_c[0], theory.xi_q[0]]), float(np.interp(1.0, theory.chi_1[0], grid)), at,
        mean, error, wide, rates, width, networks,
    )  # fmt: skip


def draw(found: Data) -> Any:
    """Draw differences layer by layer, and the depth scales against σ_w²."""
    figure, axes = panels(1, 3, width=2.6, height=3.1)
    shown = [k for k, w in enumerate(found.at) if w in SHOWN]
    layers = np.arange(1, found.mean.shape[2] + 1)
    for kind, axis in enumerate(axes[:2]):
        for colour, k in zip(SERIES, shown, strict=False):
            start = found.wide[kind, k, 0]
            axis.plot(layers, found.wide[kind, k] / start, color=colour, label=f"{found.at[k]:g}")
            seen = found.wide[kind, k] > 2 * found.error[kind, k]
            axis.errorbar(
                layers[seen], found.mean[kind, k][seen] / start, found.error[kind, k][seen] / start, fmt="o",
                ms=2.6, lw=0.8, color=colour,
            )  # fmt: skip
        axis.set(yscale="log", ylim=(1e-4, 1.6), xlabel=r"layer $\ell$")
        axis.set_ylabel(f"difference of {('correlations', 'lengths')[kind]} (first = 1)")
    axes[1].set_xlim(0, 14)
    axes[1].legend(loc="upper right", title=r"$\sigma_w^2$")
    for kind, (colour, marker, name) in enumerate(((BLUE, "o", r"$\xi_c$"), (VERMILION, "s", r"$\xi_q$"))):
        axes[2].plot(found.sigma_w2, found.xi[kind], color=colour, label=name)
        rate, off, _ = found.rates[kind].T
        axes[2].errorbar(
            found.at, 1 / rate, off / rate**2, fmt=marker, ms=3.5, mfc="none", lw=0.8, color=colour
        )
    axes[2].axvline(found.edge, color=GREY, lw=0.8, ls=":")
    axes[2].set(xlabel=r"$\sigma_w^2$", ylabel="depth scale (layers)", yscale="log", ylim=(0.3, 200))
    axes[2].set_yticks([1, 10, 100], ["1", "10", "100"])
    axes[2].legend(loc="upper right")
    letters(axes)
    return figure


def caption(found: Data) -> str:
    """Say what is seen, with the numbers."""
    rate, off, wide = np.moveaxis(found.rates, 2, 0)
    z = np.nanmax(np.abs(rate - wide) / off)
    away = np.abs(found.at - found.edge) > CRITICAL
    apart = np.nanmax(np.abs(found.xi[:, _places(found)] * rate - 1)[:, away])
    return (
        f"tanh, σ_b² = {SIGMA_B2}; {found.networks} networks of width {found.width} (dots, with "
        "standard errors; "
        "shown where theory is above two of them) and the recursions at infinite width (lines). (a) "
        "Difference between the correlations of two pairs of inputs, over that in the first layer; (b) the "
        "same of the squared lengths of two inputs, in the same colours. (c) "
        f"Depth scales; ξ_c diverges at the edge of chaos, σ_w² = {found.edge:.4f}. Circles and "
        "squares are read "
        "off (a) and (b), from where half is forgotten to where noise comes up: they differ from the "
        "recursion "
        f"over the same layers by at most {upper(z, 2)} standard errors, and from the scale at infinite "
        "depth by at "
        f"most {upper(100 * apart, 2)} %, away from the edge, because the approach is not yet exponential."
    )


def _places(found: Data) -> Any:
    """Return where the simulated σ_w² are on the grid."""
    return np.searchsorted(found.sigma_w2, found.at)


def _check_theory(found: Data) -> None:
    """Assert depth scales and recursions by a second route, where networks were simulated."""

    def steep(y: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray((1 - np.tanh(y) ** 2) ** 2)

    for case, (sigma_w2, place) in enumerate(zip(found.at, _places(found), strict=True)):
        step = length(np.tanh, sigma_w2, SIGMA_B2)
        q = settle(step, 1.0, 1e-14)
        chi = sigma_w2 * normal_mean(steep, q)
        along = (step(q * (1 + 1e-5)) - step(q * (1 - 1e-5))) / (2e-5 * q)
        assert abs(found.xi[1, place] * np.log(along) + 1) < 1e-5, sigma_w2
        if chi > 1:  # the correlations forget at the rate of their own fixed point, c* < 1

            def correlation(c: float, q: float = q, sigma_w2: float = sigma_w2) -> float:
                return (sigma_w2 * pair_mean(np.tanh, q, c) + SIGMA_B2) / q

            end = settle(correlation, 0.5, 1e-12)
            chi = (correlation(end + 1e-5) - correlation(end - 1e-5)) / 2e-5
        if abs(sigma_w2 - found.edge) > 0.01:
            assert abs(found.xi[0, place] * np.log(chi) + 1) < 1e-4, sigma_w2
        gap, longer = found.wide[:, case]
        d = 4 * (q - SIGMA_B2) + SIGMA_B2
        pairs = np.array([0.2, 0.8]) * (q - SIGMA_B2) + SIGMA_B2
        for layer in range(len(gap)):
            assert abs(gap[layer] * q - np.diff(pairs)[0]) < 1e-7, (sigma_w2, layer)
            assert abs(longer[layer] - (d - q)) < 1e-7, (sigma_w2, layer)
            d = step(d)
            pairs = np.array([sigma_w2 * pair_mean(np.tanh, q, y / q) + SIGMA_B2 for y in pairs])
    # and between these points the lines are smooth
    for row, beyond in (
        (found.xi[0], np.abs(found.sigma_w2 - found.edge) > 0.3),
        (found.xi[1], found.xi[1] > 0),
    ):
        bend = np.abs(np.diff(1 / row, 2))[beyond[1:-1]]
        assert bend.max() < 0.02, bend.max()


def _check_rates(mean: Any, error: Any, wide: Any, rate: float, wide_rate: float) -> None:
    """Assert both rates: weighted straight lines through the logarithms, by their normal equations."""
    above = mean > NOISE * error
    last = len(mean) if above.all() else int(np.argmin(above))
    layers = np.flatnonzero(mean[:last] < FORGOTTEN * mean[0])
    for row, read in ((mean, rate), (wide, wide_rate)):
        weight = (row[layers] / error[layers]) ** 2
        centred = layers - weight @ layers / weight.sum()
        fall = -(weight * centred) @ np.log(row[layers]) / (weight @ centred**2)
        assert abs(read / fall - 1) < 1e-8, (read, fall)


def check(found: Data) -> None:
    """Assert that networks follow the recursions layer by layer, and the recursions the depth scales."""
    _check_theory(found)
    # O(1/N) a layer, in lengths and correlations alike, beside the noise
    layers = np.arange(1, found.mean.shape[2] + 1)
    allowed = 5 * found.error + np.abs(found.wide) * layers * 10 / found.width
    assert np.all(np.abs(found.mean - found.wide) < allowed)
    rate, off, wide = np.moveaxis(found.rates, 2, 0)
    seen = np.isfinite(rate)
    assert seen.sum() >= len(found.at)
    assert np.all(np.abs(rate - wide)[seen] < 5 * off[seen] + 10 / found.width)
    for place in map(tuple, np.argwhere(seen)):
        _check_rates(found.mean[place], found.error[place], found.wide[place], rate[place], wide[place])
    assert abs(found.edge - 1.760955) < 1e-3
    away = np.abs(found.at - found.edge) > CRITICAL
    scales = found.xi[:, _places(found)]
    assert np.nanmax(np.abs(scales * rate - 1)[:, away]) < 0.35
    peak = found.sigma_w2[np.argmax(found.xi[0])]
    assert abs(peak - found.edge) < 0.03
