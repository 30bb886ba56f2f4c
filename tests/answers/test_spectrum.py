"""`spectrum`: the JSON contract, laws with known densities, grids, sampled networks, pages and pictures."""

from __future__ import annotations

import json
from dataclasses import FrozenInstanceError
from itertools import pairwise

import numpy as np
import pytest

from initmath import InputError, edge_of_chaos, spectrum

KEYS = ["sigma_w2", "lambda", "density", "atoms", "support", "mass", "moments"]


def data_of(*args, **kwargs):
    text = spectrum(*args, **kwargs).to_json()
    return json.loads(text, parse_constant=lambda name: pytest.fail(name))


# -- the contract


@pytest.mark.parametrize(
    "asked",
    [
        {"act": "tanh", "depth": 64, "q": "0.05"},
        {"act": "relu", "depth": 3, "weights": "gaussian"},
        {"act": "hardtanh", "depth": 8},
        {"act": "x", "depth": 5},
        pytest.param({"act": "gelu", "depth": 1}, marks=pytest.mark.slow),
        {"act": "tanh", "depth": 10**6},
        {"act": "x**3", "depth": 2},
    ],
    ids=str,
)
def test_json(asked):
    data = data_of(**asked)
    assert [key for key in data if key in KEYS] == KEYS
    assert data["schema"] == "initmath.spectrum/1"
    assert isinstance(data["sigma_w2"], float) and len(data["moments"]) == 4
    for name in ("lambda", "density", "log_lambda", "log_density"):
        assert len(data[name]) == len(data["lambda"])
        assert all(isinstance(v, float) or v == "inf" for v in data[name])
    assert all(len(pair) == 2 for pair in data["atoms"] + data["support"])
    assert abs(data["mass"] - 1) < 1e-6 and data["error"] < 1e-6
    logs = data["log_lambda"]
    assert all(a < b for a, b in pairwise(logs))
    # the grid alone carries the mass, but for one layer, where the density is infinite at edges
    total = np.trapezoid(data["log_density"], logs) + sum(p for _, p in data["atoms"])
    assert asked["depth"] == 1 or total == pytest.approx(1, abs=0.01)


def test_command_defaults():
    data = data_of("tanh")
    assert (data["depth"], data["weights"], data["q"]) == (1, "orthogonal", 1.0)
    assert data["moments"][0] == pytest.approx(1, rel=1e-12)


@pytest.mark.parametrize("points", [2, 3, 10, 300, 1000])
def test_points(points):
    found = spectrum("tanh", depth=8, points=points)
    assert 0.98 * points - 1 <= len(found.lam) <= points
    low, high = found.support[0]
    assert low < min(found.lam) and max(found.lam) < high
    assert min(found.rho) > 0


# -- laws that are known


def test_marchenko_pastur():
    law = spectrum("x", depth=1, weights="gaussian")
    lam = np.array(law.lam)
    assert law.support == ((0.0, pytest.approx(4, rel=1e-13)),)
    exact = np.sqrt(4 / lam - 1) / (2 * np.pi)
    assert np.abs(np.array(law.rho) / exact - 1).max() < 1e-8
    assert law.cdf(4.1) == 1 and law.cdf(0) == 0


def test_relu_moments_are_integers():
    wanted = {1: (1, 3, 11, 45), 3: (1, 7, 67, 741), 6: (1, 13, 241, 5225)}
    for depth, moments in wanted.items():
        found = spectrum("relu", depth=depth, weights="gaussian")
        assert found.moments == pytest.approx(moments, rel=1e-9)
        assert [found.moment(k) for k in (1, 2)] == pytest.approx(moments[:2], rel=1e-12)
        assert found.atoms == ((0.0, pytest.approx(0.5)),)


def test_orthogonal_hardtanh_keeps_an_atom():
    found = spectrum("hardtanh", depth=2, q="0.5")
    p = 1 - found.atoms[0][1]
    assert found.atoms[1] == (pytest.approx(p**-2), pytest.approx(1 - 2 * (1 - p)))
    assert found.quantile(0.99) == pytest.approx(p**-2)


