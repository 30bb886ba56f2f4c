"""The engine: rewrite the first Gaussian integral by the first rule that applies, until none is left."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

from sympy import Add, Function, Mul, expand, factor_terms, preorder_traversal, sift, sstr

from initmath.derivation import Declined, Derivation, Status, Step
from initmath.gaussian.absence import absence
from initmath.gaussian.convergence import needed
from initmath.gaussian.references import ALGEBRA
from initmath.gaussian.rules import RULES
from initmath.integral import GaussianIntegral

__all__ = ["derive", "first_integral"]

MAX_STEPS = 400
_SLACK = 6


def derive(integral: GaussianIntegral, deadline: float | None = None) -> Derivation:
    """Rewrite E f(X) into a closed form, one true equation at a time.

    Parameters
    ----------
    integral : GaussianIntegral
        Or any expression that contains Gaussian integrals.
    deadline : float, optional
        On the clock of `time.monotonic`: no step is begun after it, and the derivation is left undone.

    Returns
    -------
    Derivation
        ``value`` is the problem after its last step.  If for some integral every rule declines,
        there is no value and ``declined`` says first whether none can exist or none was found,
        then why each rule does not apply.

    Examples
    --------
    >>> from sympy import Max
    >>> from initmath.gaussian import derive
    >>> from initmath.integral import GaussianIntegral, q, x
    >>> derive(GaussianIntegral(Max(0, x) ** 2, x, 0, q)).value
    q/2
    """
    state: Any = integral
    steps: list[Step] = []
    while (node := first_integral(state)) is not None:
        if deadline is not None and time.monotonic() > deadline:
            late = Declined("deadline", f"no closed form within the time allowed ({len(steps)} steps)")
            return Derivation(integral, tuple(steps), None, Status.NOT_DERIVED, (late,))
        found = _rewrite(node)
        if isinstance(found, tuple) or len(steps) >= MAX_STEPS:
            declined = (
                found if isinstance(found, tuple) else (Declined("engine", f"more than {MAX_STEPS} steps"),)
            )
            return Derivation(
                integral, tuple(steps), None, Status.NOT_DERIVED, (*_verdict(integral), *declined)
            )
        steps.append(found)
        state = state.xreplace({node: found.after})
    tidy = _tidy(state)
    if tidy != state:
        steps.append(Step("collect", state, tidy, "Multiply out and collect equal terms", (), (ALGEBRA,)))
    return Derivation(integral, tuple(steps), tidy, Status.EXACT, (), _domain(steps))


def _domain(steps: list[Step]) -> tuple[Any, ...]:
    """Collect the conditions of all steps: the value is claimed only where each step is true."""
    return tuple(dict.fromkeys(condition for step in steps for condition in step.positive))


def _verdict(problem: Any) -> tuple[Declined, ...]:
    """Whether the missing value is proven not to exist in the named class, or not found."""
    if isinstance(problem, GaussianIntegral) and len(problem.variables) == 1 and problem.mean[0] == 0:
        return (absence(problem.integrand, problem.variables[0]),)
    return ()


def _rewrite(node: GaussianIntegral) -> Step | tuple[Declined, ...]:
    """Return the first rule's step, or why each rule declined."""
    declined = []
    for rule in RULES:
        outcome = rule(node)
        if isinstance(outcome, Step):
            outcome = _conditioned(outcome)
        if isinstance(outcome, Step):
            return outcome
        declined.append(outcome)
    return tuple(declined)


def _conditioned(step: Step) -> Step | Declined:
    """Add what must hold for the integrals on both sides to exist; decline a step whose terms diverge."""
    conditions = tuple(
        dict.fromkeys(
            (*step.positive, *(c for c in needed(step.before) + needed(step.after) if c.free_symbols))
        )
    )
    if any(c.is_nonpositive for c in (*conditions, *needed(step.after))):
        return Declined(step.rule, "the terms that it leaves diverge one by one")
    if conditions == step.positive:
        return step
    text = (f"{sstr(condition)} > 0" for condition in conditions)
    return replace(step, positive=conditions, conditions=tuple(dict.fromkeys((*step.conditions, *text))))


def first_integral(expr: Any) -> GaussianIntegral | None:
    """Return the first Gaussian integral in SymPy's canonical order of arguments, or None."""
    for part in preorder_traversal(expr):
        if isinstance(part, GaussianIntegral):
            return part
    return None


def _tidy(expr: Any) -> Any:
    """Group the terms by their transcendental part, where that is shorter."""
    groups: dict[Any, list[Any]] = {}
    for term in Add.make_args(expr):
        for part in Add.make_args(_distributed(term)):
            transcendental, algebraic = sift(
                Mul.make_args(part), lambda f: f.is_Function or f.has(Function), binary=True
            )
            groups.setdefault(Mul(*transcendental), []).append(Mul(*algebraic))
    terms = [
        Add(*coefficients) if kernel == 1 else kernel * _factored(Add(*coefficients))
        for kernel, coefficients in groups.items()
    ]
    collected = Add(*terms)
    return collected if collected.count_ops() <= expr.count_ops() + _SLACK else expr


def _factored(coefficient: Any) -> Any:
    """Add up the powers, then take the common factor out of a sum, so that √2/√π is written once."""
    return factor_terms(expand(coefficient)) if isinstance(coefficient, Add) else coefficient


def _distributed(term: Any) -> Any:
    """Multiply out the sums among the factors of a term, and again inside the result."""
    sums = [f for f in Mul.make_args(term) if isinstance(f, Add)]
    if not sums or not isinstance(term, Mul):
        return term
    others = Mul(*(f for f in term.args if not isinstance(f, Add)))
    product = sums[0] if len(sums) == 1 else expand(Mul(*sums), deep=False)
    return Add(*(_distributed(others * t) for t in Add.make_args(product)))
