"""What width does to ReLU at He's variance: q is kept on average, and spreads between networks like L/N.

Given q_l, q_{l+1} = q_l (2/N) Σ ρ(z_i)², so E q² grows by the exact factor 1 + 5/N a layer with Gaussian
weights.  With orthogonal ones z is uniform on a sphere: of K ~ Bin(N, ½) positive units the share is
Beta(K/2, (N − K)/2), and the factor is 1 + 3/(N + 2).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from figures.sheet import BLUE, GREY, SERIES, SKY, VERMILION, letters, panels, signed

REACH = 0.2  # L/N up to which the variance is drawn
PATHS = 40


@dataclass(frozen=True)
class Data:
    """Spread of q between networks.

    Attributes
    ----------
    cases : tuple of (str, int)
        Law of the weights and width.
    layers, spread, exact, error : tuple of ndarray, shape (L,)
        Number of layers behind q, Var q/(E q)² of simulated networks, its exact value, and the standard error
        of the first.
    networks : tuple of int
    chain : ndarray
        The exact value for the first case by the transfer operator of `initmath.finite_width`.
    width : int
        Of the paths.
    paths : ndarray, shape (networks, L)
        log q, layer by layer.
    """

    cases: tuple[tuple[str, int], ...]
    layers: tuple[NDArray[np.int64], ...]
    spread: tuple[NDArray[np.float64], ...]
    exact: tuple[NDArray[np.float64], ...]
    error: tuple[NDArray[np.float64], ...]
    networks: tuple[int, ...]
    chain: NDArray[np.float64]
    width: int
    paths: NDArray[np.float64]


def _moments(weights: str, width: int) -> NDArray[np.float64]:
    """Return E r, …, E r⁴ of one layer's factor r = q_{l+1}/q_l."""
    if weights == "orthogonal":
        # E (2 Beta(K/2, (N − K)/2))^k over K ~ Bin(N, ½)
        from scipy.stats import binom

        active = np.arange(width + 1)
        chance = binom.pmf(active, width, 0.5)
        steps = np.array([(active + 2 * j) / (width + 2 * j) for j in range(4)])
        return np.asarray(2.0 ** np.arange(1, 5) * (np.cumprod(steps, axis=0) @ chance))
    first, second, third, fourth = 1.0, 5 / width, 44 / width**2, 558 / width**3  # cumulants
    return np.array(
        [
            first,
            second + 1,
            third + 3 * second + 1,
            fourth + 4 * third + 3 * second**2 + 6 * second + 1,
        ]
    )


def _exact(weights: str, width: int, layers: NDArray[np.int64], networks: int) -> tuple[Any, Any]:
    """Return Var q of networks that start at q = 1, and the standard error of its sample value."""
    second, third, fourth = (m ** layers.astype(float) for m in _moments(weights, width)[1:])
    variance = second - 1
    central = fourth - 4 * third + 6 * second - 3
    return variance, np.sqrt(np.maximum(central - variance**2, 0) / networks)


def _log_factor(width: int) -> tuple[float, float]:
    """Return mean and variance of ln r of a layer: N r/2 is χ² with M ~ Bin(N, ½) degrees of freedom."""
    from scipy.special import digamma, polygamma
    from scipy.stats import binom

    open_units = np.arange(1, width + 1)  # with none open, of chance 2^−N, the network says nothing
    chance = binom.pmf(open_units, width, 0.5)
    centre = digamma(open_units / 2)
    mean = float(chance @ centre)
    spread = float(chance @ (centre - mean) ** 2 + chance @ polygamma(1, open_units / 2))
    return mean + np.log(4 / width), spread


def data(quick: bool = False) -> Data:
    """Simulate, and evaluate the exact laws."""
    from initmath.activation import resolve
    from initmath.finite_width import Chain
    from initmath.simulate import Experiment, InputGram, run

    cases = (("gaussian", 32), ("gaussian", 128), ("orthogonal", 32))
    networks = (3000, 1000, 3000) if quick else (40_000, 20_000, 6000)
    one = InputGram.single(1.0, 2.0)
    layers, spread, exact, error = [], [], [], []
    for case, ((weights, width), count) in enumerate(zip(cases, networks, strict=True)):
        depth = round(REACH * width) + 1
        found = run(
            Experiment(
                "relu", width, depth, count, sigma_w2=2.0, inputs=one, weights=weights, derivative=False,
                seed=1000 + case,
            )
        )  # fmt: skip
        layers.append(np.arange(1, depth))
        spread.append(found.conditional_q[:, 1:, 0].var(axis=0))
        variance, off = _exact(weights, width, layers[-1], count)
        exact.append(variance)
        error.append(off)
    chain = Chain(resolve("relu"), 2.0, 0.0, 1.0, depth=len(layers[0]) + 1, width=32)
    second = chain.expect(lambda law: law.q**2) / chain.expect(lambda law: law.q) ** 2
    width, depth = 100, 100
    paths = run(
        Experiment(
            "relu", width, depth + 1, 200 if quick else 2000, 2.0, inputs=one, derivative=False, seed=7
        )
    )
    return Data(
        cases, tuple(layers), tuple(spread), tuple(exact), tuple(error), networks, second[1:] - 1, width,
        np.log(paths.conditional_q[:, 1:, 0]),
    )  # fmt: skip


