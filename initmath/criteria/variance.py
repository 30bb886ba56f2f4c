"""Kumar's question, exactly: keep the variance of the layer's output at s²."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from math import floor, log10
from typing import Any

from flint import arb
from sympy import Eq, S

from initmath import moments
from initmath.balls import bits, evaluate, to_arb, working_precision
from initmath.criteria.point import Point, asked_point, root_point, solution_at
from initmath.criteria.result import Criterion, CriterionResult, Question, Solution, no_solution
from initmath.derivation import Number, Status, Step
from initmath.errors import Disagreement, Divergent, NotEnclosed
from initmath.integral import q as Q
from initmath.moments.algebra import exponential_polynomial, is_zero, solve_for_q, tidy
from initmath.solving.arithmetic import combine, exact, for_one_value, proven_positive, small_rational
from initmath.solving.finite import finite_up_to
from initmath.solving.roots import isolate
from initmath.solving.tails import monotone_limits, near_infinity, near_zero, range_bound

__all__ = ["CRITERION"]

LOW, HIGH = "1.0037e-8", "1.0213e4"
"""Where roots are looked for when nothing is proven about the ends (odd numbers: no root on the edge)."""

BOXES = 1500
"""How many boxes of q an isolation may examine: a budget that does not depend on the machine's load."""

SECONDS = 20.0
"""Wall-clock limit behind the budget, for functions whose boxes are slow."""

SAMPLES = 24

METHOD = "root of a certified function, isolated by the interval Newton method"


def solve(question: Question) -> CriterionResult:
    """Find every u² with Var g(u z) = s², and σ_w² = (u² − σ_b²)/(s² + m₁(u²)²) there."""
    if question.activation.expr is None:
        return no_solution("the function could not be traced: its roots cannot be isolated", complete=False)
    value = moments.closed_value(question.activation, "variance", question.timeout)
    if value is not None:
        found = _exact(question, value)
        if found is not None:
            return found
    return _isolated(question)


# ---------------------------------------------------------------------------------- exactly


def _exact(question: Question, value: Any) -> CriterionResult | None:
    """Solve the equation in closed form; None when it is of no solvable kind."""
    target = question.target_variance
    if Q not in value.free_symbols:
        return _constant_variance(question, value)

    def positive(expr: Any) -> bool:
        return proven_positive(expr, moments.parameter_values(question.activation))

    try:
        roots = solve_for_q(value - target, positive)
    except NotEnclosed:
        return None
    if roots is None:
        return None
    if not roots:
        return _none_exactly(question, value)
    points = [root_point(question, _exact_number(question, root)) for root in roots]
    return _answer(question, points, complete=True, reason=None, steps=_steps(question, value, roots))


def _exact_number(question: Question, root: Any) -> Number:
    ball = evaluate(root, moments.parameter_values(question.activation), bits(question.digits + 20))
    return Number(Status.EXACT, ball, root, "the equation solved in closed form", question.digits)


def _constant_variance(question: Question, value: Any) -> CriterionResult:
    """Treat an activation whose output variance does not depend on q, such as sign(x)."""
    target = question.target_variance
    number = exact(value, question.digits) if not value.free_symbols else None
    if not is_zero(value - target):
        attainable = None if number is None else (number, number)
        text = f"no solution: Var g(√q z) = {value} for every q, not {target}"
        if value.free_symbols:
            # Another value of the parameters may do: nothing is denied for those.
            text = (
                f"Var g(√q z) = {value} for every q: q does not matter, and the target {target} is met only "
                f"where the parameters make it so; {for_one_value(question.activation)}"
            )
        return no_solution(text, complete=not value.free_symbols, attainable=attainable)
    point = asked_point(question)
    bias = exact(question.bias, question.digits)
    sigma_w2 = combine(
        lambda q, b, m: (q - b) / m, point.q, bias, point.moment("second_moment"), digits=question.digits
    )
    every = "every q > 0 solves" if question.bias == 0 else f"every q > σ_b² = {question.bias} solves"
    text = f"{every}: Var g(√q z) = {target} whatever q is; shown at q = {question.at}"
    if question.at <= question.bias:
        text = text.partition(";")[0]
        reason = (
            f"the asked q = {question.at} does not exceed σ_b² = {question.bias}: N·v² would be ≤ 0 there"
        )
        return CriterionResult((), text, True, reason)
    return CriterionResult((solution_at(point, sigma_w2, bias),), text, True, None)


