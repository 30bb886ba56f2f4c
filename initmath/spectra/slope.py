r"""The law of a = g'(√q z)²: what D² does to the spectrum, as a few complex nodes.

Everything that a spectrum needs of a is :math:`E\,f(a)` with f = 1/(w − a), log(w − a), …, for w in the upper
half-plane and as close to the real support of a as one likes.  On the real line the pole at a(x) = w spoils
every quadrature rule.  So the integral over x is moved: where a(x) rises the path runs below the real line,
where it falls above it, so that a(x) runs in the *lower* half-plane, away from every w.  By Cauchy's theorem
nothing changes, and one set of nodes serves every w.  Where g' is constant on a piece, a has an atom.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import ndtr

from initmath.activation import Activation
from initmath.activation.asymptotics import limit_at
from initmath.errors import Divergent, InputError, NotEnclosed
from initmath.quadrature import expectation
from initmath.spectra.analytic import Analytic, analytic

__all__ = ["Branch", "SlopeLaw", "bernoulli", "slope_law"]

Real = NDArray[np.float64]
Complex = NDArray[np.complex128]

REACH = 8.8
"""|z| beyond which there is 1e-18 of a Gaussian."""

FARTHEST = 37.0
"""|z| beyond which the Gaussian density leaves the range of a double."""

_ORDER = 12  # Gauss-Legendre nodes a panel
_STRIDE = 1.3  # panel width over the height of the path
_RAY_ORDER, _RAY_STRIDE = (
    24,
    3.0,
)  # on a straight ray from a pinned end: nodes and width of panels in its logarithm
_SHALLOW, _DEEP = 18.0, 39.0  # how many e-foldings the ray is followed; where a → 0, w → 0 follows it
_FIT = 2e-4  # |x − x₀| up to which g' is taken from its first two terms at its zero x₀
_AGREE = 2e-13
_TRIALS = 9
_SAMPLES = 1500
_MOST_TURNS = 400
_NEGLIGIBLE = 1e-20
_ROUNDING_SQUARED = 1e-27
_SMALLEST = 1e-290


@dataclass(frozen=True)
class Branch:
    """An interval of z on which a is strictly monotone.

    Attributes
    ----------
    left, right : float
        Ends in z, the standard normal.
    value : callable
        a as a function of z.
    slope : callable
        da/dz.
    weight : float
        2 where the interval stands for its mirror image, too.
    limits : tuple of (float or None, float or None)
        The limit of a beyond an end at which the Gaussian, not the branch, was cut.
    """

    left: float
    right: float
    value: Callable[[Any], Any]
    slope: Callable[[Any], Any]
    weight: float
    limits: tuple[float | None, float | None] = (None, None)

    @cached_property
    def ends(self) -> tuple[float, float]:
        """Values of a at the left and at the right end."""
        first, last = self.value(np.array([self.left, self.right]))
        return float(first), float(last)

    @cached_property
    def span(self) -> tuple[float, float]:
        """Infimum and supremum of a."""
        found = [end if far is None else far for end, far in zip(self.ends, self.limits, strict=True)]
        low, high = sorted(found)
        # at a zero of g' that was found by bisection a is rounding squared
        return (0.0 if low < _ROUNDING_SQUARED * high else low), high


@dataclass(frozen=True)
class SlopeLaw:
    """The law of a = g'(√q z)².

    Attributes
    ----------
    name : str
    q : float
    nodes, weights : ndarray of complex
        E f(a) = Σ weights · f(nodes) for f analytic in the upper half-plane; the atoms come first.
    atoms : tuple of (float, float)
        Value and weight where g' is constant on a piece.
    branches : tuple of Branch
        The continuous part.
    error : float
        Largest relative difference between E a, E a² and E a/(μ₁ + a) from the nodes and from quadrature on
        the real line.
    """

    name: str
    q: float
    nodes: Complex
    weights: Complex
    atoms: tuple[tuple[float, float], ...]
    branches: tuple[Branch, ...]
    error: float

    @cached_property
    def mean(self) -> float:
        """μ₁ = E g'²."""
        return float(np.real(self.weights @ self.nodes))

    @cached_property
    def excess(self) -> Complex:
        """a/μ₁ − 1 at the nodes."""
        return np.asarray(self.nodes / self.mean - 1)

    @cached_property
    def relative(self) -> Complex:
        """a/μ₁ at the nodes."""
        return np.asarray(self.nodes / self.mean)

    def moment(self, k: int) -> float:
        """μ_k = E g'^{2k}."""
        return float(np.real(self.weights @ self.nodes**k))

    @cached_property
    def spread(self) -> float:
        """μ₂/μ₁² − 1, from centred values."""
        return float(np.real(self.weights @ self.excess**2))

    @cached_property
    def atom_at_zero(self) -> float:
        """P(a = 0)."""
        return sum(p for value, p in self.atoms if value == 0)

    @cached_property
    def on_or_off(self) -> float | None:
        """a/μ₁ − 1 = (1 − p)/p of the only atom that is not 0, where there is nothing else; else None."""
        on = [p for a, p in self.atoms if a > 0]
        if self.branches or len(on) != 1:
            return None
        return (1 - on[0]) / on[0]  # a/μ₁ − 1 would lose digits of it where p is near 1

    @cached_property
    def intervals(self) -> tuple[tuple[float, float], ...]:
        """The support as disjoint closed intervals in increasing order; a lone atom is one of length 0."""
        spans = sorted([(a, a) for a, _ in self.atoms] + [branch.span for branch in self.branches])
        merged: list[tuple[float, float]] = []
        for low, high in spans:
            if merged and low <= merged[-1][1] * (1 + 1e-12) + 1e-300:
                merged[-1] = merged[-1][0], max(high, merged[-1][1])
            else:
                merged.append((low, high))
        return tuple(merged)


