"""The spectral law of J Jᵀ, frozen and checked."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from initmath.activation import resolve
from initmath.errors import InputError
from initmath.lock import one_at_a_time
from initmath.spectra.curve import Component, component
from initmath.spectra.edges import components
from initmath.spectra.pushforward import PushForward
from initmath.spectra.slope import SlopeLaw, slope_law
from initmath.spectra.uniform import UniformEquation

__all__ = ["SpectralLaw", "spectral_law", "spectral_law_of"]

Real = NDArray[np.float64]

_TOLERABLE = 1e-6
_LARGEST_DEPTH = 10**6
_RESIDUE = 1e-12


@dataclass(frozen=True)
class SpectralLaw:
    r"""Law of the squared singular values λ of J = Π D_l W_l as the width goes to infinity.

    Hypothesis: the D_l and W_l are asymptotically free, and every D_l has the law of g'(√q z)².  That is a
    theorem for Gaussian and Haar orthogonal weights when the D_l are independent of them (Voiculescu 1991),
    and for the network's own D_l: Pastur 2020, arXiv:2001.06188 (Gaussian weights; independent entries in
    Pastur and Slavin 2020, arXiv:2011.11439), Yang 2020, arXiv:2009.10685 (Gaussian, any architecture),
    Collins and Hayase 2021, arXiv:2103.13466 (orthogonal).  All layers are square and have the same q.
    Fluctuations at finite
    width are not in it.

    Attributes
    ----------
    slopes : SlopeLaw
        Law of g'².
    depth : int
    weights : str
        ``"gaussian"`` or ``"orthogonal"``.
    sigma_w2 : float
    atoms : tuple of (float, float)
        λ and weight.
    log_atoms : tuple of (float, float)
        log λ and weight: λ itself may not fit a double.
    parts : tuple of Component
        Components of the density, in increasing order.
    push : PushForward or None
        In place of ``parts`` for one layer with orthogonal weights.
    mass : float
        Atoms and integrated density; what is not 1 in it is error.
    error : float
        Largest of |mass − 1|, the relative errors of the first two moments of the integrated density against
        their exact values, and the error of the law of g'².
    """

    slopes: SlopeLaw
    depth: int
    weights: str
    sigma_w2: float
    log_atoms: tuple[tuple[float, float], ...]
    parts: tuple[Component, ...]
    push: PushForward | None
    mass: float
    error: float

    @property
    def atoms(self) -> tuple[tuple[float, float], ...]:
        """λ and weight of each atom."""
        return tuple((_exp(log_a), p) for log_a, p in self.log_atoms)

    @property
    def log_mean(self) -> float:
        """Log E λ = L log(σ_w² μ₁)."""
        return self.depth * float(np.log(self.sigma_w2 * self.slopes.mean))

    @property
    def sigma2_jjt(self) -> float:
        """Var λ/(E λ)² = L (μ₂/μ₁² − 1 − s₁); at criticality E λ = 1 and it is the variance."""
        return self.depth * (self.slopes.spread + (self.weights == "gaussian"))

    @cached_property
    def log_support(self) -> tuple[tuple[float, float], ...]:
        """Support of the continuous part in log λ; −inf stands for λ = 0."""
        if self.push is not None:
            shift = self.push.log_mean
            return tuple((low + shift, high + shift) for low, high in self.slopes.log_intervals if high > low)
        return tuple(part.log_ends for part in self.parts)

    @property
    def support(self) -> tuple[tuple[float, float], ...]:
        """Components of the support of the continuous part: their edges are branch points of z(w)."""
        return tuple((_exp(low), _exp(high)) for low, high in self.log_support)

    def density(self, lam: ArrayLike) -> Any:
        """ρ(λ) of the continuous part, 0 off its support; the shape of ``lam`` is kept.

        Examples
        --------
        >>> round(float(spectral_law("x", depth=1).density(1.0)), 12)  # Marchenko-Pastur, √3/2π
        0.275664447711
        """
        lam = np.asarray(lam, dtype=np.float64)
        positive = np.isfinite(lam) & (lam > 0)
        found = np.zeros(lam.shape)
        found[positive] = self.log_density(np.log(lam[positive])) / lam[positive]
        return found[()]

    def log_density(self, log_lam: ArrayLike) -> Any:
        """Density of log λ, that is λρ(λ); use it where λ does not fit a double."""
        at = np.asarray(log_lam, dtype=np.float64)
        flat = at.ravel()
        found = np.zeros(flat.shape)
        if self.push is not None:
            found = self.push.density(flat)
        for part in self.parts:
            inside = (flat > part.log_ends[0]) & (flat < part.log_ends[1])
            if inside.any():
                point = part.equation.at(part.solve(flat[inside]), phase=False)
                found[inside] = np.maximum(-np.imag(point.m) / np.pi, 0)
        return found.reshape(at.shape)[()]

    def cdf(self, lam: ArrayLike) -> Any:
        """F(λ), atoms included; in closed form on the curve, not by integration."""
        lam = np.asarray(lam, dtype=np.float64)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(lam < 0, 0.0, self.log_cdf(np.log(np.maximum(lam, 0))))[()]

    def log_cdf(self, log_lam: ArrayLike) -> Any:
        """F as a function of log λ."""
        at = np.asarray(log_lam, dtype=np.float64)
        flat = at.ravel()
        found = np.zeros(flat.shape)
        if self.push is not None:
            found = self.push.cdf(flat) + self._atoms_below(flat)
        else:
            found = self._atoms_below(flat)
            for part in self.parts:
                inside = (flat > part.log_ends[0]) & (flat < part.log_ends[1])
                found[flat >= part.log_ends[1]] += part.mass
                if inside.any():
                    here = 1 - part.equation.at(part.solve(flat[inside])).phase
                    found[inside] = here  # the curve knows everything below, atoms included
        return np.clip(found, 0.0, 1.0).reshape(at.shape)[()]

    def _atoms_below(self, log_lam: Real) -> Real:
        return np.asarray(sum((p * (log_lam >= s) for s, p in self.log_atoms), np.zeros(log_lam.shape)))

    def quantile(self, p: ArrayLike) -> Any:
        """Smallest λ with F(λ) ≥ p, 0 ≤ p ≤ 1."""
        with np.errstate(over="ignore"):
            return np.exp(self.log_quantile(p))[()]

    def log_quantile(self, p: ArrayLike) -> Any:
        """Log of the quantile; −inf in the atom at 0."""
        wanted = np.asarray(p, dtype=np.float64)
        if not ((wanted >= 0) & (wanted <= 1)).all():
            raise InputError("a quantile needs probabilities between 0 and 1")
        flat = wanted.ravel()
        found = np.full(flat.shape, np.nan)
        below = 0.0
        for log_end, weight, part in self._ladder():
            inside = np.isnan(found) & (flat <= below + weight)
            if part is None:
                found[inside] = log_end
            elif inside.any():
                shift = below if isinstance(part, PushForward) else 0.0
                found[inside] = part.solve_cdf(flat[inside] - shift)
            below += weight
        found = np.where(np.isnan(found), self._top(), found)
        return found.reshape(wanted.shape)[()]

    def _ladder(self) -> list[tuple[float, float, Any]]:
        """Atoms and components from below: (log λ, weight, component or None)."""
        steps: list[tuple[float, float, Any]] = [(s, p, None) for s, p in self.log_atoms]
        steps += [(part.log_ends[0], part.mass, part) for part in self.parts]
        steps.sort(key=lambda step: (step[0], step[2] is not None))
        if self.push is None:
            return steps
        return _push_ladder(self.push, steps)

    def _top(self) -> float:
        ends = [s for s, _ in self.log_atoms] + [high for _, high in self.log_support]
        return max(ends)

    def moment(self, k: int) -> float:
        """E λᵏ, from the power series of the S-transform with the moments of g'²; inf beyond a double."""
        if k < 0 or k != int(k):
            raise InputError(f"a moment needs k = 0, 1, 2, …, got {k}")
        if k == 0:
            return 1.0
        from initmath.spectra.numeric_series import relative_moment

        return _exp(k * self.log_mean) * relative_moment(
            self.slopes, self.depth, self.weights == "gaussian", k
        )

    def integrated_moment(self, k: int) -> float:
        """E λᵏ by integration of the density, for comparison; in units of (E λ)ᵏ."""
        total = sum(p * (_exp(k * (s - self.log_mean)) if k else 1.0) for s, p in self.log_atoms)
        total += sum(part.power_sum(k, self.log_mean) for part in self.parts)
        if self.push is not None:
            total += self.push.integral(lambda a: (a / self.slopes.mean) ** k)
        return float(total)


