"""E f(√q z) in double precision: exact problems, hard ones, dishonesty hunted with random ones.

The defining property: |value − true| ≤ error, for every integrand that is not hidden between all the nodes.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mpmath import erfc, euler, fac2, gamma, log, mp, mpf, npdf, pi, quad, sqrt, tanh
from mpmath import exp as mexp
from scipy.integrate import tanhsinh

from initmath.activation import resolve
from initmath.errors import InputError
from initmath.quadrature import expectation, moments
from initmath.quadrature._rule import gauss_legendre


def upper(h):
    """P(z > h)."""
    return erfc(h / sqrt(mpf(2))) / 2


def relu_above(c, q):
    """E max(√q z − c, 0)."""
    root = sqrt(mpf(q))
    h = mpf(c) / root
    return root * npdf(h) - mpf(c) * upper(h)


def abs_power(p):
    """E |z|^p."""
    return 2 ** (mpf(p) / 2) * gamma((mpf(p) + 1) / 2) / sqrt(pi)


@dataclass(frozen=True)
class Problem:
    name: str
    f: Any
    q: float
    exact: Any  # a function without arguments, evaluated in 40 digits
    breakpoints: tuple[float, ...] = ()
    relative: float = 1e-14  # of E|f|; larger where the kink or singularity is not named


PROBLEMS = (
    *(
        Problem(f"exp squared, q={q}", lambda x: np.exp(x) ** 2, q, lambda q=q: mexp(2 * mpf(q)))
        for q in (1e-8, 1.0, 16.0, 100.0, 300.0, 354.0)
    ),
    Problem("sin squared, q=1e4", lambda x: np.sin(x) ** 2, 1e4, lambda: (1 - mexp(-2 * mpf(10) ** 4)) / 2),
    Problem("sin(10 x) squared, q=1e4", lambda x: np.sin(10 * x) ** 2, 1e4, lambda: mpf(1) / 2),
    Problem("named step", lambda x: (x > 0.3) * 1.0, 1.0, lambda: upper(mpf(0.3)), (0.3,)),
    Problem("unnamed step", lambda x: (x > 0.3) * 1.0, 1.0, lambda: upper(mpf(0.3))),
    Problem("unnamed step at a panel's end", lambda x: (x > 0) * 1.0, 2.0, lambda: mpf(1) / 2),
    *(
        Problem(
            f"unnamed kink at {c}", lambda x, c=c: np.maximum(x - c, 0), 1.0, lambda c=c: relu_above(c, 1)
        )
        for c in (0.3, 1e-3, 2.4999, 2.4999999, 2.5, 2.5001, -1.234567)
    ),
    Problem("kink in the far tail", lambda x: np.maximum(x - 20, 0), 1.0, lambda: relu_above(20, 1), (20.0,)),
    Problem("unnamed, in the far tail", lambda x: np.maximum(x - 20, 0), 1.0, lambda: relu_above(20, 1)),
    Problem(
        "at the edge of a double", lambda x: np.maximum(x - 37, 0), 1.0, lambda: relu_above(37, 1), (37.0,)
    ),
    *(
        Problem(f"|x|^{p}", lambda x, p=p: np.abs(x) ** p, 1.0, lambda p=p: abs_power(p))
        for p in (0.5, -0.5, 1 / 3, 1.5, -0.75)
    ),
    Problem("log|x|", lambda x: np.log(np.abs(x)), 1.0, lambda: -(euler + log(mpf(2))) / 2),
    Problem("exp(0.49 x²)", lambda x: np.exp(0.49 * x * x), 1.0, lambda: 1 / sqrt(1 - 2 * mpf(0.49))),
    Problem("x^128", lambda x: x**128, 1.0, lambda: fac2(127)),
    Problem("zero", lambda x: 0 * x, 1.0, lambda: mpf(0)),
    Problem("constant", lambda x: 3.0, 1.0, lambda: mpf(3)),
    Problem(
        "narrow bump",
        lambda x: np.exp(-((x - 3.3) ** 2) * 1e4),
        1.0,
        lambda: mexp(-(mpf(3.3) ** 2) / (2 + mpf(10) ** -4)) / sqrt(1 + 2 * mpf(10) ** 4),
    ),
    Problem(
        "steep tanh far out",
        lambda x: np.tanh(100 * (x - 3.0)),
        1e4,
        lambda: quad(
            lambda t: tanh(100 * (t - 3)) * npdf(t, 0, 100),
            [
                -1500,
                -900,
                -500,
                -300,
                -100,
                -50,
                0,
                2,
                2.5,
                2.9,
                2.95,
                3,
                3.05,
                3.1,
                3.5,
                4,
                10,
                50,
                100,
                300,
                500,
                900,
                1500,
            ],
        ),
    ),
)


@pytest.mark.parametrize("problem", PROBLEMS, ids=lambda p: p.name)
def test_exact_problems(problem):
    result = expectation(problem.f, [problem.q], problem.breakpoints)
    with mp.workdps(40):
        exact = problem.exact()
        error = float(abs(mpf(float(result.value[0])) - exact))
    scale = expectation(lambda x: np.abs(problem.f(x)) + 0 * x, [problem.q], problem.breakpoints).value[0]
    assert error <= result.error[0]
    assert error <= problem.relative * scale
    assert result.error[0] <= 1e-12 * scale + 1e-320


def test_subnormal_values():
    result = expectation(lambda x: np.maximum(x - 38, 0), [1.0], [38.0])
    with mp.workdps(40):
        assert abs(mpf(float(result.value[0])) - relu_above(38, 1)) <= result.error[0] <= 1e-322


@pytest.mark.parametrize(
    ("f", "q"),
    [
        (lambda x: 1 / x, 1.0),
        (lambda x: 1 / np.abs(x), 1.0),
        (lambda x: 1 / np.abs(x - 0.3), 1.0),
        (lambda x: 1 / (x - 0.3) ** 2, 1.0),
        (lambda x: 1 / x**2, 1e-8),
        (lambda x: np.exp(0.6 * x * x), 1.0),
        (lambda x: np.exp(0.5 * x * x), 1.0),
        (lambda x: np.exp(x) ** 2, 356.0),
        (lambda x: np.exp(x) ** 2, 1e4),
        (lambda x: x**128, 1e4),
        (np.log, 1.0),
        (lambda x: np.where(x > 1, np.nan, x), 1.0),
    ],
)
def test_no_finite_answer_is_inf_with_error_inf(f, q):
    result = expectation(f, [q])
    assert result.value[0] == np.inf and result.error[0] == np.inf


def test_one_lost_q_leaves_the_others():
    result = expectation(lambda x: np.exp(x) ** 2, [1.0, 1e4, 4.0])
    assert np.isinf(result.error[1])
    assert np.all(np.abs(result.value[[0, 2]] / np.exp([2.0, 8.0]) - 1) < 1e-14)


def test_shapes_and_empty():
    q = np.array([[1.0, 2.0], [3.0, 4.0]])
    assert expectation(lambda x: x * x, q).value == pytest.approx(q, rel=1e-15)
    assert expectation(lambda x: x * x, 2.0).value.shape == ()
    assert expectation(lambda x: x * x, []).value.shape == (0,)


@pytest.mark.parametrize("q", [0.0, -1.0, float("nan"), float("inf")])
def test_wrong_q(q):
    with pytest.raises(InputError, match="positive"):
        expectation(lambda x: x, q)


def test_wrong_breakpoint():
    with pytest.raises(InputError, match="breakpoints"):
        expectation(lambda x: x, 1.0, [float("nan")])


def test_many_q_agree_with_one_by_one():
    q = np.geomspace(1e-8, 1e4, 60)
    together = expectation(np.tanh, q)
    single = [expectation(np.tanh, v) for v in q]
    assert np.all(np.abs(together.value - [s.value.item() for s in single]) <= 1e-15 * np.sqrt(q))
    assert together.error == pytest.approx([s.error.item() for s in single], rel=1e-3)


def test_single_precision_noise_is_in_the_error():
    result = expectation(lambda x: np.tanh(x.astype(np.float32)) ** 2, [1.0])
    assert abs(result.value[0] - 0.3942944903978411788) <= result.error[0] < 1e-6


@pytest.mark.parametrize("amplitude", [1e-13, 1e-10, 1e-7])
def test_noise_is_in_the_error_and_is_not_chased(amplitude):
    calls = []

    def noisy(x):
        calls.append(x.size)
        return np.tanh(x) ** 2 + amplitude * np.sin(1e13 * x)

    result = expectation(noisy, [1.0])
    assert abs(result.value[0] - 0.3942944903978411788) <= result.error[0] < 30 * amplitude
    assert sum(calls) < 100_000


def test_extended_precision_is_not_needed_for_honesty():
    """A function that works only on float64 loses what overflows, and says so."""

    def doubles_only(x):
        if x.dtype != np.float64:
            raise TypeError("doubles only")
        return np.exp(x) ** 2

    result = expectation(doubles_only, [1.0, 300.0])
    assert abs(result.value[0] - math.exp(2)) <= result.error[0]
    assert np.isinf(result.error[1])


@pytest.mark.parametrize(
    ("f", "breakpoints"),
    [(np.tanh, ()), (lambda x: np.abs(x) ** 0.5, (0.0,)), (lambda x: np.clip(x, 0, 6), (0.0, 6.0))],
)
def test_tanh_sinh_agrees(f, breakpoints):
    """SciPy's tanh-sinh, an unrelated rule, on every piece."""
    for q in (0.1, 1.0, 9.0):
        ours = expectation(lambda x: f(x) ** 2, q, breakpoints)
        cuts = [-12 * q**0.5, 0.0, *(b for b in breakpoints if b), 12 * q**0.5]
        total = sum(
            tanhsinh(lambda x, q=q: f(x) ** 2 * np.exp(-x * x / (2 * q)), a, b).integral
            for a, b in itertools.pairwise(cuts)
        ) / math.sqrt(2 * math.pi * q)
        assert ours.value == pytest.approx(total, rel=1e-13)


