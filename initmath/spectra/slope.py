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
from scipy.special import ndtr

from initmath.activation import Activation
from initmath.activation.asymptotics import limit_at
from initmath.errors import Divergent, InputError, NotEnclosed
from initmath.quadrature import expectation
from initmath.spectra.analytic import Analytic, analytic
from initmath.spectra.crossings import crossings

__all__ = ["Branch", "SlopeLaw", "bernoulli", "slope_law"]

Real = NDArray[np.float64]
Complex = NDArray[np.complex128]

REACH = 8.8
"""|z| beyond which there is 1e-18 of a Gaussian."""

FARTHEST = 37.0
"""|z| beyond which the Gaussian density leaves the range of a double."""

_ORDER = 12  # Gauss-Legendre nodes a panel
_STRIDE = 1.3  # panel width over the height of the path
# on a straight ray from a pinned end: nodes, and width of panels in its logarithm (over the order of a zero)
_RAY_ORDER, _RAY_STRIDE = 24, 2.3
_SHALLOW, _DEEP = 18.0, 39.0  # how many e-foldings the ray is followed; where a → 0, w → 0 follows it
_FIT = 2e-4  # |x − x₀| up to which g' is taken from its first two terms at its zero x₀
_TURN = 8 / np.pi  # so that arg a stays beyond −π/2 on the path, away from positive and from negative w
_AGREE, _BEARABLE = 2e-13, 1e-9
_PROBES = 8
_TAIL = 7.0  # |z| beyond which there is 1e-12 of a Gaussian
_FALL = 200.0
_ROUNDING = 1e-16
_EQUAL = 1e-17
_TRIALS = 9
_SAMPLES = 1500
_MOST_TURNS = 400
_NEGLIGIBLE = 1e-20
_LOG_ROUNDING_SQUARED = float(np.log(1e-27))
_LOG_LARGEST = 700.0
_LOG_NOISE = float(np.log(1e-80))  # of log a below which it may be rounding at a zero of g'


@dataclass(frozen=True)
class Branch:
    """An interval of z on which a is strictly monotone.

    Attributes
    ----------
    left, right : float
        Ends in z, the standard normal.
    log_value : callable
        log a as a function of z: a itself may leave the range of a double.
    log_slope : callable
        d log a/dz.
    weight : float
        2 where the interval stands for its mirror image, too.
    log_limits : tuple of (float or None, float or None)
        The limit of log a beyond an end at which the Gaussian, not the branch, was cut.
    """

    left: float
    right: float
    log_value: Callable[[Any], Any]
    log_slope: Callable[[Any], Any]
    weight: float
    log_limits: tuple[float | None, float | None] = (None, None)

    @cached_property
    def log_ends(self) -> tuple[float, float]:
        """Log a at the left and at the right end."""
        first, last = self.log_value(np.array([self.left, self.right]))
        return float(first), float(last)

    @cached_property
    def log_span(self) -> tuple[float, float]:
        """Log of the infimum and of the supremum of a."""
        found = [end if far is None else far for end, far in zip(self.log_ends, self.log_limits, strict=True)]
        low, high = sorted(found)
        # at a zero of g' that was found by bisection a is rounding squared
        return (-np.inf if low < _LOG_ROUNDING_SQUARED + high else low), high


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
    logs : ndarray of complex, optional
        log a at the nodes, where a is below the range of a double.
    drift : float
        Largest difference of E ε/(ε + a) and E ε/(ε + ia), ε over the range of a, between the path and the
        real line; a law of L layers has L times that.
    """

    name: str
    q: float
    nodes: Complex
    weights: Complex
    atoms: tuple[tuple[float, float], ...]
    branches: tuple[Branch, ...]
    error: float
    logs: Complex | None = None
    drift: float = 0.0

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

    @cached_property
    def log_relative(self) -> Complex:
        """Log of a/μ₁ at the nodes; −inf where a = 0."""
        with np.errstate(divide="ignore"):
            logs = np.log(self.nodes) if self.logs is None else self.logs
        return np.asarray(logs - np.log(self.mean))

    def in_unit(self, log_unit: float, most: float) -> tuple[Complex, Real]:
        """Return a/(μ₁ unit), at most e^most in size, and the log of what was taken off; both are kept."""
        if log_unit not in self._units:
            logs = self.log_relative - log_unit
            beyond = np.maximum(logs.real - most, 0)
            self._units[log_unit] = np.exp(logs - beyond), beyond
        return self._units[log_unit]

    @cached_property
    def _units(self) -> dict[float, tuple[Complex, Real]]:
        return {}

    @cached_property
    def lowest(self) -> float:
        """The least log a/μ₁ of a node with a > 0."""
        logs = self.log_relative.real
        return float(np.min(logs[logs > -np.inf]))

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

    def log_quantile(self, mass: float) -> float:
        """Log a/μ₁ of a node below which there is at most ``mass`` of the positive a."""
        logs, weights = self.log_relative.real, np.abs(self.weights)
        order = np.argsort(logs)
        order = order[logs[order] > -np.inf]
        below = np.cumsum(weights[order])
        return float(logs[order][min(int(np.searchsorted(below, mass)), len(order) - 1)])

    @cached_property
    def log_intervals(self) -> tuple[tuple[float, float], ...]:
        """The support in log(a/μ₁) as disjoint closed intervals, increasing; a lone atom has length 0."""
        log_mean = float(np.log(self.mean))
        with np.errstate(divide="ignore"):
            spans = [(float(np.log(a / self.mean)),) * 2 for a, _ in self.atoms]
        spans += [(low - log_mean, high - log_mean) for low, high in (b.log_span for b in self.branches)]
        merged: list[tuple[float, float]] = []
        for low, high in sorted(spans):
            if merged and low <= merged[-1][1] + 1e-12:
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
            found.append((continuation, replace(one, log_limits=far)))
    if not found and not any(a > 0 for a in atoms):
        raise InputError(f"{activation.name} has g' = 0 almost everywhere: J = 0 and there is no spectrum")
    mean = _mean(activation, q)
    branches = tuple(branch for _, branch in found)
    try:
        with np.errstate(all="ignore"):  # paths that leave the range of a double are refused
            parts = [_path(continuation, branch, reach) for continuation, branch in found]
    except _TooManyPanels:
        raise InputError(
            f"g'² of {activation.name} varies too fast within the Gaussian at q = {q:.6g} (too many panels): "
            "take a smaller q"
        ) from None
    except _NoPath:
        raise InputError(_why_no_path(activation.name, q, branches)) from None
    discrete = _discrete(activation.name, q, atoms)
    with np.errstate(divide="ignore"):
        logs = np.concatenate([np.log(discrete.nodes), *(path.logs for path in parts)])
    nodes = np.concatenate([discrete.nodes, np.exp(logs[len(discrete.nodes) :])])
    weights = np.concatenate([discrete.weights, *(path.weights for path in parts)])
    nodes.flags.writeable = weights.flags.writeable = logs.flags.writeable = False  # they are kept
    drift = float(sum(path.miss * abs(path.weights.sum()) for path in parts))
    law = SlopeLaw(activation.name, q, nodes, weights, discrete.atoms, branches, 0.0, logs, drift)
    return _checked(law, activation, mean)


class _NoPath(Exception):
    """No path was found on which g'² stays in one half-plane."""


