"""Up to which q a Gaussian moment is finite."""

from __future__ import annotations

from collections.abc import Callable

from flint import arb

from initmath.balls import bits, working_precision
from initmath.errors import Divergent, NotEnclosed

__all__ = ["finite_up_to"]

EDGE = 1e-6
"""Relative width to which the place where a moment becomes infinite is found."""


def finite_up_to(moment: Callable[[arb], object], name: str, low: arb, high: arb) -> tuple[arb, str | None]:
    """Shrink a range of q to where a moment is finite.

    The tails of N(0, q) grow with q, so a moment that diverges at one q diverges at every larger one.

    Parameters
    ----------
    moment : callable
        Of q; raises Divergent where the moment is infinite.  One that is not enclosed counts as finite.
    name : str
        What to call it.
    low, high : arb

    Returns
    -------
    (arb, str or None)
        The upper end, and what to say if that is not ``high``.

    Raises
    ------
    Divergent
        If it is infinite at ``low`` already.

    Examples
    --------
    >>> from initmath import moments
    >>> from initmath.activation import resolve
    >>> g = resolve("exp(x**2/8)")
    >>> finite_up_to(lambda q: moments.ball(g, "second_moment", q, 6), "E g²", arb("0.1"), arb(50))[1]
    'beyond q = 2, where E g² becomes infinite'
    """

    def diverges(q: arb) -> bool:
        try:
            moment(q)
        except Divergent:
            return True
        except NotEnclosed:
            return False
        return False

    if not diverges(high):
        return high, None
    if diverges(low):
        moment(low)
    with working_precision(bits(20)):
        finite, infinite = low, high
        while float(infinite / finite) - 1 > EDGE:
            middle = (finite * infinite).sqrt().mid()
            finite, infinite = (finite, middle) if diverges(middle) else (middle, infinite)
    return finite, f"beyond q = {float(finite):.6g}, where {name} becomes infinite"
