"""Two-point kernels: known values, identities, and each route against a quadrature without closed forms."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
import sympy as sp
from flint import arb
from sympy import Rational

import initmath
from initmath.activation import resolve
from initmath.balls import evaluate, working_precision
from initmath.derivation import Status
from initmath.errors import Divergent, InputError, NotEnclosed
from initmath.gaussian.special_bivariate import Phi2
from initmath.kernels import KINDS, Pair, closed_kernel, enclose, kernel
from initmath.kernels.coefficients import coefficients, hermite_bound
from initmath.kernels.pair import c, function, q1, q2
from initmath.moments import moment
from initmath.quadrature.kernel import pair_expectation

REFERENCE = json.loads((Path(__file__).parents[1] / "data" / "reference.json").read_text())
ENTRIES = [
    e
    for e in (REFERENCE if isinstance(REFERENCE, list) else REFERENCE["entries"])
    if e["id"].startswith(("kernel.", "dkernel.")) and e["id"].endswith("c0.5")
]
NAMES = ("relu", "hardtanh", "gelu", "erf", "tanh", "silu", "elu", "softsign", "sin", "exp", "sign", "mish")


def _pair(first: Any, second: Any, correlation: Any) -> Pair:
    return Pair(Rational(str(first)), Rational(str(second)), Rational(str(correlation)))


def _resolved(entry: dict[str, Any]) -> Any:
    try:
        return resolve(entry["activation"], None)
    except InputError:
        return None


def test_the_reference_has_both_kernels() -> None:
    assert len(ENTRIES) > 30
    assert sum(_resolved(e) is not None for e in ENTRIES) > 0.9 * len(ENTRIES)


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda e: e["id"])
def test_reference_values_to_all_their_digits(entry: dict[str, Any]) -> None:
    activation = _resolved(entry)
    if activation is None:
        pytest.skip(f"no activation {entry['activation']} here")
    if entry["activation"] == "threshold":
        activation = resolve("Piecewise((x, x > 1), (0, True))", None)
    kind = "kernel" if entry["id"].startswith("kernel") else "derivative_kernel"
    found = enclose(activation, kind, _pair(1, 1, "1/2"), 28)
    with working_precision(160):
        digits = len(entry["value"].split(".")[-1].rstrip("0"))
        off = abs(found.ball - arb(entry["value"]))
        assert off < arb(10) ** -min(digits - 1, 26), (entry["id"], found.ball.str(30), entry["value"])


def test_general_erf_kernel() -> None:
    value = kernel(resolve("erf", None), "kernel", _pair(2, 2, "1/2"), 30).number
    with working_precision(160):
        assert abs(value.ball - arb("0.2619797608689092344891388824425269706906")) < arb("1e-29")


@pytest.mark.parametrize("name", NAMES)
def test_special_correlations(name: str) -> None:
    g = resolve(name, None)
    q, other = Rational(7, 5), Rational(1, 3)
    same = kernel(g, "kernel", Pair(q, q, Rational(1)))
    assert same.number.ball.overlaps(moment(g, "second_moment", q).number.ball)
    steep = kernel(g, "derivative_kernel", Pair(q, q, Rational(1)))
    assert steep.number.ball.overlaps(moment(g, "derivative_second_moment", q).number.ball)
    apart = kernel(g, "kernel", Pair(q, other, Rational(0)))
    first, second = (moment(g, "mean", v).number.ball for v in (q, other))
    with working_precision(80):
        assert apart.number.ball.overlaps(first * second)
    assert all(each.number.certified for each in (same, steep, apart))


@pytest.mark.parametrize("name", NAMES)
def test_symmetric_in_the_two_inputs(name: str) -> None:
    g = resolve(name, None)
    for kind in KINDS:
        one = enclose(g, kind, _pair("0.3", "3.4", "-3/7"), 18).ball
        assert one.overlaps(enclose(g, kind, _pair("3.4", "0.3", "-3/7"), 18).ball)


@pytest.mark.parametrize("name", ["relu", "gelu", "erf", "hardtanh", "elu", "sin", "abs", "relu_squared"])
def test_price_by_differentiating_the_closed_form(name: str) -> None:
    """∂k/∂c = √(q₁q₂)·(derivative kernel): two closed forms that the engine found apart."""
    g = resolve(name, None)
    value, slope = closed_kernel(g, "kernel").value, closed_kernel(g, "derivative_kernel").value
    for pair in (_pair("0.7", "2.3", "0.4"), _pair("1.9", "0.2", "-0.8")):
        left = evaluate(value.diff(c), pair.values, 200)
        right = evaluate(sp.sqrt(q1 * q2) * slope, pair.values, 200)
        assert left.overlaps(right) and left.rad() < 1e-20 and right.rad() < 1e-20


@pytest.mark.parametrize("name", ["tanh", "silu", "softsign"])
def test_price_by_a_difference_in_balls(name: str) -> None:
    g, h = resolve(name, None), Rational(1, 10**8)
    at = Rational(2, 5)
    up, down = (enclose(g, "kernel", Pair(Rational(2), Rational(2), at + s), 30).ball for s in (h, -h))
    slope = enclose(g, "derivative_kernel", Pair(Rational(2), Rational(2), at), 20).ball
    with working_precision(150):
        assert abs((up - down) * 10**8 / 4 - slope) < 1e-13


@pytest.mark.parametrize("name", ["gelu", "erf"])
def test_heat_equation(name: str) -> None:
    """∂k/∂q₁ at fixed covariance is ½ E g″(y₁) g(y₂)."""
    g = resolve(name, None)
    p = sp.Symbol("p", real=True)
    fixed = closed_kernel(g, "kernel").value.subs(c, p / sp.sqrt(q1 * q2))
    values = {q1: Rational(7, 5), q2: Rational(3, 5), p: Rational(1, 4)}
    slope = evaluate(fixed.diff(q1), values, 160)
    second = sp.lambdify(
        sp.Symbol("x", real=True), g.expr.diff(sp.Symbol("x", real=True), 2).rewrite(sp.erf), "scipy"
    )
    value = g.numpy()
    found = pair_expectation(lambda a, b: (second(a) * value(b))[None], [1.4], [0.6], [0.25], orders=(30, 24))
    assert abs(float(slope) - 0.5 * found.value[0, 0]) < 1e-12


def test_gelu_odd_part_of_the_kernel_is_linear() -> None:
    value = closed_kernel(resolve("gelu", None), "kernel").value.subs({q1: 1, q2: 1})
    for rho in (Rational(1, 3), Rational(9, 10)):
        with working_precision(160):
            difference = evaluate(value - value.subs(c, -c), {c: rho}, 160)
            assert abs(difference - arb(rho.p) / rho.q / 2) < arb("1e-30")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["relu", "gelu", "hardtanh", "elu", "tanh", "mish"])
def test_all_digits_as_the_inputs_meet(name: str) -> None:
    """k(1) − k(c) = (1 − c)·k′ + O((1 − c)^{3/2}) at 1 − c = 10⁻¹², but for the next order."""
    g = resolve(name, None)
    gap = Rational(1, 10**12)
    near = kernel(g, "kernel", Pair(Rational(1), Rational(1), 1 - gap), 25).number.ball
    at = kernel(g, "kernel", Pair(Rational(1), Rational(1), Rational(1)), 25).number.ball
    slope = kernel(g, "derivative_kernel", Pair(Rational(1), Rational(1), Rational(1)), 25).number.ball
    with working_precision(120):
        assert near.rad() < arb("1e-20")
        assert abs((at - near) * 10**12 - slope) < 2e-6 * slope


@pytest.mark.slow
def test_certified_random_pairs_against_quadrature() -> None:
    chance = Random(4)
    for name in NAMES:
        g = resolve(name, None)
        first, second = (
            Rational(round(10 ** chance.uniform(-1, 0.4), 3)).limit_denominator(1000) for _ in "ab"
        )
        pair = Pair(first, second, Rational(round(chance.uniform(-0.9, 0.9) * 100), 100))
        for order, kind in enumerate(KINDS):
            number = kernel(g, kind, pair).number
            f = g.numpy(order)
            points = [float(b) for b in function(g, kind).breakpoints]
            a, b = float(pair.q1), float(pair.q2)
            covariance = float(pair.c) * np.sqrt(a * b)
            found = pair_expectation(
                lambda u, v, f=f: (f(u) * f(v))[None], [a], [b], [covariance], points, orders=(30, 24)
            )
            scale = max(1.0, abs(float(number)))
            assert abs(float(number) - found.value[0, 0]) < 1e-12 * scale, (name, kind, pair)


def test_coefficients_of_relu() -> None:
    """a_n of ReLU in closed form: 1/√(2π), 1/2, 1/√(4π), 0, −1/√(48π), …."""
    found = coefficients(resolve("relu", None).pieces, Rational(1), 40, 25)
    exact = [
        1 / sp.sqrt(2 * sp.pi),
        Rational(1, 2),
        1 / sp.sqrt(4 * sp.pi),
        sp.S.Zero,
        -1 / sp.sqrt(48 * sp.pi),
    ]
    with working_precision(160):
        for ball, value in zip(found.values, exact, strict=False):
            truth = evaluate(value, {}, 160)
            assert ball.overlaps(truth) and ball.rad() < arb("1e-24")
        assert found.rest(3) < 0.0113 and found.rest(41) > 0


def test_hermite_bound_holds() -> None:
    for n in (0, 3, 17):
        for z in (0.3 + 0.4j, 2.0 - 1.0j, 5.0 + 0.1j):
            value = abs(np.polynomial.hermite_e.hermeval(z, [0] * n + [1])) / np.sqrt(float(sp.factorial(n)))
            assert value * np.exp(-(z**2).real / 2) <= float(hermite_bound(n, abs(z.real), abs(z.imag)))


@pytest.mark.parametrize(("h", "k", "rho"), [(-1, -2, 0.5), (3, -2, -0.7), (1, 1.5, 0.95), (-1, 2, -0.95)])
def test_bivariate_normal_by_its_conditional(h: float, k: float, rho: float) -> None:
    from scipy.integrate import quad
    from scipy.stats import norm

    slant = np.sqrt(1 - rho * rho)
    truth, _ = quad(lambda t: norm.pdf(t) * norm.cdf((k - rho * t) / slant), -12, h, epsabs=1e-13, limit=200)
    value = evaluate(Phi2(*(Rational(str(v)) for v in (h, k, rho))), {}, 90)
    assert abs(float(value) - truth) < 1e-11


def test_elu_closes_and_says_exact() -> None:
    found = kernel(resolve("elu", None), "kernel", _pair(1, 2, "-0.7"))
    assert found.number.status is Status.EXACT and found.number.closed_form.has(Phi2)


def test_a_wrong_closed_form_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import replace

    from initmath import gaussian
    from initmath.errors import Disagreement
    from initmath.kernels import closed_form

    right = gaussian.derive
    monkeypatch.setattr(
        closed_form.gaussian, "derive",
        lambda *a, **k: (lambda d: replace(d, value=d.value * (1 + c * Rational(1, 10**9))))(right(*a, **k)),
    )  # fmt: skip
    closed_form.forget()
    with pytest.raises(Disagreement):
        closed_kernel(resolve("erf", None), "kernel")
    closed_form.forget()


def test_divergence_is_refused() -> None:
    g = resolve("exp(x**2)", None)
    assert kernel(g, "kernel", _pair("0.1", "0.1", "0.5")).number.status is Status.EXACT
    with pytest.raises(NotEnclosed, match="no proof that the integral exists"):
        kernel(g, "kernel", _pair(1, 1, "0.5"))
    with pytest.raises(Divergent):
        kernel(g, "kernel", _pair(1, 1, 1))
    root = resolve("sqrt(abs(x))", None)
    assert kernel(root, "derivative_kernel", _pair(1, 1, 1)).number.value == "inf"
    assert kernel(root, "derivative_kernel", _pair(1, 1, "0.5")).number.certified


@pytest.mark.parametrize(
    ("text", "point", "value"),
    [
        ("exp(x**2)", ("0.1", "0.1", "1"), "0.6**(-1/2)"),
        ("exp(x**2)", ("0.1", "0.2", "-1"), "0.4**(-1/2)"),
        ("exp(x**2)", ("0.3", "0.3", "0"), "1/0.4"),
        ("exp(x**2)", ("0.3", "0.1", "0"), "0.32**(-1/2)"),
        ("x*exp(x**2/4)", ("0.3", "0.3", "1"), "0.3*0.7**(-3/2)"),
    ],
)
def test_forms_for_special_correlations_under_conditions(text: str, point: Any, value: str) -> None:
    """A form for c = 0 or c = 1 is met with integrals of that very correlation, at small variances too."""
    number = kernel(resolve(text, None), "kernel", _pair(*point)).number
    assert number.status is Status.EXACT
    assert float(number) == pytest.approx(float(sp.sympify(value)), rel=1e-14)


def test_a_form_that_is_wrong_at_negative_correlations_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Off by a term that is seen near c = −1 only."""
    from dataclasses import replace

    from initmath.errors import Disagreement
    from initmath.kernels import closed_form

    right, wrong = closed_form.gaussian.derive, sp.Rational(1, 1000) * ((1 - c) / 2) ** 10**4
    monkeypatch.setattr(
        closed_form.gaussian, "derive",
        lambda *a, **k: (lambda d: replace(d, value=d.value + wrong))(right(*a, **k)),
    )  # fmt: skip
    closed_form.forget()
    with pytest.raises(Disagreement, match="c = -9999999/10000000"):
        closed_kernel(resolve("erf", None), "kernel")
    closed_form.forget()


def test_jumps_are_announced() -> None:
    found = kernel(resolve("sign", None), "derivative_kernel", _pair(1, 1, "0.5"))
    assert found.number.value == "0" and "jumps at x = 0" in found.warnings[0]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"c": "1.1"}, "between -1 and 1"),
        ({"c": "nan"}, "not a finite number"),
        ({"c": float("inf")}, "not a finite number"),
        ({"c": 0, "q1": 0}, "must be positive"),
        ({"c": 0, "q2": -2}, "must be positive"),
        ({}, "give the correlation"),
        ({"c": "--1"}, "not a finite number"),
    ],
)
def test_wrong_input(options: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        initmath.kernel("relu", **options)


def test_answer_in_every_format() -> None:
    answer = initmath.kernel("leaky_relu", c="-1/3", params={"a": "symbol"})
    data = json.loads(answer.to_json())
    assert data["kernel"]["status"] == data["derivative_kernel"]["status"] == "exact"
    assert "q_1" in data["kernel"]["closed_form"]
    for text in (answer.to_text(), answer.to_markdown(), answer.to_latex(), str(answer.with_steps())):
        assert "nan" not in text and len(text) > 200
    assert initmath.kernel("relu", c="-0.999999999999").c == "-0.999999999999"
