"""Where the length map q' = σ_w² m₂(q) + σ_b² goes from a given q."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from flint import arb
from sympy import S

from initmath import moments
from initmath.balls import bits, to_arb, working_precision
from initmath.criteria.arithmetic import exact
from initmath.criteria.result import Question
from initmath.criteria.roots import FIRST_DIGITS, isolate
from initmath.criteria.tails import concave_near_zero
from initmath.derivation import Number, Status
from initmath.errors import Divergent, NotEnclosed
from initmath.integral import q as Q
from initmath.moments.algebra import is_zero, power_terms

__all__ = ["Flow", "flow"]

LOW, HIGH = 1e-8, 1e4
"""The range of q in which fixed points are looked for."""

SECONDS = 2.0

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


def _upward(question: Question, excess: Map, slope: Map) -> Flow:
    deadline = time.monotonic() + SECONDS
    begin = here = to_arb(question.at)
    while here < HIGH:
        there = (here * BOX_RATIO).mid()
        found = isolate(excess, slope, here, there, question.digits, max_boxes=400, deadline=deadline)
        if found.roots:
            return _reached(question, found.roots[0], _increases(slope, begin, found.roots[0].upper()))
        if found.unresolved:
            return Flow(None, f"could not be followed beyond q = {float(here):.3g}")
        here = there
    return Flow(None, f"makes q grow, with no fixed point up to q = {HIGH:.0e}")


def _downward(question: Question, sigma_w2: Number, sigma_b2: Number, excess: Map, slope: Map) -> Flow:
    deadline = time.monotonic() + SECONDS
    end = here = to_arb(question.at)
    concave = concave_near_zero(question.activation, sigma_w2) if sigma_b2.ball.is_zero() else None
    floor = arb(LOW) if concave is None else concave
    while here > floor:
        there = (here / BOX_RATIO).mid()
        found = isolate(excess, slope, there, here, question.digits, max_boxes=400, deadline=deadline)
        if found.roots:
            return _reached(question, found.roots[-1], _increases(slope, found.roots[-1].lower(), end))
        if found.unresolved:
            return Flow(None, f"could not be followed below q = {float(here):.3g}")
        here = there
    if concave is not None:
        how = "the length map shrinks every q: by balls from the asked q down, and by concavity near 0"
    elif moments.ball(question.activation, "second_moment", arb(LOW), FIRST_DIGITS) < 1e-6:
        how = "the length map shrinks q down to 1e-8, by balls; below that by continuity at 0 only"
    else:
        return Flow(None, f"could not be followed below q = {LOW:.0e}")
    return Flow(
        Number(Status.NUMERIC, arb(0), S.Zero, how, question.digits), f"takes q = {question.at} to q* = 0"
    )


def _reached(question: Question, root: arb, proven: bool) -> Flow:
    if proven:
        how = "certified root; the length map increases on the way, so the orbit converges to it"
    else:
        how = "certified root next to q; that the orbit stays on its side was not proven"
    star = Number(Status.NUMERIC, root, None, how, question.digits)
    return Flow(star, f"takes q = {question.at} to q* = {star.value}")


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
