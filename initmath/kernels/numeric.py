"""Two-point kernels in doubles for arrays of variances and correlations, accurate as c → 1."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from initmath.activation import Activation, resolve
from initmath.errors import Divergent, InputError
from initmath.kernels.closed import closed_family
from initmath.kernels.pairs import cuts_of, pair_values
from initmath.lock import one_at_a_time
from initmath.quadrature import expectation

__all__ = ["Kernels", "kernels"]

Real = NDArray[np.float64]

_EPS = float(np.finfo(np.float64).eps)


@dataclass(frozen=True)
class Kernels:
    """Kernels of many pairs, in the joint shape of q₁, q₂ and c.

    Attributes
    ----------
    kernel, kernel_error : ndarray
        k = E g(y₁) g(y₂) and an estimate of its error.
    defect, defect_error : ndarray
        √(m₂(q₁) m₂(q₂)) − k ≥ 0; for q₁ = q₂ this is m₂ − k, without cancellation as c → 1.
    derivative_kernel, derivative_kernel_error : ndarray
        E g'(y₁) g'(y₂), the almost-everywhere part; inf where it was not found finite.
    method : str
        ``"closed form"`` or ``"quadrature"``.
    """

    kernel: Real
    kernel_error: Real
    defect: Real
    defect_error: Real
    derivative_kernel: Real
    derivative_kernel_error: Real
    method: str


@one_at_a_time
def kernels(
    act: Any, q1: ArrayLike, q2: ArrayLike, c: ArrayLike | None = None, *, gap: ArrayLike | None = None
) -> Kernels:
    r"""Two-point kernels E g(y₁) g(y₂) and E g'(y₁) g'(y₂), Var y_i = q_i, corr(y₁, y₂) = c.

    Parameters
    ----------
    act : Activation, name, expression or callable
    q1, q2 : array_like
        Pre-activation variances, finite and > 0.
    c : array_like, optional
        Correlation, −1 ≤ c ≤ 1.
    gap : array_like, optional
        1 − c in [0, 2], given instead of c where that is closer to 1 than a double can say.

    Returns
    -------
    Kernels

    Raises
    ------
    Divergent
        If E g² is infinite at one of the variances.
    InputError
        If an argument is out of range, or both or neither of c and gap are given.

    References
    ----------
    .. [1] R. Price, A useful theorem for nonlinear devices having Gaussian inputs, 1958 (∂k/∂p is the
    derivative kernel).

    Examples
    --------
    >>> found = kernels("tanh", 1.0, 1.0, gap=[1e-12, 0.0])
    >>> bool(abs(found.defect[0] / found.derivative_kernel[0] / 1e-12 - 1) < 1e-9), float(found.defect[1])
    (True, 0.0)
    """
    activation = resolve(act)
    first, second, apart = _arguments(q1, q2, c, gap)
    shape = first.shape
    a, b, d = first.ravel(), second.ravel(), apart.ravel()
    family = closed_family(activation)
    moments = _second_moments(activation, family, a, b)
    scale = np.sqrt(moments[0]) * np.sqrt(moments[1])
    if family is not None:
        drop, slope = family.drop(np.sqrt(a), np.sqrt(b), d)
        kernel = family.parallel(a, b) - drop
        unequal = a != b
        lost = np.where(unequal, np.maximum(scale - family.parallel(a, b), 0.0), 0.0)
        size = np.sqrt(family.slope_moment(a)) * np.sqrt(family.slope_moment(b))
        found = (kernel, 16 * _EPS * scale, drop + lost, 16 * _EPS * np.where(unequal, scale, drop),
                 slope, 32 * _EPS * size)  # fmt: skip
        return _shaped(shape, found, "closed form")
    values = pair_values(activation, a, b, d)
    lengths = 0.5 * (np.sqrt(moments[0]) - np.sqrt(moments[1])) ** 2
    rounding = 4 * _EPS * np.sqrt(2 * lengths * scale)
    # y₁ − y₂ is itself rounded: to ε√q, beside √(2q(1 − c))
    differing = values.half_distance * np.minimum(1.0, 4 * _EPS / np.sqrt(np.maximum(d, 1e-300)))
    defect = np.maximum(values.half_distance - lengths, 0.0)
    found = (values.kernel, values.error[0], defect, values.error[1] + rounding + differing,
             values.derivative_kernel, values.error[2])  # fmt: skip
    return _shaped(shape, found, "quadrature")


def _shaped(shape: tuple[int, ...], found: tuple[Real, Real, Real, Real, Real, Real], method: str) -> Kernels:
    k, k_error, defect, defect_error, slope, slope_error = (part.reshape(shape) for part in found)
    return Kernels(k, k_error, defect, defect_error, slope, slope_error, method)


def _arguments(q1: Any, q2: Any, c: Any, gap: Any) -> tuple[Real, Real, Real]:
    if (c is None) == (gap is None):
        raise InputError("give the correlation c or gap = 1 - c, one of the two")
    try:
        given = [np.asarray(v, dtype=np.float64) for v in (q1, q2, c if gap is None else gap)]
        first, second, third = np.broadcast_arrays(*given)
    except (TypeError, ValueError):
        raise InputError(
            "q1, q2 and the correlation must be numbers or arrays of compatible shapes"
        ) from None
    if not (np.all(np.isfinite(first) & (first > 0)) and np.all(np.isfinite(second) & (second > 0))):
        raise InputError("the pre-activation variances q1 and q2 must be positive and finite")
    apart = 1 - third if gap is None else third
    if not np.all((apart >= 0) & (apart <= 2)):
        raise InputError("a correlation lies between -1 and 1, gap = 1 - c between 0 and 2")
    return first, second, apart


def _second_moments(activation: Activation, family: Any, a: Real, b: Real) -> tuple[Real, Real]:
    if family is not None:
        return family.second_moment(a), family.second_moment(b)
    g = activation.numpy(0)
    distinct, where = np.unique(np.concatenate([a, b]), return_inverse=True)
    if not distinct.size:
        return a, b
    found = expectation(lambda y: g(y) ** 2, distinct, cuts_of(activation)).value
    if not np.isfinite(found).all():
        raise Divergent(f"E g^2 of {activation.name} is infinite or was not found at one of the variances")
    both = found[where]
    return both[: len(a)], both[len(a) :]
