"""Two inputs: the kernel k(q₁, q₂, c) = E g(y₁) g(y₂), its derivative kernel, and what deep networks make of them."""
