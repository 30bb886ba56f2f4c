"""The sections that another process makes: the same page, whatever happens to that process."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import Executor, Future
from concurrent.futures.process import BrokenProcessPool

import numpy as np
import pytest
from click.testing import CliRunner

import initmath
from initmath.cli import cli
from initmath.cores import cores
from initmath.errors import InputError
from initmath.reporting.helper import helper
from initmath.simulate import InlineExecutor


@pytest.fixture(scope="module")
def alone():
    return initmath.report("relu", 2, seed=3).to_html()


@pytest.mark.skipif(cores() < 2, reason="one core: there is no second process")
def test_a_page_made_in_two_processes_is_the_same(alone):
    with helper() as executor:
        assert executor.submit(multiprocessing.parent_process).result() is not None
        assert initmath.report("relu", 2, seed=3, executor=executor).to_html() == alone
    assert not multiprocessing.active_children()


class _Never(Executor):
    """Begins nothing."""

    def submit(self, *args, **kwargs):
        return Future()


class _Lost(Executor):
    """A process that dies of everything."""

    def submit(self, *args, **kwargs):
        future = Future()
        future.set_exception(BrokenProcessPool("killed"))
        return future


class _LostBefore(Executor):
    """A process that is gone when it is asked."""

    def submit(self, *args, **kwargs):
        raise BrokenProcessPool("gone")


def test_what_was_not_begun_is_made_here(alone):
    assert initmath.report("relu", 2, seed=3, executor=_Never()).to_html() == alone


@pytest.mark.parametrize("lost", [_Lost, _LostBefore])
def test_a_lost_process_is_told_of_and_replaced(alone, lost):
    with pytest.warns(RuntimeWarning, match="process was lost") as told:
        page = initmath.report("relu", 2, seed=3, executor=lost())
    assert page.to_html() == alone and len(told) == 4


def test_a_section_made_elsewhere_is_drawn(alone):
    page = initmath.report("relu", 2, seed=3, executor=InlineExecutor())
    drawn = [section.anchor for section in page.sections if isinstance(section.picture, str)]
    assert drawn == ["glance", "depth", "spectrum", "verification"]
    assert page.to_html() == alone


@pytest.mark.skipif(cores() < 2, reason="one core: there is no second process")
def test_what_cannot_travel_is_refused_in_one_line():
    def mine(x):
        return np.tanh(np.asarray(x, dtype=float))  # cannot be traced, so it has to travel as it is

    with helper() as executor, pytest.raises(InputError, match="another process"):
        initmath.report(mine, executor=executor)


def test_wrong_input_ends_the_other_process(tmp_path):
    done = CliRunner().invoke(cli, ["report", "rleu", "-o", str(tmp_path / "x.html")])
    assert isinstance(done.exception, InputError) and not multiprocessing.active_children()
