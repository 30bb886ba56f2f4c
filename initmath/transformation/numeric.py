"""Solutions without a closed form: SciPy finds where, ball arithmetic proves that and how exactly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flint import arb

from initmath.activation import resolve
from initmath.balls import working_precision
from initmath.derivation import Number, Status
from initmath.errors import NotEnclosed
from initmath.transformation.conditions import FREE
from initmath.transformation.local import System
from initmath.transformation.newton import Proven, krawczyk
from initmath.transformation.problem import Problem

__all__ = ["Roots", "solve_numeric", "system_of"]

PROOF = "Krawczyk's operator maps a box into its interior: there is exactly one solution in that box"
FEWEST_DIGITS = 12


@dataclass(frozen=True, slots=True)
class Roots:
    """What was found: a number for each free quantity, how many starts, and what was not proven."""

    solutions: tuple[dict[str, Number], ...]
    searched: int
    unproven: tuple[str, ...]


def symbols_of(problem: Problem) -> tuple[Any, tuple[Any, ...]]:
    """Return the activation with its free parameters symbolic, and the unknowns."""
    act = problem.activation
    own = {p.name: p.symbol for p in act.parameters if p.name in problem.own}
    act = resolve(act, own) if own else act
    return act, tuple(FREE.get(name, own.get(name)) for name in problem.free)


def system_of(problem: Problem, unknowns: tuple[Any, ...] | None = None) -> System:
    """Return the equations in balls."""
    act, free = symbols_of(problem)
    known = {FREE[name]: value for name, value in problem.fixed.items()}
    return System(act, problem.asked, free if unknowns is None else unknowns, known, problem.at)


def solve_numeric(problem: Problem) -> Roots:
    """Find roots from many starts and prove each; a start that is not proven is reported, not returned."""
    from initmath.transformation.starts import starts

    begin, searched = starts(problem)
    system = system_of(problem)
    digits = max(problem.digits, FEWEST_DIGITS)
    proven: list[Proven] = []
    unproven: list[str] = []
    for values in begin:
        try:
            found = krawczyk(system, system.jacobian, [values[n] for n in problem.free], digits)
        except NotEnclosed as error:
            where = ", ".join(f"{name} ≈ {value:.6g}" for name, value in values.items())
            unproven.append(f"{where}: {error}")
            continue
        if _admissible(problem, found) and not any(_overlap(found, other) for other in proven):
            proven.append(found)
    solutions = tuple(
        {
            name: Number(Status.NUMERIC, ball, None, PROOF, problem.digits)
            for name, ball in zip(problem.free, each.root, strict=True)
        }
        for each in proven
    )
    return Roots(solutions, searched, tuple(unproven))


def _admissible(problem: Problem, found: Proven) -> bool:
    """Scales, and parameters that are positive by definition, must be."""
    positive = {p.name for p in problem.activation.parameters if p.assumption == "positive"}
    positive |= {"input_scale", "output_scale"}
    return all(ball > 0 for name, ball in zip(problem.free, found.root, strict=True) if name in positive)


def _overlap(one: Proven, other: Proven) -> bool:
    return all(a.overlaps(b) for a, b in zip(one.root, other.root, strict=True))


def residuals(problem: Problem, point: dict[str, arb], digits: int) -> list[arb]:
    """Enclose the residuals at a point, by certified quadrature alone."""
    act, free = symbols_of(problem)
    del act
    with working_precision(int(3.4 * digits) + 80):
        return system_of(problem)([point[str(s.name)] for s in free], digits)
