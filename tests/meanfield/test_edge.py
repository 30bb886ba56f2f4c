"""The edge of chaos against the reference table (ids ``eoc.``), closed forms, and proofs of absence."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path

import pytest
from flint import arb, ctx
from sympy import Rational, S, erf, exp, sqrt, tanh

import initmath
from initmath.activation import resolve
from initmath.balls import evaluate, working_precision
from initmath.errors import InputError
from initmath.integral import q as Q
from initmath.meanfield.balance import BIAS, DOUBLY, _functions, near_infinity, near_zero, second_slope, signs
from initmath.meanfield.edge import edge_at, edge_curve
from initmath.moments import moment, slope
from initmath.moments.algebra import is_zero

RECORDS = json.loads((Path(__file__).parent.parent / "data" / "reference.json").read_text())
EDGE = {r["id"]: r for r in RECORDS if r["id"].startswith("eoc.")}
DIGITS = 40
AT_Q = re.compile(r"eoc\.\w+\.q=([\d/]+)\.(s[wb]2)$")
AT_BIAS = re.compile(r"eoc\.\w+\.(sb2?)=([\d.]+)\.(sigma_w|q)$")


def agree(ball, text, digits):
    before = ctx.prec
    ctx.prec = 300
    try:
        value = arb(text)
        return bool(abs(ball - value).upper() <= abs(value) * arb(10) ** -digits)
    finally:
        ctx.prec = before


def root(number):
    with working_precision(200):
        return number.ball.sqrt()


@cache
def point(act, at):
    return edge_at(resolve(act), Rational(at), DIGITS)


@pytest.mark.parametrize("name", [name for name in EDGE if AT_Q.match(name)])
def test_every_point_of_the_edge_in_the_table(name):
    record, (at, which) = EDGE[name], AT_Q.match(name).groups()
    found = point(record["activation"], at)
    ball = (found.sigma_w2 if which == "sw2" else found.sigma_b2).ball
    assert agree(ball, record["value"], 38)
    assert found.exists is (not float(found.sigma_b2) < 0)


@cache
def at_bias(act, bias):
    (found,) = initmath.edge_of_chaos(act, sigma_b2=bias, digits=20).points
    return found


QUICK = ("eoc.sin.", "eoc.erf.sb2=0.18")


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[] if name.startswith(QUICK) else pytest.mark.slow)
        for name in EDGE
        if AT_BIAS.match(name)
    ],
)
def test_the_edge_at_a_bias_variance(name):
    record, (kind, bias, which) = EDGE[name], AT_BIAS.match(name).groups()
    variance = Rational(bias) ** (2 if kind == "sb" else 1)
    found = at_bias(record["activation"], str(variance))
    ball = found.q.ball if which == "q" else root(found.sigma_w2)
    assert agree(ball, record["value"], 18)


def test_published_points_that_are_wrong():
    tanh_, elu, erf_ = (
        at_bias(act, bias) for act, bias in (("tanh", "1/25"), ("elu", "1/100"), ("erf", "9/50"))
    )
    # Hayou et al. 2019, code: (0.2, 1.3029) and (0.1, 1.1775), by Monte Carlo
    assert f"{float(tanh_.sigma_w2) ** 0.5:.4f}" == "1.3041"
    assert f"{float(elu.sigma_w2) ** 0.5:.4f}" == "1.1761"
    # neural-tangents' notebook: W_critical = 1.76 at b_var = 0.18 with erf
    assert f"{float(erf_.sigma_w2):.2f}" == "1.75"
    assert agree(erf_.sigma_w2.ball, EDGE["eoc.nt_disentangling"]["value"], 18)


def test_one_point_for_homogeneous_activations():
    relu = initmath.edge_of_chaos("relu")
    assert relu.curve.single_point and relu.curve.complete and relu.continuum
    assert agree(root(relu.sigma_w2), EDGE["eoc.relu.sigma_w"]["value"], 15)
    leaky = initmath.edge_of_chaos("leaky_relu", digits=30)
    assert agree(leaky.sigma_w2.ball, EDGE["eoc.leaky_relu.sw2"]["value"], 30)


def test_tanh_at_the_weight_variance_that_pennington_quotes():
    record = EDGE["eoc.tanh.sw2=1.05.sb2"]
    found = edge_at(resolve("tanh"), "0.0259209482113")
    assert abs(float(found.sigma_w2) - 1.05) < 1e-12
    assert abs(float(found.sigma_b2) / float(record["value"]) - 1) < 1e-9
    assert f"{float(found.sigma_b2):.2e}" == "2.01e-05"


def test_no_edge_for_softplus_and_the_reason():
    for act in ("softplus", "squareplus", "logsigmoid"):
        curve = edge_curve(resolve(act))
        assert curve.domain == () and curve.complete and "σ_b² < 0 at every q" in curve.reason
    answer = initmath.edge_of_chaos("softplus")
    assert answer.sigma_w2 is None and answer.fixed_points == () and "σ_b²" in answer.reason
    # the largest σ_b² on the table's grid of q = 2^k, -10 ≤ k ≤ 12
    values = [edge_at(resolve("softplus"), Rational(2) ** k).sigma_b2.ball for k in range(-10, 13, 2)]
    assert agree(max(values, key=float), EDGE["eoc.softplus.none"]["value"], 14)


def test_the_sigmoids_edge_begins_at_a_large_weight_variance():
    (part,) = edge_curve(resolve("sigmoid"), 30).domain
    assert part.low.value.startswith("45.6242777973797") and part.high.value == "inf"
    onset = edge_at(resolve("sigmoid"), None, 30, number=part.low, unbiased=True)
    assert agree(root(onset.sigma_w2), EDGE["eoc.sigmoid.onset.sigma_w"]["value"], 28)
    assert edge_at(resolve("sigmoid"), 45).exists is False and edge_at(resolve("sigmoid"), 46).exists is True


def test_exp_has_an_edge_that_is_unstable():
    curve = edge_curve(resolve("exp"))
    assert is_zero(curve.sigma_w2 - exp(-2 * Q)) and is_zero(curve.sigma_b2 - Q + 1)
    assert curve.domain[0].low.closed_form == 1
    assert edge_at(resolve("exp"), 1).sigma_b2.closed_form == S(EDGE["eoc.exp.sb2max"]["value"])
    assert edge_at(resolve("exp"), 3).chi_parallel.ball > 1


CLOSED = {
    "sin": (2 / (1 + exp(-2 * Q)), Q - tanh(Q)),
    "hardtanh": (1 / erf(1 / sqrt(2 * Q)), None),
    "square": (1 / (4 * Q), Q / 4),
}


@pytest.mark.parametrize("act", CLOSED)
def test_closed_forms_of_the_curve(act):
    curve = edge_curve(resolve(act))
    for found, known in zip((curve.sigma_w2, curve.sigma_b2), CLOSED[act], strict=True):
        for at in (Rational(1, 7), Rational(11, 5)):
            if known is not None:
                assert evaluate(found - known, {Q: at}, 200).contains(0)
                assert evaluate(found - known, {Q: at}, 200).rad() < 1e-40


@pytest.mark.parametrize("act", ["heaviside", "sign", "hardshrink"])
def test_a_jump_leaves_no_edge(act):
    curve = edge_curve(resolve(act))
    assert curve.domain == () and curve.complete and ("jumps" in curve.reason or "constant" in curve.reason)


def test_an_infinite_gradient_leaves_no_edge():
    assert edge_curve(resolve("sqrt(abs(x))")).complete and edge_curve(resolve("sqrt(abs(x))")).domain == ()


@pytest.mark.parametrize(
    "act", ["tanh", "gelu", "elu", "selu", "silu", "hardswish", "sigmoid", "softplus", "softsign"]
)
@pytest.mark.parametrize("balance", [BIAS, DOUBLY], ids=lambda b: b.name)
def test_the_ends_of_the_line_of_q_are_what_points_show(act, balance):
    """Both end bounds against the moments themselves, far inside and at the stated q."""
    activation = resolve(act)
    for found, factors in (
        (near_zero(activation, balance), (1, "1/10", "1/1000")),
        (near_infinity(activation, balance), (1, 10, 1000)),
    ):
        assert found is not None
        for factor in factors:
            at = Rational(float(found[0])) * Rational(factor)
            steep = moment(activation, "derivative_second_moment", at, 30).number.ball
            second = (
                moment(activation, "second_moment", at, 30).number.ball / arb(float(at))
                if balance is BIAS
                else slope(activation, "second_moment", at, 30).ball
            )
            value = steep - second if balance is BIAS else second - steep
            assert (value > 0) == (found[1] > 0) and not value.contains(0)


@pytest.mark.parametrize("act", ["gelu", "elu", "hardswish", "hardtanh", "softsign", "mish", "cubic"])
def test_one_integral_is_the_difference_of_moments(act):
    """P = m₂' − χ̂ and D' = χ̂ + q χ̂' − m₂', deltas at kinks included; m₂'' by a difference quotient."""
    activation = resolve(act)
    for at in (Rational(1, 5), Rational(3)):
        t = arb(int(at.p)) / int(at.q)
        second, bend = (
            slope(activation, n, at, 30).ball for n in ("second_moment", "derivative_second_moment")
        )
        steep = moment(activation, "derivative_second_moment", at, 30).number.ball
        assert agree(
            _functions(activation, DOUBLY, 20)[0](t, 20) + 1, (second - steep + 1).str(40, radius=False), 15
        )
        rate = steep + t * bend - second
        assert agree(_functions(activation, BIAS, 20)[1](t, 20) + 1, (rate + 1).str(40, radius=False), 15)
        h = Rational(1, 10**6)
        quotient = (
            slope(activation, "second_moment", at + h, 30).ball
            - slope(activation, "second_moment", at - h, 30).ball
        ) / (2 * float(h))
        assert abs(second_slope(activation, t, 20) - quotient) < 1e-8


def test_signs_flip_exactly_at_the_roots():
    found = signs(resolve("hermite2"), BIAS)
    assert (
        found.complete and [root.closed_form for root in found.roots] == [sqrt(2) - 1] and found.at == (-1, 1)
    )


def test_wrong_questions_are_refused_in_one_line():
    for arguments in ({"q": 1, "sigma_b2": 1}, {"q": 0}, {"q": "x"}, {"sigma_b2": -1}, {"q": 1, "digits": 0}):
        with pytest.raises(InputError) as caught:
            initmath.edge_of_chaos("tanh", **arguments)
        assert "\n" not in str(caught.value)


def test_the_answer_is_data():
    answer = initmath.edge_of_chaos("gelu", q="1/2")
    data = json.loads(answer.to_json())
    for key in ("sigma_w2", "sigma_b2", "fixed_points", "continuum", "universality_class", "reason"):
        assert key in data
    assert data["curve"]["domain"][0]["high"]["value"] == "inf"
    assert any(
        one["q_star"]["value"].startswith("0.5") and one["phase"] == "critical"
        for one in data["fixed_points"]
    )
    assert "Edge of chaos" in answer.to_markdown()
