"""One file a criterion: what "the right gain" means, every solution, and what each does in depth."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sympy import Rational, S

from initmath import moments
from initmath.criteria import (
    average,
    backward,
    critical,
    isometry,
    second_moment,
    taylor,
    unit_variance,
    variance,
)
from initmath.criteria.point import why_undecided
from initmath.criteria.result import (
    Criterion,
    CriterionResult,
    Question,
    Solution,
    check_question,
    no_solution,
)
from initmath.errors import Divergent, InputError

__all__ = [
    "CRITERIA",
    "Criterion",
    "CriterionResult",
    "Question",
    "Solution",
    "criterion",
    "solve",
    "solve_all",
]

CRITERIA: tuple[Criterion, ...] = (
    taylor.CRITERION,
    variance.CRITERION,
    second_moment.CRITERION,
    unit_variance.CRITERION,
    backward.CRITERION,
    average.CRITERION,
    critical.CRITERION,
    isometry.CRITERION,
)
"""Every criterion, in the order in which it is shown; a new one is a file and a line here."""


def criterion(name: str) -> Criterion:
    """Return a criterion by its name.

    Examples
    --------
    >>> criterion("second_moment").source[:9]
    'He et al.'
    """
    for found in CRITERIA:
        if found.name == name:
            return found
    raise InputError(f"unknown criterion {name!r}: choose one of {', '.join(c.name for c in CRITERIA)}")


def solve(
    name: str,
    activation: Any,
    *,
    q: Any = None,
    sigma_b2: Any = None,
    target_variance: Any = 1,
    fan_in: int = 1,
    fan_out: int | None = None,
    digits: int = 15,
    timeout: float | None = None,
    depth: int | None = None,
    spread: Any = None,
) -> CriterionResult:
    r"""Solve one criterion for an activation.

    Parameters
    ----------
    name : str
        ``"taylor"``, ``"variance"``, ``"second_moment"``, ``"unit_variance"``, ``"backward"``, ``"average"``,
        ``"critical"`` or ``"isometry"``.
    activation : Activation
    q : number, optional
        Pre-activation variance.  Leave it out where σ_b² is given for `critical`; 1 elsewhere.
    sigma_b2 : number, optional
        Bias variance, 0 unless given.
    target_variance : number
        s² of `taylor` and `variance`.
    fan_in, fan_out : int
        Only the ratio matters; ``fan_out`` equals ``fan_in`` unless given.
    digits : int
    timeout : float, optional
        Seconds for each closed form.
    depth : int, optional
        L, the layers of `isometry`.
    spread : number, optional
        σ²_JJᵀ of `isometry`, 1/4 unless given.

    Returns
    -------
    CriterionResult
        ``solutions`` is empty, with a ``reason``, where there is none.

    Raises
    ------
    InputError
        If the question makes no sense, or is over-determined.

    Examples
    --------
    >>> from initmath.activation import resolve
    >>> solve("variance", resolve("relu")).solutions[0].sigma_w2.closed_form
    2
    """
    question = _question(activation, q, sigma_b2, target_variance, fan_in, fan_out, digits, timeout)
    question = _deep(question, depth, spread)
    asked = criterion(name)
    try:
        return _with_warnings(asked.solve(question))
    except Divergent as error:
        # A moment that the criterion needs is infinite where it looked; elsewhere it may be finite.
        return no_solution(str(error), complete=False)


def _with_warnings(result: CriterionResult) -> CriterionResult:
    """Add to the reason where "marginal" is not proven."""
    marginal = [s for s in result.solutions if s.stability == "marginal"]
    warnings = [why_undecided(s.chi_parallel, s.q) for s in marginal]
    texts = [text for text in (result.reason, *warnings) if text is not None]
    return replace(result, reason="; ".join(texts)) if any(warnings) else result


def solve_all(activation: Any, **conditions: Any) -> dict[str, CriterionResult]:
    """Solve every criterion; one that the conditions over-determine answers with a reason, not an error.

    `isometry` is a question about a depth: without one it is left out.
    """
    names = [c.name for c in CRITERIA if c.name != "isometry" or conditions.get("depth") is not None]
    bias, at = conditions.get("sigma_b2") is not None, conditions.get("q") is not None
    over = {
        "critical": "with q and σ_b² both given nothing is left to solve for; leave one out"
        if bias and at
        else None,
        "isometry": isometry.OVER_DETERMINED if bias else None,
    }
    answers = {}
    for name in names:
        why = over.get(name)
        if why is not None:
            answers[name] = no_solution(f"over-determined: {why}", complete=True)
        else:
            answers[name] = solve(name, activation, **conditions)
    return answers


def _question(
    activation: Any,
    q: Any,
    sigma_b2: Any,
    target_variance: Any,
    fan_in: int,
    fan_out: int | None,
    digits: int,
    timeout: float | None,
) -> Question:
    question = Question(
        activation=activation,
        q=None if q is None else moments.variance_at(q),
        sigma_b2=None if sigma_b2 is None else _non_negative(sigma_b2, "bias variance"),
        target_variance=S(_non_negative(target_variance, "target variance")),
        fan_in=fan_in,
        fan_out=fan_in if fan_out is None else fan_out,
        digits=digits,
        timeout=timeout,
    )
    check_question(question)
    return question


def _deep(question: Question, depth: Any, spread: Any) -> Question:
    """Add the conditions of `isometry`."""
    if depth is None:
        if spread is not None:
            raise InputError("spread needs depth: it is that of the Jacobian of so many layers")
        return question
    if isinstance(depth, bool) or not isinstance(depth, int) or not 1 <= depth <= isometry.DEEPEST:
        raise InputError(f"depth = {depth}: must be an integer from 1 to {isometry.DEEPEST}")
    if spread is None:
        return replace(question, depth=depth)
    asked = S(_non_negative(spread, "spread"))
    if not asked > 0:
        raise InputError(f"spread {spread}: must be positive; it goes to 0 as q does")
    return replace(question, depth=depth, spread=asked)


def _non_negative(value: Any, what: str) -> Any:
    try:
        exact = Rational(repr(value)) if isinstance(value, float) else Rational(str(value))
    except (TypeError, ValueError):
        raise InputError(
            f"{what} {value} is not a number: give a decimal or a fraction such as 1/2"
        ) from None
    if not (exact.is_finite and exact >= 0):
        raise InputError(f"{what} {value}: a variance is finite and cannot be negative")
    return exact
