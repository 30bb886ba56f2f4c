"""Balduzzi et al. 2017: gradient correlations against depth, in the paper's model and in real networks.

The model takes half of the units active and a quarter co-active in every layer: 2^−L for plain networks,
(3/4)^L with skips, L^−½ with skips and batch normalisation.  In ReLU networks without normalisation the
signals of two inputs align, more units are co-active, and the correlation falls like L^−3 only; with skips
and batch normalisation the mean that the branches share is removed, and the power is −π/(2(π − 1)).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from figures.sheet import BLUE, VERMILION, letters, panels

CASES = ("plain", "residual", "batch_norm_residual")
TITLES = ("plain", "residual", "residual, batch norm.")
MODELS = ("$2^{-L}$", "$(3/4)^L$", r"$\sim L^{-1/2}$")
POWERS = (r"$\sim L^{-3}$", r"$\sim L^{-3}$", r"$\sim L^{-0.73}$")
DEEP = 1000


@dataclass(frozen=True)
class Data:
    """Laws and samples.

    Attributes
    ----------
    model, network : ndarray, shape (3, DEEP + 1)
        At depths 0 … DEEP.
    depths : tuple of ndarray
        Where each network was simulated.
    sampled, error : tuple of ndarray
        Correlation in simulated networks, and its standard error.
    coins, coins_error : tuple of ndarray
        With the masks of the model.
    width, networks : int
    """

    model: NDArray[np.float64]
    network: NDArray[np.float64]
    depths: tuple[NDArray[np.int64], ...]
    sampled: tuple[NDArray[np.float64], ...]
    error: tuple[NDArray[np.float64], ...]
    coins: tuple[NDArray[np.float64], ...]
    coins_error: tuple[NDArray[np.float64], ...]
    width: int
    networks: int


def data(quick: bool = False) -> Data:
    """Evaluate the laws, and simulate one set of networks a depth."""
    from initmath.architectures import gradient_law, sample_gradients

    width, networks = (64, 12) if quick else (256, 32)
    wanted = np.array([1, 2, 4, 8] if quick else [1, 2, 4, 8, 16])
    laws = [gradient_law(name, DEEP) for name in CASES]
    both: dict[str, list[Any]] = {"network": [], "independent": []}
    for case, name in enumerate(CASES):
        for masks, kept in both.items():
            found = [
                sample_gradients(
                    name, int(depth), width=width, networks=networks, masks=masks,
                    rng=np.random.default_rng([1702, case, int(depth), len(masks)]),
                )
                for depth in wanted
            ]  # fmt: skip
            kept.append(np.array([(f.correlation[0], f.standard_error[0]) for f in found]).T)
    network, coins = both["network"], both["independent"]
    return Data(
        np.array([law.model for law in laws]), np.array([law.correlation for law in laws]),
        (wanted,) * 3, tuple(x[0] for x in network), tuple(x[1] for x in network),
        tuple(x[0] for x in coins), tuple(x[1] for x in coins), width, networks,
    )  # fmt: skip


def draw(found: Data) -> Any:
    """Three panels, model and network."""
    figure, axes = panels(1, 3, width=2.5, height=2.9, sharey=True)
    depth = np.arange(1, DEEP + 1)
    for case, axis in enumerate(axes):
        axis.plot(depth, found.model[case, 1:], color=VERMILION, label=f"model: {MODELS[case]}")
        axis.plot(depth, found.network[case, 1:], color=BLUE, label=f"network: {POWERS[case]}")
        for law, values, errors, colour, marker in (
            (found.model, found.coins, found.coins_error, VERMILION, "s"),
            (found.network, found.sampled, found.error, BLUE, "o"),
        ):
            # by the law, not by the value: else the lucky ones would be seen
            seen = law[case, found.depths[case]] > 3 * errors[case]
            axis.errorbar(
                found.depths[case][seen], values[case][seen], errors[case][seen], fmt=marker, ms=3.5,
                color=colour, lw=0.8,
            )  # fmt: skip
        axis.set(xscale="log", yscale="log", ylim=(1e-5, 20), xlim=(0.9, DEEP), xlabel="depth $L$")
        axis.set_xticks([1, 10, 100, 1000], ["1", "10", "100", "1000"])
        axis.set_title(TITLES[case])
        axis.legend(loc="upper right", handlelength=1.3)
    axes[0].set_ylabel("correlation of gradients")
    letters(axes)
    return figure


def caption(found: Data) -> str:
    """Say what is seen, with the numbers."""
    at = 50
    rows = "; ".join(
        f"{title} {found.model[case, at]:.2g} and {found.network[case, at]:.2g}"
        for case, title in enumerate(("plain", "residual", "residual with batch normalisation"))
    )
    return (
        "Correlation of the gradients with respect to two inputs of ReLU networks at He's variance, against "
        "depth (branches of residual networks are added with factor β = 1): the model of the paper, in which "
        "the masks are fair coins, and the infinitely wide network. "
        f"Squares and dots: {found.networks} networks of width {found.width} with the model's masks "
        f"and with their own; shown where the law is above three standard errors. At L = {at} model "
        "and network "
        f"have: {rows}. The two inputs are uncorrelated; in the network they align with depth, except under "
        "batch normalisation."
    )


def _again(skips: bool) -> NDArray[np.float64]:
    """Follow the angle of two orthogonal inputs from scratch: 1 − φ/π of the units are active for both."""
    angle, product = np.pi / 2, [1.0]
    for _ in range(DEEP):
        both = 1 - angle / np.pi
        product.append(product[-1] * ((1 + both) / 2 if skips else both))
        cosine = (np.sin(angle) + (np.pi - angle) * np.cos(angle)) / np.pi
        angle = float(np.arccos((np.cos(angle) + cosine) / 2 if skips else cosine))
    return np.array(product)


def _normalised(share: float) -> NDArray[np.float64]:
    """Multiply (1 + s/2)/(1 + s) with s = 1/(1 + share · l) over the layers, by Gamma functions."""
    from scipy.special import gammaln

    depth, up, down = np.arange(DEEP + 1), 1.5 / share, 2 / share
    return np.asarray(np.exp(gammaln(depth + up) - gammaln(up) - gammaln(depth + down) + gammaln(down)))


def check(found: Data) -> None:
    """Assert closed forms, both laws by a second route, certified values, powers, and simulation."""
    depth = np.arange(DEEP + 1)
    np.testing.assert_allclose(found.model[2], _normalised(1.0), rtol=1e-9)
    again = [_again(False), _again(True), _normalised(1 - 1 / np.pi)]
    np.testing.assert_allclose(found.network, again, rtol=1e-6)
    certified = [0.0336521509766318, 1.44121713e-4, 1.88488667e-7]
    np.testing.assert_allclose(found.network[0, [10, 100, 1000]], certified, rtol=1e-8)
    np.testing.assert_allclose(found.model[0], 0.5**depth, rtol=1e-11)
    np.testing.assert_allclose(found.model[1], 0.75**depth, rtol=1e-11)
    power = np.log(found.network[:, -1] / found.network[:, DEEP // 2]) / np.log(2)
    assert np.all(np.abs(power - [-3, -3, -np.pi / (2 * (np.pi - 1))]) < [0.1, 0.1, 0.01]), power
    assert abs(np.log2(found.model[2, -1] / found.model[2, DEEP // 2]) + 0.5) < 0.01
    for case, depths in enumerate(found.depths):
        coins = np.abs(found.coins[case] - found.model[case, depths])
        assert np.all(coins < 5 * found.coins_error[case]), CASES[case]
        law = found.network[case, depths]
        # finite width moves the angle by O(1/N) a layer; a batch of 64 moves it by 1/64
        allowed = 5 * found.error[case] + law * depths * (5 / found.width + 1 / 64 * (case == 2))
        assert np.all(np.abs(found.sampled[case] - law) < allowed), CASES[case]
