"""Phase diagrams side by side: where signals and correlations survive, for six activations.

Colour: the depth scale ξ_c, over how many layers the correlation of two inputs is remembered.  Line: the edge
of chaos, dotted where the length is unstable.  Grey: from q = 1 the length grows without end.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from figures.sheet import panels

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
    for axis, (name, diagram) in zip(axes.ravel(), found.diagrams.items(), strict=True):
        image = phase_axes(axis, diagram, [found.chosen[name]])
        axis.set_title(name, loc="left")
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
        shares.append(f"{name} {100 * (ends & (diagram.chi_1 > 1)).mean():.0f} %")
    points = ", ".join(f"{n} ({w:.3f}, {b:.3f})" for n, (w, b) in found.chosen.items())
    worst = max(d.error["pair"] for d in found.diagrams.values())
    return (
        f"Depth scale of correlations. Dots: the edge of chaos at q = 1, (σ_w², σ_b²) = {points}. "
        f"Chaotic share of the plane: {', '.join(shares)}. ReLU's edge is a single point, and for "
        "σ_w² > 2 its length has no fixed point; GELU's and SiLU's edge is unstable near their dots. "
        f"The tables behind the colours are right to {worst:.0e}, as measured between their points."
    )


def check(found: Data) -> None:
    """Assert that the dots are on the edge, and what the caption says of ReLU, GELU and SiLU."""
    for name, (w, b) in found.chosen.items():
        edge = found.diagrams[name].edge
        distance = np.hypot(edge[1] - w, edge[2] - b)
        assert np.nanmin(distance) < 0.02, name
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