def _none_exactly(question: Question, value: Any) -> CriterionResult:
    found = _exact_range(question, value)
    attainable, end = (_monotone_range(question), "∞") if found is None else (found[:2], found[2])
    return _denied(question, _none_reason(question, attainable, end), attainable)


def _denied(
    question: Question, text: str, attainable: tuple[Number, Number] | None, *, complete: bool = True
) -> CriterionResult:
    """Return "no solution"; with a free parameter it was seen at one value only, and is not complete."""
    if question.activation.is_symbolic:
        text, complete = f"{text}; {for_one_value(question.activation)}", False
    return no_solution(text, complete=complete, attainable=attainable)


def _exact_range(question: Question, value: Any) -> tuple[Number, Number, str] | None:
    """Read infimum and supremum, and where the supremum is, off a polynomial in Y = e^{-r q}, monotone in Y.

    Then the ends are q → 0 (Y = 1) and q → ∞ (Y = 0): sin has Var = (1 − Y²)/2, cos has (1 − Y)²/2.
    """
    found = exponential_polynomial(value)
    if found is None or value.free_symbols != {Q}:
        return None
    rate, coefficients = found
    if not rate < 0 or min(coefficients) < 0 or not all(c.is_Rational for c in coefficients.values()):
        return None
    moving = [c for k, c in coefficients.items() if k != 0]
    one_sign = all(c < 0 for c in moving) or all(c > 0 for c in moving)
    turns = -coefficients.get(1, S.Zero) / (2 * coefficients[2]) if max(coefficients) == 2 else None
    if not one_sign and (turns is None or 0 < turns < 1):
        return None
    start, end = sum(coefficients.values()), coefficients.get(0, S.Zero)
    side = "0" if start > end else "∞"
    return exact(min(start, end), question.digits), exact(max(start, end), question.digits), side


# ---------------------------------------------------------------------------- with certainty


def _isolated(question: Question) -> CriterionResult:
    """Isolate all roots with balls between two proven tails."""
    activation, digits = question.activation, question.digits
    limits = _monotone_range(question)
    if limits is not None and _beyond(limits[1], question.target_variance):
        return _denied(question, _none_reason(question, limits), limits)
    with working_precision(bits(30)):
        target = to_arb(question.target_variance)
        deviation = target.sqrt()
        width = range_bound(activation)
        if width is not None and (2 * width.rad()) ** 2 / 4 < target:
            attainable = _scanned_range(question)
            return _denied(question, _none_reason(question, attainable), attainable)
        left, right = near_zero(activation, deviation), near_infinity(activation, deviation)
        open_ends = []
        low, high = arb(LOW), arb(HIGH)
        if left is not None and left.excludes(deviation):
            low = left.q.lower()
        else:
            open_ends.append(f"below q = {float(low):.3g}")
        if right is not None and right.excludes(deviation):
            high = right.q.upper()
        else:
            open_ends.append(f"beyond q = {float(high):.3g}")

    low = low.mid()
    high, edge = finite_up_to(
        lambda t: moments.ball(activation, "second_moment", t, 6), "E g²", low, high.mid()
    )
    if edge is not None:
        open_ends = [text for text in open_ends if not text.startswith("beyond")] + [edge]

    def excess(t: arb, asked: int) -> arb:
        return moments.ball(activation, "variance", t, asked) - to_arb(question.target_variance)

    def slope(t: arb, asked: int) -> arb:
        return moments.slope_ball(activation, "variance", t, asked)

    try:
        found = isolate(
            excess, slope, low, high, digits + 6, max_boxes=BOXES, deadline=_deadline(question.timeout)
        )
    except (NotEnclosed, Divergent) as error:
        return no_solution(f"the variance could not be enclosed on the whole range: {error}", complete=False)
    gaps = [f"between q = {float(a):.6g} and {float(b):.6g}" for a, b in found.unresolved] + open_ends
    reason = f"not proven that there are no other solutions {', '.join(gaps)}" if gaps else None
    points = [root_point(question, _certified_root(question, root)) for root in found.roots]
    if not points:
        attainable = limits or (None if gaps else _scanned_range(question))
        if reason is None:
            return _denied(question, _none_reason(question, attainable), attainable)
        crossing = _crossing(excess, low, high)
        text = f"none found; {reason}" if crossing is None else f"{crossing}; {reason}"
        return _denied(question, text, attainable, complete=False)
    value = moments.closed_value(activation, "variance")
    steps = () if value is None else _steps(question, value, ())
    return _answer(question, points, complete=not gaps, reason=reason, steps=steps)


