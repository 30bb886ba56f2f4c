"""Solutions in closed form: what remains after elimination is linear or quadratic in one unknown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sympy import Eq, Pow, Rational, S, Symbol, cancel, erfc, fraction, sqrt, together

from initmath import moments
from initmath.activation import Activation, resolve
from initmath.balls import bits, evaluate, working_precision
from initmath.derivation import Derivation, Number, Status, Step
from initmath.display.formula import formula
from initmath.errors import NotEnclosed
from initmath.integral import Phi, x
from initmath.integral import q as Q
from initmath.moments.algebra import is_zero, square_root, tidy
from initmath.transformation.conditions import (
    CONDITIONS,
    M1,
    M2,
    OUTPUT_SHIFT,
    SLOPE,
    W1,
    W2,
)
from initmath.transformation.elimination import Eliminated, eliminate
from initmath.transformation.problem import Problem

__all__ = ["Closed", "NotClosed", "solve_closed"]

GUARD_DIGITS = 15
EXACT = "the equation solved in closed form"
BALLS = "the solution's formula on certified moments"

SHORT = 12
"""Operations up to which SymPy may simplify a square root."""

Values = dict[str, Number]

_OF = {M1: "E g", M2: "E g²", SLOPE: "E g′²", W1: "E g x²", W2: "E g² x²"}


@dataclass(frozen=True, slots=True)
class _Root:
    """centre + sign·√radicand, in moments; kept apart so that nothing is evaluated too early."""

    centre: Any
    sign: int = 0
    radicand: Any = S.Zero


def _equation(left: Any, right: Any) -> Any:
    """Left = right as it stands: SymPy would spend seconds on deciding whether it is true."""
    return Eq(left, right, evaluate=False)


def _square_root(expr: Any) -> Any:
    """Return √expr; a long one is left alone, since SymPy would look for the sign of each factor first."""
    half = Rational(1, 2)
    return Pow(expr, half) if expr.count_ops() <= SHORT else Pow(expr, half, evaluate=False)


class NotClosed(Exception):
    """The equations are not of the kind that this method solves; the message says why."""


@dataclass(frozen=True, slots=True)
class Closed:
    """The solutions, each a number for every free quantity, and the way there."""

    solutions: tuple[Values, ...]
    reason: str | None
    steps: tuple[tuple[str, Step], ...]


def solve_closed(problem: Problem) -> Closed:
    """Solve by elimination.

    Raises
    ------
    NotClosed
    """
    if "input_scale" in problem.free or "input_shift" in problem.free:
        raise NotClosed("an input scale or shift enters the moments nonlinearly")
    if len(problem.own) > 1:
        raise NotClosed("several parameters of the activation are free")
    left = eliminate(problem)
    if left is None:
        raise NotClosed("the conditions do not reduce to one equation")
    table = _Table(problem, left)
    infinite = table.infinite()
    if infinite is not None:
        return Closed((), infinite, ())
    if not problem.own:
        return _output_only(problem, left, table)
    return _with_parameter(problem, left, table)


# ------------------------------------------------------------------------------------- moments


class _Table:
    """The moments that the formulas need: their balls at q, their closed forms where all are confirmed."""

    def __init__(self, problem: Problem, left: Eliminated) -> None:
        self.problem = problem
        self.activation = _inner(problem)
        parts = (left.shift, left.squared_scale, *(() if left.equation is None else (left.equation,)))
        used = set().union(*(p.free_symbols for p in parts))
        digits, at = problem.digits + GUARD_DIGITS, problem.at
        self.balls: dict[Any, Any] = {}
        self.forms: dict[Any, Any] = {}
        self.steps: list[tuple[str, Step]] = []
        names = {M1: "mean", M2: "second_moment", SLOPE: "derivative_second_moment"}
        for symbol in (M1, M2, SLOPE):
            if symbol in used:
                found = moments.moment(self.activation, names[symbol], at, digits, problem.timeout)
                self._keep(symbol, found.number)
                if self.forms[symbol] is not None:
                    self.steps += _moment_steps(names[symbol], found.derivation)
        for symbol, mean, name in ((W1, M1, "mean"), (W2, M2, "second_moment")):
            if symbol in used:
                number = moments.slope(self.activation, name, at, digits, problem.timeout)
                # E h x² = q E h + 2q² d/dq E h
                self._keep(symbol, number)
                with working_precision(bits(digits)):
                    start = self.balls.get(mean)
                    if start is None:
                        base = moments.moment(self.activation, name, at, digits, problem.timeout).number
                        self._keep(mean, base)
                        start = base.ball
                    self.balls[symbol] = (
                        int(at.p) * start / int(at.q) + 2 * self.balls[symbol] * _ball(at) ** 2
                    )
                both = self.forms[symbol], self.forms[mean]
                self.forms[symbol] = None if None in both else at * both[1] + 2 * at**2 * both[0]

    def infinite(self) -> str | None:
        """Say which moment is infinite, or return None."""
        for symbol, ball in self.balls.items():
            if ball == ball.pos_inf():
                return f"no solution: {_OF[symbol]} is infinite at q = {self.problem.at}"
        return None

    def _keep(self, symbol: Any, number: Number) -> None:
        self.balls[symbol] = number.ball
        form = number.closed_form if number.status is Status.EXACT else None
        self.forms[symbol] = None if form is None else form.xreplace({Q: self.problem.at})

    @property
    def exact(self) -> bool:
        """Whether every moment has a confirmed closed form."""
        return all(form is not None for form in self.forms.values())

    def number(self, expr: Any) -> Number:
        """Return a formula in the moments as a number: exact where all moments are."""
        digits = self.problem.digits
        closed = tidy(expr.xreplace(self.forms)) if self.exact else None
        if closed is not None and closed.is_Rational:
            return _exact(closed, digits)
        return self._settled(self.ball(expr), closed)

    def ball(self, expr: Any) -> Any:
        """Enclose a formula in the moments."""
        digits = self.problem.digits + GUARD_DIGITS
        return evaluate(expr, {Q: self.problem.at, **self.balls}, bits(digits))

    def root(self, root: _Root) -> Number:
        """Return centre + sign·√radicand as a number."""
        if root.sign == 0:
            return self.number(root.centre)
        with working_precision(bits(self.problem.digits + GUARD_DIGITS)):
            ball = self.ball(root.centre) + root.sign * self.ball(root.radicand).sqrt()
        if not self.exact:
            return self._settled(ball, None)
        centre, radicand = (tidy(part.xreplace(self.forms)) for part in (root.centre, root.radicand))
        return self._settled(ball, centre + root.sign * _square_root(radicand))

    def _settled(self, ball: Any, closed: Any) -> Number:
        digits = self.problem.digits
        if closed is None:
            return Number(Status.NUMERIC, ball, None, BALLS, digits)
        if ball.contains(0) and is_zero(closed):
            return _exact(S.Zero, digits)
        return Number(Status.EXACT, ball, closed, EXACT, digits)


def _ball(value: Any) -> Any:
    return evaluate(value, {}, bits(60))


def _exact(value: Any, digits: int) -> Number:
    return Number(Status.EXACT, evaluate(value, {}, bits(digits + GUARD_DIGITS)), value, EXACT, digits)


def _inner(problem: Problem) -> Activation:
    """Return G(x) = g(αx + β) with α, β fixed, and the free parameter kept as a symbol."""
    base: Activation = problem.activation
    if problem.own:
        base = (
            resolve(base, dict.fromkeys(problem.own, "symbol"))
            if _named_positive(problem)
            else _symbolic(problem)
        )
    alpha, beta = problem.fixed["input_scale"], problem.fixed["input_shift"]
    if (alpha, beta) == (1, 0):
        return base
    place = alpha * x + beta
    return Activation(f"{base.name}({place})", base.expr.subs(x, place), base.parameters)


def _named_positive(problem: Problem) -> bool:
    return all(p.assumption == "positive" for p in problem.activation.parameters if p.name in problem.own)


def _symbolic(problem: Problem) -> Activation:
    """Keep a parameter that may have any sign as a real symbol."""
    parameters = {p.name: p for p in problem.activation.parameters}
    found: Activation = resolve(problem.activation, {name: parameters[name].symbol for name in problem.own})
    return found


# ---------------------------------------------------------------------------- γ and δ


def _output_only(problem: Problem, left: Eliminated, table: _Table) -> Closed:
    if left.equation is None:
        shifts: tuple[_Root, ...] = (_Root(left.shift),)
    else:
        roots = _roots_in_moments(left.equation, OUTPUT_SHIFT, table)
        if isinstance(roots, str):
            return Closed((), roots, ())
        shifts = roots
    if OUTPUT_SHIFT in left.squared_scale.free_symbols and any(shift.sign for shift in shifts):
        raise NotClosed("γ depends on a root of a quadratic equation")
    solutions, shifted, scaled = [], [], []
    for shift in shifts:
        squared = left.squared_scale.subs(OUTPUT_SHIFT, shift.centre)
        size = table.ball(squared)
        if not size > 0:
            if size <= 0:
                continue
            raise NotEnclosed(f"the sign of γ² = {size.str(5)} was not decided")
        found: Values = {}
        if "output_shift" in problem.free:
            found["output_shift"] = table.root(shift)
            shifted += _shift_step(left, table, found["output_shift"])
        if "output_scale" in problem.free:
            found["output_scale"] = table.root(_Root(S.Zero, 1, squared))
            scaled += _scale_step(left, table, found["output_scale"])
        solutions.append(found)
    reason = None if solutions else "no solution: γ² would have to be negative"
    steps = dict.fromkeys([*(table.steps if table.exact else ()), *shifted, *scaled])
    return Closed(tuple(solutions), reason, tuple(steps))


def _roots_in_moments(equation: Any, unknown: Any, table: _Table) -> tuple[_Root, ...] | str:
    """Solve a linear or quadratic equation in δ with moments as coefficients; text says why there is none."""
    c = _coefficients(equation, unknown)
    while len(c) > 1 and _is_none(table.number(c[-1])):
        c.pop()
    if len(c) == 1:
        raise NotClosed(f"the conditions leave {unknown} free, or contradict each other")
    if len(c) == 2:
        return (_Root(-c[0] / c[1]),)
    if len(c) > 3:
        raise NotClosed(f"an equation of degree {len(c) - 1} in {unknown}")
    radicand = cancel((c[1] ** 2 - 4 * c[2] * c[0]) / (4 * c[2] ** 2))
    centre = cancel(-c[1] / (2 * c[2]))
    size = table.number(radicand)
    if size.ball.contains(0):
        if _is_none(size):
            return (_Root(centre),)
        raise NotEnclosed("whether the quadratic equation has a double root was not decided")
    if size.ball < 0:
        return f"no solution: the quadratic equation for δ has no real root (discriminant {size.value})"
    return (_Root(centre, 1, radicand), _Root(centre, -1, radicand))


def _is_none(number: Number) -> bool:
    closed = number.closed_form
    return bool(number.ball.is_zero() or (closed is not None and is_zero(closed)))


def _coefficients(equation: Any, unknown: Any) -> list[Any]:
    """Return c₀, c₁, … of the numerator as a polynomial in the unknown."""
    numerator = fraction(together(equation))[0].expand()
    if not numerator.is_polynomial(unknown):
        raise NotClosed(f"the equation is no polynomial in {unknown}")
    degree = int(_degree(numerator, unknown))
    return [numerator.coeff(unknown, k) for k in range(degree + 1)]


def _degree(expr: Any, unknown: Any) -> int:
    from sympy import degree

    return int(degree(expr, unknown)) if unknown in expr.free_symbols else 0


# ----------------------------------------------------------------------- with a parameter


def _with_parameter(problem: Problem, left: Eliminated, table: _Table) -> Closed:
    (name,) = problem.own
    parameter = next(p for p in problem.activation.parameters if p.name == name)
    symbol = next((s for s in table.activation.expr.free_symbols if s.name == name), None)
    if symbol is None or not table.exact:
        raise NotClosed(f"not every moment has a closed form in {name}")
    positive = parameter.assumption == "positive"
    equation = left.equation.xreplace(table.forms)
    roots = _roots_of(equation, symbol, positive, problem.digits)
    if not roots:
        return Closed(
            (), f"no solution: no {'positive' if positive else 'real'} {name} meets the conditions", ()
        )
    steps = [*table.steps, *_parameter_steps(table, left, equation, symbol, roots)]
    solutions = []
    for root in roots:
        point = {k: form.subs(symbol, root) for k, form in table.forms.items()}
        found: Values = {name: _number(root, problem.digits)}
        shift = left.shift.xreplace(point)
        if "output_shift" in problem.free:
            found["output_shift"] = _number(tidy(shift), problem.digits)
            steps += _shift_step(left, table, found["output_shift"], point)
        if "output_scale" in problem.free:
            squared = left.squared_scale.xreplace(point)
            if not evaluate(squared, {}, bits(problem.digits + GUARD_DIGITS)) > 0:
                continue
            scale = square_root(squared, lambda e: _sign(e, problem.digits) > 0)
            found["output_scale"] = _number(scale, problem.digits)
            steps += _scale_steps_with(left, table, symbol, squared, scale)
        solutions.append(found)
    return Closed(tuple(solutions), None, tuple(steps))


def _number(expr: Any, digits: int) -> Number:
    return Number(Status.EXACT, evaluate(expr, {}, bits(digits + GUARD_DIGITS)), expr, EXACT, digits)


def _roots_of(equation: Any, symbol: Symbol, positive: bool, digits: int) -> tuple[Any, ...]:
    """Return the admissible roots of a polynomial of degree one or two with closed forms as coefficients."""
    c = [tidy(each) for each in _coefficients(equation, symbol)]
    while len(c) > 1 and is_zero(c[-1]):
        c.pop()
    if len(c) == 1:
        raise NotClosed(f"the equation does not contain {symbol}")
    if len(c) > 3:
        raise NotClosed(f"an equation of degree {len(c) - 1} in {symbol}")
    if len(c) == 2:
        candidates = [tidy(-c[0] / c[1])]
    else:
        discriminant = tidy((c[1] ** 2 - 4 * c[2] * c[0]).expand())
        sign = 0 if is_zero(discriminant) else _sign(discriminant, digits)
        if sign < 0:
            return ()
        centre, half = -c[1] / (2 * c[2]), _square_root(discriminant) / (2 * c[2])
        candidates = [tidy(centre)] if sign == 0 else [centre - half, centre + half]
    candidates = [_without_phi(root) for root in candidates]
    return tuple(root for root in candidates if not positive or _sign(root, digits) > 0)


def _without_phi(expr: Any) -> Any:
    """Write Φ of a constant by erfc, as the papers do."""
    return tidy(expr.replace(Phi, lambda t: erfc(-t / sqrt(2)) / 2))


def _sign(expr: Any, digits: int) -> int:
    for asked in (digits + 10, 4 * digits + 40):
        ball = evaluate(expr, {}, bits(asked))
        if ball > 0:
            return 1
        if ball < 0:
            return -1
    if is_zero(expr):
        return 0
    raise NotEnclosed(f"the sign of {expr} was not decided")


# ----------------------------------------------------------------------------------------- steps

_GAMMA, _DELTA = Symbol("gamma", positive=True), Symbol("delta", real=True)
"""γ and δ as the steps write them."""

_SCALE_REASON = {
    "second_moment": "The scale multiplies the second moment by γ², which must make it the target",
    "slope": "The scale multiplies E ĝ′² by γ², which must make it the target",
    "length_slope": "The scale multiplies Q′ by γ², which must make it the target",
    "mean_square": "The scale multiplies the squared mean by γ², which must make it the target",
}
_ERFC = " Φ(t) = erfc(−t/√2)/2."

Steps = list[tuple[str, Step]]


def _moment_steps(name: str, derivation: Derivation) -> Steps:
    """Return the moment's own derivation, and what its parts make together."""
    steps = [(name, step) for step in derivation.steps]
    if len(steps) < 2 or steps[-1][1].after == derivation.value:
        return steps
    whole = Step("together", derivation.problem, derivation.value, "Put the parts together.")
    return [*steps, (name, whole)]