def test_quantiles_invert_the_cdf():
    found = spectrum("tanh", depth=20, q=0.2)
    p = np.array([0.01, 0.3, 0.5, 0.9, 0.999])
    assert found.cdf(found.quantile(p)) == pytest.approx(p, rel=1e-9)
    middle = np.array(found.lam[1:-1])
    step = 1e-5 * middle
    slope = (found.cdf(middle + step) - found.cdf(middle - step)) / (2 * step)
    assert slope == pytest.approx(found.density(middle), rel=1e-3)


def test_given_weight_variance_scales_the_law():
    one, two = spectrum("tanh", 5), spectrum("tanh", 5, sigma_w2="4.3066052978055786")
    ratio = (two.sigma_w2 / one.sigma_w2) ** 5
    assert two.mean == pytest.approx(ratio * one.mean, rel=1e-12)
    assert two.quantile(0.5) == pytest.approx(ratio * one.quantile(0.5), rel=1e-9)
    assert two.sigma2_jjt == pytest.approx(one.sigma2_jjt, rel=1e-12)


@pytest.mark.parametrize(("act", "q"), [("tanh", "0.05"), ("hardtanh", "2")])
def test_the_bias_is_that_of_the_edge(act, q):
    (point,) = edge_of_chaos(act, q).points
    assert spectrum(act, 3, q=q).sigma_b2 == pytest.approx(float(point.sigma_b2), rel=1e-8)


def test_no_bias_keeps_q():
    found = spectrum("exp", 2, q="0.1")
    assert found.sigma_b2 is None
    assert "No bias variance keeps this q" in found.to_text()
    assert spectrum("relu", 2).sigma_b2 == 0


# -- sampled networks


@pytest.mark.parametrize(
    "asked",
    [
        {"act": "tanh", "depth": 6, "q": "0.3"},
        {"act": "relu", "depth": 2, "weights": "gaussian"},
        {"act": "hardtanh", "depth": 2, "q": "0.5"},
        {"act": "x", "depth": 4},
        {"act": "exp", "depth": 2, "q": "0.1"},
    ],
    ids=str,
)
def test_networks_follow_the_law(asked):
    found = spectrum(**asked, sampled=128, networks=16)
    assert found.sampled.distance < 0.02
    assert found.sampled.model == ("free" if asked["act"] == "exp" else "network")
    assert data_of(**asked, sampled=16, networks=1)["sampled"]["width"] == 16


def test_the_distance_sees_a_wrong_law():
    from initmath.answers.sampled_spectra import _distance

    right = spectrum("tanh", 6, q="0.3", sampled=128, networks=16)
    wrong = spectrum("tanh", 6, "gaussian", q="0.3")
    assert _distance(wrong.law, right.sampled.log_lambda) > 0.1


def test_the_law_is_judged():
    right = spectrum("tanh", 4, q="0.3", sampled=128, networks=24)
    assert right.sampled.verdict == "confirmed" and right.sampled.power > 0.9
    assert "CONFIRMED" in right.to_text()
    few = spectrum("tanh", 2, sampled=16, networks=2)
    assert few.sampled.verdict == "unknown" and few.sampled.p is None
    assert "8 networks of width 32" in few.sampled.reason


def test_a_wrong_law_is_refuted():
    from initmath.answers.sampled_spectra import _verdict
    from initmath.simulate import Experiment, InputGram, sample_spectra

    networks = Experiment("tanh", 128, 4, 24, 1.5, inputs=InputGram.single(0.3, 1.5), weights="orthogonal")
    wrong = spectrum("tanh", 4, "gaussian", q="0.3", sigma_w2="1.5").law
    assert _verdict(wrong, sample_spectra(networks, "free"))[0] == "refuted"


def test_the_seed_decides():
    one, two, three = (spectrum("tanh", 2, sampled=16, networks=2, seed=s) for s in (1, 1, 2))
    assert one.sampled.distance == two.sampled.distance != three.sampled.distance


