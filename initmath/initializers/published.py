"""Gains and scales as frameworks and papers print them: data with sources, to be held against the truth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

__all__ = ["PUBLISHED", "QUANTITIES", "Published", "published_for", "true_value"]

QUANTITIES = {
    "he_gain": "1/√(E g(z)²)",
    "std_gain": "1/√(Var g(z))",
    "rms": "√(E g(z)²)",
    "mean": "E g(z)",
    "std": "√(Var g(z))",
}
"""What a published number is meant to be, for z ~ N(0, 1)."""


@dataclass(frozen=True, slots=True)
class Published:
    """A number in print or in code.

    Attributes
    ----------
    framework : str
    activation : str
        Catalogue name.
    quantity : str
        One of `QUANTITIES`: what it comes closest to meaning.
    value : str
        As printed, or its exact form where the code has one ("5/3", "sqrt(2)").
    source : str
    """

    framework: str
    activation: str
    quantity: str
    value: str
    source: str

    def exact(self) -> Any:
        """Return the published value as an exact number.

        Examples
        --------
        >>> published_for("tanh")[0].exact()
        5/3
        """
        from initmath.activation.parser import parse_constant

        return parse_constant(self.value)


TORCH = "torch.nn.init.calculate_gain"
ISSUE = "pytorch/pytorch issue #24991, comment of 2019-08-22 (100,000 samples)"
NFNET = "deepmind-research nfnets/base.py and timm nfnet (_nonlin_gamma); Brock et al. 2021, arXiv:2102.06171"
STYLEGAN = "NVlabs/stylegan3, torch_utils/ops/bias_act.py (def_gain)"
E3NN = "e3nn normalize2mom (1,000,000 samples), as hard-coded in public codes"

PUBLISHED: tuple[Published, ...] = (
    Published("torch", "relu", "he_gain", "1.4142135623730951", TORCH),
    Published("torch", "leaky_relu", "he_gain", "1.4141428569978354", TORCH),
    Published("torch", "tanh", "he_gain", "5/3", TORCH),
    Published("torch", "selu", "he_gain", "0.75", TORCH),
    Published("torch", "sigmoid", "he_gain", "1", TORCH),
    Published("pytorch_24991", "identity", "std_gain", "1", ISSUE),
    Published("pytorch_24991", "sigmoid", "std_gain", "4.809119701385498", ISSUE),
    Published("pytorch_24991", "tanh", "std_gain", "1.5975916385650635", ISSUE),
    Published("pytorch_24991", "relu", "std_gain", "1.7068026065826416", ISSUE),
    Published("pytorch_24991", "leaky_relu_0.2", "std_gain", "1.5421059131622314", ISSUE),
    Published("pytorch_24991", "selu", "std_gain", "1.0002975463867188", ISSUE),
    Published("pytorch_24991", "elu", "std_gain", "1.2694571018218994", ISSUE),
    Published("nfnet", "identity", "std_gain", "1", NFNET),
    Published("nfnet", "celu", "std_gain", "1.270926833152771", NFNET),
    Published("nfnet", "elu", "std_gain", "1.2716004848480225", NFNET),
    Published("nfnet", "gelu_tanh", "std_gain", "1.7015043497085571", NFNET),
    Published("nfnet", "leaky_relu", "std_gain", "1.70590341091156", NFNET),
    Published("nfnet", "logsigmoid", "std_gain", "1.9193484783172607", NFNET),
    Published("nfnet", "relu", "std_gain", "1.7139588594436646", NFNET),
    Published("nfnet", "relu6", "std_gain", "1.7131484746932983", NFNET),
    Published("nfnet", "selu", "std_gain", "1.0008515119552612", NFNET),
    Published("nfnet", "sigmoid", "std_gain", "4.803835391998291", NFNET),
    Published("nfnet", "silu", "std_gain", "1.7881293296813965", NFNET),
    Published("nfnet", "softsign", "std_gain", "2.338853120803833", NFNET),
    Published("nfnet", "softplus", "std_gain", "1.9203323125839233", NFNET),
    Published("nfnet", "tanh", "std_gain", "1.5939117670059204", NFNET),
    Published("nfnet", "gelu", "std_gain", "1.7015043497085571", NFNET),
    Published(
        "edm2", "silu", "rms", "0.596", "Karras et al. 2024, arXiv:2312.02696: MP-SiLU divides by 0.596"
    ),
    Published("map_dit", "silu", "mean", "0.2066", "ericbill21/map-dit, mp_silu.py"),
    Published("map_dit", "silu", "std", "0.5595", "ericbill21/map-dit, mp_silu.py"),
    Published("pytorch_tools", "gelu", "rms", "0.652", "pabloppp/pytorch-tools, MP_GELU"),
    Published("gemnet", "silu", "he_gain", "5/3", "GemNet, ScaledSiLU (1/0.6)"),
    Published("e3nn", "silu", "he_gain", "1.679176792398942", E3NN),
    Published("e3nn", "shifted_softplus", "he_gain", "1.878204668541552", E3NN),
    Published("e3nn", "sigmoid", "he_gain", "1.8467055342154763", E3NN),
    Published("stylegan3", "relu", "he_gain", "sqrt(2)", STYLEGAN),
    Published("stylegan3", "leaky_relu_0.2", "he_gain", "sqrt(2)", STYLEGAN),
    Published("stylegan3", "silu", "he_gain", "sqrt(2)", STYLEGAN),
    Published("stylegan3", "elu", "he_gain", "1", STYLEGAN),
    Published("stylegan3", "selu", "he_gain", "1", STYLEGAN),
    Published("stylegan3", "tanh", "he_gain", "1", STYLEGAN),
    Published("stylegan3", "sigmoid", "he_gain", "1", STYLEGAN),
    Published("stylegan3", "softplus", "he_gain", "1", STYLEGAN),
)


def published_for(name: str) -> tuple[Published, ...]:
    """Return what has been published for an activation, by its catalogue name.

    Examples
    --------
    >>> [(p.framework, p.value) for p in published_for("selu")][0]
    ('torch', '0.75')
    """
    return tuple(entry for entry in PUBLISHED if entry.activation == name)


def true_value(entry: Published, digits: int = 15) -> Any:
    """Compute what a published number should be, as a `Number`.

    Examples
    --------
    >>> true_value(published_for("tanh")[0]).value
    '1.59253741972283'
    """
    from initmath import moments
    from initmath.activation import resolve
    from initmath.solving.arithmetic import combine, exact, square_root

    activation = resolve(entry.activation)
    name = {"he_gain": "second_moment", "rms": "second_moment", "mean": "mean"}.get(
        entry.quantity, "variance"
    )
    number = moments.moment(activation, name, 1, digits + 8).number
    if entry.quantity == "mean":
        return combine(lambda m: 1 * m, number, digits=digits)
    if entry.quantity in ("rms", "std"):
        return square_root(combine(lambda m: 1 * m, number, digits=digits))
    return square_root(combine(lambda one, m: one / m, exact(1, digits), number, digits=digits))