def _push_ladder(push: PushForward, atoms: list[tuple[float, float, Any]]) -> list[tuple[float, float, Any]]:
    """Cut the continuous part at the atoms."""
    steps: list[tuple[float, float, Any]] = []
    before = 0.0
    for s, p, _ in atoms:
        here = float(push.cdf(np.array([s]))[0]) if np.isfinite(s) else 0.0
        steps.append((s, here - before, _Slice(push, before)))
        steps.append((s, p, None))
        before = here
    rest = float(push.law.weights[len(push.law.atoms) :].real.sum()) - before
    steps.append((np.inf, rest, _Slice(push, before)))
    return [step for step in steps if step[1] > 1e-15]


@dataclass(frozen=True)
class _Slice(PushForward):
    """Part of a push-forward between two atoms."""

    def __init__(self, push: PushForward, before: float) -> None:
        object.__setattr__(self, "law", push.law)
        object.__setattr__(self, "log_scale", push.log_scale)
        object.__setattr__(self, "before", before)

    def solve_cdf(self, part: Real) -> Real:
        return super().solve_cdf(part + self.before)  # type: ignore[attr-defined]


def _exp(value: float) -> float:
    with np.errstate(over="ignore"):
        return float(np.exp(value))


@one_at_a_time
def spectral_law(
    activation: Any,
    depth: int = 1,
    weights: str = "gaussian",
    q: float = 1.0,
    sigma_w2: float | None = None,
) -> SpectralLaw:
    r"""Return the spectral law of J Jᵀ for a network of equal square layers.

    .. math:: z = \frac{1 + m}{m}\left[σ_w^2 (1 + m)^g \frac{m w}{1 + m}\right]^L,\quad m = E\frac{a}{w - a},
        \quad a = g'(\sqrt q z)^2,

    g = 1 for Gaussian, 0 for orthogonal weights.

    Parameters
    ----------
    activation : str, Expr, callable or Activation
    depth : int
        L, 1 … 10⁶.
    weights : str
        ``"gaussian"`` (independent entries of variance σ_w²/N) or ``"orthogonal"`` (σ_w × Haar).
    q : float
        Pre-activation variance of every layer.
    sigma_w2 : float, optional
        1/E g'² by default, so that E λ = 1.

    Returns
    -------
    SpectralLaw
        Checked: mass 1 and two moments; ``error`` says how well.

    Raises
    ------
    InputError
        Among others if mass or moments are off by more than 1e-6 relative: the law is then not resolved.

    References
    ----------
    .. [1] Pennington, Schoenholz, Ganguli, Resurrecting the sigmoid in deep learning through dynamical
       isometry, 2017, arXiv:1711.04735.
    .. [2] Pennington, Schoenholz, Ganguli, The emergence of spectral universality in deep networks, 2018,
       arXiv:1802.09979.

    Examples
    --------
    >>> law = spectral_law("relu", depth=2, weights="orthogonal")
    >>> [(a, round(p, 12)) for a, p in law.atoms], round(law.support[0][1], 9)
    ([(0.0, 0.5)], 4.0)
    >>> [round(spectral_law("relu", depth=3).moment(k), 9) for k in (1, 2, 3, 4)]
    [1.0, 7.0, 67.0, 741.0]
    """
    q = _positive("q", q)
    return spectral_law_of(slope_law(resolve(activation), q), depth, weights, sigma_w2)


