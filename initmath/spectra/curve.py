r"""One component of the spectrum as a curve w(τ), resolved by piecewise Legendre expansions.

On the boundary curve w = μ₁ e^{s + iθ(s)} everything is explicit: λ = z(w), λρ(λ) = −Im m/π, the distribution
function, and dλ.  At an edge λ − λ_e ~ (w − w_e)², so s is a quadratic function of τ there and all of them
are smooth in τ.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.polynomial import legendre
from numpy.typing import NDArray

from initmath.spectra.uniform import UniformEquation

__all__ = ["Component", "component"]

Real = NDArray[np.float64]
Complex = NDArray[np.complex128]

_ORDER = 16
_SETTLED = 1e-10
_ROUNDS = 24
_MOST_PANELS = 600
_ROUNDING = 1e-14
_NEGLIGIBLE = 1e-16
_NODES, _WEIGHTS = legendre.leggauss(_ORDER)
_ANALYSIS = ((2 * np.arange(_ORDER)[:, None] + 1) / 2) * _WEIGHTS * legendre.legvander(_NODES, _ORDER - 1).T


@dataclass(frozen=True)
class Component:
    """An interval of the support without its atoms.

    Attributes
    ----------
    equation : UniformEquation
    ends : tuple of float
        s at the ends of the component; ±inf where it has no edge.
    low, high : float
        s at the ends that are followed.
    edges : tuple of bool
        Which of them are edges, not where a tail was cut.
    tau : ndarray, shape (n,)
        Gauss nodes, increasing.
    panels : ndarray, shape (p + 1,)
        Ends of the panels in τ.
    t : ndarray of complex, shape (n,)
    log_lambda, cdf, density, measure : ndarray, shape (n,)
        log λ, F(λ), λρ(λ), and the mass of each node: Σ measure · f(log λ) = ∫ f dμ.
    unsettled : float
        Largest last Legendre coefficient of what was integrated: the truncation error.
    """

    equation: UniformEquation
    ends: tuple[float, float]
    low: float
    high: float
    edges: tuple[bool, bool]
    tau: Real
    panels: Real
    t: Complex
    log_lambda: Real
    cdf: Real
    density: Real
    measure: Real
    unsettled: float

    @cached_property
    def mass(self) -> float:
        """Mass of the component."""
        return float(self.measure.sum())

    @cached_property
    def log_ends(self) -> tuple[float, float]:
        """Log λ at the two ends; −inf or inf where there is no edge."""
        ends = np.array(self.ends)
        with np.errstate(all="ignore"):
            at = np.real(self.equation.at(ends + 0j, phase=False).log_z)
        # an edge at an atom of a, where M is infinite and u the atom's value
        at = np.where(np.isfinite(at), at, self.equation.depth * (self.equation.log_scale + ends))
        return (
            float(at[0]) if np.isfinite(ends[0]) else -np.inf,
            float(at[1]) if np.isfinite(ends[1]) else np.inf,
        )

    def power_sum(self, k: int, log_scale: float) -> float:
        """∫ (λ/scale)ᵏ dμ."""
        return float(self.measure @ np.exp(k * (self.log_lambda - log_scale)))

    def place(self, tau: Real) -> tuple[Real, Real]:
        """Return s(τ) and ds/dτ."""
        return place(self.low, self.high, self.edges, tau)

    def _theta(self, tau: Real) -> Real:
        """Interpolate θ, by the panel's Legendre series."""
        panel = np.clip(np.searchsorted(self.panels, tau, side="right") - 1, 0, len(self.panels) - 2)
        left, right = self.panels[panel], self.panels[panel + 1]
        local = np.clip((2 * tau - left - right) / (right - left), -1, 1)
        found = np.sum(legendre.legvander(local, _ORDER - 1) * self._series[panel], axis=1)
        return np.asarray(np.clip(found, 1e-12, np.pi * (1 - 1e-12)))

    @cached_property
    def _series(self) -> Real:
        return np.asarray(np.imag(self.t).reshape(-1, _ORDER) @ _ANALYSIS.T)

    def solve(self, log_lambda: Real) -> Complex:
        """Return t with log z(t) = log λ for λ strictly inside the component.

        Newton's method from the interpolated curve.  A root with 0 < Im t < π is the right one, because the
        curve is a graph; where Newton's method finds none, s is bracketed.
        """
        target = np.asarray(log_lambda, dtype=np.float64)
        tau = np.interp(target, self.log_lambda, self.tau)
        s, _ = self.place(tau)
        t = s + 1j * self._theta(tau)
        for end, beyond in ((0, target < self.log_lambda[0]), (-1, target > self.log_lambda[-1])):
            if beyond.any() and not self.edges[end]:
                slope = np.real(self.equation.at(self.t[[end]], phase=False).slope)[0]
                t[beyond] = self.t[end] + (target[beyond] - self.log_lambda[end]) / max(slope, 1e-3)
        tolerance = 1e-14 * (np.abs(target) + self.equation.depth) + 1e-14
        done = np.zeros(target.shape, dtype=bool)
        for _ in range(_NEWTON):
            active = np.flatnonzero(~done)
            if not active.size:
                break
            point = self.equation.at(t[active], phase=False)
            miss = point.log_z - target[active]
            with np.errstate(all="ignore"):
                step = miss / point.slope
            small = np.abs(miss) <= tolerance[active]
            step = np.where(np.isfinite(step), step, 0)
            step = step / np.maximum(1, np.abs(step))
            new = t[active] - np.where(small, 0, step)
            turn = np.imag(new)
            t[active] = np.real(new) + 1j * np.where(
                turn < np.pi, np.abs(turn), (np.imag(t[active]) + np.pi) / 2
            )
            done[active] = small
        lost = ~done | ~(np.imag(t) > 0)
        if lost.any():
            t[lost] = self._bracket(target[lost])
        return t

    def _bracket(self, target: Real) -> Complex:
        """Bisect in s."""
        index = np.clip(np.searchsorted(self.log_lambda, target), 0, len(self.t))
        reach = np.concatenate(
            [
                [self.low if self.edges[0] else self.low - 400],
                np.real(self.t),
                [self.high if self.edges[1] else self.high + 400],
            ]
        )
        low, high = reach[index], reach[index + 1]
        for _ in range(_BISECTIONS):
            middle = (low + high) / 2
            here = middle + 1j * self.equation.curve(middle)
            above = np.real(self.equation.at(here, phase=False).log_z) > target
            low, high = np.where(above, low, middle), np.where(above, middle, high)
        middle = (low + high) / 2
        return np.asarray(middle + 1j * self.equation.curve(middle))

    def solve_cdf(self, p: Real) -> Real:
        """Return log λ with F(λ) = p, for p strictly between the values at the ends.

        Newton's method on the two real equations Im log z = 0 and phase = 1 − p for the complex t, from the
        interpolated curve: d log z = D dt and d(π phase) = Im((1 + m) D dt).  Where it does not settle,
        as near the ends, s is bracketed.
        """
        wanted = np.asarray(p, dtype=np.float64)
        tau = np.interp(wanted, self.cdf, self.tau)
        t = self.place(tau)[0] + 1j * self._theta(tau)
        found = np.full(wanted.shape, np.nan)
        between = (wanted > self.cdf[0]) & (wanted < self.cdf[-1])
        active = np.flatnonzero(between)
        small = 1e-7 * min(1.0, float(np.ptp(self.log_lambda)))  # the next step is the square of a small one
        for _ in range(_NEWTON_CDF):
            if not active.size:
                break
            point = self.equation.at(t[active])
            miss, turn = np.pi * (1 - point.phase - wanted[active]), -np.imag(point.log_z)
            with np.errstate(all="ignore"):
                move = (miss - (1 + np.real(point.m)) * turn) / np.imag(point.m)
                new = t[active] + (move + 1j * turn) / point.slope
            log_lambda = np.real(point.log_z) + move
            valid = np.isfinite(new) & (np.imag(new) > 0) & (np.imag(new) < np.pi)
            settled = valid & (np.abs(move) <= small) & (np.abs(turn) <= small)
            found[active[settled]] = log_lambda[settled]
            t[active[valid]] = new[valid]
            active = active[valid & ~settled]
        lost = np.isnan(found)
        if lost.any():
            found[lost] = self._bracket_cdf(wanted[lost])
        return found

    def _bracket_cdf(self, p: Real) -> Real:
        """Newton's method on s, in a bracket."""
        index = np.searchsorted(self.cdf, p)
        ends = [self.low, self.high]
        reach = np.concatenate([[ends[0]], np.real(self.t), [ends[1]]])
        low, high = reach[index], reach[index + 1]
        s, _ = self.place(np.interp(p, self.cdf, self.tau))
        s = np.clip(s, low, high)
        theta = np.interp(s, np.real(self.t), np.imag(self.t))
        active = np.arange(len(p))
        for _ in range(_QUANTILE_STEPS):
            theta[active] = self.equation.curve(s[active], theta[active])
            point = self.equation.at(s[active] + 1j * theta[active])
            miss = (1 - point.phase) - p[active]
            low[active] = np.where(miss > 0, low[active], s[active])
            high[active] = np.where(miss > 0, s[active], high[active])
            with np.errstate(all="ignore"):
                new = s[active] - miss / _mass_density(point.m, point.slope)
            newton = (new > low[active]) & (new < high[active])
            new = np.where(newton, new, (low[active] + high[active]) / 2)
            done = np.abs(miss) <= 1e-15 * max(1, self.equation.depth / 10)
            done |= np.abs(new - s[active]) <= 1e-13 * (1 + np.abs(new))
            s[active] = np.where(done, s[active], new)
            active = active[~done]
            if not active.size:
                break
        theta = self.equation.curve(s, theta)
        return np.asarray(np.real(self.equation.at(s + 1j * theta, phase=False).log_z))


