"""The gain that each activation needs, against the pre-activation variance: one number cannot hold it.

σ_w = √(q/E g²), the gain that keeps q from layer to layer, for the whole catalogue; some are named.
Homogeneous activations of degree 1 are the flat lines: of the catalogue these, and only these.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from figures.second_route import normal_mean
from figures.sheet import GREY, SERIES, panels, signed

COLOURS = (*SERIES[:6], "black")

NAMED = ("tanh", "sigmoid", "relu", "gelu", "silu", "mish", "selu")
PYTORCH = {"tanh": 5 / 3, "sigmoid": 1.0, "relu": 2**0.5, "selu": 0.75}
"""torch.nn.init.calculate_gain."""


@dataclass(frozen=True)
class Data:
    """Gains against q.

    Attributes
    ----------
    q : ndarray, shape (n,)
    gain : dict of str to ndarray, shape (n,)
        NaN where E g² overflows.
    """

    q: NDArray[np.float64]
    gain: dict[str, NDArray[np.float64]]


def data(quick: bool = False) -> Data:
    """Evaluate the gain of every activation of the catalogue that has numbers for its parameters."""
    from initmath.activation import catalogue, resolve
    from initmath.finite_width.law import breaks
    from initmath.quadrature.curve import Family, curve

    q = np.geomspace(1e-2, 1e2, 41 if quick else 121)
    names = NAMED if quick else tuple(catalogue())
    gain = {}
    for name in names:
        g = resolve(name)
        if g.is_symbolic:
            continue
        with np.errstate(all="ignore"):
            second = curve(Family.of(_squared(g)), q, breaks(g)).value[0]
            found = np.sqrt(q / second)
        found[~np.isfinite(found)] = np.nan
        gain[name] = found
    return Data(q, gain)


def _squared(activation: Any) -> Any:
    g = activation.numpy()
    return lambda y: g(y) ** 2


def draw(found: Data) -> Any:
    """All in grey, some in colour, PyTorch's numbers as crosses at q = 1."""
    figure, axis = panels(width=5.6, height=3.7)
    for name, gain in found.gain.items():
        if name not in NAMED:
            axis.plot(found.q, gain, color=GREY, lw=0.5, alpha=0.35)
    for name, colour in zip(NAMED, COLOURS, strict=True):
        axis.plot(found.q, found.gain[name], color=colour, label=name)
        if name in PYTORCH:
            axis.plot(1, PYTORCH[name], "x", color=colour, ms=7, mew=1.8)
    axis.set(xscale="log", yscale="log", xlabel="pre-activation variance $q$", ylabel=r"gain $\sigma_w$")
    axis.set_ylim(0.3, 30)
    axis.set_yticks([0.5, 1, 2, 5, 10, 20], ["0.5", "1", "2", "5", "10", "20"])
    axis.minorticks_off()
    axis.legend(ncols=2, loc="upper center")
    return figure


def _at_one(found: Data, name: str) -> float:
    return float(np.exp(np.interp(0.0, np.log(found.q), np.log(found.gain[name]))))


def caption(found: Data) -> str:
    """Say what is seen, with the numbers."""
    tanh, sigmoid = _at_one(found, "tanh"), _at_one(found, "sigmoid")
    others = " (grey), some of them named" if len(found.gain) > len(NAMED) else ""
    return (
        f"The gain √(q/E g²) that keeps q, for {len(found.gain)} activations{others}. Crosses: "
        f"PyTorch's calculate_gain. At q = 1 tanh needs {tanh:.4f}, where PyTorch has 1.6667 "
        f"({signed(100 * (5 / 3 / tanh - 1), '+.1f')} %), and sigmoid {sigmoid:.4f}, where it has 1 "
        f"({signed(100 * (1 / sigmoid - 1), '+.1f')} %). Among these, only the homogeneous ones of degree 1, "
        "such as ReLU, have the same gain at every q."
    )


def check(found: Data) -> None:
    """Assert the caption's numbers, curves by a second route, and that the flat lines are the homogeneous."""
    from initmath.activation import resolve
    from initmath.finite_width.law import breaks

    assert abs(_at_one(found, "tanh") - 1.5925374197228) < 1e-9
    assert abs(_at_one(found, "sigmoid") - 1.8462285453386) < 1e-9
    for name, gain in found.gain.items():
        whole = np.isfinite(gain)
        if whole.sum() < 2:
            continue
        activation = resolve(name)
        g = activation.numpy()
        for place in range(0, len(found.q), 5):
            if whole[place]:
                second = normal_mean(lambda y, g=g: g(y) ** 2, found.q[place], breaks(activation))
                assert abs(gain[place] ** 2 * second / found.q[place] - 1) < 1e-6, (name, found.q[place])
        # between those the curve is smooth: a cubic through the neighbours has next to the same value
        near = np.log(gain[whole])
        jump = near[2:-2] - (4 * (near[1:-3] + near[3:-1]) - near[:-4] - near[4:]) / 6
        assert not jump.size or np.abs(jump).max() < 0.01, name
        flat = bool(np.ptp(np.log(gain[whole])) < 1e-9)
        assert flat == (activation.homogeneity_degree == 1), name