def spectral_law_of(
    slopes: SlopeLaw, depth: int = 1, weights: str = "gaussian", sigma_w2: float | None = None
) -> SpectralLaw:
    """Return the spectral law for a given law of g'², such as `initmath.spectra.slope.bernoulli`.

    Examples
    --------
    >>> from initmath.spectra.slope import bernoulli
    >>> law = spectral_law_of(bernoulli(0.9), 3, "orthogonal")
    >>> [(round(a, 9), round(p, 9)) for a, p in law.atoms]
    [(0.0, 0.1), (1.371742112, 0.7)]
    """
    if weights not in ("gaussian", "orthogonal"):
        raise InputError(f"weights must be gaussian or orthogonal, got {weights!r}")
    if isinstance(depth, bool) or int(depth) != depth or not 1 <= depth <= _LARGEST_DEPTH:
        raise InputError(f"the depth must be a whole number from 1 to {_LARGEST_DEPTH}, got {depth}")
    depth = int(depth)
    scale = 1 / slopes.mean if sigma_w2 is None else _positive("sigma_w2", sigma_w2)
    equation = UniformEquation(slopes, depth, weights == "gaussian", float(np.log(scale * slopes.mean)))
    log_atoms = _atoms(equation)
    push = None
    parts: tuple[Component, ...] = ()
    log_mean = depth * equation.log_scale
    if depth == 1 and weights == "orthogonal":
        push = PushForward(slopes, float(np.log(scale))) if slopes.branches else None
    else:
        parts = tuple(component(equation, low, high, log_mean) for low, high in components(equation))
    law = SpectralLaw(slopes, depth, weights, float(scale), log_atoms, parts, push, 1.0, 0.0)
    return _checked(law)


