"""Ball evaluation encloses what mpmath computes, at any precision, and honours branch cuts."""

from __future__ import annotations

from fractions import Fraction

import mpmath
import pytest
import sympy as sp
from flint import acb, arb, ctx

from initmath.balls import bits, compile_ball, evaluate, evaluate_to, relative_error, working_precision
from initmath.balls.stable import Erfcx, Logistic, LogOnePlusExp, stabilise
from initmath.errors import NotEnclosed
from initmath.integral import Phi, x

q = sp.Symbol("q", positive=True)
a = sp.Symbol("a", positive=True)

CLOSED_FORMS = [
    1 - sp.sqrt(sp.pi / (2 * q)) * sp.exp(1 / (2 * q)) * sp.erfc(1 / sp.sqrt(2 * q)),
    q / 4 + q / (2 * sp.pi) * sp.asin(q / (1 + q)) + q**2 / (sp.pi * (1 + q) * sp.sqrt(1 + 2 * q)),
    sp.besselk(0, 1 / (4 * q)) * sp.exp(1 / (4 * q)) / sp.sqrt(q),
    sp.exp(2 * q) * sp.erfc(sp.sqrt(2 * q)) - 2 * sp.exp(q / 2) * sp.erfc(sp.sqrt(q / 2)) + 1,
    sp.erfi(1 / sp.sqrt(q)) * sp.exp(-1 / q) + sp.Ei(-q) + sp.expint(2, q),
    sp.uppergamma(sp.Rational(1, 3), q) + sp.gamma(q + 1) + sp.loggamma(q),
    sp.LambertW(q) + sp.atan(q) + sp.asinh(q) + sp.acosh(1 + q),
    sp.hyper((1, 1), (sp.Rational(3, 2), 2), -q),
    sp.Max(q, 2) + sp.Min(q, 2) + sp.Abs(q - 5) + sp.sign(q - 3) + sp.Heaviside(q - 1),
    sp.cosh(q) - sp.sinh(q) + sp.sech(q) + sp.tanh(q) + sp.coth(q),
    q ** sp.Rational(1, 3) + q ** sp.Rational(-5, 2) + sp.EulerGamma + sp.Catalan,
]


@pytest.mark.parametrize("expr", CLOSED_FORMS, ids=str)
@pytest.mark.parametrize("value", [Fraction(1, 100), Fraction(3, 2), Fraction(40)])
def test_thirty_digits_of_mpmath(expr: sp.Expr, value: Fraction) -> None:
    ball = evaluate_to(expr, {q: value}, 30)
    with mpmath.workdps(60):
        known = mpmath.mpf(expr.subs(q, sp.Rational(value.numerator, value.denominator)).evalf(50))
        with working_precision(200):
            error = abs(ball - arb(str(known))).upper()
            assert error <= abs(arb(str(known))) * arb(10) ** -29


@pytest.mark.parametrize("value", ["1e-8", "1e-3", "1", "1e4"])
def test_cancellation_costs_precision_never_digits(value: str) -> None:
    exact = sp.Rational(value)
    expr = sp.exp(2 * q) * sp.erfc(sp.sqrt(2 * q)) - 2 * sp.exp(q / 2) * sp.erfc(sp.sqrt(q / 2)) + 1
    ball = evaluate_to(expr, {q: exact}, 15)
    assert relative_error(ball) <= 1e-15
    with mpmath.workdps(60):
        t = mpmath.mpf(exact.p) / exact.q

        def scaled(v: mpmath.mpf) -> mpmath.mpf:
            return mpmath.hyperu(0.5, 0.5, v) / mpmath.sqrt(mpmath.pi)

        known = scaled(2 * t) - 2 * scaled(t / 2) + 1
    with working_precision(150):
        assert abs(ball - arb(str(known))) < abs(arb(str(known))) * arb(10) ** -14


def test_an_exact_zero_terminates() -> None:
    ball = evaluate_to(sp.sqrt(2) - sp.sqrt(3 + 2 * sp.sqrt(2)) + 1, {}, 15)
    assert ball.contains(0)
    assert ball.rad() < arb(10) ** -300
    assert evaluate_to(q - q, {q: 1}).is_zero()


