"""L is no function that a reader knows: the page says what it is, once, where it is used first."""

from __future__ import annotations

import pytest

import initmath


@pytest.mark.parametrize("act", ["tanh", "silu", "sigmoid"])
def test_a_page_with_l_says_what_it_is(act):
    text = initmath.derive(act).to_text()
    assert text.count("where L(t) = E sech²(√(t)·z),  z ~ N(0, 1)") == 1
    between = text[text.index("L(") : text.index("where L(t)")]
    assert "\n\n" not in between.rstrip()


@pytest.mark.parametrize("act", ["relu", "gelu", "mish", "exp"])
def test_a_page_without_l_does_not(act):
    assert "where L(t)" not in initmath.derive(act).to_text()


def test_the_edge_says_it_too():
    assert "where L(t) = " in initmath.edge_of_chaos("tanh", q=1).to_text()
    assert "where L(t)" not in initmath.edge_of_chaos("erf", q=1).to_text()
