r"""Gradient correlations of deep ReLU networks ("shattered gradients"): a model, and the network's own law.

Two inputs, one network with He's variance 2/N.  The gradients of an output with respect to the two inputs
have a correlation that falls with the depth L.  Per layer, with masks m = 1(x > 0) and m' of the two inputs
and W independent of them, the covariance of the gradients is multiplied by 2 P(m m' = 1) and the variance by
2 P(m = 1) = 1.

**The model** [1]_ takes half of the units active and a quarter co-active in every layer, as if the two
inputs were uncorrelated in every layer: 2·¼ = ½, so

- plain: 2^{−L};
- residual, x + βWρ(x): covariance 1 + β²/2, variance 1 + β², so ((1 + β²/2)/(1 + β²))^L, (3/4)^L at β = 1;
- residual with batch normalisation, x + βWρ(BN(x)): BN divides by the standard deviation √(1 + β²(l − 1))
  that the variance of the l − 1 branches below has made, so with b_l = β²/(1 + β²(l − 1)) and k = β⁻² the
  correlation is ∏ (1 + b_l/2)/(1 + b_l) = Γ(L + ½ + k) Γ(k) / (Γ(½ + k) Γ(L + k) (1 + β² L)), which falls
  like L^{−1/2}.

**The network.** In a ReLU network without normalisation the correlation of two inputs is no constant: with
θ = arccos c, q' = 2E ρ² = q and

.. math:: \cos\theta_{l+1} = \kappa_1(\theta_l) = \frac{\sin\theta_l + (\pi - \theta_l)\cos\theta_l}{\pi},
          \qquad 2 P(m m' = 1) = \kappa_0(\theta_l) = 1 - \frac{\theta_l}{\pi}

(the arc-cosine kernels, [2]_).  As θ → 0, 1 − cos θ' = 1 − cos θ − (sin θ − θ cos θ)/π gives
θ' = θ − θ²/(3π) + O(θ³), hence 1/θ' = 1/θ + 1/(3π) + O(θ) and θ_l ~ 3π/l, 1 − c_l ~ 9π²/(2 l²).  So

.. math:: \prod_{l<L} \Bigl(1 - \frac{\theta_l}{\pi}\Bigr) \sim \prod \Bigl(1 - \frac{3}{l}\Bigr) \sim
          C\,L^{-3}:

a power, not 2^{−L}.  (1/θ_l = l/(3π) + ln l/(2π) + O(1): the logarithm changes the constant C only, which
depends on θ₀.)  With a residual branch, q' = (1 + β²) q and c' = (c + β²κ₁)/(1 + β²), so θ' = θ − rθ²/(3π) +
O(θ³) with r = β²/(1 + β²), and each factor is (1 + β²κ₀)/(1 + β²) = 1 − rθ/π: θ_l ~ 3π/(r l), and the
correlation falls like L^{−3} *again*, for every β.  The residual network keeps more of it at a given depth,
but has no better power.

**Batch normalisation** makes the model's assumption true: subtracting the batch mean leaves the inputs of a
batch with average correlation −1/(B − 1).  For a large batch of inputs that are alike (each pair as
correlated as any other), every pair has c = 0 in every layer: half active, a quarter co-active, and the
plain network with batch normalisation has 2^{−L}.  But the branches that are added to a residual stream
share a mean, which BN then removes: of 2Eρ² = 1 only 1 − κ₁(π/2) = 1 − 1/π remains as variance over the
batch.  So in the network b_l = β²/(1 + β²(1 − 1/π)(l − 1)), and the correlation falls like L^{−π/(2(π − 1))}
= L^{−0.7335}, not L^{−1/2}.  (The statistics are held fixed in the backward pass; what goes through them is
of the order 1/B.)

References
----------
.. [1] Balduzzi et al., The shattered gradients problem, 2017, arXiv:1702.08591: the
   three rates; the derivations are written out above, for the recursions stated there.
.. [2] Cho & Saul, Kernel methods for deep learning, 2009.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import acos, asin, cos, pi, sin, sqrt

import numpy as np
from numpy.typing import NDArray

from initmath.architectures.inputs import count
from initmath.errors import InputError

__all__ = ["ARCHITECTURES", "GradientLaw", "angles", "gradient_law", "next_gap"]

Real = NDArray[np.float64]

ARCHITECTURES = ("plain", "residual", "batch_norm", "batch_norm_residual")

POWERS = {
    "plain": -3.0,
    "residual": -3.0,
    "batch_norm": None,
    "batch_norm_residual": -pi / (2 * (pi - 1)),
}
"""Of the network's own law; None: exponential."""

MODEL_POWERS = {"plain": None, "residual": None, "batch_norm": None, "batch_norm_residual": -0.5}

MOST_LAYERS = 10**6


@dataclass(frozen=True)
class GradientLaw:
    """Correlation of the gradients with respect to two inputs, as a function of depth.

    Attributes
    ----------
    architecture : str
        One of `ARCHITECTURES`.
    factors, model_factors : ndarray, shape (L,)
        What layer l = 1, …, L (from the input) multiplies the correlation by: in the network, in the model.
    correlation, model : ndarray, shape (L + 1,)
        At depths 0, …, L, to rounding.  Tiny values underflow to 0.
    power, model_power : float or None
        p of the asymptotic law L^p; None where it is exponential.
    assumption : str
        What the network's law rests on.
    """

    architecture: str
    factors: Real
    model_factors: Real
    correlation: Real
    model: Real
    power: float | None
    model_power: float | None
    assumption: str