def _sources(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(CONDITIONS[name].source for name in names))


def _parameter_steps(
    table: _Table, left: Eliminated, equation: Any, symbol: Any, roots: tuple[Any, ...]
) -> Steps:
    """Show the equation that is left, as it stands and sorted by powers of the parameter; then each root."""
    c = _coefficients(equation, symbol)
    collected = sum(each * symbol**k for k, each in enumerate(c))
    kind = "linear" if len(c) == 2 else "quadratic"
    asked = " and ".join(CONDITIONS[name].equation for name in left.equation_of)
    if len(left.equation_of) == 2:
        why = f"Divide {asked} by each other, so that γ² drops out"
    elif left.equation_of == ("mean",):
        why = f"γ > 0, so {asked} asks for mean 0 before scaling"
    else:
        why = f"Ask for {asked}"
    reason = f"{why}; put in the moments at q = {table.problem.at} and multiply by the common denominator: "
    steps = [
        (
            symbol.name,
            Step(
                "condition",
                _equation(equation, 0),
                _equation(collected, 0),
                f"{reason}a {kind} equation for {formula(symbol)}.",
                references=_sources(left.equation_of),
            ),
        )
    ]
    for root in roots:
        reason = f"Solve the {kind} equation.{_ERFC if equation.has(Phi) else ''}"
        steps.append((symbol.name, Step("solve", _equation(collected, 0), _equation(symbol, root), reason)))
    return steps