def bernoulli(p: float) -> SlopeLaw:
    """Return the law of a fraction p of active units: 1 with weight p, else 0.

    Examples
    --------
    >>> bernoulli(0.25).spread
    3.0
    """
    if not 0 < p <= 1:
        raise InputError(f"the share of active units must be in (0, 1], got {p}")
    return _discrete(f"Bernoulli({p})", float("nan"), {0.0: 1 - p, 1.0: p})


def _discrete(name: str, q: float, atoms: dict[float, float]) -> SlopeLaw:
    kept = tuple(sorted((a, p) for a, p in atoms.items() if p > 0))
    values = np.array([a for a, _ in kept], dtype=np.complex128)
    weights = np.array([p for _, p in kept], dtype=np.complex128)
    return SlopeLaw(name, q, values, weights, kept, (), 0.0)


@lru_cache(maxsize=64)
def slope_law(activation: Activation, q: float) -> SlopeLaw:
    """Return the law of g'(√q z)² from the analytic pieces of g; the last ones asked for are kept.

    Parameters
    ----------
    activation : Activation
        With numbers for its parameters, and an expression.
    q : float
        Pre-activation variance, > 0.

    Raises
    ------
    InputError
        No expression, g' = 0 almost everywhere, or no continuation of a piece beside the real line.
    Divergent
        E g'² is infinite.

    Examples
    --------
    >>> from initmath.activation import resolve
    >>> law = slope_law(resolve("hardtanh"), 1.0)
    >>> [(a, round(p, 12)) for a, p in law.atoms]
    [(0.0, 0.317310507863), (1.0, 0.682689492137)]
    >>> round(slope_law(resolve("tanh"), 0.1).spread, 12)
    0.039709122524
    """
    scale = float(np.sqrt(q))
    x = activation.derivative.variable
    reach = _reach(activation, scale)
    mirrored = activation.parity in ("odd", "even")
    atoms: dict[float, float] = {}
    found: list[tuple[_Continuation, Branch]] = []
    for piece in activation.derivative.pieces:
        left = max(float(piece.lower) / scale, 0.0 if mirrored else -np.inf)
        right = float(piece.upper) / scale
        if left >= right or left > reach or right < -reach:
            continue
        share = 2.0 if mirrored else 1.0
        if not piece.expr.has(x):
            value = float(piece.expr) ** 2
            atoms[value] = atoms.get(value, 0.0) + share * _gaussian_mass(left, right)
            continue
        continuation = _Continuation(piece.expr, x, scale)
        for one in _monotone(continuation, left, right, reach, share):
            far = (
                _limit(activation, -1) if one.left == -reach else None,
                _limit(activation, +1) if one.right == reach else None,
            )
            found.append((continuation, replace(one, limits=far)))
    if not found and not any(a > 0 for a in atoms):
        raise InputError(f"{activation.name} has g' = 0 almost everywhere: J = 0 and there is no spectrum")
    mean = _mean(activation, q)
    branches = tuple(branch for _, branch in found)
    try:
        with np.errstate(all="ignore"):  # paths that leave the range of a double are refused
            parts = [_path(continuation, branch, reach) for continuation, branch in found]
    except _NoPath:
        raise InputError(_why_no_path(activation.name, q, reach, mean, branches)) from None
    discrete = _discrete(activation.name, q, atoms)
    nodes = np.concatenate([discrete.nodes, *(n for n, _ in parts)])
    weights = np.concatenate([discrete.weights, *(w for _, w in parts)])
    nodes.flags.writeable = weights.flags.writeable = False  # they are kept
    law = SlopeLaw(activation.name, q, nodes, weights, discrete.atoms, branches, 0.0)
    return _checked(law, activation, mean)


