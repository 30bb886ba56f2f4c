r"""The components of the spectrum of unequal layers: found by a scan, ended by branch points, then resolved.

The coordinate is s with λ(s) = |z(−μ eˢ)|, the real monotone map of the negative line: it spreads the mass
evenly, over hundreds of decades if need be.  At an edge s is a quadratic function of τ.  F is known
in the gaps, too, so that a component between two points of the scan shows, and is looked for there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.polynomial import legendre
from numpy.typing import NDArray

from initmath.spectra.chain_equation import ChainEquation
from initmath.spectra.curve import place

__all__ = ["ChainComponent", "chain_components"]

Real = NDArray[np.float64]
Complex = NDArray[np.complex128]

_ORDER = 16
_NODES, _WEIGHTS = legendre.leggauss(_ORDER)
_ANALYSIS = ((2 * np.arange(_ORDER)[:, None] + 1) / 2) * _WEIGHTS * legendre.legvander(_NODES, _ORDER - 1).T
_SETTLED = 1e-10
_ROUNDING = 1e-14
_ROUNDS = 12
_HIGHEST = 45.0
_NOTHING = 2e-15  # a sum over the contour has rounding, too
_PER_UNIT = 2.5
_BULK = 121  # further points about the mean, in units of the standard deviation, up to _REACH
_REACH = 3.0
_MISSING = 1e-7  # of F between points off the spectrum
_FILL = 8
_MOST_HOLES = 20
_SECTIONS = 24
_FINEST = 9
_MARKED = 3  # sections after which an edge is taken to be where an atom begins or ends


@dataclass(frozen=True)
class Edge:
    """An end of a component.

    Attributes
    ----------
    log_lambda : float
    state : ndarray of complex, shape (groups,)
    branch_point : bool
        d log z/dt = 0 there; else the place where the roots inside the half-plane were seen to end.
    """

    log_lambda: float
    state: Complex
    branch_point: bool


@dataclass(frozen=True)
class ChainComponent:
    """An interval of the support without its atoms.

    Attributes
    ----------
    equation : ChainEquation
    log_ends : tuple of float
        log λ at the two ends; −inf or inf where a tail was cut.
    tau, log_lambda, cdf, density, measure : ndarray, shape (n,)
        Gauss nodes; log λ, F(λ), λρ(λ), and the mass of each: Σ measure · f(log λ) = ∫ f dμ.
    states : ndarray of complex, shape (groups, n)
    branch_points : tuple of bool
        Which edges are branch points.
    unsettled : float
        Largest last Legendre coefficient of what was integrated: the truncation error.
    """

    equation: ChainEquation
    log_ends: tuple[float, float]
    tau: Real
    log_lambda: Real
    cdf: Real
    density: Real
    measure: Real
    states: Complex
    branch_points: tuple[bool, bool]
    unsettled: float

    @cached_property
    def mass(self) -> float:
        """Mass of the component."""
        return float(self.measure.sum())

    def power_sum(self, k: int, log_scale: float) -> float:
        """∫ (λ/scale)ᵏ dμ."""
        return float(self.measure @ np.exp(k * (self.log_lambda - log_scale)))

    def solve(self, log_lambda: Real) -> Complex:
        """Return the states at λ strictly inside the component."""
        return solved(self.equation, np.asarray(log_lambda), self.log_lambda, self.states)

    def solve_cdf(self, p: Real) -> Real:
        """Return log λ with F(λ) = p, for p strictly between the values at the ends."""
        index = np.searchsorted(self.cdf, p)
        ends = [
            max(self.log_ends[0], self.log_lambda[0] - 50),
            min(self.log_ends[1], self.log_lambda[-1] + 50),
        ]
        reach = np.concatenate([ends[:1], self.log_lambda, ends[1:]])
        low, high = reach[index], reach[index + 1]
        x = np.clip(np.interp(p, self.cdf, self.log_lambda), low, high)
        for _ in range(_QUANTILE_STEPS):
            state = self.solve(x)
            m = self.equation.at(state).m
            miss = 1 - self.equation.upper(state, m) - p
            low, high = np.where(miss > 0, low, x), np.where(miss > 0, x, high)
            if np.all(np.abs(miss) <= 2e-15 * max(1, self.equation.depth / 10)):
                break
            with np.errstate(all="ignore"):
                new = x - miss * np.pi / -np.imag(m)
            x = np.where((new > low) & (new < high), new, (low + high) / 2)
        return np.asarray(x)


_QUANTILE_STEPS = 60


def solved(equation: ChainEquation, x: Real, known: Real, states: Complex) -> Complex:
    """Solve from interpolated states; where that fails, from the negative line."""
    guess = _interpolated(x, known, states)
    found, good = equation.newton(guess, np.asarray(x, dtype=np.complex128), 25)
    good &= equation.proper(found)
    if not good.all():
        start, _, _ = equation.negative(_invert(equation, x[~good]))
        found[:, ~good], _ = equation.follow(start, x[~good])
    return found


def _interpolated(x: Real, known: Real, states: Complex) -> Complex:
    rows = [np.interp(x, known, row.real) + 1j * np.interp(x, known, row.imag) for row in states]
    found: Complex = np.array(rows, dtype=np.complex128)
    turn = np.clip(np.imag(found), 1e-9, np.pi - 1e-9)
    return np.asarray(np.real(found) + 1j * turn, dtype=np.complex128)


def _invert(equation: ChainEquation, x: Real) -> Real:
    """Return s with log|z(−μ eˢ)| = x, by Newton's method inside a bracket."""
    low, high = np.full(x.shape, -600.0), np.full(x.shape, 600.0)
    s = np.clip((x - equation.log_mean) / max(1, equation.depth), -20, 20)
    for _ in range(80):
        _, value, slope = equation.negative(s)
        miss = value - x
        low, high = np.where(miss > 0, low, s), np.where(miss > 0, s, high)
        with np.errstate(all="ignore"):
            new = s - miss / slope
        new = np.where((new > low) & (new < high), new, (low + high) / 2)
        if np.all(np.abs(new - s) <= 1e-15 * (1 + np.abs(s))):
            break
        s = new
    return np.asarray(s)


