"""Sessions of every kind: run here, listed in the chart, and reviewed."""
