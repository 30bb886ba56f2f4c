"""Dynamical isometry: orthogonal weights on the edge of chaos, at the q with a chosen spread."""

from __future__ import annotations

import time
from typing import Any

from flint import arb
from sympy import S

from initmath import moments
from initmath.balls import bits, evaluate, to_arb, working_precision
from initmath.criteria.backward import no_gradient
from initmath.criteria.point import Point, asked_point, root_point, solution_at
from initmath.criteria.result import Criterion, CriterionResult, Question, Solution, no_solution
from initmath.derivation import Number, Status, Step
from initmath.errors import Divergent, InputError, NotEnclosed
from initmath.integral import q as Q
from initmath.moments.algebra import is_zero, solve_for_q, tidy
from initmath.solving.arithmetic import combine, exact, for_one_value, proven_positive
from initmath.solving.finite import finite_up_to
from initmath.solving.roots import isolate
from initmath.solving.spread import SlopeSpread, digits_for

__all__ = ["CRITERION", "DEEPEST", "OVER_DETERMINED"]

DEEPEST = 10**6
"""Layers: as deep as spectra are given."""

LOW, HIGH = "1.0037e-12", "1.0213e4"
"""Where roots are looked for when nothing is proven about the ends."""

BOXES = 1500
SECONDS = 20.0

OVER_DETERMINED = "isometry finds q, and σ_b² follows: leave the bias variance out"

METHOD = "root of a certified function, isolated by the interval Newton method"
SOURCE = "Pennington, Schoenholz, Ganguli 2017, arXiv:1711.04735; 2018, arXiv:1802.09979"


def solve(question: Question) -> CriterionResult:
    """Find every q with L (μ₂/μ₁² − 1) = spread; σ_w² = 1/μ₁ and σ_b² = q − m₂/μ₁ ≥ 0 there."""
    if question.depth is None:
        raise InputError("isometry needs a number of layers, which derive takes as depth (--depth 64)")
    if question.sigma_b2 is not None:
        raise InputError(f"over-determined: {OVER_DETERMINED}")
    activation = question.activation
    if activation.expr is None:
        return no_solution("the function could not be traced: its roots cannot be isolated", complete=False)
    first = moments.closed_value(activation, "derivative_second_moment", question.timeout)
    reason = _no_slope(question, first)
    if reason is not None:
        return no_solution(reason)
    spread = SlopeSpread(activation)
    second = moments.closed_value(activation, "derivative_fourth_moment", question.timeout)
    closed = None if first is None or second is None else tidy(second / first**2 - 1)
    steps = () if closed is None else _steps(question, closed)
    if closed is not None and Q not in closed.free_symbols:
        return _same_everywhere(question, closed, steps)
    if spread.constant is not None and not activation.is_symbolic:
        return _same_everywhere(question, spread.constant, steps)
    if first is not None and second is not None:
        roots = _exact_roots(question, first, second)
        if roots is not None:
            points = [root_point(question, _number(question, root)) for root in roots]
            return _answer(question, points, None, steps)
    return _isolated(question, spread, steps)


def _target(question: Question) -> Any:
    """Return the share of one layer: spread/L."""
    return question.spread / question.depth


def _no_slope(question: Question, closed: Any) -> str | None:
    if closed is not None:
        return no_gradient(question, arb(0) if closed == 0 else arb(1))
    try:
        return no_gradient(question, moments.ball(question.activation, "derivative_second_moment", arb(1), 6))
    except Divergent:
        return None
    except NotEnclosed:
        return None


# ----------------------------------------------------------------------------------- the same at every q


