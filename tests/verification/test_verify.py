"""``verify``: verdicts, their rates, Kumar's claims, the JSON and the picture."""

from __future__ import annotations

import json
from dataclasses import replace
from math import comb
from pathlib import Path

import numpy as np
import pytest
from flint import arb
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import initmath
from initmath import verify
from initmath.answers.verification import verified
from initmath.errors import InputError
from tests.strategies import expressions

REFERENCE = {
    r["id"]: r for r in json.loads((Path(__file__).parent.parent / "data" / "reference.json").read_text())
}


def slow(*values):
    return pytest.param(*values, marks=pytest.mark.slow)


def checks(result, quantity):
    return {c.layer: c for c in result.checks if c.quantity == quantity}


def test_confirmed_refuted_unknown():
    assert verify("tanh", width=512, depth=10).verdict.value == "confirmed"
    assert verify("tanh", width=512, depth=10, simulated_sigma_w2="2.6").verdict.value == "refuted"
    unknown = verify("tanh", width=64, depth=3, networks=10)
    assert (
        unknown.verdict.value == "unknown" and "networks would do" in unknown.reason and unknown.power < 0.9
    )


@pytest.mark.parametrize("act", [slow("relu"), slow("gelu"), slow("sigmoid")])
def test_one_percent_wrong_is_refuted_at_the_default_settings(act):
    right = verify(act, width=1024, depth=30, seed=7)
    assert right.verdict.value == "confirmed" and right.power > 0.99
    wrong = verify(act, width=1024, depth=30, seed=7, simulated_sigma_w2=repr(right.sigma_w2 * 0.99))
    assert wrong.verdict.value == "refuted"


def derived_wrong(act, criterion, factor, **fans):
    """Derive, with σ_w² off by a factor, and with the σ_b² that still keeps q where the criterion has one."""
    derivation = initmath.derive(act, criterion=criterion, **fans)
    answer = derivation.criteria[criterion]
    solution = answer.solutions[0]
    q, right, bias = (float(solution.q), float(solution.sigma_w2), float(solution.sigma_b2))
    wrong = replace(solution.sigma_w2, ball=arb(factor * right), closed_form=None)
    kept = replace(solution.sigma_b2, ball=arb(q - factor * (q - bias)), closed_form=None)
    solution = replace(
        solution, sigma_w2=wrong, sigma_b2=kept if criterion == "critical" else solution.sigma_b2
    )
    other = {**derivation.criteria, criterion: replace(answer, solutions=(solution,))}
    return verified(replace(derivation, criteria=other), act)


@pytest.mark.parametrize(
    ("act", "factor"),
    [("relu", 1.01), slow("relu", 1.05), slow("gelu", 1.1), slow("elu", 1.02), slow("gelu", 1.35)],
)
def test_a_gain_that_was_derived_wrong_is_refuted(act, factor):
    """Nothing is planted in the simulation: σ_w² is simulated as derived, and does not keep q."""
    found = derived_wrong(act, "second_moment", factor)
    assert found.verification.sigma_w2 == found.verification.simulated_sigma_w2
    assert found.verdict.value == "refuted" and "second moment" in found.verification.reason
    assert any("needs E g² =" in note for note in found.verification.notes)


def test_what_quadrature_contradicts_is_not_confirmed_where_the_networks_cannot_tell():
    found = derived_wrong("relu", "second_moment", 1 + 1e-6)
    assert found.verdict.value == "unknown" and "quadrature" in found.verification.reason
    assert found.verification.power > 0.9 and found.verification.power_of_moment > 0.9


FANS = {"fan_in": 100, "fan_out": 200}