class _TooManyPanels(_NoPath):
    """G'² falls so fast that a path follows it only in tiny steps."""


def _why_no_path(name: str, q: float, branches: tuple[Branch, ...]) -> str:
    if any(np.isnan(end) for branch in branches for end in branch.log_ends):
        return (
            f"g' of {name} has a removable singularity where doubles give 0/0, and its continuation beside "
            "the real line is not implemented: no spectrum"
        )
    if any(not max(branch.log_ends) < _LOG_LARGEST for branch in branches):
        return (
            f"g'² of {name} exceeds the range of a double within the Gaussian at q = {q:.6g}: "
            "take a smaller q"
        )
    return (
        f"no path beside the real line was found on which g'² of {name} stays in one half-plane at "
        f"q = {q:.6g}: take a smaller q"
    )


def _limit(activation: Activation, side: int) -> float | None:
    """Limit of log g'² at an infinity, else what it settles at in floats; None if it does not."""
    found = limit_at(activation.derivative, side)
    with np.errstate(all="ignore"):
        if found is not None:
            return 2 * float(np.log(np.abs(np.float64(found))))
        far = activation.numpy(1)(side * np.array([1e30, 1e40, 1e50]))
        settled = bool(np.isfinite(far).all() and np.ptp(far) <= 1e-12 * np.abs(far).max())
        return 2 * float(np.log(np.abs(far[-1]))) if settled else None


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
        real = expectation(lambda x, f=function: f(slope(x) ** 2), law.q, cuts)  # type: ignore[misc]
        wanted = float(real.value)
        if np.isfinite(wanted):
            worst = max(worst, abs(found - wanted) / abs(wanted))
    if not worst < 1e-8:
        raise NotEnclosed(f"the law of g'² of {law.name} at q = {law.q} is off by {worst:.1e}")
    return replace(law, error=worst)


