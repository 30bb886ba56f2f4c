"""The enclosure contains the reference values, refuses what diverges, and proves its tails."""

from __future__ import annotations

import json
import random
import time
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import mpmath
import pytest
import sympy as sp
from flint import arb

from initmath.activation import catalogue, resolve
from initmath.balls import evaluate, relative_error, working_precision
from initmath.balls.stable import Logistic
from initmath.enclosure import Growth, expectation
from initmath.errors import Divergent, InputError, NotEnclosed
from initmath.integral import Phi, x
from initmath.piecewise import Piece, PiecewiseSmooth

REFERENCE = Path(__file__).parents[1] / "data" / "reference.json"


def split(expr: Any) -> PiecewiseSmooth:
    return PiecewiseSmooth.from_expr(sp.sympify(expr), x)


def integrand(activation: Any, quantity: str) -> PiecewiseSmooth:
    f: PiecewiseSmooth = activation.derivative if quantity == "chi" else activation.pieces
    return f if quantity == "m1" else f.map(lambda e: e**2)


@cache
def records() -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    known = {*catalogue(), *(alias for entry in catalogue().values() for alias in entry.aliases)}
    for record in json.loads(REFERENCE.read_text()):
        quantity = record["quantity"].split("(")[0]
        moment = record["id"].startswith(("moment.", "moment_q."))
        if moment and quantity in ("m1", "m2", "chi") and record["activation"] in known:
            found.setdefault(record["activation"], []).append(record)
    return found


def test_the_reference_is_there() -> None:
    assert sum(map(len, records().values())) >= 500


@pytest.mark.parametrize("name", sorted(records()))
def test_reference_moments_to_thirty_digits(name: str) -> None:
    activation = resolve(name)
    for record in records()[name]:
        params = record.get("params", "")
        q = sp.Rational(params.split("q=")[1].split(",")[0]) if "q=" in params else sp.Integer(1)
        quantity = record["quantity"].split("(")[0]
        ball = expectation(integrand(activation, quantity), q, 30, activation.values)
        with working_precision(200):
            known = arb(record["value"])
            # The file prints 0 for what is below 10^-40; so is the absolute accuracy here.
            slack = abs(known) * arb(10) ** -38 if known != 0 else arb(10) ** -40
            assert abs(ball - known) <= abs(known) * arb(10) ** -30 + slack, record["id"]


@pytest.mark.parametrize("digits", [15, 30, 60])
@pytest.mark.parametrize("q", [Fraction(1, 10**8), Fraction(1), Fraction(10**4)])
def test_the_asked_accuracy_is_met_and_true(digits: int, q: Fraction) -> None:
    """E relu² = q/2, E sin² = (1 − e^{−2q})/2, E e^x = e^{q/2}: known in closed form."""
    for f, closed in (
        (split(sp.Max(x, 0) ** 2), sp.Rational(q) / 2),
        (split(sp.sin(x) ** 2), (1 - sp.exp(-2 * sp.Rational(q))) / 2),
        (split(sp.exp(x)), sp.exp(sp.Rational(q) / 2)),
    ):
        ball = expectation(f, q, digits)
        assert relative_error(ball) <= 10.0**-digits
        assert ball.overlaps(evaluate(closed, {}, 400))


def test_an_odd_function_is_exactly_zero() -> None:
    assert expectation(split(x * sp.cos(x) + sp.tanh(x)), 3).is_zero()


@pytest.mark.parametrize(
    ("expr", "q", "message"),
    [
        (sp.exp(x**2), 1, r"diverges for q >= 1/2"),
        (sp.exp(x**2), Fraction(1, 2), r"diverges for q >= 1/2"),
        (sp.exp(x**2 / 8) * x**2, 4, r"q >= 4"),
        (sp.exp(x**4), Fraction(1, 10**6), r"every q"),
        (sp.exp(sp.exp(x)), 1, r"every q"),
        (sp.cosh(x**2), 1, r"1/2"),
        (1 / x**2, 1, r"x = 0"),
        (1 / x, 1, r"x = 0"),
        (1 / (x - 3) ** 2, 1, r"x = 3"),
        (1 / sp.Abs(x), 1, r"x = 0"),
        (sp.diff(sp.sqrt(x), x) ** 2 * sp.Heaviside(x), 1, r"x = 0"),
        (sp.coth(x) ** 2, 1, r"x = 0"),
    ],
    ids=str,
)
def test_divergence_is_proven_and_named(expr: Any, q: Any, message: str) -> None:
    with pytest.raises(Divergent, match=message):
        expectation(split(expr), q)


