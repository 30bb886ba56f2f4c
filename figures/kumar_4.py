"""Kumar 2017, Figure 4: ten ReLU layers at N v² = 1 lose their signal; at N v² = 2 they keep it.

The paper draws histograms of each layer's outputs for v² = 1/N.  Drawn here beside the density that theory
gives (a half normal and an atom at 0), with He's variance below.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from figures.sheet import BLUE, GREY, VERMILION, panels

LAYERS = (1, 3, 5, 7, 10)
SEED = 20170428


@dataclass(frozen=True)
class Data:
    """Outputs of real layers, and what theory says of them.

    Attributes
    ----------
    width : int
    outputs : ndarray, shape (2, 10, N)
        Of one network, for N v² = 1 and 2.
    q : ndarray, shape (2, 10)
        Pre-activation variance in theory.
    mean, deviation : ndarray, shape (2, 10)
        Of the outputs in theory.
    """

    width: int
    outputs: NDArray[np.float64]
    q: NDArray[np.float64]
    mean: NDArray[np.float64]
    deviation: NDArray[np.float64]


def data(quick: bool = False) -> Data:
    """Propagate one standard normal input through ten layers of real weights."""
    width = 500 if quick else 4000
    outputs = np.empty((2, 10, width))
    q = np.empty((2, 10))
    for case, scale in enumerate((1.0, 2.0)):
        rng = np.random.default_rng([SEED, case])
        x = rng.standard_normal(width)
        x /= np.sqrt(np.mean(x * x))
        for layer in range(10):
            # A Gaussian matrix times x is Gaussian with the variance of x: no matrix is needed for one input.
            y = np.sqrt(scale * np.mean(x * x)) * rng.standard_normal(width)
            x = np.maximum(y, 0)
            outputs[case, layer] = x
            q[case, layer] = scale * (scale / 2) ** layer
    return Data(width, outputs, q, np.sqrt(q / (2 * np.pi)), np.sqrt(q * (0.5 - 0.5 / np.pi)))


def draw(found: Data) -> Any:
    """Histograms of the positive outputs over the half normal density."""
    figure, axes = panels(2, len(LAYERS), width=1.75, height=2.0, sharex="row", sharey="row")
    for row, (case, colour) in enumerate(((0, VERMILION), (1, BLUE))):
        top = 3.2 * np.sqrt(found.q[case, 0])
        for axis, layer in zip(axes[row], LAYERS, strict=True):
            x, deviation = found.outputs[case, layer - 1], np.sqrt(found.q[case, layer - 1])
            axis.hist(
                x[x > 0], bins=np.linspace(0, top, 40), weights=np.full((x > 0).sum(), 40 / top / x.size),
                color=colour, alpha=0.45,
            )  # fmt: skip
            line = np.linspace(0, top, 400)
            density = np.exp(-0.5 * (line / deviation) ** 2) / (deviation * np.sqrt(2 * np.pi))
            axis.plot(line, density, color="black", lw=1.1)
            axis.set_yscale("log")
            axis.set_ylim(3e-3, 30)
            axis.text(
                0.96, 0.94, f"sd {x.std():.2g}\n({found.deviation[case, layer - 1]:.2g})",
                transform=axis.transAxes, ha="right", va="top", fontsize=7.5, color=GREY,
            )  # fmt: skip
            if row == 0:
                axis.set_title(f"layer {layer}")
            else:
                axis.set_xlabel("output $x$")
        axes[row, 0].set_ylabel(f"density, $Nv^2 = {(1, 2)[case]}$")
    return figure


def caption(found: Data) -> str:
    """Say what is seen, with the numbers."""
    ratio = found.outputs[0, 9].std() / found.outputs[0, 0].std()
    kept = found.outputs[1, 9].std() / found.outputs[1, 0].std()
    return (
        f"Outputs of ReLU layers of width {found.width} at N v² = 1 (top: Xavier) and 2 (bottom: He), with "
        "the half normal density of theory (line); half of the units are at 0 and not shown. Over nine "
        f"layers the standard deviation falls to {ratio:.3f} of its value at N v² = 1 (theory: 2^(−9/2) = "
        f"{2**-4.5:.3f}) and keeps {kept:.2f} of it at N v² = 2. In brackets: theory."
    )


def check(found: Data) -> None:
    """Assert that the variance halves in every layer at N v² = 1 and is kept at 2, as far as N allows."""
    layers = np.arange(1, 11)
    # Var q/q² grows by 5/N a layer (finite width): the standard deviation by half of its root.
    allowed = 5 * np.sqrt(5 * layers / found.width) / 2
    off = found.outputs.std(axis=2) / found.deviation - 1
    assert np.all(np.abs(off) < allowed), off
    assert np.allclose(found.deviation[0, 1:] ** 2 / found.deviation[0, :-1] ** 2, 0.5)
    assert np.allclose(found.deviation[1], found.deviation[1, 0])
    assert abs(found.deviation[0, 0] - 0.58381937010354894889) < 1e-15  # the paper's network had 0.582273
    zeros = (found.outputs == 0).mean(axis=2)
    assert np.all(np.abs(zeros - 0.5) < 5 * 0.5 / np.sqrt(found.width))
