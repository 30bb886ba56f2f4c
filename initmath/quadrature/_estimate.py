"""E f(√q z) and the moments of an activation, as doubles with error estimates."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from initmath.errors import InputError
from initmath.quadrature._adaptive import Sums, integrate

__all__ = ["Estimate", "Moments", "expectation", "moments"]


@dataclass(frozen=True)
class Estimate:
    """Values and error estimates, in the shape of q.

    Attributes
    ----------
    value : ndarray of float64
        inf where no finite answer was found: the integral diverges, does not fit a double, or f is not
        finite.
    error : ndarray of float64
        Estimated to be at least |value − true|; inf where ``value`` is.  It is an estimate, not a proof:
        what f does between the nodes is inferred from how fast its Legendre coefficients fall.
    """

    value: NDArray[np.float64]
    error: NDArray[np.float64]


@dataclass(frozen=True)
class Moments:
    """The Gaussian moments of an activation g at each q.

    Attributes
    ----------
    mean : Estimate
        m₁ = E g(√q z).
    second_moment : Estimate
        m₂ = E g(√q z)².
    variance : Estimate
        E (g(√q z) − m₁)², computed centred, so that no digits cancel.
    derivative_second_moment : Estimate
        χ̂ = E g'(√q z)², the almost-everywhere part.
    """

    mean: Estimate
    second_moment: Estimate
    variance: Estimate
    derivative_second_moment: Estimate


def expectation(fn: Callable[[Any], Any], q: ArrayLike, breakpoints: Sequence[float] = ()) -> Estimate:
    r"""Gaussian expectation of a vectorised function for many variances at once.

    .. math:: E f(\sqrt q z) = \frac{1}{\sqrt{2\pi q}} \int f(x) e^{-x^2/2q} \, dx

    Composite Gauss-Legendre in x, 32 nodes a panel, panels short around 0 and cut at the breakpoints,
    bisected until the Legendre coefficients of the integrand have fallen to rounding; all q are done
    together.

    Parameters
    ----------
    fn : callable
        Takes an ndarray, returns one of the same shape.  Where it overflows a double it is tried in
        longdouble.
    q : array_like
        Pre-activation variances, finite and > 0.
    breakpoints : sequence of float
        Where fn or a derivative of it jumps.  Unknown ones are found by bisection, at a price.

    Returns
    -------
    Estimate
        ``error`` covers truncation, the neglected tail and the rounding of the sum, with fn taken to be
        right to 2 ulp.

    Raises
    ------
    InputError
        If a q is not positive and finite, or a breakpoint is not finite.

    Notes
    -----
    A feature that falls between all the nodes (a spike of width 1e-3 far from 0) can be missed by any rule
    that only samples: name it as a breakpoint.

    Examples
    --------
    >>> import numpy as np
    >>> result = expectation(lambda x: np.maximum(x, 0) ** 2, [0.5, 2.0], breakpoints=[0.0])
    >>> bool(np.all(np.abs(result.value - [0.25, 1.0]) <= result.error))
    True
    >>> bool(np.all(result.error < 1e-14))
    True
    """
    flat, shape = _variances(q)
    cuts = _cuts(breakpoints)
    return _estimate(integrate(lambda x, _: fn(x), flat, cuts), shape)


def moments(activation: Any, q: ArrayLike) -> Moments:
    """Mean, second moment, centred variance and E g'² of an activation.

    Parameters
    ----------
    activation : Activation
        Its breakpoints cut the panels; a callable that could not be traced has none that are known.
    q : array_like
        Pre-activation variances, finite and > 0.

    Returns
    -------
    Moments
        `Estimate` each, in the shape of q.
    """
    flat, shape = _variances(q)
    cuts = _cuts(_breakpoints(activation))
    g, slope = activation.numpy(0), activation.numpy(1)
    first, second, centred = _central(g, flat, cuts)
    steepness = integrate(lambda x, _: slope(x) ** 2, flat, cuts)
    return Moments(*(_estimate(s, shape) for s in (first, second, centred, steepness)))


def _central(
    g: Callable[[Any], Any], q: NDArray[np.float64], cuts: NDArray[np.float64]
) -> tuple[Sums, Sums, Sums]:
    """E g, E g² and E (g − m₁)²; the error δ of m₁ adds δ² to the last."""
    first = integrate(lambda x, _: g(x), q, cuts)
    second = integrate(lambda x, _: g(x) ** 2, q, cuts)
    mean = np.where(np.isfinite(first.error), first.value, 0)
    with np.errstate(all="ignore"):
        m2 = np.where(np.isfinite(second.error), second.value, 0)
        spread = np.maximum(m2 - mean * mean, 0)
        # g − m₁ carries the rounding of g: 2 E |g − m₁| |g| u ≤ 2 u √(m₂ Var)
        noise = (2.0**-52) * np.sqrt(m2) * np.sqrt(spread)
        centre = mean.astype(np.float64)

    def squared(x: Any, owner: NDArray[np.intp]) -> Any:
        d = g(x) - centre[owner]
        return d * d

    third = integrate(squared, q, cuts, noise)
    with np.errstate(all="ignore"):
        shift = np.abs(first.value - centre) + first.error
        error = third.error + np.where(np.isfinite(shift), shift**2, 0)
    lost = ~np.isfinite(first.error) | ~np.isfinite(second.error)
    inf = np.longdouble(np.inf)
    return (
        first,
        second,
        Sums(
            np.where(lost, inf, third.value), np.where(lost, inf, third.absolute), np.where(lost, inf, error)
        ),
    )


def _variances(q: ArrayLike) -> tuple[NDArray[np.float64], tuple[int, ...]]:
    values = np.asarray(q, dtype=np.float64)
    if not np.all(np.isfinite(values) & (values > 0)):
        raise InputError("the pre-activation variance q must be positive and finite")
    return values.ravel(), values.shape


def _breakpoints(activation: Any) -> list[float]:
    """Every end of an analytic piece, where only a higher derivative jumps too."""
    if activation.expr is None:
        return []
    points = activation.pieces.breakpoints
    if activation.is_symbolic or any(point.free_symbols for point in points):
        raise InputError(f"{activation.name} has symbolic parameters: a number needs their values")
    return [float(point.evalf(25)) for point in points]


def _cuts(breakpoints: Sequence[float]) -> NDArray[np.float64]:
    cuts = np.asarray(list(breakpoints), dtype=np.float64).ravel()
    if not np.all(np.isfinite(cuts)):
        raise InputError("breakpoints must be finite numbers")
    return cuts


def _estimate(sums: Sums, shape: tuple[int, ...]) -> Estimate:
    """To doubles; what does not fit one is inf with error inf."""
    with np.errstate(all="ignore"):
        value = sums.value.astype(np.float64)
        error = sums.error.astype(np.float64) + np.spacing(np.abs(value))
    lost = ~np.isfinite(value) | ~np.isfinite(error)
    value = np.where(lost, np.inf, value)
    error = np.where(lost, np.inf, error)
    return Estimate(value.reshape(shape), error.reshape(shape))
