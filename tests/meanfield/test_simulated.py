"""Networks of finite width against the phases: correlations and gradients, ordered, critical and chaotic."""

from __future__ import annotations

import numpy as np
import pytest

import initmath

ORDERED = [
    ("tanh", "1.3", "0.05"),
    ("erf", "1", "0.05"),
    ("relu", "1.5", "0.2"),
    ("gelu", "1.5", "0.1"),
    ("silu", "1.5", "0.1"),
    ("sin", "1", "0.1"),
]
CHAOTIC = [
    ("tanh", "2.5", "0.05"),
    ("erf", "2.5", "0.05"),
    ("gelu", "1.98", "0.4"),
    ("silu", "1.993", "1"),
    ("sin", "3", "0.1"),
]
CRITICAL = [("tanh", 1), ("erf", 1), ("relu", 1), ("gelu", 5), ("silu", 20), ("sin", 1)]
FAST = {("tanh", "ordered"), ("relu", "critical"), ("sin", "chaotic")}

CASES = [
    *((name, "ordered", weight, bias) for name, weight, bias in ORDERED),
    *((name, "critical", None, q) for name, q in CRITICAL),
    *((name, "chaotic", weight, bias) for name, weight, bias in CHAOTIC),
]


def _marked(case):
    marks = () if case[:2] in FAST else (pytest.mark.slow,)
    return pytest.param(*case, id="-".join(case[:2]), marks=marks)


@pytest.mark.parametrize(("name", "phase", "weight", "bias"), [_marked(case) for case in CASES])
def test_simulated_networks_are_in_the_phase(name, phase, weight, bias):
    if weight is None:
        found = initmath.edge_of_chaos(name, q=bias)
        point = next(p for p in found.fixed_points if abs(float(p.q_star) - bias) < 1e-9)
    else:
        found = initmath.mean_field(name, weight, bias)
        (point,) = found.fixed_points
    assert point.phase == phase
    w, b, q = float(found.sigma_w2), float(found.sigma_b2), float(point.q_star)
    judged = initmath.verify(
        name, sigma_w2=w, bias_variance=b, q=q, correlation=0.5, width=1024, depth=24, networks=60, seed=4
    )
    assert judged.verdict.value == "confirmed", judged.reason
    series = {s.quantity: s for s in judged.series}
    correlation, gradient = series["correlation"], series["gradient_norm"]
    # The networks go where the phase says, at the rate that it says.
    chi = float(point.chi_1)
    error = 5 * gradient.standard_error[-2] + 3 * 24 / 1024 * chi
    assert gradient.simulated[:-1][np.isfinite(gradient.simulated[:-1])].mean() == pytest.approx(
        chi, abs=error
    )
    end, star = correlation.simulated[-1], float(point.c_star)
    if phase == "critical":
        assert 0.5 < end < 1
        return
    scale = float(point.xi_c)
    if scale < 12:
        # after so many depth scales what is left of the start is known up to finite width and curvature
        left = 0.5 * np.exp(-24 / scale) * 3
        assert abs(end - star) < left + 5 * correlation.standard_error[-1] + 24 / 1024
    else:
        assert abs(end - star) < abs(0.5 - star)


def test_relu_has_no_chaotic_phase():
    """For σ_w² > 2 the length has no fixed point at all, so there is no phase to be in."""
    assert initmath.mean_field("relu", "2.2", "0.1").fixed_points == ()


@pytest.mark.parametrize("name", [pytest.param("tanh", marks=pytest.mark.slow), "erf"])
def test_a_wrong_phase_is_refuted(name):
    """Predicted on the edge, simulated 1 % beside it."""
    edge = initmath.edge_of_chaos(name)
    w, b = float(edge.sigma_w2), float(edge.sigma_b2)
    judged = initmath.verify(
        name,
        sigma_w2=w,
        simulated_sigma_w2=1.01 * w,
        bias_variance=b,
        width=1024,
        depth=24,
        networks=60,
        seed=4,
    )
    assert judged.verdict.value == "refuted"