@pytest.mark.parametrize("q", [Fraction(1, 10), Fraction(49, 100)])
def test_below_the_threshold_it_converges(q: Fraction) -> None:
    ball = expectation(split(sp.exp(x**2)), q, 20)
    assert ball.overlaps(evaluate(1 / sp.sqrt(1 - 2 * sp.Rational(q)), {}, 200))


def test_the_derivative_of_root_abs_diverges_but_its_mean_does_not() -> None:
    root = split(sp.sqrt(sp.Abs(x)))
    closed = 2 ** sp.Rational(1, 4) * sp.gamma(sp.Rational(3, 4)) / sp.sqrt(sp.pi)
    assert expectation(root, 1, 30).overlaps(evaluate(closed, {}, 200))
    with pytest.raises(Divergent):
        expectation(root.derivative().map(lambda e: e**2), 1)


def test_integrable_singularities() -> None:
    """E log|x| = −(γ + log 2)/2 at q = 1; E |x|^{−1/2} = 2^{−1/4}Γ(1/4)/√π."""
    ball = expectation(split(sp.log(sp.Abs(x))), 1, 20)
    assert ball.overlaps(evaluate(-(sp.EulerGamma + sp.log(2)) / 2, {}, 200))
    ball = expectation(split(1 / sp.sqrt(sp.Abs(x))), 1, 20)
    closed = 2 ** sp.Rational(-1, 4) * sp.gamma(sp.Rational(1, 4)) / sp.sqrt(sp.pi)
    assert ball.overlaps(evaluate(closed, {}, 200))


@pytest.mark.parametrize("q", [Fraction(1, 10**8), Fraction(1), Fraction(100)])
def test_removable_singularities(q: Fraction) -> None:
    """E sinc(x) = √(π/2q)·erf(√(q/2)) and E(1 − cos x)/x², by independent quadrature."""
    sinc = expectation(split(sp.sin(x) / x), q, 25)
    closed = sp.sqrt(sp.pi / (2 * sp.Rational(q))) * sp.erf(sp.sqrt(sp.Rational(q) / 2))
    assert sinc.overlaps(evaluate(closed, {}, 200))
    slope = expectation(split(sp.diff(sp.sin(x) / x, x) ** 2), q, 15)
    with mpmath.workdps(30):
        root = mpmath.sqrt(mpmath.mpf(q.numerator) / q.denominator)

        def squared(z: Any) -> Any:
            t = root * z
            if abs(t) < 1e-2:
                series = -t / 3 + t**3 / 30 - t**5 / 840 + t**7 / 45360
                return series**2 * mpmath.npdf(z)
            return ((t * mpmath.cos(t) - mpmath.sin(t)) / t**2) ** 2 * mpmath.npdf(z)

        known = mpmath.quad(squared, mpmath.linspace(-12, 12, 97))
    assert abs(float(slope.mid()) / float(known) - 1) < 1e-12


def test_a_wide_variance_encloses_all_of_it_tightly() -> None:
    f = split(sp.tanh(x) ** 2)
    wide = expectation(f, arb(2, 1e-3), 20)
    for q in (Fraction(1999, 1000), Fraction(2), Fraction(2001, 1000)):
        assert wide.contains(arb(expectation(f, q, 20).mid()))
    slope = expectation(split(sp.diff(sp.tanh(x) ** 2, x, 2) / 2), 2)
    assert wide.rad() < 2 * abs(slope) * 1e-3


def test_parameters() -> None:
    a = sp.Symbol("a", positive=True)
    f = PiecewiseSmooth.from_expr(sp.Piecewise((x, x > a), (a * x, True)) ** 2, x)
    ball = expectation(f, 1, 15, {a: sp.Rational(1, 5)})
    tail = evaluate(
        sp.Rational(1, 5) * sp.exp(-sp.Rational(1, 50)) / sp.sqrt(2 * sp.pi) + 1 - Phi(sp.Rational(1, 5))
    )
    assert ball.overlaps(tail + (1 - tail) / 25)
    with pytest.raises(NotEnclosed, match="symbol a"):
        expectation(f, 1)


@pytest.mark.parametrize("q", [0, -1, Fraction(-1, 3)])
def test_a_variance_must_be_positive(q: Any) -> None:
    with pytest.raises(InputError, match="positive"):
        expectation(split(x**2), q)


def test_a_float_is_not_an_exact_variance() -> None:
    with pytest.raises(InputError, match="exact"):
        expectation(split(x**2), 0.1)