# ------------------------------------------------------------------------------
# Dishonesty, hunted

numbers = st.floats(-6, 6, allow_nan=False).map(lambda v: round(v, 6))
log_q = st.floats(-3, 3)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(numbers, numbers), min_size=1, max_size=6), log_q, st.booleans())
def test_piecewise_linear(kinks, exponent, named):
    """Σ b max(x − c, 0): every expectation is known; the kinks are named or not."""
    q = 10.0**exponent
    result = expectation(
        lambda x: sum(b * np.maximum(x - c, 0) for b, c in kinks), [q], [c for _, c in kinks] if named else ()
    )
    with mp.workdps(40):
        exact = sum(mpf(b) * relu_above(c, q) for b, c in kinks)
        # f is a sum of terms that may cancel: its own rounding, 2u E Σ|b|·max(x − c, 0) and u E|b|·|x|
        own = 3e-16 * float(sum(abs(mpf(b)) * (relu_above(c, q) + sqrt(mpf(q))) for b, c in kinks))
        error = float(abs(mpf(float(result.value[0])) - exact))
    assert error <= result.error[0] + own
    assert result.error[0] <= 1e-12 * (own / 3e-16) + 1e-300


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(numbers, numbers, numbers), min_size=1, max_size=4), log_q)
def test_waves(waves, exponent):
    """Σ a cos(k x + p): E = Σ a cos(p) exp(−q k²/2)."""
    q = 10.0**exponent
    result = expectation(lambda x: sum(a * np.cos(k * x + p) for a, k, p in waves), [q])
    with mp.workdps(40):
        exact = sum(mpf(a) * mp.cos(mpf(p)) * mexp(-mpf(q) * mpf(k) ** 2 / 2) for a, k, p in waves)
        # the argument kx + p is rounded: 2u |a| (|k| √q + |p| + 1)
        own = 3e-16 * sum(abs(a) * (abs(k) * math.sqrt(q) + abs(p) + 1) for a, k, p in waves)
        error = float(abs(mpf(float(result.value[0])) - exact))
    assert error <= result.error[0] + own
    assert result.error[0] <= 100 * own + 1e-300


