"""Wrong input gives exit code 2 and one clear line, quickly; nothing that was typed is ever executed."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time

import pytest

from initmath.cli import run

WRONG = {
    "unknown name": (["rleu"], "relu"),
    "unknown name in an expression": (["x*tahn(x)"], "tanh"),
    "syntax error": (["x*("], "column"),
    "not real": (["sqrt(x)"], "real"),
    "not real, log": (["log(x)"], ""),
    "divergent": (["exp(x**2)"], "diverge"),
    "negative q": (["relu", "--q", "-1"], "positive"),
    "zero q": (["relu", "--q", "0"], "positive"),
    "nan q": (["relu", "--q", "nan"], "q"),
    "infinite q": (["relu", "--q", "inf"], "q"),
    "q is no number": (["relu", "--q", "one"], "q"),
    "huge q text": (["relu", "--q", "1e999999999"], "q"),
    "constant": (["3"], "constant"),
    "hidden constant": (["sin(x)**2 + cos(x)**2"], "constant"),
    "empty": ([""], "empty"),
    "blank": (["   "], "empty"),
    "brackets": (["(" * 10_000], ""),
    "balanced brackets": (["(" * 5_000 + "x" + ")" * 5_000], ""),
    "import": (["__import__('os').system('touch OWNED')"], ""),
    "class": (["().__class__"], ""),
    "lambda": (["(lambda: x)()"], ""),
    "tower": (["x**10**10"], "exponent"),
    "nan": (["nan"], "nan"),
    "nan in an expression": (["x + nan"], "nan"),
    "infinity": (["oo"], ""),
    "complex": (["x*1j"], "real"),
    "string": (["'x'"], ""),
    "null byte": (["x\0"], ""),
    "unicode": (["х*2"], ""),  # a Cyrillic letter
    "two lines": (["x\nimport os"], ""),
    "option-like": (["-x"], "--"),
    "unknown option": (["relu", "--qq", "1"], "--qq"),
    "missing": ([], "ACT"),
    "unknown criterion": (["relu", "--criterion", "he"], "second_moment"),
    "unknown format": (["relu", "--format", "yaml"], "json"),
    "bad parameter": (["leaky_relu", "--param", "a"], "NAME=VALUE"),
    "unknown parameter": (["relu", "--param", "slope=2"], "slope"),
    "digits": (["relu", "--digits", "0"], "digits"),
    "fan-in": (["relu", "--fan-in", "0"], "fan-in"),
    "target variance": (["relu", "--target-variance", "-1"], ""),
    "bias variance": (["relu", "--bias-variance", "-1"], ""),
    "output is a directory": (["relu", "-o", "/"], "directory"),
    "output is nowhere": (["relu", "-o", "/nonexistent/a/b"], "directory"),
}


@pytest.mark.parametrize("arguments,says", WRONG.values(), ids=WRONG.keys())
def test_one_line_and_exit_2(arguments, says, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    start = time.perf_counter()
    code = run(["derive", *arguments])
    seconds = time.perf_counter() - start
    out, err = capsys.readouterr()
    assert code == 2, err
    assert out == ""
    assert err.count("\n") == 1 and err.endswith("\n")
    assert says.lower() in err.lower()
    assert "Traceback" not in err and "bug" not in err
    assert seconds < 2
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("arguments", [["compare"], ["compare", "rleu"], ["list", "relu"], ["frobnicate"]])
def test_other_commands(arguments, capsys):
    assert run(arguments) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1


def _processor_seconds_of_children():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def test_a_cold_process_answers_in_two_seconds_too(tmp_path):
    """Two seconds of processor time: a loaded machine takes longer."""
    start = _processor_seconds_of_children()
    done = subprocess.run(
        [sys.executable, "-m", "initmath", "derive", "__import__('os').system('touch OWNED')"],
        cwd=tmp_path, capture_output=True, text=True, env=os.environ | {"PYTHONWARNINGS": "error"},
    )  # fmt: skip
    assert _processor_seconds_of_children() - start < 2
    assert done.returncode == 2 and done.stdout == "" and done.stderr.count("\n") == 1
    assert not list(tmp_path.iterdir())
