r"""What laws of the weights that are not Gaussian change in a layer, to first order in 1/N.

Given the layer's input x, the pre-activation y_i = Σ_j W_ij x_j + b_i is only nearly Gaussian.  Its variance
is exactly q = σ_w² (1/N) Σ x² + σ_b², its fourth cumulant κ₄ is of order 1/N, and

.. math:: E f(y) = M(q) + \tfrac{1}{24} κ_4\, E f''''(\sqrt q z) + … = M(q) + \tfrac{1}{6} κ_4 M''(q) +
O(N^{-2}),

because M'' = ¼ E f'''' (heat equation).

- Independent entries with excess kurtosis κ_W (uniform −6/5): κ₄ = κ_W σ_w⁴ (1/N²) Σ x⁴.
- Orthogonal W: the vector Wx is uniform on a sphere of radius √(N q_h), q_h = σ_w² (1/N) Σ x²; one coordinate
  has κ₄ = −6 q_h²/(N + 2), and because (1/N) Σ (Wx)² does not fluctuate, the covariance of two averages loses
  2 q_h² M_φ' M_ψ'/N.
- Rows with sum 0 and length σ_w (weight standardisation): rows are independent, each uniform on a sphere in N
  − 1 dimensions, so q_h = σ_w² N/(N − 1) · (variance of x) and κ₄ = −6 q_h²/(N + 1).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import erf, exp, pi, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from initmath.errors import InputError
from initmath.finite_width.law import LayerLaw
from initmath.sampling import TRUNCATION, truncated_normal_kurtosis

__all__ = ["GAUSSIAN", "LAWS", "WeightLaw", "weight_law"]

Real = NDArray[np.float64]


@dataclass(frozen=True)
class WeightLaw:
    """A law of weights, as far as first order in 1/N sees it.

    Attributes
    ----------
    name : str
    gaussian : bool
        Entries are Gaussian: the conditional laws are exact.
    excess_kurtosis : float or None
        κ_W of independent entries; None where entries are not independent.
    sixth : float or None
        Sixth cumulant of independent entries of variance 1, for what comes after the first order.
    conserves_length : bool
        |Wx|² = σ_w² |x|² exactly.
    centred : bool
        W does not see the mean of x.
    """

    name: str
    gaussian: bool = False
    excess_kurtosis: float | None = None
    sixth: float | None = None
    conserves_length: bool = False
    centred: bool = False

    def variance_of_sum(self, sigma_w2: float, second: Any, mean: Any, width: int) -> Any:
        """q_h: the variance of Σ_j W_ij x_j given x."""
        if self.centred:
            return sigma_w2 * width / (width - 1) * (second - mean * mean)
        return sigma_w2 * second

    def fourth_cumulant(self, sigma_w2: float, q_h: Any, fourth_x: Any, width: int) -> Any:
        """κ₄ of a pre-activation given x."""
        if self.gaussian:
            return np.zeros_like(q_h)
        if self.conserves_length:
            return -6 * q_h**2 / (width + 2)
        if self.centred:
            return -6 * q_h**2 / (width + 1)
        assert self.excess_kurtosis is not None
        return self.excess_kurtosis * sigma_w2**2 * fourth_x / width

    def sixth_cumulant(self, sigma_w2: float, q_h: Any, fourth_x: Any, width: int) -> Any:
        r"""Bound \|κ₆\| of a pre-activation given x, of order 1/N².

        On a sphere in n dimensions it is 240 q_h³/((n + 2)(n + 4)) exactly.  Of independent entries it is
        κ₆(W) σ_w⁶ (1/N³) Σ x⁶, and Σ x⁶ ≤ (Σ x⁴)^{3/2}.

        Examples
        --------
        >>> float(weight_law("orthogonal").sixth_cumulant(1.0, 1.0, 3.0, 6))
        3.0
        """
        if self.gaussian:
            return np.zeros_like(q_h)
        if self.conserves_length or self.centred:
            n = width - self.centred
            return 240 * q_h**3 / ((n + 2) * (n + 4))
        assert self.sixth is not None
        return abs(self.sixth) * (sigma_w2**2 * fourth_x / width) ** 1.5

    def expected_fourth_cumulant(self, sigma_w2: float, q_h: Any, law: LayerLaw, width: int) -> Any:
        """Return κ₄ of a layer whose input comes from a layer like itself."""
        return self.fourth_cumulant(sigma_w2, q_h, law.covariance[2, 2] + law.mean[2] ** 2, width)


def _truncated_sixth(bound: float = TRUNCATION) -> float:
    """κ₆ = E z⁶ − 15 E z⁴ + 30 of a normal cut at ±bound, at unit variance; E zᵏ by parts, from k − 2."""
    rate = 2 * exp(-bound * bound / 2) / sqrt(2 * pi) / erf(bound / sqrt(2))
    second = 1 - bound * rate
    fourth = 3 * second - bound**3 * rate
    sixth = 5 * fourth - bound**5 * rate
    return sixth / second**3 - 15 * fourth / second**2 + 30


GAUSSIAN = WeightLaw("gaussian", gaussian=True, excess_kurtosis=0.0, sixth=0.0)

LAWS = {
    law.name: law
    for law in (
        GAUSSIAN,
        WeightLaw("uniform", excess_kurtosis=-1.2, sixth=48 / 7),
        WeightLaw(
            "truncated_normal",
            excess_kurtosis=float(truncated_normal_kurtosis()) - 3.0,
            sixth=_truncated_sixth(),
        ),
        WeightLaw("orthogonal", conserves_length=True),
        WeightLaw("weight_standardised", centred=True),
    )
}
"""The laws by name."""


def weight_law(name: str) -> WeightLaw:
    """Return a law by its name.

    Examples
    --------
    >>> weight_law("uniform").excess_kurtosis
    -1.2
    """
    if name not in LAWS:
        raise InputError(f"weights {name!r}: choose one of {', '.join(LAWS)}")
    return LAWS[name]