@settings(max_examples=150, deadline=None)
@given(numbers, st.floats(0.001, 3), log_q)
def test_bumps(centre, rate, exponent):
    """exp(−r (x − c)²), wide and narrow, anywhere: E = exp(−r c²/(1 + 2 r q))/√(1 + 2 r q)."""
    q = 10.0**exponent
    result = expectation(lambda x: np.exp(-rate * (x - centre) ** 2), [q])
    with mp.workdps(40):
        width = 1 + 2 * mpf(rate) * mpf(q)
        exact = mexp(-mpf(rate) * mpf(centre) ** 2 / width) / sqrt(width)
        error = float(abs(mpf(float(result.value[0])) - exact))
    # the exponent r (x − c)² is rounded, 3 ulp; it is below 745 where f is not 0, and matters up to about 40
    own = 40 * 3.4e-16 * float(exact)
    assert error <= result.error[0] + own
    assert error <= 1e-14 * float(exact) + own


# ------------------------------------------------------------------------------
# Moments of an activation


def test_centred_variance_keeps_its_digits():
    """Sigmoid at q = 1e-8: Var = q/16 to first order; m₂ − m₁² has lost half of its digits there."""
    found = moments(resolve("sigmoid"), [1e-8])
    with mp.workdps(40):

        def sigmoid(t):
            return 1 / (1 + mexp(-t))

        root = sqrt(mpf(1e-8))
        exact = quad(lambda t: (sigmoid(root * t) - mpf(1) / 2) ** 2 * npdf(t), [-15, -8, -4, 0, 4, 8, 15])
        error = float(abs(mpf(float(found.variance.value[0])) - exact))
    assert error <= found.variance.error[0]
    # g's own rounding: 2 u √(m₂/Var) relative
    assert error <= float(exact) * (1e-14 + 2 * 1.1e-16 * 0.5 / math.sqrt(float(exact)))


