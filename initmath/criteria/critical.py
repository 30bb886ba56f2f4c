"""The edge of chaos: a fixed point of the length map at which gradients neither grow nor fade, χ₁ = 1."""

from __future__ import annotations

import time
from typing import Any

from flint import arb
from sympy import S

from initmath import moments
from initmath.balls import bits, evaluate, to_arb, working_precision
from initmath.criteria.asked import at_asked_q, where_it_holds
from initmath.criteria.backward import no_gradient
from initmath.criteria.point import Point, asked_point, root_point, solution_at
from initmath.criteria.result import Criterion, CriterionResult, Question, no_solution
from initmath.derivation import Number, Status, Step
from initmath.errors import Divergent, InputError, NotEnclosed
from initmath.integral import q as Q
from initmath.meanfield.balance import BIAS, near_infinity, signs
from initmath.meanfield.edge import ROOT_METHOD, root_number
from initmath.moments.algebra import is_zero, solve_for_q, tidy
from initmath.solving.arithmetic import combine, exact, for_one_value, proven_positive, settle
from initmath.solving.finite import finite_up_to
from initmath.solving.roots import isolate

__all__ = ["CRITERION"]

SECONDS = 20.0


def solve(question: Question) -> CriterionResult:
    """Solve χ₁ = 1 with q given (then σ_b² follows) or with σ_b² given (then q follows)."""
    if question.q is not None and question.sigma_b2 is not None:
        raise InputError(
            "critical is over-determined with both q and the bias variance given: give one, the other follows"
        )
    if question.sigma_b2 is not None:
        return _at_bias(question)
    return _at_q(question)


# ---------------------------------------------------------------------------------------------------- q given


def _at_q(question: Question) -> CriterionResult:
    point = asked_point(question)
    slope = point.moment("derivative_second_moment")
    reason = no_gradient(question, slope.ball)
    if reason is not None:
        return no_solution(reason)
    digits = question.digits
    general = combine(lambda c: 1 / c, slope, digits=digits)
    sigma_w2 = settle(general, question.at)
    second = point.moment("second_moment")
    left = combine(lambda q, m, c: q - m / c, point.q, second, slope, digits=digits)
    sigma_b2 = left
    everywhere = (
        sigma_b2.closed_form is not None
        and sigma_w2.closed_form is not None
        and is_zero(sigma_b2.closed_form)
    )
    if everywhere or _vanishes_here(sigma_b2, question.at):
        sigma_b2 = exact(S.Zero, digits)
    steps = _steps(question, (general, sigma_w2), (left, sigma_b2))
    if sigma_b2.ball < 0:
        return no_solution(
            f"χ₁ = 1 at q = {question.at} needs σ_w² = {sigma_w2.value} and σ_b² = {sigma_b2.value} < 0: "
            "already without biases the layer would raise q",
            steps=steps,
        )
    if not sigma_b2.ball >= 0:
        return no_solution(
            f"the sign of σ_b² = {sigma_b2.value} ± {sigma_b2.error_bound} was not decided", complete=False
        )
    continuum = None
    if everywhere and Q not in getattr(sigma_w2.closed_form, "free_symbols", {Q}):
        continuum = f"every q > 0 is critical: N·v² = {sigma_w2.closed_form}, σ_b² = 0, χ₁ = 1 for all q"
    return CriterionResult((solution_at(point, sigma_w2, sigma_b2),), continuum, True, None, steps)


def _vanishes_here(number: Number, at: Any) -> bool:
    """Whether a number that its ball cannot tell from zero is proven to be zero at this q."""
    closed = number.closed_form
    if closed is None or not number.ball.contains(0):
        return False
    return closed.free_symbols <= {Q} and is_zero(closed.xreplace({Q: at}))


def _steps(
    question: Question, weights: tuple[Number, Number], biases: tuple[Number, Number]
) -> tuple[Step, ...]:
    """State both equations; each pair is a number before and after it was settled at the asked q."""
    sigma_w2, sigma_b2 = weights[1], biases[1]
    if sigma_w2.closed_form is None or sigma_b2.closed_form is None:
        return ()
    inert = moments.problem(question.activation, "derivative_second_moment")
    second = moments.problem(question.activation, "second_moment")
    source = ("Schoenholz et al. 2017, arXiv:1611.01232, eq. (5); Hayou et al. 2019, arXiv:1902.06853",)
    return (
        Step(
            rule="critical",
            before=where_it_holds(1 / inert, *weights, question.at),
            after=sigma_w2.closed_form,
            reason="χ₁ = σ_w² E g'(y)² is the slope of the correlation map at 1 and the growth of squared "
            "gradients; asking for χ₁ = 1 gives σ_w².",
            references=source,
        ),
        *at_asked_q(sigma_w2.closed_form, question.at),
        Step(
            rule="fixed_point",
            before=where_it_holds(Q - second / inert, *biases, question.at),
            after=sigma_b2.closed_form,
            reason="q stays if q = σ_w² E g(y)² + σ_b²; that leaves σ_b².",
            conditions=("σ_b² ≥ 0",),
            references=source,
        ),
        *at_asked_q(sigma_b2.closed_form, question.at),
    )


# ------------------------------------------------------------------------------ σ_b² given


def _at_bias(question: Question) -> CriterionResult:
    """Find every q with (q − σ_b²) E g'² = E g²."""
    activation = question.activation
    if activation.expr is None:
        return no_solution("the function could not be traced: its roots cannot be isolated", complete=False)
    bias = question.bias
    second = moments.closed_value(activation, "second_moment", question.timeout)
    slope = moments.closed_value(activation, "derivative_second_moment", question.timeout)
    if slope is not None and slope == 0:
        return no_solution("E g'² = 0: the activation is piecewise constant, so no gradient passes")
    if second is not None and slope is not None:
        balance = tidy(Q - bias - tidy(second / slope))
        if Q not in balance.free_symbols or is_zero(balance):
            return _every_or_none(question, balance)
        roots = _exact_roots(question, balance)
        if roots is not None:
            points = [root_point(question, _number(question, root)) for root in roots]
            return _answer(question, points, None, f"no q solves {balance} = 0")
    return _isolated(question)