_NEWTON_CDF = 12
_NEWTON = 30
_BISECTIONS = 70
_QUANTILE_STEPS = 40


def place(low: float, high: float, edges: tuple[bool, bool], tau: Real) -> tuple[Real, Real]:
    """Map τ in [0, 1] onto [low, high], quadratically at edges; return s and ds/dτ."""
    width = high - low
    if edges == (True, True):
        half = np.where(
            tau < 0.5, low + width * np.sin(np.pi * tau / 2) ** 2, high - width * np.cos(np.pi * tau / 2) ** 2
        )
        return half, width * np.pi / 2 * np.sin(np.pi * tau)
    if edges[1]:
        return high - width * (1 - tau) ** 2, 2 * width * (1 - tau)
    if edges[0]:
        return low + width * tau**2, 2 * width * tau
    return low + width * tau, np.full(np.shape(tau), width)


def _mass_density(m: Complex, slope: Complex) -> Real:
    """dF/ds = (−Im m/π) |D|²/Re D, D = d log z/dt: along the curve d log z is real."""
    return np.asarray(-np.imag(m) / np.pi * np.abs(slope) ** 2 / np.real(slope))


def component(equation: UniformEquation, low: float, high: float, log_mean: float) -> Component:
    """Resolve one component.

    Parameters
    ----------
    equation : UniformEquation
    low, high : float
        As `initmath.spectra.edges.components` returns them.
    log_mean : float
        log E λ, the unit of the moments that must be resolved, too.
    """
    ends = low, high
    low, high = _cut(equation, low, high, log_mean)
    edges = low == ends[0], high == ends[1]
    panels = _first_panels(equation, low, high, edges)
    left, right = panels[:-1], panels[1:]
    kept: list[tuple[Real, Real, dict[str, Any]]] = []
    unsettled = 0.0
    for round_ in range(_ROUNDS):
        part = _sampled(equation, low, high, edges, left, right)
        rough = _roughness(part, log_mean, 1 + equation.depth * (equation.law.spread + equation.gaussian))
        good = rough <= max(_SETTLED, _ROUNDING * equation.depth)
        if round_ == _ROUNDS - 1 or 2 * (~good).sum() > _MOST_PANELS:
            unsettled = float(np.max(rough, initial=0.0))
            good[:] = True
        kept.append((left[good], right[good], _rows(part, good)))
        if good.all():
            break
        left, right = left[~good], right[~good]
        middle = (left + right) / 2
        left, right = np.concatenate([left, middle]), np.concatenate([middle, right])
    return _joined(equation, ends, low, high, edges, kept, unsettled)


