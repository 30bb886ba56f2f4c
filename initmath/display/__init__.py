"""How any result shows itself: terminal, Markdown, LaTeX, JSON.

An answer lists *blocks* (`document`), made of *inline* pieces (`inline`); each output format writes each kind
of block in one place (`terminal`, `markdown`, `tex`).  JSON is read off the dataclass fields (`data`).
"""
