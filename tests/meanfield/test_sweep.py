"""The phase diagram's double-precision sweep, against the literature's points and the map itself."""

from __future__ import annotations

import json
import re
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from initmath.activation import resolve
from initmath.errors import InputError
from initmath.kernels.pairs import pair_values
from initmath.meanfield.sweep import FINE, SKETCH, sweep
from initmath.plots.phase import phase_figure
from initmath.quadrature import expectation

RECORDS = [
    r
    for r in json.loads((Path(__file__).parents[1] / "data" / "reference.json").read_text())
    if r["id"].startswith("depth.")
]
FIELDS = {"q*": "q_star", "chi_1": "chi_1", "xi_q": "xi_q", "c*": "c_star", "xi_c": "xi_c"}


@pytest.mark.parametrize("record", RECORDS, ids=lambda r: r["id"])
def test_schoenholz_and_poole_points(record):
    w, b = (float(v) for v in re.findall(r"=([0-9.]+)", record["params"]))
    found = sweep(resolve("tanh"), [w], [b])
    value = float(record["value"])
    if record["quantity"] in FIELDS:
        read = getattr(found, FIELDS[record["quantity"]])[0, 0]
    elif record["quantity"] == "xi_nabla":
        read = abs(
            found.xi_gradient[0, 0]
        )  # the record has no sign; here it is negative where gradients grow
    else:
        read = np.exp(-1 / found.xi_c[0, 0])
    assert found.error["pair"] < 1e-7 and found.error["table"] < 1e-12
    assert read == pytest.approx(value, rel=1e-7)


@pytest.mark.parametrize("name", ["tanh", "erf", "hardtanh", "elu", "sin", "arctan", "softsign", "relu6"])
def test_fixed_points_are_fixed_by_the_map_itself(name):
    """Every q* and c* is put back into the map, by an integral that has seen no table."""
    g = resolve(name)
    weight, bias = np.array([0.6, 1.5, 2.4, 3.9]), np.array([0.01, 0.3])
    found = sweep(g, weight, bias)
    q = found.q_star.ravel()
    w, b = (a.ravel() for a in np.broadcast_arrays(weight[None, :], bias[:, None]))
    here = np.isfinite(q)
    assert here.any()
    gap = np.clip(found.gap.ravel(), 0, None)
    value = pair_values(g, q[here], q[here], gap[here])
    same = pair_values(g, q[here], q[here], 0 * gap[here])
    rtol = 10 * max(found.error.values()) + 1e-12
    np.testing.assert_allclose(w[here] * same.kernel + b[here], q[here], rtol=1e-11)
    np.testing.assert_allclose(w[here] * value.half_distance / q[here], gap[here], rtol=rtol, atol=1e-14)
    np.testing.assert_allclose(
        np.exp(-1 / found.xi_c.ravel()[here]), abs(w[here] * value.derivative_kernel), rtol=rtol
    )
    assert rtol < 1e-5


def test_relu_has_one_critical_point_and_no_chaos():
    found = sweep(resolve("relu"), [1.0, 2.0, 2.5], [0.0, 0.5])
    np.testing.assert_array_equal(found.q_star[0], [0, 1, np.inf])
    assert found.q_star[1, 0] == pytest.approx(1.0) and np.isinf(found.q_star[1, 1:]).all()
    np.testing.assert_allclose(found.chi_1[0, :2], [0.5, 1.0], rtol=1e-12)
    assert np.isinf(found.xi_gradient[0, 1])
    assert not found.chaotic.any()


def test_start_decides_between_two_fixed_points():
    """SiLU with the bias variance that public code copies, a tenth of 0.555: from 14.3 q falls to 0.12."""
    arguments = resolve("silu"), [1.98800467826949], [0.055514317]
    assert sweep(*arguments, start=14.32).q_star[0, 0] == pytest.approx(0.1201, abs=1e-4)
    assert sweep(*arguments, start=0.01).q_star[0, 0] == pytest.approx(0.1201, abs=1e-4)


@pytest.mark.parametrize(
    "name",
    [
        "x**2*exp(-x**2)",
        *(
            pytest.param(name, marks=pytest.mark.slow)
            for name in ("sin(x)*exp(-x**2/8)", "exp(-x**2)", "cos(x)", "x*exp(-x**2/2)")
        ),
    ],
)
def test_orbits_that_leap_are_followed(name):
    """Where E g² falls with q, orbits need not end at the next fixed point: compare with the orbit itself."""
    g, weight, bias = resolve(name), np.array([0.5, 2.0, 7.5, 8.0, 40.0]), np.array([0.0, 0.2])
    for start in (0.05, 1.0, 100.0):
        found = sweep(g, weight, bias, start=start)
        for (row, column), star in np.ndenumerate(found.q_star):
            q, seen = start, []
            for layer in range(3000):
                q = weight[column] * float(expectation(lambda y: g.numpy()(y) ** 2, [q]).value[0]) + bias[row]
                seen.append(q)
                if q < 1e-10 or (layer > 3 and abs(q - seen[-2]) < 1e-12 * q):
                    break
            ends = abs(seen[-1] - seen[-2]) < 1e-6 * max(seen[-1], 1e-10)
            if seen[-1] < 1e-10:
                assert star == 0
            elif ends:
                assert star == pytest.approx(seen[-1], rel=1e-5)
            else:
                assert np.isnan(star)


