"""What a start does to a deep network: signals and gradients of fifty tanh layers, for four usual variances.

The picture of the README.  The same network starts with PyTorch's default for Linear, with Xavier's variance,
with PyTorch's calculate_gain, and at the critical point that initmath derives for q = 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from figures.second_route import length, normal_mean
from figures.sheet import BLUE, GREEN, GREY, VERMILION, letters, panels

WIDTH, DEPTH = 256, 50
SEED = 50


@dataclass(frozen=True)
class Data:
    """Lengths and gradients by layer; the first axis is the start.

    Attributes
    ----------
    starts : tuple of (str, float, float)
        Name, σ_w² and σ_b².
    q, gradient : ndarray, shape (4, networks, L)
        Mean square of y, and of ∂/∂y over that in the last layer, in simulated networks.
    wide_q, wide_gradient : ndarray, shape (4, L)
        The recursions at infinite width.
    """

    starts: tuple[tuple[str, float, float], ...]
    q: NDArray[np.float64]
    gradient: NDArray[np.float64]
    wide_q: NDArray[np.float64]
    wide_gradient: NDArray[np.float64]


def _theory(sigma_w2: float, sigma_b2: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    from initmath.quadrature import expectation

    lengths, slopes = [1.0], []
    for _ in range(DEPTH - 1):
        q = lengths[-1]
        slopes.append(sigma_w2 * float(expectation(lambda y: np.cosh(y) ** -4.0, [q]).value[0]))
        lengths.append(sigma_w2 * float(expectation(lambda y: np.tanh(y) ** 2, [q]).value[0]) + sigma_b2)
    return np.array(lengths), np.append(np.cumprod(slopes[::-1])[::-1], 1.0)


def _simulate(sigma_w2: float, sigma_b2: float, networks: int, rng: np.random.Generator) -> Any:
    lengths, gradients = np.empty((networks, DEPTH)), np.empty((networks, DEPTH))
    for network in range(networks):
        y = rng.standard_normal(WIDTH)
        y /= np.sqrt(np.mean(y * y))
        layers, weights = [y], []
        for _ in range(DEPTH - 1):
            weights.append(rng.standard_normal((WIDTH, WIDTH)) * np.sqrt(sigma_w2 / WIDTH))
            y = weights[-1] @ np.tanh(y) + np.sqrt(sigma_b2) * rng.standard_normal(WIDTH)
            layers.append(y)
        error = rng.standard_normal(WIDTH)
        back = [error]
        for w, y in zip(weights[::-1], layers[-2::-1], strict=True):
            error = (error @ w) * np.cosh(y) ** -2.0
            back.append(error)
        lengths[network] = [np.mean(y * y) for y in layers]
        gradients[network] = [np.mean(e * e) / np.mean(back[0] ** 2) for e in back[::-1]]
    return lengths, gradients


def data(quick: bool = False) -> Data:
    """Derive the critical point; propagate inputs of q = 1 forwards and random errors backwards."""
    from initmath import edge_of_chaos

    point = edge_of_chaos("tanh", q=1)
    starts = (
        ("PyTorch's default for Linear", 1 / 3, 1 / (3 * WIDTH)),
        ("Xavier, $σ_w^2 = 1$", 1.0, 0.0),
        ("calculate_gain: $σ_w = 5/3$", 25 / 9, 0.0),
        ("critical, as derived", float(point.sigma_w2.value), float(point.sigma_b2.value)),
    )
    networks = 4 if quick else 12
    rng = np.random.default_rng(SEED)
    simulated = [_simulate(w, b, networks, rng) for _, w, b in starts]
    wide = [_theory(w, b) for _, w, b in starts]
    return Data(
        starts,
        np.array([q for q, _ in simulated]),
        np.array([g for _, g in simulated]),
        np.array([q for q, _ in wide]),
        np.array([g for _, g in wide]),
    )


def draw(found: Data) -> Any:
    """Draw both against the layer: theory as lines, the geometric mean of the networks as dots."""
    figure, axes = panels(1, 2, height=2.9)
    layers = np.arange(1, DEPTH + 1)
    shown = slice(0, None, 4)
    styles = ((GREY, "v"), (VERMILION, "s"), (GREEN, "D"), (BLUE, "o"))
    for axis, networks, wide in (
        (axes[0], found.q, found.wide_q),
        (axes[1], found.gradient, found.wide_gradient),
    ):
        for (name, *_), (colour, marker), sample, line in zip(
            found.starts, styles, networks, wide, strict=True
        ):
            axis.plot(layers, line, color=colour, label=name)
            middle = np.exp(np.log(sample).mean(axis=0))
            axis.plot(layers[shown], middle[shown], color=colour, marker=marker, ms=3.5, ls="")
        axis.set(xlabel="layer", yscale="log", xlim=(0, DEPTH + 1))
    axes[0].set_ylabel("pre-activation variance $q$")
    axes[1].set_ylabel("squared gradient (last = 1)")
    axes[0].set_ylim(1e-4, 10)
    axes[1].set_ylim(1e-7, 1e6)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncol=2)
    letters(axes)
    return figure


def caption(found: Data) -> str:
    """Say what is seen, with the numbers."""
    _, w, b = found.starts[-1]
    last = [f"{q:.2g}" for q in found.wide_q[:, -1]]
    first = [f"{g:.2g}" for g in found.wide_gradient[:, 0]]
    left = f"q = {last[0]}, {last[1]} and {last[2]}"
    reached = f"{first[0]}, {first[1]} and {first[2]}"
    return (
        f"{DEPTH} tanh layers, input q = 1: theory (lines) and {found.q.shape[1]} networks of width {WIDTH} "
        "(dots: geometric means). PyTorch's default, Xavier and calculate_gain leave "
        f"{left} in the last layer, and the squared gradient that reaches the first is {reached} times "
        f"that of "
        f"the last. The critical point that initmath derives, σ_w² = {w:.4g} and σ_b² = {b:.4g}, keeps both."
    )


def check(found: Data) -> None:
    """Assert that the critical start keeps both, the others not, and that the networks follow the theory."""
    assert np.allclose(found.wide_q[3], 1, rtol=1e-9) and np.allclose(found.wide_gradient[3], 1, rtol=1e-9)
    assert abs(found.starts[3][1] - 2.1533026) < 1e-6
    assert np.all(found.wide_q[:2, -1] < 0.02) and 1.1 < found.wide_q[2, -1] < 1.25
    assert (
        found.wide_gradient[0, 0] < 1e-20
        and found.wide_gradient[1, 0] < 0.05
        and found.wide_gradient[2, 0] > 1e3
    )
    for (_, sigma_w2, sigma_b2), wide_q, gradient in zip(
        found.starts, found.wide_q, found.wide_gradient, strict=True
    ):
        step = length(np.tanh, sigma_w2, sigma_b2)
        np.testing.assert_allclose(wide_q, [1.0, *map(step, wide_q[:-1])], rtol=1e-9)
        chi = [sigma_w2 * normal_mean(lambda y: np.cosh(y) ** -4.0, q) for q in wide_q[:-1]]
        np.testing.assert_allclose(gradient[:-1] / gradient[1:], chi, rtol=1e-9)
        assert gradient[-1] == 1
    passed = np.arange(DEPTH)
    for sample, wide, steps in (
        (found.q, found.wide_q, passed),
        (found.gradient, found.wide_gradient, passed[::-1]),
    ):
        logs = np.log(sample)
        error = logs.std(axis=1) / np.sqrt(sample.shape[1])
        # ln q and ln of a gradient drift from the infinitely wide network by a few 1/N a layer
        drift = 5 * steps / WIDTH + 1e-9
        assert np.all(np.abs(logs.mean(axis=1) - np.log(wide)) < 5 * error + drift)
