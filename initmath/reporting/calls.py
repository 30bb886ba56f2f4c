"""Calls to paste into PyTorch, JAX and Keras, with the number in them."""

from __future__ import annotations

__all__ = ["calls"]


def calls(sigma_w2: float, sigma_b2: float) -> tuple[tuple[str, str], ...]:
    """Return (framework, code) for weights of variance σ_w²/fan_in and biases of variance σ_b².

    Examples
    --------
    >>> print(calls(2.0, 0.0)[0][1])
    # layer: torch.nn.Linear
    torch.nn.init.normal_(layer.weight, std=(2.0 / layer.in_features) ** 0.5)
    torch.nn.init.zeros_(layer.bias)
    """
    scale = repr(sigma_w2)
    deviation = repr(sigma_b2**0.5)
    bias = sigma_b2 > 0
    torch = [
        "# layer: torch.nn.Linear",
        f"torch.nn.init.normal_(layer.weight, std=({scale} / layer.in_features) ** 0.5)",
        f"torch.nn.init.normal_(layer.bias, std={deviation})" if bias else "torch.nn.init.zeros_(layer.bias)",
    ]
    jax = [f'jax.nn.initializers.variance_scaling({scale}, "fan_in", "truncated_normal")']
    keras = [
        "keras.initializers.VarianceScaling(",
        f'    scale={scale}, mode="fan_in", distribution="truncated_normal"',
        ")",
    ]
    if bias:
        jax.append(f"jax.nn.initializers.normal({deviation})  # biases")
        keras.append(f"keras.initializers.RandomNormal(stddev={deviation})  # biases")
    return (("PyTorch", "\n".join(torch)), ("JAX", "\n".join(jax)), ("Keras", "\n".join(keras)))
