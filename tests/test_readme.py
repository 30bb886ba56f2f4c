"""The README is run: every command is executed and its output compared, every Python block is a doctest.

``UPDATE_README=1 pytest tests/test_readme.py`` writes the outputs anew.
"""

from __future__ import annotations

import doctest
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

README = Path(__file__).parent.parent / "README.md"
BLOCK = re.compile(r"```console\n\$ (?P<command>[^\n]*)\n(?P<output>.*?)```", re.DOTALL)
ERROR = re.compile(r"± \de-\d+")

blocks = [match.groups() for match in BLOCK.finditer(README.read_text(encoding="utf-8"))]


def output_of(command):
    """Run a README command with this interpreter's initmath, in a terminal of 80 columns."""
    folder = Path(sys.executable).parent
    environment = os.environ | {"COLUMNS": "80", "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}
    environment["PYTHONIOENCODING"] = "utf-8"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command], capture_output=True, env=environment, check=True
    )
    assert done.stderr == b""
    return done.stdout.decode().strip("\n") + "\n"


@pytest.mark.parametrize("command,output", blocks, ids=[command for command, _ in blocks])
def test_command(command, output):
    found = output_of(command)
    if os.environ.get("UPDATE_README"):
        text = README.read_text(encoding="utf-8")
        old = f"```console\n$ {command}\n{output}```"
        assert old in text
        README.write_text(text.replace(old, f"```console\n$ {command}\n{found}```"), encoding="utf-8")
        return
    # The last digit of an error bound may differ from one build of Arb to the next.
    assert ERROR.sub("± …", found) == ERROR.sub("± …", output)


def test_python_blocks():
    text = README.read_text(encoding="utf-8")
    assert ">>>" in text
    test = doctest.DocTestParser().get_doctest(text, {}, "README", str(README), 0)
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.IGNORE_EXCEPTION_DETAIL)
    runner.run(test)
    assert runner.summarize(verbose=False).failed == 0


def test_the_set_up_is_two_commands():
    setup = re.search(r"```sh setup\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    first, second = setup[1].splitlines()
    assert first.endswith("initmath derive relu") and second.endswith("pytest")
    assert README.read_text(encoding="utf-8").index("```sh setup") < 40
