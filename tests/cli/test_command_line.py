"""What the commands print, where they print it, and how they end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import pytest

from initmath.cli import run

FORMATS = ("text", "markdown", "latex", "json")


def invoke(*arguments: str, **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "initmath", *arguments], capture_output=True, text=True, **options
    )


def test_derive_relu_answers_two(capsys):
    assert run(["derive", "relu"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert "σ_w²" in out and "1.41421356237310" in out


@pytest.mark.parametrize("style", FORMATS)
@pytest.mark.parametrize(
    "arguments", [["derive", "gelu"], ["compare", "relu", "tanh"], ["list"]], ids=lambda a: a[0]
)
def test_every_format_of_every_command(arguments, style, capsys):
    assert run([*arguments, "--format", style]) == 0
    out, err = capsys.readouterr()
    assert out and err == ""
    if style == "json":
        json.loads(out, parse_constant=lambda name: pytest.fail(f"{name} in JSON"))


def test_no_line_is_wider_than_the_terminal(capsys, monkeypatch):
    for width in (80, 120):
        monkeypatch.setenv("COLUMNS", str(width))
        assert run(["derive", "gelu"]) == 0
        out, _ = capsys.readouterr()
        assert max(map(len, out.splitlines())) <= width


def test_a_terminal_without_unicode_gets_ascii():
    done = invoke("derive", "gelu", env=os.environ | {"PYTHONIOENCODING": "ascii"})
    assert done.returncode == 0 and done.stdout.isascii()
    assert "sigma_w^2" in done.stdout


def test_no_solution_is_an_answer_not_an_error(capsys):
    assert run(["derive", "tanh", "--criterion", "variance"]) == 0
    assert "no solution" in capsys.readouterr().out


def test_output_file_is_complete_and_replaces_the_old_one(tmp_path, capsys):
    path = tmp_path / "relu.json"
    path.write_text("old")
    assert run(["derive", "relu", "--format", "json", "-o", str(path)]) == 0
    assert json.loads(path.read_text())["activation"]["name"] == "relu"
    assert [p.name for p in tmp_path.iterdir()] == ["relu.json"]
    assert capsys.readouterr().out == ""


def test_a_failed_run_leaves_the_old_file(tmp_path):
    path = tmp_path / "out.json"
    path.write_text("old")
    assert run(["derive", "rleu", "-o", str(path)]) == 2
    assert path.read_text() == "old"
    assert len(list(tmp_path.iterdir())) == 1


def test_a_closed_pipe_is_quiet():
    command = f"{sys.executable} -m initmath derive gelu --steps | head -1"
    done = subprocess.run(["bash", "-o", "pipefail", "-c", command], capture_output=True, text=True)
    assert done.stderr == "" and done.stdout


def test_an_interrupt_ends_with_130():
    process = subprocess.Popen(
        [sys.executable, "-c", "import initmath.cli as c, initmath.answers as a, os, signal\n"
         "a.derive = lambda *_, **__: os.kill(os.getpid(), signal.SIGINT) or __import__('time').sleep(5)\n"
         "c.main()", "derive", "relu"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130 and out == "" and "Traceback" not in err
    assert signal.SIGINT


def test_a_disagreement_ends_with_3(monkeypatch, capsys):
    from initmath import answers
    from initmath.errors import Disagreement

    def disagree(*_: object, **__: object) -> None:
        raise Disagreement("2 is not 3")

    monkeypatch.setattr(answers, "derive", disagree)
    assert run(["derive", "relu"]) == 3
    assert capsys.readouterr().err.count("\n") == 1


def test_a_bug_is_one_line_too(monkeypatch, capsys):
    from initmath import answers

    monkeypatch.delenv("INITMATH_TRACEBACK", raising=False)
    monkeypatch.setattr(answers, "derive", lambda *_, **__: 1 / 0)
    assert run(["derive", "relu"]) == 3
    assert "bug" in capsys.readouterr().err


def test_an_expression_that_begins_with_a_minus_sign(capsys):
    assert run(["derive", "--format", "json", "--", "-x"]) == 0
    assert json.loads(capsys.readouterr().out)["moments"]["second_moment"]["value"] == "1.00000000000000"


def test_numbers_are_exact_text(capsys):
    for text in ("1/3", "0.05", "1e-3", "2"):
        assert run(["derive", "relu", "--q", text, "--format", "json"]) == 0
        assert json.loads(capsys.readouterr().out)["q"] == text


def test_version_and_help(capsys):
    assert run(["--version"]) == 0
    assert capsys.readouterr().out.startswith("initmath ")
    for arguments in (["--help"], [], ["derive", "--help"], ["compare", "-h"], ["list", "-h"]):
        assert run(arguments) == 0
        assert "Usage" in capsys.readouterr().out
