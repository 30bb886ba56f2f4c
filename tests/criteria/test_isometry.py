"""Isometry: every q(L) with a chosen spread, against the table, closed forms and the spectral law."""

from __future__ import annotations

import json
from math import log, sqrt
from pathlib import Path

import numpy as np
import pytest
from flint import arb
from sympy import Rational

from initmath import InputError, derive
from initmath.activation import resolve
from initmath.balls import working_precision
from initmath.criteria import solve, solve_all
from initmath.solving.spread import SlopeSpread
from initmath.spectra import spectral_law

RECORDS = json.loads((Path(__file__).parent.parent / "data" / "reference.json").read_text())
RATIOS = [r for r in RECORDS if r["id"].startswith("iso.ratio.")]
PARAMS = {r["id"]: r["params"].removeprefix("q*=") for r in RATIOS}


def isometry(act, depth=1, **conditions):
    return solve("isometry", resolve(act), depth=depth, **conditions)


def only(act, depth=1, **conditions):
    result = isometry(act, depth, **conditions)
    (solution,) = result.solutions
    return solution


# -- the function whose roots are looked for


def test_the_table_has_what_is_tested():
    assert len(RATIOS) > 45


@pytest.mark.parametrize("record", RATIOS, ids=lambda r: r["id"])
def test_relative_variance_of_the_slope(record):
    with working_precision(200):
        q = arb(1) * int(Rational(PARAMS[record["id"]]).p) / int(Rational(PARAMS[record["id"]]).q)
        ball = SlopeSpread(resolve(record["activation"])).value(q, 25)
        assert abs(ball - arb(record["value"])) < 1e-22


@pytest.mark.parametrize(
    "act", ["tanh", "hardtanh", "selu", "softsign", "gelu", "x*exp(-x**2/2)", "leaky_relu"]
)
@pytest.mark.parametrize("ends", [("0.001", "0.0011"), ("0.3", "0.34"), ("2", "2.2")])
def test_the_slope_encloses_every_difference_quotient(act, ends):
    # the mean value theorem: kinks and jumps of g'² included
    spread = SlopeSpread(resolve(act))
    with working_precision(120):
        low, high = arb(ends[0]), arb(ends[1])
        quotient = (spread.value(high, 20) - spread.value(low, 20)) / (high - low)
        assert spread.slope(low.union(high), 6).overlaps(quotient)
        # at a point it is the derivative, to many digits
        step = low * arb("1e-8")
        narrow = (spread.value(low + step, 30) - spread.value(low - step, 30)) / (2 * step)
        exact = spread.slope(low, 20)
        assert abs(exact - narrow) < 1e-6 * (1 + abs(exact))
        assert exact.rad() < 1e-12 * (1 + abs(exact))


@pytest.mark.parametrize("act", ["tanh", "gelu", "softsign", "hardtanh", "arctan"])
@pytest.mark.parametrize("target", [Rational(1, 4), Rational(1, 256)])
def test_nothing_is_beyond_the_proven_ends(act, target):
    spread = SlopeSpread(resolve(act))
    low, high = spread.below(target), spread.beyond(target)
    assert low is not None and high is not None
    with working_precision(80):
        goal = arb(1) * int(target.p) / int(target.q)
        sides = []
        for q in (low / 1000, low, high, high * 100):
            difference = spread.value(q.mid(), 6) - goal
            assert difference > 0 or difference < 0
            sides.append(bool(difference > 0))
        assert sides[0] == sides[1] and sides[2] == sides[3]


# -- solutions


QUICK = ("tanh", "hardtanh")
ONE_ROOT = [
    pytest.param(r, marks=() if r["activation"] in QUICK else pytest.mark.slow, id=r["id"])
    for r in RATIOS
    if r["activation"] in (*QUICK, "erf", "arctan", "elu")
]