def chain_components(
    equation: ChainEquation, marks: Sequence[tuple[float, float]]
) -> tuple[ChainComponent, ...]:
    """Find and resolve all components.

    Parameters
    ----------
    equation : ChainEquation
    marks : sequence of (float, float)
        log λ and weight of the positive atoms, those of weight 0 too (m is infinite): components end there.
    """
    x, states, inside = _scan(equation, marks)
    found: list[ChainComponent] = []
    start = 0
    runs: list[tuple[int, int]] = []
    for i in range(1, len(x) + 1):
        if i == len(x) or inside[i] != inside[start]:
            if inside[start]:
                runs.append((start, i - 1))
            start = i
    for number, (first, last) in enumerate(runs):
        low = high = None
        if first > 0 and (number > 0 or not _thin(equation, states[:, first - 1])):
            low = _edge(equation, x, states, first, first - 1, marks)
        if last < len(x) - 1 and (number < len(runs) - 1 or not _thin(equation, states[:, last + 1])):
            high = _edge(equation, x, states, last, last + 1, marks)
        ends = [low, *_cuts(equation, marks, x[first], x[last]), high]
        for left, right in pairwise(ends):
            part = slice(first, last + 1)
            found.append(_component(equation, left, right, x[part], states[:, part]))
    return tuple(found)


def _cuts(
    equation: ChainEquation, marks: Sequence[tuple[float, float]], low: float, high: float
) -> list[Edge]:
    nowhere = np.full(len(equation.groups), np.nan + 0j)
    return [Edge(at, nowhere, False) for at, _ in sorted(marks) if low < at < high]


def _scan(
    equation: ChainEquation, marks: Sequence[tuple[float, float]]
) -> tuple[Real, Complex, NDArray[np.bool_]]:
    """Points of the λ-axis, their states, and whether they are in the spectrum."""
    pivot = equation.groups[0].law
    s = np.arange(-700.0, 1.0, 0.5)
    positive = pivot.nodes != 0
    relative, weights = pivot.relative[positive], pivot.weights[positive]
    with np.errstate(all="ignore"):
        left = np.abs([np.sum(weights / (1 + relative * np.exp(-value))) for value in s])
    lowest = float(s[np.flatnonzero(left < _NOTHING)[-1]]) if (left < _NOTHING).any() else float(s[0])
    tops = [group.law.log_intervals[-1][1] for group in equation.groups]
    highest = min(_HIGHEST, 6 + float(np.log(1 + equation.spread) + max(tops)))
    s = np.linspace(lowest, highest, int(max(160, _PER_UNIT * (highest - lowest))))
    _, x, _ = equation.negative(s)
    # mean and deviation of the positive λ
    deviation = min(np.sqrt(max((1 + equation.spread) * equation.rank - 1, 1e-24)), 3.0)
    far = np.arcsinh(_REACH / deviation)
    bulk = equation.log_mean - np.log(equation.rank) + deviation * np.sinh(np.linspace(-far, far, _BULK))
    s = np.sort(np.concatenate([s, np.interp(bulk[(bulk > x[0]) & (bulk < x[-1])], x, s)]))
    start, x, _ = equation.negative(s)
    states, inside = equation.follow(start, x)
    for _ in range(_FILL):
        holes = _holes(equation, marks, x, states, inside)
        if not 0 < holes.size <= _MOST_HOLES:
            break
        more = np.concatenate([np.linspace(s[i], s[i + 1], _FILL + 2)[1:-1] for i in holes])
        start, at, _ = equation.negative(more)
        new, seen = equation.follow(start, at)
        order = np.argsort(np.concatenate([s, more]))
        s, x = np.concatenate([s, more])[order], np.concatenate([x, at])[order]
        states, inside = np.hstack([states, new])[:, order], np.concatenate([inside, seen])[order]
    return x, states, inside


