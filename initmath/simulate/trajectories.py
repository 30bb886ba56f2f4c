"""What a simulation gives back."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from initmath.simulate.experiment import Experiment

__all__ = ["Trajectories"]

Floats: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True)
class Trajectories:
    r"""Layer statistics of R independent networks; index l − 1 is layer l = 1…L, sums run over its N neurons.

    Attributes
    ----------
    experiment : Experiment
    mean_y, second_y : ndarray, shape (R, L, B)
        (1/N) Σ y and (1/N) Σ y² of the pre-activations.
    mean_x, second_x, fourth_x : ndarray, shape (R, L, B)
        (1/N) Σ g(y), Σ g(y)², Σ g(y)⁴ (over N).
    input_mean, input_fourth : ndarray, shape (R, B), or None
        (1/N) Σ x₀ and (1/N) Σ x₀⁴ of the inputs that were drawn; None without weights, where layer 0 is its
        Gram matrix and nothing else.
    slope : ndarray, shape (R, L, B), or None
        (1/N) Σ g'(y)².
    gram_y, gram_x : ndarray, shape (R, L, B, B), or None
        (1/N) Σ yᵃ yᵇ, (1/N) Σ xᵃ xᵇ.
    distance_y : ndarray, shape (R, L, B, B), or None
        (1/N) Σ (yᵃ − yᵇ)², summed as such: for inputs that nearly coincide.
    gram_e, gram_delta : ndarray, shape (R, L, B, B), or None
        (1/N) eᵀe and (1/N) δᵀδ with e_l the gradient with respect to x_l and δ_l with respect to y_l, one
        column an input; e_L = u, the same for every input, |u|² = N.
    known_e : ndarray, shape (R, L, B), or None
        |QQᵀe_l|²/N, Q the span of the x_l of all inputs: the part (X⁺)ᵀHᵀδ of Wᵀδ that the forward pass
        fixes.  In the last layer all of |u|²/N.
    fresh_e : ndarray, shape (R, L, B), or None
        σ_w²|δ_{l+1}|²/N, the variance of a component of Wᵀδ outside that span; 0 in the last layer.
    rank : ndarray, shape (R, L), or None
        Dimension of that span; 0 in the last layer (where nothing is fresh).
    expected_delta, variance_delta : ndarray, shape (R, L, B), or None
        Exact conditional mean and variance of |δ_l|²/N given the forward pass and δ_{l+1}, for Gaussian
        weights; for others they hold to leading order in 1/N.
    sampling_seconds, product_seconds : float
        Processor time for drawing weights and for matrix products, summed over workers; 0 without weights.

    Notes
    -----
    For Gaussian weights, given the layers below, exactly: y_{l+1} of all inputs is N(0, σ_w²
    gram_x + σ_b²), and E[|e_l|²/N | forward, δ_{l+1}] = known_e + fresh_e (N − rank)/N.
    """

    experiment: Experiment
    mean_y: Floats
    second_y: Floats
    mean_x: Floats
    second_x: Floats
    fourth_x: Floats
    input_mean: Floats | None = None
    input_fourth: Floats | None = None
    slope: Floats | None = None
    gram_y: Floats | None = None
    gram_x: Floats | None = None
    distance_y: Floats | None = None
    gram_e: Floats | None = None
    gram_delta: Floats | None = None
    known_e: Floats | None = None
    fresh_e: Floats | None = None
    rank: Floats | None = None
    expected_delta: Floats | None = None
    variance_delta: Floats | None = None
    sampling_seconds: float = field(default=0.0, compare=False)
    product_seconds: float = field(default=0.0, compare=False)

    @property
    def method(self) -> str:
        """``"without_weights"`` or ``"explicit"``."""
        return self.experiment.route

    @property
    def gram_inputs(self) -> Floats:
        """K₀, shape (B, B): second moments of layer 0."""
        return self.experiment.inputs.matrix

    @property
    def conditional_q(self) -> Floats:
        """σ_w² (1/N) Σ x_{l−1}² + σ_b², shape (R, L, B): the variance of y_l given the layer below."""
        e = self.experiment
        first = np.broadcast_to(np.diagonal(e.inputs.matrix), (e.networks, 1, e.inputs.size))
        below = np.concatenate([first, self.second_x[:, :-1]], axis=1)
        return np.asarray(e.sigma_w2 * below + e.sigma_b2)

    @property
    def one_minus_correlation(self) -> Floats:
        """1 − Σ yᵃyᵇ/√(Σ yᵃ² Σ yᵇ²), shape (R, L, B, B), without cancellation; 0 where y vanishes."""
        if self.distance_y is None:
            raise ValueError("correlations were not recorded: pairs=True")
        length = np.sqrt(self.second_y)
        a, b = length[..., :, None], length[..., None, :]
        numerator = np.maximum(self.distance_y - (a - b) ** 2, 0)
        both = 2 * a * b
        return np.asarray(np.divide(numerator, both, out=np.zeros_like(both), where=both > 0))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Trajectories):
            return NotImplemented
        return self.experiment.describe() == other.experiment.describe() and all(
            _same(value, getattr(other, name)) for name, value in self.arrays.items()
        )

    __hash__ = None  # type: ignore[assignment]  # arrays have none

    @property
    def arrays(self) -> dict[str, Any]:
        """The arrays by name; None where not recorded."""
        skipped = ("experiment", "sampling_seconds", "product_seconds")
        return {name: value for name, value in vars(self).items() if name not in skipped}


def _same(a: Any, b: Any) -> bool:
    return a is b or (a is not None and b is not None and bool(np.array_equal(a, b)))
