r"""The gains that keep the signal, √(q/m₂), and squared gradients, 1/√χ̂, against q, in double precision."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from initmath.errors import InputError
from initmath.finite_width.law import breaks
from initmath.meanfield.both_kept import Nearest
from initmath.meanfield.edge import no_edge
from initmath.quadrature.curve import Family, curve

__all__ = ["TradeOff", "nearest", "trade_off"]

Real = NDArray[np.float64]

LOW, HIGH = 1e-3, 1e3
"""Where the nearest q is looked for if no q keeps both."""

SAMPLES = 200


@dataclass(frozen=True)
class TradeOff:
    """Gains against q, for plots.

    Attributes
    ----------
    q : ndarray, shape (n,)
    forward : ndarray
        σ_w = √(q/m₂), which keeps the signal.
    backward : ndarray
        σ_w = 1/√χ̂, which keeps squared gradients.
    chi_1 : ndarray
        q χ̂/m₂: growth of squared gradients a layer at the forward gain.
    error : ndarray
        Estimated relative error of ``chi_1``.
    """

    q: Real
    forward: Real
    backward: Real
    chi_1: Real
    error: Real


def trade_off(activation: Any, q: ArrayLike) -> TradeOff:
    """Return the forward and the backward gain at many q, in double precision.

    Parameters
    ----------
    activation : Activation
        Without symbolic parameters.
    q : array_like, shape (n,)
        Positive and finite.

    Returns
    -------
    TradeOff
        Errors are estimates; inf where a moment was not found finite.

    Examples
    --------
    >>> from initmath.activation import resolve
    >>> curves = trade_off(resolve("relu"), [0.5, 2.0])
    >>> bool(np.allclose(curves.forward, np.sqrt(2))), bool(np.allclose(curves.chi_1, 1))
    (True, True)
    """
    at = np.asarray(q, dtype=np.float64).ravel()
    if not (np.isfinite(at).all() and (at > 0).all()):
        raise InputError("q must be positive and finite")
    if activation.is_symbolic:
        raise InputError(f"{activation.name} has a symbolic parameter: give it a value")
    g, slope = activation.numpy(0), activation.numpy(1)
    found = curve(Family.of(lambda y: g(y) ** 2, lambda y: slope(y) ** 2), at, breaks(activation))
    second, steep = found.value
    with np.errstate(all="ignore"):
        forward, backward = np.sqrt(at / second), 1 / np.sqrt(steep)
        error = found.error[0] / second + found.error[1] / steep
        return TradeOff(at, forward, backward, at * steep / second, error)


def nearest(activation: Any) -> Nearest | None:
    """Look for the q at which the two gains differ least; None where that means nothing."""
    from scipy.optimize import minimize_scalar

    if activation.is_symbolic or (activation.expr is not None and no_edge(activation) is not None):
        return None
    grid = np.geomspace(LOW, HIGH, SAMPLES)
    with np.errstate(all="ignore"):
        gap = np.abs(np.log(trade_off(activation, grid).chi_1))
    if not np.isfinite(gap).any():
        return None
    best = int(np.argmin(np.where(np.isfinite(gap), gap, np.inf)))
    sides = np.log(grid[[max(best - 1, 0), min(best + 1, SAMPLES - 1)]])
    found = minimize_scalar(
        lambda t: float(abs(np.log(trade_off(activation, np.exp([t])).chi_1[0]))),
        bounds=(float(sides[0]), float(sides[1])),
        method="bounded",
        options={"xatol": 1e-9},
    )
    q = float(np.exp(found.x)) if found.fun < gap[best] else float(grid[best])
    ratio = float(np.log(trade_off(activation, [q]).chi_1[0]))
    return Nearest(q, ratio, LOW, HIGH, best in (0, SAMPLES - 1))