def test_edge_is_where_chi_1_is_one():
    found = sweep(resolve("tanh"), np.linspace(0.5, 4, 30), np.linspace(0, 1, 30))
    q, w, b, _ = found.edge[:, np.isfinite(found.edge[0]) & (found.edge[0] > 0.05)][:, ::200]
    again = [sweep(resolve("tanh"), [wk], [bk]) for wk, bk in zip(w, b, strict=True)]
    np.testing.assert_allclose([a.chi_1[0, 0] for a in again], 1, atol=1e-7)
    np.testing.assert_allclose([a.q_star[0, 0] for a in again], q, rtol=1e-7)


def test_executors_give_the_same_numbers():
    axes = np.linspace(0.1, 4, 60), np.linspace(0, 1, 60)
    done = []
    alone = sweep(resolve("tanh"), *axes, progress=lambda k, n: done.append((k, n)))
    assert done[-1][0] == done[-1][1]
    with ThreadPoolExecutor(2) as threads, ProcessPoolExecutor(2) as processes:
        for pool in (threads, processes):
            other = sweep(resolve("tanh"), *axes, executor=pool)
            for name in ("q_star", "chi_1", "chi_parallel", "gap", "xi_c"):
                np.testing.assert_array_equal(getattr(other, name), getattr(alone, name))


@pytest.mark.parametrize(
    ("weight", "bias", "start", "says"),
    [
        ([0.0, 1.0], [0.0], 1.0, "positive"),
        ([1.0], [-0.1], 1.0, "non-negative"),
        ([2.0, 1.0], [0.0], 1.0, "increase"),
        ([1.0], [float("nan")], 1.0, "finite"),
        ([1.0], [0.0], 0.0, "q = 0.0"),
        ([], [0.0], 1.0, "finite"),
    ],
)
def test_wrong_axes_are_refused(weight, bias, start, says):
    with pytest.raises(InputError, match=says):
        sweep(resolve("tanh"), weight, bias, start=start)


def test_jumps_have_no_sweep():
    with pytest.raises(InputError, match="jumps at 0"):
        sweep(resolve("sign"), [1.0], [0.0])


def test_infinite_moments_are_refused():
    with pytest.raises(InputError, match="smaller q"):
        sweep(resolve("exp(x**2)"), [1.0], [0.0])
    assert sweep(resolve("exp(x**2)"), [0.05], [0.0], start=0.05).q_star[0, 0] > 0.05


@pytest.mark.parametrize("name", ["tanh", "gelu", "relu", "exp"])
def test_the_picture_is_drawn(name, tmp_path):
    found = sweep(resolve(name), np.linspace(0.2, 4, 12), np.linspace(0, 1, 10))
    figure = phase_figure(found, name, [(2.0, 0.5)])
    figure.savefig(tmp_path / "p.svg")
    assert figure.axes[0].get_xlabel() == r"Weight variance $\sigma_w^2$"


@pytest.mark.parametrize("name", ["tanh", "relu", "gelu"])
def test_a_sketch_has_the_digits_that_it_claims(name):
    """1 − c* within 1e-4 of that of the fine table; q* does not depend on it."""
    sigma_w2, sigma_b2 = np.linspace(0.5, 4, 15), np.linspace(0.01, 0.5, 15)
    fine, sketch = (sweep(resolve(name), sigma_w2, sigma_b2, fineness=f) for f in (FINE, SKETCH))
    np.testing.assert_allclose(sketch.q_star, fine.q_star, rtol=1e-8)
    apart = np.abs(sketch.gap - fine.gap)
    assert np.nanmax(apart) < 1e-4, name
    assert np.array_equal(np.isnan(sketch.gap), np.isnan(fine.gap))


def test_a_sketch_follows_orbits_less_far_and_says_so():
    """ReLU at σ_w² = 2 − 1e-4, σ_b² = 1: q* = 2e4."""
    plane = resolve("relu"), [1.5, 2 - 1e-4], [1.0]
    fine, sketch = sweep(*plane), sweep(*plane, fineness=SKETCH)
    assert fine.q_star[0] == pytest.approx([4, 2e4], rel=1e-9) and fine.farthest == 1e10
    assert sketch.q_star[0, 0] == pytest.approx(4, rel=1e-9) and np.isposinf(sketch.q_star[0, 1])
    assert sketch.farthest == 1e4 and sweep(*plane, start=1e3, fineness=SKETCH).farthest == 1e5
    for found, far in ((fine, None), (sketch, "10⁴"), (sweep(*plane, start=500, fineness=SKETCH), "5·10⁴")):
        names = [text.get_text() for text in phase_figure(found, "relu").axes[0].texts]
        said = [name.split("passes ")[1].split("\n")[0] for name in names if "passes" in name]
        assert said == ([] if far is None or np.isfinite(found.q_star).all() else [far])