@pytest.mark.parametrize(
    ("act", "criterion", "factor", "fans"),
    [
        ("tanh", "critical", 1.01, {}),
        ("relu", "backward", 0.98, FANS),
        slow("gelu", "average", 1.02, FANS),
        slow("gelu", "critical", 0.98, {}),
        slow("sigmoid", "backward", 1.02, {}),
        slow("tanh", "average", 0.98, {}),
    ],
)
def test_a_slope_that_was_derived_wrong_is_refuted(act, criterion, factor, fans):
    """σ_w² E g'² = 1, or what the criterion has in its place, fails; of `critical` nothing else does."""
    found = derived_wrong(act, criterion, factor, **fans)
    assert found.verdict.value == "refuted" and "E g'²" in found.verification.reason
    (note,) = [note for note in found.verification.notes if note.startswith("not solved: ")]
    assert "needs E g'² =" in note
    right = derived_wrong(act, criterion, 1.0, **fans)
    assert right.verdict.value == "confirmed" and right.verification.power_of_derivative > 0.9
    assert not any(note.startswith("not solved: ") for note in right.verification.notes)


@pytest.mark.slow
def test_a_claim_about_the_slope_is_not_confirmed_without_power_against_it():
    """At q = 10⁴ the networks show tanh's E g², but g'² is not 0 in one neuron of a hundred."""
    size = {"q": "10000", "width": 512, "depth": 1, "networks": 1000}
    slope, length = (verify("tanh", criterion=name, **size) for name in ("backward", "second_moment"))
    assert length.verdict.value == "confirmed" and length.power_of_derivative is None
    assert slope.verdict.value == "unknown" and "E g'² that is 1 % wrong" in slope.reason
    assert slope.power_of_derivative < 0.5 and slope.power_of_moment > 0.9 and slope.power > 0.9


def test_confirmed_of_a_q_that_repels_says_so():
    """GELU on its edge: χ_∥ > 1."""
    found = verify("gelu", criterion="critical")
    assert found.verdict.value == "confirmed"
    (note,) = [note for note in found.notes if "itself is unstable" in note]
    assert note.startswith("the map is confirmed; ") and "χ_∥ = 1.067" in note
    again = verify("gelu", criterion="critical", simulated_sigma_w2="2.1", depth=10)
    assert again.verdict.value == "refuted" and not any("unstable" in note for note in again.notes)


def test_kumars_figure_4():
    found = verify("relu", sigma_w2=1, width=500, depth=10, networks=200)
    assert found.verdict.value == "confirmed"
    mean, variance = checks(found, "mean"), checks(found, "variance")
    for layer in range(1, 11):
        limit = float(REFERENCE[f"kumar.fig4.mean.{layer}"]["value"])
        spread = float(REFERENCE[f"kumar.fig4.std.{layer}"]["value"]) ** 2
        assert mean[layer].simulated == pytest.approx(limit, rel=0.04)
        assert variance[layer].simulated == pytest.approx(spread, rel=0.06)
        assert abs(mean[layer].z) < 4.5 and abs(variance[layer].z) < 4.5


@pytest.mark.parametrize(("act", "depth"), [("tanh", 3), slow("tanh", 10), slow("sigmoid", 10)])
def test_tanh_and_sigmoid_follow_the_exact_map_and_not_taylor(act, depth):
    """Kumar 2017, eq. (12): variance 1 at every layer is what the tangent does, not the network."""
    exact = verify(act, criterion="taylor", depth=10)
    claim = verify(act, criterion="taylor", depth=depth, claim="criterion")
    assert exact.verdict.value == "confirmed" and claim.verdict.value == "refuted"
    # (1/N) Σ (x − x̄)² falls short of Var x by 1/N
    assert checks(claim, "variance")[1].predicted == pytest.approx(1 - 1 / 512, abs=1e-7)


@pytest.mark.slow
def test_tanh_and_sigmoid_trajectories_of_taylors_gain():
    found = checks(verify("tanh", criterion="taylor", width=2048, depth=10), "variance")
    for layer in range(1, 11):
        assert found[layer].simulated == pytest.approx(
            float(REFERENCE[f"kumar.tanh.v2=1/N.var.{layer}"]["value"]), rel=0.02
        )
    at_rest = checks(verify("sigmoid", criterion="taylor", width=2048, depth=10), "variance")[10]
    assert at_rest.simulated == pytest.approx(0.104295007389813, rel=0.01)