class _NoPath(Exception):
    """No path was found on which g'² stays in one half-plane."""


def _why_no_path(name: str, q: float, reach: float, mean: float, branches: tuple[Branch, ...]) -> str:
    far = [
        a for one in branches for z, a in zip((one.left, one.right), one.ends, strict=True) if abs(z) == reach
    ]
    if any(not mean * _SMALLEST < a < np.inf for a in far):
        return (
            f"g'² of {name} leaves the range of a double within the Gaussian at q = {q:.6g}: take a smaller q"
        )
    return f"no path beside the real line was found on which g'² of {name} stays in one half-plane"


def _limit(activation: Activation, side: int) -> float | None:
    """Limit of g'² at an infinity, else what it settles at in floats; None if it does not."""
    found = limit_at(activation.derivative, side)
    if found is not None:
        return float(found) ** 2
    with np.errstate(all="ignore"):
        far = activation.numpy(1)(side * np.array([1e30, 1e40, 1e50]))
    settled = bool(np.isfinite(far).all() and np.ptp(far) <= 1e-12 * np.abs(far).max())
    return float(far[-1]) ** 2 if settled else None


def _gaussian_mass(left: float, right: float) -> float:
    return float(ndtr(right) - ndtr(left)) if left < 0 else float(ndtr(-left) - ndtr(-right))


def _mean(activation: Activation, q: float) -> float:
    """E g'² by quadrature on the real line, which knows g' by another evaluator."""
    slope = activation.numpy(1)
    cuts = [float(c) for c in activation.pieces.breakpoints]
    mean = float(expectation(lambda x: slope(x) ** 2, q, cuts).value)
    if not np.isfinite(mean):
        raise Divergent(f"E g'² of {activation.name} is infinite at q = {q}: the Jacobian has no spectrum")
    if mean == 0:
        raise InputError(f"E g'² of {activation.name} underflows at q = {q}: choose another q")
    return mean