@pytest.mark.parametrize("name", sorted(catalogue()))
def test_growth_bounds_hold_where_they_are_claimed(name: str) -> None:
    """|f| lies between its lower and upper bound at random points beyond the start."""
    activation = resolve(name)
    rng = random.Random(name)
    for f in (activation.pieces, activation.derivative.map(lambda e: e**2)):
        for side, piece in ((-1, f.pieces[0]), (1, f.pieces[-1])):
            ends = [abs(p) for p in f.subs(activation.values).breakpoints]
            start = max((float(evaluate(e)) for e in ends), default=0.0)
            growth = Growth(x, side, activation.values, start)
            upper, lower = growth.upper(piece.expr), growth.lower(piece.expr)
            assert upper is not None
            for _ in range(6):
                t = Fraction(growth.start) + Fraction(rng.expovariate(0.1))
                value = abs(evaluate(piece.expr, {**activation.values, x: side * t}, 600))
                with working_precision(100):
                    at = arb(t.numerator) / t.denominator
                    assert not value > upper.at(at), (piece.expr, t)
                    if lower is not None:
                        assert not value < lower.at(at), (piece.expr, t)


OUTGROWN = [
    1 / sp.sqrt(1 + sp.exp(x**3)),
    1 / (2 + sp.exp(sp.exp(x))),
    sp.exp(x) * Logistic(-3 * sp.exp(x / 2)),
    sp.exp(-x * sp.exp(x)),
]


@pytest.mark.parametrize("expr", OUTGROWN, ids=str)
def test_what_outgrows_every_gaussian_bounds_its_reciprocal_by_something_finite(expr: Any) -> None:
    """A bound of 0 would leave the tail out."""
    growth = Growth(x, 1, {}, 0.0)
    bound = growth.upper(expr)
    assert bound is not None and bound.quadratic < 0
    for t in (Fraction(growth.start), Fraction(growth.start) + 1, Fraction(5)):
        value = evaluate(expr, {x: t}, 600)
        assert 0 < value <= bound.at(arb(t.numerator) / t.denominator)
    with mpmath.workdps(30):
        f = sp.lambdify(x, expr, [{"Logistic": lambda u: 1 / (1 + mpmath.exp(-u))}, "mpmath"])
        true = mpmath.quad(lambda z: f(z) * mpmath.npdf(z), mpmath.linspace(-13, 6, 77))
    assert expectation(split(expr), 1, 15).overlaps(arb(mpmath.nstr(true, 20)) + arb(0, 1e-18))


