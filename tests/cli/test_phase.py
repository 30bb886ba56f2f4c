"""``initmath phase``: the edge, given variances, the picture, and wrong input in one line."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from initmath import InputError, phase_diagram
from initmath.cli import cli


def _run(*arguments: str):
    return CliRunner().invoke(cli, ["phase", *arguments])


@pytest.mark.parametrize(
    "arguments", [("tanh",), ("tanh", "--sigma-w2", "2", "--sigma-b2", "0.05"), ("relu",)]
)
def test_json_is_the_contract(arguments):
    done = _run(*arguments, "--format", "json")
    assert done.exit_code == 0, done.output
    data = json.loads(done.stdout)
    for name in ("sigma_w2", "sigma_b2", "fixed_points", "continuum", "universality_class", "reason"):
        assert name in data
    point = data["fixed_points"][0]
    assert {"q_star", "chi_1", "chi_parallel", "c_star", "xi_q", "xi_c", "xi_gradient", "phase"} <= set(point)
    assert point["phase"] in ("ordered", "chaotic", "critical")
    assert set(point["q_star"]) == {"status", "closed_form", "value", "error_bound"}


def test_without_variances_it_is_the_edge_at_q_1():
    data = json.loads(_run("erf", "--format", "json").stdout)
    assert data["fixed_points"][-1]["phase"] == "critical"
    assert data["sigma_w2"]["closed_form"] is not None


def test_picture_is_written_and_marks_the_point(tmp_path):
    name = tmp_path / "tanh.svg"
    done = _run("tanh", "--plot", str(name), "--points", "24")
    assert done.exit_code == 0, done.output
    assert name.read_text().startswith("<?xml")


def test_no_picture_of_a_jump_leaves_nothing(tmp_path):
    name = tmp_path / "sign.png"
    done = CliRunner().invoke(cli, ["phase", "sign", "--plot", str(name)])
    assert done.exit_code != 0 and isinstance(done.exception, InputError) and not name.exists()
    assert _run("sign").exit_code == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ("tanh", "--q", "0"),
        ("tanh", "--q", "1", "--sigma-b2", "0.1"),
        ("tanh", "--sigma-w2", "-1"),
        ("tanh", "--sigma-w2", "2", "--sigma-b2", "x"),
        ("tanh", "--sigma-w2", "2", "--q", "2"),
        ("tanh", "--plot", "a.gif"),
        ("tahn",),
    ],
)
def test_wrong_input_is_one_line(arguments):
    done = _run(*arguments)
    assert isinstance(done.exception, InputError)
    assert "\n" not in str(done.exception)


def test_diagram_says_what_it_measured():
    found = phase_diagram("tanh", (0, 3), (0, 0.5), points=12, chosen=[(2.0, 0.1)])
    data = json.loads(found.to_json())
    assert data["pair_error"] < 1e-6 and len(data["q_star"]) == 12 and data["chosen"] == [[2.0, 0.1]]
    assert "chaotic" in found.to_text() and "measured error" in found.to_markdown()
    for wrong in ({"points": 1}, {"points": 10_000}, {"sigma_w2": (3, 1)}, {"sigma_b2": 1}, {"q": -1}):
        with pytest.raises(InputError):
            phase_diagram("tanh", **({"points": 8} | wrong))