@pytest.mark.parametrize("record", ONE_ROOT)
def test_the_q_of_the_table_is_found(record):
    asked = Rational(record["value"])
    result = isometry(record["activation"], 1, spread=asked)
    assert result.complete, result.reason
    q = float(Rational(PARAMS[record["id"]]))
    assert len(result.solutions) == 1
    assert float(result.solutions[0].q) == pytest.approx(q, rel=1e-13)


@pytest.mark.parametrize("depth", [1, 64, 10**6])
def test_erf_has_a_formula(depth):
    # g' = 2/√π e^{-x²}: μ₂/μ₁² = (1 + 4q)/√(1 + 8q)
    t = 1 + 0.25 / depth
    s = t * sqrt(t * t - 1) + t * t - 1  # 4q from (1 + 4q)² = t²(1 + 8q)
    solution = only("erf", depth)
    assert float(solution.q) == pytest.approx(s / 4, rel=1e-7 if depth > 1000 else 1e-12)
    assert float(solution.sigma_w2) == pytest.approx(np.pi / 4 * sqrt(1 + 4 * s / 4), rel=1e-9)


def test_hardtanh_is_a_quantile():
    # g'² is 0 or 1: 1/p − 1 = spread/L, p = P(|y| < 1)
    from scipy.special import erfinv

    solution = only("hardtanh", 64)
    assert float(solution.q) == pytest.approx(1 / (2 * erfinv(1 / (1 + 0.25 / 64)) ** 2), rel=1e-10)
    assert float(solution.sigma_w2) == pytest.approx(1 + 0.25 / 64, rel=1e-14)


@pytest.mark.slow
def test_tanh_at_great_depth_goes_like_one_over_root_depth():
    # Var sech⁴ ≈ 8q²
    q = [float(only("tanh", depth).q) for depth in (10**4, 10**6)]
    assert q[0] / q[1] == pytest.approx(10, rel=0.03)
    assert q[1] == pytest.approx(sqrt(0.25e-6 / 8), rel=1e-3)


@pytest.mark.parametrize(("act", "depth"), [("tanh", 64), ("hardtanh", 10), ("elu", 20)])
def test_the_spectral_law_has_the_spread(act, depth):
    solution = only(act, depth)
    law = spectral_law(act, depth, "orthogonal", float(solution.q))
    assert law.sigma2_jjt == pytest.approx(0.25, rel=1e-9)
    assert law.sigma_w2 == pytest.approx(float(solution.sigma_w2), rel=1e-12)
    assert law.moment(1) == pytest.approx(1, rel=1e-12)
    assert law.moment(2) == pytest.approx(1.25, rel=1e-9)


def test_each_solution_is_on_the_edge_of_chaos():
    solution = only("tanh", 64)
    (edge,) = solve("critical", resolve("tanh"), q=solution.q.value).solutions
    assert float(solution.sigma_b2) == pytest.approx(float(edge.sigma_b2), rel=1e-9)
    assert float(solution.chi_1) == pytest.approx(1, abs=1e-14)
    assert solution.stability == "stable"
    assert 0 < float(solution.chi_parallel) < 1


@pytest.mark.slow
def test_several_solutions_and_an_unstable_one():
    # GELU: μ₂/μ₁² − 1 rises above 1 and comes back to it
    result = isometry("gelu", 1, spread="1.06")
    # Beyond q = 1e10 the search may end without a proof; then it says so.
    assert result.complete or "not proven" in result.reason
    spread = SlopeSpread(resolve("gelu"))
    found = [float(s.q) for s in result.solutions]
    assert len(found) == 2 and found[0] < 1 < found[1]
    for solution in result.solutions:
        assert spread.value(solution.q.ball, 15).overlaps(arb("1.06") + arb(0, 1e-12))
    assert only("gelu", 64).stability == "unstable"


# -- none, every q, not decided


def test_relu_is_impossible_at_every_q():
    result = isometry("relu", 8)
    assert not result.solutions and result.complete
    assert "impossible" in result.reason and "L = 8 whatever q" in result.reason
    assert result.attainable[0].closed_form == 8