def _shift_step(left: Eliminated, table: _Table, number: Number, forms: Any = None) -> Steps:
    if number.closed_form is None:
        return []
    forms = table.forms if forms is None else forms
    of: tuple[str, ...] = ("mean",)
    before, reason = forms[M1] + _DELTA if M1 in forms else None, "γ > 0, so E g + δ = 0 is asked for."
    if left.shift == OUTPUT_SHIFT:
        before = left.equation.xreplace({**forms, OUTPUT_SHIFT: _DELTA})
        of = left.equation_of
        reason = "Divide the two conditions, so that γ drops out; solve the quadratic equation for δ."
    step = Step(
        "output_shift",
        _equation(before, 0),
        _equation(_DELTA, number.closed_form),
        reason,
        references=_sources(of),
    )
    return [("output_shift", step)]


def _product(left: Eliminated, forms: Any) -> Any:
    """Return γ²·(moments) = (target), the condition that gives γ."""
    above, below = fraction(together(left.squared_scale))
    table = {**forms, OUTPUT_SHIFT: _DELTA}
    return _equation(_GAMMA**2 * below.xreplace(table), above.xreplace(table))


def _scale_step(left: Eliminated, table: _Table, number: Number) -> Steps:
    if number.closed_form is None:
        return []
    step = Step(
        "output_scale",
        _product(left, table.forms),
        _equation(_GAMMA, number.closed_form),
        f"{_SCALE_REASON[left.scale_of]}; the root γ > 0 is taken.",
        references=_sources((left.scale_of,)),
    )
    return [("output_scale", step)]


def _scale_steps_with(left: Eliminated, table: _Table, symbol: Any, squared: Any, scale: Any) -> Steps:
    """With a parameter of the activation: γ² = … in its value first, then the root, written shorter."""
    divided = _equation(_GAMMA**2, squared)
    reason = f"{_SCALE_REASON[left.scale_of]}. Divide, and put in the value of {formula(symbol)}."
    first = Step(
        "output_scale", _product(left, table.forms), divided, reason, references=_sources((left.scale_of,))
    )
    shorter = "Take the root γ > 0; what is common above and below the line cancels."
    erf = _ERFC if squared.has(Phi) and not scale.has(Phi) else ""
    second = Step("root", divided, _equation(_GAMMA, scale), shorter + erf)
    return [("output_scale", first), ("output_scale", second)]
