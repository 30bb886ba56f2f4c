"""The rules, in the order in which they are tried; nothing registers itself.

To add a rule, write ``rules/name.py`` with ``apply(node) -> Step | Declined`` and put it into `RULES`.
"""

from __future__ import annotations

from collections.abc import Callable

from initmath.derivation import Declined, Step
from initmath.gaussian.rules import expand, moment, orthant, parity, split, stein, tilt
from initmath.integral import GaussianIntegral

__all__ = ["RULES", "Rule"]

Rule = Callable[[GaussianIntegral], Step | Declined]

RULES: tuple[Rule, ...] = (
    parity.apply,
    split.apply,
    expand.apply,
    moment.apply,
    tilt.apply,
    stein.apply,
    orthant.apply,
)