# -- what a reader sees


def test_pages():
    found = spectrum("relu", 3, "gaussian")
    for text in (found.to_text(), found.to_markdown(), found.to_latex()):
        assert "50" in text and "16.4578" in text
    assert "lost" in found.to_text()
    assert "exact isometry" in spectrum("x", 9).to_text()
    assert "close to an isometry" in spectrum("tanh", 8, q="0.02").to_text()
    assert "far from an isometry" in spectrum("tanh", 1000).to_text()
    assert "10^-506356" in spectrum("tanh", 10**6).to_text()
    grown = spectrum("tanh", 3, sigma_w2=9).to_text()
    assert "grow by a factor" in grown


def test_frozen():
    with pytest.raises(FrozenInstanceError):
        spectrum("x").depth = 3


PICTURES = [
    {"act": "tanh", "depth": 64, "q": "0.05"},
    {"act": "relu", "depth": 3, "weights": "gaussian", "sampled": 32, "networks": 2},
    {"act": "hardtanh", "depth": 8, "q": "0.05", "sampled": 32, "networks": 2},
    {"act": "x", "depth": 3},
    {"act": "tanh", "depth": 10**6},
    pytest.param({"act": "gelu", "depth": 1}, marks=pytest.mark.slow),
]


@pytest.mark.parametrize("asked", PICTURES, ids=str)
def test_pictures(asked, tmp_path):
    found = spectrum(**asked)
    names = [tmp_path / "a.svg", tmp_path / "b.svg"]
    for name in names:
        found.plot(name)
    assert names[0].read_bytes() == names[1].read_bytes()
    assert names[0].stat().st_size > 3000


def test_the_picture_shows_edges_atoms_and_networks():
    from initmath.plots.spectrum import spectrum_figure

    found = spectrum("hardtanh", 8, q="0.5", sampled=64, networks=8)
    figure = spectrum_figure(found)
    names = {text.get_text() for text in figure.legends[0].get_texts()}
    assert {"density, width to infinity", "edge of the support", r"atom at $\lambda = 0$"} <= names
    assert any("width 64" in name for name in names)
    left, *_ = figure.axes
    curve = max(left.lines, key=lambda line: len(line.get_xdata()))
    x, y = np.asarray(curve.get_xdata()), np.asarray(curve.get_ydata())
    assert y == pytest.approx(found.density(x) * x * np.log(10), rel=1e-9)


# -- wrong input


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"act": "tanh", "depth": 0}, "depth"),
        ({"act": "tanh", "depth": 2.5}, "depth"),
        ({"act": "tanh", "depth": 10**7}, "depth"),
        ({"act": "tanh", "weights": "uniform"}, "orthogonal"),
        ({"act": "tanh", "q": 0}, "positive"),
        ({"act": "tanh", "q": "1e-999"}, "q"),
        ({"act": "tanh", "q": float("nan")}, "q"),
        ({"act": "tanh", "sigma_w2": -1}, "positive"),
        ({"act": "tanh", "points": 1}, "points"),
        ({"act": "tanh", "points": 10**7}, "points"),
        ({"act": "tanh", "networks": 3}, "sampled"),
        ({"act": "tanh", "sampled": 4}, "sampled"),
        ({"act": "sign"}, "almost everywhere"),
        ({"act": "leaky_relu", "params": {"a": "symbol"}}, "value"),
    ],
    ids=str,
)
def test_one_line(asked, says):
    with pytest.raises(InputError, match=says) as caught:
        spectrum(**asked)
    assert "\n" not in str(caught.value)


def test_methods_refuse_what_is_no_number():
    found = spectrum("x")
    with pytest.raises(InputError):
        found.moment(1.5)
    with pytest.raises(InputError):
        found.density("one")
    with pytest.raises(InputError):
        found.quantile(2)
    with pytest.raises(InputError):
        found.plot("nowhere/at/all.png")
