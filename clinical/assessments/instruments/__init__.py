"""Which instruments are offered, in which wording; their definitions as versioned files."""