class _Continuation:
    """a and the logarithmic derivative of a' as functions of z = x/√q."""

    def __init__(self, slope: Any, x: Any, scale: float) -> None:
        self.scale = scale
        self.first: Analytic = analytic(slope, x)
        self.second: Analytic = analytic(slope.diff(x), x)
        self.third: Analytic = analytic(slope.diff(x, 2), x)

    def log(self, z: Any) -> Any:
        """Log a, principal."""
        with np.errstate(all="ignore"):
            return (self.first(self.scale * np.asarray(z)) ** 2).log

    def real_log(self, z: Any) -> Any:
        return np.real(self.log(z))

    def log_slope(self, z: Any) -> Any:
        """Return d log a/dz."""
        x = self.scale * np.asarray(z)
        with np.errstate(all="ignore"):
            return np.real(2 * self.scale * (self.second(x) / self.first(x)).value)

    def bend(self, z: Any) -> Any:
        """|a''/a'|, or 4 |a'/πa| where that is larger."""
        x = self.scale * np.asarray(z)
        with np.errstate(all="ignore"):
            first, second, third = self.first(x), self.second(x), self.third(x)
            steep = (second / first).value
            found = self.scale * np.abs([steep + (third / second).value, _TURN * steep])
        return np.where(np.isfinite(found), found, 0.0).max(axis=0)


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
            """Has the sign of g', or of g'', where those leave the range of a double, too."""
            return np.real(f(a.scale * np.asarray(z)).mantissa)

        at = value(inner)
        seen = np.flatnonzero(np.isfinite(at) & (at != 0))
        turn = np.flatnonzero(np.diff(np.sign(at[seen])))
        turns += crossings(value, inner[seen[turn]], inner[seen[turn + 1]]).tolist()
    if len(turns) > _MOST_TURNS:
        raise InputError(f"g'² turns more than {_MOST_TURNS} times within the Gaussian: choose a smaller q")
    bounds = [low, *sorted(turns), high]
    return [
        Branch(one, two, a.real_log, a.log_slope, share) for one, two in pairwise(bounds) if two - one > 1e-13
    ]


def _sampling(low: float, high: float, scale: float) -> Real:
    """Points on the scale of z and on the scale of x."""
    uniform = np.linspace(low, high, _SAMPLES)
    far = np.arcsinh(max(abs(low), abs(high)) * scale)
    fine = np.sinh(np.linspace(-far, far, _SAMPLES)) / scale
    return np.unique(np.concatenate([uniform, fine[(fine > low) & (fine < high)]]))


def _path(a: _Continuation, branch: Branch, reach: float) -> _Path:
    """Follow one branch on a path that a maps into the lower half-plane."""
    pins = branch.left > -reach, branch.right < reach
    side = -1.0 if branch.log_ends[1] > branch.log_ends[0] else 1.0
    branch, beyond = _shortened(branch, pins)
    z, dz = _along(a, branch, pins, _heights(a, branch, pins, 1.0), 0.0)
    logs = branch.log_value(np.real(z)) + 0j
    weights = branch.weight * dz * np.exp(-z * z / 2) / np.sqrt(2 * np.pi)
    size = float(np.real(weights @ np.exp(logs)) / max(float(np.real(weights.sum())), 1e-300))
    probes = _probes(branch)
    truth = _moments_of(logs, weights, size, probes)
    best = _Path(logs[:0], weights[:0], _BEARABLE)
    for trial in range(_TRIALS):
        profile = _heights(a, branch, pins, 2.2 * 0.7**trial)
        try:
            z, dz = _along(a, branch, pins, profile, side)
        except _TooManyPanels:
            break
        logs = _values(a, branch, pins, z)
        weights = branch.weight * dz * np.exp(-z * z / 2) / np.sqrt(2 * np.pi)
        counts = _counts(logs, weights, size)
        logs, weights = logs[counts], weights[counts]
        finite = np.isfinite(logs) & np.isfinite(weights)
        if not finite.all() or (np.sin(logs.imag) > 1e-13)[logs.real > _LOG_NOISE].any():
            continue
        miss = np.abs(_moments_of(logs, weights, size, probes) - truth)
        # the parts of the resolvent are at most the weight; next to 1e-16 of everything none counts
        least = np.maximum(np.abs(truth), truth[0].real) + _ROUNDING / _AGREE
        path = _Path(logs, weights, float(np.max(miss / least)))
        best = path if path.miss < best.miss else best
        if path.miss <= _AGREE:
            break
    if not best.miss < _BEARABLE:
        raise _NoPath
    return best.merged(beyond)


def _counts(logs: Complex, weights: Complex, size: float) -> NDArray[np.bool_]:
    """Tell which nodes matter to E 1, E a or E a²."""
    part, mass = np.exp(logs.real) / size, np.abs(weights)
    return np.asarray((mass * (1 + part) > _NEGLIGIBLE) | (mass * part**2 > _NEGLIGIBLE * (mass @ part**2)))


