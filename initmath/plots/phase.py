"""The phase diagram: depth scale as colour, the edge of chaos as a line, the chosen point marked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from initmath.plots.style import VERMILION, head, settle, styled

if TYPE_CHECKING:
    from initmath.meanfield.sweep import PhaseDiagram

__all__ = ["phase_axes", "phase_figure"]

Points = Sequence[tuple[float, float]]

_DEEPEST = 1000.0  # layers; the colour ends there
_POINT = 1e-6
_MARGINAL = 1e-9  # homogeneous activations have χ_∥ = 1 everywhere on the edge
_TICKS = (1, 3, 10, 30, 100, 300, 1000)


def phase_figure(diagram: PhaseDiagram, title: str, chosen: Points = ()) -> Any:
    """Draw a phase diagram.

    Colour: how many layers the correlation of two inputs is remembered, ξ_c, on a logarithmic scale.  Line:
    the edge of chaos, χ₁ = 1.  Grey: from the first layer's q it grows without end, or
    oscillates.

    Parameters
    ----------
    diagram : PhaseDiagram
    title : str
    chosen : sequence of (float, float)
        Points (σ_w², σ_b²) to mark.

    Returns
    -------
    matplotlib Figure
        Not registered with pyplot: nothing needs closing.
    """
    from matplotlib.figure import Figure

    with styled():
        figure = Figure(figsize=(5.4, 4.1), layout="constrained")
        axis = figure.subplots()
        image = phase_axes(axis, diagram, chosen)
        bar = figure.colorbar(image, ax=axis, extend="max", pad=0.02, aspect=30)
        bar.set_label(r"Depth scale $\xi_c$ (layers)")
        bar.set_ticks(list(_TICKS))
        bar.set_ticklabels([str(k) for k in _TICKS])
        bar.minorticks_off()
        head(axis, title)
        if axis.get_legend_handles_labels()[0]:
            figure.legend(loc="outside lower center", ncols=3)
        settle(axis)
    return figure


def phase_axes(axis: Any, diagram: PhaseDiagram, chosen: Points = ()) -> Any:
    """Draw on axes that exist; returns the image, for a colour bar."""
    import matplotlib as mpl
    from matplotlib.colors import LogNorm

    depth = np.ma.masked_invalid(np.where(np.isposinf(diagram.xi_c), _DEEPEST, diagram.xi_c))
    colours = mpl.colormaps["cividis"].with_extremes(bad="#D9D9D9")
    image = axis.pcolormesh(
        diagram.sigma_w2,
        diagram.sigma_b2,
        depth,
        norm=LogNorm(1, _DEEPEST),
        cmap=colours,
        shading="nearest",
        rasterized=True,
        linewidth=0,
    )
    axis.set_xlim(_extent(diagram.sigma_w2))
    axis.set_ylim(_extent(diagram.sigma_b2))
    _edge(axis, diagram.edge)
    _names(axis, diagram)
    if chosen:
        axis.plot(
            *zip(*chosen, strict=True),
            ls="none", marker="o", ms=7, mfc=VERMILION, mec="white", mew=1.2, clip_on=False, zorder=5,
            label="chosen",
        )  # fmt: skip
    axis.set_xlabel(r"Weight variance $\sigma_w^2$")
    axis.set_ylabel(r"Bias variance $\sigma_b^2$")
    return image


def _extent(values: Any) -> tuple[float, float]:
    """Half a cell beyond the first and the last value, but not below zero."""
    if len(values) == 1:
        return 0.9 * float(values[0]), 1.1 * float(values[0]) or 1.0
    first, last = (values[1] - values[0]) / 2, (values[-1] - values[-2]) / 2
    return max(0.0, float(values[0] - first)), float(values[-1] + last)


def _edge(axis: Any, edge: Any) -> None:
    """Draw χ₁ = 1: solid where the fixed point attracts, dotted where q runs away from it."""
    axis.plot(edge[1], edge[2], color="white", lw=3.0, solid_capstyle="butt")
    with np.errstate(invalid="ignore"):
        away = np.abs(edge[3]) > 1 + _MARGINAL
    for where, style, label in (
        (~away, "-", r"edge of chaos, $\chi_1 = 1$"),
        (away, (0, (1, 0.6)), r"edge of chaos, but $q$ unstable"),
    ):
        if where[np.isfinite(edge[1])].any():
            x, y = (np.where(where, row, np.nan) for row in edge[1:3])
            marker: dict[str, Any] = {}
            if np.ptp(edge[1][np.isfinite(edge[1])]) < _POINT:  # ReLU: the edge is one point
                x, y = (row[np.isfinite(x)][:1] for row in (x, y))
                marker = {"marker": "D", "ms": 5, "clip_on": False}
            axis.plot(x, y, color="black", lw=1.4, ls=style, label=label, **marker)


def _names(axis: Any, diagram: PhaseDiagram) -> None:
    """Write each phase's name where there is most room for it."""
    from initmath.plots.decades import Powers

    lost, oscillates = np.isposinf(diagram.q_star), np.isnan(diagram.q_star)
    for name, where, colour in (
        ("ordered", ~lost & (diagram.chi_1 < 1), "white"),
        ("chaotic", ~lost & (diagram.chi_1 > 1), "white"),
        ("$q$ oscillates", oscillates, "#404040"),
        (f"$q$ passes {Powers()(diagram.farthest)}\nfrom $q = {diagram.start:g}$", lost, "#404040"),
    ):
        if where.mean() < 0.06:
            continue
        row, column = _middle(where)
        axis.text(
            diagram.sigma_w2[column],
            diagram.sigma_b2[row],
            name,
            color=colour,
            ha="center",
            va="center",
            fontsize=9.5,
            fontweight="bold",
        )


def _middle(where: Any) -> tuple[int, int]:
    """Return the cell farthest from the end of its region: its rim is peeled off until none is left."""
    core = where
    while where.any():
        core = where
        where = sliding_window_view(np.pad(where, 1), (3, 3)).all(axis=(2, 3))
    row, column = np.argwhere(core)[0]
    return int(row), int(column)