def _first_panels(equation: UniformEquation, low: float, high: float, edges: tuple[bool, bool]) -> Real:
    """Panels in τ; beside an edge that an atom of a is close to, as narrow as their distance."""
    count = max(4, min(_MOST_FIRST, int(np.ceil((high - low) / 6))))
    panels = [np.linspace(0, 1, count + 1)]
    with np.errstate(divide="ignore"):
        atoms = np.log(np.array([a for a, _ in equation.law.atoms if a > 0]) / equation.law.mean)
    for end, at, sign in ((edges[0], low, 1.0), (edges[1], high, -1.0)):
        gap = float(np.min(np.abs(atoms - at), initial=np.inf))
        if end and 0 < gap < 0.01:
            graded = np.geomspace(0.5, max(gap, _FINEST) / 8, max(2, int(-np.log2(gap)))) / count
            panels.append(graded if sign > 0 else 1 - graded)
    return np.asarray(np.unique(np.concatenate(panels)))


_FINEST = 1e-8
_MOST_FIRST = 48


def _cut(equation: UniformEquation, low: float, high: float, log_mean: float) -> tuple[float, float]:
    """Cut the tails where nothing of the mass, nor of the second moment, is left."""
    deepest = max(_DEEPEST, _BELOW - equation.law.log_quantile(_UNSEEN))
    start, stop = max(low, -deepest), min(high, deepest)
    size = min(1.0, float(np.sqrt(equation.law.spread + equation.gaussian)))
    size = min(size, high - low)
    far = np.geomspace(1e-3 * size, deepest, 100)
    steps = np.unique(np.concatenate([-far, far, start + far, stop - far]))
    steps = steps[(steps > start) & (steps < stop)]
    t = steps + 1j * equation.curve(steps, precision=1e-2)
    with np.errstate(all="ignore"):
        point = equation.at(t, phase=False)
        mass = _mass_density(point.m, point.slope)
        log_lambda = np.real(point.log_z)
        weight = mass * (1 + np.exp(2 * np.minimum(log_lambda - log_mean, 300)))
        weight = np.where((np.imag(t) > 0) & np.isfinite(weight), weight, 0.0)
    # from the bulk outwards: far out rounding, depth times that of one layer, is all there is
    peak = int(np.argmax(weight))
    nothing = np.flatnonzero(weight <= _NEGLIGIBLE * equation.depth)
    below, above = nothing[nothing < peak], nothing[nothing > peak]
    if below.size:
        low = float(steps[below[-1]])
    if above.size:
        high = float(steps[above[0]])
    return max(low, float(steps[0])) if np.isinf(low) else low, min(high, float(steps[-1])) if np.isinf(
        high
    ) else high


