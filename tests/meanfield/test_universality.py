"""Doubly critical points and universality classes: the table's ``pdlt.`` ids, mistakes, simulated flows."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from flint import arb, ctx
from sympy import Rational, S, pi, sqrt

import initmath
from initmath.activation import resolve
from initmath.errors import InputError
from initmath.meanfield.both_kept import both_kept
from initmath.meanfield.doubly_critical import doubly_critical
from initmath.meanfield.tradeoff import trade_off
from initmath.meanfield.universality import universality
from initmath.moments import moment
from initmath.quadrature import expectation

RECORDS = json.loads((Path(__file__).parent.parent / "data" / "reference.json").read_text())
PDLT = {r["id"]: r for r in RECORDS if r["id"].startswith("pdlt.")}
FIELD = {"Kstar": "q_star", "Cb": "sigma_b2", "CW": "sigma_w2", "V''(K*)": "curvature"}

PATIENCE = 60.0
"""Seconds: on a busy machine the default budget would leave proofs unfinished."""


def agree(ball, text, digits):
    before = ctx.prec
    ctx.prec = 300
    try:
        value = arb(text)
        return bool(abs(ball - value).upper() <= abs(value) * arb(10) ** -digits)
    finally:
        ctx.prec = before


@cache
def found(act):
    return doubly_critical(resolve(act), 36, PATIENCE)


@cache
def kind(act):
    return universality(resolve(act), timeout=PATIENCE)


def marked(act):
    return [pytest.mark.slow] if act in ("gelu_tanh", "mish", "quick_gelu") else []


POINTS = [
    pytest.param(r["id"], marks=marked(r["activation"])) for r in PDLT.values() if r["quantity"] in FIELD
]


@pytest.mark.parametrize("name", POINTS)
def test_half_stable_points_of_the_table(name):
    record = PDLT[name]
    answer = found(record["activation"])
    (point,) = answer.points
    assert answer.complete
    digits = 26 if record["quantity"] == "V''(K*)" else 34
    assert agree(getattr(point, FIELD[record["quantity"]]).ball, record["value"], digits)


def test_gelus_point_is_exact():
    (point,) = found("gelu").points
    assert point.q_star.closed_form == (3 + sqrt(17)) / 2
    assert point.stable_side == "above"


def test_the_published_bias_variance_of_silu_is_ten_times_too_small():
    (point,) = found("silu").points
    published = float(PDLT["pdlt.silu.Cb"]["published_value"])
    assert PDLT["pdlt.silu.Cb"]["disagreement"] == "error"
    assert abs(float(point.sigma_b2) / published - 10) < 1e-6
    # With the published value the length does not stay at 14.32: it flows to 0.1201.
    q = flow("silu", float(point.sigma_w2), published, 14.32017362, 400)
    assert abs(q[-1] - 0.1201) < 1e-4


def flow(act, sigma_w2, sigma_b2, start, layers):
    g = resolve(act).numpy()
    nodes, weights = np.polynomial.hermite_e.hermegauss(160)
    weights = weights / weights.sum()
    q = [start]
    for _ in range(layers):
        q.append(sigma_w2 * float(weights @ g(np.sqrt(q[-1]) * nodes) ** 2) + sigma_b2)
    return np.array(q)


def test_telu_has_no_half_stable_point_where_the_table_looked():
    answer = doubly_critical(resolve("telu"), timeout=1.5)
    assert answer.points == () and PDLT["pdlt.telu.none"]["value"] == "none"


@pytest.mark.parametrize(("act", "side"), [("gelu", "above"), ("silu", "below")])
def test_near_a_half_stable_point_the_length_moves_one_way(act, side):
    """V(q) − q = ½ V'' (q − q*)² on both sides, by the moments themselves."""
    (point,) = found(act).points
    assert point.stable_side == side
    step = arb("0.01")
    moved = []
    for sign in (1, -1):
        at = Rational(str((point.q_star.ball + sign * step).mid().str(30, radius=False)))
        second = moment(resolve(act), "second_moment", at, 30).number.ball
        moved.append(point.sigma_w2.ball * second + point.sigma_b2.ball - arb(int(at.p)) / int(at.q))
    assert all((move > 0) == (side == "below") for move in moved)
    assert abs((moved[0] + moved[1]) / (step * step) / point.curvature.ball - 1) < 1e-3


def test_gelus_length_goes_to_its_point_from_above_at_the_predicted_rate():
    (point,) = found("gelu").points
    star, step = float(point.q_star), 0.02
    w, b = float(point.sigma_w2), float(point.sigma_b2)
    inward, outward = flow("gelu", w, b, star + step, 2000), flow("gelu", w, b, star - step, 2000)
    assert 0 < inward[-1] - star < step < star - outward[-1]
    slope = (1 / (inward[-1] - star) - 1 / step) / 2000  # 1/δ grows by |V''|/2 a layer
    assert abs(slope / (abs(float(point.curvature)) / 2) - 1) < 0.05


@pytest.mark.parametrize("act", ["tanh", "sin", "arctan", "erf"])
def test_a1_of_the_table(act):
    answer = kind(act)
    assert answer.name == "K*=0" and answer.proven
    assert answer.a1.closed_form == S(PDLT[f"pdlt.{act}.a1"]["value"])


def test_tanh_decays_like_its_a1_says():
    # q_l · l → −1/a₁ = 1/2, with a correction of order log(l)/l
    q = flow("tanh", 1.0, 0.0, 0.5, 4000)
    assert kind("tanh").decay == "q ~ 1/(2 l)"
    assert abs(q[-1] * 4000 - 0.5) < 0.003


def test_elu_decays_faster_because_its_curvature_jumps():
    answer = kind("elu")
    point = answer.principal
    assert (answer.name, point.exponent, point.sigma_w2.closed_form) == ("K*=0", Rational(1, 2), 1)
    assert point.coefficient.closed_form == -sqrt(2) / sqrt(pi)
    # m₂(q)/q − 1 → a √q
    small = Rational(1, 10**8)
    ratio = moment(resolve("elu"), "second_moment", small, 20).number.ball / arb("1e-8") - 1
    assert abs(float(ratio) * 1e4 + (2 / np.pi) ** 0.5) < 1e-3


def test_hardtanh_moves_slower_than_any_power():
    point = kind("hardtanh").principal
    assert (point.kind, point.exponent, point.stability, point.decay) == (
        "K*=0",
        None,
        "stable",
        "q ~ 1/(2·log(l))",
    )


@pytest.mark.parametrize("act", ["relu", "leaky_relu", "abs", "identity"])
def test_scale_invariant(act):
    answer = kind(act)
    assert answer.name == "scale_invariant" and answer.proven and answer.q_star is None


@pytest.mark.parametrize(("act", "known"), [("relu", "pdlt.relu.AA"), ("identity", "pdlt.linear.AA")])
def test_four_point_vertex_of_the_scale_invariant_class(act, known):
    g = resolve(act).numpy()
    fourth, second = (expectation(lambda y, k=k: g(y) ** k, 1.0, (0.0,)).value for k in (4, 2))
    assert abs(float(fourth) / float(second) ** 2 - 1 - float(PDLT[known]["value"])) < 1e-12


@pytest.mark.parametrize(
    "act", ["sigmoid", "softplus", "exp", "square", "heaviside", "sqrt(abs(x))", "gaussian"]
)
def test_no_criticality(act):
    answer = kind(act)
    assert answer.name == "none" and answer.proven and answer.points == () and answer.reason


@pytest.mark.parametrize("act", ["sinh(x)", "x + x**3", "shifted_softplus"])
def test_only_an_unstable_point(act):
    answer = kind(act)
    assert answer.name == "K*=0 unstable" and answer.a1.ball > 0 and answer.decay is None


def test_a_mixture_lists_all_of_its_points():
    answer = kind("gelu")
    assert [point.kind for point in answer.points] == ["half_stable", "K*=0 unstable"]
    assert answer.a1.closed_form == 6 / pi


def test_eswish_is_silu_with_another_weight_variance():
    """β·silu: q* and σ_b² stay, σ_w² is divided by β²; silu(βx)/β: q* and σ_b² divided by β², σ_w² stays."""
    (one,) = found("silu").points
    (two,) = doubly_critical(resolve("3*silu(x)")).points
    (three,) = found("quick_gelu").points
    assert abs(float(two.sigma_w2) * 9 / float(one.sigma_w2) - 1) < 1e-13
    assert abs(float(three.q_star) * 1.702**2 / float(one.q_star) - 1) < 1e-13
    assert abs(float(three.sigma_w2) / float(one.sigma_w2) - 1) < 1e-13


def test_an_untraced_function_is_undecided():
    answer = universality(resolve(lambda y: np.where(np.floor(y) % 2 == 0, y, -y)))
    assert answer.name == "undecided" and not answer.proven


# ------------------------------------------------------------------------------------------ choosing q


def test_where_a_gaussian_network_keeps_both():
    answer = both_kept(resolve("exp(-x**2/2)"))
    (point,) = answer.points
    assert point.q.closed_form == 1 + sqrt(2) and answer.complete
    curves = trade_off(resolve("exp(-x**2/2)"), [1.0, 1 + 2**0.5, 5.0])
    assert curves.chi_1[0] < 1 < curves.chi_1[2] and abs(curves.chi_1[1] - 1) < 1e-12
    assert abs(curves.forward[1] - float(point.sigma_w2) ** 0.5) < 1e-12


def test_none_keeps_both_for_tanh_and_every_q_for_relu():
    tanh = both_kept(resolve("tanh"))
    assert tanh.points == () and tanh.complete and tanh.nearest.at_end and tanh.nearest.log_ratio > 0
    assert both_kept(resolve("relu")).continuum


def test_trade_off_is_the_exact_moments():
    curves = trade_off(resolve("gelu"), np.geomspace(0.01, 100, 60))
    for k in (0, 25, 59):
        at = Rational(float(curves.q[k]))
        second, steep = (
            float(moment(resolve("gelu"), name, at).number)
            for name in ("second_moment", "derivative_second_moment")
        )
        assert abs(curves.forward[k] ** 2 * second / curves.q[k] - 1) < 1e-11
        assert abs(curves.backward[k] ** 2 * steep - 1) < 1e-11


def test_the_public_trade_off_is_the_certified_point_and_the_curves():
    answer = initmath.trade_off("exp(-x**2/2)", q=[1, "5/2"])
    (point,) = answer.both_kept
    assert point.q.closed_form == 1 + sqrt(2) and answer.complete and answer.nearest is None
    # E g² = (1 + 2q)^{-1/2}, E g'² = q (1 + 2q)^{-3/2}
    for at, chi_1 in zip((1, 2.5), answer.chi_1, strict=True):
        assert abs(chi_1 - at**2 / (1 + 2 * at)) < 1e-12
    assert json.loads(answer.to_json())["both_kept"][0]["q"]["closed_form"] == "1 + sqrt(2)"
    assert initmath.edge_of_chaos("exp(-x**2/2)").both_kept == answer.both_kept
    assert initmath.trade_off("relu").continuum and "every q" in initmath.trade_off("relu").to_text()


@pytest.mark.parametrize("q", [0, -1, "x", [], [1, 0], {}])
def test_trade_off_refuses_in_one_line(q):
    with pytest.raises(InputError) as caught:
        initmath.trade_off("tanh", q=q)
    assert "\n" not in str(caught.value)


def test_the_gain_that_sigmoid_networks_keep_both_with():
    """The end of the edge: no biases, q χ̂ = m₂, both from the table's onset."""
    (point,) = initmath.edge_of_chaos("sigmoid").both_kept
    assert point.q.value.startswith("45.6242777973797") and point.sigma_b2.ball.is_zero()
