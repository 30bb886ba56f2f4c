"""The activations that have a name, as data: formula, parameters, aliases, source.

Formulas are text in the grammar of `initmath.activation.parser` and are read only when asked for.  Kinks,
parity, homogeneity, boundedness and limits are not in here: they are computed from the formula.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

__all__ = ["Default", "Entry", "catalogue", "find", "names"]


@dataclass(frozen=True, slots=True)
class Default:
    """A parameter of an entry: its name, its usual value as text, what may be assumed of the symbol."""

    name: str
    default: str
    assumption: str = "positive"


@dataclass(frozen=True, slots=True)
class Entry:
    """One activation.

    Attributes
    ----------
    name : str
    formula : str
        In x and the parameters, in the parser's grammar.
    references : tuple of str
        The paper (with arXiv id where there is one) or the library that defines it.
    parameters : tuple of Default
    aliases : tuple of str
    """

    name: str
    formula: str
    references: tuple[str, ...]
    parameters: tuple[Default, ...] = ()
    aliases: tuple[str, ...] = ()


def _entry(name: str, formula: str, *references: str, aliases: str = "", **parameters: str) -> Entry:
    """Make an entry; a parameter's text may end in ``:real`` when it need not be positive."""
    defaults = []
    for key, text in parameters.items():
        default, _, assumption = text.partition(":")
        defaults.append(Default(key, default, assumption or "positive"))
    return Entry(name, formula, references, tuple(defaults), tuple(aliases.split()))


_TORCH = "PyTorch, torch.nn"
_KERAS = "Keras 3, keras.activations"
_JAX = "JAX, jax.nn"
_LEAKY = "Piecewise((x, x > 0), (a*x, True))"

