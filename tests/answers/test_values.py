"""Answers are values: they compare, hash, pickle and copy; NumPy scalars are numbers; threads do no harm."""

from __future__ import annotations

import copy
import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import initmath
from initmath import InputError, compare, derive, gain

ANSWERS = {
    "gelu": lambda: derive("gelu"),
    "sqrt(abs(x))": lambda: derive("sqrt(abs(x))"),  # E g'² = inf
    "leaky_relu, symbolic": lambda: derive("leaky_relu", params={"a": "symbol"}),
    "compare": lambda: compare("gelu", "tanh"),
}


@pytest.mark.parametrize("make", ANSWERS.values(), ids=ANSWERS)
def test_answers_survive_pickle_and_copy(make):
    answer = make()
    for twin in (pickle.loads(pickle.dumps(answer)), copy.deepcopy(answer), make()):
        assert twin == answer
        assert hash(twin) == hash(answer)
        assert twin.to_json() == answer.to_json()
        assert twin.to_text() == answer.to_text()


def test_numbers_keep_their_ball_to_the_last_bit():
    solution = derive("gelu", "variance", digits=60).criteria["variance"].solutions[0]
    again = pickle.loads(pickle.dumps(solution))
    assert again == solution and len({again, solution}) == 1
    assert again.q.ball.overlaps(solution.q.ball) and again.q.error_bound == solution.q.error_bound
    assert derive("gelu", q=2) != derive("gelu", q=1)


def test_numpy_scalars_are_numbers():
    plain = derive("leaky_relu", "backward", q="0.1", fan_in=64, fan_out=32, digits=20, params={"a": "0.2"})
    numpy = derive(
        "leaky_relu",
        "backward",
        q=np.float64(0.1),
        fan_in=np.int64(64),
        fan_out=np.uint8(32),
        digits=np.int32(20),
        params={"a": np.float64(0.2)},
    )
    assert plain == numpy and plain.to_text() == numpy.to_text()
    assert derive("relu", q=np.float32(0.1)).q == "0.1"
    assert gain("leaky_relu", params={"a": np.int64(1)}) == 1
    for wrong in ({"fan_in": 2.0}, {"fan_in": np.True_}, {"digits": np.float64(3)}, {"q": np.nan}):
        with pytest.raises(InputError):
            derive("relu", **wrong)


def test_threads_get_the_answers_of_one_thread():
    asked = [(name, digits) for name in ("gelu", "tanh", "silu", "erf") for digits in (15, 40)] * 2

    def answer(task):
        name, digits = task
        return derive(name, "second_moment", digits=digits, q="1/3").to_json()

    serial = [answer(task) for task in asked]
    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(answer, asked)) == serial


def test_the_reason_is_given_once():
    with pytest.raises(InputError) as refusal:
        initmath.gain("tanh", criterion="variance")
    assert str(refusal.value).count("no solution") == 1