def _checked(law: SlopeLaw, activation: Activation, mean: float) -> SlopeLaw:
    """Compare with quadrature on the real line, E g'² among them."""
    slope = activation.numpy(1)
    if not law.nodes.size:
        raise Divergent(f"E g'² of {activation.name} was not found finite at q = {law.q}")
    cuts = [float(c) for c in activation.pieces.breakpoints]
    tests: list[tuple[Callable[[Any], Any], complex]] = [
        (lambda a: a / mean, complex(law.weights @ law.nodes) / mean),
        (lambda a: a / (mean + a), complex(law.weights @ (law.nodes / (mean + law.nodes)))),
        (lambda a: (a / mean) ** 2, complex(law.weights @ (law.nodes / mean) ** 2)),
        (lambda a: 1.0 + 0 * a, complex(law.weights.sum())),
    ]
    worst = 0.0
    for function, found in tests:
        wanted = float(expectation(lambda x, f=function: f(slope(x) ** 2), law.q, cuts).value)  # type: ignore[misc]
        if np.isfinite(wanted):
            worst = max(worst, abs(found - wanted) / abs(wanted))
    if not worst < 1e-8:
        raise NotEnclosed(f"the law of g'² of {law.name} at q = {law.q} is off by {worst:.1e}")
    return SlopeLaw(law.name, law.q, law.nodes, law.weights, law.atoms, law.branches, worst)


class _Continuation:
    """a and the logarithmic derivative of a' as functions of z = x/√q."""

    def __init__(self, slope: Any, x: Any, scale: float) -> None:
        self.scale = scale
        self.first: Analytic = analytic(slope, x)
        self.second: Analytic = analytic(slope.diff(x), x)
        self.third: Analytic = analytic(slope.diff(x, 2), x)

    def __call__(self, z: Any) -> Any:
        return self.first(self.scale * np.asarray(z)) ** 2

    def real(self, z: Any) -> Any:
        return np.real(self(z))

    def derivative(self, z: Any) -> Any:
        x = self.scale * np.asarray(z)
        return np.real(2 * self.scale * self.first(x) * self.second(x))

    def bend(self, z: Any) -> Any:
        """|a''/a'|."""
        x = self.scale * np.asarray(z)
        with np.errstate(all="ignore"):
            first, second, third = (np.real(f(x)) for f in (self.first, self.second, self.third))
            found = self.scale * np.abs(second / first + third / second)
        return np.where(np.isfinite(found), found, 0.0)


def _reach(activation: Activation, scale: float) -> float:
    """|z| up to which a² matters: beyond, φ(z) (1 + a²/μ₁²) is below 1e-17 of what it is at its best."""
    z = np.linspace(-FARTHEST, FARTHEST, 1481)
    with np.errstate(all="ignore"):
        a = activation.numpy(1)(scale * z) ** 2
        mean = np.average(a, weights=np.exp(-z * z / 2))
        if not (np.isfinite(mean) and mean > 0):
            return REACH
        log_weight = 2 * np.log1p(a / mean) - z * z / 2
    matters = np.isfinite(log_weight) & (log_weight > np.nanmax(log_weight) - 39.0)
    return float(min(FARTHEST, max(REACH, np.max(np.abs(z[matters]), initial=0.0))))


def _monotone(a: _Continuation, left: float, right: float, reach: float, share: float) -> list[Branch]:
    """Cut a piece where a' changes its sign."""
    low, high = max(left, -reach), min(right, reach)
    grid = _sampling(low, high, a.scale)
    inner = grid[1:-1]
    turns: list[float] = []
    for part in (a.first, a.second):

        def value(z: Any, f: Analytic = part) -> Any:
            return np.real(f(a.scale * np.asarray(z)))

        at = value(inner)
        seen = np.flatnonzero(np.isfinite(at) & (np.abs(at) > 1e-290))
        for i, j in pairwise(seen):
            if at[i] * at[j] < 0:
                turns.append(float(brentq(value, inner[i], inner[j], xtol=1e-15, rtol=1e-14)))
    if len(turns) > _MOST_TURNS:
        raise InputError(f"g'² turns more than {_MOST_TURNS} times within the Gaussian: choose a smaller q")
    bounds = [low, *sorted(turns), high]
    return [
        Branch(one, two, a.real, a.derivative, share) for one, two in pairwise(bounds) if two - one > 1e-13
    ]