@dataclass(frozen=True)
class _Path:
    """Log a and weights at its nodes, and the largest difference from sums on the real line."""

    logs: Complex
    weights: Complex
    miss: float

    def merged(self, beyond: tuple[tuple[float, float], ...]) -> _Path:
        """Take neighbours with one value together (g' has reached its limit to rounding); add lone points."""
        logs, weights = self.logs, self.weights
        if logs.size:
            new = np.abs(np.diff(logs)) > _EQUAL
            starts = np.concatenate([[0], np.flatnonzero(new) + 1])
            logs, weights = logs[starts], np.add.reduceat(weights, starts)
        more = np.array(beyond, dtype=np.complex128).reshape(-1, 2)
        return replace(self, logs=np.append(logs, more[:, 0]), weights=np.append(weights, more[:, 1]))


def _shortened(branch: Branch, pins: tuple[bool, bool]) -> tuple[Branch, tuple[tuple[float, float], ...]]:
    """Cut a tail with 1e-12 of the mass in which a falls by hundreds of e-foldings.

    Returns log a and weight of the point that stands for it.
    """
    low_left = branch.log_ends[0] < branch.log_ends[1]
    end = branch.left if low_left else branch.right
    cut = float(np.copysign(_TAIL, end))
    if pins[0 if low_left else 1] or not branch.left < cut < branch.right:
        return branch, ()
    at = float(branch.log_value(np.array([cut]))[0])
    if not min(branch.log_ends) < at - _FALL:
        return branch, ()
    weight = branch.weight * float(ndtr(-_TAIL) - ndtr(-abs(end)))
    return (replace(branch, left=cut) if low_left else replace(branch, right=cut)), ((at, weight),)


def _probes(branch: Branch) -> Real:
    """Log ε over the range of a, for E ε/(ε + a) and E ε/(ε + ia): the resolvent on w = −ε and on w = iε."""
    shares = np.concatenate([np.linspace(0, 1, _PROBES + 2)[1:-1], [1e-4, 1e-2, 1 - 1e-2, 1 - 1e-4]])
    found = branch.log_value(branch.left + shares * (branch.right - branch.left))
    return np.asarray(found[np.isfinite(found)])


def _values(a: _Continuation, branch: Branch, pins: tuple[bool, bool], z: Complex) -> Complex:
    """Return log a; from c δᵖ(1 + κ δ) within a hair of a zero of g', where rounding would decide."""
    found = np.array(a.log(z))
    for pinned, end in zip(pins, (branch.left, branch.right), strict=True):
        if not pinned or end == 0 or not _vanishes(a, end):
            continue
        inward = 1.0 if end == branch.left else -1.0
        hair = _FIT * min(1 / a.scale, branch.right - branch.left)
        near = np.abs(z - end) < hair
        one, two = (complex(a.log(end + inward * k * hair)) for k in (1, 2))
        power = _order(a, end, inward * hair)
        bend = np.exp((two - one) / 2 - power * np.log(2.0)) - 1
        kappa = bend / (1 - bend)  # (1 + 2κ)/(1 + κ) = 1 + bend
        ratio = inward * (z[near] - end) / hair
        found[near] = one + np.log((ratio**power * (1 + kappa * ratio) / (1 + kappa)) ** 2)
    return found


def _order(a: _Continuation, end: float, hair: float) -> int:
    """Order of the zero of g' at the end of a branch, 1 where there is none (and a − a(end) is a square)."""
    if not _vanishes(a, end):
        return 1
    one, two = (float(a.real_log(end + k * hair)) for k in (1, 2))
    return max(1, round((two - one) / (2 * np.log(2.0)))) if np.isfinite(two - one) else 1


def _vanishes(a: _Continuation, end: float) -> bool:
    """Tell whether g' is 0 at the end of a branch."""
    here, *beside = (float(a.real_log(z)) for z in (end, end - 0.1, end + 0.1))
    return here < _LOG_ROUNDING_SQUARED + float(np.nanmax(beside))


def _moments_of(logs: Complex, weights: Complex, size: float, probes: Real) -> Complex:
    part = np.exp(logs) / size
    with np.errstate(over="ignore"):
        ratio = np.exp(np.minimum(logs.real - probes[:, None], _LOG_LARGEST) + 1j * logs.imag)
    columns = (np.ones_like(part), part, part / (1 + part), *(1 / (1 + ratio)), *(1 / (1 + 1j * ratio)))
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
            hair = sign * _FIT * min(1 / a.scale, right - left)
            z, dz = _ray(end, complex(to), depth, _RAY_STRIDE / _order(a, end, hair))
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
            raise _TooManyPanels
        points.append(min(here + step, stop))
    return points


_MOST_PANELS = 20000


def _ray(end: float, to: complex, depth: float, stride: float) -> tuple[Complex, Complex]:
    """From an end straight to a point of the path, Gauss-Legendre in the logarithm of the distance."""
    count = int(np.ceil(depth / stride))
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
