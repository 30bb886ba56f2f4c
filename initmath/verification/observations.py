"""What is observed of simulated networks: averages over neurons, layer by layer, one row a network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from initmath.simulate import Trajectories

__all__ = ["Gradients", "Observations", "observe"]

Real = NDArray[np.float64]


@dataclass(frozen=True)
class Gradients:
    """Backward pass of the first input, shape (R, L) each.

    Column l = 0, 1, … belongs to W_{l+1}, from x_l to y_{l+1}; NaN where nothing was sent through.

    Attributes
    ----------
    incoming : ndarray
        |δ|², δ = ∂/∂y of the layer.
    outgoing : ndarray
        |Wᵀδ|², the squared gradient with respect to the layer's input.
    explained : ndarray
        |(X⁺)ᵀHᵀδ|²: the part of ``outgoing`` that the forward pass has already decided (THEORY §4).
    freedom : ndarray
        N − rank X: in how many directions the rest is fresh.
    """

    incoming: Real
    outgoing: Real
    explained: Real
    freedom: Real


@dataclass(frozen=True)
class Observations:
    """R networks of depth L and width N, with one or two inputs.

    Attributes
    ----------
    width : int
        N.
    second_x, mean_x : ndarray, shape (R, L + 1, B)
        (1/N) Σ x² and (1/N) Σ x; entry 0 of the layers is the network's input (its mean may be NaN, unknown;
        only centred weights see it).
    cross_x : ndarray, shape (R, L + 1), or None
        (1/N) Σ x₁ x₂.
    fourth_x : ndarray, shape (R, L + 1) or None
        (1/N) Σ x⁴ of the first input; needed where weights are not Gaussian.
    second_y : ndarray, shape (R, L, B)
        (1/N) Σ y².
    cross_y : ndarray, shape (R, L), or None
    derivative : ndarray, shape (R, L), or None
        (1/N) Σ g'(y)² of the first input.
    gradients : Gradients or None
    """

    width: int
    second_x: Real
    mean_x: Real
    second_y: Real
    cross_x: Real | None = None
    cross_y: Real | None = None
    fourth_x: Real | None = None
    derivative: Real | None = None
    gradients: Gradients | None = None

    @property
    def networks(self) -> int:
        """R."""
        return int(self.second_y.shape[0])

    @property
    def depth(self) -> int:
        """L."""
        return int(self.second_y.shape[1])


def observe(found: Trajectories) -> Observations:
    """Take from a simulation what is judged.

    Without weights, layer 0 is its Gram matrix and nothing else: its mean and its fourth moment, which only
    weights that are not Gaussian see, are NaN then.
    """
    e = found.experiment
    start = np.diagonal(e.inputs.matrix)
    zeroth = np.broadcast_to(start, (e.networks, 1, len(start)))
    unknown = np.full((e.networks, len(start)), np.nan)
    mean = unknown if found.input_mean is None else found.input_mean
    fourth = unknown if found.input_fourth is None else found.input_fourth
    two = len(start) > 1 and found.gram_x is not None and found.gram_y is not None
    cross_x = cross_y = None
    if two:
        assert found.gram_x is not None and found.gram_y is not None
        first = np.full((e.networks, 1), e.inputs.matrix[0, 1])
        cross_x = np.concatenate([first, found.gram_x[:, :, 0, 1]], axis=1)
        cross_y = found.gram_y[:, :, 0, 1]
    return Observations(
        width=e.width,
        second_x=np.concatenate([zeroth, found.second_x], axis=1),
        mean_x=np.concatenate([mean[:, None], found.mean_x], axis=1),
        second_y=found.second_y,
        cross_x=cross_x,
        cross_y=cross_y,
        fourth_x=np.concatenate([fourth[:, :1], found.fourth_x[:, :, 0]], axis=1),
        derivative=None if found.slope is None else found.slope[:, :, 0],
        gradients=_gradients(found),
    )


def _gradients(found: Trajectories) -> Gradients | None:
    """Column l of the backward pass: from δ_{l+1} to e_l; nothing is sent back into layer 0."""
    if found.gram_e is None or found.gram_delta is None or found.known_e is None or found.rank is None:
        return None
    n = found.experiment.width
    nothing = np.full((found.experiment.networks, 1), np.nan)

    def shifted(values: Real) -> Real:
        return np.concatenate([nothing, values[:, :-1]], axis=1)

    incoming = found.gram_delta[:, :, 0, 0] * n
    outgoing, explained = shifted(found.gram_e[:, :, 0, 0] * n), shifted(found.known_e[:, :, 0] * n)
    return Gradients(incoming, outgoing, explained, shifted(n - found.rank))