def test_sigmoid_trajectory_of_the_exact_recursion():
    """N·v² = 12.8, inputs with second moment 1, so q = 12.8 in layer 1."""
    run = verify("sigmoid", sigma_w2="12.8", q="12.8", width=2048, depth=5, correlation=0)
    found = checks(run, "variance")
    assert run.verdict.value == "confirmed"
    for layer in range(1, 6):
        exact = float(REFERENCE[f"kumar.sigmoid.Nv2=12.8.traj.{layer}"]["value"])
        assert found[layer].simulated == pytest.approx(exact, rel=0.01) and abs(found[layer].z) < 4.5


def test_numpy_integers_count_and_booleans_do_not():
    options = {"width": 16, "depth": 2, "networks": 4, "seed": 3}
    numpy_options = {name: np.int32(value) for name, value in options.items()}
    assert verify("relu", **numpy_options).to_json() == verify("relu", **options).to_json()
    for name in options:
        with pytest.raises(InputError, match=name):
            verify("relu", **options | {name: True})
    assert (
        initmath.compare("relu", digits=np.int64(5)).to_json() == initmath.compare("relu", digits=5).to_json()
    )
    with pytest.raises(InputError, match="digits"):
        initmath.compare("relu", digits=True)


@pytest.mark.parametrize("criterion", [slow("second_moment"), slow("variance"), "unit_variance"])
def test_what_a_criterion_says_stays_the_same(criterion):
    own = verify("selu", criterion=criterion, claim="criterion", depth=3, width=256, networks=40)
    assert own.verdict.value != "refuted"
    other = verify(
        "selu", criterion=criterion, claim="criterion", depth=5, width=256, networks=60, sigma_w2="1.2"
    )
    assert other.verdict.value == "refuted"


@pytest.mark.parametrize("networks", [30, slow(100)])
def test_log_normal_networks_are_no_false_alarm(networks):
    found = verify("relu", width=64, depth=100, networks=networks, seed=3)
    assert found.verdict.value != "refuted"
    q = checks(found, "q")
    assert q[100].z is None and q[2].z is not None
    assert any("cannot be estimated" in note for note in found.notes)
    assert found.depth_to_width == pytest.approx(100 / 64)


def test_json():
    data = json.loads(verify("sign", width=64, depth=3, networks=10).to_json())
    assert {"verdict", "checks", "power"} <= set(data)
    assert set(data["checks"][0]) >= {"layer", "quantity", "predicted", "simulated", "standard_error", "z"}
    assert data["verdict"] in ("confirmed", "refuted", "unknown") and "series" not in data


def test_the_same_seed_gives_the_same_answer():
    first, again = (verify("elu", width=64, depth=3, networks=10, seed=5).to_json() for _ in range(2))
    assert first == again
    assert first != verify("elu", width=64, depth=3, networks=10, seed=6).to_json()


@pytest.mark.parametrize(
    ("act", "options", "words"),
    [
        ("relu", {"width": 0}, "width"),
        ("relu", {"depth": -1}, "depth"),
        ("relu", {"networks": 0}, "networks"),
        ("relu", {"weights": "cauchy"}, "weights"),
        ("relu", {"claim": "best"}, "claim"),
        ("relu", {"criterion": "best"}, "criterion"),
        ("relu", {"criterion": "backward", "claim": "criterion"}, "does not say"),
        ("tanh", {"criterion": "variance"}, "no solution"),
        ("relu", {"criterion": "taylor"}, "kink"),
        ("relu", {"correlation": "2"}, "correlation"),
        ("relu", {"q": "1/2", "bias_variance": "1"}, "bias"),
        ("exp", {"depth": 60, "width": 64, "networks": 2}, "overflow"),
        ("leaky_relu", {"params": {"a": "symbol"}}, "numbers"),
    ],
)
def test_wrong_input_is_one_line(act, options, words):
    with pytest.raises(InputError, match=words) as error:
        verify(act, **options)
    assert "\n" not in str(error.value)


