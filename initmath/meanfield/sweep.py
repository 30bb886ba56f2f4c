r"""The phase diagram: fixed point, phase and depth scales on a grid of (σ_w², σ_b²), in double precision.

Everything is read off two tables.  Of q: E g², its slope, and χ̂ = E g'².  Of q and s = √(1 − c):

.. math:: H(q, s) = \frac{\mathbb{E}\,(g(y_1) - g(y_2))^2}{2 q s^2},\qquad
          \hat\chi(q, s) = \mathbb{E}\, g'(y_1)\, g'(y_2),

so that the correlation map is (1 − c') = σ_w² H (1 − c) without any cancellation near c = 1, and c* < 1
solves σ_w² H(q*, s) = 1.  Since E g(y₁)g(y₂) = Σ aₙ² cⁿ is convex in c ≥ 0, H decreases in s from
H(q, 0) = χ̂(q): there is a root if and only if χ₁ > 1, and only one.  In s both functions are smooth at c = 1
even if g has kinks.

The tables' measured error is carried along (`PhaseDiagram.error`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Executor, as_completed
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from initmath.errors import InputError
from initmath.finite_width.law import breaks
from initmath.kernels.pairs import pair_values
from initmath.meanfield.table import Panels, in_s
from initmath.quadrature.curve import Family, curve
from initmath.quadrature.kernel import pair_expectation

__all__ = ["FINE", "SKETCH", "Fineness", "PhaseDiagram", "sweep"]

Real = NDArray[np.float64]

SMALLEST, LARGEST = 1e-10, 1e10
"""The q between which fixed points are looked for."""

_WIDTH, _DEGREE = 1.5, 16
_WIDTH_2 = 2.5
_STEPS = 6  # scan points a panel
_ROWS = 25  # of the grid, a task
_FACTOR = 4.0  # steps in q in which the ends of the range are looked for
_HUGE = 1e250
_LAYERS = 2000  # through which an orbit is followed where it may leap
_CRITICAL = 1e-12  # of χ₁ − 1: no table tells it from zero


@dataclass(frozen=True)
class Fineness:
    """How finely the functions of q and s are tabulated; `PhaseDiagram.error` measures what comes of it.

    Attributes
    ----------
    degree, degree_s : int
        In log q on a panel, and in s.
    orders, base
        Of the integrals at the nodes, as in `pair_expectation`.
    probes : int
        Points at which the table is compared with an adaptive integral.
    farthest : float
        The q to which orbits are followed; 100 times the start, if that is more.
    """

    degree: int
    degree_s: int
    orders: tuple[int, int]
    base: tuple[float, ...]
    probes: int
    farthest: float


FINE = Fineness(13, 23, (12, 9), (-8.5, -4.0, -2.0, -1.0, 0.0, 1.0, 2.0, 4.0, 8.5), 8, LARGEST)
SKETCH = Fineness(7, 11, (9, 6), (-6.0, -2.0, 0.0, 2.0, 6.0), 4, 1e4)
"""For a picture: about four digits of c* and ξ_c, at an eighth of the cost."""


@dataclass(frozen=True)
class PhaseDiagram:
    """Mean field on a grid: arrays of shape (len(sigma_b2), len(sigma_w2)).

    Attributes
    ----------
    sigma_w2, sigma_b2 : ndarray
        The axes.
    start : float
        The q that the layers begin with: ``q_star`` is the fixed point to which it goes.
    q_star : ndarray
        0 where q fades away below 1e-10, inf where it passes `farthest`, NaN where it oscillates and goes
        nowhere.
    chi_1, chi_parallel : ndarray
        Slopes of the correlation map at 1 and of the length map, at ``q_star``; NaN where q has no end.
    gap : ndarray
        1 − c*; 0 in the ordered phase.
    xi_q, xi_c, xi_gradient : ndarray
        Depth scales in layers; ``xi_gradient`` is negative where gradients grow.  At χ₁ = 1, up to the
        table's error, they are infinite.
    attracting : ndarray of bool
        Whether ``q_star`` attracts what is near to it, |χ_∥| < 1.
    edge : ndarray, shape (4, k)
        Columns (q, σ_w², σ_b², χ_∥) on the edge of chaos, σ_b² ≥ 0, in the order of q; NaN between its
        pieces.
    error : dict of str to float
        Largest relative error found: "table" of q alone, "pair" of q and c together.
    farthest : float
        The q to which orbits are followed: 1e10, less in a sketch.
    """

    sigma_w2: Real
    sigma_b2: Real
    start: float
    q_star: Real
    chi_1: Real
    chi_parallel: Real
    gap: Real
    xi_q: Real
    xi_c: Real
    xi_gradient: Real
    attracting: NDArray[np.bool_]
    edge: Real
    error: dict[str, float] = field(default_factory=dict)
    farthest: float = LARGEST

    @property
    def c_star(self) -> Real:
        """The correlation to which two inputs go."""
        return np.asarray(1 - self.gap)

    @property
    def chaotic(self) -> NDArray[np.bool_]:
        """Where two inputs that are almost the same move apart."""
        return np.asarray(self.chi_1 > 1)


def sweep(
    activation: Any,
    sigma_w2: ArrayLike,
    sigma_b2: ArrayLike,
    *,
    start: float = 1.0,
    executor: Executor | None = None,
    progress: Callable[[int, int], object] | None = None,
    fineness: Fineness = FINE,
) -> PhaseDiagram:
    """Sweep a grid of weight and bias variances.

    Parameters
    ----------
    activation : Activation
        Without symbolic parameters.
    sigma_w2 : array_like, shape (n,)
        Positive, increasing.
    sigma_b2 : array_like, shape (m,)
        Not negative, increasing.
    start : float
        Pre-activation variance of the first layer.
    executor : concurrent.futures.Executor, optional
        Computes the rows; the result does not depend on it.
    progress : callable (done, all), optional
    fineness : Fineness
        Of the table in q and c; that in q alone always has nearly all digits.

    Returns
    -------
    PhaseDiagram

    Raises
    ------
    InputError
        If an axis makes no sense, E g² is infinite at the start, or g jumps (then χ₁ is infinite).

    References
    ----------
    .. [1] Poole et al. 2016, arXiv:1606.05340, eq. (3)-(6); Schoenholz et al. 2017, arXiv:1611.01232,
       eq. (5), (10), (11), (14).

    Examples
    --------
    >>> from initmath.activation import resolve
    >>> found = sweep(resolve("tanh"), [0.5, 1.5, 3.0], [0.05])
    >>> found.chaotic.tolist(), bool(found.error["pair"] < 1e-6)
    ([[False, False, True]], True)
    """
    weight, bias = _axis(sigma_w2, "σ_w²", positive=True), _axis(sigma_b2, "σ_b²", positive=False)
    if not (np.isfinite(start) and SMALLEST < start < LARGEST):
        raise InputError(f"q = {start}: the first layer's variance must be between {SMALLEST} and {LARGEST}")
    if activation.is_symbolic:
        raise InputError("a phase diagram needs numbers: give each parameter a value")
    if activation.expr is not None and activation.jumps:
        where = ", ".join(str(point) for point in activation.jumps)
        raise InputError(
            f"{activation.name} jumps at {where}: χ₁ is infinite for every σ_w²: two inputs always part, "
            "and there is no edge of chaos to draw"
        )
    functions = _Functions(activation, fineness)
    farthest = min(max(fineness.farthest, 100 * start), LARGEST)
    single, off = _single(functions, weight, bias, start, farthest)
    edge = _edge(single, float(weight[-1]), float(bias[-1]))
    blocks = [bias[k : k + _ROWS] for k in range(0, len(bias), _ROWS)]
    counted = _Count(progress, 2 * len(blocks))
    fixed = list(_each(partial(_fixed, single, weight, start), blocks, executor, counted))
    q, chi_1, chi_parallel = (np.concatenate(some) for some in zip(*fixed, strict=True))
    pair, off_pair = _pair(functions, single, q, chi_1)
    at_rows = [(rows[0], rows[1]) for rows in fixed]
    gap, xi_c = (
        np.concatenate(some)
        for some in zip(*_each(partial(_apart, pair, weight), at_rows, executor, counted), strict=True)
    )
    ends = np.isfinite(q)
    with np.errstate(all="ignore"):
        xi_q = np.where(ends, -1 / np.log(np.abs(chi_parallel)), np.nan)
        xi_gradient = np.where(ends, -1 / np.log(chi_1), np.nan)
    return PhaseDiagram(
        weight, bias, start, q, chi_1, chi_parallel, gap, xi_q, xi_c, xi_gradient,
        np.abs(chi_parallel) < 1, edge, {"table": off, "pair": off_pair}, farthest,
    )  # fmt: skip


def _axis(values: ArrayLike, name: str, *, positive: bool) -> Real:
    axis = np.atleast_1d(np.asarray(values, np.float64))
    low_enough = np.all(axis > 0) if positive else np.all(axis >= 0)
    if axis.ndim != 1 or not axis.size or not (np.all(np.isfinite(axis)) and low_enough):
        raise InputError(f"{name}: give finite {'positive' if positive else 'non-negative'} numbers in a row")
    if np.any(np.diff(axis) <= 0):
        raise InputError(f"{name}: the values of an axis must increase")
    return axis


class _Count:
    """Tell how many of all tasks are done."""

    def __init__(self, progress: Callable[[int, int], object] | None, total: int) -> None:
        self.progress, self.total, self.done = progress, total, 0

    def __call__(self) -> None:
        self.done += 1
        if self.progress is not None:
            self.progress(self.done, self.total)


def _each(
    work: Callable[[Any], Any], tasks: list[Any], executor: Executor | None, counted: _Count
) -> Iterator[Any]:
    """Do the tasks, here or elsewhere, and give the results back in their order."""
    if executor is None:
        for task in tasks:
            yield work(task)
            counted()
        return
    futures = [executor.submit(work, task) for task in tasks]
    for _ in as_completed(futures):
        counted()
    yield from (future.result() for future in futures)


# ------------------------------------------------------------------------------------------------ tables


class _Functions:
    """What is integrated, as plain functions of y."""

    def __init__(self, activation: Any, fineness: Fineness) -> None:
        self.activation, self.fineness = activation, fineness
        self.g, self.slope, self.cuts = activation.numpy(), activation.numpy(1), breaks(activation)

    def single(self, q: Real) -> tuple[Real, Real]:
        """E g², E g'² and d/dq E g² = E g² (y² − q)/(2q²), with errors."""
        family = Family(self._together, lambda row, y: self._together(y)[row])
        with np.errstate(all="ignore"):
            found = curve(family, q, self.cuts)
        second, slope, weighted = found.value
        with np.errstate(all="ignore"):
            bend = (weighted - q * second) / (2 * q * q)
            error = np.max(found.error / np.abs(found.value), axis=0)
        return np.stack([second, bend, slope]), error

    def _together(self, y: Any) -> Any:
        square = self.g(y) ** 2
        return np.stack([square, self.slope(y) ** 2, square * y * y])

    def pair(self, q: Real, t: Real) -> Real:
        """H(q, s(q, t)) and E g'(y₁) g'(y₂)."""
        s = _apart_at(q, t)
        found = np.empty((2, len(q)))
        same = s < 1e-6
        if same.any():
            found[:, same] = self.single(q[same])[0][2]
        apart = ~same
        if apart.any():
            some, at = q[apart], s[apart]
            value = pair_expectation(
                self._of_two, some, some, some * (1 - at * at), self.cuts,
                checked=1, orders=self.fineness.orders, base=self.fineness.base, gap=at * at,
            ).value  # fmt: skip
            found[:, apart] = [value[0] / (2 * some * at * at), value[1]]
        return found

    def _of_two(self, a: Any, b: Any) -> Any:
        return np.stack([(self.g(a) - self.g(b)) ** 2, self.slope(a) * self.slope(b)])