def _same_everywhere(question: Question, each: Any, steps: tuple[Step, ...]) -> CriterionResult:
    """Treat an activation whose μ₂/μ₁² does not depend on q: ReLU 2, a linear map or |x| 1."""
    depth, asked = question.depth, question.spread
    total = tidy(depth * each)
    if is_zero(each):
        text = (
            f"every q is an exact isometry: g'² is the same everywhere, so orthogonal weights give spread 0, "
            f"not {asked}, at any depth; shown at q = {question.at}"
        )
        return _at_asked(question, text, steps)
    if each.free_symbols:
        text = f"σ²_JJᵀ = {total} at every q: it is {asked} only where the parameters make it so"
        return no_solution(f"{text}; {for_one_value(question.activation)}", complete=False, steps=steps)
    number = exact(total, question.digits)
    if is_zero(total - asked):
        return _at_asked(
            question, f"every q has spread {asked} at this depth; shown at q = {question.at}", steps
        )
    what = f"L = {depth}" if each == 1 else f"{each}·L = {total}"
    return no_solution(
        f"impossible: μ₂/μ₁² − 1 = {each} at every q, so σ²_JJᵀ = {what} whatever q is, not {asked}",
        steps=steps,
        attainable=(number, number),
    )


def _at_asked(question: Question, text: str, steps: tuple[Step, ...]) -> CriterionResult:
    solution, _, why = _solution(asked_point(question))
    found = () if solution is None else (solution,)
    return CriterionResult(found, text, True, why, steps)


# ------------------------------------------------------------------------------------------- in closed form


def _exact_roots(question: Question, first: Any, second: Any) -> tuple[Any, ...] | None:
    def positive(expr: Any) -> bool:
        return proven_positive(expr, moments.parameter_values(question.activation))

    try:
        return solve_for_q(tidy(second - (1 + _target(question)) * first**2), positive)
    except NotEnclosed:
        return None


def _number(question: Question, root: Any) -> Number:
    ball = evaluate(root, moments.parameter_values(question.activation), bits(question.digits + 20))
    return Number(Status.EXACT, ball, root, "the equation solved in closed form", question.digits)


# ----------------------------------------------------------------------------------------- with certainty


def _isolated(question: Question, spread: SlopeSpread, steps: tuple[Step, ...]) -> CriterionResult:
    target, digits = _target(question), question.digits
    lost = digits_for(target)
    gaps = []
    low, high = spread.below(target), spread.beyond(target)
    if low is None:
        low = arb(LOW)
        gaps.append(f"below q = {float(low):.3g}")
    if high is None:
        high = arb(HIGH)
        gaps.append(f"beyond q = {float(high):.3g}")
    low, high = low.lower(), high.upper()
    high, edge = finite_up_to(lambda q: spread.value(q, 6), "E g'⁴", low.mid(), high.mid())
    if edge is not None:
        gaps = [text for text in gaps if not text.startswith("beyond")] + [edge]

    def excess(t: arb, asked: int) -> arb:
        found = spread.value(t, asked + lost)
        with working_precision(bits(asked + lost)):
            return found - to_arb(target)

    deadline = time.monotonic() + max(SECONDS, question.timeout or 0)
    try:
        found = isolate(
            excess, spread.slope, low.mid(), high.mid(), digits + 6, max_boxes=BOXES, deadline=deadline
        )
    except (NotEnclosed, Divergent) as error:
        text = f"the moments of g' could not be enclosed on the whole range: {error}"
        return no_solution(text, complete=False)
    gaps += [f"between q = {float(a):.6g} and {float(b):.6g}" for a, b in found.unresolved]
    reason = f"not proven that there are no other solutions {', '.join(gaps)}" if gaps else None
    points = [
        root_point(question, Number(Status.NUMERIC, root, None, METHOD, digits)) for root in found.roots
    ]
    return _answer(question, points, reason, steps)


# ------------------------------------------------------------------------------------------------ the answer


