"""Keep q = 1 when the rows of W sum to zero (weight standardisation): Var g counts, not E g²."""

from __future__ import annotations

from dataclasses import replace

from sympy import S

from initmath import moments
from initmath.criteria.point import asked_point, solution_at
from initmath.criteria.result import Criterion, CriterionResult, Question, no_solution
from initmath.derivation import Number, Step
from initmath.integral import q as Q
from initmath.moments.algebra import tidy
from initmath.solving.arithmetic import combine, exact, settle

__all__ = ["CRITERION"]


def solve(question: Question) -> CriterionResult:
    """Return σ_w² = 1/Var g(z)."""
    point = asked_point(question, S.One)
    variance = point.moment("variance")
    if not variance.ball > 0:
        return no_solution("Var g(z) = 0 at q = 1")
    one = exact(S.One, question.digits)
    sigma_w2 = _at_one(settle(combine(lambda a, v: a / v, one, variance, digits=question.digits), S.One))
    solution = solution_at(point, sigma_w2, exact(S.Zero, question.digits), centred=True)
    solution = replace(solution, chi_1=_at_one(solution.chi_1), chi_parallel=_at_one(solution.chi_parallel))
    steps: tuple[Step, ...] = ()
    if sigma_w2.closed_form is not None:
        first = moments.problem(question.activation, "mean")
        second = moments.problem(question.activation, "second_moment")
        before = (1 / (second - first**2)).xreplace({Q: S.One})
        steps = (
            Step(
                rule="unit_variance",
                before=before,
                after=sigma_w2.closed_form,
                reason="A row of W that sums to zero does not see the mean of its input: q' = σ_w² Var g(y); "
                "asking for q' = q = 1 gives σ_w².",
                conditions=("the rows of W sum to zero",),
                references=(
                    "Brock, De & Smith 2021, arXiv:2101.08692 (scaled weight standardisation; gamma² = N·v²)",
                ),
            ),
        )
    note = "for W whose rows sum to zero (weight standardisation): χ_∥ is the slope of q' = σ_w² Var g"
    return CriterionResult((solution,), None, True, note, steps)


def _at_one(number: Number) -> Number:
    """Insert q = 1, which this criterion fixes, into the closed form."""
    if number.closed_form is None:
        return number
    return replace(number, closed_form=tidy(number.closed_form.xreplace({Q: S.One})))


CRITERION = Criterion(
    name="unit_variance",
    when="with weight standardisation (NF-nets): q = 1 is kept when every row of W sums to zero",
    equation="N·v² = 1 / Var g(z),  rows of W sum to 0",
    latex=r"N v^2 = \frac{1}{\mathbb{E}\,g(z)^2 - (\mathbb{E}\,g(z))^2}",
    source="Brock, De & Smith 2021, arXiv:2101.08692 (scaled weight standardisation; gamma² = N·v²)",
    solve=solve,
)
