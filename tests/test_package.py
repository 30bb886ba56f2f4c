"""What `import initmath` promises: a few names, no heavy imports, one version."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import initmath

ROOT = Path(__file__).parent.parent


def test_import_alone_loads_nothing_heavy():
    code = "import initmath, sys; print(*sorted({m.split('.')[0] for m in sys.modules}))"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert not {"sympy", "numpy", "scipy", "matplotlib", "mpmath", "flint", "rich", "click"} & set(loaded)


def test_deriving_relu_loads_neither_numpy_nor_scipy():
    code = "import initmath, sys; initmath.derive('relu').to_text(); print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert not {"numpy", "scipy", "matplotlib"} & set(loaded)


@pytest.mark.parametrize("name", initmath.__all__)
def test_every_public_name_resolves(name):
    assert getattr(initmath, name) is not None
    assert name in dir(initmath)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'frobnicate'"):
        initmath.frobnicate  # noqa: B018


def test_one_version():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["version"] == initmath.__version__


def test_input_errors_are_value_errors():
    with pytest.raises(ValueError):
        initmath.derive("rleu")
    assert issubclass(initmath.Divergent, initmath.InputError)