def _solution(point: Point) -> tuple[Solution | None, bool, str | None]:
    """Return the solution at a point; else whether it is decided that there is none, and why."""
    digits = point.question.digits
    slope, second = point.moment("derivative_second_moment"), point.moment("second_moment")
    sigma_w2 = combine(lambda c: 1 / c, slope, digits=digits)
    sigma_b2 = combine(lambda q, m, c: q - m / c, point.q, second, slope, digits=digits)
    closed = sigma_b2.closed_form
    if closed is not None and is_zero(closed):
        sigma_b2 = exact(S.Zero, digits)
    if sigma_b2.ball < 0:
        return None, True, f"q = {point.q.value} has the spread, but needs σ_b² = {float(sigma_b2):.6g} < 0"
    if not sigma_b2.ball >= 0:
        return None, False, f"the sign of σ_b² at q = {point.q.value} was not decided"
    return solution_at(point, sigma_w2, sigma_b2), True, None


def _answer(
    question: Question, points: list[Point], reason: str | None, steps: tuple[Step, ...]
) -> CriterionResult:
    solutions: list[Solution] = []
    notes: list[str] = []
    complete = reason is None
    for point in points:
        solution, decided, why = _solution(point)
        complete = complete and decided
        if solution is not None:
            solutions.append(solution)
        if why is not None:
            notes.append(why)
    if question.activation.is_symbolic:
        complete = False
        notes.append(for_one_value(question.activation))
    if reason is not None:
        notes.append(reason)
    depth, asked = question.depth, question.spread
    if solutions:
        notes.insert(0, f"with orthogonal weights σ²_JJᵀ = {asked} after L = {depth} layers")
    elif not points:
        none = "no q > 0" if complete else "no q that was found"
        notes.insert(
            0, f"no solution: {none} has σ²_JJᵀ = {asked} after L = {depth} layers{_at_kink(question)}"
        )
    else:
        notes.insert(0, "no point that has the spread is allowed")
    return CriterionResult(tuple(solutions), None, complete, "; ".join(notes), steps)


def _at_kink(question: Question) -> str:
    """Say what a kink at 0 leaves of the spread as q → 0, where the other activations lose it."""
    sides = SlopeSpread(question.activation).at_zero
    if sides is None:
        return ""
    mean, half = (sides[0] + sides[1]) / 2, (sides[0] - sides[1]) / 2
    if mean == 0 or half == 0:
        return ""
    left = float(question.depth * (half / mean) ** 2)
    return f"; the kink at 0 leaves {left:.6g} of it as q → 0"


def _steps(question: Question, closed: Any) -> tuple[Step, ...]:
    first = moments.problem(question.activation, "derivative_second_moment")
    second = moments.problem(question.activation, "derivative_fourth_moment")
    value: Any = moments.closed_value(question.activation, "derivative_second_moment")
    return (
        Step(
            rule="critical",
            before=1 / first,
            after=tidy(1 / value),
            reason="χ₁ = σ_w² μ₁ = 1, μ_k = E g'(y)^{2k}: so E λ = 1 at every depth.",
            references=(SOURCE,),
        ),
        Step(
            rule="spread",
            before=question.depth * (second / first**2 - 1),
            after=tidy(question.depth * closed),
            reason="With orthogonal weights the squared singular values of J have the variance "
            "σ²_JJᵀ = L (μ₂/μ₁² − 1): to second order the S-transform of g'² is all that L layers add up.",
            conditions=("width to infinity", "the slopes are asymptotically free of the weights"),
            references=(SOURCE,),
        ),
    )


CRITERION = Criterion(
    name="isometry",
    when="orthogonal weights: gradients of all directions keep their length through L layers",
    equation="L (E g'(y)⁴ / (E g'(y)²)² − 1) = spread,  σ_w² E g'(y)² = 1,  σ_b² = q − σ_w² E g(y)² ≥ 0",
    latex=r"L\left(\frac{\mathbb{E}\,g'^4}{(\mathbb{E}\,g'^2)^2} - 1\right) = \sigma^2_{JJ^\top},\quad "
    r"\sigma_w^2\,\mathbb{E}\,g'^2 = 1,\quad \sigma_b^2 = q - \sigma_w^2\,\mathbb{E}\,g^2 \ge 0",
    source=SOURCE,
    solve=solve,
)