def _sampling(low: float, high: float, scale: float) -> Real:
    """Points on the scale of z and on the scale of x."""
    uniform = np.linspace(low, high, _SAMPLES)
    far = np.arcsinh(max(abs(low), abs(high)) * scale)
    fine = np.sinh(np.linspace(-far, far, _SAMPLES)) / scale
    return np.unique(np.concatenate([uniform, fine[(fine > low) & (fine < high)]]))


def _path(a: _Continuation, branch: Branch, reach: float) -> tuple[Complex, Complex]:
    """Nodes and weights of one branch on a path that a maps into the lower half-plane."""
    pins = branch.left > -reach, branch.right < reach
    side = -1.0 if branch.ends[1] > branch.ends[0] else 1.0
    z, dz = _along(a, branch, pins, _on_the_line(a, branch, pins), 0.0)
    truth, size = _moments(z, dz, branch)
    for trial in range(_TRIALS):
        profile = _heights(a, branch, pins, 2.2 * 0.7**trial)
        z, dz = _along(a, branch, pins, profile, side)
        nodes = _values(a, branch, pins, z)
        weights = branch.weight * dz * np.exp(-z * z / 2) / np.sqrt(2 * np.pi)
        counts = np.abs(weights) * (1 + np.abs(nodes / size)) > _NEGLIGIBLE
        nodes, weights = nodes[counts], weights[counts]
        finite = np.isfinite(nodes) & np.isfinite(weights)
        if not finite.all() or (np.imag(nodes) > 1e-13 * np.abs(nodes))[np.abs(nodes) > 1e-80].any():
            continue
        if _close(_moments_of(nodes, weights, size), truth):
            return nodes, weights
    raise _NoPath


def _values(a: _Continuation, branch: Branch, pins: tuple[bool, bool], z: Complex) -> Complex:
    """Return a on the path; from c δᵖ(1 + κ δ) within a hair of a zero of g', where rounding would decide."""
    found = np.array(a(z))
    for pinned, end in zip(pins, (branch.left, branch.right), strict=True):
        if not pinned or end == 0 or not _vanishes(a, end):
            continue
        inward = 1.0 if end == branch.left else -1.0
        hair = _FIT / a.scale
        near = np.abs(z - end) < hair
        one, two = (complex(a.first(a.scale * (end + inward * k * hair))) for k in (1, 2))
        power = round(float(np.log2(abs(two / one))))
        bend = two / one / 2.0**power - 1
        kappa = bend / (1 - bend)  # (1 + 2κ)/(1 + κ) = 1 + bend
        ratio = inward * (z[near] - end) / hair
        found[near] = (one * ratio**power * (1 + kappa * ratio) / (1 + kappa)) ** 2
    return found


def _vanishes(a: _Continuation, end: float) -> bool:
    """Tell whether g' is 0 at the end of a branch."""
    return bool(np.abs(a(end)) < _ROUNDING_SQUARED * max(np.abs(a(end - 0.1)), np.abs(a(end + 0.1))))


def _close(found: Complex, wanted: Complex) -> bool:
    return bool(np.all(np.abs(found - wanted) <= _AGREE * np.abs(wanted) + 1e-16))


def _moments(z: Complex, dz: Complex, branch: Branch) -> tuple[Complex, float]:
    nodes = branch.value(np.real(z)) + 0j
    weights = branch.weight * dz * np.exp(-z * z / 2) / np.sqrt(2 * np.pi)
    size = float(np.real(weights @ nodes) / max(float(np.real(weights.sum())), 1e-300))
    return _moments_of(nodes, weights, size), size


def _moments_of(nodes: Complex, weights: Complex, size: float) -> Complex:
    part = nodes / size if size > 0 else nodes
    columns = (np.ones_like(part), part, part / (1 + part), 1 / (part - 1j - 1))
    return np.array([weights @ column for column in columns])


Profile = Callable[[float], float]


