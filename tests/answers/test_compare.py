"""`compare` and `activations`."""

from __future__ import annotations

import json

import pytest

from initmath import InputError, activations, compare


def test_frameworks_beside_the_truth():
    tanh, sigmoid, gelu = compare("tanh", "sigmoid", "gelu")
    assert round(100 * tanh.frameworks["torch"].relative_error, 1) == 4.7
    assert round(100 * sigmoid.frameworks["torch"].relative_error) == -46
    assert gelu.frameworks["torch"].published is None
    assert gelu.frameworks["torch"].relative_error is None
    assert gelu.frameworks["torch"].true == pytest.approx(1.5335304411955353, rel=1e-15)


def test_taylor_beside_exact():
    (sigmoid,) = compare(["sigmoid"])
    assert float(sigmoid.taylor) == pytest.approx(12.8)
    assert float(sigmoid.exact) == pytest.approx(1 / 0.293379035858093)
    assert sigmoid.variance == () and "supremum" in sigmoid.notes["variance"]
    (relu,) = compare("relu")
    assert relu.taylor is None and relu.notes["taylor"]
    assert [float(number) for number in relu.variance] == [2.0]


def test_the_taylor_series_diverges_and_says_so():
    (tanh,) = compare("tanh")
    assert tanh.series.longest_error > 1e3 > tanh.series.error
    (cubic,) = compare("x**3")
    assert cubic.series.error == 0


def test_json_is_a_list():
    data = json.loads(compare("relu", "gelu", "silu").to_json())
    assert [row["activation"] for row in data] == ["relu", "gelu", "silu"]
    for row in data:
        assert {"activation", "taylor", "exact", "frameworks"} <= set(row)
        for constant in row["frameworks"].values():
            assert {"published", "true", "relative_error"} <= set(constant)


def test_other_parameters_have_no_published_constants():
    (row,) = compare("leaky_relu", params={"a": "0.5"})
    assert row.frameworks["torch"].published is None


def test_nothing_to_compare():
    with pytest.raises(InputError):
        compare([])


@pytest.mark.parametrize("style", ["to_text", "to_markdown", "to_latex", "to_json"])
def test_formats(style):
    assert "1.59254" in getattr(compare("tanh"), style)() or style == "to_json"


def test_the_catalogue():
    listed = activations()
    data = json.loads(listed.to_json())
    assert len(data) == len(listed) >= 80
    for entry in data:
        assert set(entry) == {"name", "expression", "parameters", "aliases", "references"}
        assert entry["references"]
    assert listed[0].name in listed.to_text()
    assert max(map(len, listed.to_text(80).splitlines())) <= 80
