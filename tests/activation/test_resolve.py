"""Whatever a person has becomes an activation, or one line says why not."""

from __future__ import annotations

import time

import pytest
from sympy import Max, Rational, Symbol, cos, exp, log, pi, sin, sqrt, symbols, tanh

from initmath.activation import Activation, resolve
from initmath.errors import InputError
from initmath.integral import x


def test_names_aliases_and_spellings() -> None:
    assert resolve("swish") == resolve("silu") == resolve("SiLU")
    assert resolve("hard-swish") is resolve("hard-swish")
    assert resolve("step").name == "heaviside"
    assert resolve("relu").expr == Max(x, 0)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("relux", "did you mean relu"),
        ("sofplus", "did you mean softplus"),
        ("zzzzqqqq", "initmath list"),
        ("3", "constant"),
        ("pi", "constant"),
        ("x - x", "constant"),
        ("sin(x)**2 + cos(x)**2", "constant"),
        ("sign(x)**2", "constant"),
        ("cos(0*x)", "constant"),
        ("sqrt(x)", "not real at x = -37.1"),
        ("log(x)", "not real"),
        ("x**0.5", "not real"),
        ("x**x", "not real"),
        ("sqrt(1 - x**2)", "not real"),
        ("exp(1000)*x", "no finite value"),
        ("Piecewise((x, x > 0))", "do not cover"),
        ("max(sin(x), 0)", "infinitely many kinks"),
        ("a" * 5000, "unknown activation"),
    ],
)
def test_wrong_activations(name: str, message: str) -> None:
    start = time.perf_counter()
    with pytest.raises(InputError, match=message) as caught:
        resolve(name)
    assert time.perf_counter() - start < 2
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300


def test_parameters() -> None:
    assert resolve("leaky_relu").expr.subs(x, -1) == Rational(-1, 100)
    assert resolve("leaky_relu", {"a": "0.2"}) == resolve("leaky_relu", {"a": 0.2})
    symbolic = resolve("leaky_relu", {"a": "symbol"})
    assert symbolic.is_symbolic
    assert symbolic.parameters[0].symbol == Symbol("a", positive=True)
    assert symbolic.homogeneity_degree == 1
    assert resolve(symbolic, {"a": "1/5"}) == resolve("leaky_relu", {"a": "0.2"})
    assert resolve("a*x**2 + x", {"a": 3}).expr == 3 * x**2 + x
    assert resolve("hardtanh", {"a": "symbol"}).kinks == (
        -Symbol("a", positive=True),
        Symbol("a", positive=True),
    )


@pytest.mark.parametrize(
    ("act", "params", "message"),
    [
        ("leaky_relu", {"b": 1}, r"no parameter 'b'; its parameters: a \(default 0.01\)"),
        ("relu", {"a": 1}, "its parameters: none"),
        ("leaky_relu", {"a": "nan"}, "not a number"),
        ("leaky_relu", {"a": float("inf")}, "must be finite"),
        ("leaky_relu", {"a": None}, "must be a number or 'symbol'"),
        ("leaky_relu", {"a": True}, "must be a number"),
        ("leaky_relu", {"a": "x"}, "not a number"),
        ("leaky_relu", {"q": "1"}, "taken"),
        ("a*x", {"a": 1, "b": 2}, "no parameter 'b'"),
        ("max(x, a*x)", {"a": "symbol"}, "give a number to a"),
    ],
)
def test_wrong_parameters(act: str, params: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        resolve(act, params)


def test_generic_keeps_symbols_only_where_the_value_meets_the_assumption() -> None:
    half = resolve("leaky_relu", {"a": "0.5"})
    assert half.generic.is_symbolic
    assert half.generic.expr.subs(half.values) == half.expr
    for value in ("0", "-1"):
        negative = resolve("leaky_relu", {"a": value})
        assert not negative.generic.is_symbolic
        assert negative.values == {}
        assert negative.generic.expr == negative.expr
    assert resolve("relu").generic is resolve("relu")


def test_selu_constants_are_exact() -> None:
    """E g = 0 and E g² = 1 define them: α and λ of REFERENCE, to 30 digits."""
    values = {str(s): v.evalf(31) for s, v in resolve("selu").values.items()}
    assert str(values["alpha"])[:30] == "1.6732632423543772848170429916717"[:30]
    assert str(values["scale"])[:30] == "1.0507009873554804934193349852946"[:30]


def test_sympy_expressions() -> None:
    t = symbols("t")
    assert resolve(tanh(t)).expr == tanh(x)
    assert resolve(tanh(symbols("x"))).expr == tanh(x)
    assert resolve(0.1 * t).expr == x / 10
    act = resolve(symbols("b") * symbols("x") ** 2 + symbols("x"))
    assert [p.name for p in act.parameters] == ["b"]
    with pytest.raises(InputError, match="Call it x"):
        resolve(symbols("u") * symbols("v"))
    with pytest.raises(InputError, match="constant"):
        resolve(pi + 1)
    with pytest.raises(InputError, match="not real"):
        resolve(sqrt(t))
    with pytest.raises(InputError, match="not a function that can be used"):
        resolve(__import__("sympy").gamma(t))


def test_other_things_are_refused() -> None:
    for thing in (None, 3, 2.5, [1], {"a": 1}):
        with pytest.raises(InputError):
            resolve(thing)


def test_activations_are_values() -> None:
    act = resolve("gelu")
    assert resolve(act) is act
    assert hash(act) == hash(resolve("gelu"))
    assert {act: 1}[resolve("gelu_erf")] == 1
    with pytest.raises(AttributeError):
        act.name = "other"  # type: ignore[misc]
    assert act != resolve("silu")
    assert act != "gelu"
    assert isinstance(act, Activation)


@pytest.mark.parametrize(
    ("text", "limits", "bounded", "parity", "degree"),
    [
        ("1/x", (0, 0), False, "odd", -1),
        ("exp(sin(x))", (None, None), True, "none", None),
        ("x*exp(-abs(x))", (0, 0), True, "odd", None),
        ("exp(x) - exp(x)*tanh(x)", (0, 0), True, "none", None),
        ("x**2/(1 + x**2)", (1, 1), True, "even", None),
        ("max(0, 1 - abs(x))", (0, 0), True, "even", None),
        ("max(x, 0) - max(x - 1, 0)", (0, 1), True, "none", None),
        ("exp(-1/x**2)", (1, 1), True, "even", None),
        ("x/sinh(x)", (0, 0), True, "even", None),
        ("sqrt(abs(x))", None, False, "even", Rational(1, 2)),
        ("x*abs(x)", None, False, "odd", 2),
        ("(exp(2*x) - 1)/(exp(2*x) + 1)", (-1, 1), True, "odd", None),
        ("log(cosh(x))", None, False, "even", None),
        ("log(1 + exp(x)) - x/2", None, False, "even", None),
    ],
)
def test_properties_of_expressions(
    text: str, limits: tuple[object, object] | None, bounded: bool, parity: str, degree: object
) -> None:
    act = resolve(text)
    assert limits is None or act.limits == limits
    assert (act.bounded, act.parity, act.homogeneity_degree) == (bounded, parity, degree)


def test_hidden_constants() -> None:
    for expr in (sin(x) ** 2 + cos(x) ** 2, exp(x) * exp(-x) + 0 * x, log(exp(x)) - x):
        with pytest.raises(InputError, match="constant"):
            resolve(expr)
