"""Keep the pre-activation variance at a chosen q: He's condition for any activation."""

from __future__ import annotations

from initmath import moments
from initmath.criteria.asked import at_asked_q, where_it_holds
from initmath.criteria.point import asked_point, solution_at
from initmath.criteria.result import Criterion, CriterionResult, Question, no_solution
from initmath.derivation import Number, Step
from initmath.integral import q as Q
from initmath.solving.arithmetic import combine, exact, settle

__all__ = ["CRITERION"]


def solve(question: Question) -> CriterionResult:
    """Return σ_w² = (q − σ_b²)/m₂(q)."""
    point = asked_point(question)
    bias = exact(question.bias, question.digits)
    if not question.at > question.bias:
        return no_solution(
            f"the biases alone give the pre-activations variance {question.bias}: "
            f"not less than q = {question.at}"
        )
    second = point.moment("second_moment")
    if not second.ball > 0:
        return no_solution("E g² = 0: the activation vanishes almost everywhere")
    general = combine(lambda q, b, m: (q - b) / m, point.q, bias, second, digits=question.digits)
    sigma_w2 = settle(general, question.at)
    solution = solution_at(point, sigma_w2, bias)
    continuum = None
    if general.closed_form is not None and Q not in general.closed_form.free_symbols:
        continuum = (
            f"every q > 0 is kept by the same N·v² = {sigma_w2.closed_form}: E g² is proportional to q"
        )
    return CriterionResult((solution,), continuum, True, None, _steps(question, general, sigma_w2))


def _steps(question: Question, general: Number, sigma_w2: Number) -> tuple[Step, ...]:
    closed = sigma_w2.closed_form
    if closed is None or question.activation.expr is None:
        return ()
    before = (Q - question.bias) / moments.problem(question.activation, "second_moment")
    step = Step(
        rule="second_moment",
        before=where_it_holds(before, general, sigma_w2, question.at),
        after=closed,
        reason="A layer maps q to σ_w² E g(y)² + σ_b² with y ~ N(0, q); asking that q is kept gives σ_w².",
        conditions=("q > σ_b²",),
        references=("He et al. 2015, arXiv:1502.01852, eq. (10); Kumar 2017, arXiv:1704.08863, eq. (6)",),
    )
    return (step, *at_asked_q(closed, question.at))


CRITERION = Criterion(
    name="second_moment",
    when="the default: signals keep their size from layer to layer at the q you expect (1 if normalised)",
    equation="N·v² = (q − σ_b²) / E g(y)²,  y ~ N(0, q)",
    latex=r"N v^2 = \frac{q - \sigma_b^2}{\mathbb{E}\,g(\sqrt{q}\,z)^2}",
    source="He et al. 2015, arXiv:1502.01852, eq. (10), generalised from ReLU",
    solve=solve,
)
