"""Scale and shift an activation, at its input and its output, until chosen conditions hold.

ĝ(x) = γ·(g(αx + β) + δ) for x ~ N(0, q).  `CONDITIONS` are the equations, `RECIPES` the sets of them that
have a name; `pose` makes a question of them and `solve` answers it.
"""

from initmath.transformation.conditions import CONDITIONS, FREE, Condition, condition
from initmath.transformation.problem import Asked, Problem, pose
from initmath.transformation.recipes import PARAMETER, RECIPES, Recipe, recipe
from initmath.transformation.result import Met, Outcome, Transformed
from initmath.transformation.solve import solve

__all__ = [
    "CONDITIONS",
    "FREE",
    "PARAMETER",
    "RECIPES",
    "Asked",
    "Condition",
    "Met",
    "Outcome",
    "Problem",
    "Recipe",
    "Transformed",
    "condition",
    "pose",
    "recipe",
    "solve",
]
