"""Every Saxe number of the reference, to all its digits; closed forms against integration."""

import json
import math
import re
from pathlib import Path

import pytest
from flint import acb, arb
from scipy.integrate import solve_ivp

from initmath.balls import to_arb, working_precision
from initmath.dynamics import learning_time_limit, mode_strength, time_to_learn, unequal_strength
from initmath.dynamics.inputs import rational
from initmath.errors import InputError

REFERENCE = [
    entry
    for entry in json.loads((Path(__file__).parents[1] / "data" / "reference.json").read_text())
    if entry["id"].startswith("saxe.")
]


def test_the_reference_has_all_kinds():
    kinds = {entry["id"].split(".")[1] for entry in REFERENCE}
    assert kinds == {"u", "t", "unequal", "deep", "inf"} and len(REFERENCE) == 12


def answer(entry, digits):
    p = dict(re.findall(r"(\w+)=([0-9.]+)", entry["params"]))
    kind = entry["id"].split(".")[1]
    if kind == "u":
        return mode_strength(p["t"], p["s"], p["u0"], tau=p["tau"], digits=digits)
    if kind == "unequal":
        return unequal_strength(p["t"], p["s"], p["a0"], p["b0"], tau=p["tau"], digits=digits)
    if kind == "inf":
        return learning_time_limit(p["s"], p["u0"], p["u_f"], digits=digits)
    depth = int(p["N_l"]) - 1 if kind == "deep" else 2
    return time_to_learn(p["s"], p["u0"], p["u_f"], depth=depth, tau=p["tau"], digits=digits)


@pytest.mark.parametrize("entry", REFERENCE, ids=lambda entry: entry["id"])
def test_reference(entry):
    digits = len(entry["value"].replace(".", "").lstrip("0"))
    assert answer(entry, digits).value == entry["value"]


def quadrature(s, u0, u_f, depth):
    """∫ du/(L u^{2−2/L} (s − u)) by Arb's own certified integration."""
    with working_precision(160):
        s, p = to_arb(rational(s, "")), arb(2) / depth
        ends = to_arb(rational(u0, "")), to_arb(rational(u_f, ""))
        return acb.integral(lambda u, _: 1 / (depth * u ** (2 - p) * (s - u)), *ends).real


@pytest.mark.parametrize("depth", [1, 2, 3, 4, 7, 50, 10**6])
@pytest.mark.parametrize(
    ("u0", "u_f"), [("0.01", "0.2"), ("0.1", "1.9"), ("1.2", "1.99"), ("5", "2.01"), ("30", "8")]
)
def test_time_is_the_integral(depth, u0, u_f):
    number = time_to_learn(2, u0, u_f, depth=depth, digits=30)
    with working_precision(200):
        assert number.ball.overlaps(quadrature(2, u0, u_f, depth))


@pytest.mark.parametrize("depth", [1, 2, 3, 5, 40])
@pytest.mark.parametrize(("u0", "u_f"), [("0.01", "1.7"), ("7", "2.5"), ("1.999", "1.9999")])
def test_strength_inverts_time(depth, u0, u_f):
    t = time_to_learn(2, u0, u_f, depth=depth, digits=40)
    back = mode_strength(t.value, 2, u0, depth=depth, digits=15)
    assert float(back) == pytest.approx(float(u_f), rel=1e-14)


def test_closed_forms_are_what_is_said():
    for number in (
        time_to_learn("1/3", "0.1", "0.3", depth=1),
        time_to_learn("1/3", "0.1", "0.3", tau=7),
        mode_strength("0.3", "1/3", "0.1"),
        mode_strength("0.3", "1/3", "0.1", depth=1),
        learning_time_limit("1/3", "0.1", "0.3"),
    ):
        assert float(number.closed_form) == pytest.approx(float(number), rel=1e-14)


