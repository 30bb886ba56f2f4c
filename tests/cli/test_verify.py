"""``initmath verify`` and ``derive --verify``: exit codes, JSON, files."""

from __future__ import annotations

import json

import pytest

from initmath.cli import run

SMALL = ["--width", "256", "--depth", "10", "--networks", "400"]


@pytest.mark.parametrize(
    ("arguments", "code", "verdict"),
    [
        (["verify", "relu", *SMALL], 0, "confirmed"),
        (["verify", "relu", *SMALL, "--simulated-sigma-w2", "2.1"], 1, "refuted"),
        (["verify", "relu", "--width", "32", "--depth", "2", "--networks", "5"], 1, "unknown"),
    ],
)
def test_exit_codes(arguments, code, verdict, capsys):
    assert run([*arguments, "--format", "json"]) == code
    output = capsys.readouterr()
    assert json.loads(output.out)["verdict"] == verdict and output.err == ""


@pytest.mark.parametrize(
    "arguments",
    [
        ["--width", "0"],
        ["--weights", "x"],
        ["--plot", "x.bmp"],
        ["--plot", "/no/such/place/x.png"],
        ["--q", "-1"],
    ],
)
def test_wrong_input(arguments, capsys):
    assert run(["verify", "relu", *arguments]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and error.startswith("initmath: ")


def test_text_plot_and_resume(tmp_path, capsys):
    picture, kept = tmp_path / "p.svg", tmp_path / "kept.npz"
    arguments = ["verify", "tanh", "--width", "64", "--depth", "4", "--networks", "20", "--resume", str(kept)]
    assert run([*arguments, "--plot", str(picture)]) == 1
    first = capsys.readouterr().out
    assert "UNKNOWN" in first and picture.exists() and kept.exists()
    assert run(arguments) == 1
    assert capsys.readouterr().out == first
    kept.write_bytes(b"not an archive")
    assert run(arguments) == 2
    assert kept.read_bytes() == b"not an archive"


def test_derive_with_verification(capsys):
    assert run(["derive", "relu", "--criterion", "second_moment", "--verify", "--format", "json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert data["verification"]["verdict"] == "confirmed" and data["criteria"]["second_moment"]


@pytest.mark.parametrize(("act", "criterion"), [("tanh", "variance"), ("sign", "critical")])
def test_a_derivation_without_a_solution_is_written_and_nothing_is_verified(act, criterion, capsys):
    for style in ("text", "markdown", "latex", "json"):
        assert run(["derive", act, "--verify", "--criterion", criterion, "--format", style]) == 1
        output = capsys.readouterr()
        assert output.err == ""
        if style == "json":
            data = json.loads(output.out)
            assert data["verification"] is None and "no solution" in data["verification_reason"]
            assert data["criteria"][criterion]["solutions"] == []
        else:
            assert "UNKNOWN" in output.out and "Nothing was verified" in output.out


def test_the_derived_value_is_what_is_verified(capsys):
    """backward with fan_out = 2 fan_in halves σ_w²; critical has a σ_b² of its own."""
    fans = ["--criterion", "backward", "--fan-in", "100", "--fan-out", "200"]
    assert run(["derive", "relu", *fans, "--verify", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["verification"]["sigma_w2"] == 1
    critical = ["--criterion", "critical", "--format", "json", "--digits", "5"]
    assert run(["verify", "tanh", *critical, *SMALL]) in (0, 1)
    data = json.loads(capsys.readouterr().out)
    assert data["sigma_b2"] == pytest.approx(0.1509646293785529, rel=1e-12)
    assert data["criterion_sigma_w2"]["value"] == "2.1533" and data["verdict"] != "refuted"


@pytest.mark.parametrize("name", ["width", "depth", "networks"])
@pytest.mark.parametrize("count", ["100000000000", "1" + "0" * 400])
def test_what_does_not_fit_into_memory_is_said_before_anything_is_allocated(name, count, capsys):
    assert run(["verify", "relu", f"--{name}", count]) == 2
    output = capsys.readouterr()
    assert output.out == "" and output.err.count("\n") == 1 and name in output.err
    # a line is cut after 500 characters
    assert "would fit" in output.err or output.err.endswith(("…\n", "\\u2026\n"))


FEW = ["--width", "16", "--depth", "2", "--networks", "4"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--correlation=--1"], "correlation"),
        (["--timeout", "nan"], "timeout"),
        (["--dask", ""], "address"),
        (["--resume", ""], "name"),
        (["--seed", "-1"], "seed"),
        (["--width", "1.5"], "integer"),
        (["--q", "1e400"], "q ="),
        (["--simulated-sigma-w2", "1e300"], "overflow"),
        (["--bias-variance", "2"], "biases"),
        (["--plot", ""], "ends in"),
    ],
)
def test_hostile_input_is_one_line(arguments, words, capsys):
    assert run(["verify", "relu", *FEW, *arguments]) == 2
    output = capsys.readouterr()
    assert output.out == "" and output.err.count("\n") == 1 and words in output.err


def test_a_resume_file_of_another_experiment_is_left_alone(tmp_path, capsys):
    kept = tmp_path / "kept.npz"
    run(["verify", "tanh", *FEW, "--resume", str(kept)])
    bytes_before = kept.read_bytes()
    capsys.readouterr()
    for content in (bytes_before, bytes_before[: len(bytes_before) // 2], b""):
        kept.write_bytes(content)
        assert run(["verify", "relu", *FEW, "--resume", str(kept)]) == 2
        assert kept.read_bytes() == content and capsys.readouterr().err.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["kept.npz"]
