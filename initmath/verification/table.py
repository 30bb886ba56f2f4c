"""Layer by layer: what was predicted for this width, what was simulated, how far apart."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from initmath.finite_width import Chain, correlation_path, predictions
from initmath.verification.observations import Observations

__all__ = ["Check", "Series", "checks_of", "layer_series"]

Real = NDArray[np.float64]

SKEWED = 0.4
"""Skewness of a mean over networks from which its z-score is not reported: the mean cannot be estimated from
so few."""

FEW = 10
"""Networks below which the standard error is the predicted one."""

CONSTANT = 1e-9
"""Spread, relative to the value, of something that does not vary."""


@dataclass(frozen=True, slots=True)
class Check:
    """One quantity in one layer.

    Attributes
    ----------
    layer : int
        1 … L.
    quantity : str
        ``"q"`` (variance of the pre-activations, (1/N) Σ y²), ``"mean"``, ``"second_moment"`` and
        ``"variance"`` of the
        layer's output over its neurons, ``"correlation"`` of two inputs' pre-activations,
        ``"gradient_norm"``:
        |δ_l|²/|δ_{l+1}|², χ₁ in the limit.
    predicted : float or None
        Over networks of this width, finite-width shift included; the infinitely wide network's where that is
        not known.
    simulated, standard_error : float
        Mean over networks, and its standard error (of the sample; the predicted one below ten networks).
    z : float or None
        (simulated − predicted)/standard_error; None where no mean can be estimated from so few networks, or
        none is predicted.
    spread : float or None
        Predicted standard deviation between networks.
    """

    layer: int
    quantity: str
    predicted: float | None
    simulated: float
    standard_error: float
    z: float | None
    spread: float | None


@dataclass(frozen=True)
class Series:
    """One quantity over all layers.

    Attributes
    ----------
    quantity : str
    limit : ndarray, shape (L,)
        Of the infinitely wide network.
    predicted, spread : ndarray, shape (L,)
        Mean and standard deviation over networks of width N; NaN where not predicted.
    simulated, standard_error : ndarray, shape (L,)
    median : ndarray, shape (L,)
        Of the simulated networks: what remains where a mean cannot be estimated.
    estimable : ndarray of bool, shape (L,)
        Whether so few networks can estimate the mean.
    """

    quantity: str
    limit: Real
    predicted: Real
    spread: Real
    simulated: Real
    standard_error: Real
    median: Real
    estimable: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, np.bool_))


def layer_series(seen: Observations, chain: Chain, correlation: float | None) -> tuple[Series, ...]:
    """Predict and observe every quantity in every layer.

    Parameters
    ----------
    seen : Observations
    chain : Chain
        Of the claim.
    correlation : float or None
        Of the two inputs' pre-activations in layer 1, if there are two.
    """
    observed = {
        "q": seen.second_y[:, :, 0],
        "mean": seen.mean_x[:, 1:, 0],
        "second_moment": seen.second_x[:, 1:, 0],
        "variance": seen.second_x[:, 1:, 0] - seen.mean_x[:, 1:, 0] ** 2,
    }
    if seen.gradients is not None:
        observed["gradient_norm"] = _gradient_ratio(seen)
    found = []
    for each in predictions(chain):
        if each.quantity in observed:
            found.append(
                _series(
                    each.quantity, each.limit, each.mean, each.spread, each.skewness, observed[each.quantity]
                )
            )
    if seen.cross_y is not None and correlation is not None and not chain.weights.centred:
        with np.errstate(all="ignore"):
            c = seen.cross_y / np.sqrt(seen.second_y[:, :, 0] * seen.second_y[:, :, 1])
        path = correlation_path(
            chain.activation, chain.sigma_w2, chain.sigma_b2, chain.q, correlation, chain.depth, chain.width
        )
        known = chain.weights.gaussian and chain.offset == 0
        nothing = np.full(chain.depth, np.nan)
        mean, spread = (path.mean, path.spread) if known else (nothing, nothing)
        found.append(_series("correlation", path.limit, mean, spread, np.zeros(chain.depth), c))
    return tuple(found)


def _gradient_ratio(seen: Observations) -> Real:
    """|δ_l|²/|δ_{l+1}|² for l < L, NaN in the last layer."""
    assert seen.gradients is not None
    delta = seen.gradients.incoming
    ratio = np.full(delta.shape, np.nan)
    with np.errstate(all="ignore"):
        above = np.concatenate([delta[:, 1:], np.full((len(delta), 1), np.nan)], axis=1)
        ratio[:, :] = np.where((above > 0) & np.isfinite(above), delta / above, np.nan)
    return ratio


def _series(quantity: str, limit: Real, mean: Real, spread: Real, skewness: Real, observed: Real) -> Series:
    networks = len(observed)
    seen = np.isfinite(observed)
    count = seen.sum(axis=0)
    with np.errstate(all="ignore"):
        average = np.where(count > 0, np.where(seen, observed, 0).sum(axis=0) / count, np.nan)
        squares = (np.where(seen, observed - average, 0) ** 2).sum(axis=0)
        error = np.sqrt(squares / np.maximum(count - 1, 1) / np.maximum(count, 1))
        # so few networks do not know their own spread
        predicted = spread / np.sqrt(np.maximum(count, 1))
        error = np.where((count < FEW) & np.isfinite(predicted), predicted, error)
        error = np.where(count > 1, error, predicted)
        median = np.array(
            [
                np.median(column[ok]) if ok.any() else np.nan
                for column, ok in zip(observed.T, seen.T, strict=True)
            ]
        )
    estimable = np.isfinite(mean) & (np.abs(skewness) <= SKEWED * np.sqrt(networks)) & (count == networks)
    return Series(quantity, limit, mean, spread, average, error, median, estimable)


def checks_of(series: tuple[Series, ...]) -> tuple[Check, ...]:
    """Turn the series into rows, one a layer and quantity; layers where nothing was observed are left out."""
    rows = []
    depth = max((len(s.limit) for s in series), default=0)
    for layer in range(depth):
        for s in series:
            if not np.isfinite(s.simulated[layer]):
                continue
            predicted = s.predicted[layer] if np.isfinite(s.predicted[layer]) else s.limit[layer]
            if abs(predicted) < 1e-12 * s.spread[layer]:
                predicted = 0.0  # what is left of a cancellation
            rows.append(
                Check(
                    layer + 1,
                    s.quantity,
                    None if np.isnan(predicted) else float(predicted),
                    float(s.simulated[layer]),
                    float(s.standard_error[layer]) if np.isfinite(s.standard_error[layer]) else 0.0,
                    _z(s, layer),
                    float(s.spread[layer]) if np.isfinite(s.spread[layer]) else None,
                )
            )
    return tuple(rows)


def _z(s: Series, layer: int) -> float | None:
    if not s.estimable[layer]:
        return None
    gap, error = float(s.simulated[layer] - s.predicted[layer]), float(s.standard_error[layer])
    scale = abs(float(s.predicted[layer])) + abs(float(s.simulated[layer]))
    if error <= CONSTANT * scale:  # no spread: equal or not, nothing to divide by
        return 0.0 if abs(gap) <= 1e3 * CONSTANT * scale else float(np.copysign(np.inf, gap))
    return gap / error