@pytest.mark.parametrize("q", [10**8, 10**10, 10**30])
@pytest.mark.parametrize("digits", [1, 6, 15])
def test_large_variances_need_no_more_than_small_ones(q: int, digits: int) -> None:
    ball = expectation(split(sp.Max(x, 0) ** 2), q, digits)
    assert ball.contains(q // 2) and relative_error(ball) < 10**-digits


def test_a_tail_is_never_left_out() -> None:
    """x⁴⁰ at q = 1 has its mass near z = 6, far from where the density has it: E z⁴⁰ = 39!!."""
    ball = expectation(split(x**40), 1, 30)
    assert ball.contains(arb(int(sp.factorial2(39)))) and relative_error(ball) < 1e-29


@pytest.mark.parametrize("expr", [sp.log(x), sp.sqrt(x), sp.asin(x)], ids=str)
def test_a_function_that_is_not_real_is_refused(expr: Any) -> None:
    whole = PiecewiseSmooth(x, (Piece(-sp.oo, sp.oo, expr),))
    with pytest.raises((NotEnclosed, Divergent)):
        expectation(whole, 1)


def test_what_does_not_converge_is_given_up_in_time() -> None:
    """An essential singularity on the line: bounded, integrable, and beyond the method."""
    whole = PiecewiseSmooth(x, (Piece(-sp.oo, sp.oo, sp.sin(1 / x) ** 2),))
    with pytest.raises(NotEnclosed):
        expectation(whole, 1)


@pytest.mark.parametrize(
    ("expr", "closed"),
    [
        (x**2 * (1 + 1 / x) ** 2, 2),
        ((1 + 1 / x) ** 2 - 1 / x**2 - 2 / x, 1),
        ((sp.exp(x) - 1) / x + (1 - sp.exp(-x)) / x, None),
        ((sp.tanh(x) / x) ** 2 * sp.cos(x), None),
    ],
    ids=str,
)
def test_poles_that_cancel_are_not_poles(expr: Any, closed: Any) -> None:
    """E x²(1 + 1/x)² = E (x + 1)² = 2: a pole of one factor proves nothing about the product."""
    whole = PiecewiseSmooth(x, (Piece(-sp.oo, sp.oo, expr),))
    ball = expectation(whole, 1, 20)
    assert relative_error(ball) <= 1e-20
    if closed is not None:
        assert ball.contains(arb(closed))


@pytest.mark.parametrize("expr", [sp.exp(-1 / x**2), sp.tanh(1 / x) ** 2, sp.atan(1 / x) ** 2], ids=str)
def test_a_singularity_inside_a_function_is_not_called_divergent(expr: Any) -> None:
    whole = PiecewiseSmooth(x, (Piece(-sp.oo, sp.oo, expr),))
    with pytest.raises(NotEnclosed):
        expectation(whole, 1)


def test_a_bump_far_out_does_not_spoil_the_tail_of_the_rest() -> None:
    """The steep flank of a bump is its own: 1 + e^{-100(x-3)²} has mean 1 + √(1/201)·e^{-900/201}."""
    bump = sp.exp(-100 * (x - 3) ** 2)
    mean = sp.sqrt(sp.Rational(1, 201)) * sp.exp(-sp.Rational(900, 201))
    for f, closed in (
        (1 + bump, 1 + mean),
        (sp.exp(-(10**6) * (x - 3) ** 2), sp.exp(-sp.Rational(9 * 10**6, 2 * 10**6 + 1)) / sp.sqrt(2000001)),
    ):
        ball = expectation(split(f), 1, 15)
        assert relative_error(ball) <= 1e-15 and ball.overlaps(evaluate(closed, {}, 200))
    with mpmath.workdps(25):
        known = mpmath.quad(
            lambda t: (1 / (1 + mpmath.exp(-t)) + mpmath.exp(-100 * (t - 3) ** 2)) ** 2 * mpmath.npdf(t),
            [-14, -8, -4, 0, 2, 2.6, 2.8, 3, 3.2, 3.4, 4, 8, 14],
        )
    ball = expectation(split((1 / (1 + sp.exp(-x)) + bump) ** 2), 1, 15)
    assert relative_error(ball) <= 1e-15 and abs(float(ball.mid()) / float(known) - 1) < 1e-14
    far = expectation(split(sp.tanh(x) ** 2 + sp.exp(-((x - 30) ** 2)) * sp.tanh(x)), 1, 15)
    assert relative_error(far) <= 1e-15 and abs(float(far.mid()) - 0.3942944903978412) < 1e-14


@pytest.mark.parametrize("q", [Fraction(49999999, 10**8), Fraction(4999, 10**4)])
def test_no_huge_ball_is_ever_an_answer(q: Fraction) -> None:
    """Near the threshold: digits or a refusal, in a few seconds, and never a radius of 10^1000."""
    begin = time.monotonic()
    try:
        ball = expectation(split(sp.exp(x**2)), q, 15)
    except NotEnclosed:
        pass
    else:
        assert relative_error(ball) <= 1e-15
        assert ball.overlaps(evaluate(1 / sp.sqrt(1 - 2 * sp.Rational(q)), {}, 300))
    assert time.monotonic() - begin < 10


def test_time_is_counted_inside_the_integration() -> None:
    begin = time.monotonic()
    with pytest.raises(NotEnclosed, match="seconds"):
        expectation(split(sp.sin(10**5 * x) ** 2), 1, seconds=0.2)
    assert time.monotonic() - begin < 2


def test_a_root_that_is_not_real_in_a_corner_is_refused_quickly() -> None:
    begin = time.monotonic()
    with pytest.raises(NotEnclosed, match="not real"):
        expectation(split(sp.sqrt(sp.sin(x) + sp.Rational(9999, 10000))), 1)
    assert time.monotonic() - begin < 3


@pytest.mark.parametrize("q", [Fraction(10) ** 400, Fraction(1, 10**400)])
def test_a_variance_beyond_doubles_is_refused(q: Fraction) -> None:
    with pytest.raises(NotEnclosed, match="range"):
        expectation(split(sp.tanh(x) ** 2), q)


def test_four_hundred_digits_are_counted_without_floats() -> None:
    ball = expectation(split(sp.exp(-(x**2))), 1, 400)
    with working_precision(2000):
        assert ball.rad() <= abs(ball) * arb(10) ** -400
        assert ball.overlaps(1 / arb(3).sqrt())


def test_growth_compares_balls_not_their_middles() -> None:
    """An exponent between 1.8 and 2.6 proves no divergence for every q."""
    a = sp.Symbol("a", positive=True)
    with pytest.raises(NotEnclosed):
        expectation(split(sp.exp((1 + x**2) ** a)), Fraction(1, 10), 15, {a: arb(1.1, 0.2)})


@pytest.mark.parametrize("power", [sp.Rational(1, 3), sp.Rational(5, 3), sp.Rational(7, 10), sp.pi], ids=str)
@pytest.mark.parametrize("q", [Fraction(1, 100), Fraction(2)])
def test_fractional_powers(power: Any, q: Fraction) -> None:
    """E |x|^s = (2q)^{s/2}·Γ((s+1)/2)/√π."""
    closed = (2 * sp.Rational(q)) ** (power / 2) * sp.gamma((power + 1) / 2) / sp.sqrt(sp.pi)
    ball = expectation(split(sp.Abs(x) ** power), q, 15)
    assert relative_error(ball) <= 1e-15 and ball.overlaps(evaluate(closed, {}, 200))
    assert expectation(split(sp.sign(x) * sp.Abs(x) ** power), q, 15).is_zero()


@pytest.mark.parametrize("point", [1, sp.sqrt(2), -2, sp.Rational(1, 10**6)], ids=str)
@pytest.mark.parametrize("scale", [1, sp.Rational(1, 2)], ids=str)
def test_singularities_away_from_zero(point: Any, scale: Any) -> None:
    with mpmath.workdps(30):
        p = mpmath.mpf(str(sp.N(point, 40)))
        ends = sorted({-12, -3, 0, 3, 12, p})
        # In s = ±(t − p), so that the logarithm keeps its digits.
        total = mpmath.mpf(0)
        for side in (1, -1):
            cuts = sorted(
                {
                    0,
                    mpmath.mpf("1e-6"),
                    mpmath.mpf("1e-2"),
                    *(side * (e - p) for e in ends if side * (e - p) > 0),
                }
            )
            total += mpmath.quad(
                lambda s, side=side: mpmath.log(abs(s) * float(scale)) * mpmath.npdf(p + side * s), cuts
            )
    ball = expectation(split(sp.log(sp.Abs(scale * x - scale * point))), 1, 15)
    assert relative_error(ball) <= 1e-15
    assert abs(float(ball.mid()) - float(total)) < 1e-13


def test_a_wide_variance_around_a_singularity_counts_the_hole() -> None:
    for f in (1 / sp.sqrt(sp.Abs(x)), sp.log(sp.Abs(x - 1))):
        wide = expectation(split(f), arb(1, 0.01), 15)
        assert wide.rad() < 0.1
        for q in (Fraction(991, 1000), Fraction(1009, 1000)):
            assert wide.contains(expectation(split(f), q, 15).mid())


def test_a_very_wide_variance_is_split() -> None:
    f = split(sp.tanh(x) ** 2)
    wide = expectation(f, arb(1, 0.9), 15)
    assert wide > 0.05 and wide < 0.55
    for q in (Fraction(11, 100), Fraction(1, 2), Fraction(189, 100)):
        assert wide.contains(expectation(f, q, 20).mid())


def test_a_power_of_a_number_grows_like_an_exponential() -> None:
    """E 2^x = e^{(log 2)²/2}."""
    ball = expectation(split(2**x), 1, 15)
    assert relative_error(ball) <= 1e-15 and ball.overlaps(evaluate(sp.exp(sp.log(2) ** 2 / 2), {}, 200))
    with pytest.raises(Divergent):
        expectation(split(2 ** (x**2)), 1)


@pytest.mark.parametrize("expr", [sp.asin(x / 10), sp.asin(x / 10) ** 2, sp.acos(x / 10)], ids=str)
def test_arcs_are_bounded_only_where_they_are_real(expr: Any) -> None:
    with pytest.raises(NotEnclosed):
        expectation(split(expr), 1)
    assert expectation(split(sp.asin(sp.tanh(x)) ** 2), 1, 15) > 0.5


def test_a_part_of_a_complex_power_is_refused_cleanly() -> None:
    with pytest.raises(NotEnclosed):
        expectation(split(sp.re(x ** sp.Rational(1, 3))), 1)


@pytest.mark.parametrize("q", [1e9, 1e18, 8e29, 1e200])
def test_a_peak_far_out_is_given_up_in_time(q):
    """E e^x at such q has its bulk at x = q: the cut beyond it must be found, or refused, at once."""
    f = split("exp(x)")
    started = time.process_time()
    with pytest.raises(NotEnclosed):
        expectation(f, arb(q), 6, seconds=0.2)
    assert time.process_time() - started < 20  # it went on for hours
