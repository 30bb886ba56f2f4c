"""``initmath transform``: every format, what it says without a solution, and wrong input in one line."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from initmath.cli import cli, run


def _run(*arguments: str):
    return CliRunner().invoke(cli, ["transform", *arguments])


def test_text_has_the_constants_the_check_and_the_derivation():
    done = _run("relu")
    assert done.exit_code == 0, done.output
    for piece in ("γ·(g(x) + δ)", "√(2π)/√(π − 1) = 1.712858550", "−1/√(2π)", "misses it by", "Derivation"):
        assert piece in done.stdout
    short = _run("relu", "--no-steps")
    assert "Derivation" not in short.stdout and "--steps shows them" in short.stdout


def test_json_is_the_contract():
    done = _run("elu", "--to", "selu", "--format", "json")
    assert done.exit_code == 0, done.output
    data = json.loads(done.stdout)
    assert data["schema"] == "initmath.transform/1" and data["to"] == "self_normalising"
    assert data["complete"] is True and data["reason"] is None and data["q"] == "1"
    assert data["conditions"] == ["mean", "second_moment"] and data["free"] == ["alpha", "output_scale"]
    (solution,) = data["solutions"]
    number = {"status", "closed_form", "value", "error_bound"}
    for name in ("input_scale", "input_shift", "output_scale", "output_shift", "chi_1", "chi_parallel"):
        assert set(solution[name]) == number
    assert solution["parameters"][0]["name"] == "alpha"
    assert solution["parameters"][0]["value"]["value"].startswith("1.6732632423543")
    assert solution["output_scale"]["value"].startswith("1.0507009873554")
    assert {c["condition"] for c in solution["conditions"]} == {"mean", "second_moment"}
    assert all(float(c["residual"]["error_bound"]) < 1e-14 for c in solution["conditions"])
    assert {"of", "rule", "before", "after", "reason", "reference"} <= set(data["steps"][0])
    assert "activation" not in solution and "step" not in data["steps"][0]


@pytest.mark.parametrize(
    ("form", "pieces"),
    [
        ("markdown", ("# standardise of relu", "$", "|")),
        ("latex", (r"\section", r"\frac", r"\gamma")),
    ],
)
def test_documents(form, pieces):
    done = _run("relu", "--format", form)
    assert done.exit_code == 0, done.output
    assert all(piece in done.stdout for piece in pieces), done.stdout[:600]


def test_own_conditions_and_fixed_values():
    done = _run(
        "relu", "--condition", "mean", "--condition", "second_moment", "--condition", "slope=1.2",
        "--free", "input_scale", "--free", "output_scale", "--free", "output_shift",
        "--fix", "input_shift=1", "--format", "json",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    (solution,) = json.loads(done.stdout)["solutions"]
    assert float(solution["input_shift"]["value"]) == 1
    assert float(solution["chi_1"]["value"]) == pytest.approx(1.2, abs=1e-12)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("sign", "--to", "critical"), "g jumps at x = 0"),
        (("relu", "--to", "tat", "--depth", "10"), "has a kink"),
        (("tanh", "--to", "dks", "--condition", "slope=0.9"), "Poincaré"),
        (("relu", "--condition", "second_moment=0.1", "--free", "output_shift"), "no real root"),
    ],
)
def test_no_solution_is_an_answer_with_the_reason(arguments, words):
    done = _run(*arguments)
    assert done.exit_code == 0, done.output
    assert words in done.stdout and "Solution" not in done.stdout


def test_the_scale_that_makes_relu_critical_is_that_of_he():
    done = _run("relu", "--to", "critical", "--format", "json")
    (solution,) = json.loads(done.stdout)["solutions"]
    assert solution["output_scale"]["closed_form"] == "sqrt(2)"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("tanh", "--to", "nonsense"), "unknown transformation 'nonsense'"),
        (("tanh", "--free", "alpha", "--free", "output_scale"), "cannot be free"),
        (("tanh", "--free", ""), "over-determined"),
        (("tanh", "--condition", "slope"), "say what is free"),
        (("tanh", "--condition", "Mean", "--free", "output_shift"), "unknown condition 'Mean'"),
        (("tanh", "--condition", "mean", "--condition", "mean", "--free", "output_shift"), "named twice"),
        (("tanh", "--to", "standardise", "--depth", "10"), "depth says nothing"),
        (("tanh", "--to", "dks", "--depth", "0"), "number of layers"),
        (("tanh", "--to", "tat"), "needs a target"),
        (("tanh", "--to", "dks", "--condition", "slope=abc"), "slope"),
        (("tanh", "--to", "dks", "--condition", "slope=-1"), "must be positive"),
        (("tanh", "--to", "selu", "--condition", "curvature=1"), "not among the conditions"),
        (("tanh", "--fix", "output_scale=2"), "both free and fixed"),
        (("tanh", "--fix", "output_scale"), "NAME=VALUE"),
        (("tanh", "--fix", "alpha=2"), "cannot be fixed"),
        (("tanh", "--q", "0"), "q"),
        (("tanh", "--q", "-1"), "positive"),
        (("tanh", "--digits", "0"), "digits"),
        (("leaky_relu", "--to", "critical", "--param", "a=symbol"), "kept symbolic"),
        (("not_an_activation",), "not_an_activation"),
        (("exp(x**2)",), "diverge"),
        (("3",), "constant"),
    ],
)
def test_wrong_input_is_one_line_and_code_2(arguments, words, capsys):
    assert run(["transform", *arguments]) == 2
    captured = capsys.readouterr()
    assert len(captured.err.strip().splitlines()) == 1, captured.err
    assert words in captured.err and captured.out == ""


def test_the_target_that_was_given_is_the_one_that_is_shown():
    done = _run("relu", "--condition", "second_moment=0.1", "--free", "output_scale", "--no-steps")
    assert "E ĝ² = 1/10" in done.stdout and "E ĝ² = q" not in done.stdout
    assert (
        "E ĝ′² = ζ, ζ = 1.01" in _run("leaky_relu", "--to", "dks_leaky", "--condition", "slope=1.01").stdout
    )


def test_a_straight_line_is_left_alone():
    (solution,) = json.loads(_run("x", "--to", "gpn", "--format", "json").stdout)["solutions"]
    assert solution["output_scale"]["closed_form"] == "1" and solution["output_shift"]["closed_form"] == "0"
