"""README and guide are run: each command is executed and its output compared, each Python block is a doctest.

``UPDATE_README=1 pytest -n0 tests/test_readme.py`` writes the outputs anew.
"""

from __future__ import annotations

import doctest
import os
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
PAGES = (README, ROOT / "docs" / "guide.md")
BLOCK = re.compile(r"```console\n\$ (?P<command>[^\n]*)\n(?P<output>.*?)```", re.DOTALL)
ERROR = re.compile(r"± \de-\d+")

blocks = [
    (page, *match.groups()) for page in PAGES for match in BLOCK.finditer(page.read_text(encoding="utf-8"))
]


def output_of(command, folder):
    """Run a command of a page with this interpreter's initmath, in a terminal of 80 columns."""
    scripts = Path(sys.executable).parent
    environment = os.environ | {"COLUMNS": "80", "PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}"}
    environment["PYTHONIOENCODING"] = "utf-8"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command],
        capture_output=True,
        env=environment,
        check=True,
        cwd=folder,
    )
    assert done.stderr == b""
    return done.stdout.decode().strip("\n") + "\n"


@pytest.mark.parametrize("page,command,output", blocks, ids=[command for _, command, _ in blocks])
def test_command(page, command, output, tmp_path):
    found = output_of(command, tmp_path)
    if os.environ.get("UPDATE_README"):
        text = page.read_text(encoding="utf-8")
        old = f"```console\n$ {command}\n{output}```"
        assert old in text
        page.write_text(text.replace(old, f"```console\n$ {command}\n{found}```"), encoding="utf-8")
        return
    # The last digit of an error bound may differ from one build of Arb to the next.
    assert ERROR.sub("± …", found) == ERROR.sub("± …", output)


def test_every_command_of_the_pages_is_found():
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        assert text.count("```console") == sum(each == page for each, *_ in blocks)


def test_python_blocks():
    text = PAGES[1].read_text(encoding="utf-8")
    assert ">>>" in text and ">>>" not in README.read_text(encoding="utf-8")
    test = doctest.DocTestParser().get_doctest(text, {}, "guide", str(PAGES[1]), 0)
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.IGNORE_EXCEPTION_DETAIL)
    runner.run(test)
    assert runner.summarize(verbose=False).failed == 0


class _Layer:
    """A stand-in for torch.nn.Linear, with the names that the README uses."""

    def __init__(self, fan_in, fan_out):
        self.in_features, self.weight, self.bias = fan_in, np.empty((fan_out, fan_in)), np.ones(fan_out)


def _stand_in():
    rng = np.random.default_rng(5)
    torch, nn, init = ModuleType("torch"), ModuleType("torch.nn"), ModuleType("torch.nn.init")
    init.normal_ = lambda array, mean=0.0, std=1.0: array.__setitem__(..., rng.normal(mean, std, array.shape))
    init.zeros_ = lambda array: array.__setitem__(..., 0)
    torch.nn, nn.init, nn.Linear = nn, init, _Layer
    return torch


def test_the_lines_for_pytorch_give_the_derived_variance(monkeypatch):
    (code,) = re.findall(r"```python torch\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    monkeypatch.setitem(sys.modules, "torch", _stand_in())
    names = {}
    exec(code, names)  # a page of our own
    layer = names["layer"]
    drawn = layer.in_features * layer.weight.var()
    assert abs(drawn / 2.35171561407337 - 1) < 5 * np.sqrt(2 / layer.weight.size)
    assert not layer.bias.any()


def test_the_picture_and_its_caption():
    from figures import figure

    text = README.read_text(encoding="utf-8")
    (path,) = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", text)
    picture = (ROOT / path).read_bytes()
    assert picture.startswith(b"\x89PNG") and len(picture) < 200_000
    starts = figure(Path(path).stem)
    found = starts.data()
    starts.check(found)
    assert starts.caption(found) in " ".join(text.split())


def test_every_criterion_is_in_the_table():
    from initmath.criteria import CRITERIA

    text = README.read_text(encoding="utf-8")
    assert set(re.findall(r"(?m)^\| `(\w+)` \|", text)) == {each.name for each in CRITERIA}


def test_links_lead_somewhere():
    for page in (*PAGES, ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md"):
        for path in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8")):
            assert (page.parent / path).exists(), path


def test_the_set_up_is_two_commands():
    setup = re.search(r"```sh setup\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    first, second = setup[1].splitlines()
    assert first.endswith("initmath derive relu") and second.endswith("pytest")
    assert README.read_text(encoding="utf-8").index("```sh setup") < 40
