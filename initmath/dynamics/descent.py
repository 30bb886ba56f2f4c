r"""Gradient descent on the matrices of a linear network, and how far it is from the exact flow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from initmath.dynamics.inputs import layers
from initmath.dynamics.modes import mode_strength
from initmath.errors import InputError
from initmath.sampling import orthogonal

__all__ = ["Descent", "Follow", "aligned_start", "descend", "follow", "gradients", "product"]

Real = NDArray[np.float64]


@dataclass(frozen=True)
class Descent:
    """Gradient descent on W_L ⋯ W₁ towards a target matrix.

    Attributes
    ----------
    step : ndarray of int, shape (n,)
        After how many steps the rest was recorded; the first is 0.
    loss : ndarray, shape (n,)
        ½ |T − W_L ⋯ W₁|².
    strength : ndarray, shape (n, k)
        u_α^T W_L ⋯ W₁ v_α for the singular vectors of the target, strongest first.
    weights : tuple of ndarray
        At the end, first layer first.
    """

    step: NDArray[np.int64]
    loss: Real
    strength: Real
    weights: tuple[Real, ...]


@dataclass(frozen=True)
class Follow:
    """Gradient descent beside the exact flow of the same start.

    Attributes
    ----------
    time : ndarray, shape (n,)
        Step × learning rate, in units of τ.
    strength : ndarray, shape (n, k)
        Of gradient descent.
    exact : ndarray, shape (n, k)
        u(t) of `mode_strength`.
    relative_error : float
        Largest |strength − exact|/exact: the error of the steps' finite length, of first order in the rate.
    """

    time: Real
    strength: Real
    exact: Real
    relative_error: float


def product(weights: Sequence[Real]) -> Real:
    """Return W_L ⋯ W₁ of (W₁, …, W_L); leading axes are a batch."""
    total = weights[0]
    for w in weights[1:]:
        total = w @ total
    return total


def gradients(weights: Sequence[Real], target: Real) -> tuple[list[Real], Real]:
    """Return ∂(loss)/∂W_l of every layer, and the error T − W_L ⋯ W₁.

    ∂/∂W_l ½|T − W_L⋯W₁|² = −(W_L⋯W_{l+1})ᵀ (T − W_L⋯W₁) (W_{l−1}⋯W₁)ᵀ.
    """
    below: list[Real] = [weights[0]]
    for w in weights[1:]:
        below.append(w @ below[-1])
    error = target - below[-1]
    slopes: list[Real] = []
    back = error
    for index in range(len(weights) - 1, -1, -1):
        slopes.append(-(back @ below[index - 1].swapaxes(-1, -2)) if index else -back)
        back = weights[index].swapaxes(-1, -2) @ back
    return slopes[::-1], error


def _matrix(target: ArrayLike) -> Real:
    try:
        matrix = np.asarray(target)
        if matrix.ndim == 2 and matrix.size and matrix.dtype.kind in "biuf" and np.all(np.isfinite(matrix)):
            return matrix.astype(np.float64)
    except ValueError:  # ragged
        pass
    raise InputError("the target and the weights must be matrices of finite real numbers")


def _rate(rate: Any) -> float:
    value = float(rate)
    if not (np.isfinite(value) and value > 0):
        raise InputError(f"the learning rate must be positive and finite, got {rate}")
    return value


def descend(
    weights: Sequence[ArrayLike], target: ArrayLike, rate: float, steps: int, every: int = 1
) -> Descent:
    """Run gradient descent on ½|T − W_L ⋯ W₁|²: whitened inputs, T the input-output correlation.

    Parameters
    ----------
    weights : sequence of ndarray
        W₁ (hidden, in), …, W_L (out, hidden).
    target : ndarray, shape (out, in)
    rate : float
        Step = rate × gradient; τ = 1/rate steps.
    steps : int
    every : int
        Record after so many steps.

    Returns
    -------
    Descent

    Raises
    ------
    InputError
        If the shapes do not fit, or the numbers overflow (the rate is too large).

    Examples
    --------
    >>> import numpy as np
    >>> found = descend([np.array([[0.1]]), np.array([[0.1]])], np.array([[2.0]]), 0.01, 1000, every=500)
    >>> found.strength[-1].round(6)
    array([2.])
    """
    goal = _matrix(target)
    now = [_matrix(w) for w in weights]
    sizes = [w.shape for w in now]
    fits = bool(now) and all(a[0] == b[1] for a, b in pairwise(sizes))
    if not fits or (sizes[-1][0], sizes[0][1]) != goal.shape:
        raise InputError(f"matrices of shapes {sizes} do not multiply to the target's shape {goal.shape}")
    if not (isinstance(steps, Integral) and isinstance(every, Integral) and steps >= 0 and every >= 1):
        raise InputError(f"steps and every must be integers, at least 0 and 1, got {steps} and {every}")
    speed = _rate(rate)
    left, _, right = np.linalg.svd(goal, full_matrices=False)
    step, loss, strength = [], [], []
    with np.errstate(over="ignore", invalid="ignore"):
        for index in range(steps + 1):
            slopes, error = gradients(now, goal)
            if index % every == 0 or index == steps:
                step.append(index)
                loss.append(0.5 * float(np.sum(error * error)))
                strength.append(np.einsum("ik,ij,kj->k", left, goal - error, right))
            if index < steps:
                now = [w - speed * slope for w, slope in zip(now, slopes, strict=True)]
    if not np.all(np.isfinite(loss)):
        raise InputError(f"gradient descent diverged at the learning rate {rate}: take a smaller one")
    return Descent(np.asarray(step), np.asarray(loss), np.asarray(strength), tuple(now))


def aligned_start(
    target: ArrayLike, strength: float, depth: int, width: int, rng: np.random.Generator
) -> tuple[Real, ...]:
    """Draw a balanced start that is aligned with the target's singular vectors.

    W_l = R_l A R_{l−1}ᵀ with random semi-orthogonal R₁, …, R_{L−1}; R₀ and R_L are the target's right and
    left singular vectors, and A = u₀^{1/L}: each layer gives every mode the same strength.

    Parameters
    ----------
    target : ndarray, shape (out, in)
    strength : float
        u₀ > 0 of every mode.
    depth : int
        Number of weight matrices.
    width : int
        Of the hidden layers, at least the number of modes min(out, in).
    rng : numpy.random.Generator

    Returns
    -------
    tuple of ndarray
        First layer first.
    """
    goal = _matrix(target)
    count, modes = layers(depth), min(goal.shape)
    if count > 1 and width < modes:
        raise InputError(f"the hidden layers need a width of at least the {modes} modes, got {width}")
    if not (np.isfinite(strength) and strength > 0):
        raise InputError(f"the initial strength must be positive and finite, got {strength}")
    left, _, right = np.linalg.svd(goal, full_matrices=False)
    frames = [right.T, *(np.asarray(orthogonal((width, modes), 1.0, rng)) for _ in range(count - 1)), left]
    each = strength ** (1 / count)
    return tuple(each * after @ before.T for before, after in pairwise(frames))


def follow(
    target: ArrayLike,
    strength: float,
    time: float,
    *,
    depth: int = 2,
    width: int = 16,
    rate: float = 1e-3,
    points: int = 20,
    rng: np.random.Generator,
) -> Follow:
    """Train a linear network by gradient descent from an aligned start, and compare with the exact curve.

    Parameters
    ----------
    target : ndarray, shape (out, in)
        Full rank.
    strength : float
        u₀ of every mode.
    time : float
        How long, in units of τ = 1/rate steps.
    depth, width
        As in `aligned_start`.
    rate : float
    points : int
        Where the two are compared.
    rng : numpy.random.Generator

    Returns
    -------
    Follow

    References
    ----------
    .. [1] Saxe, McClelland & Ganguli, 2014, arXiv:1312.6120 (analytical and simulated
       learning in one figure).

    Examples
    --------
    >>> import numpy as np
    >>> found = follow(np.diag([3.0, 1.0]), 0.01, 4.0, rng=np.random.default_rng(0))
    >>> found.relative_error < 0.01
    True
    """
    goal = _matrix(target)
    modes = np.linalg.svd(goal, compute_uv=False)
    if not modes[-1] > 1e-12 * modes[0]:
        raise InputError("the target must have full rank: a mode of strength 0 has no learning curve")
    steps = round(float(time) / _rate(rate))
    if steps < 1 or points < 1:
        raise InputError(f"the time must cover at least one step and one point, got {time} and {points}")
    start = aligned_start(goal, strength, depth, width, rng)
    run = descend(start, goal, rate, steps, every=max(1, steps // points))
    at = run.step.astype(np.float64) * float(rate)
    exact = np.array(
        [
            [float(mode_strength(t, s, strength, depth=depth)) for s in map(float, modes)]
            for t in map(float, at)
        ]
    )
    return Follow(at, run.strength, exact, float(np.max(np.abs(run.strength - exact) / exact)))