_DEEPEST = 250.0
_BELOW = 60.0  # e-foldings that are followed below the quantile of a that leaves this much mass
_UNSEEN = 1e-9


def _sampled(
    equation: UniformEquation, low: float, high: float, edges: tuple[bool, bool], left: Real, right: Real
) -> dict[str, Any]:
    tau = ((left + right)[:, None] / 2 + (right - left)[:, None] / 2 * _NODES).ravel()
    step = ((right - left)[:, None] / 2 * _WEIGHTS).ravel()
    s, speed = place(low, high, edges, tau)
    theta = equation.curve(s)
    t = s + 1j * theta
    point = equation.at(t)
    seen = theta > 0
    density = np.where(seen, np.maximum(-np.imag(point.m) / np.pi, 0), 0.0)
    with np.errstate(all="ignore"):
        mass = _mass_density(point.m, point.slope)
    mass = np.where(seen & np.isfinite(mass), mass, 0.0)
    return {
        "tau": tau,
        "t": t,
        "log_lambda": np.real(point.log_z),
        "cdf": 1 - point.phase,
        "density": density,
        "measure": mass * speed * step,
        "integrand": mass * speed,
        "width": np.repeat(right - left, _ORDER),
    }


def _rows(part: dict[str, Any], good: NDArray[np.bool_]) -> dict[str, Any]:
    chosen = np.repeat(good, _ORDER)
    return {key: value[chosen] for key, value in part.items()}


def _roughness(part: dict[str, Any], log_mean: float, second: float) -> Real:
    """Last Legendre coefficients of θ, and of the integrands of mass and two moments, panel by panel."""
    ratio = np.exp(np.minimum(part["log_lambda"] - log_mean, 300))
    worst = np.zeros(len(ratio) // _ORDER)
    for power, total in ((0, 1.0), (1, 1.0), (2, second)):
        values = (part["integrand"] * part["width"] * ratio**power).reshape(-1, _ORDER)
        worst = np.maximum(worst, np.abs(values @ _ANALYSIS[-2:].T).max(axis=1) / total)
    curve = np.imag(part["t"]).reshape(-1, _ORDER)
    size = np.maximum(np.abs(curve).max(), 1e-300) / part["width"].reshape(-1, _ORDER)[:, 0]
    worst = np.maximum(worst, 1e-3 * np.abs(curve @ _ANALYSIS[-2:].T).max(axis=1) / size)
    return np.asarray(worst)


def _joined(
    equation: UniformEquation,
    ends: tuple[float, float],
    low: float,
    high: float,
    edges: tuple[bool, bool],
    kept: list[tuple[Real, Real, dict[str, Any]]],
    unsettled: float,
) -> Component:
    order = np.argsort(np.concatenate([part["tau"] for _, _, part in kept]))

    def column(key: str) -> Any:
        return np.asarray(np.concatenate([part[key] for _, _, part in kept])[order])

    panels = np.append(np.sort(np.concatenate([left for left, _, _ in kept])), 1.0)
    return Component(
        equation,
        ends,
        low,
        high,
        edges,
        column("tau"),
        panels,
        column("t"),
        column("log_lambda"),
        column("cdf"),
        column("density"),
        column("measure"),
        unsettled,
    )