def test_parity_and_jumps():
    sign = moments(resolve("sign"), [1e-8, 1.0, 1e4])
    assert np.all(np.abs(sign.mean.value) <= sign.mean.error)
    assert np.all(np.abs(sign.second_moment.value - 1) <= sign.second_moment.error)
    assert np.all(sign.derivative_second_moment.value == 0)


def test_divergent_slope_is_inf():
    found = moments(resolve("sqrt(Abs(x))"), [1.0])
    assert np.isinf(found.derivative_second_moment.value[0])
    assert abs(found.second_moment.value[0] - math.sqrt(2 / math.pi)) <= found.second_moment.error[0]


def test_symbolic_parameters_are_refused():
    with pytest.raises(InputError, match="symbolic"):
        moments(resolve("leaky_relu", {"a": "symbol"}), [1.0])


def test_rule_is_exact_to_degree_63():
    rule = gauss_legendre()
    for degree in range(0, 64, 2):
        assert float(np.sum(rule.weights * rule.nodes**degree)) == pytest.approx(2 / (degree + 1), rel=1e-15)


def test_a_first_panel_that_misses_a_breakpoint_by_rounding_leaves_no_sliver():
    # 6 steps of √q·10/3 are −2.0000000000000004 at q = 1/100: one unit in the last place from the break at −2
    tail = expectation(lambda x: np.where(x < -2, 1.0, 0.0), np.array([0.01]), breakpoints=(-2.0,))
    true = 0.5 * math.erfc(20 / math.sqrt(2))
    assert abs(tail.value[0] - true) <= tail.error[0] + 1e-13 * true
    assert np.isfinite(tail.error[0])
