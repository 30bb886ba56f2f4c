"""Kumar's linearised rule: replace g by its tangent at 0."""

from __future__ import annotations

from typing import Any

from sympy import Derivative, Eq, S, Subs, Symbol, limit, oo

from initmath import moments
from initmath.balls import bits, evaluate
from initmath.criteria.flow import flow
from initmath.criteria.point import Point, solution_at
from initmath.criteria.result import Criterion, CriterionResult, Question, no_solution
from initmath.derivation import Number, Status, Step
from initmath.integral import x
from initmath.moments.algebra import is_zero
from initmath.solving.arithmetic import combine, exact, given

__all__ = ["CRITERION", "tangent_at_zero"]


def tangent_at_zero(activation: Any) -> tuple[Any, Any] | str:
    """Return (g(0), g'(0)), or the reason why there is no tangent."""
    values, slopes = [], []
    for piece in activation.pieces.pieces:
        left, right = _contains_zero(piece)
        for side, touched in (("-", left), ("+", right)):
            if touched:
                values.append(_one_sided(piece.expr, side))
                slopes.append(_one_sided(piece.expr.diff(x), side))
    for found, what in ((values, "jumps"), (slopes, "has a kink")):
        if any(not value.is_finite for value in found):
            return (
                "g is not differentiable at 0: its derivative is infinite there"
                if what != "jumps"
                else "g is infinite at 0"
            )
        if any(not is_zero(value - found[0]) for value in found[1:]):
            return f"g {what} at 0: it has no tangent there"
    return values[0], slopes[0]


def _contains_zero(piece: Any) -> tuple[bool, bool]:
    """Tell whether the piece reaches 0 from the left, and from the right."""
    lower, upper = piece.lower, piece.upper
    below = lower == -oo or bool(lower.is_negative)
    above = upper == oo or bool(upper.is_positive)
    left = below and (above or upper.is_zero)
    right = above and (below or lower.is_zero)
    return bool(left), bool(right)


def _one_sided(expr: Any, side: str) -> Any:
    value = expr.subs(x, 0)
    return limit(expr, x, 0, side) if value.has(S.NaN, S.ComplexInfinity, oo, -oo) else value


def solve(question: Question) -> CriterionResult:
    """Return σ_w² = (s²/g'(0)² − σ_b²)/(s² + g(0)²)."""
    activation, digits = question.activation, question.digits
    if activation.expr is None:
        return no_solution(
            "the function could not be traced: its derivative at 0 is not known", complete=False
        )
    try:
        tangent = tangent_at_zero(activation)
    except NotImplementedError:  # SymPy's limit: the sign of an expression in a symbolic parameter decides
        return no_solution(
            "whether g has a tangent at 0 depends on the value of its parameter: give it a number",
            complete=False,
        )
    if isinstance(tangent, str):
        return no_solution(tangent)
    if is_zero(tangent[1]):
        return no_solution(
            "g'(0) = 0: the tangent at 0 is flat, and the linearised network passes nothing on"
        )
    values = moments.parameter_values(activation)
    value, slope = (_constant(part, values, digits) for part in tangent)
    target, bias = exact(question.target_variance, digits), exact(question.bias, digits)
    sigma_w2 = combine(
        lambda s, b, g, d: (s / (d * d) - b) / (s + g * g), target, bias, value, slope, digits=digits
    )
    if not sigma_w2.ball > 0 and not (sigma_w2.ball <= 0 or _vanishes(sigma_w2)):
        return no_solution(f"the sign of σ_w² = {sigma_w2.value} was not decided", complete=False)
    if not sigma_w2.ball > 0:
        most = combine(lambda s, d: s / (d * d), target, slope, digits=digits)
        return no_solution(f"the biases alone reach s²/g'(0)² = {most.value}")
    point = Point(question, given(question.at, digits), question.at)
    leads = flow(question, sigma_w2, bias)
    solution = solution_at(point, sigma_w2, bias, fixed=False, leads=leads)
    reason = f"the tangent is a model, not the network: at this N·v² the exact length map {leads.says}"
    return CriterionResult((solution,), None, True, reason, _steps(question, tangent, sigma_w2))


def _vanishes(number: Number) -> bool:
    return number.closed_form is not None and is_zero(number.closed_form)


def _constant(expr: Any, values: dict[Any, Any], digits: int) -> Number:
    return Number(Status.EXACT, evaluate(expr, values, bits(digits + 12)), expr, "derivative at 0", digits)


def _steps(question: Question, tangent: tuple[Any, Any], sigma_w2: Number) -> tuple[Step, ...]:
    s2, weight = question.target_variance, Symbol("sigma_w2", positive=True)
    value, slope = tangent
    expr = next(p.expr for p in question.activation.pieces.pieces if any(_contains_zero(p)))
    references = ("Kumar 2017, arXiv:1704.08863, eqs. (8)-(12)",)
    return (
        Step(
            rule="value_at_zero",
            before=Subs(expr, x, 0),
            after=value,
            reason="The tangent at 0, g(y) ≈ g(0) + g'(0)·y, stands for g: the only approximation here. "
            "Its value at 0.",
            conditions=("|y| is small",),
            references=references,
        ),
        Step(
            rule="slope_at_zero",
            before=Subs(Derivative(expr, x), x, 0),
            after=slope,
            reason="Its slope.",
            conditions=("|y| is small",),
            references=references,
        ),
        Step(
            rule="solve",
            before=Eq(slope**2 * (weight * (s2 + value**2) + question.bias), s2, evaluate=False),
            after=Eq(weight, sigma_w2.closed_form, evaluate=False),
            reason="The tangent's output has mean g(0) and variance g'(0)² q, with "
            "q = σ_w² (s² + g(0)²) + σ_b²; ask for the variance s² and solve for σ_w².",
            references=references,
        ),
    )


CRITERION = Criterion(
    name="taylor",
    when="to see what the linearised textbook rule gives; valid only for small pre-activations",
    equation="N·v² = (s²/g'(0)² − σ_b²) / (s² + g(0)²)",
    latex=r"N v^2 = \frac{s^2/g'(0)^2 - \sigma_b^2}{s^2 + g(0)^2}",
    source="Kumar 2017, arXiv:1704.08863, eq. (12)",
    solve=solve,
)
