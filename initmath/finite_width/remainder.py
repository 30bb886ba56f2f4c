r"""How far the first order in 1/N can be off where weights are not Gaussian: its next terms.

The Edgeworth series of E f(y) (Petrov 1975, ch. VI), with the heat equation E f^{(2k)} = 2ᵏ M^{(k)}, goes
on:

.. math:: E f(y) = M + \frac{κ_4}{6} M'' + \frac{κ_6}{90} M''' + \frac{κ_4^2}{72} M'''' + O(N^{-3}).

The two terms of order N⁻² are added in absolute value: they estimate, and do not bound, what a claim that
stops at κ₄ leaves out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from initmath.finite_width.law import ActivationLike, breaks
from initmath.quadrature.curve import Family, curve

__all__ = ["Higher", "higher_derivatives"]

Real = NDArray[np.float64]


@dataclass(frozen=True)
class Higher:
    """M''' and M'''' of E y², E g, E g², E g'², shape (4, n); inf where they were not found finite."""

    third: Real
    fourth: Real

    def remainder(self, combination: Real, kappa_4: Real, kappa_6: Real) -> Real:
        """Return the size of the second order, both terms added, for Σ_i c_i φ_i with c of shape (4, n)."""
        used = combination != 0
        with np.errstate(all="ignore"):
            third, fourth = (
                np.where(used, combination * part, 0).sum(axis=0) for part in (self.third, self.fourth)
            )
            size = np.abs(kappa_6 * third) / 90 + kappa_4**2 * np.abs(fourth) / 72
        return np.where(np.isnan(size), np.inf, size)


def higher_derivatives(activation: ActivationLike, q: ArrayLike) -> Higher:
    r"""Return the third and fourth derivative in q of a layer's moments.

    M^{(k)}(q) = E f He_{2k}(y/√q)/(2q)ᵏ, across kinks and jumps.

    Parameters
    ----------
    activation : ActivationLike
    q : array_like, shape (n,)
        Positive and finite.

    Examples
    --------
    E relu(y) = √(q/2π), whose third derivative at 1 is 3/8 of that and whose fourth is −15/16:

    >>> from initmath.activation import resolve
    >>> found = higher_derivatives(resolve("relu"), [1.0])
    >>> [round(float(v[1, 0]) * (2 * np.pi) ** 0.5, 9) for v in (found.third, found.fourth)]
    [0.375, -0.9375]
    """
    at = np.atleast_1d(np.asarray(q, dtype=np.float64)).ravel()
    g, slope = activation.numpy(0), activation.numpy(1)

    def features(y: NDArray[np.float64]) -> Real:
        value, s = np.asarray(g(y)), np.asarray(slope(y))
        return np.stack([value, value**2, s**2])

    def together(y: NDArray[np.float64]) -> Real:
        found = features(y)
        return np.concatenate([found * y**p for p in (0, 2, 4, 6, 8)])

    family = Family(together, lambda row, y: together(y)[row])
    with np.errstate(all="ignore"):
        f0, f2, f4, f6, f8 = curve(family, at, breaks(activation)).value.reshape(5, 3, -1)
        third = f6 / at**3 - 15 * f4 / at**2 + 45 * f2 / at - 15 * f0
        fourth = f8 / at**4 - 28 * f6 / at**3 + 210 * f4 / at**2 - 420 * f2 / at + 105 * f0
        third, fourth = third / (2 * at) ** 3, fourth / (2 * at) ** 4
    nothing = np.zeros((1, len(at)))
    return Higher(*(np.concatenate([nothing, _known(part)]) for part in (third, fourth)))


def _known(part: Real) -> Real:
    return np.where(np.isfinite(part), part, np.inf)