_ENTRIES = (
    # piecewise linear
    _entry("identity", "x", _TORCH, _JAX, aliases="linear"),
    _entry("relu", "Max(x, 0)", "Nair, Hinton 2010, Rectified linear units, ICML", _TORCH, _KERAS, _JAX),
    _entry(
        "leaky_relu",
        _LEAKY,
        "Maas, Hannun, Ng 2013, Rectifier nonlinearities, ICML workshop",
        _TORCH,
        a="0.01",
    ),
    _entry("leaky_relu_0.2", _LEAKY, _KERAS + ".leaky_relu (default slope)", a="0.2", aliases="lrelu_0.2"),
    _entry("leaky_relu_0.3", _LEAKY, "Keras 2, LeakyReLU (default slope)", a="0.3", aliases="lrelu_0.3"),
    _entry(
        "prelu",
        "Piecewise((x, x > 0), (p*x, True))",
        "He, Zhang, Ren, Sun 2015, arXiv:1502.01852, eq. (1)",
        _TORCH,
        p="0.25:real",
    ),
    _entry(
        "rrelu_eval",
        "Piecewise((x, x > 0), ((lower + upper)/2*x, True))",
        "Xu, Wang, Chen, Li 2015, arXiv:1505.00853 (the mean slope, used in evaluation)",
        _TORCH,
        aliases="rrelu",
        lower="1/8",
        upper="1/3",
    ),
    _entry("abs", "Abs(x)", "Vallés-Pérez et al. 2023, arXiv:2301.05993", aliases="absolute modulus"),
    _entry("relu6", "Min(Max(x, 0), 6)", "Howard et al. 2017, arXiv:1704.04861", _TORCH, _KERAS, _JAX),
    _entry(
        "brelu", "Min(Max(x, 0), a)", "Liew, Khalil-Hani, Bakhteri 2016, Bounded activation functions", a="1"
    ),
    _entry(
        "hardtanh", "clip(x, -a, a)", "Collobert 2004, thesis", _TORCH, _JAX, a="1", aliases="hard_tanh htanh"
    ),
    _entry(
        "hard_sigmoid", "clip(x/6 + 1/2, 0, 1)", _TORCH + ".Hardsigmoid", _KERAS, _JAX, aliases="hardsigmoid"
    ),
    _entry("hard_sigmoid_keras2", "clip(0.2*x + 0.5, 0, 1)", "Keras 2, activations.hard_sigmoid"),
    _entry("sparse_sigmoid", "clip((x + 1)/2, 0, 1)", _JAX, _KERAS),
    _entry(
        "hardshrink",
        "Piecewise((x, Abs(x) > lambd), (0, True))",
        _TORCH,
        _KERAS,
        lambd="0.5",
        aliases="hard_shrink",
    ),
    _entry(
        "softshrink", "sign(x)*Max(Abs(x) - lambd, 0)", _TORCH, _KERAS, lambd="0.5", aliases="soft_shrink"
    ),
    _entry(
        "threshold",
        "Piecewise((x, x > theta), (v, True))",
        _TORCH,
        "Konda, Memisevic, Krueger 2014, arXiv:1402.3337 (θ = 1, v = 0)",
        theta="1",
        v="0",
        aliases="thresholded_relu",
    ),
    _entry("heaviside", "Heaviside(x)", "McCulloch, Pitts 1943", aliases="step binary_step"),
    _entry("sign", "sign(x)", "Hubara et al. 2016, arXiv:1602.02830", aliases="signum sgn"),
    _entry(
        "pwl5",
        "Piecewise((-1, x < -2), (x + 1, x < -1), (0, x < 0), (2*x, x < 1), (x/2 + 3/2, True))",
        "A five-piece test case",
    ),
    _entry(
        "srelu",
        "Piecewise((-t_left + a_left*(x + t_left), x < -t_left), (x, x < t_right),"
        " (t_right + a_right*(x - t_right), True))",
        "Jin, Xu, Feng, Wei, Xiong, Yan 2016, arXiv:1512.07030, eq. (1)",
        t_left="1",
        a_left="0.2",
        t_right="1",
        a_right="0.4",
    ),
    # piecewise polynomial
    _entry("square", "x**2", "Livni, Shalev-Shwartz, Shamir 2014, arXiv:1410.1141", aliases="quadratic"),
    _entry("cube", "x**3", "Chen, Manning 2014, EMNLP"),
    _entry("cubic", "x**3/6 - x/2 + x**2/4", "A cubic test case"),
    _entry("hermite2", "x**2 - 1", "Probabilists' Hermite polynomial He₂"),
    _entry("hermite3", "x**3 - 3*x", "Probabilists' Hermite polynomial He₃"),
    _entry("hermite4", "x**4 - 6*x**2 + 3", "Probabilists' Hermite polynomial He₄"),
    _entry("hermite5", "x**5 - 10*x**3 + 15*x", "Probabilists' Hermite polynomial He₅"),
    _entry("relu_squared", "Max(x, 0)**2", "So et al. 2021, arXiv:2109.08668", aliases="relu2 squared_relu"),
    _entry(
        "relu3",
        "Max(x, 0)**3",
        "Cho, Saul 2009, Kernel methods for deep learning, n = 3",
        aliases="relu_cubed",
    ),
    _entry("repu", "Max(x, 0)**k", "Li, Tang, Yu 2019, arXiv:1903.05858", k="4", aliases="relu_k"),
    _entry("star_relu", "s*Max(x, 0)**2 - b", "Yu et al. 2022, arXiv:2210.13452", s="0.8944", b="0.4472"),
    _entry("sparse_plus", "Piecewise((0, x <= -1), ((x + 1)**2/4, x < 1), (x, True))", _JAX, _KERAS),
    _entry(
        "hardswish",
        "x*Min(Max(x + 3, 0), 6)/6",
        "Howard et al. 2019, arXiv:1905.02244",
        _TORCH,
        _KERAS,
        _JAX,
        aliases="hard_swish hard_silu",
    ),
    _entry("hard_mish", "x/2*Min(2, Max(0, x + 2))", "timm, HardMish"),
    _entry(
        "sqnl",
        "Piecewise((-1, x < -2), (x + x**2/4, x < 0), (x - x**2/4, x <= 2), (1, True))",
        "Wuraola, Patel 2018, SQNL, IJCNN",
    ),
    _entry(
        "soft_modulus_q",
        "Piecewise((x**2*(2 - Abs(x)), Abs(x) <= 1), (Abs(x), True))",
        "Vallés-Pérez et al. 2023, arXiv:2301.05993 (its smooth version)",
    ),
    # exponential
    _entry("exp", "exp(x)", _KERAS + ".exponential", aliases="exponential"),
    _entry(
        "elu",
        "Piecewise((x, x > 0), (alpha*(exp(x) - 1), True))",
        "Clevert, Unterthiner, Hochreiter 2015, arXiv:1511.07289",
        _TORCH,
        _KERAS,
        _JAX,
        alpha="1",
    ),
    _entry(
        "selu",
        "Piecewise((scale*x, x > 0), (scale*alpha*(exp(x) - 1), True))",
        "Klambauer, Unterthiner, Mayr, Hochreiter 2017, arXiv:1706.02515, the constants α₀₁ and λ₀₁",
        _TORCH,
        _KERAS,
        _JAX,
        alpha="sqrt(2/pi)/(1 - erfc(1/sqrt(2))*exp(1/2))",
        scale="(1 - erfc(1/sqrt(2))*sqrt(E))*sqrt(2*pi)/sqrt(2*erfc(sqrt(2))*E**2 + pi*erfc(1/sqrt(2))**2*E"
        " - 2*(2 + pi)*erfc(1/sqrt(2))*sqrt(E) + pi + 2)",
    ),
    _entry(
        "celu",
        "Piecewise((x, x > 0), (alpha*(exp(x/alpha) - 1), True))",
        "Barron 2017, arXiv:1704.07483",
        _TORCH,
        _KERAS,
        _JAX,
        alpha="1",
    ),
    _entry(
        "celu_2",
        "Piecewise((x, x > 0), (alpha*(exp(x/alpha) - 1), True))",
        "Barron 2017, arXiv:1704.07483",
        alpha="2",
    ),
    _entry(
        "pelu",
        "Piecewise((a/b*x, x > 0), (a*(exp(x/b) - 1), True))",
        "Trottier, Giguère, Chaib-draa 2016, arXiv:1605.09332, eq. (1)",
        a="1",
        b="1",
    ),
    _entry(
        "soft_exponential",
        "(exp(alpha*x) - 1)/alpha + alpha",
        "Godfrey, Gashler 2016, arXiv:1602.01321 (α > 0)",
        alpha="0.5",
    ),
    _entry(
        "xielu",
        "Piecewise((alpha_p*x**2 + beta*x, x > 0), (alpha_n*(exp(x) - 1 - x) + beta*x, True))",
        "Huang, Schlag 2024, arXiv:2411.13010",
        alpha_p="0.8",
        alpha_n="0.8",
        beta="0.5",
    ),
    _entry("symexp", "sign(x)*(exp(Abs(x)) - 1)", "Hafner et al. 2023, arXiv:2301.04104"),
    _entry("laplace", "exp(-Abs(x))", "The Laplace radial basis function"),
    _entry("cloglog", "1 - exp(-exp(x))", "Gomes, Ludermir 2008, complementary log-log"),
    _entry("loglog", "exp(-exp(-x))", "Gomes, Ludermir 2008, log-log", aliases="gompertz"),
    _entry("golu", "x*exp(-exp(-x))", "Das et al. 2025, arXiv:2502.03654"),
    # Gaussian and error function
    _entry("gaussian", "exp(-x**2)", "Broomhead, Lowe 1988, Radial basis functions", aliases="rbf"),
    _entry("gaussian_half", "exp(-x**2/2)", "Broomhead, Lowe 1988, Radial basis functions"),
    _entry("xgauss", "x*exp(-x**2)", "The derivative-of-Gaussian wavelet"),
    _entry("ricker", "(1 - x**2)*exp(-x**2/2)", "The Ricker wavelet", aliases="mexican_hat"),
    _entry("morlet", "cos(omega*x)*exp(-x**2/2)", "The Morlet wavelet", omega="5"),
    _entry("erf", "erf(x)", "Williams 1997, Computing with infinite networks"),
    _entry("normcdf", "Phi(x)", "The probit function", aliases="ndtr probit gauss_cdf"),
    _entry(
        "gelu",
        "x*Phi(x)",
        "Hendrycks, Gimpel 2016, arXiv:1606.08415",
        _TORCH,
        _KERAS,
        aliases="gelu_exact gelu_erf",
    ),
    _entry("gelu_a", "x*Phi(a*x)", "Hendrycks, Gimpel 2016, arXiv:1606.08415 (with σ = 1/a)", a="1.7"),
    _entry("xerf", "x*erf(x)", "The smooth modulus"),
    _entry(
        "erf_relu",
        "Piecewise((x, x > 0), (alpha*erf(x), True))",
        "Rajanand, Singh 2023, arXiv:2306.01822",
        alpha="1",
        aliases="erfrelu",
    ),
    _entry("serf", "x*erf(log(1 + exp(x)))", "Nag, Bhattacharyya 2021, arXiv:2108.09598"),
    # logistic
    _entry(
        "sigmoid",
        "1/(1 + exp(-x))",
        "Rumelhart, Hinton, Williams 1986",
        _TORCH,
        _KERAS,
        _JAX,
        aliases="logistic expit",
    ),
    _entry("tanh", "tanh(x)", "LeCun, Bottou, Orr, Müller 1998, Efficient backprop", _TORCH, _KERAS, _JAX),
    _entry("lecun_tanh", "1.7159*tanh(2*x/3)", "LeCun, Bottou, Orr, Müller 1998, Efficient backprop, §4.4"),
    _entry("dyt", "tanh(alpha*x)", "Zhu et al. 2025, arXiv:2503.10622", alpha="0.5", aliases="dynamic_tanh"),
    _entry("bipolar_sigmoid", "2/(1 + exp(-x)) - 1", "Karlik, Olgac 2011"),
    _entry("tanhshrink", "x - tanh(x)", _TORCH, _KERAS, aliases="tanh_shrink"),
    _entry("xplustanh", "x + tanh(x)/2", "Hayou, Doucet, Rousseau 2019, arXiv:1902.06853 (code)"),
    _entry("tanhlu", "a*tanh(b*x) + c*x", "Shen et al. 2022, TanhLU", a="1", b="1", c="1"),
    _entry(
        "penalized_tanh",
        "Piecewise((tanh(x), x > 0), (a*tanh(x), True))",
        "Xu, Huang, Li 2016, arXiv:1602.05980",
        a="0.25",
    ),
    _entry("lisht", "x*tanh(x)", "Roy, Manna, Dubey, Chaudhuri 2019, arXiv:1901.05894"),
    _entry("softplus", "log(1 + exp(beta*x))/beta", "Dugas et al. 2001", _TORCH, _KERAS, _JAX, beta="1"),
    _entry(
        "shifted_softplus", "log(1 + exp(x)) - log(2)", "Schütt et al. 2017, arXiv:1706.08566", aliases="ssp"
    ),
    _entry("logsigmoid", "-log(1 + exp(-x))", _TORCH, _KERAS, _JAX, aliases="log_sigmoid"),
    _entry(
        "soft_clipping",
        "log((1 + exp(a*x))/(1 + exp(a*(x - 1))))/a",
        "Klimek, Perelstein 2018, arXiv:1810.11509",
        a="10",
    ),
    _entry(
        "silu",
        "x/(1 + exp(-x))",
        "Elfwing, Uchibe, Doya 2017, arXiv:1702.03118",
        "Ramachandran, Zoph, Le 2017, arXiv:1710.05941",
        _TORCH,
        _KERAS,
        _JAX,
        aliases="swish",
    ),
    _entry("swish_beta", "x/(1 + exp(-beta*x))", "Ramachandran, Zoph, Le 2017, arXiv:1710.05941", beta="1.5"),
    _entry(
        "eswish", "beta*x/(1 + exp(-x))", "Alcaide 2018, arXiv:1801.07145", beta="1.25", aliases="e_swish"
    ),
    _entry("quick_gelu", "x/(1 + exp(-1.702*x))", "Hendrycks, Gimpel 2016, arXiv:1606.08415, §2"),
    _entry(
        "gelu_tanh",
        "x/2*(1 + tanh(sqrt(2/pi)*(x + 0.044715*x**3)))",
        "Hendrycks, Gimpel 2016, arXiv:1606.08415, §2",
        _JAX + ".gelu (approximate)",
        aliases="gelu_new gelu_approximate",
    ),
    _entry(
        "dsilu",
        "(1 + x*(1 - sigmoid(x)))*sigmoid(x)",
        "Elfwing, Uchibe, Doya 2017, arXiv:1702.03118, eq. (8)",
    ),
    _entry("mish", "x*tanh(log(1 + exp(x)))", "Misra 2019, arXiv:1908.08681", _TORCH, _KERAS, _JAX),
    _entry(
        "telu",
        "x*tanh(exp(x))",
        "Fernandez, Mali 2024, arXiv:2412.20269",
        "Liu, Di 2020, arXiv:2003.09855 (TanhExp)",
        aliases="tanhexp tanh_exp",
    ),
    _entry("phish", "x*tanh(x*Phi(x))", "Naveen 2022, Phish: a novel activation function"),
    _entry("logish", "x*log(1 + sigmoid(x))", "Zhu et al. 2021, Logish"),
    _entry("smish", "x*tanh(log(1 + sigmoid(x)))", "Wang, Ren, Wang 2022, Smish"),
    _entry("gish", "x*log(2 - exp(-exp(x)))", "Kaytan, Aydilek, Yeroğlu 2023, Gish"),
    _entry("tanhsoft1", "tanh(a*x)*log(1 + exp(x))", "Biswas et al. 2020, arXiv:2009.03863", a="0.87"),
    _entry(
        "aria2",
        "x/(1 + exp(-beta*x))**alpha",
        "Patwardhan et al. 2018, arXiv:1805.08878",
        alpha="1.5",
        beta="2",
    ),
    _entry(
        "elish",
        "Piecewise((x*sigmoid(x), x > 0), ((exp(x) - 1)*sigmoid(x), True))",
        "Basirat, Roth 2018, arXiv:1808.00783",
    ),
    _entry(
        "hard_elish",
        "Piecewise((x*clip((x + 1)/2, 0, 1), x > 0), ((exp(x) - 1)*clip((x + 1)/2, 0, 1), True))",
        "Basirat, Roth 2018, arXiv:1808.00783",
        aliases="hardelish",
    ),
    _entry("sinlu", "(x + a*sin(b*x))*sigmoid(x)", "Paul et al. 2022, SinLU", a="1", b="1"),
    _entry("colu", "x/(1 - x*exp(-(x + exp(x))))", "Vagerwal 2021, arXiv:2112.12078"),
    # periodic
    _entry("sin", "sin(x)", "Parascandolo, Huttunen, Virtanen 2017, Taming the waves", aliases="sine"),
    _entry("cos", "cos(x)", "Rahimi, Recht 2007, Random features", aliases="cosine"),
    _entry("siren", "sin(omega*x)", "Sitzmann et al. 2020, arXiv:2006.09661", omega="30"),
    _entry("snake", "x + sin(a*x)**2/a", "Liu, Hartwig, Ueda 2020, arXiv:2006.08195", a="1"),
    _entry("gcu", "x*cos(x)", "Noel, Arunkumar, Trivedi, Dutta 2021, arXiv:2108.12943"),
    _entry("sin_relu", "sin(x) + Max(x, 0)", "A kinked periodic test case"),
    _entry("sinc", "sin(x)/x", "The cardinal sine; its Fourier transform is an indicator"),
    _entry("sinc_pi", "sin(pi*x)/(pi*x)", "NumPy, numpy.sinc"),
    # algebraic, inverse trigonometric, logarithmic
    _entry(
        "softsign",
        "x/(1 + Abs(x))",
        "Bergstra et al. 2009, Quadratic polynomials learn better image features",
        _TORCH,
        _KERAS,
        _JAX,
        aliases="soft_sign",
    ),
    _entry("elliott", "x/(2*(1 + Abs(x))) + 1/2", "Elliott 1993, A better activation function"),
    _entry("arctan", "atan(x)", "Hayou, Doucet, Rousseau 2019, arXiv:1902.06853", aliases="atan"),
    _entry("atlu", "x*(atan(x)/pi + 1/2)", "Huang 2024, arXiv:2405.20768"),
    _entry("gudermann", "2*atan(tanh(x/2))", "The Gudermannian function", aliases="gd"),
    _entry("asinh", "asinh(x)", "The inverse hyperbolic sine", aliases="arcsinh"),
    _entry("isru", "x/sqrt(1 + alpha*x**2)", "Carlile et al. 2017, arXiv:1710.09967", alpha="1"),
    _entry(
        "isrlu",
        "Piecewise((x, x > 0), (x/sqrt(1 + alpha*x**2), True))",
        "Carlile et al. 2017, arXiv:1710.09967",
        alpha="1",
    ),
    _entry("squareplus", "(x + sqrt(x**2 + b))/2", "Barron 2021, arXiv:2112.11687", _JAX, _KERAS, b="4"),
    _entry("bent_identity", "(sqrt(x**2 + 1) - 1)/2 + x", "A sum of the identity and a hyperbola"),
    _entry("rootsig", "x/(1 + sqrt(1 + x**2))", "Duch, Jankowski 1999, Survey of neural transfer functions"),
    _entry("pflu", "x*(1 + x/sqrt(1 + x**2))/2", "Zhu et al. 2021, PFLU and FPFLU"),
    _entry(
        "fpflu",
        "Piecewise((x, x > 0), (x + x**2/sqrt(1 + x**2), True))",
        "Zhu et al. 2021, PFLU and FPFLU",
    ),
    _entry("cauchy", "1/(1 + x**2)", "The inverse quadratic radial basis function"),
    _entry("log1px2", "log(1 + x**2)", "The Cauchy robust loss"),
    _entry("symlog", "sign(x)*log(1 + Abs(x))", "Hafner et al. 2023, arXiv:2301.04104"),
    _entry("nlrelu", "log(1 + beta*Max(x, 0))", "Liu et al. 2019, arXiv:1908.03682", beta="1"),
)


@lru_cache(maxsize=1)
def catalogue() -> Mapping[str, Entry]:
    """Return every entry by its name (aliases are in the entries).

    Examples
    --------
    >>> from initmath.activation.catalogue import catalogue
    >>> catalogue()["gelu"].formula
    'x*Phi(x)'
    """
    return MappingProxyType({entry.name: entry for entry in _ENTRIES})


@lru_cache(maxsize=1)
def _index() -> dict[str, Entry]:
    index = {entry.name: entry for entry in _ENTRIES}
    for entry in _ENTRIES:
        for alias in entry.aliases:
            index.setdefault(alias, entry)
    return index


def find(name: str) -> Entry | None:
    """Return the entry with this name or alias; case, spaces and hyphens do not matter.

    Examples
    --------
    >>> from initmath.activation.catalogue import find
    >>> find("Swish").name
    'silu'
    """
    return _index().get(name) or _index().get(name.strip().lower().replace("-", "_").replace(" ", "_"))


def names() -> list[str]:
    """Return all names and aliases, sorted."""
    return sorted(_index())
