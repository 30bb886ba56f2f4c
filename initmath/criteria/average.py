"""Glorot's compromise between the forward and the backward condition."""

from __future__ import annotations

from initmath import moments
from initmath.criteria.asked import at_asked_q, where_it_holds
from initmath.criteria.flow import flow
from initmath.criteria.point import asked_point, solution_at
from initmath.criteria.result import Criterion, CriterionResult, Question, no_solution
from initmath.derivation import Step
from initmath.integral import q as Q
from initmath.solving.arithmetic import combine, exact, settle

__all__ = ["CRITERION"]


def solve(question: Question) -> CriterionResult:
    """Return σ_w² = 2/(m₂/(q − σ_b²) + (fan_out/fan_in)·χ̂)."""
    if not question.at > question.bias:
        return no_solution(
            f"the biases alone give the pre-activations variance {question.bias}: "
            f"not less than q = {question.at}"
        )
    point = asked_point(question)
    second, slope = point.moment("second_moment"), point.moment("derivative_second_moment")
    if not slope.ball.is_finite():
        return no_solution("E g'² is infinite: no weight variance keeps the gradient")
    bias, ratio = exact(question.bias, question.digits), exact(question.fan_ratio, question.digits)
    general = combine(
        lambda q, b, m, r, c: 2 / (m / (q - b) + r * c), point.q, bias, second, ratio, slope,
        digits=question.digits,
    )  # fmt: skip
    sigma_w2 = settle(general, question.at)
    leads = flow(question, sigma_w2, bias)
    solution = solution_at(point, sigma_w2, bias, fixed=False, leads=leads)
    steps: tuple[Step, ...] = ()
    if sigma_w2.closed_form is not None:
        forward = moments.problem(question.activation, "second_moment") / (Q - question.bias)
        backward = question.fan_ratio * moments.problem(question.activation, "derivative_second_moment")
        steps = (
            Step(
                rule="average",
                before=where_it_holds(2 / (forward + backward), general, sigma_w2, question.at),
                after=sigma_w2.closed_form,
                reason="The forward condition wants 1/v² = fan_in·E g²/(q − σ_b²), the backward one "
                "1/v² = fan_out·E g'²; take the mean of the two.",
                references=("Glorot & Bengio 2010, eq. (12), generalised from the identity",),
            ),
            *at_asked_q(sigma_w2.closed_form, question.at),
        )
    return CriterionResult((solution,), None, True, f"fixes no q: its length map {leads.says}", steps)


CRITERION = Criterion(
    name="average",
    when="when fan_in ≠ fan_out and neither pass may suffer: Glorot's mean of forward and backward",
    equation="v² = 2 / (fan_in·E g²/(q − σ_b²) + fan_out·E g'²)",
    latex=r"v^2 = \frac{2}{n_\mathrm{in}\,\mathbb{E}g^2/(q-\sigma_b^2) + n_\mathrm{out}\,\mathbb{E}g'^2}",
    source="Glorot & Bengio 2010, eq. (12), generalised from the identity",
    solve=solve,
)
