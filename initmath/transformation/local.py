"""The conditions and their derivatives in balls: certified moments of g(αx + β), and the chain rule."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from flint import arb
from sympy import Symbol

from initmath import enclosure
from initmath.balls import bits, evaluate, to_arb, working_precision
from initmath.errors import NotEnclosed
from initmath.integral import q as Q
from initmath.integral import x
from initmath.piecewise import Piece, PiecewiseSmooth
from initmath.transformation.conditions import FREE, INPUT_SCALE, INPUT_SHIFT, MOMENTS, MomentOf
from initmath.transformation.problem import Asked

__all__ = ["System", "inner"]

Box = dict[Any, arb]


@lru_cache(256)
def inner(
    activation: Any,
    function: str,
    power: int,
    by: Any = None,
    scale: Any = INPUT_SCALE,
    shift: Any = INPUT_SHIFT,
) -> PiecewiseSmooth:
    """Return h(αx + β)·x^power piece by piece, h one of g, g², g'², g''², or its derivative in a parameter.

    The breakpoints move with α and β; the pieces stay analytic in all of them.  Where α and β are numbers
    the enclosure also sees singularities that can be removed, such as that of sin(x)/x.
    """
    if function in ("g", "g^2"):
        pieces: PiecewiseSmooth = activation.pieces
    elif function == "g'^2":
        pieces = activation.derivative
    else:
        pieces = activation.derivative.derivative()
    if function != "g":
        pieces = pieces.map(lambda e: e**2)
    if by is not None:
        pieces = pieces.map(lambda e: e.diff(by))
    place = scale * x + shift

    def moved(end: Any) -> Any:
        return (end - shift) / scale if end.is_finite else end

    return PiecewiseSmooth(
        x,
        tuple(Piece(moved(p.lower), moved(p.upper), p.expr.subs(x, place) * x**power) for p in pieces.pieces),
    )


class System:
    """F(u) = quantities − targets, and F'(u), for the unknowns u in their order.

    Parameters
    ----------
    activation : Activation
        With the free parameters kept as symbols.
    asked : tuple of Asked
    unknowns : tuple of Symbol
    known : dict of Symbol to Rational
        Values of the other symbols.
    at : Rational
        q.
    """

    def __init__(
        self,
        activation: Any,
        asked: tuple[Asked, ...],
        unknowns: tuple[Any, ...],
        known: dict[Any, Any],
        at: Any,
    ) -> None:
        self.activation, self.unknowns, self.at = activation, unknowns, at
        self.known: Box = {symbol: to_arb(value) for symbol, value in known.items()}
        self.place = known.get(INPUT_SCALE, INPUT_SCALE), known.get(INPUT_SHIFT, INPUT_SHIFT)
        self.residuals = tuple(each.residual for each in asked)
        symbols = set().union(*(r.free_symbols for r in self.residuals)) if self.residuals else set()
        self.moments = tuple(m for m in MOMENTS if m.symbol in symbols)

    def values(self, box: list[arb]) -> Box:
        """Return the value of every symbol but the moments."""
        return {**self.known, **dict(zip(self.unknowns, box, strict=True)), Q: to_arb(self.at)}

    def __call__(self, box: list[arb], digits: int) -> list[arb]:
        """Enclose the residuals."""
        with working_precision(bits(digits + 10)):
            values = self.values(box)
            for m in self.moments:
                values[m.symbol] = self.moment(m.function, m.power, values, digits)
            return [evaluate(r, values, bits(digits + 10)) for r in self.residuals]

    def jacobian(self, box: list[arb], digits: int) -> list[list[arb]]:
        """Enclose the derivatives of the residuals, one row a condition."""
        prec = bits(digits + 10)
        with working_precision(prec):
            values = self.values(box)
            for m in self.moments:
                values[m.symbol] = self.moment(m.function, m.power, values, digits)
            slopes = {
                (m.symbol, u): self.slope(m, u, values, digits) for m in self.moments for u in self.unknowns
            }
            rows = []
            for r in self.residuals:
                partial = {
                    m.symbol: evaluate(r.diff(m.symbol), values, prec)
                    for m in self.moments
                    if m.symbol in r.free_symbols
                }
                row = []
                for u in self.unknowns:
                    total = evaluate(r.diff(u), values, prec) if u in r.free_symbols else arb(0)
                    for symbol, factor in partial.items():
                        total += factor * slopes[symbol, u]
                    row.append(total)
                rows.append(row)
            return rows

    def slope(self, m: MomentOf, unknown: Any, values: Box, digits: int) -> arb:
        r"""Enclose a moment's derivative in an unknown.

        E h(αx + β) x^k is the mean of h(y) ((y − β)/α)^k over y ~ N(β, α²q), so with the score of that law

        .. math::
            \partial_\beta B_k = \frac{B_{k+1}}{\alpha q} - \frac{k}{\alpha} B_{k-1}, \qquad
            \partial_\alpha B_k = \frac{B_{k+2}/q - (1 + k) B_k}{\alpha},

        whatever the smoothness of h.
        """
        k, alpha, q = m.power, values[INPUT_SCALE], values[Q]
        if unknown == INPUT_SHIFT:
            total = self.moment(m.function, k + 1, values, digits) / q
            if k:
                total -= k * self.moment(m.function, k - 1, values, digits)
            return total / alpha
        if unknown == INPUT_SCALE:
            total = self.moment(m.function, k + 2, values, digits) / q
            return (total - (1 + k) * values[m.symbol]) / alpha
        if unknown.name in FREE:
            return arb(0)
        if any(unknown in point.free_symbols for point in self.activation.pieces.breakpoints):
            raise NotEnclosed(f"the parameter {unknown} moves a kink: solving for it is not supported")
        return self.moment(m.function, k, values, digits, unknown)

    def moment(self, function: str, power: int, values: Box, digits: int, by: Symbol | None = None) -> arb:
        """Enclose E[h(αx + β) x^power], or its derivative in a parameter."""
        f = inner(self.activation, function, power, by, *self.place)
        if all(p.expr == 0 for p in f.pieces):
            return arb(0)
        needed = set().union(*(p.expr.free_symbols | p.lower.free_symbols for p in f.pieces)) - {x}
        parameters = {symbol: values[symbol] for symbol in needed}
        for asked in (digits, max(4, digits // 2), 4):
            try:
                return enclosure.expectation(f, self.at, asked, parameters)
            except NotEnclosed:
                if all(to_arb(v).is_exact() for v in parameters.values()):
                    raise
        return enclosure.expectation(f, self.at, 2, parameters)
