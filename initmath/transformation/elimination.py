"""Eliminate γ and δ: every condition but the mean reads γ²·c(δ) = t, so one equation is left."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sympy import S, cancel

from initmath.integral import q as Q
from initmath.transformation.conditions import INPUT_SCALE, INPUT_SHIFT, M1, OUTPUT_SCALE, OUTPUT_SHIFT
from initmath.transformation.problem import Problem

__all__ = ["Eliminated", "eliminate"]


@dataclass(frozen=True, slots=True)
class Eliminated:
    """What is left when γ and δ are gone.

    Attributes
    ----------
    equation : Expr or None
        To be zero; in δ (when δ is what remains) or in moments that depend on the parameter.
    equation_of : tuple of str
        The conditions that it came from.
    shift : Expr
        δ, in moments; the symbol itself when it is the unknown that remains.
    squared_scale : Expr
        γ², in moments and δ.
    scale_of : str
        The condition that gives γ; empty when γ is fixed.
    """

    equation: Any
    equation_of: tuple[str, ...]
    shift: Any
    squared_scale: Any
    scale_of: str


def eliminate(problem: Problem) -> Eliminated | None:
    """Reduce the conditions to at most one equation; None where this pattern does not apply.

    With α and β fixed they belong to G(x) = g(αx + β), so they are 1 and 0 here.
    """
    inside = {INPUT_SCALE: S.One, INPUT_SHIFT: S.Zero, Q: problem.at}
    asked = [(a.condition.name, a.condition.quantity.xreplace(inside), a.target) for a in problem.asked]
    means = [a for a in asked if a[0] == "mean"]
    others = [
        (name, cancel(quantity / OUTPUT_SCALE**2), target)
        for name, quantity, target in asked
        if name != "mean"
    ]
    scale_free, shift_free = "output_scale" in problem.free, "output_shift" in problem.free
    equations: list[tuple[Any, tuple[str, ...]]] = []
    shift: Any = OUTPUT_SHIFT if shift_free else problem.fixed["output_shift"]
    if means:
        if shift_free and means[0][2] == 0:
            shift = -M1
        elif means[0][2] == 0:
            equations.append((M1 + shift, ("mean",)))
        else:
            return None
    others = [(name, quantity.subs(OUTPUT_SHIFT, shift), target) for name, quantity, target in others]
    squared, scale_of = (S.One * problem.fixed.get("output_scale", 1)) ** 2, ""
    if scale_free:
        if not others or all(o[2] == 0 for o in others):
            return None
        # Best a condition without δ, then one that is not zero on the right.
        others.sort(key=lambda o: (OUTPUT_SHIFT in o[1].free_symbols, o[2] == 0))
        name, coefficient, target = others.pop(0)
        squared, scale_of = target / coefficient, name
        equations += [(target * c - t * coefficient, (scale_of, n)) for n, c, t in others]
    else:
        equations += [(squared * c - t, (n,)) for n, c, t in others]
    unknown = bool(problem.own) + (shift_free and not (means and shift == -M1))
    if len(equations) != unknown or unknown > 1:
        return None
    equation, of = equations[0] if equations else (None, ())
    return Eliminated(equation, of, shift, squared, scale_of)