def _apart_at(q: Real, t: Real) -> Real:
    """Return s for t in [0, 1]: even steps of log(s + s₀), s₀ ~ 1/√q.

    Where y is large, g changes within |y| ~ 1, so that two inputs count as equal only if s√q is not large.
    """
    near = 1 / (2 + 4 * np.sqrt(q))
    return np.asarray(near * np.expm1(t * np.log1p(1 / near)))


def _single(
    functions: _Functions, weight: Real, bias: Real, start: float, farthest: float
) -> tuple[Panels, float]:
    """Tabulate E g², its slope and E g'², as far as an orbit can go that begins at the start."""
    if not np.isfinite(_second(functions, start)):
        raise InputError(f"E g(y)² is not finite at q = {start}: begin with a smaller q")
    low = _end(functions, float(weight[0]), float(bias[0]), start, SMALLEST)
    high = _end(functions, float(weight[-1]), float(bias[-1]), start, farthest)
    low, high = _with_leaps(functions, weight, bias, low, high, farthest)

    def log_of(q: Real) -> Real:
        found = functions.single(q)[0]
        # E g² and E g'² are positive and range over decades: their logarithms are what is smooth.
        with np.errstate(all="ignore"):
            return np.stack([np.log(found[0]), found[1] / found[0], np.log(found[2])])

    table = Panels.fit(log_of, low, high, width=_WIDTH, degree=_DEGREE)
    between = np.exp(np.linspace(np.log(low), np.log(high), 2 * len(table.coefficients[0]) + 2)[1:-1])
    true, error = functions.single(between)
    read = _moments(table, between)
    with np.errstate(all="ignore"):
        off = np.abs(read[[0, 2]] / true[[0, 2]] - 1)
    return table, float(np.nanmax(np.maximum(off, error), initial=0.0))


