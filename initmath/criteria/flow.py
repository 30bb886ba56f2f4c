"""Where the length map q' = σ_w² m₂(q) + σ_b² goes from a given q."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from flint import arb
from sympy import S

from initmath import moments
from initmath.balls import bits, to_arb, working_precision
from initmath.criteria.result import Question
from initmath.derivation import Number, Status
from initmath.errors import Divergent, NotEnclosed
from initmath.integral import q as Q
from initmath.moments.algebra import is_zero, power_terms
from initmath.solving.arithmetic import exact
from initmath.solving.roots import FIRST_DIGITS, Isolation, isolate
from initmath.solving.tails import concave_near_zero, linear_near_zero

__all__ = ["Flow", "flow"]

LOW, HIGH = 1e-8, 1e4
"""The range of q in which fixed points are looked for."""

BOXES = 600
"""How many boxes of q one orbit may cost: a budget that does not depend on the machine's load."""

SECONDS = 10.0
"""Wall-clock limit behind the budget."""

LAYERS = 40
"""How many layers an orbit is followed by balls before it is given up."""

BOX_RATIO = 4

Map = Callable[[arb, int], arb]


@dataclass(frozen=True, slots=True)
class Flow:
    """Where an orbit goes.

    Attributes
    ----------
    q_star : Number or None
        The fixed point that is reached; None when q grows without end, or when nothing was settled.
    says : str
        One clause for a sentence about the length map.
    """

    q_star: Number | None
    says: str


def flow(question: Question, sigma_w2: Number, sigma_b2: Number) -> Flow:
    """Follow the length map from the asked q.

    The fixed points are isolated with balls on [1e-8, 1e4].  Where the map increases between q and the next
    fixed point in the direction of the first step, the orbit cannot cross it and converges to it.
    """
    activation, digits = question.activation, question.digits
    if activation.expr is None:
        return Flow(None, "was not followed: the function could not be traced")
    settled = _proportional(question, sigma_w2, sigma_b2)
    if settled is not None:
        return settled

    def excess(t: arb, asked: int) -> arb:
        return sigma_w2.ball * moments.ball(activation, "second_moment", t, asked) + sigma_b2.ball - t

    def slope(t: arb, asked: int) -> arb:
        return sigma_w2.ball * moments.slope_ball(activation, "second_moment", t, asked) - 1

    try:
        with working_precision(bits(digits + 10)):
            first = excess(to_arb(question.at), digits)
            if first.contains(0):
                return _kept(question, sigma_w2, sigma_b2)
            if first > 0:
                return _upward(question, excess, slope)
            return _downward(question, sigma_w2, sigma_b2, excess, slope)
    except (NotEnclosed, Divergent) as error:
        return Flow(None, f"could not be followed: {error}")


def _proportional(question: Question, sigma_w2: Number, sigma_b2: Number) -> Flow | None:
    """Settle m₂ = C·q without bias by its ratio σ_w² C; None when m₂ is not proportional to q."""
    value = moments.closed_value(question.activation, "second_moment")
    terms = None if value is None else power_terms(value)
    if terms is None or set(terms) != {S.One} or not sigma_b2.ball.is_zero():
        return None
    ratio = sigma_w2.ball * moments.ball(question.activation, "second_moment", arb(1), question.digits)
    if ratio > 1:
        return Flow(None, "multiplies q by the same factor > 1 in every layer: it grows without end")
    if ratio < 1:
        return Flow(
            exact(S.Zero, question.digits), "multiplies q by the same factor < 1 in every layer: q* = 0"
        )
    closed = sigma_w2.closed_form
    if closed is None or not is_zero(closed * terms[S.One] - 1):
        return None
    return Flow(exact(question.at, question.digits), f"keeps q = {question.at}")


def _kept(question: Question, sigma_w2: Number, sigma_b2: Number) -> Flow:
    """Prove that q is a fixed point; balls cannot, they only fail to tell it from one."""
    value = moments.closed_value(question.activation, "second_moment")
    weight, bias = sigma_w2.closed_form, sigma_b2.closed_form
    if value is not None and weight is not None and bias is not None:
        excess = (weight * value + bias - Q).xreplace({Q: question.at})
        if excess.is_number and is_zero(excess):
            return Flow(exact(question.at, question.digits), f"keeps q = {question.at}")
    return Flow(None, f"cannot be told from one that keeps q = {question.at}")