def draw(found: Data) -> Any:
    """Draw the spread against L/N, and log q of networks layer by layer."""
    figure, axes = panels(1, 2, height=3.1)
    ratio = np.linspace(0, REACH, 50)
    for slope, colour, name in ((5, BLUE, "Gaussian"), (3, VERMILION, "orthogonal")):
        axes[0].plot(ratio, slope * ratio, color=colour, ls=":", lw=1.2, label=f"{name}: ${slope}L/N$")
    styles = ((BLUE, "o", "-"), (SKY, "s", "-"), (VERMILION, "D", "-"))
    for case, (colour, marker, line) in enumerate(styles):
        weights, width = found.cases[case]
        x = found.layers[case] / width
        axes[0].plot(x, found.exact[case], color=colour, ls=line)
        every = slice(None, None, 1 if width < 100 else 2)
        axes[0].errorbar(
            x[every], found.spread[case][every], found.error[case][every], color=colour, fmt=marker, ms=4,
            lw=0.8, label=f"{'Gaussian' if weights == 'gaussian' else 'orthogonal'}, $N = {width}$",
        )  # fmt: skip
    axes[0].set(xlabel="layers over width, $L/N$", ylabel=r"$\mathrm{Var}\,q\,/\,(\mathrm{E}\,q)^2$")
    axes[0].set_xlim(0, REACH + 0.005)
    axes[0].set_ylim(0, None)
    axes[0].legend(loc="upper left")
    layers = np.arange(1, found.paths.shape[1] + 1)
    for path in found.paths[:PATHS]:
        axes[1].plot(layers, path, color=GREY, lw=0.5, alpha=0.5)
    axes[1].plot(layers, found.paths.mean(axis=0), color=SERIES[0], label="mean of $\\ln q$")
    axes[1].plot(layers, -2.5 * layers / found.width, color="black", ls="--", lw=1.2, label="$-5L/2N$")
    axes[1].axhline(0, color=VERMILION, lw=1.2, ls=":", label=r"$\ln \mathrm{E}\,q = 0$")
    axes[1].set(xlabel=f"layers $L$, width $N = {found.width}$", ylabel=r"$\ln q$", xlim=(0, len(layers)))
    axes[1].legend(loc="lower left")
    letters(axes)
    return figure


def caption(found: Data) -> str:
    """Say what is seen, with the numbers."""
    gaussian, orthogonal = found.exact[0][-1], found.exact[2][-1]
    at, width = int(found.layers[0][-1]), found.cases[0][1]
    last, depth = found.paths[:, -1], found.paths.shape[1]
    mean, spread = _log_factor(found.width)
    return (
        f"ReLU at He's variance. (a) Spread of q between networks: dots with standard errors, "
        f"{', '.join(str(n) for n in found.networks)} networks; lines, exact: (1 + 5/N)^L − 1 with Gaussian "
        "and (1 + 3/(N + 2))^L − 1 with orthogonal weights; dotted, their first order. At L = "
        f"{at}, N = {width}: {gaussian:.3f} and {orthogonal:.3f}. (b) ln q in {PATHS} networks of width "
        f"{found.width}. E q = 1 in every layer, but in all {len(last)} networks that were run ln q after "
        f"{depth} layers is {signed(last.mean(), '.2f')} ± {last.std():.2f} (exactly "
        f"{signed(depth * mean, '.2f')} ± "
        f"{(depth * spread) ** 0.5:.2f}), and {100 * np.mean(last < 0):.0f} % of them have lost length."
    )


def check(found: Data) -> None:
    """Assert the exact laws against first order, the transfer operator, and simulation."""
    from scipy.special import ndtr

    for (weights, width), layers, spread, exact, error in zip(
        found.cases, found.layers, found.spread, found.exact, found.error, strict=True
    ):
        assert np.all(np.abs(spread - exact) < 5 * error), (weights, width)
        factor = 1 + (5 / width if weights == "gaussian" else 3 / (width + 2))
        np.testing.assert_allclose(exact, factor ** layers.astype(float) - 1, rtol=1e-10)
    np.testing.assert_allclose(found.chain, found.exact[0], rtol=2e-3)
    # ln q is a sum of independent equal terms, whose mean and variance are known
    mean, spread = _log_factor(found.width)
    assert abs(mean / (-2.5 / found.width) - 1) < 0.1  # the dashed line, to next order in 1/N
    networks, depth = found.paths.shape
    layers = np.arange(1, depth + 1)
    off = np.abs(found.paths.mean(axis=0) - layers * mean)
    assert np.all(off < 5 * np.sqrt(layers * spread / networks)), off
    steps = np.diff(found.paths, axis=1, prepend=0)
    assert abs(steps.mean() - mean) < 5 * np.sqrt(spread / steps.size)
    assert abs(steps.var() / spread - 1) < 5 * np.sqrt(3 / steps.size), steps.var()
    share, lost = ndtr(-mean * depth / np.sqrt(spread * depth)), np.mean(found.paths[:, -1] < 0)
    assert abs(lost - share) < 5 * np.sqrt(share * (1 - share) / networks) + 0.01, lost  # next to normal
