"""Wrong data, by figure: what is drawn or printed, off by 1 to 50 %, or swapped; every check must see it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

Change = Callable[[Any], Any]


def scaled(field: str, factor: Any) -> Change:
    """Multiply one field."""
    return lambda data: replace(data, **{field: getattr(data, field) * factor})


def shifted(field: str, by: Any) -> Change:
    """Add to one field."""
    return lambda data: replace(data, **{field: getattr(data, field) + by})


def _column(*values: float) -> Any:
    return np.array(values)[:, None]


def _cases(field: str, factor: float, *chosen: int) -> Change:
    def change(data: Any) -> Any:
        cases = [
            replace(c, **{field: getattr(c, field) * factor}) if c.panel in chosen else c for c in data.cases
        ]
        return replace(data, cases=tuple(cases))

    return change


def _diagram(name: str, field: str, factor: float) -> Change:
    def change(data: Any) -> Any:
        wrong = replace(data.diagrams[name], **{field: getattr(data.diagrams[name], field) * factor})
        return replace(data, diagrams={**data.diagrams, name: wrong})

    return change


PLANTED: dict[str, tuple[Change, ...]] = {
    "balduzzi_gradients": (
        lambda d: replace(d, network=d.network * np.where(np.arange(d.network.shape[1]) > 20, 1.2, 1)),
        lambda d: replace(
            d, model=d.model * np.where(np.arange(d.model.shape[1]) > 10, _column(1, 1, 1.05), 1)
        ),
        scaled("network", _column(1, 1.05, 1)),
    ),
    "catalogue_at_a_glance": (
        lambda d: replace(d, gain=np.where(np.array(d.names) == "hermite2", d.gain * 1.01, d.gain)),
        lambda d: replace(d, chi_1=np.where(np.abs(d.chi_1 - 1) < 1e-9, d.chi_1, d.chi_1 * 1.05)),
        scaled("values", 1.2),
    ),
    "finite_width": (
        shifted("paths", 0.3),
        scaled("paths", 1.1),
        scaled("chain", 1.01),
        lambda d: replace(d, spread=(*d.spread[:2], d.spread[2] * 0.8)),
    ),
    "gain_against_q": (
        lambda d: replace(d, gain={**d.gain, "silu": d.gain["silu"] * 1.05}),
        lambda d: replace(
            d, gain={**d.gain, "tanh": np.where(np.abs(np.log(d.q)) > 0.3, 1.05, 1) * d.gain["tanh"]}
        ),
    ),
    "glorot_histograms": (
        scaled("theory", 1.05),
        scaled("shares", 1.1),
        scaled("edges", 1.1),
        scaled("second", np.where(np.arange(5) == 4, 1.3, 1)),
    ),
    "kumar_1": (scaled("mode", 0.98), scaled("density", _column(1, 1, 1, 1, 1.1))),
    "kumar_3": (
        shifted("theory", 0.15 * np.arange(5)[::-1] / 4),
        shifted("gradient", 0.15 * np.arange(5)[::-1] / 4),
        scaled("accuracy", np.array([1, 0.9, 1])[:, None, None]),
        lambda d: replace(d, accuracy=d.accuracy[[0, 2, 1]]),
    ),
    "kumar_4": (
        scaled("deviation", 1.03),
        scaled("printed_deviation", np.where(np.arange(10) == 4, 1.03, 1)),
        scaled("printed_mean", 1.01),
    ),
    "pennington_learning_speed": (
        scaled("loss", np.array([1, 0.9, 1, 1, 1])[:, None, None]),
        lambda d: replace(d, loss=d.loss[[1, 0, 2, 3, 4]]),
        scaled("variance", np.array([1, 1.05, 1, 1, 1])),
        shifted("variance", np.array([0.1, 0, 0.1, 0, 0])),
        scaled("half", 1.2),
    ),
    "pennington_spectra": (
        _cases("density", 1.05, 0, 1, 2, 3),
        _cases("variance", 1.05, 2),
        _cases("top", 1.05, 0),
        _cases("top", 1.05, 2),
        _cases("top", 1.05, 3),
        _cases("distance", 0.5, 0, 1, 2, 3),
        _cases("zeros", 0.8, 1),
        _cases("sampled", 1.1, 2),
    ),
    "phase_diagrams": (
        _diagram("tanh", "chi_1", 0.95),
        _diagram("gelu", "chi_1", 1.05),
        _diagram("tanh", "xi_c", 1.1),
        _diagram("sin", "q_star", 1.05),
        lambda d: replace(d, chosen={name: (w, b + 0.001) for name, (w, b) in d.chosen.items()}),
    ),
    "poole_maps": (
        shifted("c_star", np.array([0, 0.01, 0])),
        scaled("chi_1", 1.01),
        scaled("length", 1.02),
        shifted("correlation", _column(0, 0, 0.01)),
    ),
    "saxe_learning_time": (
        scaled("orthogonal", 2),
        scaled("orthogonal", 1.1),
        scaled("exact", 1.01),
        scaled("curve", 1.01),
        scaled("descent", 1.05),
        scaled("error", 0.9),
        scaled("half", 1.01),
    ),
    "schoenholz_depth_scales": (
        scaled("xi", _column(1.05, 1)),
        scaled("xi", _column(1, 1.05)),
        scaled("wide", 1.03),
        shifted("edge", 0.01),
        scaled("rates", 1.05),
    ),
    "starts": (
        scaled("wide_q", _column(1, 1, 1.01, 1)),
        scaled("wide_gradient", _column(1.05, 1, 1, 1)),
        scaled("q", 1.1),
        scaled("gradient", 1.1),
    ),
    "taylor_against_truth": (
        scaled("error", _column(1.2, 1, 1, 1, 1)),
        scaled("truth", 1.01),
        scaled("sums", 1.01),
    ),
    "xiao_deep_convolution": (
        scaled("density", 1.05),
        scaled("density", np.where(np.arange(298) == 150, 1.01, 1)),
        scaled("distance", 0.5),
        scaled("sampled", 1.1),
        scaled("largest", 1.2),
        scaled("top", 1.05),
    ),
}
