"""From whatever a person has (a name, text, a SymPy expression, a callable) to an `Activation`."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from sympy import Abs, Basic, Expr, Lambda, Rational, S, Symbol, sympify

from initmath.activation.catalogue import Entry, find, names
from initmath.activation.core import Activation, Parameter
from initmath.activation.floats import SAMPLES, compile_floats
from initmath.activation.parser import entry_expression, parse, parse_constant, suggestions
from initmath.errors import InputError
from initmath.integral import q, x

__all__ = ["resolve"]


def resolve(act: Any, params: Mapping[str, Any] | None = None) -> Activation:
    """Return the activation that is meant.

    Parameters
    ----------
    act : str, Expr, callable or Activation
        A catalogue name or alias; an expression in x; a SymPy expression with one free symbol (or in x and
        parameters); a Python, NumPy or SciPy function of one number.
    params : mapping of str to (str, int, float or Expr), optional
        Values of parameters; ``"symbol"`` keeps one as a positive symbol.  A float means its ``repr``.

    Raises
    ------
    InputError
        Unknown name, syntax error, constant, not real, not finite.

    Examples
    --------
    >>> from initmath.activation import resolve
    >>> resolve("leaky_relu", {"a": "0.2"}).homogeneity_degree
    1
    >>> resolve("x*tanh(log(1+exp(x)))").parity
    'none'
    """
    given = {name: _value(name, value) for name, value in (params or {}).items()}
    if isinstance(act, Activation):
        return _substituted(act, given) if given else act
    if isinstance(act, str):
        return _from_text(act.strip(), tuple(sorted(given.items(), key=lambda item: item[0])))
    if isinstance(act, Lambda) and len(act.signature) == 1 and isinstance(act.signature[0], Symbol):
        if any(s.name == "x" for s in act.free_symbols):
            raise InputError(f"{act}: x is the variable and cannot be a parameter: rename it")
        act = act.expr.xreplace({act.signature[0]: x})
    if isinstance(act, Basic):
        return _from_expr(act, given)
    if callable(act):
        from initmath.activation.tracing import from_callable

        return from_callable(act)
    if isinstance(act, int | float):
        raise InputError(f"{act} is a constant function: it has no gain")
    raise InputError(
        f"{type(act).__name__} is not an activation: give a name, an expression in x or a function"
    )


def _value(name: str, value: Any) -> Any:
    """Return the exact value of a parameter."""
    if name in ("x", "q"):
        raise InputError(f"{name!r} cannot be the name of a parameter: it is taken")
    if isinstance(value, str):
        return Symbol(name, positive=True) if value.strip() == "symbol" else parse_constant(value)
    if (
        not isinstance(value, int | float | Basic)
        and hasattr(value, "dtype")
        and getattr(value, "ndim", 1) == 0
    ):
        value = value.item()
    if isinstance(value, bool) or not isinstance(value, int | float | Basic):
        raise InputError(f"the parameter {name} must be a number or 'symbol', not {value!r}")
    if isinstance(value, float):
        if not math.isfinite(value):
            raise InputError(f"the parameter {name} must be finite, not {value}")
        return Rational(float.__repr__(value))
    exact = sympify(value)
    if exact.has(S.NaN, S.Infinity, S.ImaginaryUnit) or exact.is_real is False:
        raise InputError(f"the parameter {name} must be real and finite, not {value}")
    return exact


@lru_cache(maxsize=512)
def _from_text(text: str, given: tuple[tuple[str, Any], ...]) -> Activation:
    entry = find(text)
    if entry is not None:
        return _from_entry(entry, dict(given))
    if (
        text.isidentifier()
        and text not in ("x", "pi", "E", "nan", "inf", "oo", "I")
        and text not in dict(given)
    ):
        near = suggestions(text, names()) or "; initmath list shows the names"
        raise InputError(f"unknown activation {text[:40]!r}{near}")
    declared = dict(given)
    expr = parse(text, declared)
    unused = [name for name in declared if not _uses(text, name)]
    if unused:
        raise InputError(f"the expression has no parameter {unused[0]!r}")
    parameters = tuple(Parameter(name, value) for name, value in declared.items())
    generic = parse(text, {p.name: p.symbol for p in parameters}) if parameters else None
    return checked(Activation(text, expr, parameters, generic_expr=generic))


def _uses(text: str, name: str) -> bool:
    import re

    return re.search(rf"\b{re.escape(name)}\b", text) is not None


def _from_entry(entry: Entry, given: Mapping[str, Any]) -> Activation:
    known = {p.name: p for p in entry.parameters}
    for name in given:
        if name not in known:
            has = ", ".join(f"{p.name} (default {p.default})" for p in entry.parameters) or "none"
            raise InputError(f"{entry.name} has no parameter {name!r}; its parameters: {has}")
    parameters = []
    for slot in entry.parameters:
        default = parse_constant(slot.default)
        value = given.get(slot.name, default)
        parameter = Parameter(slot.name, value, default, slot.assumption)
        if value == Symbol(slot.name, positive=True):
            parameter = Parameter(slot.name, parameter.symbol, default, slot.assumption)
        parameters.append(parameter)
    expr = entry_expression(entry, {p.name: p.value for p in parameters}, x)
    generic = entry_expression(entry, {p.name: p.symbol for p in parameters}, x) if parameters else None
    activation = Activation(
        entry.name, expr, tuple(parameters), entry.references, entry.aliases, generic_expr=generic
    )
    # The formula with its default parameters is checked by the conformance test, not at every start.
    return checked(activation) if given else activation


def _from_expr(expr: Any, given: Mapping[str, Any]) -> Activation:
    if not isinstance(expr, Expr):
        raise InputError(f"{expr} is not a function: give an expression in x")
    by_name = {s.name: s for s in expr.free_symbols}
    if "x" in by_name:
        variable = by_name["x"]
    elif len(by_name) == 1 and not given:
        (variable,) = by_name.values()
    else:
        variable = None
    if variable is None:
        if not expr.free_symbols:
            raise InputError(f"{expr} is a constant function: it has no gain")
        raise InputError(f"which symbol of {expr} is the variable? Call it x")
    replacements: dict[Any, Any] = {variable: x}
    parameters = []
    for name, symbol in sorted(by_name.items()):
        if symbol is variable:
            continue
        if name == q.name and name not in given:
            raise InputError("q is the pre-activation variance and cannot be a parameter: rename it")
        value = given.get(name, Symbol(name, positive=True))
        replacements[symbol] = value
        parameters.append(Parameter(name, value))
    for name in given:
        if name not in by_name:
            raise InputError(f"the expression has no parameter {name!r}")
    value = expr.subs(replacements, simultaneous=True)
    from sympy import Float

    value = value.xreplace({f: Rational(str(f)) for f in value.atoms(Float)})
    return checked(Activation(str(value), value, tuple(parameters)))


def _substituted(act: Activation, given: Mapping[str, Any]) -> Activation:
    entry = find(act.name)
    if entry is not None:
        kept = {p.name: p.value for p in act.parameters}
        return _from_entry(entry, {**kept, **given})
    known = {p.name for p in act.parameters}
    missing = [name for name in given if name not in known]
    if missing or (act.generic_expr is None and act.expr is None):
        raise InputError(f"{act.name} has no parameter {missing[0] if missing else ''!r}")
    base = act.generic_expr if act.generic_expr is not None else act.expr
    parameters = tuple(
        Parameter(p.name, given.get(p.name, p.value), p.default, p.assumption) for p in act.parameters
    )
    expr = base.subs({p.symbol: p.value for p in parameters})
    return checked(Activation(act.name, expr, parameters, act.references, act.aliases, generic_expr=base))


def checked(act: Activation) -> Activation:
    """Return the activation unless it is constant, not real or not finite (InputError)."""
    expr = act.expr
    name = act.name if len(act.name) <= 60 else act.name[:57] + "..."
    if x not in expr.free_symbols:
        raise InputError(f"{name} is a constant function: it has no gain")
    if expr.has(S.NaN, S.ComplexInfinity, S.Infinity, S.NegativeInfinity):
        raise InputError(f"{name} is not finite")
    parameters = tuple(sorted(expr.free_symbols - {x}, key=lambda s: s.name))
    values = [0.37 + 0.41 * k for k in range(1, len(parameters) + 1)]
    _check_real(name, expr, (x, *parameters), values)
    if act.is_constant:
        raise InputError(f"{name} is a constant function: it has no gain")
    return act


def _check_real(name: str, expr: Any, symbols: tuple[Any, ...], values: list[float]) -> None:
    function = compile_floats(expr, symbols)
    finite = False
    for point in SAMPLES:
        value = function(point, *values)
        if isinstance(value, complex):
            if not (math.isfinite(value.real) and math.isfinite(value.imag)):
                continue
            if abs(value.imag) > 1e-9 * abs(value):
                raise InputError(f"{name} is not real at x = {point}{_real_twin(expr, symbols, values)}")
            value = value.real
        finite = finite or math.isfinite(value)
    if not finite:
        raise InputError(f"{name} has no finite value at any sample point")


def _real_twin(expr: Any, symbols: tuple[Any, ...], values: list[float]) -> str:
    """Suggest the same of abs(x) where that is real and short enough for a message."""
    even = expr.xreplace({x: Abs(x)})
    text = str(even).replace("Abs(", "abs(")
    function = compile_floats(even, symbols)
    found = [function(point, *values) for point in SAMPLES]
    real = not any(isinstance(value, complex) and value.imag for value in found)
    return f"; perhaps you mean {text}" if real and len(text) <= 60 else ""
