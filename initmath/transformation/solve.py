"""Solve a transformation: closed forms where the equations are linear or quadratic, else certified roots."""

from __future__ import annotations

from typing import Any

from initmath.transformation.build import transformed
from initmath.transformation.closed import NotClosed, solve_closed
from initmath.transformation.numeric import PROOF, solve_numeric
from initmath.transformation.obstacles import obstacle
from initmath.transformation.problem import Problem
from initmath.transformation.result import Outcome

__all__ = ["solve"]


def solve(problem: Problem, label: str = "transformed") -> Outcome:
    """Find ĝ(x) = γ·(g(αx + β) + δ) such that the conditions hold.

    Parameters
    ----------
    problem : Problem
    label : str
        Goes into the name of the new activation: ``label(name)``.

    Returns
    -------
    Outcome

    Raises
    ------
    Divergent, NotEnclosed
        A moment does not exist, or was not enclosed.
    Disagreement
        Two routes contradict each other.

    Examples
    --------
    >>> from initmath.activation import resolve
    >>> from initmath.transformation import pose, recipe
    >>> asked = recipe("standardise")
    >>> outcome = solve(pose(resolve("relu"), asked.conditions, asked.free))
    >>> outcome.solutions[0].output_shift.closed_form
    -sqrt(2)/(2*sqrt(pi))
    """
    blocked = obstacle(problem)
    if blocked is not None:
        reason, proven = blocked
        return Outcome((), proven, reason)
    try:
        closed = solve_closed(problem)
    except NotClosed as why:
        return _numeric(problem, label, str(why))
    solutions = [transformed(problem, label, values, None) for values in closed.solutions]
    return Outcome(_ordered(solutions), True, closed.reason, closed.steps)


def _numeric(problem: Problem, label: str, why: str) -> Outcome:
    found = solve_numeric(problem)
    solutions = [transformed(problem, label, values, PROOF) for values in found.solutions]
    notes = []
    count = f"{found.searched} starting point{'' if found.searched == 1 else 's'}"
    if not solutions:
        notes.append(f"no solution was found from {count}; that is no proof that there is none")
    else:
        notes.append(f"no closed form ({why}); searched from {count}: there may be other solutions")
    if found.unproven:
        more = len(found.unproven) - 1
        notes.append(f"not proven, so not shown: {found.unproven[0]}{f'; and {more} more' if more else ''}")
    return Outcome(_ordered(solutions), False, "; ".join(notes))


def _ordered(solutions: list[Any]) -> tuple[Any, ...]:
    """Smallest shifts first; of two mirror images the positive one."""

    def key(each: Any) -> tuple[float, ...]:
        shifts = [float(each.input_shift), float(each.output_shift)]
        sizes = [round(abs(s), 9) for s in shifts]
        return (sizes[0], -shifts[0], sizes[1], -shifts[1])

    return tuple(sorted(solutions, key=key))
