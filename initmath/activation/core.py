"""An activation: one real function of one real variable, and what can be computed from its expression."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from sympy import Symbol

from initmath.errors import InputError
from initmath.integral import x
from initmath.piecewise import PiecewiseSmooth, sign_of

__all__ = ["Activation", "Parameter"]


@dataclass(frozen=True, slots=True)
class Parameter:
    """A named constant of an activation.

    Attributes
    ----------
    name : str
    value : Expr
        An exact number, or the symbol itself when it is kept symbolic.
    default : Expr or None
        The usual value; None for a parameter that the user declared.
    assumption : str
        ``"positive"`` or ``"real"``: what is assumed of the symbol.
    """

    name: str
    value: Any
    default: Any = None
    assumption: str = "positive"

    @property
    def symbol(self) -> Any:
        """The symbol that stands for this parameter."""
        return (
            Symbol(self.name, positive=True)
            if self.assumption == "positive"
            else Symbol(self.name, real=True)
        )

    @property
    def is_symbolic(self) -> bool:
        """Whether the value contains a symbol."""
        return bool(self.value.free_symbols)


def _meets(parameter: Parameter) -> bool:
    """Tell whether a value satisfies the assumption on its symbol."""
    if parameter.value == parameter.symbol:
        return True
    return not parameter.is_symbolic and (parameter.assumption == "real" or sign_of(parameter.value) == 1)


@dataclass(frozen=True)
class Activation:
    """A scalar activation g.

    Attributes
    ----------
    name : str
        The catalogue name, or the expression itself.
    expr : Expr or None
        g in the real symbol `initmath.integral.x` and the symbols of its parameters; None when `numeric` is
        all that is known.
    parameters : tuple of Parameter
    references, aliases : tuple of str
    numeric : callable or None
        A callable that could not be traced to an expression: everything about it is numeric, not certified.

    Examples
    --------
    >>> from initmath.activation import resolve
    >>> g = resolve("hardtanh")
    >>> g.kinks, g.parity, g.bounded, g.limits
    ((-1, 1), 'odd', True, (-1, 1))
    """

    name: str
    expr: Any
    parameters: tuple[Parameter, ...] = ()
    references: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    numeric: Callable[[Any], Any] | None = field(default=None, compare=False, repr=False)
    generic_expr: Any = field(default=None, compare=False, repr=False)

    # Two untraced callables are the same activation only if they are the same object.
    def __hash__(self) -> int:
        return hash((self.name, self.expr, self.parameters, id(self.numeric) if self.expr is None else None))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Activation):
            return NotImplemented
        same = (self.name, self.expr, self.parameters) == (other.name, other.expr, other.parameters)
        return same and (self.expr is not None or self.numeric is other.numeric)

    @property
    def is_symbolic(self) -> bool:
        """Whether a parameter is kept as a symbol."""
        return self.expr is not None and bool(self.expr.free_symbols - {x})

    @cached_property
    def pieces(self) -> PiecewiseSmooth:
        """The function g as analytic pieces between its kinks."""
        if self.expr is None:
            raise InputError(
                f"{self.name} could not be traced to an expression: it can only be used numerically"
            )
        return PiecewiseSmooth.from_expr(self.expr, x)

    @cached_property
    def derivative(self) -> PiecewiseSmooth:
        """The derivative of g almost everywhere."""
        return self.pieces.derivative()

    @cached_property
    def jumps(self) -> tuple[Any, ...]:
        """The points at which g itself is discontinuous."""
        return tuple(point for point, _ in self.pieces.jumps())

    @cached_property
    def kinks(self) -> tuple[Any, ...]:
        """The points at which g or g' is discontinuous."""
        found = {*self.jumps, *(point for point, _ in self.derivative.jumps())}
        return tuple(point for point in self.pieces.breakpoints if point in found)

    @cached_property
    def parity(self) -> str:
        """``"odd"`` or ``"even"`` if that is proven, else ``"none"``."""
        from initmath.activation.analysis import parity

        return parity(self.pieces)

    @cached_property
    def homogeneity_degree(self) -> Any:
        """The k with g(λx) = λᵏ g(x) for all λ > 0, or None."""
        from initmath.activation.analysis import homogeneity_degree

        return homogeneity_degree(self.pieces)

    @cached_property
    def limits(self) -> tuple[Any, Any]:
        """The limits of g at −∞ and at +∞; None where there is none, or none was found."""
        from initmath.activation.asymptotics import limit_at

        return limit_at(self.pieces, -1), limit_at(self.pieces, +1)

    @cached_property
    def bounded(self) -> bool | None:
        """Whether g is bounded on the line; None if that was not decided."""
        from initmath.activation.asymptotics import bounded

        return bounded(self.pieces)

    @cached_property
    def is_constant(self) -> bool:
        """Whether g is constant (almost everywhere)."""
        from initmath.activation.analysis import is_constant

        return is_constant(self.pieces)

    @cached_property
    def generic(self) -> Activation:
        """The same activation with its parameters kept as symbols (closed forms stay short).

        A value that does not meet the assumption on its symbol (a slope of 0 or −1) stays a number.
        """
        if self.generic_expr is None:
            return self
        kept = {p.name: _meets(p) for p in self.parameters}
        parameters = tuple(
            Parameter(p.name, p.symbol, p.default, p.assumption) if kept[p.name] else p
            for p in self.parameters
        )
        fixed = {p.symbol: p.value for p in self.parameters if not kept[p.name]}
        expr = self.generic_expr.subs(fixed) if fixed else self.generic_expr
        return Activation(
            self.name, expr, parameters, self.references, self.aliases, generic_expr=self.generic_expr
        )

    @property
    def values(self) -> dict[Any, Any]:
        """From each symbol of `generic` to its exact value here."""
        return {p.symbol: p.value for p in self.parameters if not p.is_symbolic and _meets(p)}

    def numpy(self, order: int = 0) -> Callable[[Any], Any]:
        """Return g (order 0) or g' almost everywhere (order 1) as a vectorised, numerically stable function.

        Examples
        --------
        >>> from initmath.activation import resolve
        >>> float(resolve("softplus").numpy()(1000.0))
        1000.0
        """
        from initmath.activation.numeric import vectorised

        return vectorised(self, order)
