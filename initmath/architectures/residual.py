r"""Residual networks x_{l+1} = x_l + α (W_l g(x_l) + b_l): lengths and gradients in the wide limit.

W_l has independent entries of variance σ_w²/N, or is σ_w times a random orthogonal matrix; b_l has variance
σ_b².  In the wide limit the coordinates of x_l are Gaussian with a variance q_l (a sum of independent
Gaussian branches).  W_l is independent of x_l and has mean 0, so nothing mixes:

.. math:: q_{l+1} = q_l + \alpha^2 (\sigma_w^2 E g^2 + \sigma_b^2), \qquad
          \frac{E|J^T v|^2_{l+1}}{E|J^T v|^2_l} = 1 + \varepsilon_l, \quad
          \varepsilon_l = \alpha^2 \sigma_w^2 E g'^2,

expectations over N(0, q_l).  So the mean squared singular value is m₁ = ∏(1 + ε_l), exactly in the wide
limit.

**Second moment.** With M = 1 + αWD, D = diag g'(x_l), the moments of M A Mᵀ for A = J Jᵀ are sums over
pairings of W; *if* D² and A were asymptotically free,

.. math::
    m_1 &\to (1 + \varepsilon) m_1, \\
    m_2 &\to (1 + \varepsilon)^2 m_2 + \bigl(2\varepsilon + \varepsilon^2 (\mu_2/\mu_1^2 - 1 - s_1)\bigr)
    m_1^2,

μ_k = E g'^{2k}, s₁ = −1 for Gaussian and 0 for orthogonal W.  *Derivation*, tr the normalised trace and
G = WD: in tr(A + α(GA + AGᵀ) + α² GAGᵀ)², odd numbers of W vanish; 2α² tr A GAGᵀ → 2ε m₁²; α² tr(GA + AGᵀ)² →
2ε m₂ (tr WXWY → 0 for real Gaussian and Haar W); α⁴ tr(GAGᵀ)² → α⁴σ_w⁴ [tr X² + (tr X)²] for Gaussian and
α⁴σ_w⁴ tr X² for orthogonal W, X = DAD, with tr X² = μ₂ m₁² + μ₁² (m₂ − m₁²) by freeness.  Hence the
relative variance of the squared singular values is the sum

.. math:: \frac{m_2}{m_1^2} - 1 = \sum_l \frac{2\varepsilon_l + \varepsilon_l^2 (\mu_2/\mu_1^2 - 1 - s_1)}
          {(1 + \varepsilon_l)^2}.

Without the skip connection (ε → ∞) each layer adds μ₂/μ₁² − 1 − s₁, Pennington's law.  With it the hypothesis
fails: coordinates persist, so D_l and A know each other.  This sum is therefore called ``free_spread``; the
network's own spread is larger, and `residual_spread` derives it.  The whole density is not known in closed
form: `sample_residual` simulates it.

**Depth scaling.** With α = c/√L the sums become integrals and everything stays finite as L → ∞
(`residual_limit`); α = c L^{−p} with p > ½ tends to the identity, and with p < ½ the gradient grows like
exp(c² σ_w² E g'² L^{1−2p}) as long as E g'² stays away from 0.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from initmath.activation import Activation
from initmath.architectures.inputs import count, differentiable
from initmath.errors import Divergent, InputError
from initmath.finite_width.law import breaks
from initmath.quadrature.curve import Family, curve

__all__ = ["WEIGHTS", "ResidualLimit", "ResidualPath", "depth_scaled", "residual_limit", "residual_path"]

Real = NDArray[np.float64]

WEIGHTS = ("gaussian", "orthogonal")
MOST_LAYERS = 100_000
LARGEST = 1e300


@dataclass(frozen=True)
class ResidualPath:
    """A residual network in the wide limit, layer by layer.

    Attributes
    ----------
    q : ndarray, shape (L + 1,)
        Variance of the coordinates of x₀, …, x_L.
    q_error : ndarray, shape (L + 1,)
        Quadrature errors, carried through the recursion to first order.
    epsilon : ndarray, shape (L,)
        α² σ_w² E g'² at x₀, …, x_{L−1}.
    gradient : ndarray, shape (L + 1,)
        Mean squared singular value m₁ of the Jacobian from x₀ to x_l.
    gradient_error : ndarray, shape (L + 1,)
        As ``q_error``.
    free_spread : ndarray, shape (L + 1,)
        m₂/m₁² − 1 if the layers were free; inf where E g'⁴ is infinite.
    """

    q: Real
    q_error: Real
    epsilon: Real
    gradient: Real
    gradient_error: Real
    free_spread: Real


@dataclass(frozen=True)
class ResidualLimit:
    """The limit L → ∞ of a residual network with α = c/√L.

    Attributes
    ----------
    q : float
        Output variance.
    gradient : float
        Mean squared singular value.
    free_spread : float
        m₂/m₁² − 1 = 2 log(gradient), if the layers were free.
    error : float
        Relative: the largest difference between two tolerances of the integrator.
    """

    q: float
    gradient: float
    free_spread: float
    error: float


def depth_scaled(c: float, depth: int, power: float = 0.5) -> float:
    """Return α = c L^{−power}.

    Examples
    --------
    >>> depth_scaled(1.0, 100)
    0.1
    """
    return float(c / np.power(float(count(depth, "depth")), power))


def _checked(alpha: float, sigma_w2: float, sigma_b2: float, q0: float) -> None:
    if not (np.isfinite(alpha) and np.isfinite(sigma_w2) and np.isfinite(sigma_b2) and np.isfinite(q0)):
        raise InputError("alpha, the weight and bias variances and q0 must be finite")
    if not (sigma_w2 > 0 and sigma_b2 >= 0 and q0 > 0):
        raise InputError(f"need sigma_w2 > 0, sigma_b2 >= 0 and q0 > 0, got {sigma_w2}, {sigma_b2} and {q0}")


def _moments(activation: Activation) -> Callable[[float], tuple[Real, Real]]:
    """Return q ↦ (E g², E g'², E g'⁴, dE g²/dq, dE g'²/dq) and error estimates.

    Slopes by the heat equation, dE f/dq = E f (y² − q)/(2q²): no derivative at a kink is needed.
    """
    differentiable(activation)
    g, slope, cuts = activation.numpy(0), activation.numpy(1), breaks(activation)
    family = Family.of(
        lambda y: g(y) ** 2,
        lambda y: slope(y) ** 2,
        lambda y: slope(y) ** 4,
        lambda y: (y * g(y)) ** 2,
        lambda y: (y * slope(y)) ** 2,
    )

    def at(q: float) -> tuple[Real, Real]:
        with np.errstate(all="ignore"):
            found = curve(family, [q], cuts)
            value, error = found.value[:, 0].copy(), found.error[:, 0].copy()
            if not np.all(np.isfinite(value[:2])):
                raise Divergent(f"E g^2 or E g'^2 of {activation.name} is not finite at q = {q:.6g}")
            value[3:] = (value[3:] - q * value[:2]) / (2 * q * q)
        return value, error

    return at


def residual_path(
    activation: Activation,
    depth: int,
    alpha: float,
    *,
    sigma_w2: float,
    sigma_b2: float = 0.0,
    q0: float = 1.0,
    weights: str = "gaussian",
) -> ResidualPath:
    """Follow lengths, gradients and the spread under freeness through the layers.

    Parameters
    ----------
    activation : Activation
        g, without jumps.
    depth : int
    alpha : float
        Factor of the branch.
    sigma_w2, sigma_b2 : float
        Variance of a weight times N; of a bias.
    q0 : float
        Variance of the input's coordinates, q₀ > 0.
    weights : {"gaussian", "orthogonal"}
        Matters for the spread only.

    Returns
    -------
    ResidualPath

    Raises
    ------
    InputError
        Also `Divergent`, if the length grows beyond the doubles or a moment is infinite.

    Examples
    --------
    >>> from initmath.activation import resolve
    >>> path = residual_path(resolve("relu"), 3, 1.0, sigma_w2=2.0)
    >>> path.q.round(12), path.gradient.round(12)
    (array([1., 2., 4., 8.]), array([1., 2., 4., 8.]))
    """
    _checked(alpha, sigma_w2, sigma_b2, q0)
    if weights not in WEIGHTS:
        raise InputError(f"weights must be one of {', '.join(WEIGHTS)}, got {weights!r}")
    depth = count(depth, "depth", most=MOST_LAYERS)
    moments, a2 = _moments(activation), alpha * alpha
    lost = 0.0 if weights == "gaussian" else 1.0  # 1 + s₁
    q, q_error = np.full(depth + 1, q0), np.zeros(depth + 1)
    gradient, gradient_error = np.ones(depth + 1), np.zeros(depth + 1)
    epsilon, spread = np.empty(depth), np.zeros(depth + 1)
    with np.errstate(over="ignore", invalid="ignore"):
        for i in range(depth):
            value, error = moments(float(q[i]))
            q[i + 1] = q[i] + a2 * (sigma_w2 * value[0] + sigma_b2)
            if not q[i + 1] < LARGEST:
                raise Divergent(
                    f"the length is beyond the doubles after {i + 1} layers: take a smaller alpha"
                )
            q_error[i + 1] = q_error[i] * abs(1 + a2 * sigma_w2 * value[3]) + a2 * sigma_w2 * error[0]
            e = epsilon[i] = a2 * sigma_w2 * value[1]
            off = a2 * sigma_w2 * (error[1] + abs(value[4]) * q_error[i])
            gradient[i + 1] = gradient[i] * (1 + e)
            gradient_error[i + 1] = gradient_error[i] * (1 + e) + gradient[i] * off
            part = e / (1 + e)
            ratio = value[2] / value[1] ** 2 if e > 0 else 0.0
            spread[i + 1] = spread[i] + 2 * part / (1 + e) + part * part * (ratio - lost)
    return ResidualPath(q, q_error, epsilon, gradient, gradient_error, spread)


def residual_limit(
    activation: Activation, c: float, *, sigma_w2: float, sigma_b2: float = 0.0, q0: float = 1.0
) -> ResidualLimit:
    r"""Return the limit of infinite depth at α = c/√L.

    .. math:: \frac{dq}{ds} = c^2 (\sigma_w^2 E g^2 + \sigma_b^2), \quad
              \frac{d \log m_1}{ds} = c^2 \sigma_w^2 E g'^2, \quad 0 \le s \le 1; \qquad
              \text{free spread} = 2 \log m_1.

    Gaussian and orthogonal weights have the same limit: ε² is of the order 1/L².

    Parameters
    ----------
    activation, sigma_w2, sigma_b2, q0
        As in `residual_path`.
    c : float

    Returns
    -------
    ResidualLimit

    Examples
    --------
    >>> from initmath.activation import resolve
    >>> found = residual_limit(resolve("relu"), 1.0, sigma_w2=2.0)  # e, e and 2
    >>> round(found.q, 8), round(found.gradient, 8), round(found.free_spread, 8)
    (2.71828183, 2.71828183, 2.0)
    """
    from scipy.integrate import solve_ivp

    _checked(c, sigma_w2, sigma_b2, q0)
    moments = _moments(activation)

    def rate(_: float, state: Real) -> list[float]:
        value, _errors = moments(float(np.exp(state[0])))
        length = float(np.exp(state[0]))
        return [c * c * (sigma_w2 * value[0] + sigma_b2) / length, c * c * sigma_w2 * value[1]]

    ends = []
    for tolerance in (1e-7, 1e-11):
        run = solve_ivp(rate, (0.0, 1.0), [np.log(q0), 0.0], "DOP853", rtol=tolerance, atol=tolerance)
        if not run.success:
            raise Divergent(f"the length grows beyond bounds: {run.message}")
        ends.append(run.y[:, -1])
    error = float(np.max(np.abs(ends[1] - ends[0]))) + 1e-11
    return ResidualLimit(float(np.exp(ends[1][0])), float(np.exp(ends[1][1])), float(2 * ends[1][1]), error)
