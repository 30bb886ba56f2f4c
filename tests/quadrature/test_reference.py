"""Every Gaussian moment of the reference table: right to 1e-14 E|f|, and inside the reported error.

Allowances, each derived: the decimal q of the table (0.01, 1e-8) is not a double, which moves E f by
|E f (z² − 1)| u/2; g itself is taken to be right to 2 ulp, which the reported error includes.
"""

from __future__ import annotations

import json
import re
from fractions import Fraction
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from mpmath import mp, mpf

from initmath.activation import catalogue, resolve
from initmath.quadrature import expectation, moments

FIELD = {
    "m1": "mean",
    "m2": "second_moment",
    "var": "variance",
    "chi": "derivative_second_moment",
}


def _records():
    path = Path(__file__).parents[1] / "data" / "reference.json"
    known = catalogue()
    for record in json.loads(path.read_text(encoding="utf-8")):
        if not record["id"].startswith(("moment.", "moment_q.")):
            continue
        field = FIELD.get(record["quantity"].removesuffix("(q)"))
        if field is None or record["activation"] not in known:
            continue
        found = re.search(r"q=([\d.e+-]+)", record.get("params") or "")
        yield record["id"], record["activation"], found.group(1) if found else "1", field, record["value"]


RECORDS = list(_records())


@cache
def _moments(name: str):
    qs = sorted({q for _, other, q, _, _ in RECORDS if other == name})
    return qs, moments(resolve(name), [float(q) for q in qs])


def _moved_by_rounding_q(name: str, q: str, field: str) -> float:
    """|dE f/dq| times the rounding of q, and f's own scale, E|f|."""
    g = resolve(name)
    points = [float(b) for b in g.pieces.breakpoints]
    f, slope, at = g.numpy(0), g.numpy(1), float(q)
    functions = {
        "mean": f,
        "second_moment": lambda x: f(x) ** 2,
        "variance": lambda x: f(x) ** 2,
        "derivative_second_moment": lambda x: slope(x) ** 2,
    }
    function = functions[field]
    change = expectation(lambda x: np.abs(function(x)) * np.abs(x * x / at - 1), at, points).value.item()
    scale = expectation(lambda x: np.abs(function(x)), at, points).value.item()
    return float(abs(Fraction(q) - Fraction(at)) / Fraction(q)) * change / 2, scale


@pytest.mark.parametrize("record", RECORDS, ids=lambda r: r[0])
def test_reference(record):
    _, name, q, field, value = record
    qs, found = _moments(name)
    estimate = getattr(found, field)
    i = qs.index(q)
    with mp.workdps(45):
        error = float(abs(mpf(float(estimate.value[i])) - mpf(value)))
    moved, scale = _moved_by_rounding_q(name, q, field)
    assert error <= 1e-14 * scale + moved
    assert error <= estimate.error[i] + moved
    # covers, but is not absurdly larger
    assert estimate.error[i] <= 3e-14 * scale + 1e-320


def test_the_table_is_there():
    assert len(RECORDS) >= 560