_WIDE = "infinite width; two inputs of equal length"
_BATCH = (
    "infinite width, then an infinite batch in which every pair of inputs is equally correlated;"
    " the batch statistics held fixed in the backward pass"
)


def _drop(t: float) -> float:
    """(sin θ − θ cos θ)/π, without cancellation at small θ."""
    if t >= 0.5:
        return (sin(t) - t * cos(t)) / pi
    t2 = t * t
    # Σ_k (−1)^{k+1} 2k θ^{2k+1}/(2k + 1)!
    return t * t2 / 3 * (1 - t2 / 10 * (1 - t2 / 28 * (1 - t2 / 54 * (1 - t2 / 88 * (1 - t2 / 130))))) / pi


def next_gap(theta: float, share: float = 1.0) -> float:
    """1 − c of the next layer, from the angle θ = arccos c of this one.

    1 − c' = 1 − c − share × (sin θ − θ cos θ)/π, share = β²/(1 + β²) with a skip connection, 1 without.

    Examples
    --------
    >>> round(next_gap(pi / 2), 15) == round(1 - 1 / pi, 15)
    True
    """
    return 2 * sin(theta / 2) ** 2 - share * _drop(theta)


def angles(depth: int, correlation: float = 0.0, *, beta: float | None = None) -> Real:
    """Angles θ_l = arccos c_l between the signals of two inputs in layers 0, …, depth of a ReLU network.

    Parameters
    ----------
    depth : int
    correlation : float
        c₀ of the inputs.
    beta : float, optional
        Of a residual network; None: no skip connection.

    Returns
    -------
    ndarray, shape (depth + 1,)
        Accurate to a few roundings a layer, also where 1 − c would have no digits left.

    Examples
    --------
    >>> found = angles(100_000)
    >>> round(float(100_000 * found[-1] / (3 * pi)), 2)
    1.0
    """
    _checked(depth, beta)
    if not -1 <= correlation <= 1:
        raise InputError(f"a correlation lies between -1 and 1, got {correlation}")
    share = 1.0 if beta is None else float(_share(np.asarray(beta) ** 2))
    found = np.empty(depth + 1)
    theta = found[0] = acos(correlation)
    for layer in range(depth):
        theta = found[layer + 1] = 2 * asin(sqrt(min(max(next_gap(theta, share) / 2, 0.0), 1.0)))
    return found


def gradient_law(
    architecture: str, depth: int, *, correlation: float = 0.0, beta: float = 1.0
) -> GradientLaw:
    """Return the correlation of gradients against depth, in the paper's model and in the network.

    Parameters
    ----------
    architecture : str
        ``"plain"`` x → Wρ(x), ``"residual"`` x → x + βWρ(x), ``"batch_norm"`` x → Wρ(BN(x)),
        ``"batch_norm_residual"`` x → x + βWρ(BN(x)); ρ = ReLU, W of variance 2/N.
    depth : int
        Number of layers L.
    correlation : float
        c₀ of the two inputs; with batch normalisation pairs are taken to be uncorrelated after centring, and
        only 0 is accepted.
    beta : float
        Of the residual branch.

    Returns
    -------
    GradientLaw

    Examples
    --------
    >>> law = gradient_law("plain", 20)
    >>> float(law.model[20]) == 2.0**-20, round(float(law.correlation[20]), 5)
    (True, 0.00824)
    """
    if architecture not in ARCHITECTURES:
        raise InputError(f"the architecture must be one of {', '.join(ARCHITECTURES)}, got {architecture!r}")
    _checked(depth, beta)
    normalised, skips = architecture.startswith("batch_norm"), architecture.endswith("residual")
    if normalised and correlation != 0:
        raise InputError("with batch normalisation the pairs of a large, uniform batch have correlation 0")
    b = beta * beta if skips else np.inf
    below = np.arange(depth, dtype=np.float64)
    if normalised:
        kappa = np.full(depth, 0.5)
        strength = b / (1 + b * (1 - 1 / pi) * below) if skips else np.full(depth, np.inf)
        model_strength = b / (1 + b * below) if skips else np.full(depth, np.inf)
    else:
        kappa = 1 - angles(max(depth - 1, 0), correlation, beta=beta if skips else None)[:depth] / pi
        strength = model_strength = np.full(depth, b)
    factors, model_factors = _factor(strength, kappa), _factor(model_strength, np.full(depth, 0.5))
    return GradientLaw(
        architecture,
        factors,
        model_factors,
        _products(factors),
        _products(model_factors),
        POWERS[architecture],
        MODEL_POWERS[architecture],
        _BATCH if normalised else _WIDE,
    )


def _factor(strength: Real, kappa: Real) -> Real:
    """(1 + bκ)/(1 + b), κ where there is no skip connection (b = ∞)."""
    return np.asarray(1 - _share(strength) * (1 - kappa))


def _share(strength: Real) -> Real:
    """b/(1 + b), 1 at b = ∞."""
    large = strength > 1
    b = np.where(large, 1.0, strength)
    return np.where(large, 1 / (1 + 1 / np.where(large, strength, 1.0)), b / (1 + b))


def _products(factors: Real) -> Real:
    return np.concatenate([[1.0], np.cumprod(factors)])


def _checked(depth: int, beta: float | None) -> None:
    count(depth, "depth", 0, MOST_LAYERS)
    if beta is not None and not 1e-150 <= abs(beta) <= 1e150:
        raise InputError(f"|beta| must lie between 1e-150 and 1e150, got {beta}")
