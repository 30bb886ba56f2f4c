"""Kumar 2017, Figure 4: mean and standard deviation of ReLU's outputs, layer by layer, at N v² = 1; and at 2.

The paper draws its formulas (29) and (30) over the numbers of one network of width 500, from a lecture.  Here
many networks of that width stand beside the exact law, in which mean and standard deviation fall by √½ a
layer, and beside the formulas as they are printed, with 0.51 for ½.  The second panel is He's variance.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from figures.sheet import BLUE, GREY, VERMILION, letters, panels

WIDTH, LAYERS = 500, 10
SCALES = (1.0, 2.0)
SEED = 20170428


@dataclass(frozen=True)
class Data:
    """Outputs of layers of random networks, and what theory says of them.

    Attributes
    ----------
    mean, deviation : ndarray, shape (2, networks, 10)
        Over the units of a layer, for N v² = 1 and 2.
    exact_mean, exact_deviation : ndarray, shape (2, 10)
        In wide layers.
    printed_mean, printed_deviation : ndarray, shape (10,)
        Equations (29) and (30) with the decimals of the paper, m the number of the layer, N v² = 1.
    """

    mean: NDArray[np.float64]
    deviation: NDArray[np.float64]
    exact_mean: NDArray[np.float64]
    exact_deviation: NDArray[np.float64]
    printed_mean: NDArray[np.float64]
    printed_deviation: NDArray[np.float64]


def data(quick: bool = False) -> Data:
    """Propagate one standard normal input through ten layers of each network."""
    networks = 100 if quick else 2000
    mean, deviation = np.empty((2, networks, LAYERS)), np.empty((2, networks, LAYERS))
    q = np.empty((2, LAYERS))
    for case, scale in enumerate(SCALES):
        rng = np.random.default_rng([SEED, case])
        x = rng.standard_normal((networks, WIDTH))
        x /= np.sqrt(np.mean(x * x, axis=1, keepdims=True))
        for layer in range(LAYERS):
            # A Gaussian matrix times x is Gaussian with the variance of x: no matrix is needed for one input.
            length = np.sqrt(scale * np.mean(x * x, axis=1, keepdims=True))
            x = np.maximum(length * rng.standard_normal((networks, WIDTH)), 0)
            mean[case, :, layer], deviation[case, :, layer] = x.mean(axis=1), x.std(axis=1)
            q[case, layer] = scale * (scale / 2) ** layer
    fall = 0.51 ** np.arange(LAYERS)
    return Data(
        mean, deviation, np.sqrt(q / (2 * np.pi)), np.sqrt(q * (0.5 - 0.5 / np.pi)),
        np.sqrt(0.16 * fall), np.sqrt(0.34 * fall),
    )  # fmt: skip


def draw(found: Data) -> Any:
    """Draw both moments against the layer: networks as bars of two standard deviations, theory as lines."""
    figure, axes = panels(1, 2, height=3.0, sharey=True)
    layers = np.arange(1, LAYERS + 1)
    kinds = (
        ("standard deviation", BLUE, "o", found.deviation, found.exact_deviation, found.printed_deviation),
        ("mean", VERMILION, "s", found.mean, found.exact_mean, found.printed_mean),
    )
    for case, axis in enumerate(axes):
        for side, (label, colour, marker, networks, exact, printed) in zip((-1, 1), kinds, strict=True):
            axis.errorbar(
                layers + 0.08 * side, networks[case].mean(axis=0), 2 * networks[case].std(axis=0),
                color=colour, fmt=marker, ms=4, lw=0.9, capsize=2, label=label,
            )  # fmt: skip
            axis.plot(layers, exact[case], color=colour, lw=1.3)
            if case == 0:
                axis.plot(layers, printed, color=GREY, ls="--", lw=1.1)
        axis.set(xlabel="layer", yscale="log", ylim=(8e-3, 2), xticks=layers)
        axis.set_title(("Xavier, $Nv^2 = 1$", "He, $Nv^2 = 2$")[case])
    axes[0].plot([], [], color="black", lw=1.3, label="exact")
    axes[0].plot([], [], color=GREY, ls="--", lw=1.1, label="eq. (29), (30), printed")
    axes[0].set_ylabel("mean, deviation of the outputs")
    axes[0].legend(loc="lower left")
    letters(axes)
    return figure


def caption(found: Data) -> str:
    """Say what is seen, with the numbers."""
    last = found.deviation[0, :, -1]
    kept = found.deviation[1, :, -1].mean() / found.exact_deviation[1, -1]
    return (
        f"Outputs of ReLU layers of width {WIDTH}: mean and standard deviation over a layer's units in "
        f"{len(last)} networks (bars: two standard deviations between networks), exact law of wide layers "
        "(lines). (a) N v² = 1: both fall by √½ a layer; in layer 10 theory has "
        f"{found.exact_mean[0, -1]:.4f} and {found.exact_deviation[0, -1]:.4f}, networks on average "
        f"{found.mean[0, :, -1].mean():.4f} and {last.mean():.4f}. Dashed: the formulas of the paper as "
        f"printed, {100 * (found.printed_mean[-1] / found.exact_mean[0, -1] - 1):.0f} % and "
        f"{100 * (found.printed_deviation[-1] / found.exact_deviation[0, -1] - 1):.0f} % too large there, "
        "because of 0.51 for ½. (b) N v² = 2: networks keep "
        f"{kept:.3f} of the standard deviation of theory."
    )


def check(found: Data) -> None:
    """Assert the averages over networks, the exact halving, and how far the printed formulas are off."""
    layers = np.arange(1, LAYERS + 1)
    for sampled, exact in ((found.mean, found.exact_mean), (found.deviation, found.exact_deviation)):
        error = sampled.std(axis=1) / np.sqrt(sampled.shape[1])
        # E q is exact at any width; of its root 5/(8N) a layer is lost, and 1/N of the sampled moments.
        shift = exact * (5 * layers / 8 + 2) / WIDTH
        assert np.all(np.abs(sampled.mean(axis=1) - exact) < 5 * error + shift)
    for exact in (found.exact_mean[0], found.exact_deviation[0]):
        assert np.allclose(exact[1:] ** 2 / exact[:-1] ** 2, 0.5)
    assert np.allclose(found.exact_deviation[1], found.exact_deviation[1, 0])
    assert abs(found.exact_deviation[0, 0] - 0.58381937010354894889) < 1e-15
    # (29) and (30) are straight lines here: 0.16 and 0.34 in layer 1, times 0.51 from each to the next
    for printed, first in ((found.printed_mean, 0.16), (found.printed_deviation, 0.34)):
        line = np.log(first) + np.log(0.51) * (layers - 1)
        np.testing.assert_allclose(2 * np.log(printed), line, atol=1e-12)
    assert 1.08 < found.printed_deviation[-1] / found.exact_deviation[0, -1] < 1.10
    assert 1.09 < found.printed_mean[-1] / found.exact_mean[0, -1] < 1.11