def _deadline(timeout: float | None) -> float:
    return time.monotonic() + (SECONDS if timeout is None else max(SECONDS, timeout))


def _crossing(excess: Callable[[arb, int], arb], low: arb, high: arb) -> str | None:
    """Say between which samples the variance crosses the target: it is continuous in q, whatever g is."""
    last: tuple[float, bool] | None = None
    for k in range(SAMPLES + 1):
        t = (low * ((high / low).log() * k / SAMPLES).exp()).mid()
        try:
            value = excess(t, 10)
        except (NotEnclosed, Divergent):
            continue
        if not (value > 0 or value < 0):
            continue
        here = (float(t), bool(value > 0))
        if last is not None and last[1] is not here[1]:
            return f"a solution exists between q = {last[0]:.6g} and {here[0]:.6g}, but it was not isolated"
        last = here
    return None


def _certified_root(question: Question, root: arb) -> Number:
    """Return the root as a number; a rational root is recognised and proven (SELU: u² = 1)."""
    candidate = small_rational(root)
    value = moments.closed_value(question.activation, "variance")
    if candidate is not None and value is not None and value.free_symbols == {Q}:
        if is_zero(value.xreplace({Q: candidate}) - question.target_variance):
            return replace(exact(candidate, question.digits), method=METHOD + "; the identity proven")
    return Number(Status.NUMERIC, root, None, METHOD, question.digits)


def _monotone_range(question: Question) -> tuple[Number, Number] | None:
    """Return 0 and (l₊ − l₋)²/4 for a continuous, monotone, bounded g.

    Var ≤ (sup − inf)²/4 (Popoviciu), with equality only for a law on the two end points; for q → ∞ the law of
    g(√q z) tends to that one, and for q → 0 the variance vanishes.
    """
    activation = question.activation
    limits = monotone_limits(activation)
    if limits is None or activation.jumps:
        return None
    top = tidy((limits[1] - limits[0]) ** 2 / 4)
    return exact(S.Zero, question.digits), exact(top, question.digits)


def _beyond(top: Number, target: Any) -> bool:
    """Whether the target is at least the supremum (which is never reached)."""
    return bool(top.ball < to_arb(target)) or is_zero(top.closed_form - target)


def _scanned_range(question: Question) -> tuple[Number, Number] | None:
    """Bound the largest variance by balls over all q; None where the tails are not known."""
    activation = question.activation
    with working_precision(bits(15)):
        try:
            ball = _largest_variance(activation, _deadline(question.timeout))
        except (NotEnclosed, Divergent):
            return None
    if ball is None:
        return None
    method = "bounded by balls over all q"
    return exact(S.Zero, question.digits), Number(Status.NUMERIC, ball, None, method, question.digits)


