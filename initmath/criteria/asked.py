"""Steps at the asked q: where an equation holds, and the value that its right side has there."""

from __future__ import annotations

from typing import Any

from initmath.derivation import Number, Step
from initmath.integral import q as Q
from initmath.moments.algebra import tidy

__all__ = ["at_asked_q", "where_it_holds"]


def where_it_holds(before: Any, general: Number, shown: Number, at: Any) -> Any:
    """Return the left side of a step whose right side is ``shown``.

    A closed form in q may be a small rational at one q (SELU's second moment is 1 at q = 1).  The equation is
    then one at that q, and q is inserted on the left as well.

    Parameters
    ----------
    before : Expr
        In the symbol q.
    general, shown : Number
        Before and after ``settle``.
    at : Rational

    Examples
    --------
    >>> from flint import arb
    >>> from initmath.derivation import Status
    >>> from sympy import S
    >>> general, settled = (Number(Status.EXACT, arb(2), closed, "", 15) for closed in (Q + 1, S(2)))
    >>> where_it_holds(Q + 1, general, settled, S.One)
    2
    """
    return before.xreplace({Q: at}) if _in_q(general) and not _in_q(shown) else before


def _in_q(number: Number) -> bool:
    return Q in getattr(number.closed_form, "free_symbols", ())


def at_asked_q(closed: Any, at: Any) -> tuple[Step, ...]:
    """Return the step that inserts q, if there is one to insert.

    Examples
    --------
    >>> from sympy import S
    >>> at_asked_q(2 / (Q + 3), S.One)[0].after
    1/2
    """
    if Q not in closed.free_symbols:
        return ()
    value = tidy(closed.xreplace({Q: at}))
    return (
        Step("asked_q", closed, value, f"Insert the q that was asked for: q = {at}.", inserted=((Q, at),)),
    )
