r"""Points of the edge of chaos at which the length map has slope 1, too: χ_∥ = χ_⊥ = 1.

.. math:: m_2'(q) = \hat\chi(q) \iff E[g g''] = 0 \text{ (with the deltas of } g'' \text{ at kinks)}

There q itself moves slower than any exponential, towards q* from one side and away from it on the other:
the half-stable points of Roberts, Yaida and Hanin.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from initmath.balls import bits, working_precision
from initmath.derivation import Number, Status
from initmath.errors import Divergent, InputError, NotEnclosed
from initmath.meanfield.balance import DOUBLY, second_slope, signs
from initmath.meanfield.edge import edge_at, no_edge, root_number
from initmath.solving.arithmetic import GUARD_DIGITS, for_one_value

__all__ = ["DoublyCritical", "DoublyCriticalPoints", "doubly_critical"]


@dataclass(frozen=True, slots=True)
class DoublyCritical:
    """A point with χ_∥ = χ_⊥ = 1.

    Attributes
    ----------
    q_star, sigma_w2, sigma_b2 : Number
    curvature : Number
        V''(q*) = σ_w² m₂''(q*): near q*, q' − q* = (q − q*) + ½ V'' (q − q*)² + ….
    stable_side : str or None
        ``"below"`` (V'' > 0: smaller q are drawn to q*, larger ones leave), ``"above"`` (V'' < 0), or None if
        the sign was not decided.
    """

    q_star: Number
    sigma_w2: Number
    sigma_b2: Number
    curvature: Number
    stable_side: str | None


@dataclass(frozen=True, slots=True)
class DoublyCriticalPoints:
    """All of them.

    Attributes
    ----------
    points : tuple of DoublyCritical
        In increasing order of q*.
    rejected : tuple of Number
        q at which m₂' = χ̂ but σ_b² would be negative.
    continuum : bool
        Whether every q is one (homogeneous g).
    complete : bool
        Whether there are provably no others.
    reason : str
    """

    points: tuple[DoublyCritical, ...]
    rejected: tuple[Number, ...]
    continuum: bool
    complete: bool
    reason: str


def doubly_critical(activation: Any, digits: int = 15, timeout: float | None = None) -> DoublyCriticalPoints:
    """Find every doubly critical point with q* > 0, with proof.

    References
    ----------
    .. [1] Roberts, Yaida, Hanin, The Principles of Deep Learning Theory, 2022, section 5.3.4,
       arXiv:2106.10165.

    Examples
    --------
    >>> from initmath.activation import resolve
    >>> found = doubly_critical(resolve("gelu"))
    >>> found.points[0].q_star.closed_form, found.points[0].stable_side, found.complete
    (3/2 + sqrt(17)/2, 'above', True)
    """
    if activation.expr is None:
        return DoublyCriticalPoints(
            (), (), False, False, "the function could not be traced: nothing is proven about all q"
        )
    nothing = no_edge(activation)
    if nothing is not None:
        return DoublyCriticalPoints((), (), False, True, nothing)
    try:
        found = signs(activation, DOUBLY, digits, timeout)
        if found.vanishes:
            return DoublyCriticalPoints((), (), True, True, found.how)
        points, rejected, gaps = [], [], list(found.gaps)
        for root in found.roots:
            q = root_number(root, digits)
            edge = edge_at(activation, None, digits, timeout, number=q)
            if edge.exists and edge.sigma_w2 is not None and edge.sigma_b2 is not None:
                curvature = _curvature(activation, q, edge.sigma_w2)
                side = "below" if curvature.ball > 0 else "above" if curvature.ball < 0 else None
                points.append(DoublyCritical(q, edge.sigma_w2, edge.sigma_b2, curvature, side))
            elif edge.exists is False:
                rejected.append(q)
            else:
                gaps.append(f"at q = {q.value}: {edge.reason}")
    except (NotEnclosed, Divergent, InputError) as error:
        return DoublyCriticalPoints(
            (), (), False, False, f"E[g g''] was not enclosed on the whole range: {error}"
        )
    notes = [found.how]
    if rejected:
        notes.append(f"at q = {', '.join(number.value for number in rejected)} σ_b² would be negative")
    if gaps:
        notes.append(f"not shown: {', '.join(gaps)}")
    if activation.is_symbolic:
        notes.append(for_one_value(activation))
    complete = not gaps and not activation.is_symbolic
    return DoublyCriticalPoints(tuple(points), tuple(rejected), False, complete, "; ".join(notes))


def _curvature(activation: Any, q: Number, sigma_w2: Number) -> Number:
    deep = q.digits + GUARD_DIGITS
    bend = second_slope(activation, q.ball, deep)
    with working_precision(bits(deep)):
        return Number(
            Status.NUMERIC, sigma_w2.ball * bend, None, "certified quadrature at the root", q.digits
        )