def _holes(
    equation: ChainEquation,
    marks: Sequence[tuple[float, float]],
    x: Real,
    states: Complex,
    inside: NDArray[np.bool_],
) -> NDArray[np.intp]:
    """Return neighbours off the spectrum between which F grows by more than the atoms: a missed component."""
    above = equation.upper(states, equation.at(states).m)
    grown = above[:-1] - above[1:]
    for at, weight in marks:
        grown = grown - weight * ((x[:-1] <= at) & (at < x[1:]))
    return np.flatnonzero(~inside[:-1] & ~inside[1:] & (np.abs(grown) > _MISSING))


def _edge(
    equation: ChainEquation,
    x: Real,
    states: Complex,
    inner: int,
    outer: int,
    marks: Sequence[tuple[float, float]],
) -> Edge:
    """Narrow the gap between a point inside and one outside, then go to the branch point."""
    state_in, state_out = states[:, inner], states[:, outer]
    x_in, x_out = float(x[inner]), float(x[outer])
    s_in, s_out = (float(value) for value in _invert(equation, np.array([x_in, x_out])))
    for count in range(_FINEST):
        if count == _MARKED:
            held = _cuts(equation, marks, min(x_in, x_out) - 1e-10, max(x_in, x_out) + 1e-10)
            if held:
                return held[0]
        if count:
            found = _branch_point(equation, state_in, state_out, sorted((x_in, x_out)))
            if found is not None:
                return found
        s = np.linspace(s_in, s_out, _SECTIONS + 1)[1:-1]
        begin, at, _ = equation.negative(s)
        state, good = equation.follow(begin, at)
        last = int(np.argmin(good)) if not good.all() else len(good)
        if last > 0:
            x_in, s_in, state_in = float(at[last - 1]), float(s[last - 1]), state[:, last - 1]
        if last < len(good):
            x_out, s_out, state_out = float(at[last]), float(s[last]), state[:, last]
    return Edge((x_in + x_out) / 2, _on_line(state_in), False)


def _on_line(state: Complex) -> Complex:
    return np.asarray(np.real(state), dtype=np.complex128)


def _branch_point(
    equation: ChainEquation, state_in: Complex, state_out: Complex, bracket: list[float]
) -> Edge | None:
    """Where d log z/dt₀ = 0 on the real line, the groups matching; None where the slope does not change."""
    from scipy.optimize import brentq

    sides = np.where(np.imag(state_out) > np.pi / 2, np.pi, 0.0)
    home = _gaps(equation, np.real(state_out), sides)
    if home is None:
        return None
    known = {float(np.real(state_out[0])): np.real(state_out)}

    def descent(s: float) -> float:
        """Slope, or NaN where a group leaves its gap of the support."""
        nearest = known[min(known, key=lambda other: abs(other - s))]
        guess = np.append(s, nearest[1:])[:, None] + 1j * sides[:, None]
        for _ in range(_STEPS):
            step = np.real(equation.at(guess).step)
            if not np.isfinite(step).all():
                return np.nan
            guess[1:] += np.clip(step, -0.5, 0.5)
            if np.abs(step).max(initial=0.0) < 1e-15 * (1 + np.abs(guess).max()):
                break
        value = equation.at(guess)
        line = np.real(guess[:, 0])
        if np.abs(value.miss).max(initial=0.0) > 1e-9 or _gaps(equation, line, sides) != home:
            return np.nan
        known[s] = line
        return float(np.real(value.slope[0]))

    start, stride = float(np.real(state_out[0])), float(np.real(state_in[0] - state_out[0]))
    before, after = descent(start), np.nan
    for _ in range(8):
        after = descent(start + stride)
        if np.isfinite(after) and (after > 0) != (before > 0):
            break
        stride *= 2 if np.isfinite(after) else 0.5
    if not (np.isfinite(before) and np.isfinite(after) and before * after < 0):
        return None
    root = float(brentq(descent, start, start + stride, xtol=1e-15, rtol=1e-14))
    if not np.isfinite(descent(root)):
        return None
    state = known[root] + 1j * sides
    value = equation.at(state[:, None])
    at = float(np.real(value.log_z[0]))
    slack = 1e-9 * (1 + abs(at))
    small = abs(value.slope[0]) < 1e-3 * (abs(before) + abs(after))
    return Edge(at, state, True) if small and bracket[0] - slack <= at <= bracket[1] + slack else None


_STEPS = 30


