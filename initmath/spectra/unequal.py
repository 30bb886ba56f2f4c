"""The spectral law of J Jᵀ for unequal layers, frozen and checked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from initmath.activation import resolve
from initmath.errors import Disagreement, InputError
from initmath.lock import one_at_a_time
from initmath.spectra.chain_curve import ChainComponent, chain_components
from initmath.spectra.chain_equation import ChainEquation, Group
from initmath.spectra.chain_moments import relative_chain_moment, turns_of
from initmath.spectra.pushforward import PushForward
from initmath.spectra.slope import SlopeLaw, bernoulli, slope_law

__all__ = ["Layer", "LayeredLaw", "spectral_law_of_layers"]

Real = NDArray[np.float64]

_TOLERABLE = 1e-6
_RESIDUE = 1e-12
_SAME = 1e-12
_HALVINGS = 200
_MOST_GROUPS = 10_000


@dataclass(frozen=True)
class Layer:
    """One layer x' = g(W x + b), W of N_l rows and N_{l−1} columns.

    Attributes
    ----------
    activation : str, Expr, callable, Activation or SlopeLaw
        A law of g'² is taken as it is, and q is then not used.
    q : float
        Pre-activation variance.
    sigma_w2 : float, optional
        Every entry of W has variance σ_w²/N_{l−1}, for both ensembles and every shape; 1/E g'² by default,
        which keeps the mean: E λ = Π σ_l² E g_l'².  An orthogonal W with more rows than columns therefore has
        the singular value √(σ_w² N_l/N_{l−1}), one with fewer rows σ_w.  (PyTorch's ``orthogonal_(gain)``
        has the singular value ``gain`` in both shapes: σ_w² = gain² min(1, N_{l−1}/N_l).)
    weights : str
        ``"gaussian"`` or ``"orthogonal"``.
    ratio : float
        c_l = N_l/N_{l−1}.
    """

    activation: Any
    q: float = 1.0
    sigma_w2: float | None = None
    weights: str = "gaussian"
    ratio: float = 1.0


@dataclass(frozen=True)
class LayeredLaw:
    r"""Law of the squared singular values λ of J = Π D_l W_l, N_L × N_L with multiplicities of JJᵀ.

    Hypothesis: as in `initmath.spectra.law.SpectralLaw`, with all widths going to infinity at fixed ratios.

    Attributes
    ----------
    equation : ChainEquation
    log_atoms : tuple of (float, float)
        log λ and weight, −inf for λ = 0: 1 − min(N₀, N_l P(g' ≠ 0))/N_L.
    parts : tuple of ChainComponent
        Components of the density, in increasing order.
    push : PushForward or None
        In place of ``parts`` where one slope law is all there is: J is D_l times orthogonal factors.
    share : float
        Weight of ``push``.
    mass : float
        Atoms and integrated density; what is not 1 in it is error.
    error : float
        Largest of |mass − 1|, the relative errors of the first two moments of the integrated density against
        the S-series, and the errors of the laws of g'².
    """

    equation: ChainEquation
    log_atoms: tuple[tuple[float, float], ...]
    parts: tuple[ChainComponent, ...]
    push: PushForward | None
    share: float
    mass: float
    error: float

    @property
    def depth(self) -> int:
        """Number of layers."""
        return self.equation.depth

    @property
    def atoms(self) -> tuple[tuple[float, float], ...]:
        """λ and weight of each atom."""
        return tuple((_exp(log_a), p) for log_a, p in self.log_atoms)

    @property
    def log_mean(self) -> float:
        """Log E λ."""
        return self.equation.log_mean

    @property
    def sigma2_jjt(self) -> float:
        """Var λ/(E λ)²."""
        return self.equation.spread

    @cached_property
    def log_support(self) -> tuple[tuple[float, float], ...]:
        """Support of the continuous part in log λ; −inf stands for λ = 0."""
        if self.push is not None:
            shift, spans = self.push.log_mean, self.push.law.log_intervals
            return tuple((low + shift, high + shift) for low, high in spans if high > low)
        return tuple(part.log_ends for part in self.parts)

    @property
    def support(self) -> tuple[tuple[float, float], ...]:
        """Components of the support of the continuous part."""
        return tuple((_exp(low), _exp(high)) for low, high in self.log_support)

    def density(self, lam: ArrayLike) -> Any:
        """ρ(λ) of the continuous part, 0 off its support; the shape of ``lam`` is kept."""
        lam = np.asarray(lam, dtype=np.float64)
        positive = np.isfinite(lam) & (lam > 0)
        found = np.zeros(lam.shape)
        found[positive] = self.log_density(np.log(lam[positive])) / lam[positive]
        return found[()]

    def log_density(self, log_lam: ArrayLike) -> Any:
        """Density of log λ, that is λρ(λ)."""
        at = np.asarray(log_lam, dtype=np.float64)
        flat = at.ravel()
        found = np.zeros(flat.shape)
        if self.push is not None:
            found = self.share * self.push.density(flat)
        for part, inside in self._inside(flat):
            m = part.equation.at(part.solve(flat[inside])).m
            found[inside] = np.maximum(-np.imag(m) / np.pi, 0)
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
        found = np.asarray(sum((p * (flat >= s) for s, p in self.log_atoms), np.zeros(flat.shape)))
        if self.push is not None:
            found = found + self.share * self.push.cdf(flat)
        for part in self.parts:
            found = found + part.mass * (flat >= part.log_ends[1])
        for part, inside in self._inside(flat):
            state = part.solve(flat[inside])
            found[inside] = 1 - part.equation.upper(state, part.equation.at(state).m)
        return np.clip(found, 0.0, 1.0).reshape(at.shape)[()]

    def _inside(self, flat: Real) -> Iterator[tuple[ChainComponent, NDArray[np.bool_]]]:
        for part in self.parts:
            inside = (flat > part.log_ends[0]) & (flat < part.log_ends[1])
            if inside.any():
                yield part, inside

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
        found = self._bisected(flat) if self.push is not None else self._climbed(flat)
        return found.reshape(wanted.shape)[()]

    def _climbed(self, flat: Real) -> Real:
        steps: list[tuple[float, float, ChainComponent | None]] = [(s, p, None) for s, p in self.log_atoms]
        steps += [(part.log_ends[0], part.mass, part) for part in self.parts]
        steps.sort(key=lambda step: (step[0], step[2] is not None))
        found, below = np.full(flat.shape, np.nan), 0.0
        for log_end, weight, part in steps:
            inside = np.isnan(found) & (flat <= below + weight)
            if part is None:
                found[inside] = log_end
            elif inside.any():
                found[inside] = part.solve_cdf(flat[inside])
            below += weight
        top = max([s for s, _ in self.log_atoms] + [high for _, high in self.log_support])
        return np.where(np.isnan(found), top, found)

    def _bisected(self, flat: Real) -> Real:
        ends = [s for s, _ in self.log_atoms if isfinite(s)] + [high for _, high in self.log_support]
        top = min(max(ends), 700.0)
        zero = sum(p for s, p in self.log_atoms if s == -np.inf)
        low, high = np.full(flat.shape, -745.0), np.full(flat.shape, top)
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            above = self.log_cdf(middle) >= flat
            low, high = np.where(above, low, middle), np.where(above, middle, high)
        return np.where(flat <= zero, -np.inf, high)

    def moment(self, k: int) -> float:
        """E λᵏ, from the power series of the S-transforms; inf beyond a double."""
        if k < 0 or k != int(k):
            raise InputError(f"a moment needs k = 0, 1, 2, …, got {k}")
        if k == 0:
            return 1.0
        return _exp(k * self.log_mean) * relative_chain_moment(self.equation, int(k))

    def integrated_moment(self, k: int) -> float:
        """E λᵏ by integration of the density, for comparison; in units of (E λ)ᵏ."""
        total = sum(p * (_exp(k * (s - self.log_mean)) if k else 1.0) for s, p in self.log_atoms)
        total += sum(part.power_sum(k, self.log_mean) for part in self.parts)
        if self.push is not None:
            unit = np.exp(self.push.log_scale - self.log_mean)
            total += self.share * self.push.integral(lambda a: (a * unit) ** k)
        return float(total)


def _exp(value: float) -> float:
    with np.errstate(over="ignore"):
        return float(np.exp(value))


@one_at_a_time
def spectral_law_of_layers(layers: Sequence[Layer]) -> LayeredLaw:
    r"""Return the spectral law of J Jᵀ for layers of different activation, q, σ_w², ensemble and width.

    See `initmath.spectra.chain_equation` for the equation and its proof.

    Parameters
    ----------
    layers : sequence of Layer
        From the input on.

    Returns
    -------
    LayeredLaw
        Checked: mass 1 and two moments; ``error`` says how well.

    Raises
    ------
    InputError
    Disagreement
        If mass or moments are off by more than 1e-6 relative.

    Notes
    -----
    Where one slope law is nearly all there is (orthogonal weights, tanh at q = 1 beside tanh at q = 1e-4) the
    density has a peak too narrow for the panels: the check refuses such a law, after some seconds.  An edge
    that is no branch point (``parts[i].branch_points``) is where a tail fell below rounding, or an atom.

    References
    ----------
    .. [1] Pennington, Schoenholz, Ganguli, The emergence of spectral universality in deep networks, 2018,
       arXiv:1802.09979.
    .. [2] Chhaibi, Daouda, Kahn, Free probability for predicting the performance of feed-forward fully
       connected neural networks, 2022, arXiv:2111.00841.

    Examples
    --------
    Half as many rows as columns: Marchenko-Pastur on (1 ± √½)².

    >>> law = spectral_law_of_layers([Layer("x", ratio=0.5)])
    >>> [round(end, 12) for end in law.support[0]]
    [0.085786437627, 2.914213562373]
    >>> wide = spectral_law_of_layers([Layer("relu", ratio=2), Layer("relu", ratio=0.5)])
    >>> [round(wide.moment(k), 9) for k in (1, 2)], [(a, round(p, 12)) for a, p in wide.atoms]
    ([1.0, 4.0], [(0.0, 0.5)])
    """
    chain = tuple(_resolved(layers))
    equation = _equation(chain)
    candidates = _atoms(chain, equation)
    log_atoms = tuple((at, p) for at, p in candidates if p > _RESIDUE)
    parts: tuple[ChainComponent, ...] = ()
    push, share = None, 0.0
    lone = _lone_slope(chain)
    if lone is None:
        parts = chain_components(equation, [mark for mark in candidates if np.isfinite(mark[0])])
    elif lone.law.branches:
        share = lone.width
        push = PushForward(lone.law, _gain(chain) - float(np.log(lone.law.mean)))
    law = LayeredLaw(equation, log_atoms, parts, push, share, 1.0, 0.0)
    return _checked(law)


@dataclass(frozen=True)
class _Resolved:
    law: SlopeLaw
    scale: float
    weights: str
    before: float
    width: float

    @property
    def squeezed(self) -> float:
        """Dimensions that an orthogonal W loses."""
        return max(self.before - self.width, 0.0)

    @property
    def log_gain(self) -> float:
        """Log of the squared singular value of an orthogonal W, times μ₁."""
        return float(np.log(self.scale * self.law.mean * max(1.0, self.width / self.before)))


def _resolved(layers: Sequence[Layer]) -> list[_Resolved]:
    if not layers or len(layers) > _MOST_GROUPS:
        raise InputError(f"a network needs 1 to {_MOST_GROUPS} layers, got {len(layers)}")
    for layer in layers:
        if not isinstance(layer, Layer):
            raise InputError(f"layers must be Layer objects, got {layer!r}")
    known: dict[Any, SlopeLaw] = {}
    widths = [1.0]
    for layer in layers:
        widths.append(widths[-1] * _positive("ratio", layer.ratio))
    # back to 1 after 2 and 1/2: the same width is the same number
    widths = [_snapped(width / widths[-1]) for width in widths]
    for i, width in enumerate(widths):
        same = [other for other in widths[:i] if abs(other / width - 1) < _SAME]
        widths[i] = same[0] if same else width
    found = []
    for i, layer in enumerate(layers):
        if layer.weights not in ("gaussian", "orthogonal"):
            raise InputError(f"weights must be gaussian or orthogonal, got {layer.weights!r}")
        law = _slopes(layer, known)
        scale = 1 / law.mean if layer.sigma_w2 is None else _positive("sigma_w2", layer.sigma_w2)
        found.append(_Resolved(law, scale, layer.weights, widths[i], widths[i + 1]))
    return found


def _snapped(width: float) -> float:
    return 1.0 if abs(width - 1) < _SAME else width


def _slopes(layer: Layer, known: dict[Any, SlopeLaw]) -> SlopeLaw:
    if isinstance(layer.activation, SlopeLaw):
        return layer.activation
    q = _positive("q", layer.q)
    activation = resolve(layer.activation)
    key = (activation.name, str(activation.expr), q)
    if key not in known:
        known[key] = slope_law(activation, q)
    return known[key]


def _positive(name: str, value: Any) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise InputError(f"{name} must be a positive number, got {value!r}") from None
    if isinstance(value, bool) or not (isfinite(number) and number > 0):
        raise InputError(f"{name} must be a positive number, got {value!r}")
    return number


def _equation(chain: Sequence[_Resolved]) -> ChainEquation:
    counts: dict[tuple[int, float], Group] = {}
    for one in chain:
        key = id(one.law), one.width
        group = counts.get(key, Group(one.law, one.width, 0))
        counts[key] = replace(group, count=group.count + 1)
    first = chain[0].before
    groups = sorted(counts.values(), key=lambda group: group.width * (1 - group.law.atom_at_zero))
    if first < groups[0].width * (1 - groups[0].law.atom_at_zero) * (1 - _SAME):
        groups.insert(0, Group(bernoulli(1.0), first, 0))
    widths = [first, *(one.width for one in chain)]
    turns = turns_of(widths, [one.weights for one in chain])
    log_mean = sum(float(np.log(one.scale * one.law.mean)) for one in chain)
    return ChainEquation(
        tuple(groups), tuple((width, float(power)) for width, power in turns), first, log_mean
    )


def _gain(chain: Sequence[_Resolved]) -> float:
    return sum(one.log_gain for one in chain)


def _constant(law: SlopeLaw) -> bool:
    return not law.branches and len(law.atoms) == 1


def _lone_slope(chain: Sequence[_Resolved]) -> Group | None:
    """Return the group that decides alone: orthogonal W, widths that fall and then rise, one varying slope.

    The varying slope must be where the network is narrowest.  With no varying slope any narrowest width does.
    """
    if any(one.weights == "gaussian" for one in chain):
        return None
    narrowest = min(chain[0].before, *(one.width for one in chain))
    lost = sum(one.squeezed for one in chain)
    if abs(chain[0].before - lost - narrowest) > _SAME * chain[0].before:
        return None
    varying = [one for one in chain if not _constant(one.law)]
    if not varying:
        return Group(bernoulli(1.0), narrowest, 1)
    if len(varying) > 1 or varying[0].width > narrowest * (1 + _SAME):
        return None
    return Group(varying[0].law, varying[0].width, 1)


def _atoms(chain: Sequence[_Resolved], equation: ChainEquation) -> tuple[tuple[float, float], ...]:
    """Atoms: at 0 by the smallest rank; elsewhere where subspaces are too large not to meet.

    The dimension of the eigenspace at Π a_l is N₀ less what each D_l and each falling W_l takes away.  Where
    just nothing is left the weight is 0, and the density is infinite.
    """
    found: dict[float, float] = {}
    if equation.rank < 1 - _RESIDUE:
        found[-np.inf] = 1 - equation.rank
    if any(one.weights == "gaussian" for one in chain):
        return tuple(found.items())
    room = chain[0].before - sum(one.squeezed for one in chain)
    partial = [(_gain(chain), room)]
    for group in equation.groups:
        if group.count:
            partial = [
                (
                    at + group.count * float(np.log(a / group.law.mean)),
                    left - group.count * group.width * (1 - p),
                )
                for at, left in partial
                for a, p in group.law.atoms
                if a > 0 and left - group.count * group.width * (1 - p) > -_RESIDUE
            ]
    for at, left in partial:
        found[at] = found.get(at, 0.0) + left
    return tuple(sorted(found.items()))


def _checked(law: LayeredLaw) -> LayeredLaw:
    mass = law.integrated_moment(0)
    first = law.integrated_moment(1) - 1
    second = law.integrated_moment(2) / (1 + law.sigma2_jjt) - 1
    misses = (mass - 1, first, second)
    error = max(*(g.law.error for g in law.equation.groups), *(abs(miss) for miss in misses))
    if not (error < _TOLERABLE and all(isfinite(miss) for miss in misses)):
        shown = ", ".join(f"{miss:.1e}" for miss in misses)
        raise Disagreement(f"the spectral law of the layers misses mass and two moments by {shown}")
    return replace(law, mass=mass, error=error)