def _second(functions: _Functions, q: float) -> float:
    """E g² at one q; inf where it is too large for what is done with it."""
    value = float(functions.single(np.array([q]))[0][0, 0])
    return value if value < _HUGE else np.inf


def _end(functions: _Functions, weight: float, bias: float, start: float, last: float) -> float:
    """Where no orbit passes that begins at the start: the map with the most extreme variances turns it back.

    V(q) grows with σ_w² and σ_b²; if the largest of them give V(q) < q, so do all, and an orbit that was
    below q meets a fixed point before it.  At the latest at ``last``, below or above the start.
    """
    q, step = start, 1 if last > start else -1
    while q != last:
        beyond = min(q * _FACTOR, last) if step > 0 else max(q / _FACTOR, last)
        second = _second(functions, beyond)
        if not np.isfinite(second):
            return q if q != start else _last_finite(functions, q, beyond)
        q = beyond
        if step * (weight * second + bias - q) < 0:
            break
    return q


def _with_leaps(
    functions: _Functions, weight: Real, bias: Real, low: float, high: float, farthest: float
) -> tuple[float, float]:
    """Widen the range until no layer leaves it, where E g² does not grow with q and orbits may leap."""
    for _ in range(8):
        grid = np.geomspace(low, high, 400)
        second, bend, _ = functions.single(grid)[0]
        if _grows(second, bend, grid):
            break
        finite = second[np.isfinite(second) & (second < _HUGE)]
        top = float(np.clip(1.1 * (weight[-1] * finite.max() + bias[-1]), high, farthest))
        bottom = float(np.clip(0.9 * (weight[0] * finite.min() + bias[0]), SMALLEST, low))
        if (top, bottom) == (high, low) or not np.isfinite(_second(functions, top)):
            break
        low, high = bottom, top
    return low, high