def _gaps(equation: ChainEquation, line: Real, sides: Real) -> tuple[int, ...] | None:
    """Return the number of the gap of a_g that each w_g is in, −1 for w_g < 0; None inside a support."""
    found = []
    for group, s, side in zip(equation.groups, line, sides, strict=True):
        if side > 0:
            found.append(-1)
            continue
        if any(low < s < high for low, high in group.law.log_intervals):
            return None
        found.append(sum(low <= s for low, _ in group.law.log_intervals))
    return tuple(found)


def _thin(equation: ChainEquation, state: Complex) -> bool:
    """Tell whether a point that looks empty is in the spectrum, with a density below rounding."""
    sides = np.where(np.imag(state) > np.pi / 2, np.pi, 0.0)
    return _gaps(equation, np.real(state), sides) is None


def _component(
    equation: ChainEquation, left: Edge | None, right: Edge | None, x: Real, states: Complex
) -> ChainComponent:
    low_end = float(x[0]) if left is None else left.log_lambda
    high_end = float(x[-1]) if right is None else right.log_lambda
    low, high = (float(value) for value in _invert(equation, np.array([low_end, high_end])))
    edges = left is not None, right is not None
    known = (x > low_end) & (x < high_end)
    x, states = x[known], states[:, known]
    for edge, first in ((left, True), (right, False)):
        if edge is not None and np.isfinite(edge.state).all():
            place_of = 0 if first else len(x)
            x = np.insert(x, place_of, edge.log_lambda)
            states = np.insert(states, place_of, edge.state, axis=1)
    panels = np.linspace(0, 1, max(4, int(np.ceil((high - low) / 6))) + 1)
    lefts, rights = panels[:-1], panels[1:]
    kept: list[dict[str, Any]] = []
    unsettled = 0.0
    for count in range(_ROUNDS):
        part = _sampled(equation, (low, high), edges, lefts, rights, (x, states))
        order = np.argsort(np.concatenate([x, part["log_lambda"]]), kind="stable")
        x = np.concatenate([x, part["log_lambda"]])[order]
        states = np.hstack([states, part["states"]])[:, order]
        rough = _roughness(part, equation.log_mean, 1 + equation.spread)
        good = rough <= max(_SETTLED, _ROUNDING * equation.depth)
        if count == _ROUNDS - 1:
            unsettled, good = float(rough.max()), np.ones_like(good)
        chosen = np.repeat(good, _ORDER)
        kept.append({key: value[..., chosen] for key, value in part.items()})
        if good.all():
            break
        lefts, rights = lefts[~good], rights[~good]
        middle = (lefts + rights) / 2
        lefts, rights = np.concatenate([lefts, middle]), np.concatenate([middle, rights])
    order = np.argsort(np.concatenate([part["tau"] for part in kept]))
    column = {key: np.concatenate([part[key] for part in kept], axis=-1)[..., order] for key in kept[0]}
    return ChainComponent(
        equation,
        (-np.inf if left is None else low_end, np.inf if right is None else high_end),
        column["tau"],
        column["log_lambda"],
        column["cdf"],
        column["density"],
        column["measure"],
        column["states"],
        (left is not None and left.branch_point, right is not None and right.branch_point),
        unsettled,
    )


def _sampled(
    equation: ChainEquation,
    ends: tuple[float, float],
    edges: tuple[bool, bool],
    left: Real,
    right: Real,
    known: tuple[Real, Complex],
) -> dict[str, Any]:
    tau = ((left + right)[:, None] / 2 + (right - left)[:, None] / 2 * _NODES).ravel()
    step = ((right - left)[:, None] / 2 * _WEIGHTS).ravel()
    s, speed = place(*ends, edges, tau)
    _, x, slope = equation.negative(s)
    states = solved(equation, x, *known)
    m = equation.at(states).m
    seen = equation.proper(states)
    density = np.where(seen, np.maximum(-np.imag(m) / np.pi, 0), 0.0)
    integrand = density * slope * speed
    return {
        "tau": tau,
        "states": states,
        "log_lambda": x,
        "cdf": 1 - equation.upper(states, m),
        "density": density,
        "measure": integrand * step,
        "integrand": integrand,
        "width": np.repeat(right - left, _ORDER),
    }


def _roughness(part: dict[str, Any], log_mean: float, second: float) -> Real:
    """Last Legendre coefficients of the integrands of mass and two moments, panel by panel."""
    ratio = np.exp(np.minimum(part["log_lambda"] - log_mean, 300))
    worst = np.zeros(len(ratio) // _ORDER)
    for power, total in ((0, 1.0), (1, 1.0), (2, second)):
        values = (part["integrand"] * part["width"] * ratio**power).reshape(-1, _ORDER)
        worst = np.maximum(worst, np.abs(values @ _ANALYSIS[-2:].T).max(axis=1) / total)
    return np.asarray(worst)