def test_leaky_relu_is_the_square_of_its_contrast():
    result = solve("isometry", resolve("leaky_relu", {"a": "1/2"}), depth=10)
    assert result.attainable[0].closed_form == 10 * Rational(9, 25)
    assert isometry("relu", 8, spread=8).continuum.startswith("every q has spread 8")


def test_a_symbolic_slope_is_not_denied():
    result = solve("isometry", resolve("leaky_relu", {"a": "symbol"}), depth=10)
    assert not result.solutions and not result.complete


@pytest.mark.parametrize("act", ["x", "abs(x)", "3*x"])
def test_slopes_of_one_size_are_exact_isometries(act):
    result = isometry(act, 1000)
    assert "exact isometry" in result.continuum
    (solution,) = result.solutions
    assert float(solution.sigma_w2) == (1 if act != "3*x" else pytest.approx(1 / 9))


def test_biases_cannot_be_negative():
    result = isometry("exp", 64)
    assert not result.solutions and result.complete
    assert f"q = {log(1 + 0.25 / 64) / 4:.10f}"[:14] in result.reason
    assert "σ_b² = -0.99" in result.reason


def test_a_kink_at_zero_leaves_spread():
    result = isometry("selu", 64)
    assert not result.solutions and result.complete
    assert "kink at 0" in result.reason


def test_slopes_that_vanish_near_zero_have_a_proven_lower_end():
    # hard shrinkage: g'² is 0 or 1 with P(|y| > 1/2), so 1/p − 1 = spread
    from scipy.special import erfcinv

    low = SlopeSpread(resolve("hardshrink")).below(Rational(1))
    q = 1 / (8 * erfcinv(0.5) ** 2)
    assert low is not None and 0 < float(low) < q


def test_no_gradient():
    assert "no gradient" in isometry("sign", 3).reason


@pytest.mark.slow
def test_what_was_not_proven_is_said():
    assert SlopeSpread(resolve("x + x**3")).beyond(Rational(1, 256)) is None
    result = isometry("x + x**3", 64)
    assert len(result.solutions) == 1
    assert not result.complete and "not proven" in result.reason and "beyond" in result.reason


def test_an_untraced_function_is_not_denied():
    def strange(values):
        return np.where(np.asarray(values) > 0, np.sqrt(np.abs(values)), 0.1 * np.asarray(values))

    result = solve("isometry", resolve(strange), depth=4)
    assert not result.solutions


# -- the question


def test_without_a_depth_it_is_left_out():
    assert "isometry" not in solve_all(resolve("relu"))
    assert "isometry" in solve_all(resolve("relu"), depth=5)
    assert "over-determined" in solve_all(resolve("relu"), depth=5, sigma_b2=0)["isometry"].reason


@pytest.mark.parametrize(
    ("conditions", "says"),
    [
        ({}, "depth"),
        ({"depth": 0}, "1 to"),
        ({"depth": True}, "integer"),
        ({"depth": 2.5}, "integer"),
        ({"depth": 10**7}, "1 to"),
        ({"depth": 4, "spread": 0}, "positive"),
        ({"depth": 4, "spread": -1}, "negative"),
        ({"depth": 4, "spread": "many"}, "number"),
        ({"spread": 1}, "depth"),
        ({"depth": 4, "sigma_b2": 1}, "over-determined"),
    ],
)
def test_wrong_questions(conditions, says):
    with pytest.raises(InputError, match=says) as caught:
        solve("isometry", resolve("tanh"), **conditions)
    assert "\n" not in str(caught.value)


def test_derive_shows_it():
    answer = derive("hardtanh", "isometry", depth=10, spread=1)
    assert answer.gain == pytest.approx(sqrt(1.1), rel=1e-14)
    assert {step.rule for step in answer.steps if step.of == "isometry"} == {"critical", "spread"}
    data = json.loads(derive("relu", depth=8).to_json())
    assert list(data["criteria"])[-1] == "isometry"
    assert data["criteria"]["isometry"]["solutions"] == []
    assert "impossible" in data["criteria"]["isometry"]["reason"]
    assert "isometry" in derive("relu", depth=8).to_text()