def _grows(second: Real, bend: Real, q: Real) -> bool:
    """Whether E g² increases with q, up to its rounding: then no orbit passes a fixed point."""
    return bool(np.all(bend * q >= -1e-9 * second))


def _last_finite(functions: _Functions, low: float, high: float) -> float:
    """Return a q between the two at which E g² is still finite."""
    for _ in range(40):
        middle = float(np.sqrt(low * high))
        low, high = (middle, high) if np.isfinite(_second(functions, middle)) else (low, middle)
    return low


def _moments(table: Panels, q: Real) -> Real:
    """E g², d/dq E g², E g'²."""
    with np.errstate(all="ignore"):
        logs = table.at(q)
        second = np.exp(logs[0])
        return np.stack([second, logs[1] * second, np.exp(logs[2])])


def _pair(functions: _Functions, single: Panels, star: Real, chi: Real) -> tuple[Panels | None, float]:
    """Tabulate the two-point functions over the q that occur in the chaotic phase."""
    wanted = star[(chi > 1) & np.isfinite(star) & (star > 0)]
    if not wanted.size:
        return None, 0.0
    low, high = float(wanted.min()) * 0.999, float(wanted.max()) * 1.001
    fineness = functions.fineness
    table = Panels.fit(
        functions.pair,  # type: ignore[arg-type]
        low, high, width=_WIDTH_2, degree=fineness.degree, degree_s=fineness.degree_s,
    )  # fmt: skip
    # Well apart from the nodes, spread evenly: the golden ratio's multiples in t against a grid in log q.
    q = np.exp(np.linspace(np.log(low), np.log(high), fineness.probes + 2)[1:-1])
    t = np.asarray((np.arange(1, fineness.probes + 1) * 0.6180339887498949) % 1.0, np.float64)
    s, read = _apart_at(q, t), table.at(q)
    true = pair_values(functions.activation, q, q, s * s)
    first, second = (
        np.abs(in_s(read[k], t)[0] / value - 1)
        for k, value in enumerate((true.half_distance / (q * s * s), true.derivative_kernel))
    )
    return table, float(np.max(np.maximum(first, second)))


