"""An expression in SymPy's spelling, also where SymPy itself would take seconds to write it."""

from __future__ import annotations

from typing import Any

from sympy.printing.str import StrPrinter

__all__ = ["order_for", "spelling"]

NESTED = 40
"""Operations of a constant from which on SymPy's order of terms costs too much."""


def order_for(expr: Any) -> str | None:
    """Return the order in which SymPy's printers shall write terms: ``"none"`` keeps that of the arguments.

    SymPy sorts the terms of a sum by the decimals of their constant factors and finds them anew at each
    level: seconds for nested constants such as SELU's.
    """
    return "none" if _long_constant(expr) else None


def _long_constant(expr: Any) -> bool:
    if not expr.free_symbols:
        return bool(expr.count_ops() > NESTED)
    return any(_long_constant(part) for part in expr.args)


def spelling(expr: Any) -> str:
    """Return an expression as text that SymPy reads back; text stays as it is.

    Examples
    --------
    >>> from sympy import Symbol, exp, pi
    >>> spelling(exp(2) / pi - Symbol("q") / 2)
    '-q/2 + exp(2)/pi'
    """
    if isinstance(expr, str):
        return expr
    return str(StrPrinter({"order": order_for(expr)}).doprint(expr))
