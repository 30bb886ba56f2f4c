"""Logarithmic axes: few labels, evenly spaced, as plain text that costs nothing to set."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.ticker import Formatter, Locator, NullLocator

__all__ = ["EvenDecades", "Powers", "label_decades"]

_MOST = 7  # labels
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def label_decades(axis: Any) -> None:
    """Label a logarithmic x or y axis: whole decades, equally far apart; 1, 2, 5 where they are few."""
    axis.set_major_locator(EvenDecades())
    axis.set_major_formatter(Powers())
    axis.set_minor_locator(NullLocator())


class EvenDecades(Locator):
    """At most seven labels on a logarithmic axis, with equal steps between decades."""

    def __call__(self) -> Any:
        """Return where the labels are."""
        return self.tick_values(*self.axis.get_view_interval())  # type: ignore[union-attr]

    def tick_values(self, vmin: float, vmax: float) -> Any:
        """Return them for an axis from vmin to vmax."""
        first, last = np.ceil(np.log10(vmin) - 1e-9), np.floor(np.log10(vmax) + 1e-9)
        if last - first >= 2:
            step = int(np.ceil((last - first + 1) / _MOST))
            return 10.0 ** np.arange(np.ceil(first / step) * step, last + 1, step)
        steps = np.array([1.0, 2.0, 5.0])
        values = np.concatenate([steps * 10.0**decade for decade in np.arange(first - 1, last + 1)])
        return values[(values >= vmin) & (values <= vmax)]


class Powers(Formatter):
    """Powers of ten on a wide axis; on a narrow one 0.02, 5, 200 as they are, never the two mixed."""

    def __call__(self, value: float, pos: int | None = None) -> str:
        """Label one tick."""
        return self.format_ticks([value])[0]

    def format_ticks(self, values: Any) -> list[str]:
        """Label all ticks of an axis alike."""
        if all(1e-3 < value < 1e4 for value in values):
            return [f"{value:g}" for value in values]
        parts = [f"{value:.0e}".split("e") for value in values]
        powers = ["10" + str(int(exponent)).translate(_RAISED) for _, exponent in parts]
        if np.allclose([float("1e" + exponent) for _, exponent in parts], values, rtol=1e-6, atol=0):
            return powers
        return [f"{digit}·{power}" for (digit, _), power in zip(parts, powers, strict=True)]
