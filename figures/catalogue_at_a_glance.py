"""The whole catalogue at a glance: every activation, and the gain that keeps q = 1.

Each panel shows g (line) and the density of its input at q = 1 (grey).  The number is √(1/E g²), the σ_w that
keeps the pre-activation variance at 1; on its right χ₁ = σ_w² E g'² there, which decides what becomes of
gradients.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from figures.second_route import normal_mean
from figures.sheet import BLUE, GREY, VERMILION, panels

COLUMNS, REACH = 10, 3.0


@dataclass(frozen=True)
class Data:
    """One entry an activation.

    Attributes
    ----------
    names : tuple of str
    y : ndarray, shape (n,)
    values : ndarray, shape (activations, n)
    jumps : tuple of tuple of float
    gain : ndarray, shape (activations,)
        At q = 1.
    chi_1 : ndarray, shape (activations,)
        σ_w² E g'² with that gain; inf where g jumps.
    """

    names: tuple[str, ...]
    y: NDArray[np.float64]
    values: NDArray[np.float64]
    jumps: tuple[tuple[float, ...], ...]
    gain: NDArray[np.float64]
    chi_1: NDArray[np.float64]


def data(quick: bool = False) -> Data:
    """Integrate g² and g'² against the normal density; the names are those of the catalogue, in its order."""
    from initmath.activation import catalogue, resolve
    from initmath.finite_width.law import breaks
    from initmath.quadrature import expectation

    everything = [name for name in catalogue() if not resolve(name).is_symbolic]
    names = tuple(everything[:: 4 if quick else 1])
    y = np.linspace(-REACH, REACH, 721)
    values, gain, chi = [], [], []
    for name in names:
        activation = resolve(name)
        g, slope, cuts = activation.numpy(0), activation.numpy(1), breaks(activation)
        with np.errstate(all="ignore"):
            values.append(np.broadcast_to(g(y), y.shape).astype(np.float64))
            second = float(expectation(lambda t, g=g: g(t) ** 2, [1.0], cuts).value[0])
            steep = float(expectation(lambda t, s=slope: s(t) ** 2, [1.0], cuts).value[0])
        gain.append(second**-0.5)
        chi.append(np.inf if activation.jumps else steep / second)
    jumps = tuple(tuple(map(float, resolve(name).jumps)) for name in names)
    return Data(names, y, np.array(values), jumps, np.array(gain), np.array(chi))


def draw(found: Data) -> Any:
    """Small multiples, ten in a row."""
    rows = -(-len(found.names) // COLUMNS)
    figure, axes = panels(rows, COLUMNS, width=1.05, height=1.2)
    bell = np.exp(-0.5 * found.y**2)
    for axis in axes.ravel():
        axis.set_axis_off()
    for axis, name, values, jumps, gain, chi in zip(
        axes.ravel(), found.names, found.values, found.jumps, found.gain, found.chi_1, strict=False
    ):
        axis.set(xlim=(-REACH, REACH), ylim=(-2.2, 3.2))
        axis.fill_between(found.y[::24], -2.2, -2.2 + 1.3 * bell[::24], color=GREY, alpha=0.18, lw=0)
        axis.axhline(0, color=GREY, lw=0.4)
        axis.axvline(0, color=GREY, lw=0.4)
        shown = np.where(np.abs(values) < 6, values, np.nan).round(3)
        for jump in jumps:
            shown[np.argmin(np.abs(found.y - jump))] = np.nan
        axis.plot(found.y, shown, color=BLUE, lw=1.3)
        axis.set_title(name, fontsize=6.2, pad=10)
        axis.text(0.03, 1.02, f"{gain:.3f}", transform=axis.transAxes, fontsize=6.2, va="bottom")
        size = r"$\infty$" if np.isinf(chi) else f"{chi:.2f}"
        axis.text(
            0.97, 1.02, size, transform=axis.transAxes, fontsize=6.2, va="bottom", ha="right",
            color=VERMILION if round(chi, 2) > 1 else GREY,
        )  # fmt: skip
    return figure


def caption(found: Data) -> str:
    """Say what is seen, with the numbers."""
    smallest, largest = np.argmin(found.gain), np.argmax(found.gain)
    finite = np.isfinite(found.chi_1)
    printed = np.round(found.chi_1, 2)
    growing = int(np.sum(finite & (printed > 1)))
    keeping = [n for n, c in zip(found.names, printed, strict=True) if c == 1]
    return (
        f"{len(found.names)} activations for −3 ≤ y ≤ 3, from −2.2 to 3.2, over the density of a standard "
        "normal input. Left: the gain √(1/E g²) that keeps q = 1, from "
        f"{found.gain[smallest]:.3f} ({found.names[smallest]}) to {found.gain[largest]:.3f} "
        f"({found.names[largest]}). On its right: χ₁ with that gain to two decimals, in orange where "
        f"gradients grow: above 1 for {growing}, infinite for {int(np.sum(~finite))} because g jumps; "
        f"{int(np.sum(printed < 1))} are below 1, {len(keeping)} are 1.00: {', '.join(keeping)}."
    )


def check(found: Data) -> None:
    """Assert known gains, every gain, χ₁ and curve by a second route, and what degree 1 says of χ₁."""
    from initmath.activation import resolve
    from initmath.finite_width.law import breaks

    known = {
        "identity": 1.0, "relu": 2**0.5, "tanh": 1.5925374197228, "sigmoid": 1.8462285453386, "selu": 1.0,
        "abs": 1.0, "sin": (2 / (1 - np.exp(-2.0))) ** 0.5, "square": 3**-0.5,
    }  # fmt: skip
    gains = dict(zip(found.names, found.gain, strict=True))
    for name in known.keys() & gains.keys():
        assert abs(gains[name] / known[name] - 1) < 1e-9, name
    assert len(known.keys() & gains.keys()) >= 1
    assert np.all(np.isfinite(found.gain)) and np.all(found.gain > 0)
    for name, gain, chi, values in zip(found.names, found.gain, found.chi_1, found.values, strict=True):
        activation = resolve(name)
        g, slope, cuts = activation.numpy(0), activation.numpy(1), breaks(activation)
        second = normal_mean(lambda t, g=g: g(t) ** 2, 1.0, cuts)
        assert abs(gain**2 * second - 1) < 1e-9, name
        if not activation.jumps:
            steep = normal_mean(lambda t, s=slope: s(t) ** 2, 1.0, cuts)
            assert abs(chi - gain**2 * steep) < 1e-9 * max(chi, 1), name
        bell = np.exp(-0.5 * found.y**2) / np.sqrt(2 * np.pi)
        inside = normal_mean(lambda t, g=g: g(t) ** 2 * (np.abs(t) <= REACH), 1.0, [*cuts, -REACH, REACH])
        area = np.trapezoid(values**2 * bell, found.y)
        assert abs(area - inside) < 0.01 * inside + 1e-3, name
        if activation.homogeneity_degree == 1:  # y g' = g, so E g² = E y² g'² and g'² is blind to |y|
            assert abs(chi - 1) < 1e-9, name
        assert np.isinf(chi) == bool(activation.jumps), name