class _Search:
    """Fixed points, box by box, within one budget for the whole orbit."""

    def __init__(self, excess: Map, slope: Map, question: Question) -> None:
        self.excess, self.slope, self.digits = excess, slope, question.digits
        self.boxes = BOXES
        self.deadline = time.monotonic() + max(SECONDS, question.timeout or 0.0)

    def between(self, low: arb, high: arb) -> Isolation:
        found = isolate(
            self.excess, self.slope, low, high, self.digits, max_boxes=self.boxes, deadline=self.deadline
        )
        self.boxes = max(0, self.boxes - found.boxes)
        return found


def _upward(question: Question, excess: Map, slope: Map) -> Flow:
    search = _Search(excess, slope, question)
    here = to_arb(question.at)
    while here < HIGH:
        there = (here * BOX_RATIO).mid()
        found = search.between(here, there)
        if found.roots:
            return _reached(question, search, found.roots[0])
        if found.unresolved:
            return Flow(None, f"could not be followed beyond q = {float(here):.3g}")
        here = there
    return Flow(None, f"makes q grow, with no fixed point up to q = {HIGH:.0e}")


def _downward(question: Question, sigma_w2: Number, sigma_b2: Number, excess: Map, slope: Map) -> Flow:
    search = _Search(excess, slope, question)
    here = to_arb(question.at)
    floor, how = _basin_of_zero(question, sigma_w2, sigma_b2)
    bottom = arb(LOW) if floor is None else floor
    while here > bottom:
        there = (here / BOX_RATIO).mid()
        found = search.between(there, here)
        if found.roots:
            return _reached(question, search, found.roots[-1])
        if found.unresolved:
            return Flow(None, f"could not be followed below q = {float(here):.3g}")
        here = there
    if floor is None:
        return Flow(
            None, f"lowers q, with no fixed point down to q = {LOW:.0e}; below that nothing is proven"
        )
    # No fixed point between the basin and q, and V < id throughout: a decreasing or leaping orbit ends there.
    return Flow(
        Number(Status.NUMERIC, arb(0), S.Zero, how, question.digits), f"takes q = {question.at} to q* = 0"
    )


def _basin_of_zero(question: Question, sigma_w2: Number, sigma_b2: Number) -> tuple[arb | None, str]:
    """Return t₀ such that every q ≤ t₀ goes to 0, with the argument; None where none is known."""
    if not sigma_b2.ball.is_zero():
        return None, ""
    start = "the length map shrinks every q: by balls from the asked q down, and by "
    linear = linear_near_zero(question.activation, sigma_w2)
    if linear is not None:
        return linear, start + "a linear bound near 0"
    return concave_near_zero(question.activation, sigma_w2), start + "concavity near 0"


def _reached(question: Question, search: _Search, root: arb) -> Flow:
    """Prove that the orbit converges to the fixed point next to q, or say that this is not known.

    Where the map increases between q and the fixed point, the orbit cannot cross it.  Otherwise the orbit is
    followed, layer by layer in balls, until it is where that holds.
    """
    where = to_arb(question.at)
    for layer in range(LAYERS):
        if _attracted(search, where, root, first=layer == 0):
            how = "certified root; the length map increases on the way, so the orbit converges to it"
            if layer:
                how = f"certified root; after {layer} layers the length map increases on the way to it"
            star = Number(Status.NUMERIC, root, None, how, question.digits)
            return Flow(star, f"takes q = {question.at} to q* = {star.value}")
        where = where + search.excess(where, question.digits)
        if not (where.is_finite() and where > LOW and where < HIGH and where.rad() < 1e-3 * where.mid()):
            break
    star = Number(Status.NUMERIC, root, None, "", question.digits)
    return Flow(
        None, f"has a fixed point q = {star.value}, but that q = {question.at} goes there is not proven"
    )


def _attracted(search: _Search, where: arb, root: arb, *, first: bool) -> bool:
    """Whether the map increases between q and the root, with no other fixed point, and steps towards it."""
    below, above = where < root, where > root
    if not (below or above):
        return False
    low, high = (where.lower(), root.upper()) if below else (root.lower(), where.upper())
    if not _increases(search.slope, low, high):
        return False
    if first:
        return True  # the search came from q: nothing lies between, and the first step goes this way
    step = search.excess(where, search.digits)
    if not (step > 0 if below else step < 0):
        return False
    found = search.between(low, high)
    return found.complete and len(found.roots) == 1


def _increases(slope: Map, left: arb, right: arb) -> bool:
    """Whether V' > 0 on [left, right]; ``slope`` is V' − 1."""
    stack = [(left, right, 0)]
    while stack:
        a, b, depth = stack.pop()
        value = slope(a.union(b), FIRST_DIGITS)
        if value.is_finite() and value > -1:
            continue
        if depth > 6:
            return False
        middle = (a * b).sqrt().mid()
        stack += [(a, middle, depth + 1), (middle, b, depth + 1)]
    return True
