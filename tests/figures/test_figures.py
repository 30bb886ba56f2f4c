"""Every figure: its data are pure, its caption is checked, and it is drawn."""

from __future__ import annotations

import pickle
import sys

import pytest

from figures import figure, names
from figures.__main__ import main
from figures.sheet import SERIES, styled
from tests.figures.planted import PLANTED

SMALLEST, LARGEST = 3_000, 3_000_000  # bytes of an .svg


@pytest.mark.parametrize("name", names())
def test_quick_figure_is_checked_and_drawn(name, tmp_path):
    module = figure(name)
    data = module.data(quick=True)
    module.check(data)
    for place, change in enumerate(PLANTED[name]):
        with pytest.raises(AssertionError):
            module.check(change(data))
            raise ValueError(f"the check passes with planted error number {place}")
    text = module.caption(data)
    assert len(text) > 80 and "nan" not in text.lower().split() and "{" not in text
    assert module.__doc__ and len(module.__doc__) > 60
    with styled():
        drawn = module.draw(data)
    drawn.savefig(tmp_path / "figure.svg")
    size = (tmp_path / "figure.svg").stat().st_size
    assert SMALLEST < size < LARGEST
    for axis in drawn.axes:
        assert axis.get_xlabel() or axis.get_ylabel() or axis.get_title() or len(drawn.axes) > 1


def test_every_figure_has_planted_errors():
    assert set(PLANTED) == set(names()) and all(PLANTED.values())


@pytest.mark.slow
@pytest.mark.parametrize("name", names())
def test_full_figure_is_checked(name):
    module = figure(name)
    module.check(module.data())


@pytest.mark.parametrize("name", names()[:1])
def test_data_are_pure(name):
    module = figure(name)
    assert pickle.dumps(module.data(quick=True)) == pickle.dumps(module.data(quick=True))


def test_command(tmp_path, capsys):
    first = names()[0]
    assert main(["--list"]) == 0 and first in capsys.readouterr().out
    assert main(["nothing"]) == 2 and "choose among" in capsys.readouterr().err
    assert main(["kumar_4", "--quick", "--out", str(tmp_path / "new")]) == 0
    assert {p.suffix for p in (tmp_path / "new").iterdir()} == {".svg", ".png", ".txt"}
    (tmp_path / "file").write_text("")
    assert main(["kumar_4", "--quick", "--out", str(tmp_path / "file" / "x")]) == 2
    assert len(set(SERIES)) == len(SERIES)


def test_a_missing_package_is_named(tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    assert main(["kumar_3", "kumar_4", "--quick", "--out", str(tmp_path)]) == 2
    said = capsys.readouterr()
    assert said.err == "kumar_3 needs sklearn.datasets: pip install -e '.[figures]'\n"
    assert (tmp_path / "kumar_4.svg").exists() and not (tmp_path / "kumar_3.svg").exists()