# ------------------------------------------------------------------------------------------- fixed points


def _fixed(table: Panels, weight: Real, start: float, bias: Real) -> tuple[Real, Real, Real]:
    """Where the length map takes the start, with χ₁ and χ_∥ there; shape (rows, columns)."""
    grid = np.exp(
        np.linspace(np.log(table.low), np.log(table.high), _STEPS * table.coefficients.shape[1] + 1)
    )
    grid = np.unique(np.concatenate([grid, [min(max(start, table.low), table.high)]]))
    here = int(np.argmin(np.abs(grid - start)))
    second, bend, _ = _moments(table, grid)
    w, b = (a.ravel() for a in np.broadcast_arrays(weight[None, :], bias[:, None]))
    if _grows(second, bend, grid):
        excess = w[:, None] * second + b[:, None] - grid
        low, high, end = _bracket(excess, grid, here)
        q = _solve(table, w, b, low, high)
        q = np.where(np.isnan(end), q, end)
    else:
        q = _followed(table, w, b, start)
    shape = (len(bias), len(weight))
    with np.errstate(all="ignore"):
        _, bend, slope = w * _moments(table, np.clip(q, table.low, table.high))
    slope = np.where(np.abs(slope - 1) < _CRITICAL, 1.0, slope)
    chi, parallel = (np.where(np.isfinite(q), value, np.nan).reshape(shape) for value in (slope, bend))
    return q.reshape(shape), chi, parallel


def _followed(table: Panels, w: Real, b: Real, start: float) -> Real:
    """Follow each orbit through the layers to its end: 0, inf, a fixed point, or NaN if it has none."""
    q = np.full(len(w), start)
    for _ in range(_LAYERS):
        inside = (q >= table.low) & (q <= table.high)
        new = np.where(inside, w * _moments(table, np.clip(q, table.low, table.high))[0] + b, q)
        settled = np.abs(new - q) <= 1e-13 * q
        q = new
        if settled.all():
            break
    here = np.clip(q, table.low, table.high)
    second, bend, _ = _moments(table, here)
    with np.errstate(all="ignore"):
        root = here - (w * second + b - here) / (w * bend - 1)  # one Newton step: from near to all digits
        near = np.abs(root - here) <= 1e-3 * here
    q = np.where(q < table.low, 0.0, np.where(q > table.high, np.inf, np.where(near, root, np.nan)))
    return np.asarray(q)


