"""What is known of an activation before anything is integrated."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from initmath.display.document import Facts
from initmath.display.inline import Inline

__all__ = ["ActivationFacts", "facts_of"]

_NAME = re.compile(r"[A-Za-z]\w*(\.\w+)?")

LONG_VALUE, LONG_FORMULA = 8, 40
"""Operations from which on a parameter is shown as a decimal, and a formula with its parameters' names."""


@dataclass(frozen=True, slots=True)
class ActivationFacts:
    """An activation's block in every answer.

    Attributes
    ----------
    name, expression : str
        The expression in SymPy spelling; None for a callable that could not be traced.
    parameters : dict of str to str
        Values; a name as its own value is a symbol.
    kinks, jumps : tuple of str
        Where g or g' is discontinuous, and where g itself is.
    parity : str
        ``"odd"``, ``"even"`` or ``"none"``.
    homogeneity_degree : str or None
        k with g(λx) = λᵏ g(x) for λ > 0.
    bounded : bool or None
    """

    name: str
    expression: str | None
    parameters: dict[str, str]
    kinks: tuple[str, ...]
    jumps: tuple[str, ...]
    parity: str
    homogeneity_degree: str | None
    bounded: bool | None
    expr: Any = field(default=None, repr=False, metadata={"json": False})
    points: tuple[Any, ...] = field(default=(), repr=False, metadata={"json": False})
    jump_points: tuple[Any, ...] = field(default=(), repr=False, metadata={"json": False})
    values: tuple[tuple[str, Any], ...] = field(default=(), repr=False, metadata={"json": False})
    references: tuple[str, ...] = field(default=(), repr=False, metadata={"json": False})

    def __hash__(self) -> int:
        return hash((self.name, self.expression))

    def title(self) -> Inline:
        """Name and formula, once if the name is the formula."""
        if self.expr is None:
            return self.name
        if not _NAME.fullmatch(self.name):  # the expression itself, as it was typed
            return ("g(x) = ", self.expr)
        return (self.name, ": g(x) = ", self.expr)

    def block(self) -> Facts:
        """List the facts, one a line; what is absent is left out."""
        rows: list[tuple[Inline, Inline]] = []
        if self.parameters:
            rows.append(("parameters", self._parameters()))
        if self.expr is None:
            rows.append(("formula", "none: the function could not be traced, so no number is certified"))
        else:
            smooth = [point for point in self.points if point not in self.jump_points]
            if smooth:
                rows.append(("kinks at" if len(smooth) > 1 else "kink at", _listed(smooth)))
            if self.jump_points:
                rows.append(
                    ("jumps at" if len(self.jump_points) > 1 else "jump at", _listed(self.jump_points))
                )
            rows.append(("shape", ", ".join(self._shape())))
        if self.references:
            rows.append(("source", "; ".join(self.references[:2])))
        return Facts(tuple(rows))

    def _parameters(self) -> Inline:
        shown: list[Inline] = []
        for name, value in self.values:
            shown += [", "] if shown else []
            shown += [f"{name} (symbolic)"] if str(value) == name else [f"{name} = ", _brief(value)]
        return tuple(shown)

    def _shape(self) -> list[str]:
        words = [] if self.points else ["smooth"]
        if self.parity != "none":
            words.append(self.parity)
        if self.homogeneity_degree is not None:
            words.append(f"homogeneous of degree {self.homogeneity_degree}")
        if self.bounded is not None:
            words.append("bounded" if self.bounded else "unbounded")
        return words or ["no symmetry"]


def facts_of(activation: Any) -> ActivationFacts:
    """Collect the facts of an activation."""
    parameters = {p.name: str(p.value) for p in activation.parameters}
    if activation.expr is None:
        return ActivationFacts(activation.name, None, parameters, (), (), "none", None, None)
    degree = activation.homogeneity_degree
    return ActivationFacts(
        name=activation.name,
        expression=str(activation.expr),
        parameters=parameters,
        kinks=tuple(map(str, activation.kinks)),
        jumps=tuple(map(str, activation.jumps)),
        parity=activation.parity,
        homogeneity_degree=None if degree is None else str(degree),
        bounded=activation.bounded,
        expr=_readable(activation),
        values=tuple((p.name, p.value) for p in activation.parameters),
        points=tuple(activation.kinks),
        jump_points=tuple(activation.jumps),
        references=activation.references,
    )


def _brief(value: Any) -> Inline:
    """Show a parameter's exact value, or its first digits where that is long."""
    return value if value.count_ops() < LONG_VALUE else f"{float(value):.15g}…"


def _readable(activation: Any) -> Any:
    """Choose the formula to show: with the parameters' names where their values would bury it."""
    if activation.generic_expr is not None and activation.expr.count_ops() > LONG_FORMULA:
        return activation.generic_expr
    return activation.expr


def _listed(points: Any) -> Inline:
    shown: list[Inline] = ["x = "]
    for index, point in enumerate(points):
        shown += [", ", point] if index else [point]
    return tuple(shown)