def any_statement(examples):
    def decorate(test):
        drawn = given(
            act=expressions,
            q=st.sampled_from(["1/4", "1/2", "1"]),
            bias=st.sampled_from(["0", "0.1"]),
            width=st.sampled_from([64, 128]),
            depth=st.integers(1, 6),
            weights=st.sampled_from(["gaussian", "gaussian", "uniform", "truncated_normal", "orthogonal"]),
        )(test)
        return settings(
            max_examples=examples, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
        )(drawn)

    return decorate


@any_statement(2)
def test_a_true_claim_stands_and_its_wrong_twin_falls(**drawn):
    true_and_twin(**drawn)


@pytest.mark.slow
@any_statement(12)
def test_more_true_claims_stand_and_their_wrong_twins_fall(**drawn):
    true_and_twin(**drawn)


def true_and_twin(act, q, bias, width, depth, weights):
    """Any activation of the grammar: refuted by chance only; its twin, where the test has any power."""
    setting = {
        "q": q,
        "bias_variance": bias,
        "width": width,
        "depth": depth,
        "networks": 40,
        "weights": weights,
    }
    try:
        # p < 1e-5 in one of twelve: one chance in ten thousand
        true = verify(act, level=1e-5, **setting)
        twin = verify(act, simulated_sigma_w2=repr(true.sigma_w2 * 1.5), level=1e-5, **setting)
    except InputError:
        return  # constant, without E g² at this q, or overflowing: said in one line
    assert true.verdict.value != "refuted", true.reason
    if true.power > 0.1:  # against 1 %; against 50 % it is certain
        assert twin.verdict.value == "refuted"


@pytest.mark.slow
def test_the_rate_of_false_alarms():
    from benchmarks.verification import statement

    found = [statement(number) for number in range(2000, 2120)]
    judged = [row for row in found if row["p"] is not None]
    refuted = sum(row["verdict"] == "refuted" for row in judged)
    # at a true rate of 1 %, this many or more once in ten thousand runs
    n, limit = len(judged), 0
    while sum(comb(n, k) * 0.01**k * 0.99 ** (n - k) for k in range(limit)) < 1 - 1e-4:
        limit += 1
    assert n > 100 and refuted < limit
    assert np.mean([row["p"] < 0.5 for row in judged]) == pytest.approx(0.5, abs=0.2)


@pytest.mark.parametrize(
    "options", [{"correlation": 1}, {"correlation": -1}, {"width": 1}, {"networks": 1}, {"depth": 1}]
)
def test_edges(options):
    found = verify("relu", **{"width": 32, "depth": 3, "networks": 4} | options)
    assert found.verdict.value != "refuted" and found.to_text() and found.to_latex()


def test_public():
    assert initmath.verify is verify


@pytest.mark.parametrize("ending", [slow(".png"), ".svg", slow(".pdf")])
def test_picture(tmp_path, ending):
    found = verify("relu", width=64, depth=12, networks=20)
    path = tmp_path / f"relu{ending}"
    figure = found.plot(path)
    first = path.read_bytes()
    found.plot(path)
    assert len(first) > 5000 and path.read_bytes() == first
    titles = [axis.get_title(loc="left") for axis in figure.axes]
    assert len([title for title in titles if title]) == 6
    with pytest.raises(InputError, match="ends in"):
        found.plot(tmp_path / "relu.bmp")


@pytest.mark.parametrize(
    ("low", "high", "labels"),
    [
        (0.03, 8, ["0.05", "0.1", "0.2", "0.5", "1", "2", "5"]),
        (0.007, 15, ["0.01", "0.1", "1", "10"]),
        (9e-10, 6e-9, ["1·10⁻⁹", "2·10⁻⁹", "5·10⁻⁹"]),
        (1e-15, 4, ["10⁻¹⁵", "10⁻¹²", "10⁻⁹", "10⁻⁶", "10⁻³", "10⁰"]),
    ],
)
def test_logarithmic_axes_are_labelled_evenly(low, high, labels):
    from initmath.plots.decades import EvenDecades, Powers

    assert Powers().format_ticks(EvenDecades().tick_values(low, high)) == labels
