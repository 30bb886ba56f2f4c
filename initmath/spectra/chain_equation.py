r"""The equation of the spectrum for unequal layers: widths, slopes, scales and ensembles differ.

Layer l = 1 … L: D_l is N_l × N_l with the law of a_l, W_l is N_l × N_{l−1}, c_l = N_l/N_{l−1}.  With
m = M_{JJᵀ}(z), m_l = m N_L/N_l and w_l the subordinate argument, M_{a_l}(w_l) = m_l, log z(m) is

.. math:: \log\frac{1 + m_0}{m_0} + \sum_l\Big[\log\frac{w_l m_l}{1 + m_l} + \log σ_l^2 c_l
    + \begin{cases} \log(1 + m_l) & \text{Gaussian}\\ \log(1 + m_l) - \log(1 + m_{l-1})
    & \text{orthogonal, } c_l < 1\\ 0 & \text{orthogonal, } c_l \ge 1\end{cases}\Big].

Why: WBWᵀ and BWᵀW have the same traces of powers, which the normalisation by N_l instead of N_{l−1} divides
by c_l, so that m_{l−1} = c_l m_l; and −log S of WᵀW at m_{l−1} is log σ²(c + m_{l−1}) for Gaussian entries
of variance σ²/N_{l−1}, that of σ² × a projection of rank c for fewer rows than columns, and log σ²c for
orthonormal columns.

Which root: let m be in the lower and all w_l in the upper half-plane, and Im log z = 0 with the principal
logarithms.  Every term of the sum lowers arg z, so every partial product has its argument in the upper
half-plane, too; the subordination functions of a free product of two factors are the only fixed point there
(Denjoy-Wolff), so by induction such a root *is* the value of M.  No continuation has to be trusted.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from initmath.spectra.near_one import log1p
from initmath.spectra.slope import SlopeLaw
from initmath.spectra.uniform import Sums, mean_argument, resolvent_sums

__all__ = ["ChainEquation", "ChainPoint", "Group"]

Real = NDArray[np.float64]
Complex = NDArray[np.complex128]
Mask = NDArray[np.bool_]

_STEPS = 60
_LONGEST = 1.0  # of a Newton step in log w
_FARTHEST = 700.0  # |log w| that is searched on the negative line
_LAST = 1e-3  # δ from which z = λ itself is tried
_CLOSEST = 1e-9
_ANGLE = 1e-11


@dataclass(frozen=True)
class Group:
    """Layers with one slope law and one width.

    Attributes
    ----------
    law : SlopeLaw
    width : float
        N_l/N_L.
    count : int
        Number of layers; 0 for the input, which the equation needs only as a place.
    """

    law: SlopeLaw
    width: float
    count: int


@dataclass(frozen=True)
class ChainPoint:
    """What the equation says at a state t, shape (groups, n).

    Attributes
    ----------
    log_z : ndarray of complex
    slope : ndarray of complex
        d log z/dt₀ along the solution of the matching conditions.
    m : ndarray of complex
        M_{JJᵀ}(z).
    miss : ndarray of complex, shape (groups − 1, n)
        log of M_g(w_g) over m_g: 0 where the groups agree.
    pull : ndarray of complex, shape (groups − 1, n)
        −dt_g/dt₀ along the solution.
    step : ndarray of complex, shape (groups − 1, n)
        What Newton's method adds to t_g at fixed t₀.
    shift : ndarray of complex
        What those steps add to log z.
    """

    log_z: Complex
    slope: Complex
    m: Complex
    miss: Complex
    pull: Complex
    step: Complex
    shift: Complex


@dataclass(frozen=True)
class ChainEquation:
    """Free product of unequal layers.

    Attributes
    ----------
    groups : tuple of Group
        The pivot comes first: the group with the smallest rank N_l P(a_l ≠ 0).
    turns : tuple of (float, float)
        Width N_v/N_L and the coefficient of log(1 + m_v).
    first : float
        N₀/N_L.
    log_mean : float
        log E λ = Σ log(σ_l² μ₁,l).
    """

    groups: tuple[Group, ...]
    turns: tuple[tuple[float, float], ...]
    first: float
    log_mean: float

    @cached_property
    def depth(self) -> int:
        """Number of layers."""
        return sum(group.count for group in self.groups)

    @cached_property
    def rank(self) -> float:
        """Share of positive λ: the smallest rank over N_L."""
        pivot = self.groups[0]
        return min(self.first, pivot.width * (1 - pivot.law.atom_at_zero))

    @cached_property
    def spread(self) -> float:
        """E λ²/(E λ)² − 1."""
        total = 1 / self.first + sum(g.count * g.law.spread / g.width for g in self.groups)
        return total + sum(power / width for width, power in self.turns) - 1

    def at(self, t: Complex) -> ChainPoint:
        """Evaluate at any state, 0 ≤ Im t ≤ π."""
        with np.errstate(all="ignore"):
            return self._at(t)

    def _at(self, t: Complex) -> ChainPoint:
        pivot, width = self.groups[0], self.groups[0].width
        sums = resolvent_sums(pivot.law, t[0])
        log_m0 = sums.log_u + sums.log_1m - t[0]
        # log z, and its partial derivative by t₀, without the layers of the other groups
        log_z = self.log_mean - np.log(self.first) - _lower(log_m0) + np.log(self.first / width)
        d_first = -sums.dm / sums.m
        log_z = log_z + pivot.count * sums.log_u
        d_first = d_first + pivot.count * sums.dlog_u
        for place, power in (*self.turns, (self.first, 1.0)):
            m, one_m = _moved(sums, width / place)
            log_z = log_z + power * _log_one_m(m, one_m)
            d_first = d_first + power * (width / place) * sums.dm / one_m
        shape = (len(self.groups) - 1, t.shape[1])
        miss, pull, step = (np.zeros(shape, dtype=np.complex128) for _ in range(3))
        slope, shift = d_first, np.zeros(t.shape[1], dtype=np.complex128)
        for i, group in enumerate(self.groups[1:]):
            own = resolvent_sums(group.law, t[i + 1])
            ratio = width / group.width
            m, one_m = _moved(sums, ratio)
            near = np.abs(one_m) < 0.5  # match 1 + m where it is the one that keeps digits
            miss[i] = np.where(near, _log_ratio(own.one_m, one_m), _log_ratio(own.m, m))
            by_own = np.where(near, own.dm / own.one_m, own.dm / own.m)
            by_first = -np.where(near, ratio * sums.dm / one_m, ratio * sums.dm / m)
            pull[i] = by_first / by_own
            step[i] = -miss[i] / by_own
            log_z = log_z + group.count * own.log_u
            slope = slope - group.count * own.dlog_u * pull[i]
            shift = shift + group.count * own.dlog_u * step[i]
        return ChainPoint(log_z, slope, width * sums.m, miss, pull, step, shift)

    def upper(self, t: Complex, m: Complex) -> Real:
        """1 − F(λ) on the curve: (1/π) Im of the primitive of (1 + m) d log z, in closed form."""
        total = self.first * np.abs(np.angle(1 + m / self.first))
        for group, row in zip(self.groups, t, strict=True):
            if group.count:
                here = mean_argument(group.law, row) - np.imag(row)
                here = here - np.abs(np.angle(1 + m / group.width))
                total = total + group.count * group.width * here
        for width, power in self.turns:
            total = total + power * (np.imag(m) + width * np.abs(np.angle(1 + m / width)))
        return np.asarray(total / np.pi)

    def negative(self, s: Real) -> tuple[Complex, Real, Real]:
        """Return the state on z < 0 with w₀ = −μ eˢ, log|z|, and d log|z|/ds: all real and monotone.

        Newton's method inside a bracket, on log of M_g/m_g as a function of log|w_g|, which decreases.
        """
        s = np.asarray(s, dtype=np.float64)
        t: Complex = np.asarray(np.tile(s, (len(self.groups), 1)) + 1j * np.pi, dtype=np.complex128)
        low, high = np.full((2, len(self.groups) - 1, len(s)), _FARTHEST) * np.array([-1, 1])[:, None, None]
        for _ in range(_STEPS):
            point = self.at(t)
            if not len(low):
                break
            # |M_g| too large: w_g must grow
            here, miss = np.real(t[1:]), np.real(point.miss)
            small = np.abs(miss) <= 1e-15
            up = np.real(point.step) > 0
            low, high = np.where(up, here, low), np.where(up, high, here)
            new = here + np.real(point.step)
            new = np.where((new > low) & (new < high), new, (low + high) / 2)
            settled = np.abs(new - here) <= 4e-15 * (1 + np.abs(here))
            t[1:] = np.where(small, here, new) + 1j * np.pi
            if (small | settled).all():
                break
        point = self.at(t)
        return t, np.real(point.log_z), np.real(point.slope)

    def follow(self, t: Complex, log_lambda: Real) -> tuple[Complex, Mask]:
        """From a state near z = −λ to z = λ + i0 along log z = log λ + iδ, δ from π to 0.

        Returns the states and where the end was reached inside 0 < Im t: elsewhere λ is off the spectrum, and
        the state is that of a δ below 1e-9.
        """
        t = t.copy()
        n = len(log_lambda)
        delta, factor = np.full(n, np.pi), np.full(n, 0.8)
        inside, open_ = np.zeros(n, dtype=bool), np.ones(n, dtype=bool)
        t = np.real(t) + 1j * np.minimum(np.imag(t), np.pi - 1e-6)
        while open_.any():
            rows = np.flatnonzero(open_)
            wanted = np.where(delta[rows] < _LAST, 0.0, delta[rows] * factor[rows])
            found, good = self.newton(t[:, rows], log_lambda[rows] + 1j * wanted, 25)
            good &= (np.imag(found) > 0).all(axis=0)
            ended = good & (wanted == 0) & self.proper(found)
            t[:, rows[ended]] = found[:, ended]
            inside[rows[ended]] = True
            open_[rows[ended]] = False
            # not yet at the end: a smaller turn, or give up the last jump until δ is smaller
            last = wanted == 0
            moved = good & ~last
            t[:, rows[moved]] = found[:, moved]
            delta[rows[moved]] = wanted[moved]
            factor[rows[moved]] = np.maximum(factor[rows[moved]] ** 1.7, 0.1)
            again = rows[last & ~ended]
            if again.size:
                reached, fine = self.newton(t[:, again], log_lambda[again] + 0.1j * delta[again], 25)
                fine &= (np.imag(reached) > 0).all(axis=0)
                t[:, again[fine]] = reached[:, fine]
                delta[again[fine]] *= 0.1
                delta[again[~fine]] = 0.0
                open_[again[delta[again] < _CLOSEST]] = False
            stuck = rows[~good & ~last]
            factor[stuck] = np.sqrt(factor[stuck])
            open_[stuck[factor[stuck] > 1 - 1e-4]] = False
        return t, inside

    def proper(self, t: Complex) -> Mask:
        """Tell whether a solution with real z is inside: all angles far above their rounding.

        Off the spectrum some w_g is positive, so that its angle is 0.
        """
        least = _ANGLE * max(1.0, self.depth / 50)
        return np.asarray((np.imag(t) > least).all(axis=0))

    def newton(self, t: Complex, target: Complex, steps: int = _STEPS) -> tuple[Complex, Mask]:
        """Solve log z = target from a guess, in 0 < Im t < π; return the states and where it converged."""
        t = t.copy()
        done = np.zeros(t.shape[1], dtype=bool)
        tolerance = 2e-14 * (np.abs(target - self.log_mean) + self.depth + 1)
        for _ in range(steps):
            active = np.flatnonzero(~done)
            if not active.size:
                break
            point = self.at(t[:, active])
            wrong = point.log_z - target[active]
            size = np.maximum(np.abs(wrong), np.max(np.abs(point.miss), axis=0, initial=0.0))
            with np.errstate(all="ignore"):
                first = -(wrong + point.shift) / point.slope
                move = np.vstack([first[None], point.step - point.pull * first])
            lost = ~np.isfinite(move).all(axis=0)
            move[:, lost] = 0
            longest = np.abs(move).max(axis=0)
            # one more step after convergence is free and brings the last digits
            move = move / np.maximum(1, longest / _LONGEST)
            new = t[:, active] + move
            turn = np.imag(new)
            old = np.imag(t[:, active])
            turn = np.where(turn <= 0, old / 4, np.where(turn >= np.pi, (old + np.pi) / 2, turn))
            ready = (size <= tolerance[active]) & ~lost
            t[:, active] = np.where(lost, t[:, active], np.real(new) + 1j * turn)
            done[active] = ready
            if lost.all():
                break
        return t, done


def _lower(value: Complex) -> Complex:
    """Bring the argument of a logarithm to [−π, 0]."""
    return np.asarray(np.real(value) - 1j * np.abs(np.imag(value)))


def _moved(sums: Sums, ratio: float) -> tuple[Complex, Complex]:
    """Return m and 1 + m at another width."""
    return ratio * sums.m, (1 - ratio) + ratio * sums.one_m


def _log_one_m(m: Complex, one_m: Complex) -> Complex:
    return _lower(np.where(np.abs(m) < 0.5, log1p(m), np.log(one_m)))


def _log_ratio(a: Complex, b: Complex) -> Complex:
    ratio = a / b
    return np.asarray(np.where(np.abs(ratio - 1) < 0.5, log1p((a - b) / b), np.log(ratio)))
