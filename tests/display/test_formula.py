"""One line of Unicode a formula; what is written can be read back as the same function."""

from __future__ import annotations

import pytest
from sympy import (
    Abs,
    Function,
    Integer,
    Max,
    Piecewise,
    Rational,
    Symbol,
    asin,
    besselk,
    erfc,
    exp,
    hyper,
    oo,
    pi,
    sqrt,
    tanh,
)

from initmath.display.formula import formula
from initmath.integral import GaussianIntegral, Phi, q, x

a, alpha = Symbol("a", positive=True), Symbol("alpha", positive=True)
L = Function("logistic_L")

CASES = (
    (q / 2 - q / (2 * pi), "q/2 − q/(2π)"),
    (sqrt(2) * sqrt(q) / (2 * sqrt(pi)), "√(q/(2π))"),
    (1 / sqrt(2 * pi), "1/√(2π)"),
    (sqrt(2), "√2"),
    (2 * sqrt(2), "2√2"),
    (2 * pi / (pi - 1), "2π/(π − 1)"),
    (Rational(64, 5), "64/5"),
    (Integer(-3), "−3"),
    (-q, "−q"),
    (-1 / (2 * q), "−1/(2q)"),
    (2 / (1 + a**2), "2/(a² + 1)"),
    (-8 / (a - 4), "8/(4 − a)"),
    (q * (q + 1), "q·(q + 1)"),
    ((x + 1) ** 2 / 4, "(x + 1)²/4"),
    (q ** Rational(3, 2), "q^(3/2)"),
    (x * Phi(x), "x·Φ(x)"),
    (x**2 * Phi(x) ** 2, "x²·Φ²(x)"),
    (tanh(x) ** 2, "tanh²(x)"),
    (Max(0, x), "max(0, x)"),
    (Abs(x), "|x|"),
    (asin(q / (q + 1)) / (2 * pi), "asin(q/(q + 1))/(2π)"),
    (exp(q / 2) * erfc(sqrt(q / 2)) / 2, "exp(q/2)·erfc(√(q/2))/2"),
    (besselk(0, 1 / (4 * q)), "K₀(1/(4q))"),
    (hyper((1, 1), (2,), -q), "₂F₁(1, 1; 2; −q)"),
    (alpha * (exp(x) - 1), "α·(exp(x) − 1)"),
    (Piecewise((0, x < 0), (x, True)), "{0 if x < 0; x otherwise}"),
    (GaussianIntegral(x**2, x, 0, q), "E[x²]"),
    (GaussianIntegral(x, x, 0, q / 2), "E[x; x ~ N(0, q/2)]"),
    (oo, "∞"),
)


@pytest.mark.parametrize("expr,text", CASES, ids=[text for _, text in CASES])
def test_written_as_on_paper(expr, text):
    assert formula(expr) == text
    assert "\n" not in formula(expr)


@pytest.mark.parametrize("expr", [expr for expr, _ in CASES], ids=str)
def test_without_unicode_it_is_ascii(expr):
    assert formula(expr, unicode=False).isascii()


def test_numbers_are_not_changed_by_how_they_are_grouped():
    """Read the Unicode back and compare values: grouping roots must not change them."""
    at = {q: Rational(3, 7), a: Rational(2, 5), x: Rational(1, 3)}
    for expr, text in CASES:
        if expr.free_symbols - set(at) or any(sign in text for sign in "ΦKFE{|∞α"):
            continue
        spelled = text
        for sign, code in (
            ("−", "-"),
            ("·", "*"),
            ("π", "*pi"),
            ("²", "**2"),
            ("^", "**"),
            ("tanh**2(x)", "tanh(x)**2"),
        ):
            spelled = spelled.replace(sign, code)
        for before, after in (("(*pi", "(pi"), ("/*pi", "/pi")):
            spelled = spelled.replace(before, after)
        value = _evaluate(spelled.lstrip("*"), at)
        assert abs(value - float(expr.subs(at))) < 1e-12, (text, spelled)


def _evaluate(text: str, at) -> float:
    """Python's own arithmetic on a text that this test wrote."""
    import math
    import re

    text = re.sub(r"√(\d+|\w)", r"sqrt(\1)", text).replace("√(", "sqrt(")
    text = re.sub(r"(?<=[\d)])(?=[a-z(])", "*", text)
    text = re.sub(r"\b(tanh|asin|exp|erfc|sqrt|max)\*\(", r"\1(", text)
    names = {name: getattr(math, name) for name in ("tanh", "asin", "exp", "erfc", "sqrt", "pi")} | {
        "max": max
    }
    return float(eval(text, {"__builtins__": {}}, names | {s.name: float(v) for s, v in at.items()}))
