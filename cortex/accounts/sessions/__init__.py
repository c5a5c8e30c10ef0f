"""Live sessions: limits, the covered board, ending them."""
