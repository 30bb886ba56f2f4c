"""``initmath verify`` and ``derive --verify``: exit codes, JSON, files."""

from __future__ import annotations

import json

import pytest

from initmath.cli import run

SMALL = ["--width", "256", "--depth", "10", "--networks", "200"]


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