def _exact_roots(question: Question, balance: Any) -> tuple[Any, ...] | None:
    def positive(expr: Any) -> bool:
        return proven_positive(expr, moments.parameter_values(question.activation))

    try:
        return solve_for_q(balance, positive)
    except NotEnclosed:
        return None


def _number(question: Question, root: Any) -> Number:
    ball = evaluate(root, moments.parameter_values(question.activation), bits(question.digits + 20))
    return Number(Status.EXACT, ball, root, "the equation solved in closed form", question.digits)


def _every_or_none(question: Question, balance: Any) -> CriterionResult:
    if not is_zero(balance):
        return no_solution(
            f"χ₁ = 1 makes the layer keep q only if σ_b² is {tidy(balance + question.bias)}, at every q; "
            f"it is {question.bias}"
        )
    free = Question(question.activation, None, None, question.target_variance, digits=question.digits)
    return _at_q(free)


def _isolated(question: Question) -> CriterionResult:
    """Isolate the q between two proven ends: below σ_b² there is none, and the tails of g decide beyond."""
    if question.bias == 0:
        return _without_bias(question)
    activation, digits = question.activation, question.digits

    def bias() -> arb:
        return to_arb(question.bias)  # at the precision of the moment, whatever it is then

    def balance(t: arb, asked: int) -> arb:
        slope = moments.ball(activation, "derivative_second_moment", t, asked)
        return (t - bias()) * slope - moments.ball(activation, "second_moment", t, asked)

    def derivative(t: arb, asked: int) -> arb:
        slope = moments.ball(activation, "derivative_second_moment", t, asked)
        bend = moments.slope_ball(activation, "derivative_second_moment", t, asked)
        return slope + (t - bias()) * bend - moments.slope_ball(activation, "second_moment", t, asked)

    gaps = []
    with working_precision(bits(20)):
        low = bias().lower().mid()  # for q ≤ σ_b² the left side is not positive, and E g² is
        end = near_infinity(activation, BIAS, bias())
        high = (arb("1.0213e4") if end is None else end[0]).max(4 * low).mid()
        if end is None:
            gaps.append(f"beyond q = {float(high):.3g}")
    try:
        high, edge = finite_up_to(lambda t: balance(t, 6), "E g² or E g'²", low, high)
        if edge is not None:
            gaps = [edge]
        found = isolate(balance, derivative, low, high, digits + 6, deadline=time.monotonic() + SECONDS)
    except (NotEnclosed, Divergent) as error:
        return no_solution(f"the moments could not be enclosed on the whole range: {error}", complete=False)
    gaps += [f"between q = {float(a):.6g} and {float(b):.6g}" for a, b in found.unresolved]
    roots = [Number(Status.NUMERIC, root, None, ROOT_METHOD, digits) for root in found.roots]
    none = f"no q in [{float(low):.3g}, {float(high):.3g}] has χ₁ = 1 with this bias"
    if not gaps:
        none = (
            f"no q has χ₁ = 1 with this bias: none up to q = σ_b², none isolated up to "
            f"q = {float(high):.3g}, and beyond it the tails of g decide"
        )
    return _found(question, roots, gaps, none)


def _without_bias(question: Question) -> CriterionResult:
    """Without biases both ends are proven as those of the edge of chaos are."""
    try:
        found = signs(question.activation, BIAS, question.digits, question.timeout)
    except (NotEnclosed, Divergent, InputError) as error:
        return no_solution(f"the moments could not be enclosed on the whole range: {error}", complete=False)
    if found.vanishes:
        return _every_or_none(question, S.Zero)
    roots = [root_number(root, question.digits) for root in found.roots]
    return _found(question, roots, list(found.gaps), f"no q has χ₁ = 1 without biases: {found.how}")


def _found(question: Question, roots: list[Number], gaps: list[str], none: str) -> CriterionResult:
    reason = f"not proven that there are no other solutions {', '.join(gaps)}" if gaps else None
    return _answer(question, [root_point(question, root) for root in roots], reason, none)


def _answer(question: Question, points: list[Point], reason: str | None, none: str) -> CriterionResult:
    digits = question.digits
    solutions = []
    for point in points:
        slope = point.moment("derivative_second_moment")
        sigma_w2 = combine(lambda c: 1 / c, slope, digits=digits)
        solutions.append(solution_at(point, sigma_w2, exact(question.bias, digits)))
    if question.activation.is_symbolic:
        note = for_one_value(question.activation)
        reason = note if reason is None else f"{reason}; {note}"
    text = reason if solutions else (none if reason is None else f"{none}; {reason}")
    return CriterionResult(tuple(solutions), None, reason is None, text)


CRITERION = Criterion(
    name="critical",
    when="very deep networks: χ₁ = 1 at a fixed point, so neither gradients nor correlations die or explode",
    equation="σ_w² E g'(y)² = 1 and σ_b² = q − σ_w² E g(y)² ≥ 0  (give q, or σ_b²)",
    latex=r"\sigma_w^2\,\mathbb{E}\,g'(\sqrt q z)^2 = 1,\quad "
    r"\sigma_b^2 = q - \sigma_w^2\,\mathbb{E}\,g(\sqrt q z)^2 \ge 0",
    source="Poole et al. 2016, arXiv:1606.05340; Schoenholz et al. 2017, arXiv:1611.01232, eq. (5)",
    solve=solve,
)