def _heights(a: _Continuation, branch: Branch, pins: tuple[bool, bool], boldness: float) -> Profile:
    """How far from the real line the path may go: |a''/a'| turns the direction of a' by height × |a''/a'|."""
    left, right = branch.left, branch.right
    fine = (right - left) * np.geomspace(1e-5, 0.5, 120)
    grid = np.unique(np.concatenate([_sampling(left, right, a.scale), left + fine, right - fine]))
    grid = grid[(grid > left) & (grid < right)]
    steepest = min(1.0, boldness)
    with np.errstate(divide="ignore"):
        height = np.minimum(steepest, boldness / a.bend(grid))
    for pinned, end in zip(pins, (left, right), strict=True):
        if pinned:
            # a straight ray at the end itself, where the bend is that of a power of the distance
            height = np.minimum(height, steepest * np.abs(grid - end))
    # nowhere steeper than that
    height = np.minimum.accumulate(height - steepest * grid) + steepest * grid
    height = np.minimum.accumulate((height + steepest * grid)[::-1])[::-1] - steepest * grid
    return lambda z: float(np.interp(z, grid, height))


def _on_the_line(a: _Continuation, branch: Branch, pins: tuple[bool, bool]) -> Profile:
    """Panel widths for the comparison integral on the real line, by the same rule as the path's heights."""
    widest = 0.2 * min(1.0, 1 / a.scale)

    def width(z: float) -> float:
        ends = [abs(z - end) for pinned, end in zip(pins, (branch.left, branch.right), strict=True) if pinned]
        return 0.5 * min([widest, *ends])

    return width


def _along(
    a: _Continuation, branch: Branch, pins: tuple[bool, bool], profile: Profile, side: float
) -> tuple[Complex, Complex]:
    """Nodes and weights in z: rays from pinned ends, between them panels no wider than the path is high."""
    left, right = branch.left, branch.right
    lengths = [_RAY * (right - left) * min(1.0, 4 * profile(left + 0.2 * (right - left)))] * 2
    start = left + lengths[0] if pins[0] else left
    stop = right - lengths[1] if pins[1] else right
    corners = _march(profile, start, stop, right - left)
    path = np.array([z + 1j * side * profile(z) for z in corners])
    t, w = np.polynomial.legendre.leggauss(_ORDER)
    middle, half = (path[1:] + path[:-1]) / 2, np.diff(path) / 2
    nodes: list[Any] = [(middle[:, None] + half[:, None] * t).ravel()]
    steps: list[Any] = [(half[:, None] * w).ravel()]
    for pinned, end, to, sign in ((pins[0], left, path[0], 1.0), (pins[1], right, path[-1], -1.0)):
        if pinned:
            depth = _DEEP if _vanishes(a, end) else _SHALLOW
            z, dz = _ray(end, complex(to), depth)
            nodes.append(z)
            steps.append(sign * dz)
    return np.concatenate(nodes), np.concatenate(steps)


_RAY = 1 / 64


def _march(profile: Profile, start: float, stop: float, span: float) -> list[float]:
    points = [start]
    while points[-1] < stop:
        here = points[-1]
        step = _STRIDE * profile(here)
        step = min(step, _STRIDE * max(profile(min(here + step, stop)), step / (4 * _STRIDE)))
        if step < 1e-9 * span or len(points) > _MOST_PANELS:
            raise InputError("the path beside the real line has too many panels: choose a smaller q")
        points.append(min(here + step, stop))
    return points


_MOST_PANELS = 20000


def _ray(end: float, to: complex, depth: float) -> tuple[Complex, Complex]:
    """From an end straight to a point of the path, Gauss-Legendre in the logarithm of the distance."""
    count = int(np.ceil(depth / _RAY_STRIDE))
    edges = np.linspace(-depth, 0.0, count + 1)
    t, w = np.polynomial.legendre.leggauss(_RAY_ORDER)
    half = np.diff(edges) / 2
    y = (edges[:-1] + half)[:, None] + half[:, None] * t
    distance = (to - end) * np.exp(y)
    tip = (to - end) * np.exp(-depth)
    return (
        np.append((end + distance).ravel(), end + tip / 2),
        np.append((half[:, None] * w * distance).ravel(), tip),
    )
