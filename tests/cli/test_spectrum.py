"""`initmath spectrum` and `derive --depth`: what scripts read, and wrong input in one line."""

from __future__ import annotations

import json

import pytest

from initmath.cli import run


def test_json(capsys):
    asked = ["--depth", "3", "--weights", "gaussian", "--points", "50", "--format", "json"]
    assert run(["spectrum", "relu", *asked]) == 0
    out, err = capsys.readouterr()
    data = json.loads(out)
    assert err == "" and len(data["lambda"]) == 50
    assert data["moments"] == pytest.approx([1, 7, 67, 741])


@pytest.mark.parametrize("style", ["text", "markdown", "latex"])
def test_formats(style, capsys):
    assert run(["spectrum", "tanh", "--depth", "64", "--q", "0.05", "--format", style]) == 0
    out = capsys.readouterr().out
    assert "3.99573" in out


def test_parameters_and_weight_variance(capsys):
    asked = ["--param", "a=0.5", "--sigma-w2", "2", "--depth", "2", "--format", "json"]
    assert run(["spectrum", "leaky_relu", *asked]) == 0
    assert json.loads(capsys.readouterr().out)["moments"][0] == pytest.approx(1.25**2)


def test_picture_and_networks(tmp_path, capsys):
    name = tmp_path / "law.png"
    asked = ["--depth", "2", "--sampled", "32", "--networks", "2", "--plot", str(name), "--seed", "3"]
    assert run(["spectrum", "hardtanh", *asked]) == 0
    assert name.read_bytes().startswith(b"\x89PNG")
    assert "2 of width 32" in capsys.readouterr().out


def test_isometry_needs_a_depth(capsys):
    assert run(["derive", "relu", "--depth", "8"]) == 0
    assert "impossible" in capsys.readouterr().out
    assert run(["derive", "relu"]) == 0
    assert "isometry" not in capsys.readouterr().out


WRONG = {
    "unknown name": (["spectrum", "rleu"], "relu"),
    "depth": (["spectrum", "tanh", "--depth", "0"], "depth"),
    "depth too large": (["spectrum", "tanh", "--depth", "10000000"], "1000000"),
    "depth is no integer": (["spectrum", "tanh", "--depth", "1e3"], "depth"),
    "weights": (["spectrum", "tanh", "--weights", "uniform"], "orthogonal"),
    "q": (["spectrum", "tanh", "--q", "-1"], "positive"),
    "sigma_w2": (["spectrum", "tanh", "--sigma-w2", "0"], "positive"),
    "points": (["spectrum", "tanh", "--points", "0"], "points"),
    "networks without sampled": (["spectrum", "tanh", "--networks", "3"], "sampled"),
    "picture": (["spectrum", "tanh", "--plot", "law.bmp"], ".png"),
    "piecewise constant": (["spectrum", "sign"], "almost everywhere"),
    "symbolic": (["spectrum", "leaky_relu", "--param", "a=symbol"], "value"),
    "isometry without a depth": (["derive", "tanh", "--criterion", "isometry"], "--depth"),
    "isometry with biases": (
        ["derive", "tanh", "--criterion", "isometry", "--depth", "8", "--bias-variance", "1"],
        "over-determined",
    ),
    "spread without a depth": (["derive", "tanh", "--spread", "1"], "depth"),
    "spread": (["derive", "tanh", "--depth", "8", "--spread", "0"], "positive"),
}


@pytest.mark.parametrize(("arguments", "says"), WRONG.values(), ids=WRONG.keys())
def test_wrong_input(arguments, says, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run(arguments) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1
    assert says in err and "bug" not in err
    assert not list(tmp_path.iterdir())
