"""Does it hold for any shape, axis and index?  Drawn by Hypothesis, compared with NumPy and with explicit Jacobians."""
