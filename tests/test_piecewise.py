"""Splitting at kinks: exact breakpoints, the right branch everywhere, a clear refusal where there is none."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sympy import (
    Abs,
    Heaviside,
    Max,
    Min,
    Piecewise,
    Rational,
    S,
    Symbol,
    cos,
    cosh,
    exp,
    floor,
    log,
    oo,
    sign,
    sin,
    sqrt,
    tanh,
)

from initmath.activation.floats import compile_floats
from initmath.errors import InputError
from initmath.integral import x
from initmath.piecewise import PiecewiseSmooth, contains_kinks, sign_changes, sign_of

a = Symbol("a", positive=True)
b = Symbol("b", positive=True)
HALF = Rational(1, 2)


@pytest.mark.parametrize(
    ("expr", "breakpoints", "exprs"),
    [
        (Max(x, 0), (0,), [0, x]),
        (Min(Max(x, -a), a), (-a, a), [-a, x, a]),
        (Abs(x) ** 3, (0,), [-(x**3), x**3]),
        (sign(x) ** 2, (), [1]),
        (Abs(Abs(x) - 1), (-1, 0, 1), [-x - 1, x + 1, 1 - x, x - 1]),
        (Max(-1, Min(1, x, x**2)), (-1, 0, 1), [-1, x, x**2, 1]),
        (Max(0, exp(x) - 1), (0,), [0, exp(x) - 1]),
        (Max(0, x**3 - x), (-1, 0, 1), [0, x**3 - x, 0, x**3 - x]),
        (Max(x, tanh(x)), (0,), [tanh(x), x]),
        (Max(HALF, tanh(x)), (log(3) / 2,), [HALF, tanh(x)]),
        (Max(cosh(x), 2), (-log(2 + sqrt(3)), log(2 + sqrt(3))), [cosh(x), 2, cosh(x)]),
        (Max(sin(x), 2), (), [2]),
        (Heaviside(x - a) * x, (a,), [0, x]),
        (Piecewise((0, x <= -1), ((x + 1) ** 2 / 4, x < 1), (x, True)), (-1, 1), [0, (x + 1) ** 2 / 4, x]),
        (Piecewise((x, Abs(x) > HALF), (0, True)), (-HALF, HALF), [x, 0, x]),
        (sin(x) / x, (), [sin(x) / x]),
    ],
)
def test_split(expr: object, breakpoints: tuple[object, ...], exprs: list[object]) -> None:
    pieces = PiecewiseSmooth.from_expr(expr, x)
    assert pieces.breakpoints == breakpoints
    assert [p.expr for p in pieces.pieces] == exprs
    assert pieces.pieces[0].lower == -oo
    assert pieces.pieces[-1].upper == oo


@pytest.mark.parametrize(
    ("expr", "message"),
    [
        (Max(x, a * x), "give a number to a"),
        (Max(sin(x), 0), "infinitely many kinks"),
        (floor(x), "infinitely many kinks"),
        (Max(0, x - a) + Max(0, x - 1), "cannot order the kinks"),
        (Max(x, cos(x)), "cannot locate the kinks"),
        (Max(x**5 - x - 1, 0), "cannot locate the kinks"),
        (Piecewise((x, x > 0)), "do not cover the line"),
    ],
)
def test_refusals(expr: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        PiecewiseSmooth.from_expr(expr, x)


def test_hidden_kinks_are_breakpoints() -> None:
    """√(x⁴ + x²) = |x| √(1 + x²) is not analytic at 0, and log x² is singular there."""
    for expr in (sqrt(x**4 + x**2), log(x**2)):
        assert PiecewiseSmooth.from_expr(expr, x).breakpoints == (0,)
    assert PiecewiseSmooth.from_expr(sqrt(x**2 + 1), x).breakpoints == ()


def test_symbolic_order_by_assumptions() -> None:
    clipped = PiecewiseSmooth.from_expr(Max(-a, Min(x, a + b)), x)
    assert clipped.breakpoints == (-a, a + b)
    assert clipped.subs({a: 1, b: 2}).breakpoints == (-1, 3)


def test_jumps_and_derivative() -> None:
    hard = PiecewiseSmooth.from_expr(Piecewise((x, Abs(x) > a), (0, True)), x)
    assert hard.jumps() == ((-a, a), (a, a))
    assert [p.expr for p in hard.derivative().pieces] == [1, 0, 1]
    relu = PiecewiseSmooth.from_expr(Max(x, 0), x)
    assert relu.jumps() == ()
    assert relu.derivative().jumps() == ((0, 1),)
    assert [p.expr for p in relu.map(lambda e: e**2).pieces] == [0, x**2]


def test_steps_and_expression_agree_with_the_pieces() -> None:
    hat = PiecewiseSmooth.from_expr(Max(0, 1 - Abs(x)), x)
    for point in (-2, -HALF, Rational(1, 3), 5):
        expected = max(0, 1 - abs(point))
        assert hat.as_steps().subs(x, point) == expected
        assert hat.as_expr().subs(x, point) == expected


def test_sign_changes_are_exact_or_refused() -> None:
    assert sign_changes(x**2 - 2, x) == (-sqrt(2), sqrt(2))
    assert sign_changes(x**2 + 1, x) == ()
    assert sign_changes(x**3 - 8, x) == (2,)
    assert sign_changes(x**3 + 8, x) == (-2,)
    assert sign_changes(a * x - b, x) == (b / a,)
    assert sign_changes(1 / x - 2, x) == (0, HALF)
    assert set(sign_changes(x * exp(x) - x, x)) == {0}


def test_sign_of() -> None:
    assert sign_of(sqrt(2) + sqrt(3) - sqrt(5 + 2 * sqrt(6))) == 0
    assert sign_of(a + b) == 1
    assert sign_of(-a * b) == -1
    assert sign_of(a - b) is None
    assert sign_of(S.Zero) == 0


LEAVES = st.sampled_from([x, x - 1, -x, x / 2 + HALF, x**2 - 1, 2 - x, S.One, S.Zero, -S.One])


def combine(children: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    pairs = st.tuples(children, children)
    return st.one_of(
        pairs.map(lambda p: Max(*p)),
        pairs.map(lambda p: Min(*p)),
        pairs.map(lambda p: p[0] + p[1]),
        pairs.map(lambda p: Piecewise((p[0], x > HALF), (p[1], True), evaluate=False)),
        children.map(Abs),
        children.map(lambda e: sign(e) * (x + 2)),
        children.map(lambda e: Heaviside(e, HALF) * (x - 3)),
    )


@settings(max_examples=60, derandomize=True, deadline=None)
@given(st.recursive(LEAVES, combine, max_leaves=4), st.lists(st.floats(-6, 6), min_size=5, max_size=5))
def test_pieces_equal_the_expression(expr: object, points: list[float]) -> None:
    try:
        pieces = PiecewiseSmooth.from_expr(expr, x)
    except InputError as error:
        assert "cannot locate the kinks" in str(error)  # cubics and worse are allowed to be refused
        return
    direct = compile_floats(expr, (x,))
    for point in points:
        value = Rational(point)
        if any(abs(float(c) - point) < 1e-9 for c in pieces.breakpoints):
            continue
        piece = next(p for p in pieces.pieces if value < p.upper)
        assert not contains_kinks(piece.expr, x)
        assert math.isclose(
            compile_floats(piece.expr, (x,))(point), direct(point), rel_tol=1e-9, abs_tol=1e-9
        )