def test_what_has_no_value_is_refused() -> None:
    with pytest.raises(NotEnclosed, match="symbol a"):
        evaluate(a * q, {q: 1})
    with pytest.raises(NotEnclosed, match="airyai"):
        evaluate(sp.airyai(q), {q: 1})
    with pytest.raises(NotEnclosed):
        evaluate_to(1 / (q - 1), {q: 1}, 15, max_prec=500)


def test_the_callers_precision_comes_back() -> None:
    before = ctx.prec
    evaluate_to(sp.exp(q), {q: 1}, 50)
    with pytest.raises(NotEnclosed):
        evaluate(sp.airyai(q), {q: 1})
    assert ctx.prec == before


def test_a_wide_variance_encloses_all_its_values() -> None:
    expr = CLOSED_FORMS[0]
    wide = evaluate(expr, {q: arb(3, 0.1)}, 80)
    for point in (Fraction(29, 10), Fraction(3), Fraction(31, 10)):
        assert wide.contains(evaluate(expr, {q: point}, 80).mid())
    assert wide.rad() < 0.05


def test_piecewise_and_undecided_conditions() -> None:
    expr = sp.Piecewise((q, q < 1), (q**2 + 3, True))
    assert evaluate(expr, {q: 2}) == 7
    both = evaluate(expr, {q: arb(1, 0.1)})
    assert both.contains(arb("0.95")) and both.contains(arb("4.1"))


STABLE = [
    (sp.log(1 + sp.exp(x)), LogOnePlusExp),
    (1 / (1 + sp.exp(-x)), Logistic),
    (sp.exp(-x) / (1 + sp.exp(-x)) ** 2, Logistic),
    (sp.exp(3 * x) / (1 + sp.exp(x)) ** 2, Logistic),
    (sp.log((2 + 3 * sp.exp(2 * x)) / (1 + sp.exp(-x))), LogOnePlusExp),
    (sp.log(sp.cosh(2 * x)), LogOnePlusExp),
    (1 / (sp.exp(x) + sp.exp(-x)) ** 3, Logistic),
    (x * sp.exp(x) * (1 - sp.tanh(sp.exp(x)) ** 2), Logistic),
    (sp.exp(-x) * (3 * sp.tanh(x**2) ** 2 - 3) ** 3, Logistic),
    (sp.exp(x**2 / 2 + x) * sp.erfc(x / sp.sqrt(2) + sp.sqrt(2)), Erfcx),
]


@pytest.mark.parametrize(("expr", "kind"), STABLE, ids=lambda v: str(v))
def test_the_stable_form_is_the_same_function(expr: sp.Expr, kind: type) -> None:
    stable = stabilise(expr)
    assert stable.has(kind)
    for point in (sp.Rational(-7, 3), sp.Rational(1, 5), sp.Integer(4)):
        ball = evaluate(expr, {x: point}, 120)
        with working_precision(120):
            known = arb(str(expr.subs(x, point).evalf(40)))
            assert abs(ball - known) < abs(known) * arb(10) ** -28


@pytest.mark.parametrize(
    ("expr", "inside", "outside"),
    [
        (sp.log(x), acb(-1), acb(1)),
        (sp.sqrt(x), acb(-1), acb(2)),
        (x ** sp.Rational(1, 3), acb(-1), acb(2)),
        (sp.atan(x), acb(0, 2), acb(2)),
        (sp.asinh(x), acb(0, 2), acb(2)),
        (sp.acosh(x), acb(0), acb(2)),
        (sp.log(1 + sp.exp(x)), acb(1e-9, 3.2), acb(-2, 3.2)),
        (sp.besselk(1, x), acb(-1), acb(1)),
        (sp.Ei(x), acb(-1), acb(1)),
    ],
    ids=str,
)
def test_branch_cuts_are_not_finite_when_analyticity_is_asked(
    expr: sp.Expr, inside: acb, outside: acb
) -> None:
    f = compile_ball(expr, x)
    around = inside + acb(arb(0, 0.1), arb(0, 0.1))
    assert not f(around, True).is_finite()
    assert f(outside + acb(arb(0, 0.01), arb(0, 0.01)), True).is_finite()


