"""Questions that cannot have an answer, with the proof."""

from __future__ import annotations

from typing import Any

from sympy import Rational

from initmath.balls import evaluate
from initmath.integral import x
from initmath.transformation.problem import Problem

__all__ = ["obstacle"]


def obstacle(problem: Problem) -> tuple[str, bool] | None:
    """Return why there is no (isolated) solution and whether that is a proof of absence, or None.

    Poincaré's inequality is Var ĝ ≤ q E ĝ'² for x ~ N(0, q), with equality only for an affine ĝ (Chernoff
    1981, Ann. Probab. 9, 533–535).
    """
    act = problem.activation
    for asked in problem.asked:
        c = asked.condition
        if c.continuous and act.jumps:
            points = ", ".join(map(str, act.jumps))
            return (
                f"no solution: g jumps at x = {points}, so {c.equation.partition(' =')[0]} is infinite "
                "whatever the scales and shifts are",
                True,
            )
        if c.differentiable and act.kinks:
            points = ", ".join(map(str, act.kinks))
            return (
                f"no solution: g has a kink at x = {points}, so C″(1) is infinite; for a rectifier free its "
                "negative slope instead (tat_leaky)",
                True,
            )
    targets = problem.targets()
    if targets.get("mean") == 0 and _one_sided(problem):
        return (
            "no solution: g nowhere changes its sign, so E ĝ = 0 holds for no scale and no input shift; free "
            "the output shift",
            True,
        )
    if {"mean", "second_moment", "slope"} <= set(targets) and targets["mean"] == 0:
        variance, slope = targets["second_moment"], targets["slope"]
        if slope < variance / problem.at:
            return (
                f"no solution: with mean 0 and E ĝ² = {variance}, Poincaré's inequality Var ĝ ≤ q E ĝ′² asks "
                f"for E ĝ′² ≥ {variance / problem.at}, not {slope}",
                True,
            )
        # A free parameter may make g straight, as a = 1 does a leaky rectifier.
        if slope == variance / problem.at and not problem.own and _curved(act):
            return (
                f"no solution: E ĝ′² = {slope} is the least that Poincaré's inequality allows, reached by "
                "straight lines only, and g is none; ask for a larger slope (dks: give the depth, which says "
                "how much)",
                True,
            )
    degree = act.homogeneity_degree
    if degree is not None and {"input_scale", "input_shift", "output_scale", "output_shift"} <= set(
        problem.free
    ):
        return (
            f"no isolated solution: g is homogeneous of degree {degree}, so (tα, tβ, γ/t^{degree}, "
            f"t^{degree}δ) is the same function for every t > 0: one unknown is redundant, and "
            f"{len(problem.asked)} conditions are too many for the rest. Fix input_shift at 1 and drop one "
            "condition, or free the negative slope (dks_leaky, tat_leaky)",
            False,
        )
    return None


def _one_sided(problem: Problem) -> bool:
    """Prove that g + δ has one sign, whatever the scales and the input shift are."""
    if "output_shift" in problem.free or problem.own:
        return False
    raised = problem.activation.expr + problem.fixed["output_shift"]
    return bool(raised.is_nonnegative or raised.is_nonpositive)


def _curved(act: Any) -> bool:
    """Prove that g is no straight line: g' jumps, or g'' is not 0 somewhere."""
    if act.derivative.jumps():
        return True
    pieces = act.derivative.derivative().pieces
    for place in (Rational(1, 3), Rational(-1, 3), Rational(2), Rational(-2)):
        for piece in pieces:
            if piece.lower < place < piece.upper and not evaluate(piece.expr, {x: place}).contains(0):
                return True
    return False