def _largest_variance(activation: Any, deadline: float) -> arb | None:
    """Enclose sup_q Var g(√q z) for a g with Var → 0 as q → 0: the best sample, and what no box exceeds."""
    samples = [arb(10) ** k / 3 for k in range(-3, 4)]
    best = max((moments.ball(activation, "variance", t.mid(), 10).lower() for t in samples), key=float)
    if not best > 0:
        return None
    # Beyond the ends the variance must be proven smaller than what has been seen.
    deviation = best.sqrt() * arb("0.999")
    tiny, huge = near_zero(activation, deviation), near_infinity(activation, deviation)
    if tiny is None or huge is None or tiny.limit is None or not tiny.limit.is_zero():
        return None
    if huge.limit is not None and not huge.high < deviation:
        best = best.max((huge.limit**2).lower())
    top = (tiny.high**2).max(huge.high**2).upper()
    if not top.is_finite() or float(huge.q) > float(HIGH):
        return None
    boxes = [(tiny.q, huge.q, 0)]
    examined = 0
    while boxes:
        left, right, depth = boxes.pop()
        examined += 1
        if examined > BOXES or time.monotonic() > deadline:
            return None
        middle, box = (left * right).sqrt().mid(), left.union(right)
        if not box > 0:
            boxes += [(left, middle, depth + 1), (middle, right, depth + 1)]
            continue
        at_middle = moments.ball(activation, "variance", middle, 10)
        best = best.max(at_middle.lower())
        slope = moments.slope_ball(activation, "variance", box, 10)
        bound = (at_middle + slope * (box - middle)).upper() if slope.is_finite() else arb.pos_inf()
        if bound < best * arb("1.000001") or (depth > 40 and bound.is_finite()):
            top = top.max(bound)
            continue
        boxes += [(left, middle, depth + 1), (middle, right, depth + 1)]
    return best.union(top.max(best))


def _rounded_up(number: Number) -> str:
    """Return six digits that are not below the number."""
    upper = float(number.ball.upper())
    unit = 10.0 ** (floor(log10(upper)) - 5)
    return f"{(floor(upper / unit) + 1) * unit:.6g}"


def _none_reason(question: Question, attainable: tuple[Number, Number] | None, end: str | None = "∞") -> str:
    """Say that no q has the asked variance, and why; what is printed is checked with balls first.

    Parameters
    ----------
    question : Question
    attainable : tuple of Number or None
    end : str or None
        Where q goes when the supremum is approached.
    """
    target = question.target_variance
    if attainable is None:
        return f"no solution: Var g(√q z) = {target} for no q > 0"
    low, top = attainable
    if low.ball > to_arb(target):
        return f"no solution: Var g(√q z) > {low.closed_form} for every q"
    if low.closed_form is not None and is_zero(low.closed_form - target):
        return f"no solution: Var g(√q z) > {low.closed_form} for every q, and this infimum is not reached"
    reached = top.closed_form is not None and is_zero(top.closed_form - target)
    if not reached and not top.ball < to_arb(target):
        raise Disagreement(
            f"roots of Var g(√q z) = {target} were excluded, but the supremum {top.value} is not below it"
        )
    if top.closed_form is None:
        return f"no solution: Var g(√q z) ≤ {_rounded_up(top)} < {target} for every q"
    bound = top.closed_form
    approached = "" if end is None else f" approached as q → {end},"
    return f"no solution: Var g(√q z) < {bound} for every q; this supremum is{approached} not reached" + (
        "" if reached else f", and {bound} < {target}"
    )


# ------------------------------------------------------------------------------------------------- the answer


def _answer(
    question: Question, points: list[Point], *, complete: bool, reason: str | None, steps: tuple[Step, ...]
) -> CriterionResult:
    bias = exact(question.bias, question.digits)
    solutions: list[Solution] = []
    shown = list(steps)
    refused, undecided = [], []
    for point in points:
        if point.q.ball <= bias.ball:
            refused.append(point.q.value)
            continue
        second = point.moment("second_moment")
        # At a solution s² + m₁² is m₂, one moment instead of two.
        sigma_w2 = combine(lambda q, b, m: (q - b) / m, point.q, bias, second, digits=question.digits)
        sigma_w2 = _proven_rational(sigma_w2, point)
        if not sigma_w2.ball > 0:
            undecided.append(point.q.value)
            continue
        solutions.append(solution_at(point, sigma_w2, bias))
        shown += _weight_steps(question, point, sigma_w2)
    notes = []
    if refused:
        notes.append(
            f"u² = {', '.join(refused)} would need σ_w² ≤ 0: the biases alone give variance {question.bias}"
        )
    if undecided:
        notes.append(f"the sign of σ_w² at u² = {', '.join(undecided)} was not decided")
    complete = complete and not undecided
    # A homogeneous g has Var = V·q^k with one V > 0 for every value of its parameters: one root, always.
    if question.activation.is_symbolic and not (solutions and question.activation.homogeneity_degree):
        complete = False
        notes.append(for_one_value(question.activation))
    if reason is not None:
        notes.append(reason)
    text = "; ".join(notes) if notes else None
    return CriterionResult(tuple(solutions), None, complete, text, tuple(shown))


