"""Phase diagrams side by side: where signals and correlations survive, for six activations.

Colour: the depth scale ξ_c, over how many layers the correlation of two inputs is remembered.  Line: the edge
of chaos, dotted where the length is unstable.  Grey: from q = 1 the length grows without end.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from figures.second_route import normal_mean, pair_mean, settle
from figures.sheet import panels, upper

NAMES = ("tanh", "erf", "sin", "relu", "gelu", "silu")
HIGH_W, HIGH_B = 4.0, 0.6


@dataclass(frozen=True)
class Data:
    """One diagram an activation, and its point on the edge at q = 1.

    Attributes
    ----------
    diagrams : dict of str to PhaseDiagram
    chosen : dict of str to (float, float)
        σ_w² and σ_b².
    """

    diagrams: dict[str, Any]
    chosen: dict[str, tuple[float, float]]


def data(quick: bool = False) -> Data:
    """Sweep the plane for each."""
    from initmath.activation import resolve
    from initmath.criteria import solve
    from initmath.meanfield.sweep import sweep

    points = 40 if quick else 200
    weight, bias = np.linspace(HIGH_W / points, HIGH_W, points), np.linspace(0, HIGH_B, points)
    diagrams, chosen = {}, {}
    for name in NAMES:
        g = resolve(name)
        diagrams[name] = sweep(g, weight, bias)
        (point,) = solve("critical", g, q=1).solutions
        chosen[name] = (float(point.sigma_w2), float(point.sigma_b2))
    return Data(diagrams, chosen)


def draw(found: Data) -> Any:
    """Two rows of three, one colour bar."""
    from initmath.plots.phase import phase_axes

    figure, axes = panels(2, 3, width=2.7, height=2.3, sharex=True, sharey=True)
    for letter, axis, (name, diagram) in zip("abcdef", axes.ravel(), found.diagrams.items(), strict=True):
        image = phase_axes(axis, diagram, [found.chosen[name]])
        axis.set(xlabel=r"weight variance $\sigma_w^2$", ylabel=r"bias variance $\sigma_b^2$")
        axis.set_title(f"({letter}) {name}", loc="left")
        axis.label_outer()
    bar = figure.colorbar(image, ax=axes, extend="max", pad=0.015, aspect=40)
    bar.set_label(r"depth scale $\xi_c$ (layers)")
    bar.set_ticks([1, 10, 100, 1000], labels=["1", "10", "100", "1000"])
    bar.minorticks_off()
    return figure


def caption(found: Data) -> str:
    """Say what is seen, with the numbers."""
    shares = []
    for name, diagram in found.diagrams.items():
        ends = np.isfinite(diagram.q_star)
        share = 100 * (ends & (diagram.chi_1 > 1)).mean()
        shares.append(f"{name} {share:.0f} %" if share == 0 or share >= 1 else f"{name} below 1 %")
    points = ", ".join(f"{n} ({w:.3f}, {b:.3f})" for n, (w, b) in found.chosen.items())
    worst = max(d.error["pair"] for d in found.diagrams.values())
    side = len(next(iter(found.diagrams.values())).sigma_w2)
    return (
        "Depth scale of correlations (colour). Black: the edge of chaos, dotted where q runs away from its "
        "fixed point; grey: from q = 1 the length grows without end. Dots: the edge at q = 1, (σ_w², σ_b²) "
        f"= {points}. Chaotic share of the {side} × {side} points of the plane: {', '.join(shares)}. ReLU's "
        "edge is a single point, and for σ_w² > 2 its length has no stable fixed point; GELU's and SiLU's "
        "edge is unstable near their dots. "
        f"The depth scales are interpolated, with a relative error below {upper(worst, 1)}."
    )


def _mean_square(f: Any, q: float, cuts: list[float]) -> float:
    return normal_mean(lambda y: f(y) ** 2, q, cuts)


def _check_plane(name: str, diagram: Any) -> None:
    """Assert fixed points, slopes and depth scales by a second route, at some of the points."""
    from initmath.activation import resolve
    from initmath.finite_width.law import breaks

    activation = resolve(name)
    g, slope, cuts = activation.numpy(0), activation.numpy(1), breaks(activation)
    whole = np.flatnonzero((diagram.edge[0] > 1e-3) & (diagram.edge[0] < 1e2))
    for q, weight, bias, _ in diagram.edge[:, whole[:: max(1, len(whole) // 20)]].T:
        second = _mean_square(g, q, cuts)
        steep = _mean_square(slope, q, cuts)
        assert abs(weight * steep - 1) < 1e-6 and abs(weight * second + bias - q) < 1e-6 * q, (name, q)
    every = max(1, len(diagram.sigma_w2) // 10)
    chaotic = 0
    for row in range(0, len(diagram.sigma_b2), every):
        for column in range(0, len(diagram.sigma_w2), every):
            q, weight, bias = diagram.q_star[row, column], diagram.sigma_w2[column], diagram.sigma_b2[row]
            if not 1e-3 < q < 1e2:
                continue
            second = _mean_square(g, q, cuts)
            steep = _mean_square(slope, q, cuts)
            here = (name, weight, bias)
            tight = max(1 - diagram.chi_parallel[row, column], 1e-6)  # an error of q is seen in V(q) − q
            assert abs(weight * second + bias - q) < 1e-5 * q * tight + 1e-7, here
            chi = weight * steep
            assert abs(diagram.chi_1[row, column] / chi - 1) < 1e-4, here
            if chi < 0.98:
                assert abs(diagram.xi_c[row, column] * np.log(chi) + 1) < 1e-2, here
            elif chi > 1.2 and not cuts and chaotic < 6:
                chaotic += 1
                _check_chaos(g, q, weight, bias, diagram.xi_c[row, column])


def _check_chaos(g: Any, q: float, weight: float, bias: float, depth_scale: float) -> None:
    """Assert the depth scale where correlations end below 1."""

    def correlation(c: float) -> float:
        return float((weight * pair_mean(g, q, c) + bias) / q)

    end = settle(correlation, 0.5, 1e-10)
    chi = (correlation(end + 1e-5) - correlation(end - 1e-5)) / 2e-5
    assert abs(depth_scale * np.log(chi) + 1) < 1e-3, (weight, bias)


def check(found: Data) -> None:
    """Assert that the dots are on the edge, the plane, and what the caption says of ReLU, GELU and SiLU."""
    from initmath.activation import resolve
    from initmath.finite_width.law import breaks

    for name, (w, b) in found.chosen.items():
        edge = found.diagrams[name].edge
        distance = np.hypot(edge[1] - w, edge[2] - b)
        assert np.nanmin(distance) < 0.02, name
        activation = resolve(name)
        second, steep = (_mean_square(activation.numpy(k), 1.0, breaks(activation)) for k in (0, 1))
        assert abs(w - 1 / steep) < 1e-6 and abs(b - (1 - w * second)) < 1e-6, name  # χ₁ = 1 at q = 1
        _check_plane(name, found.diagrams[name])
    relu = found.diagrams["relu"]
    assert np.nanmax(relu.edge[1]) - np.nanmin(relu.edge[1]) < 1e-9
    assert np.isposinf(relu.q_star[:, relu.sigma_w2 > 2]).all()
    assert np.isfinite(relu.q_star[:, relu.sigma_w2 < 2]).all()
    for name in ("gelu", "silu"):
        edge = found.diagrams[name].edge
        near = np.nanargmin(np.hypot(edge[1] - found.chosen[name][0], edge[2] - found.chosen[name][1]))
        assert edge[3, near] > 1
    for name in ("tanh", "erf", "sin"):
        d = found.diagrams[name]
        assert (d.chi_1 > 1).any() and np.isfinite(d.q_star).all()
    assert max(d.error["pair"] for d in found.diagrams.values()) < 1e-4
