r"""Closed kernels in doubles, written in 1 − c so that nothing cancels where two inputs become one.

Every family gives the *drop* k(q₁, q₂, 1) − k(q₁, q₂, c) and the derivative kernel.  A family is recognised
by the form of g, whatever its name.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from sympy import Poly, Symbol, erf, sqrt

from initmath.activation import Activation
from initmath.integral import Phi, x

__all__ = ["Family", "GaussianErf", "Homogeneous", "LinearErf", "closed_family"]

Real = NDArray[np.float64]
_SERIES = (1 / 3, -1 / 30, 1 / 840, -1 / 45360, 1 / 3991680, -1 / 518918400, 1 / 93405312000)


class Family(Protocol):
    """Kernels of one activation; all arrays broadcast."""

    def second_moment(self, q: Real) -> Real:
        """Return m₂(q) = E g(√q z)²."""

    def slope_moment(self, q: Real) -> Real:
        """Return χ̂(q) = E g'(√q z)²."""

    def parallel(self, q1: Real, q2: Real) -> Real:
        """Return k(q₁, q₂, 1) = E g(√q₁ z) g(√q₂ z)."""

    def drop(self, s1: Real, s2: Real, gap: Real) -> tuple[Real, Real]:
        """Return k(q₁, q₂, 1) − k(q₁, q₂, c), and E g'(y₁) g'(y₂), from s = √q and gap = 1 − c."""


@dataclass(frozen=True)
class Homogeneous:
    r"""g(x) = λ x + δ |x|: the arc-cosine kernel of degree 1.

    With θ = arccos c,  k = √(q₁q₂) [(λ² + δ²) c + (2δ²/π)(sin θ − θ cos θ)].

    References
    ----------
    .. [1] Y. Cho, L. Saul, Kernel methods for deep learning, 2009, eq. (6).
    """

    odd: float
    even: float

    def second_moment(self, q: Real) -> Real:
        """Return m₂(q)."""
        return (self.odd**2 + self.even**2) * q

    def slope_moment(self, q: Real) -> Real:
        """Return χ̂(q)."""
        return (self.odd**2 + self.even**2) * np.ones_like(q)

    def parallel(self, q1: Real, q2: Real) -> Real:
        """Return k(q₁, q₂, 1)."""
        return np.asarray((self.odd**2 + self.even**2) * np.sqrt(q1) * np.sqrt(q2))

    def drop(self, s1: Real, s2: Real, gap: Real) -> tuple[Real, Real]:
        """Return k(q₁, q₂, 1) − k(q₁, q₂, c) and the derivative kernel."""
        total, share = self.odd**2 + self.even**2, 2 / np.pi * self.even**2
        angle = 2 * np.arctan2(np.sqrt(gap), np.sqrt(2 - gap))
        return (s1 * s2) * (total * gap - share * _lag(angle, gap)), total - share * angle


def _lag(angle: Real, gap: Real) -> Real:
    """Sin θ − θ cos θ, by its series where it cancels; a small angle is the rule in a deep network."""
    square = angle * angle
    series = np.full_like(square, _SERIES[-1])
    for coefficient in reversed(_SERIES[:-1]):
        series *= square
        series += coefficient
    series *= square * angle
    large = square > 0.36
    if large.any():
        direct = np.sqrt(gap * (2 - gap)) - angle * (1 - gap)
        np.copyto(series, direct, where=large)
    return series


@dataclass(frozen=True)
class GaussianErf:
    r"""g(x) = c₀ + c₁ erf(βx): k = c₀² + c₁² (2/π) arcsin(2β²p / √((1 + 2β²q₁)(1 + 2β²q₂))).

    References
    ----------
    .. [1] C. Williams, Computing with infinite networks, 1997, eq. (11).
    """

    constant: float
    factor: float
    beta: float

    def second_moment(self, q: Real) -> Real:
        """Return m₂(q)."""
        u = 2 * self.beta**2 * q
        return self.constant**2 + self.factor**2 * (2 / np.pi) * np.arctan(u / np.sqrt(1 + 2 * u))

    def slope_moment(self, q: Real) -> Real:
        """Return χ̂(q)."""
        return self.factor**2 * self.beta**2 * (4 / np.pi) / np.sqrt(1 + 4 * self.beta**2 * q)

    def parallel(self, q1: Real, q2: Real) -> Real:
        """Return k(q₁, q₂, 1)."""
        u, v = 2 * self.beta**2 * q1, 2 * self.beta**2 * q2
        angle = np.arctan(np.sqrt(u * v / (1 + u + v)))
        return np.asarray(self.constant**2 + self.factor**2 * (2 / np.pi) * angle)

    def drop(self, s1: Real, s2: Real, gap: Real) -> tuple[Real, Real]:
        """Return k(q₁, q₂, 1) − k(q₁, q₂, c) and the derivative kernel."""
        scale = 2 * self.beta**2
        apart = _Apart.of(scale * (s1 * s1), scale * (s2 * s2), scale * (s1 * s2), gap)
        weight = self.factor**2 * (2 / np.pi)
        return weight * apart.angle, weight * scale / apart.root