def _proven_rational(number: Number, point: Point) -> Number:
    closed = number.closed_form
    if number.status is not Status.EXACT or closed is None or closed.is_Rational or closed.free_symbols:
        return number
    candidate = small_rational(number.ball)
    if candidate is not None and is_zero(closed - candidate):
        return exact(candidate, number.digits)
    return number


KUMAR = "Kumar 2017, arXiv:1704.08863, eq. "


def _steps(question: Question, value: Any, roots: tuple[Any, ...]) -> tuple[Step, ...]:
    """Mirror Kumar's eqs. (20)-(23): mean, second moment, variance, and the condition solved for u²."""
    activation, target = question.activation, question.target_variance
    mean: Any = moments.closed_value(activation, "mean")
    second: Any = moments.closed_value(activation, "second_moment")
    steps = [
        Step(
            rule="mean",
            before=moments.problem(activation, "mean"),
            after=mean,
            reason="The mean of the output, μ = E g(y) with y ~ N(0, u²), u² = q.",
            references=(KUMAR + "(20)",),
        ),
        Step(
            rule="second_moment",
            before=moments.problem(activation, "second_moment"),
            after=second,
            reason="Its second moment, E g(y)².",
            references=(KUMAR + "(21)",),
        ),
        Step(
            rule="variance",
            before=second - mean**2,
            after=value,
            reason="Its variance, s² = E g(y)² − μ².",
            references=(KUMAR + "(22)",),
        ),
    ]
    steps += [
        Step(
            rule="solve",
            before=Eq(value, target, evaluate=False),
            after=Eq(Q, root, evaluate=False),
            reason=f"Ask that the output keeps the variance s² = {target} and solve for q = u².",
            references=(KUMAR + "(23)",),
        )
        for root in roots
    ]
    return tuple(steps)


def _weight_steps(question: Question, point: Point, sigma_w2: Number) -> list[Step]:
    """Mirror Kumar's eqs. (24) and (25): the squared mean at u², and N·v² from it."""
    root = point.q.closed_form
    if sigma_w2.closed_form is None or root is None:
        return []
    mean: Any = moments.closed_value(question.activation, "mean")
    inserted = (mean**2).subs(Q, root)
    squared = tidy(inserted)
    return [
        Step(
            rule="squared_mean",
            before=inserted,
            after=squared,
            reason="The squared mean μ² at this u².",
            references=(KUMAR + "(24)",),
        ),
        Step(
            rule="weight_variance",
            before=(root - question.bias) / (question.target_variance + squared),
            after=sigma_w2.closed_form,
            reason="A layer maps s², μ² to u² = N·v² (s² + μ²) + σ_b²; so N·v² = (u² − σ_b²)/(s² + μ²).",
            references=(KUMAR + "(6) and (25)",),
        ),
    ]


CRITERION = Criterion(
    name="variance",
    when="Kumar's exact condition: every layer's output keeps variance s²; may have no solution, or several",
    equation="Var g(u z) = s²,  N·v² = (u² − σ_b²) / (s² + (E g(u z))²)",
    latex=r"\mathrm{Var}\,g(uz) = s^2,\quad N v^2 = \frac{u^2 - \sigma_b^2}{s^2 + (\mathbb{E}\,g(uz))^2}",
    source="Kumar 2017, arXiv:1704.08863, eqs. (6), (20)-(25)",
    solve=solve,
)
