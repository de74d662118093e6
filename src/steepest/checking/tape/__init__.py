"""How a value was computed, step by step, and its derivative under right and wrong local rules."""