@dataclass(frozen=True)
class LinearErf:
    r"""g(x) = a x + b x erf(βx); GELU is a = b = ½, β = 1/√2.

    With A = 1 + q₁, B = 1 + q₂ and Δ = AB − p², both variances scaled by 2β², x Φ(x) has

    .. math:: k = \frac p4 + \frac p{2\pi}\arcsin\frac p{\sqrt{AB}}
              + \frac{q_1 q_2 + p^2 (1/A + 1/B - 1)}{2\pi\sqrt\Delta}

    (integrate by parts in y₁, then in y₂), and the part without p/4 is that of ½ x erf(x/√2), which is even
    and so does not mix with the odd a x.

    References
    ----------
    .. [1] R. Tsuchida, T. Pearce, C. van der Heide, F. Roosta, M. Gallagher, Avoiding kernel fixed points:
    computing with ELU and GELU infinite networks, 2021, arXiv:2002.08517, prop. 2 (the same kernel).
    """

    linear: float
    factor: float
    beta: float

    @property
    def _scale(self) -> float:
        return 2 * self.beta**2

    def second_moment(self, q: Real) -> Real:
        """Return m₂(q)."""
        r = self._scale * q
        even = r / (2 * np.pi) * np.arctan(r / np.sqrt(1 + 2 * r))
        even = even + r * r / (np.pi * (1 + r) * np.sqrt(1 + 2 * r))
        return self.linear**2 * q + 4 * self.factor**2 * even / self._scale

    def slope_moment(self, q: Real) -> Real:
        """Return χ̂(q)."""
        r = self._scale * q
        root = np.sqrt(1 + 2 * r)
        even = np.arctan(r / root) + r / root * (2 / (1 + r) + 1 / (1 + 2 * r))
        return np.asarray(self.linear**2 + 4 * self.factor**2 * even / (2 * np.pi))

    def parallel(self, q1: Real, q2: Real) -> Real:
        """Return k(q₁, q₂, 1)."""
        u, v = self._scale * q1, self._scale * q2
        p, root = np.sqrt(u * v), np.sqrt(1 + u + v)
        even = p * np.arctan(p / root) + u * v * (1 / (1 + u) + 1 / (1 + v)) / root
        linear = self.linear**2 * np.sqrt(q1) * np.sqrt(q2)
        return np.asarray(linear + 4 * self.factor**2 * even / (2 * np.pi * self._scale))

    def drop(self, s1: Real, s2: Real, gap: Real) -> tuple[Real, Real]:
        """Return k(q₁, q₂, 1) − k(q₁, q₂, c) and the derivative kernel."""
        scale = self._scale
        u, v, top = scale * (s1 * s1), scale * (s2 * s2), scale * (s1 * s2)
        apart = _Apart.of(u, v, top, gap)
        both = 1 / (1 + u) + 1 / (1 + v)
        p, root = apart.p, apart.root
        inverse = 1 / root
        # what stands over √Δ in k, divided by it, at P and p: the difference as a multiple of √Δ_p − √Δ_P
        ratio = apart.lost / (root + apart.top_root) * (inverse / apart.top_root + (both - 1))
        most = np.arctan(top / apart.top_root)
        even = top * gap * most + p * apart.angle + ratio
        weight = 4 * self.factor**2 / (2 * np.pi)
        slope = most - apart.angle + p * inverse * (both + inverse * inverse)
        drop = (self.linear**2) * (s1 * s2) * gap + (weight / scale) * even
        return drop, self.linear**2 + weight * slope


@dataclass(frozen=True)
class _Apart:
    """What distinguishes p = P(1 − gap) from P = √(uv), without cancellation.

    Attributes
    ----------
    p, root, top_root : ndarray
        p, √Δ_p and √Δ_P with Δ_p = (1 + u)(1 + v) − p².
    lost : ndarray
        P² − p².
    angle : ndarray
        arcsin(P/R) − arcsin(p/R), R = √((1 + u)(1 + v)).
    """

    p: Real
    root: Real
    top_root: Real
    lost: Real
    angle: Real

    @classmethod
    def of(cls, u: Any, v: Any, top: Any, gap: Any) -> _Apart:
        p = top - top * gap
        lost = (top * top) * (gap * (2 - gap))
        base = 1 + u + v
        root, top_root = np.sqrt(base + lost), np.sqrt(base)
        sine = top * (lost / (root + top_root) + gap * top_root)
        cosine = root * top_root + p * top
        # tan of half the angle: its denominator is positive, whatever the sign of the cosine
        angle = 2 * np.arctan(sine / (base + top * top + cosine))
        return cls(p, root, top_root, lost, angle)


def closed_family(activation: Activation) -> Family | None:
    """Return the family that g belongs to, recognised by its form, or None.

    Examples
    --------
    >>> from initmath.activation import resolve
    >>> closed_family(resolve("relu"))
    Homogeneous(odd=0.5, even=0.5)
    >>> closed_family(resolve("tanh")) is None
    True
    """
    if activation.expr is None or activation.is_symbolic:
        return None
    if activation.homogeneity_degree == 1:
        left, right = float(activation.expr.subs(x, -1)), float(activation.expr.subs(x, 1))
        return Homogeneous((right - left) / 2, (right + left) / 2)
    return _with_erf(activation)


def _with_erf(activation: Activation) -> Family | None:
    expr = activation.expr.replace(Phi, lambda u: (1 + erf(u / sqrt(2))) / 2)
    atoms = list(expr.atoms(erf))
    if len(atoms) != 1:
        return None
    slope = atoms[0].args[0] / x
    stand_in = Symbol("e")
    polynomial = expr.subs(atoms[0], stand_in)
    if slope.free_symbols or not polynomial.is_polynomial(x, stand_in):
        return None
    terms = dict(Poly(polynomial, x, stand_in).terms())
    beta = float(slope)
    if set(terms) <= {(0, 0), (0, 1)}:
        return GaussianErf(float(terms.get((0, 0), 0)), float(terms[0, 1]), beta)
    if set(terms) <= {(1, 0), (1, 1)}:
        return LinearErf(float(terms.get((1, 0), 0)), float(terms[1, 1]), beta)
    return None
