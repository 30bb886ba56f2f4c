"""Where the length map q' = σ_w² m₂(q) + σ_b² goes from a given q."""

from __future__ import annotations

import time

from flint import arb
from sympy import S

from initmath import moments
from initmath.balls import bits, to_arb, working_precision
from initmath.criteria.arithmetic import exact
from initmath.criteria.algebra import is_zero, power_terms
from initmath.criteria.result import Question
from initmath.criteria.roots import FIRST_DIGITS, isolate
from initmath.derivation import Number, Status
from initmath.errors import Divergent, NotEnclosed

__all__ = ["leads_to"]

LOW, HIGH = 1e-8, 1e4
"""The range of q in which fixed points are looked for."""

SECONDS = 2.0


def leads_to(question: Question, sigma_w2: Number, sigma_b2: Number) -> Number | None:
    """Return the fixed point that the length map reaches from the asked q; None if it grows without end.

    The fixed points are isolated with balls on [1e-8, 1e4].  Where the map increases between q and the next fixed
    point in the direction of the first step, the orbit cannot cross it and converges to it.
    """
    activation, digits = question.activation, question.digits
    if activation.expr is None:
        return None
    settled = _proportional(question, sigma_w2, sigma_b2)
    if settled is not None:
        return settled[0]
    at = to_arb(question.at)

    def excess(t: arb, asked: int) -> arb:
        return sigma_w2.ball * moments.ball(activation, "second_moment", t, asked) + sigma_b2.ball - t

    def slope(t: arb, asked: int) -> arb:
        return sigma_w2.ball * moments.slope_ball(activation, "second_moment", t, asked) - 1

    deadline = time.monotonic() + SECONDS
    try:
        with working_precision(bits(digits + 10)):
            first = excess(at, digits)
            if first.contains(0):
                return exact(question.at, digits)
            upward = bool(first > 0)
            low, high = (at, arb(HIGH)) if upward else (arb(LOW), at)
            return _next_fixed_point(question, excess, slope, low, high, upward, deadline)
    except (NotEnclosed, Divergent):
        return None


def _proportional(question: Question, sigma_w2: Number, sigma_b2: Number) -> tuple[Number | None] | None:
    """Settle m₂ = C·q without bias by its ratio σ_w² C; None when m₂ is not proportional to q."""
    value = moments.closed_value(question.activation, "second_moment")
    terms = None if value is None else power_terms(value)
    if terms is None or set(terms) != {S.One} or not sigma_b2.ball.is_zero():
        return None
    ratio = sigma_w2.ball * moments.ball(question.activation, "second_moment", arb(1), question.digits)
    if ratio > 1:
        return (None,)
    if ratio < 1:
        return (exact(S.Zero, question.digits),)
    closed = sigma_w2.closed_form
    kept = closed is not None and is_zero(closed * terms[S.One] - 1)
    return (exact(question.at, question.digits),) if kept else None


def _next_fixed_point(question, excess, slope, low, high, upward, deadline):  # type: ignore[no-untyped-def]
    """Walk outward in boxes until the first one that holds a fixed point."""
    activation, digits = question.activation, question.digits
    factor = arb(4)
    here = low if upward else high
    while (here < high) if upward else (here > low):
        there = (here * factor if upward else here / factor).mid()
        if upward and there > high:
            there = high
        if not upward and there < low:
            there = low
        left, right = (here, there) if upward else (there, here)
        found = isolate(excess, slope, left, right, digits, max_boxes=400, deadline=deadline)
        if found.unresolved:
            return None
        if found.roots:
            root = found.roots[0] if upward else found.roots[-1]
            proven = _increases(slope, here, root, upward)
            how = "certified root; the length map increases on the way, so the orbit converges to it"
            if not proven:
                how = "certified root next to q; that the orbit stays on its side was not proven"
            return Number(Status.NUMERIC, root, None, how, digits)
        here = there
    if upward:
        return None
    start = moments.ball(activation, "second_moment", arb(LOW), FIRST_DIGITS)
    if start < 1e-6:
        how = "no fixed point on [1e-8, q]: the length map shrinks q all the way; below that by continuity at 0"
        return Number(Status.NUMERIC, arb(0), S.Zero, how, digits)
    return None


def _increases(slope, here, root, upward) -> bool:  # type: ignore[no-untyped-def]
    """Whether V' > 0 on every box between q and the fixed point (slope is V' − 1)."""
    left, right = (here, root.upper()) if upward else (root.lower(), here)
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


