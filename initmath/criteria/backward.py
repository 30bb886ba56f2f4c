"""Keep the squared gradient on its way back: χ₁ = 1 when fan_in = fan_out."""

from __future__ import annotations

from initmath import moments
from initmath.criteria.asked import at_asked_q, where_it_holds
from initmath.criteria.flow import flow
from initmath.criteria.point import asked_point, solution_at
from initmath.criteria.result import Criterion, CriterionResult, Question, no_solution
from initmath.derivation import Step
from initmath.integral import q as Q
from initmath.solving.arithmetic import combine, exact, settle

__all__ = ["CRITERION", "no_gradient"]


def no_gradient(question: Question, ball: object) -> str | None:
    """Say why E g'² cannot be divided by, or return None."""
    if not ball.is_finite():  # type: ignore[attr-defined]
        return "E g'² is infinite: no weight variance keeps the gradient"
    if not ball > 0:  # type: ignore[operator]
        return (
            "E g'² = 0: the activation is piecewise constant, so no gradient passes, whatever the weights are"
        )
    return None


def solve(question: Question) -> CriterionResult:
    """Return σ_w² = (fan_in/fan_out)/χ̂(q)."""
    point = asked_point(question)
    slope = point.moment("derivative_second_moment")
    reason = no_gradient(question, slope.ball)
    if reason is not None:
        return no_solution(reason)
    ratio = exact(1 / question.fan_ratio, question.digits)
    general = combine(lambda r, c: r / c, ratio, slope, digits=question.digits)
    sigma_w2 = settle(general, question.at)
    bias = exact(question.bias, question.digits)
    leads = flow(question, sigma_w2, bias)
    solution = solution_at(point, sigma_w2, bias, fixed=False, leads=leads)
    steps: tuple[Step, ...] = ()
    if sigma_w2.closed_form is not None:
        inert = moments.problem(question.activation, "derivative_second_moment")
        steps = (
            Step(
                rule="backward",
                before=where_it_holds(1 / question.fan_ratio / inert, general, sigma_w2, question.at),
                after=sigma_w2.closed_form,
                reason="Going back through a layer multiplies the mean squared gradient by "
                "fan_out·v²·E g'(y)²; asking that it is kept gives v², and N·v² = fan_in·v².",
                conditions=("the gradient is independent of the pre-activations (mean field)",),
                references=("He et al. 2015, arXiv:1502.01852, eq. (14)",),
            ),
            *at_asked_q(sigma_w2.closed_form, question.at),
        )
    free = sigma_w2.closed_form is not None and Q not in sigma_w2.closed_form.free_symbols
    same = free and question.activation.homogeneity_degree == 1
    continuum = f"the same for every q > 0: N·v² = {sigma_w2.closed_form}" if same else None
    return CriterionResult((solution,), continuum, True, f"fixes no q: its length map {leads.says}", steps)


CRITERION = Criterion(
    name="backward",
    when="when gradients matter more than signals: keeps the squared gradient norm from layer to layer",
    equation="N·v² = (fan_in/fan_out) / E g'(y)²,  y ~ N(0, q)",
    latex=r"N v^2 = \frac{n_\mathrm{in}/n_\mathrm{out}}{\mathbb{E}\,g'(\sqrt{q}\,z)^2}",
    source="He et al. 2015, arXiv:1502.01852, eq. (14), generalised from ReLU",
    solve=solve,
)
