"""The question: which conditions, which of α, β, γ, δ and the activation's own parameters are free."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sympy import Integer, Rational, sympify

from initmath.errors import InputError
from initmath.integral import q as Q
from initmath.transformation.conditions import FREE, GENERIC_TARGET, Condition, condition
from initmath.transformation.recipes import PARAMETER

__all__ = ["Asked", "Problem", "pose"]

NEUTRAL = {"input_scale": Integer(1), "input_shift": Integer(0), "output_scale": Integer(1)}


@dataclass(frozen=True, slots=True)
class Asked:
    """A condition with the value that is asked for."""

    condition: Condition
    target: Any

    @property
    def residual(self) -> Any:
        """Quantity less target."""
        return self.condition.quantity - self.target


@dataclass(frozen=True)
class Problem:
    """What is to be solved.

    Attributes
    ----------
    activation : Activation
        With every parameter that is not free at its value.
    at : Rational
        q, the variance of the input.
    asked : tuple of Asked
    free : tuple of str
        Among ``input_scale``, ``input_shift``, ``output_scale``, ``output_shift`` and parameters' names.
    fixed : dict of str to Rational
        The rest of the four.
    digits : int
    timeout : float or None
    """

    activation: Any
    at: Any
    asked: tuple[Asked, ...]
    free: tuple[str, ...]
    fixed: dict[str, Any]
    digits: int = 15
    timeout: float | None = None

    @property
    def own(self) -> tuple[str, ...]:
        """The free parameters of the activation itself."""
        return tuple(name for name in self.free if name not in FREE)

    @property
    def outer(self) -> tuple[str, ...]:
        """The free quantities among α, β, γ, δ."""
        return tuple(name for name in self.free if name in FREE)

    def names(self) -> tuple[str, ...]:
        """Return the names of the conditions."""
        return tuple(each.condition.name for each in self.asked)

    def targets(self) -> dict[str, Any]:
        """Return the target of each condition."""
        return {each.condition.name: each.target for each in self.asked}


def pose(
    activation: Any,
    conditions: tuple[str, ...],
    free: tuple[str, ...],
    *,
    q: Any = 1,
    targets: dict[str, Any] | None = None,
    fixed: dict[str, Any] | None = None,
    digits: int = 15,
    timeout: float | None = None,
) -> Problem:
    """Check a question and put it into one form.

    Raises
    ------
    InputError
        Unknown names, a target that is missing or impossible, or more conditions than free quantities.
    """
    if activation.expr is None:
        raise InputError(f"{activation.name} could not be traced to a formula: it cannot be transformed")
    if not conditions:
        raise InputError("name at least one condition")
    if len(set(conditions)) < len(conditions):
        raise InputError("a condition is named twice")
    at = Rational(q)
    targets = dict(targets or {})
    asked = tuple(_asked(condition(name), targets.pop(name, None), at) for name in conditions)
    if targets:
        raise InputError(f"a target is given for {min(targets)}, which is not among the conditions")
    names = tuple(_own_parameter(activation, name) for name in free)
    if len(set(names)) < len(names):
        raise InputError("a free quantity is named twice")
    if len(names) != len(asked):
        kind = "over" if len(asked) > len(names) else "under"
        raise InputError(
            f"{kind}-determined: {len(asked)} conditions ({', '.join(conditions)}) for {len(names)} free "
            f"quantities ({', '.join(names) or 'none'}); there must be as many of each"
        )
    known = _fixed(names, fixed or {})
    symbolic = [p.name for p in activation.parameters if p.is_symbolic and p.name not in names]
    if symbolic:
        raise InputError(f"the parameter {symbolic[0]} is kept symbolic: give it a number, or make it free")
    return Problem(activation, at, asked, names, known, digits, timeout)


def _asked(found: Condition, target: Any, at: Any) -> Asked:
    value = found.target if target is None else sympify(target)
    if GENERIC_TARGET in value.free_symbols:
        raise InputError(f"{found.name} ({found.equation}) needs a target")
    value = value.xreplace({Q: at})
    positive = found.name in ("second_moment", "slope", "curvature")
    if positive and not value > 0:
        raise InputError(f"the target of {found.name} must be positive, not {value}")
    if found.name == "mean_square" and not 0 <= value <= 1:
        raise InputError(f"the target of mean_square is a correlation, C(0), between 0 and 1, not {value}")
    return Asked(found, value)


def _own_parameter(activation: Any, name: str) -> str:
    """Return the name of a free quantity; ``parameter`` means the activation's only one."""
    has = tuple(p.name for p in activation.parameters)
    if name == PARAMETER:
        if len(has) == 1:
            return str(has[0])
        many = "has no parameter" if not has else f"has several parameters ({', '.join(has)})"
        also = "; free the input shift instead: input_shift" if not has else ""
        raise InputError(f"{activation.name} {many}: name what is to be free{also}")
    if name in FREE or name in has:
        return name
    raise InputError(f"{name!r} cannot be free: choose among {', '.join((*FREE, *has))}")


def _fixed(names: tuple[str, ...], fixed: dict[str, Any]) -> dict[str, Any]:
    known: dict[str, Any] = {**NEUTRAL, "output_shift": Integer(0)}
    for name, value in fixed.items():
        if name not in FREE:
            raise InputError(f"{name!r} cannot be fixed here: choose among {', '.join(FREE)}")
        if name in names:
            raise InputError(f"{name} is both free and fixed")
        known[name] = Rational(value)
    for name in ("input_scale", "output_scale"):
        if not known[name] > 0:
            raise InputError(f"{name} must be positive, not {known[name]}")
    return {name: value for name, value in known.items() if name not in names}