@pytest.mark.parametrize(
    ("a0", "b0"), [(0.3, 0.1), (0.1, -0.3), (-0.7, 0.2), (-0.5, -0.4), (3.0, 1.5), (0.0, 0.2)]
)
def test_unequal_layers_solve_the_equations(a0, b0):
    run = solve_ivp(
        lambda _, y: [y[1] * (2 - y[0] * y[1]), y[0] * (2 - y[0] * y[1])],
        (0, 1.5), [a0, b0], rtol=1e-11, atol=1e-13, method="DOP853",
    )  # fmt: skip
    a, b = run.y[:, -1]
    assert float(unequal_strength("1.5", 2, a0, b0)) == pytest.approx(a * b, rel=1e-8)


def test_equal_layers_are_a_case_of_unequal_ones():
    same = unequal_strength("0.7", 2, "0.3", "0.3", digits=30)
    assert same.ball.overlaps(mode_strength("0.7", 2, "0.09", digits=30).ball)


def test_a_tiny_strength_keeps_its_digits():
    """a₀ = −b₀ decays like e^{−2st}: thousands of bits cancel before fifteen digits are left."""
    number = unequal_strength(1000, 2, "-1e-9", "1e-9")
    with working_precision(200):
        expected = -arb("1e-18") * arb(-4000).exp()
        assert abs(number.ball / expected - 1) < 1e-15


def test_opposed_layers_go_to_the_saddle():
    # c₀ = 0 and u < 0: u' = −2u(s − u)... = 2|u|(s + |u|), so u = −s/(e^{2st}(1 + s/|u₀|) − 1)
    from math import exp

    expected = -2 / (exp(2 * 2 * 0.5) * (1 + 2 / 0.09) - 1)
    assert float(unequal_strength("0.5", 2, "0.3", "-0.3")) == pytest.approx(expected, rel=1e-13)


def test_deep_networks_approach_the_limit():
    limit = float(learning_time_limit(2, "0.1", "1.9"))
    gaps = [depth * float(time_to_learn(2, "0.1", "1.9", depth=depth)) - limit for depth in (10, 100, 1000)]
    assert 8 < gaps[0] / gaps[1] < 13 and 9 < gaps[1] / gaps[2] < 11  # of first order in 1/L
    assert gaps[2] != 0


def test_one_layer_leaves_zero_and_two_do_not():
    assert float(mode_strength(1, 2, 0, depth=1).value) == pytest.approx(2 - 2 * math.exp(-1), rel=1e-14)
    assert float(time_to_learn(2, 0, 1, depth=1, tau=3).value) == pytest.approx(3 * math.log(2), rel=1e-14)
    for depth in (2, 3):
        with pytest.raises(InputError, match="u0"):
            mode_strength(1, 2, 0, depth=depth)


def test_digits_are_kept_close_to_the_target():
    # u = s − (s − u0) e^{−…} is s to fifteen digits, but no more than that
    number = mode_strength(9, 2, "0.5", digits=30)
    assert number.value.startswith("1.99999999999999") and number.value != "2"


@pytest.mark.parametrize(
    "call",
    [
        lambda: time_to_learn(1, "0.1", 1),
        lambda: time_to_learn(1, "0.5", "0.1"),
        lambda: time_to_learn(1, 0, "0.5"),
        lambda: time_to_learn(-1, "0.1", "0.5"),
        lambda: time_to_learn(1, "0.1", "2"),
        lambda: time_to_learn(1, "0.1", "0.5", depth=0),
        lambda: time_to_learn(1, "0.1", "0.5", depth=2.5),
        lambda: time_to_learn(1, "0.1", "0.5", depth=True),
        lambda: time_to_learn(1, "0.1", "0.5", tau=0),
        lambda: time_to_learn(1, "0.1", "0.5", digits=0),
        lambda: mode_strength(-1, 1, "0.5"),
        lambda: mode_strength(float("nan"), 1, "0.5"),
        lambda: mode_strength("1e999999999", 1, "0.5"),
        lambda: mode_strength("__import__('os')", 1, "0.5"),
        lambda: mode_strength(None, 1, "0.5"),
        lambda: unequal_strength(-1, 1, 1, 2),
        lambda: learning_time_limit(1, "0.5", "0.4"),
    ],
)
def test_wrong_input(call):
    with pytest.raises(InputError) as caught:
        call()
    assert "\n" not in str(caught.value)
