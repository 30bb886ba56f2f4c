"""An expression as a list of operations on balls: built once, bound to a precision, then called.

Equal subexpressions are computed once.  Whatever does not contain the variable is computed once per binding.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from flint import acb, arb
from sympy import Add, Expr, Mul, Piecewise, Pow, S, Symbol, exp, hyper
from sympy.core.numbers import ImaginaryUnit, NumberSymbol, Rational
from sympy.core.relational import Relational
from sympy.logic.boolalg import And, BooleanFalse, BooleanTrue, Not, Or

from initmath.balls.functions import DIRECT, FUNCTIONS, NOT_FINITE, Operation, of_one, power, square_root
from initmath.balls.numbers import to_arb
from initmath.balls.stable import stabilise
from initmath.errors import NotEnclosed

__all__ = ["Late", "Program", "compile_ball", "program"]

Integrand = Callable[[acb, bool], acb]

# How each node of a program gets its value.
_CONSTANT, _SYMBOL, _VARIABLE, _APPLY = range(4)

# How a moving node is computed: f(a, b), f(a), or the operation on a list with the flag.
_BINARY, _UNARY, _GENERAL = range(3)
_ONE = arb(1)
_Step = tuple[int, int, Callable[..., Any], int, Any]


class Late:
    """An operation that has constants of its own, computed when the program is bound to a precision."""

    def bind(self, values: Mapping[Any, Any], prec: int) -> Operation:
        """Return the operation at the current precision."""
        raise NotImplementedError


class Program:
    """The operations of one expression, in the order in which they are computed.

    Parameters
    ----------
    expr : Expr
    variable : Symbol or None
        The integration variable; None when every symbol is a parameter.
    """

    def __init__(self, expr: Any, variable: Any = None) -> None:
        self.expr = expr
        self.variable = variable
        self._index: dict[Any, int] = {}
        self._kinds: list[int] = []
        self._data: list[Any] = []
        self._moves: list[bool] = []
        self._result = self._add(expr)

    def bind(self, values: Mapping[Any, Any], prec: int) -> Callable[[Any, bool], Any]:
        """Compute the constant part at the current precision and return the function of the variable.

        Raises
        ------
        NotEnclosed
            When a symbol has no value.
        """
        registers: list[Any] = [None] * len(self._kinds)
        steps: list[_Step] = []
        for index, (kind, data) in enumerate(zip(self._kinds, self._data, strict=True)):
            if kind == _CONSTANT:
                registers[index] = data(prec)
            elif kind == _SYMBOL:
                if data not in values:
                    raise NotEnclosed(f"no value for the symbol {data}")
                registers[index] = to_arb(values[data])
            elif kind == _APPLY:
                operation, inputs = data
                if isinstance(operation, Late):
                    operation = operation.bind(values, prec)
                if self._moves[index]:
                    self._compile(index, operation, inputs, registers, steps)
                else:
                    registers[index] = _guarded(operation, [registers[i] for i in inputs])
        place = self._index.get(self.variable, 0)
        result = self._result
        if not self._moves[result]:
            constant = registers[result]
            return lambda z, analytic: constant

        return _runner(registers, steps, place, result)

    def _compile(
        self,
        index: int,
        operation: Operation,
        inputs: tuple[int, ...],
        registers: list[Any],
        steps: list[_Step],
    ) -> None:
        """Append the steps of one moving node; the constants of a sum or a product become one."""
        if operation in DIRECT:
            steps.append((index, _UNARY, DIRECT[operation], inputs[0], None))
            return
        function = _FOLDED.get(operation)
        if function is None:
            steps.append((index, _GENERAL, operation, 0, inputs))
            return
        moving = [i for i in inputs if self._moves[i]]
        fixed = [registers[i] for i in inputs if not self._moves[i]]
        if fixed:
            registers.append(acb(operation(fixed, False)))
            moving.append(len(registers) - 1)
        first = moving[0]
        for other in moving[1:]:
            steps.append((index, _BINARY, function, first, other))
            first = index

    def _push(self, key: Any, kind: int, data: Any, moves: bool) -> int:
        self._kinds.append(kind)
        self._data.append(data)
        self._moves.append(moves)
        self._index[key] = len(self._kinds) - 1
        return self._index[key]

    def _apply(self, key: Any, operation: Operation, inputs: list[int]) -> int:
        return self._push(key, _APPLY, (operation, tuple(inputs)), any(self._moves[i] for i in inputs))

    def _add(self, expr: Any) -> int:  # noqa: C901  (one case a kind of node)
        if expr in self._index:
            return self._index[expr]
        if expr == self.variable:
            return self._push(expr, _VARIABLE, None, True)
        if isinstance(expr, Symbol):
            return self._push(expr, _SYMBOL, expr, False)
        constant = _constant(expr)
        if constant is not None:
            return self._push(expr, _CONSTANT, constant, False)
        if hasattr(expr, "_ball_program_"):
            # A class that knows how to compute itself from values of other expressions (e.g. a convergent
            # sum).
            inputs, operation = expr._ball_program_()
            return self._apply(expr, operation, [self._add(arg) for arg in inputs])
        if hasattr(expr, "_ball_"):
            return self._apply(expr, _hook(expr), [self._add(arg) for arg in expr.args])
        if isinstance(expr, Add):
            return self._apply(expr, _sum, [self._add(arg) for arg in expr.args])
        if isinstance(expr, Mul):
            return self._product(expr)
        if isinstance(expr, Pow):
            return self._power(expr)
        if isinstance(expr, Piecewise):
            return self._piecewise(expr)
        if isinstance(expr, hyper):
            return self._hyper(expr)
        operation = FUNCTIONS.get(type(expr))
        if operation is None:
            raise NotEnclosed(f"no ball evaluation for {type(expr).__name__}")
        return self._apply(expr, operation, [self._add(arg) for arg in expr.args])

    def _product(self, expr: Any) -> int:
        number, rest = expr.as_coeff_Mul()
        if number is not S.One and number is not expr:
            return self._apply(expr, _multiply, [self._add(rest), self._add(number)])
        return self._apply(expr, _multiply, [self._add(arg) for arg in expr.args])

    def _power(self, expr: Any) -> int:
        base, exponent = expr.args
        if base is S.Exp1:
            return self._apply(expr, FUNCTIONS[exp], [self._add(exponent)])
        place = self._add(base)
        if exponent.is_Integer:
            return self._apply(expr, _integer_power(int(exponent)), [place])
        if exponent.is_Rational and exponent.q == 2:
            return self._apply(expr, _half_power(int(exponent.p)), [place])
        return self._apply(
            expr, lambda values, analytic: power(values[0], values[1], analytic), [place, self._add(exponent)]
        )

    def _piecewise(self, expr: Any) -> int:
        inputs, conditions = [], []
        for value, condition in expr.args:
            inputs.append(self._add(value))
            test, used = self._condition(condition)
            conditions.append((test, len(inputs), len(inputs) + len(used)))
            inputs += used
        return self._apply(expr, _choice(tuple(conditions)), inputs)

    def _condition(self, condition: Any) -> tuple[Callable[[list[Any]], bool | None], list[int]]:
        """Return a three-valued test of a condition and the places of its numbers."""
        if isinstance(condition, (BooleanTrue, BooleanFalse)):
            answer = bool(condition)
            return (lambda values: answer), []
        if isinstance(condition, Relational):
            place = self._add(condition.lhs - condition.rhs)
            operator = condition.rel_op
            return (lambda values: _compare(values[0], operator)), [place]
        if isinstance(condition, (And, Or, Not)):
            tests: list[Any] = []
            places: list[int] = []
            spans: list[tuple[int, int]] = []
            for part in condition.args:
                test, used = self._condition(part)
                tests.append(test)
                spans.append((len(places), len(places) + len(used)))
                places += used
            return _combine(condition, tests, spans), places
        raise NotEnclosed(f"condition {condition} is not a comparison")

    def _hyper(self, expr: Any) -> int:
        upper, lower = list(expr.ap), list(expr.bq)
        inputs = [self._add(arg) for arg in [*upper, *lower, expr.argument]]
        count = len(upper)

        def operation(values: list[Any], analytic: bool) -> Any:
            argument = values[-1]
            if analytic and isinstance(argument, acb) and len(upper) > len(lower) and not argument.real < 1:
                return NOT_FINITE
            value = acb(argument).hypgeom(
                [acb(v) for v in values[:count]], [acb(v) for v in values[count:-1]]
            )
            return value.real if isinstance(argument, arb) and value.imag.contains(0) else value

        return self._apply(expr, operation, inputs)


def _runner(registers: list[Any], steps: list[_Step], place: int, result: int) -> Callable[[Any, bool], Any]:
    """Return the hot loop: one pass through the steps."""

    def call(z: Any, analytic: bool) -> Any:
        local = registers[:]
        local[place] = z
        for index, kind, function, a, b in steps:
            if kind == _BINARY:
                local[index] = function(local[a], local[b])
            elif kind == _UNARY:
                local[index] = function(local[a])
            else:
                local[index] = function([local[i] for i in b], analytic)
        return local[result]

    return call


def _guarded(operation: Operation, values: list[Any]) -> Any:
    try:
        return operation(values, False)
    except (ZeroDivisionError, ValueError, OverflowError):
        return arb.nan()


def _hook(expr: Any) -> Operation:
    def operation(values: list[Any], analytic: bool) -> Any:
        from flint import ctx

        if any(isinstance(value, acb) for value in values):
            return NOT_FINITE
        return expr._ball_(tuple(values), ctx.prec)

    return operation


def _constant(expr: Any) -> Callable[[int], Any] | None:
    if isinstance(expr, Rational):
        return lambda prec: to_arb(expr)
    if isinstance(expr, NumberSymbol):
        return _number_symbol(expr)
    if isinstance(expr, ImaginaryUnit):
        return lambda prec: acb(0, 1)
    if expr is S.Infinity:
        return lambda prec: arb.pos_inf()
    if expr is S.NegativeInfinity:
        return lambda prec: arb.neg_inf()
    if expr.is_Float:
        return lambda prec: to_arb(expr)
    return None


def _number_symbol(expr: Any) -> Callable[[int], Any]:
    known: dict[Any, Callable[[], Any]] = {
        S.Pi: arb.pi,
        S.Exp1: arb.const_e,
        S.EulerGamma: arb.const_euler,
        S.Catalan: arb.const_catalan,
        S.GoldenRatio: lambda: (1 + arb(5).sqrt()) / 2,
    }
    if expr not in known:
        raise NotEnclosed(f"no ball evaluation for the constant {expr}")
    make = known[expr]
    return lambda prec: make()


def _sum(values: list[Any], analytic: bool) -> Any:
    result = values[0]
    for value in values[1:]:
        result = result + value
    return result


def _multiply(values: list[Any], analytic: bool) -> Any:
    result = values[0]
    for value in values[1:]:
        result = result * value
    return result


_FOLDED: dict[Operation, Callable[[Any, Any], Any]] = {_sum: operator.add, _multiply: operator.mul}


@lru_cache(maxsize=256)
def _integer_power(exponent: int) -> Operation:
    return of_one(_integer_power_of_one(exponent))


def _integer_power_of_one(exponent: int) -> Callable[[Any], Any]:
    if exponent == 2:
        return lambda value: value * value
    if exponent == -1:
        return _reciprocal
    if exponent < 0:
        return lambda value: _reciprocal(value**-exponent)
    return lambda value: value**exponent


def _reciprocal(value: Any) -> Any:
    if value.is_zero():
        return NOT_FINITE if isinstance(value, acb) else arb.nan()
    return _ONE / value


def _half_power(numerator: int) -> Operation:
    def operation(values: list[Any], analytic: bool) -> Any:
        root = square_root(values[0], analytic)
        if numerator == 1:
            return root
        if numerator == -1:
            return _reciprocal(root)
        return root**numerator if numerator > 0 else _reciprocal(root**-numerator)

    return operation


def _compare(value: Any, operator: str) -> bool | None:
    """Sign of a ball: None when it cannot be decided; off the real line, the sign of the real part."""
    if isinstance(value, acb):
        if operator in ("==", "!=") and not value.imag.is_zero():
            return None
        value = value.real
    if operator in ("<", "<="):
        yes, no = (
            value < 0 or (operator == "<=" and value <= 0),
            value > 0 or (operator == "<" and value >= 0),
        )
    elif operator in (">", ">="):
        yes, no = (
            value > 0 or (operator == ">=" and value >= 0),
            value < 0 or (operator == ">" and value <= 0),
        )
    elif operator == "==":
        yes, no = value.is_zero(), value != 0
    elif operator == "!=":
        yes, no = value != 0, value.is_zero()
    else:
        return None
    return True if yes else (False if no else None)


def _combine(
    condition: Any, tests: list[Any], spans: list[tuple[int, int]]
) -> Callable[[list[Any]], bool | None]:
    def test(values: list[Any]) -> bool | None:
        answers = [part(values[a:b]) for part, (a, b) in zip(tests, spans, strict=True)]
        if isinstance(condition, Not):
            return None if answers[0] is None else not answers[0]
        decisive = isinstance(condition, Or)
        if any(answer is decisive for answer in answers):
            return decisive
        return None if None in answers else not decisive

    return test


def _choice(conditions: tuple[tuple[Any, int, int], ...]) -> Operation:
    def operation(values: list[Any], analytic: bool) -> Any:
        possible: Any = None
        for test, start, stop in conditions:
            answer = test(values[start:stop])
            if answer is False:
                continue
            if analytic and answer is None:
                return NOT_FINITE  # the switch may lie inside: the union of both would not be holomorphic
            value = values[start - 1]
            possible = value if possible is None else possible.union(value)
            if answer is True:
                return possible
        return NOT_FINITE if possible is None else possible

    return operation


@lru_cache(maxsize=2048)
def program(expr: Any, variable: Any = None) -> Program:
    """Build (and remember) the program of an expression, in its stable form."""
    return Program(stabilise(expr) if isinstance(expr, Expr) else expr, variable)


def compile_ball(expr: Any, variable: Any, parameters: Mapping[Any, Any] | None = None) -> Integrand:
    """Return f(z, analytic), a certified integrand for ``acb.integral``, at the current precision.

    Branch cuts are honoured: with ``analytic`` true the result is non-finite wherever f might not be
    holomorphic.

    Examples
    --------
    >>> from flint import acb
    >>> from sympy import Symbol, log, tanh
    >>> x = Symbol("x", real=True)
    >>> f = compile_ball(tanh(x) ** 2, x)
    >>> acb.integral(f, 0, 1).real.str(12, radius=False)
    '0.238405844044'
    >>> compile_ball(log(x), x)(acb(0, 1), True).is_finite()
    True
    """
    from flint import ctx

    call = program(expr, variable).bind(parameters or {}, ctx.prec)

    def integrand(z: acb, analytic: bool) -> acb:
        value = call(z, analytic)
        return value if isinstance(value, acb) else acb(value)

    return integrand