@pytest.mark.parametrize("middle", [-40.0, -1.3, -0.7, 0.0, 0.9, 1.2, 3.0, 500.0])
@pytest.mark.parametrize("width", [1e-3, 0.2, 30.0])
def test_tanh_of_a_disc_holds_its_values_and_stays_finite_far_out(middle: float, width: float) -> None:
    f = compile_ball(sp.tanh(x), x)
    disc = acb(arb(middle, 0.1), arb(0, width))
    found = f(disc, True)
    assert found.is_finite() or (abs(middle) < 1.2 and width > 1)
    for across in (-0.099, 0.0, 0.05):
        for up in (-0.99 * width, 0.0, 0.3 * width):
            point = acb(middle + across, up)
            with working_precision(200):
                assert found.overlaps(point.sinh() / point.cosh())
    if abs(middle) > 30:
        assert found.real.rad() < 1e-12


def test_compiled_integrand_integrates() -> None:
    with working_precision(bits(30)):
        value = acb.integral(compile_ball(Phi(x) * sp.exp(-(x**2)), x), acb(-10), acb(10)).real
        assert abs(value - arb.pi().sqrt() / 2) < arb(10) ** -29


def test_parameters_are_bound_at_the_call() -> None:
    f = compile_ball(sp.tanh(a * x), x, {a: sp.Rational(1, 2)})
    assert abs(f(acb(2), False).real - arb(1).tanh()) < 1e-14


def test_large_terms_around_phi_cancel_before_rounding() -> None:
    """e^{2q}(Φ(2√q + 1) − Φ(2√q)) at q = 10⁴: two terms of size e^20000, a value of size 1."""
    root = sp.sqrt(q)
    expr = sp.exp(2 * q) * Phi(2 * root + 1) - sp.exp(2 * q) * Phi(2 * root)
    ball = evaluate_to(expr, {q: 10**4}, 20, max_prec=1024)
    with mpmath.workdps(40):
        t = mpmath.mpf(200)
        scaled = [mpmath.erfc(u / mpmath.sqrt(2)) * mpmath.exp(t**2 / 2) / 2 for u in (t, t + 1)]
        known = mpmath.nstr(scaled[0] - scaled[1], 30)
    with working_precision(120):
        assert abs(ball - arb(known)) < abs(arb(known)) * arb(10) ** -20


def test_a_thousand_digits_are_not_taken_for_reached() -> None:
    """e^h − 1, h = 10^-500: 10^-324 is no bound of the error that a float can compare."""
    tiny = sp.Add(sp.exp(sp.Rational(1, 10**500)), -1, evaluate=False)
    ball = evaluate_to(tiny, {}, 1000)
    with working_precision(5000):
        assert ball.rad() <= abs(ball) * arb(10) ** -1000


@pytest.mark.parametrize(
    "expr",
    [
        sp.Piecewise((sp.sin(x), x < sp.Rational(1, 3)), (sp.cos(x) + 5, True)),
        sp.re(sp.Symbol("w")),
        sp.im(sp.Symbol("w")),
        sp.conjugate(sp.Symbol("w")),
        sp.zeta(sp.Rational(5, 2), x),
    ],
    ids=str,
)
def test_what_is_not_holomorphic_on_a_disc_is_not_finite_there(expr: sp.Expr) -> None:
    f = compile_ball(expr, min(expr.free_symbols, key=str))
    assert not f(acb(arb(0, 0.5), arb(0, 0.5)), True).is_finite()


def test_a_switch_far_from_the_disc_is_decided() -> None:
    f = compile_ball(sp.Piecewise((sp.sin(x), x < sp.Rational(1, 3)), (sp.cos(x) + 5, True)), x)
    assert f(acb(arb(1, 0.1), arb(0, 0.1)), True).real > 5
    assert f(acb(0), True).contains(0)


def test_hurwitz_zeta_uses_its_second_argument() -> None:
    with mpmath.workdps(30):
        known = float(mpmath.zeta(2, mpmath.mpf(1) / 3))
        ball = evaluate(sp.zeta(2, sp.Rational(1, 3), evaluate=False), {}, 80)
    assert abs(float(ball.mid()) - known) < 1e-14


def test_a_fractional_power_of_a_ball_around_zero_is_bounded() -> None:
    f = compile_ball(x ** sp.Rational(1, 3), x)
    near = f(acb(arb(0, 0.001), 0), False)
    assert near.is_finite() and near.contains(0) and near.abs_upper() < 0.2
    assert not f(acb(arb(0, 0.001), 0), True).is_finite()