def _bracket(excess: Real, grid: Real, here: int) -> tuple[Real, Real, Real]:
    """Return the interval between scan points that holds the next fixed point; or 0 or inf as the end."""
    count = len(excess)
    rises = excess[:, here] > 0
    low, high, end = np.full(count, grid[here]), np.full(count, grid[here]), np.full(count, np.nan)
    kept = np.abs(excess[:, here]) <= 1e-13 * grid[here]  # a line of fixed points: ReLU at σ_w² = 2
    up = excess[:, here:] <= 0  # the first of these is where growth stops
    down = excess[:, : here + 1][:, ::-1] >= 0
    for rows, stops, step in ((rises, up, 1), (~rises, down, -1)):
        if not rows.any():
            continue
        first = np.argmax(stops[rows], axis=1)
        none = ~stops[rows].any(axis=1)
        to = here + step * first
        inner, outer = grid[np.clip(to - step, 0, len(grid) - 1)], grid[to]
        low[rows], high[rows] = (inner, outer) if step > 0 else (outer, inner)
        end[rows] = np.where(none, np.inf if step > 0 else 0.0, np.nan)
    end[kept] = grid[here]
    return low, high, end


def _solve(table: Panels, w: Real, b: Real, low: Real, high: Real) -> Real:
    """Newton's method for w M(q) + b = q inside its bracket, halving it where Newton leaves it."""
    q = np.sqrt(low * high)
    rising = None
    left, right = low.copy(), high.copy()
    for _ in range(60):
        second, bend, _ = _moments(table, q)
        excess = w * second + b - q
        if rising is None:
            rising = w * _moments(table, left)[0] + b - left > 0
        beyond = (excess > 0) == rising
        left, right = np.where(beyond, q, left), np.where(beyond, right, q)
        with np.errstate(all="ignore"):
            step = q - excess / (w * bend - 1)
        inside = (step > left) & (step < right)
        new = np.where(inside, step, np.sqrt(left * right))
        done = np.abs(new - q) <= 1e-14 * q
        q = new
        if done.all():
            break
    return q


def _apart(pair: Panels | None, weight: Real, fixed: tuple[Real, Real]) -> tuple[Real, Real]:
    """1 − c* and ξ_c for some rows, from their q* and χ₁."""
    q, chi = fixed
    w = np.broadcast_to(weight[None, :], q.shape)
    gap, at_end = np.where(np.isnan(chi), np.nan, 0.0), chi.copy()  # slope of the correlation map at c*
    chaotic = (chi > 1) & (q > 0)
    if pair is not None and chaotic.any():
        read = pair.at(q[chaotic])
        t = _where_equal(read[0], 1 / w[chaotic])
        gap[chaotic] = _apart_at(q[chaotic], t) ** 2
        at_end[chaotic] = w[chaotic] * in_s(read[1], t)[0]
    with np.errstate(all="ignore"):
        return gap, -1 / np.log(np.abs(at_end))


def _where_equal(coefficients: Real, level: Real) -> Real:
    """Solve H = 1/σ_w² for t in [0, 1]; H decreases."""
    left, right = np.zeros(len(level)), np.ones(len(level))
    t = np.full(len(level), 0.5)
    for _ in range(60):
        value, slope = in_s(coefficients, t)
        above = value > level
        left, right = np.where(above, t, left), np.where(above, right, t)
        with np.errstate(all="ignore"):
            step = t - (value - level) / slope
        new = np.where((step > left) & (step < right), step, (left + right) / 2)
        done = np.abs(new - t) <= 1e-14
        t = new
        if done.all():
            break
    return t


# --------------------------------------------------------------------------------------------- the edge


def _edge(table: Panels, largest_w: float, largest_b: float) -> Real:
    """σ_w² = 1/χ̂(q), σ_b² = q − σ_w² E g² ≥ 0, as a line for the picture; NaN where it leaves the plane."""
    q = np.exp(np.linspace(np.log(table.low), np.log(table.high), 4000))
    second, bend, slope = _moments(table, q)
    with np.errstate(all="ignore"):
        w = 1 / slope
        b = q - w * second
        # σ_b² is a difference: what is left of it below rounding is zero, not a point of the line
        b = np.where(np.abs(b) < 1e-9 * q, 0.0, b)
    off = ~((b >= 0) & (w <= 1.5 * largest_w) & (b <= 1.5 * largest_b) & np.isfinite(w))
    line = np.where(off, np.nan, np.stack([q, w, b, w * bend]))
    return line[:, ~(off & np.concatenate([[True], off[:-1]]))]
