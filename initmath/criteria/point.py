"""The moments of an activation at one q: asked, solved for exactly, or a certified root."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flint import arb

from initmath import moments
from initmath.balls import bits, evaluate, relative_error
from initmath.criteria.flow import Flow, flow
from initmath.criteria.result import Question, Solution
from initmath.derivation import Number, Status
from initmath.errors import Disagreement, Divergent
from initmath.integral import q as Q
from initmath.moments.algebra import is_zero, tidy
from initmath.solving.arithmetic import GUARD_DIGITS, combine, exact, given, settle, square_root

__all__ = ["Point", "asked_point", "root_point", "solution_at", "stability", "why_undecided"]


@dataclass(frozen=True, slots=True)
class Point:
    """A pre-activation variance, with the moments there.

    Attributes
    ----------
    question : Question
    q : Number
        In closed forms: the symbol q at an asked rational, the solution at a root.
    at : Rational or None
        The asked rational; None at a root.
    """

    question: Question
    q: Number
    at: Any | None

    def moment(self, name: str) -> Number:
        """Return E g, E g², Var g or E g'² here."""
        question = self.question
        if self.at is not None:
            deep = question.digits + GUARD_DIGITS
            number = moments.moment(question.activation, name, self.at, deep, question.timeout).number
            return self._shown(number)
        closed = moments.closed_value(question.activation, name)
        return self._at_root(name, closed, moments.ball_confirmed, moments.ball)

    def slope(self, name: str) -> Number:
        """Return d/dq of a moment here."""
        question = self.question
        if self.at is not None:
            deep = question.digits + GUARD_DIGITS
            return self._shown(moments.slope(question.activation, name, self.at, deep, question.timeout))
        closed = moments.closed_slope(question.activation, name)
        return self._at_root(name, closed, moments.slope_ball_confirmed, moments.slope_ball)

    def _shown(self, number: Number) -> Number:
        return Number(
            number.status,
            number.ball,
            number.closed_form,
            number.method,
            self.question.digits,
            number.certified,
        )

    def _at_root(self, name: str, closed: Any, confirm: Any, enclose: Any) -> Number:
        question = self.question
        asked = (question.activation, name, self.q.ball, question.digits + GUARD_DIGITS)
        try:
            ball = confirm(*asked)
            if not relative_error(ball) <= WIDE:
                # Terms that cancel: the root's own width, times their size, can swallow the moment.
                ball = _both(ball, enclose(*asked), name)
        except Divergent as error:
            # E g'² alone may be infinite (√|x|): then χ₁ is, and the solution stands.
            if name != "derivative_second_moment":
                raise
            return Number(Status.NUMERIC, arb.pos_inf(), None, f"diverges: {error}", question.digits)
        if closed is None or self.q.closed_form is None:
            return Number(Status.NUMERIC, ball, None, self.q.method, question.digits)
        return Number(
            Status.EXACT, ball, tidy(closed.subs(Q, self.q.closed_form)), self.q.method, question.digits
        )


WIDE = 1e-10
"""A moment at a root is enclosed a second time when its ball is wider than this, relatively."""


def _both(first: arb, second: arb, name: str) -> arb:
    if not (first.is_finite() and second.is_finite()):
        return second if second.is_finite() else first
    if not first.overlaps(second):
        raise Disagreement(f"two enclosures of {name} at a root do not meet: {first} and {second}")
    return first.intersection(second)


def asked_point(question: Question, at: Any | None = None) -> Point:
    """Return the point at the asked q."""
    where = question.at if at is None else at
    return Point(question, given(where, question.digits), where)


def root_point(question: Question, q: Number) -> Point:
    """Return the point at a solution."""
    return Point(question, q, None)


UNDECIDED_DIGITS = 60
"""With so many digits a slope is told from 1 before it is called marginal without a proof."""


def stability(chi_parallel: Number, q: Number | None = None) -> str:
    """Tell whether a fixed point of the length map attracts: |χ_∥| < 1, > 1, or not told from 1."""
    sign = _against_one(chi_parallel, q)[0]
    return "marginal" if sign == 0 else "unstable" if sign > 0 else "stable"


def why_undecided(chi_parallel: Number, q: Number | None = None) -> str | None:
    """Return a warning where "marginal" only means that |χ_∥| was not told from 1; None where it is known."""
    sign, proven, digits = _against_one(chi_parallel, q)
    if sign or proven:
        return None
    where = "" if q is None else f" at q = {q.value}"
    return f"χ_∥{where} cannot be told from 1 at {digits} digits: marginal is not proven"


def _against_one(chi_parallel: Number, q: Number | None) -> tuple[int, bool, int]:
    """Return the sign of |χ_∥| − 1, whether a zero of it is proven, and the digits that were used."""
    slope = abs(chi_parallel.ball)
    if slope < 1 or slope > 1:
        return (-1 if slope < 1 else 1), True, chi_parallel.digits
    closed, root = chi_parallel.closed_form, None if q is None else q.closed_form
    known = chi_parallel.digits
    if closed is None or not slope.is_finite():
        return 0, False, known
    if Q in closed.free_symbols and root is not None and root != Q:
        closed = closed.xreplace({Q: root})
    if is_zero(closed**2 - 1):
        return 0, True, known
    if closed.free_symbols:
        return 0, False, known
    ball = abs(evaluate(closed, {}, bits(UNDECIDED_DIGITS + GUARD_DIGITS)))
    if ball < 1 or ball > 1:
        return (-1 if ball < 1 else 1), True, UNDECIDED_DIGITS
    return 0, False, UNDECIDED_DIGITS


def solution_at(
    point: Point,
    sigma_w2: Number,
    sigma_b2: Number,
    *,
    fixed: bool = True,
    centred: bool = False,
    leads: Flow | None = None,
) -> Solution:
    """Complete a solution: χ₁, χ_∥, stability, and where the length map leads.

    Parameters
    ----------
    point : Point
    sigma_w2, sigma_b2 : Number
    fixed : bool
        Whether the criterion makes the point a fixed point of the length map.
    leads : Flow, optional
        Where the length map goes, if that is known already.
    centred : bool
        For weight-standardised W, whose length map is q' = σ_w² Var g(√q z) + σ_b².
    """
    question = point.question
    digits = question.digits
    chi_1 = combine(lambda w, c: w * c, sigma_w2, point.moment("derivative_second_moment"), digits=digits)
    slope = point.slope("variance" if centred else "second_moment")
    chi_parallel = combine(lambda w, m: w * m, sigma_w2, slope, digits=digits)
    if point.at is not None:
        chi_1, chi_parallel = settle(chi_1, point.at), settle(chi_parallel, point.at)
    shown_q = exact(point.at, digits) if point.at is not None else point.q
    kind = stability(chi_parallel, shown_q) if fixed else "not_a_fixed_point"
    if not fixed and leads is None:
        leads = flow(question, sigma_w2, sigma_b2)
    q_star = shown_q if leads is None else leads.q_star
    return Solution(sigma_w2, sigma_b2, shown_q, square_root(sigma_w2), chi_1, chi_parallel, kind, q_star)
