"""Where Newton's method may begin: SciPy's root finder in double precision, from many points.

Nothing here is trusted: a start that is wrong costs time, and a root may be missed: the answer
says that the search was no proof.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np

from initmath.activation import resolve
from initmath.activation.floats import compile_floats
from initmath.errors import InitmathError
from initmath.integral import q as Q
from initmath.transformation.conditions import FREE, MOMENTS
from initmath.transformation.problem import Problem

__all__ = ["starts"]

REACH, STEP = 9.0, 0.01
SCALES = (0.1, 0.3, 1.0, 3.0)
SHIFTS = (0.4, -0.4, 1.5, -1.5, 0.0)
PARAMETERS = (0.3, 0.9, 2.0)
SAME = 1e-4
CLOSE = 1e-5
EVALUATIONS = 400
BUMP = 1e-4
LARGEST, SMALLEST = 1e8, 1e-6


def starts(problem: Problem) -> tuple[list[dict[str, float]], int]:
    """Return approximate solutions, each once, and from how many points they were looked for.

    Returns
    -------
    list of dict
        From the name of each free quantity to its value.
    int
    """
    from scipy.optimize import root

    equations = _equations(problem)
    found: list[dict[str, float]] = []
    candidates = _candidates(problem)
    for candidate in candidates:
        begin = _to_line(problem, candidate)
        with np.errstate(all="ignore"):
            if not np.all(np.isfinite(equations(begin))):
                continue
            answer = root(equations, begin, method="hybr", options={"maxfev": EVALUATIONS})
            if not np.all(np.isfinite(answer.x)) or np.max(np.abs(equations(answer.x))) > CLOSE:
                continue
        values = _from_line(problem, answer.x)
        if _sensible(problem, values) and not any(_same(values, other) for other in found):
            found.append(values)
    return found, len(candidates)


def _positive(problem: Problem, name: str) -> bool:
    if name in FREE:
        return bool(FREE[name].is_positive)
    return any(p.name == name and p.assumption == "positive" for p in problem.activation.parameters)


def _to_line(problem: Problem, values: dict[str, float]) -> Any:
    """Positive unknowns go by their logarithms."""
    return np.array([math.log(values[n]) if _positive(problem, n) else values[n] for n in problem.free])


def _from_line(problem: Problem, line: Any) -> dict[str, float]:
    def back(name: str, value: float) -> float:
        return math.exp(min(max(value, -300.0), 300.0)) if _positive(problem, name) else value

    return {n: back(n, float(value)) for n, value in zip(problem.free, line, strict=True)}


def _sensible(problem: Problem, values: dict[str, float]) -> bool:
    sizes = [abs(v) for n, v in values.items() if _positive(problem, n)]
    return all(SMALLEST < s < LARGEST for s in sizes) and all(abs(v) < LARGEST for v in values.values())


def _same(one: dict[str, float], other: dict[str, float]) -> bool:
    return all(abs(one[n] - other[n]) <= SAME * (abs(one[n]) + abs(other[n]) + 1e-3) for n in one)


def _equations(problem: Problem) -> Callable[[Any], Any]:
    """Return F in double precision, by the trapezoidal rule on a fine grid."""
    z = np.arange(-REACH, REACH + STEP / 2, STEP)
    x = z * math.sqrt(float(problem.at))
    weights = np.exp(-z * z / 2) * STEP / math.sqrt(2 * math.pi)
    symbols = (Q, *FREE.values(), *(m.symbol for m in MOMENTS))
    residuals = [compile_floats(each.residual, symbols) for each in problem.asked]
    used = {m.symbol for m in MOMENTS if any(m.symbol in a.residual.free_symbols for a in problem.asked)}
    functions = _Functions(problem)

    def equations(line: Any) -> Any:
        values = {**{n: float(v) for n, v in problem.fixed.items()}, **_from_line(problem, line)}
        try:
            g, slope = functions.at(values)
        except InitmathError:
            return np.full(len(line), np.nan)
        y = values["input_scale"] * x + values["input_shift"]
        table = {"g": g(y)}
        table["g^2"] = table["g"] ** 2
        if any(m.function == "g'^2" and m.symbol in used for m in MOMENTS):
            table["g'^2"] = slope(y) ** 2
        if any(m.function == "g''^2" and m.symbol in used for m in MOMENTS):
            table["g''^2"] = ((slope(y + BUMP) - slope(y - BUMP)) / (2 * BUMP)) ** 2
        sums = [
            float(weights @ (table[m.function] * x**m.power)) if m.symbol in used else math.nan
            for m in MOMENTS
        ]
        point = (float(problem.at), *(values[n] for n in FREE), *sums)
        return np.array([float(np.real(r(*point))) for r in residuals])

    return equations


class _Functions:
    """g and g' as NumPy functions, for the last values of the activation's own parameters."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.last: tuple[tuple[float, ...], Any] | None = None

    def at(self, values: dict[str, float]) -> Any:
        """Return (g, g') with the parameters put in."""
        own = self.problem.own
        key = tuple(values[n] for n in own)
        if self.last is None or self.last[0] != key:
            act = self.problem.activation
            act = resolve(act, {n: values[n] for n in own}) if own else act
            self.last = (key, (act.numpy(0), act.numpy(1)))
        return self.last[1]


def _candidates(problem: Problem) -> list[dict[str, float]]:
    """Return the points to begin at: δ and γ such that mean and second moment are right, if they are free."""
    grids = []
    inner = [n for n in problem.free if n not in ("output_scale", "output_shift")]
    for name in inner:
        grid = SCALES if name == "input_scale" else SHIFTS if name == "input_shift" else PARAMETERS
        grids.append(grid)
    moments = _MeanAndVariance(problem)
    found = []
    for point in product(*grids):
        values = {**{n: float(v) for n, v in problem.fixed.items()}, **dict(zip(inner, point, strict=True))}
        with np.errstate(all="ignore"):
            try:
                mean, variance = moments(values)
            except InitmathError:
                continue
        if not (np.isfinite(mean) and np.isfinite(variance) and variance > 0):
            continue
        values.setdefault("output_shift", -mean)
        size = variance + (mean + values["output_shift"]) ** 2
        values.setdefault("output_scale", math.sqrt(float(problem.at) / size))
        found.append({n: values[n] for n in problem.free})
    return found


class _MeanAndVariance:
    def __init__(self, problem: Problem) -> None:
        self.problem, self.functions = problem, _Functions(problem)

    def __call__(self, values: dict[str, float]) -> tuple[float, float]:
        z = np.arange(-REACH, REACH + STEP / 2, 10 * STEP)
        weights = np.exp(-z * z / 2)
        weights /= weights.sum()
        place = values["input_scale"] * z * math.sqrt(float(self.problem.at)) + values["input_shift"]
        g = self.functions.at(values)[0](place)
        mean = float(weights @ g)
        return mean, float(weights @ (g - mean) ** 2)
