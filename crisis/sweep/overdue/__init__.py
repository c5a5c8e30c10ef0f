"""Tasks that nobody did in time: marked again and again, and told of."""