def _positive(name: str, value: Any) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise InputError(f"{name} must be a positive number, got {value!r}") from None
    if not (isfinite(number) and number > 0):
        raise InputError(f"{name} must be a positive number, got {value!r}")
    return number


def _atoms(equation: UniformEquation) -> tuple[tuple[float, float], ...]:
    """Atoms: at 0 that of one layer (ranks of free projections meet generically), elsewhere 1 − L(1 − p)."""
    found: list[tuple[float, float]] = []
    if equation.law.atom_at_zero > 0:
        found.append((-np.inf, equation.law.atom_at_zero))
    if not equation.gaussian:
        for a, p in equation.law.atoms:
            left = 1 - equation.depth * (1 - p)
            if a > 0 and left > _RESIDUE:
                log_lambda = equation.depth * (equation.log_scale + np.log(a / equation.law.mean))
                found.append((float(log_lambda), left))
    return tuple(sorted(found))


def _blur(law: SpectralLaw) -> float:
    """Compare the rounding of a/μ₁ with how much a varies: the shape of the law is not known any better."""
    if law.weights == "gaussian" or law.push is not None or not law.parts or not law.slopes.branches:
        return 0.0
    width = float(np.sqrt(law.slopes.spread))
    if not 2.3e-16 < 0.1 * _TOLERABLE * width:
        raise InputError(
            f"g'² of {law.slopes.name} is constant to {width:.0e} at q = {law.slopes.q:.3g}, which double "
            "precision does not resolve: take a larger q"
        )
    return 2.3e-16 / width


def _unresolved(law: SpectralLaw, misses: tuple[float, ...]) -> str:
    shown = ", ".join(f"{miss:.1e}" for miss in misses)
    what = "its density" if abs(misses[0]) > _TOLERABLE else "the tail that carries its second moment"
    case = f"{law.slopes.name} at q = {law.slopes.q:.3g} and depth {law.depth}"
    return (
        f"no spectral law of {case}: doubles do not "
        f"resolve {what} (mass and two moments would be off by {shown}, at most {_TOLERABLE:.0e} is "
        "allowed): take another q or depth"
    )


def _checked(law: SpectralLaw) -> SpectralLaw:
    mass = law.integrated_moment(0)
    second = 1 + law.sigma2_jjt
    blur = _blur(law)
    misses = (mass - 1, law.integrated_moment(1) - 1, law.integrated_moment(2) / second - 1)
    error = max(law.slopes.error, law.depth * law.slopes.drift, blur, *(abs(miss) for miss in misses))
    if not (error < _TOLERABLE and all(isfinite(miss) for miss in misses)):
        raise InputError(_unresolved(law, misses))
    return SpectralLaw(
        law.slopes, law.depth, law.weights, law.sigma_w2, law.log_atoms, law.parts, law.push, mass, error
    )
