"""The rules, in the order in which they are tried; nothing registers itself.

To add a rule, write ``rules/name.py`` with ``apply(node) -> Step | Declined`` and put it into `RULES`.
"""

from __future__ import annotations

from collections.abc import Callable

from initmath.derivation import Declined, Step
from initmath.gaussian.rules import (
    algebraic,
    expand,
    finite_part,
    logistic,
    mellin,
    moment,
    orthant,
    parity,
    rational,
    series,
    split,
    stein,
    tilt,
)
from initmath.integral import GaussianIntegral

__all__ = ["RULES", "Rule"]

Rule = Callable[[GaussianIntegral], Step | Declined]

RULES: tuple[Rule, ...] = (
    # symmetry and kinks
    parity.apply,
    split.apply,
    # one named function
    logistic.apply,
    series.apply,
    # the Gaussian core
    expand.apply,
    moment.apply,
    tilt.apply,
    stein.apply,
    orthant.apply,
    finite_part.apply,
    # special functions
    algebraic.apply,
    rational.apply,
    mellin.apply,
)
